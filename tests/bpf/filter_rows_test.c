// SPDX-License-Identifier: GPL-2.0-only
/* The filters and packets of filter_rows.h, in all ways a packet can lie in memory. */
#include <pcap/dlt.h>

#include "tests/bpf/filter_rows.h"
#include "tests/fuzz/program.h"
#include "tests/fuzz/ways.h"
#include "tests/tap.h"

#define N_ROWS	   (sizeof(filter_rows) / sizeof(filter_rows[0]))
#define LINEAR_MAX 128 /* lengths of the linear part that are tried */

static unsigned int digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void read_hex(const char *hex, struct packet *p)
{
	for (p->len = 0; hex[0] && hex[1]; hex += 2)
		p->data[p->len++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
}

static bool compile(const struct filter_row *row, struct ng_cbpf *out)
{
	const struct ng_cbpf program = { .insns = (struct sock_filter *)row->insns,
					 .n = row->n,
					 .sets = (struct ng_set *)row->sets,
					 .n_sets = row->n_sets };
	struct ng_error err = { 0 };

	if (!row->expr) {
		copy_program(&program, out);
		return true;
	}
	if (ng_filter_compile(row->expr, "expression", DLT_EN10MB, 262144, row->compile_flags, out,
			      &err) == 0)
		return true;
	printf("#   %s\n", err.what);
	return false;
}

static bool is_right(const struct packet *p, const struct run *run, uint32_t want)
{
	uint32_t answer[WAYS_FILTERS];

	if (ways_run(p, run, answer) || answer[0] == want)
		return true;
	printf("#   %s, %u bytes linear: got %u, want %u\n", way_names[run->way], run->linear,
	       answer[0], want);
	return false;
}

static bool answers_in_all_ways(const struct packet *p, uint32_t want)
{
	bool good = true;

	for (enum way way = 0; way < WAYS; way++)
		for (uint32_t linear = 14; linear < LINEAR_MAX; linear++) {
			const struct run run = { way, linear };

			if (ways_fit(p, &run))
				good &= is_right(p, &run, want);
			if (way == WAY_XDP || way == WAY_TC || way == WAY_TC_TAG)
				break;
		}
	return good;
}

/* NULL: loaded at both hooks. */
static const struct ways_state *load(const struct ng_cbpf *program, unsigned int flags,
				     bool in_place)
{
	const struct ways_filter filter = { program, flags, in_place };
	static struct ways_state state;

	for (enum ways_hook hook = 0; hook < WAYS_HOOKS; hook++) {
		ways_load(hook, &filter, 1, &state);
		if (state.status != WAYS_LOADED)
			return &state;
	}
	return NULL;
}

static bool answers(const struct filter_row *row, const struct ng_cbpf *program)
{
	static struct packet p;
	uint32_t asked;
	bool good;

	if (!row->packet)
		return true;
	read_hex(row->packet, &p);
	asked = ng_filter_interpret(program, p.data, p.len, p.len);
	good = answers_in_all_ways(&p, row->asked ? asked : row->want);
	if (row->asked || asked == row->want)
		return good;
	printf("#   the interpreter: %u, want %u\n", asked, row->want);
	return false;
}

static void test_row(const struct filter_row *row, unsigned int flags, bool in_place)
{
	const char *how = flags & NG_FILTER_PLAIN ? " (plain)" : in_place ? " (in place)" : "";
	const struct ways_state *failed;
	struct ng_cbpf program = { 0 };
	bool compiled = compile(row, &program);

	failed = compiled ? load(&program, flags, in_place) : NULL;
	if (row->refused)
		ok(failed && failed->status == WAYS_UNTRANSLATED, "%s%s: %s", row->what, how,
		   failed ? failed->text : "");
	else if (!ok(compiled && !failed && answers(row, &program), "%s%s", row->what, how))
		printf("#   %s\n", failed ? failed->text : "");
	ng_cbpf_free(&program);
}

int main(void)
{
	if (ways_open())
		tap_skip_all(
			"BPF_PROG_LOAD is not permitted (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON)");
	for (size_t i = 0; i < N_ROWS; i++) {
		test_row(&filter_rows[i], 0, false);
		test_row(&filter_rows[i], 0, true);
		test_row(&filter_rows[i], NG_FILTER_PLAIN, false);
	}
	return tap_done();
}
