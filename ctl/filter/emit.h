/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing array of eBPF instructions whose jumps name labels.
 * Failures stick and show at ng_emit_finish(). */
#ifndef NG_CTL_FILTER_EMIT_H
#define NG_CTL_FILTER_EMIT_H

#include "ctl/filter/filter.h"

struct ng_emit {
	struct bpf_insn *insns;
	size_t n, room;
	size_t *label; /* where each label is; SIZE_MAX: nowhere yet */
	size_t n_labels;
	struct ng_jump {
		size_t from, label;
	} * jumps;
	size_t n_jumps, jumps_room;
	bool failed; /* out of memory, or given up by who emits */
};

/* 0 or -ENOMEM. Labels are the numbers below n_labels. */
int ng_emit_init(struct ng_emit *e, size_t n_labels);
/*
 * Fills in the jumps and hands the instructions over; *e is empty then, also on failure. -ENOMEM;
 * -E2BIG: a jump is longer than an instruction can say.
 */
int ng_emit_finish(struct ng_emit *e, struct ng_ebpf *out);

void ng_emit(struct ng_emit *e, struct bpf_insn insn);
void ng_emit_label(struct ng_emit *e, size_t label);
bool ng_emit_label_used(const struct ng_emit *e, size_t label);
/* insn: any jump; its offset is filled in at the end. */
void ng_emit_jump(struct ng_emit *e, struct bpf_insn insn, size_t label);
/* A jump ahead without a label: ng_emit_land() makes it lead to what is emitted next. */
size_t ng_emit_ahead(struct ng_emit *e, struct bpf_insn insn);
void ng_emit_land(struct ng_emit *e, size_t ahead);

/* Instructions, as the kernel's documentation names them;
 * _i: with an immediate, 32: on half registers. */
#define NG_INSN(c, d, s, o, i)                                                                     \
	((struct bpf_insn){                                                                        \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (short)(o), .imm = (int)(i) })
#define NG_ALU(op, d, s)	  NG_INSN(BPF_ALU64 | BPF_X | (op), d, s, 0, 0)
#define NG_ALU_I(op, d, i)	  NG_INSN(BPF_ALU64 | BPF_K | (op), d, 0, 0, i)
#define NG_ALU32(op, d, s)	  NG_INSN(BPF_ALU | BPF_X | (op), d, s, 0, 0)
#define NG_ALU32_I(op, d, i)	  NG_INSN(BPF_ALU | BPF_K | (op), d, 0, 0, i)
#define NG_MOV(d, s)		  NG_ALU(BPF_MOV, d, s)
#define NG_MOV_I(d, i)		  NG_ALU_I(BPF_MOV, d, i)
#define NG_MOV32(d, s)		  NG_ALU32(BPF_MOV, d, s)
#define NG_MOV32_I(d, i)	  NG_ALU32_I(BPF_MOV, d, i)
#define NG_TO_HOST(d, bits)	  NG_INSN(BPF_ALU | BPF_END | BPF_TO_BE, d, 0, 0, bits)
#define NG_LOAD(size, d, s, o)	  NG_INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define NG_STORE(size, d, o, s)	  NG_INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define NG_STORE_I(size, d, o, i) NG_INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define NG_CALL(helper)		  NG_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define NG_RETURN		  NG_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define NG_JA(o)		  NG_INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
/* Ahead when the loop has gone round too often; Linux 6.9. */
#define NG_MAY_GOTO		  NG_INSN(BPF_JMP | 0xe0, 0, 0, 0, 0)
#define NG_JUMP(op, d, s, o)	  NG_INSN(BPF_JMP | BPF_X | (op), d, s, o, 0)
#define NG_JUMP_I(op, d, i, o)	  NG_INSN(BPF_JMP | BPF_K | (op), d, 0, o, i)
#define NG_JUMP32(op, d, s, o)	  NG_INSN(BPF_JMP32 | BPF_X | (op), d, s, o, 0)
#define NG_JUMP32_I(op, d, i, o)  NG_INSN(BPF_JMP32 | BPF_K | (op), d, 0, o, i)

#endif
