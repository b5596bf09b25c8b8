// SPDX-License-Identifier: GPL-2.0-only
/*
 * Body to program: in front what the body's caller would have set, and its returns become jumps
 * to where the answer is made a verdict. No instruction of the body moves against another.
 */
#include "ctl/filter/program.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/emit.h"

#define HEAD_MAX 8
#define TAIL	 5

#define SKB(field) offsetof(struct __sk_buff, field)

static const struct {
	int drop, pass;
} verdicts[] = {
	[NG_CTX_XDP] = { XDP_DROP, XDP_PASS },
	[NG_CTX_TC] = { TC_ACT_SHOT, TC_ACT_UNSPEC },
	[NG_CTX_TC_OUT] = { TC_ACT_SHOT, TC_ACT_UNSPEC },
};

/* r1 is the context already; r2 = slot, r3 = length on the wire. */
static size_t write_head(enum ng_filter_ctx ctx, struct bpf_insn head[HEAD_MAX])
{
	size_t n = 0;

	if (ctx == NG_CTX_XDP) {
		head[n++] = NG_MOV(BPF_REG_6, BPF_REG_1);
		head[n++] = NG_CALL(BPF_FUNC_xdp_get_buff_len);
		head[n++] = NG_MOV(BPF_REG_3, BPF_REG_0);
		head[n++] = NG_MOV(BPF_REG_1, BPF_REG_6);
	} else {
		head[n++] = NG_LOAD(BPF_W, BPF_REG_3, BPF_REG_1, SKB(len));
		head[n++] = NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_1, SKB(vlan_present));
		head[n++] = NG_JUMP_I(BPF_JEQ, BPF_REG_2, 0, 1);
		head[n++] = NG_ALU_I(BPF_ADD, BPF_REG_3, 4);
	}
	head[n++] = NG_MOV_I(BPF_REG_2, 0);
	return n;
}

static void write_tail(enum ng_filter_ctx ctx, enum ng_match match, struct bpf_insn tail[TAIL])
{
	int drop = verdicts[ctx].drop, pass = verdicts[ctx].pass;

	tail[0] = NG_MOV32(BPF_REG_1, BPF_REG_0);
	tail[1] = NG_MOV32_I(BPF_REG_0, match == NG_MATCH_DROP ? drop : pass);
	tail[2] = NG_JUMP32_I(BPF_JNE, BPF_REG_1, 0, 1);
	tail[3] = NG_MOV32_I(BPF_REG_0, match == NG_MATCH_DROP ? pass : drop);
	tail[4] = NG_RETURN;
}

static int redirect_returns(struct bpf_insn *insns, size_t n, struct ng_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (insns[i].code != (BPF_JMP | BPF_EXIT))
			continue;
		if (n - i - 1 > INT16_MAX) {
			ng_err(err, NG_EXIT_USAGE, 0, NULL,
			       "filter too large for a program of its own: %zu instructions", n);
			return -E2BIG;
		}
		insns[i] = NG_JA(n - i - 1);
	}
	return 0;
}

static int copy_table(const struct ng_ebpf *body, struct ng_ebpf *out)
{
	if (!body->table)
		return 0;
	out->table = malloc(body->table_size);
	if (!out->table)
		return -ENOMEM;
	memcpy(out->table, body->table, body->table_size);
	out->table_size = body->table_size;
	return 0;
}

int ng_filter_program(const struct ng_ebpf *body, enum ng_filter_ctx ctx, enum ng_match match,
		      struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_ebpf p = { .insns = calloc(HEAD_MAX + body->n + TAIL, sizeof(*p.insns)) };
	int rc = p.insns ? copy_table(body, &p) : -ENOMEM;

	if (!rc) {
		size_t head = write_head(ctx, p.insns);

		memcpy(p.insns + head, body->insns, body->n * sizeof(*p.insns));
		rc = redirect_returns(p.insns + head, body->n, err);
		write_tail(ctx, match, p.insns + head + body->n);
		p.n = head + body->n + TAIL;
	} else {
		ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	}
	if (rc)
		ng_ebpf_free(&p);
	else
		*out = p;
	return rc;
}
