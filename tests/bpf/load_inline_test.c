// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters in the place of their calls, in the real templates: every site tells enough, what stands
 * there answers instead of the stub or calls it, and what cannot stand there leaves a call.
 */
#include <errno.h>
#include <netinet/in.h>

#include "ctl/filter/emit.h"
#include "ctl/filter/site.h"
#include "maps/tap.h"
#include "tests/bpf/gate_run.h"

#define LONG	 100 /* frames above are answered without a call */
#define DLT	 1   /* DLT_EN10MB */
#define INSN_MAX 40

static const char *const expressions[NG_TAPS_MAX] = {
	[0] = "udp",
	[3] = "ip and less 70",
	[15] = "vlan or tcp port 53",
};
#define TAPS (1u << 0 | 1u << 3 | 1u << 15)

static struct ng_ebpf filter[NG_HOOK_MAX][NG_TAPS_MAX];

/* Code under construction. */
struct code {
	struct bpf_insn insn[INSN_MAX];
	size_t n;
};

static void put(struct code *c, struct bpf_insn insn)
{
	c->insn[c->n++] = insn;
}

static void put_fetch(struct code *c, int reg, const struct ng_place *from)
{
	put(c, from->kind == NG_PLACE_REG ? NG_MOV(reg, from->reg)
					  : NG_LOAD(BPF_DW, reg, BPF_REG_10, from->off));
}

static void put_call(struct code *c, const struct ng_site *site)
{
	put_fetch(c, BPF_REG_1, &site->ctx);
	put(c, NG_MOV_I(BPF_REG_2, site->slot));
	put_fetch(c, BPF_REG_3, &site->len);
	put(c, NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, NG_CALL_STUB));
}

static int hand_out(const struct code *c, struct ng_ebpf *out)
{
	struct bpf_insn *insns = malloc(c->n * sizeof(*insns));

	memcpy(insns, c->insn, c->n * sizeof(*insns));
	*out = (struct ng_ebpf){ .insns = insns, .n = c->n };
	return 0;
}

/* How often a body was asked for, and the last of each slot's sites. */
static unsigned int asked;
static struct ng_site seen[NG_TAPS_MAX];

static void note(const struct ng_site *site)
{
	asked++;
	seen[site->slot] = *site;
}

static int refuse(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	(void)arg;
	(void)out;
	note(site);
	return -EOPNOTSUPP;
}

/* 1 for a long frame, else what the stub says; takes from the host all that it may. */
static int long_or_call(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	struct code c = { .n = 0 };
	size_t skip;

	(void)arg;
	note(site);
	put(&c, NG_STORE_I(BPF_DW, BPF_REG_10, site->stack_free - 8, 0x5a5a5a5a));
	put(&c, NG_MOV_I(BPF_REG_0, 1));
	skip = c.n;
	put(&c, NG_JUMP_I(BPF_JGT, BPF_REG_3, LONG, 0));
	for (int reg = BPF_REG_1; reg <= BPF_REG_5; reg++)
		put(&c, NG_MOV_I(reg, -1));
	put_call(&c, site);
	c.insn[skip].off = (short)(c.n - skip - 1);
	return hand_out(&c, out);
}

static int only_answer(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	struct code c = { .n = 0 };

	(void)arg;
	note(site);
	put(&c, NG_MOV_I(BPF_REG_0, site->slot + 1));
	return hand_out(&c, out);
}

/* Reads what no context has. */
static int no_verifier_takes(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	struct code c = { .n = 0 };

	(void)arg;
	note(site);
	put(&c, NG_LOAD(BPF_W, BPF_REG_0, BPF_REG_1, 4000));
	return hand_out(&c, out);
}

static int too_deep(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	struct code c = { .n = 0 };

	(void)arg;
	note(site);
	put(&c, NG_STORE_I(BPF_DW, BPF_REG_10, -480, 1));
	put(&c, NG_MOV_I(BPF_REG_0, 1));
	return hand_out(&c, out);
}

static int too_long(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	size_t n = 40000;

	(void)arg;
	note(site);
	out->insns = malloc(n * sizeof(*out->insns));
	for (size_t i = 0; i < n; i++)
		out->insns[i] = NG_MOV_I(BPF_REG_0, 1);
	out->n = n;
	return 0;
}

static int empty(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	(void)arg;
	(void)out;
	note(site);
	return 0;
}

/* Answers the first word of the table *arg; NULL: of the filter's own. */
static int from_table(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	struct code c = { .n = 0 };
	const __u32 *table = arg;

	note(site);
	put(&c, NG_INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, 0));
	put(&c, NG_INSN(0, 0, 0, 0, 0));
	put(&c, NG_LOAD(BPF_W, BPF_REG_0, BPF_REG_1, 0));
	hand_out(&c, out);
	if (!table)
		return 0;
	out->table = malloc(sizeof(*table));
	memcpy(out->table, table, sizeof(*table));
	out->table_size = sizeof(*table);
	return 0;
}

static struct ng_load spec_of(enum ng_hook hook, __u32 taps, const struct ng_ebpf *filters)
{
	return (struct ng_load){ .object = "test", .hook = hook, .taps = taps, .filter = filters };
}

struct loaded {
	struct ng_maps maps;
	int fd;
	struct bpf_prog_info info;
};

static bool load(struct ng_load *spec, struct loaded *l)
{
	static const struct ng_maps none = NG_MAPS_INIT;
	struct ng_error err = { 0 };
	__u32 len = sizeof(l->info);

	*l = (struct loaded){ .maps = none, .fd = -1 };
	asked = 0;
	if (ng_load(spec, &l->maps, &l->fd, &err)) {
		printf("# %s: %s\n", err.what, err.why);
		return false;
	}
	return !ng_maps_mmap(&l->maps) && !bpf_obj_get_info_by_fd(l->fd, &l->info, &len);
}

static void unload(struct loaded *l)
{
	if (l->fd >= 0)
		close(l->fd);
	ng_maps_close(&l->maps);
}

static void open_tap(struct ng_maps *m, __u32 slot)
{
	int fd = -1;
	__u64 now = 0;

	ng_jiffies(&fd, &now);
	close(fd);
	m->control->tap[slot] =
		(struct ng_tap_control){ .lease_jiffies = (now + 1000000) | 1, .snaplen = 262144 };
}

static __u64 matched(const struct ng_maps *m, __u32 slot)
{
	struct ng_tap_stats s = { 0 };

	ng_tap_stats_read(m, slot, &s);
	return s.matched;
}

/* A compiler that keeps the arguments elsewhere is noticed here. */
static void test_sites(enum ng_hook hook)
{
	struct ng_load spec = spec_of(hook, 0xffff, filter[hook]);
	struct ng_ebpf all[NG_TAPS_MAX];
	struct loaded l;
	int lowest = 0;

	for (int i = 0; i < NG_TAPS_MAX; i++)
		all[i] = filter[hook][0];
	memset(seen, 0, sizeof(seen));
	spec.filter = all;
	spec.inline_body = refuse;
	ok(load(&spec, &l), "%s: loads with sixteen taps", ng_hook_name[hook]);
	is_int(asked, NG_TAPS_MAX, "%s: each has a site that tells its arguments",
	       ng_hook_name[hook]);
	for (int i = 0; i < NG_TAPS_MAX; i++)
		if (!ng_site_is_known(&seen[i]) || seen[i].slot != i ||
		    seen[i].stack_free != seen[0].stack_free)
			printf("# slot %d\n", lowest = i);
	is_int(lowest, 0, "%s: one for each slot, in one frame", ng_hook_name[hook]);
	ok(seen[0].stack_free <= -8 && seen[0].stack_free >= -256, "%s: with room below %d in it",
	   ng_hook_name[hook], seen[0].stack_free);
	unload(&l);
}

/* The answer with bodies of long_or_call(). */
static bool wanted(const struct ng_cbpf *cbpf, const struct frame *f, enum way way)
{
	struct frame wire = *f;

	if (ways[way].tagged) {
		memmove(wire.data + 16, wire.data + 12, f->len - 12);
		memcpy(wire.data + 12, "\x81\x00\x60\x05", 4);
		wire.len += 4;
	}
	return wire.len > LONG || ng_filter_interpret(cbpf, wire.data, wire.len, wire.len);
}

static void compile_all(struct ng_cbpf cbpf[NG_TAPS_MAX])
{
	bool good = true;

	for (int i = 0; i < NG_TAPS_MAX; i++) {
		struct ng_error err;

		if (!expressions[i])
			continue;
		good &= !ng_filter_compile(expressions[i], "expression", DLT, 262144, 0, &cbpf[i],
					   &err);
		good &= !ng_filter_translate(&cbpf[i], NG_CTX_XDP, 0, &filter[NG_HOOK_XDP][i],
					     &err);
		good &= !ng_filter_translate(&cbpf[i], NG_CTX_TC, 0, &filter[NG_HOOK_TC_IN][i],
					     &err);
	}
	ok(good, "filters translate");
}

static void test_way(struct gates *g, enum way way, const struct ng_cbpf cbpf[NG_TAPS_MAX])
{
	static const char *const protocols[] = { "11", "06", "01" };
	unsigned int wrong = 0, runs = 0;
	struct frame f;
	struct outcome o;

	for (__u32 len = 60; len <= 140; len++) {
		__u64 before[NG_TAPS_MAX];
		char hex[128];

		snprintf(hex, sizeof(hex), ETH4 IP4("002c", "0000", "%s") TCP("0035"),
			 protocols[len % 3]);
		frame_set(&f, hex);
		frame_pad(&f, len);
		for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
			before[slot] = matched(&g->maps, slot);
		if (gates_judge(g, way, &f, &o))
			continue;
		runs++;
		wrong += o.verdict != NG_PASS || o.reason != NG_R_DEFAULT || !o.exact;
		for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
			wrong += expressions[slot] && matched(&g->maps, slot) - before[slot] !=
							      wanted(&cbpf[slot], &f, way);
	}
	ok(runs > 70 && !wrong, "%s: in place or called, the right answer and verdict (%u runs)",
	   ways[way].name, runs);
}

static void test_answers(const struct ng_cbpf cbpf[NG_TAPS_MAX])
{
	static struct gates g;

	gates_inline = long_or_call;
	asked = 0;
	if (!ok(gates_load(&g, TAPS, filter), "all programs load with filters in place"))
		return;
	is_int(asked, 3 * WAYS, "each site is asked for once: nothing was loaded twice");
	for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
		if (expressions[slot])
			open_tap(&g.maps, slot);
	for (int way = 0; way < WAYS; way++)
		test_way(&g, way, cbpf);
	gates_inline = NULL;
}

/* The lines of a program, in order. */
static __u32 lines(const struct loaded *l, struct bpf_line_info *line, __u32 max)
{
	struct bpf_prog_info info = { .nr_line_info = max,
				      .line_info = (__u64)(unsigned long)line,
				      .line_info_rec_size = sizeof(*line) };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(l->fd, &info, &len) ? 0 : info.nr_line_info;
}

static void test_infos(enum ng_hook hook)
{
	static struct bpf_line_info with[20000], without[20000];
	struct ng_load spec = spec_of(hook, TAPS, filter[hook]);
	struct loaded calls, l;
	__u32 n, m, same = 0;

	ok(load(&spec, &calls), "%s: loads with calls", ng_hook_name[hook]);
	spec.inline_body = long_or_call;
	ok(load(&spec, &l), "%s: loads with filters in place", ng_hook_name[hook]);
	/* twice what it takes now; the time that a change of filters is under way */
	ok(l.info.verified_insns < 72000, "%s: %u instructions for the verifier, with calls %u",
	   ng_hook_name[hook], l.info.verified_insns, calls.info.verified_insns);
	ok(l.info.xlated_prog_len > calls.info.xlated_prog_len, "%s: which are more instructions",
	   ng_hook_name[hook]);
	is_int(l.info.nr_func_info, l.info.nr_jited_ksyms, "%s: a name for every function",
	       ng_hook_name[hook]);
	is_int(l.info.nr_func_info, calls.info.nr_func_info, "%s: as many as before",
	       ng_hook_name[hook]);
	n = lines(&l, with, 20000);
	m = lines(&calls, without, 20000);
	for (__u32 i = 0; i < n && i < m; i++)
		same += with[i].line_off == without[i].line_off &&
			with[i].line_col == without[i].line_col &&
			with[i].insn_off >= without[i].insn_off;
	ok(n > 100 && n == m && same == n, "%s: the same lines (%u)", ng_hook_name[hook], n);
	ok(n && with[n - 1].insn_off > without[n - 1].insn_off, "%s: moved", ng_hook_name[hook]);
	unload(&calls);
	unload(&l);
}

/* Whatever cannot stand in the place of a call leaves the program as it is with calls. */
static void test_left_alone(enum ng_hook hook)
{
	const struct {
		const char *what;
		int (*body)(void *, const struct ng_site *, struct ng_ebpf *);
		bool call_only;
		unsigned int asked;
	} rows[] = {
		{ "a body that is refused", refuse, false, 3 },
		{ "one that the verifier refuses", no_verifier_takes, false, 3 },
		{ "one that leaves no stack for what is called", too_deep, false, 3 },
		{ "one too long to be jumped over", too_long, false, 3 },
		{ "one of nothing", empty, false, 3 },
		{ "calls wanted", long_or_call, true, 0 },
	};
	struct ng_load spec = spec_of(hook, TAPS, filter[hook]);
	struct loaded calls, l;

	ok(load(&spec, &calls), "%s: loads with calls", ng_hook_name[hook]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		spec.inline_body = rows[i].body;
		spec.call_only = rows[i].call_only;
		ok(load(&spec, &l), "%s: %s: loads", ng_hook_name[hook], rows[i].what);
		is_int(asked, rows[i].asked, "asked for");
		is_int(l.info.xlated_prog_len, calls.info.xlated_prog_len, "and calls");
		unload(&l);
	}
	unload(&calls);
}

/* With every site taken and no call left the stub would be nobody's: one call stays. */
static void test_all_in_place(enum ng_hook hook)
{
	static const unsigned char frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	struct ng_ebpf all[NG_TAPS_MAX];
	struct ng_load spec = spec_of(hook, 0xffff, all);
	struct loaded l;
	__u64 n = 0;

	for (int i = 0; i < NG_TAPS_MAX; i++)
		all[i] = filter[hook][0];
	spec.inline_body = only_answer;
	ok(load(&spec, &l), "%s: sixteen that call nothing load", ng_hook_name[hook]);
	for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
		open_tap(&l.maps, slot);
	ok(!bpf_prog_test_run_opts(l.fd, &run), "%s: runs", ng_hook_name[hook]);
	for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
		n += matched(&l.maps, slot);
	is_int(n, NG_TAPS_MAX - 1, "%s: all but one answer in place", ng_hook_name[hook]);
	unload(&l);
}

static void test_table(enum ng_hook hook)
{
	static const unsigned char frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	__u32 no = 0, yes = 1;
	const struct {
		const char *what;
		__u32 *filters, *own;
		bool matches;
	} rows[] = {
		{ "the filter's table", &yes, NULL, true },
		{ "the filter's other table", &no, NULL, false },
		{ "the same again", &yes, &yes, true },
		{ "one of its own", &no, &yes, true },
		{ "one of its own, the filter without", NULL, &yes, true },
	};
	struct ng_ebpf one[NG_TAPS_MAX] = { [2] = filter[hook][0] };
	struct ng_load spec = spec_of(hook, 1u << 2, one);
	struct loaded l;

	spec.inline_body = from_table;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one[2].table = rows[i].filters;
		one[2].table_size = rows[i].filters ? sizeof(__u32) : 0;
		spec.inline_arg = rows[i].own;
		ok(load(&spec, &l), "%s: loads with %s", ng_hook_name[hook], rows[i].what);
		open_tap(&l.maps, 2);
		ok(!bpf_prog_test_run_opts(l.fd, &run), "%s: runs", ng_hook_name[hook]);
		is_int(matched(&l.maps, 2), rows[i].matches, "%s: and reads it",
		       ng_hook_name[hook]);
		unload(&l);
	}
}

int main(void)
{
	static struct ng_cbpf cbpf[NG_TAPS_MAX];

	if (geteuid())
		tap_skip_all("loading BPF programs needs root");
	compile_all(cbpf);
	test_answers(cbpf);
	for (int hook = NG_HOOK_XDP; hook <= NG_HOOK_TC_IN; hook++) {
		test_sites(hook);
		test_infos(hook);
		test_left_alone(hook);
		test_all_in_place(hook);
		test_table(hook);
	}
	return tap_done();
}
