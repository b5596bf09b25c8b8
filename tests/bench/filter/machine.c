// SPDX-License-Identifier: GPL-2.0-only
/* What the machine and the gate around a filter cost: calls, taps that are not there. */
#include "tests/bench/filter/machine.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/dataplane/gate.h"
#include "ctl/filter/emit.h"

double machine_call(const struct deal *deal, unsigned int rounds)
{
	static struct race race;
	struct bpf_insn call = NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, NG_CALL_STUB);
	struct bpf_insn nothing[] = { NG_MOV32_I(BPF_REG_0, 0), NG_RETURN };
	const struct copy copy = { .code = { .insns = &call, .n = 1 },
				   .body = { .insns = nothing, .n = 2 } };
	double net[ROUNDS_MAX], ns = -1;
	struct lap *lap;

	race.rounds = rounds;
	lap = race_program(&race, deal, NG_CTX_XDP, &copy, NULL, NULL);
	if (lap) {
		race_run(&race);
		for (unsigned int i = 0; i < rounds; i++)
			net[i] = lap_net(lap, i);
		ns = lap->failed ? -1 : median(net, rounds);
	}
	race_close(&race);
	return ns;
}

#define DLT_EN10MB 1

/* A loaded program as the kernel runs it, and which line each instruction is of. */
struct listing {
	struct bpf_prog_info info;
	struct bpf_line_info *line;
	struct btf *btf;
};

static int read_listing(int prog_fd, struct listing *l)
{
	__u32 size = sizeof(l->info), n;

	*l = (struct listing){ 0 };
	if (bpf_obj_get_info_by_fd(prog_fd, &l->info, &size))
		return -errno;
	n = l->info.nr_line_info;
	l->line = calloc(n ? n : 1, sizeof(*l->line));
	l->btf = btf__load_from_kernel_by_id(l->info.btf_id);
	if (!l->line || !l->btf)
		return -ENOENT;
	size = sizeof(l->info);
	l->info = (struct bpf_prog_info){ .nr_line_info = n,
					  .line_info = (uintptr_t)l->line,
					  .line_info_rec_size = sizeof(*l->line) };
	return bpf_obj_get_info_by_fd(prog_fd, &l->info, &size) ? -errno : 0;
}

static bool is_tap_code(const struct listing *l, const struct bpf_line_info *line)
{
	const char *file = btf__name_by_offset(l->btf, line->file_name_off);
	const char *text = btf__name_by_offset(l->btf, line->line_off);

	return (file && strstr(file, "maps/tap.bpf.h")) || (text && strstr(text, "ng_tap_all("));
}

static void measure_listing(const struct listing *l, struct gate_size *size)
{
	unsigned int all = l->info.xlated_prog_len / sizeof(struct bpf_insn);

	*size = (struct gate_size){ .insns = all, .verified = l->info.verified_insns };
	for (__u32 i = 0; i < l->info.nr_line_info; i++) {
		bool is_last = i + 1 == l->info.nr_line_info;
		unsigned int next = is_last ? all : l->line[i + 1].insn_off;

		if (is_tap_code(l, &l->line[i]))
			size->tap_insns += next - l->line[i].insn_off;
	}
}

static int measure_gate(const struct ng_gate *gate, struct gate_size *size)
{
	struct listing l;
	int ret = read_listing(gate->prog_fd, &l);

	if (!ret)
		measure_listing(&l, size);
	btf__free(l.btf);
	free(l.line);
	return ret;
}

int machine_gate(enum ng_hook hook, const char *expr, struct gate_size *size)
{
	const struct ng_gate_spec spec = { .hook = hook };
	struct ng_cbpf cbpf = { 0 };
	struct ng_gate *gate;
	int ret = 0;

	if (expr)
		ret = ng_filter_compile(expr, "expression", DLT_EN10MB, 262144, 0, &cbpf, NULL);
	if (!ret)
		ret = ng_gate_load(hook, expr ? &cbpf : NULL, &spec, &gate, NULL);
	if (!ret) {
		ret = measure_gate(gate, size);
		ng_gate_close(gate);
	}
	ng_cbpf_free(&cbpf);
	return ret;
}
