// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel makes of classic BPF (net/core/filter.c, bpf_convert_filter()), as far as a program
 * at tc can hold it.
 *
 * A load at a constant offset is a guard and a load from linear memory, with a helper call behind a
 * guard that fails; a load at X is always a helper call. The calls are those that the kernel makes of
 * eBPF's own LD_ABS and LD_IND, which end in the same functions. The guard compares pointers where the
 * kernel compares lengths, with as many instructions; comparisons are those of 64 bits.
 */
#include "tests/bench/filter/bench.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <stddef.h>

#include "ctl/filter/cfg.h"
#include "ctl/filter/emit.h"

/* Registers. Context in R6, as LD_ABS and LD_IND want it. */
enum { A = BPF_REG_0, TMP = BPF_REG_2, CTX = BPF_REG_6, X, DATA, END };

#define FP_MEM -64

static void load_ctx(struct ng_emit *e, unsigned int reg, size_t offset)
{
	ng_emit(e, NG_LOAD(BPF_W, reg, CTX, offset));
}

/* The kernel loads two lengths and subtracts them, for the bytes in linear memory. */
static void write_start(struct ng_emit *e)
{
	ng_emit(e, NG_MOV32_I(A, 0));
	ng_emit(e, NG_MOV32_I(X, 0));
	ng_emit(e, NG_MOV(CTX, BPF_REG_1));
	load_ctx(e, DATA, offsetof(struct __sk_buff, data));
	load_ctx(e, END, offsetof(struct __sk_buff, data_end));
	load_ctx(e, TMP, offsetof(struct __sk_buff, len));
	ng_emit(e, NG_ALU32(BPF_SUB, TMP, TMP));
}

static void write_abs(struct ng_emit *e, const struct sock_filter *f)
{
	unsigned int size = BPF_SIZE(f->code), bytes = ng_op_size(f);
	bool swap = bytes > 1;

	if (f->k >
	    0x7fff) { /* no load instruction reaches it here; in the kernel an addition does */
		ng_emit(e, NG_INSN(BPF_LD | BPF_ABS | size, 0, 0, 0, f->k));
		return;
	}
	ng_emit(e, NG_MOV(TMP, DATA));
	ng_emit(e, NG_ALU_I(BPF_ADD, TMP, f->k + bytes));
	ng_emit(e, NG_JUMP(BPF_JGT, TMP, END, 2 + swap));
	ng_emit(e, NG_LOAD(size, A, DATA, f->k));
	if (swap)
		ng_emit(e, NG_TO_HOST(A, 8 * bytes));
	ng_emit(e, NG_JA(1));
	ng_emit(e, NG_INSN(BPF_LD | BPF_ABS | size, 0, 0, 0, f->k));
}

static void write_msh(struct ng_emit *e, const struct sock_filter *f)
{
	const struct sock_filter byte = { .code = BPF_LD | BPF_ABS | BPF_B, .k = f->k };

	ng_emit(e, NG_MOV(X, A));
	write_abs(e, &byte);
	ng_emit(e, NG_ALU32_I(BPF_AND, A, 0xf));
	ng_emit(e, NG_ALU32_I(BPF_LSH, A, 2));
	ng_emit(e, NG_MOV(TMP, X));
	ng_emit(e, NG_MOV(X, A));
	ng_emit(e, NG_MOV(A, TMP));
}

static void write_alu(struct ng_emit *e, const struct sock_filter *f)
{
	unsigned int op = BPF_OP(f->code);

	if (BPF_SRC(f->code) == BPF_K) {
		ng_emit(e, NG_ALU32_I(op, A, f->k));
		return;
	}
	if (op == BPF_DIV || op == BPF_MOD) {
		ng_emit(e, NG_MOV32(X, X));
		ng_emit(e, NG_JUMP_I(BPF_JNE, X, 0, 2));
		ng_emit(e, NG_MOV32_I(A, 0));
		ng_emit(e, NG_RETURN);
	}
	ng_emit(e, NG_ALU32(op, A, X));
}

static void write_jump(struct ng_emit *e, const struct sock_filter *f, size_t i)
{
	static const unsigned char inverse[] = {
		[BPF_JEQ >> 4] = BPF_JNE,
		[BPF_JGT >> 4] = BPF_JLE,
		[BPF_JGE >> 4] = BPF_JLT,
		[BPF_JSET >> 4] = 0,
	};
	unsigned int op = BPF_OP(f->code), not = inverse[op >> 4];
	bool by_register = BPF_SRC(f->code) == BPF_X || (int)f->k < 0;
	unsigned int other = BPF_SRC(f->code) == BPF_X ? X : TMP;

	if (by_register && other == TMP)
		ng_emit(e, NG_MOV32_I(TMP, f->k));
	if (f->jt == 0 && f->jf && not ) {
		ng_emit_jump(e,
			     by_register ? NG_JUMP(not, A, other, 0) : NG_JUMP_I(not, A, f->k, 0),
			     i + 1 + f->jf);
		return;
	}
	ng_emit_jump(e, by_register ? NG_JUMP(op, A, other, 0) : NG_JUMP_I(op, A, f->k, 0),
		     i + 1 + f->jt);
	if (f->jf)
		ng_emit_jump(e, NG_JA(0), i + 1 + f->jf);
}

static unsigned int subject(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_LDX || BPF_CLASS(f->code) == BPF_STX ? X : A;
}

static void write_return(struct ng_emit *e, const struct sock_filter *f)
{
	if (BPF_RVAL(f->code) == BPF_K)
		ng_emit(e, NG_MOV32_I(A, f->k));
	ng_emit(e, NG_RETURN);
}

static void write_load(struct ng_emit *e, const struct sock_filter *f)
{
	switch (ng_op_of(f)) {
	case NG_OP_ABS:
		write_abs(e, f);
		break;
	case NG_OP_IND:
		ng_emit(e, NG_INSN(BPF_LD | BPF_IND | BPF_SIZE(f->code), 0, X, 0, f->k));
		break;
	case NG_OP_MSH:
		write_msh(e, f);
		break;
	case NG_OP_LEN:
		load_ctx(e, subject(f), offsetof(struct __sk_buff, len));
		break;
	case NG_OP_IMM:
		ng_emit(e, NG_MOV32_I(subject(f), f->k));
		break;
	default:
		ng_emit(e, NG_LOAD(BPF_W, subject(f), BPF_REG_10, FP_MEM + 4 * (int)f->k));
	}
}

static void write_insn(struct ng_emit *e, const struct sock_filter *f, size_t i)
{
	switch (ng_op_of(f)) {
	case NG_OP_STORE:
		ng_emit(e, NG_STORE(BPF_W, BPF_REG_10, FP_MEM + 4 * (int)f->k, subject(f)));
		break;
	case NG_OP_ALU:
		write_alu(e, f);
		break;
	case NG_OP_NEG:
		ng_emit(e, NG_ALU32_I(BPF_NEG, A, 0));
		break;
	case NG_OP_TAX:
		ng_emit(e, NG_MOV(X, A));
		break;
	case NG_OP_TXA:
		ng_emit(e, NG_MOV(A, X));
		break;
	case NG_OP_JA:
		ng_emit_jump(e, NG_JA(0), i + 1 + f->k);
		break;
	case NG_OP_JUMP:
		write_jump(e, f, i);
		break;
	case NG_OP_RET:
		write_return(e, f);
		break;
	default:
		write_load(e, f);
	}
}

int kernel_translate(const struct ng_cbpf *in, struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_emit e;

	if (in->n == 0 || in->n > BPF_MAXINSNS)
		return ng_err(err, NG_EXIT_FAILED, E2BIG, NULL,
			      "%zu classic instructions; the kernel takes %d", in->n, BPF_MAXINSNS);
	if (ng_emit_init(&e, in->n))
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "kernel's code");
	write_start(&e);
	for (size_t i = 0; i < in->n; i++) {
		if (ng_op_of(&in->insns[i]) == NG_OP_JA && in->insns[i].k >= in->n)
			e.failed = true;
		ng_emit_label(&e, i);
		write_insn(&e, &in->insns[i], i);
	}
	if (ng_emit_finish(&e, out))
		return ng_err(err, NG_EXIT_FAILED, E2BIG, NULL, "the kernel has no loops");
	return 0;
}
