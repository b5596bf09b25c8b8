/* SPDX-License-Identifier: GPL-2.0-only */
/* What an eBPF instruction is, for those who move them. */
#ifndef NG_CTL_FILTER_INSN_H
#define NG_CTL_FILTER_INSN_H

#include <linux/bpf.h>
#include <stdbool.h>

static inline bool ng_is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

/* Takes two instructions; the second has no code. */
static inline bool ng_is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_DW | BPF_IMM);
}

static inline bool ng_is_far_jump(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP32 | BPF_JA);
}

/* Refers to another instruction by a signed 32-bit distance in imm. */
static inline bool ng_is_far(const struct bpf_insn *insn)
{
	return ng_is_call(insn) || ng_is_far_jump(insn) ||
	       (ng_is_wide(insn) && insn->src_reg == BPF_PSEUDO_FUNC);
}

static inline bool ng_is_jump_class(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
}

/* Refers to another instruction by a signed 16-bit distance in off. */
static inline bool ng_is_near(const struct bpf_insn *insn)
{
	unsigned int op = BPF_OP(insn->code);

	return ng_is_jump_class(insn) && op != BPF_CALL && op != BPF_EXIT && !ng_is_far_jump(insn);
}

#endif
