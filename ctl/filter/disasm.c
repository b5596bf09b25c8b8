// SPDX-License-Identifier: GPL-2.0-only
/*
 * eBPF instructions as text: a table by opcode says how an instruction is written, tables of words
 * what stands for its operation and size.
 */
#include "ctl/filter/disasm.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Newer than the headers of Linux 6.1. */
#define MODE_SIGNED 0x80 /* BPF_MEMSX */
#define JUMP_MAYBE  0xe0 /* BPF_JCOND */
#define LOAD_ACQ    0x100
#define STORE_REL   0x110

struct line {
	const struct bpf_insn *insn;
	size_t n;
	ng_disasm_call_fn call;
	void *arg;
	char *buf;
};

#define PRINT(l, ...) snprintf((l)->buf, NG_DISASM_MAX, __VA_ARGS__)

static const char *const alu_word[16] = {
	"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", [9] = "%=", "^=", "=", "s>>=",
};
static const char *const alu_signed_word[16] = { [3] = "s/=", [9] = "s%=" };
static const char *const jump_word[16] = {
	[1] = "==", ">", ">=", "&", "!=", "s>", "s>=", [10] = "<", "<=", "s<", "s<=",
};
static const char *const size_word[4] = { "u32", "u16", "u8", "u64" };
static const char *const signed_word[4] = { "s32", "s16", "s8", "s64" };
static const char *const atomic_word[16] = { [0] = "+=", [4] = "|=", [5] = "&=", [10] = "^=" };
static const char *const atomic_name[16] = { [0] = "add", [4] = "or", [5] = "and", [10] = "xor" };

#define HELPER(name) [BPF_FUNC_##name] = "bpf_" #name
static const char *const helper_name[] = { __BPF_FUNC_MAPPER(HELPER) };
#define HELPERS ((int)(sizeof(helper_name) / sizeof(helper_name[0])))

static unsigned int op_of(const struct bpf_insn *i)
{
	return BPF_OP(i->code) >> 4;
}

static char half(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_ALU || BPF_CLASS(i->code) == BPF_JMP32 ? 'w' : 'r';
}

static const char *size_of(const struct bpf_insn *i)
{
	return size_word[BPF_SIZE(i->code) >> 3];
}

static size_t unknown(struct line *l)
{
	PRINT(l, "unknown opcode 0x%02x", l->insn->code);
	return 1;
}

static size_t put_alu(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	const char *word = i->off == 1 ? alu_signed_word[op_of(i)] : alu_word[op_of(i)];
	bool mov = BPF_OP(i->code) == BPF_MOV;
	char r = half(i);

	word = mov ? "=" : word;
	if (!word || (i->off && !mov && i->off != 1))
		return unknown(l);
	if (BPF_SRC(i->code) == BPF_K)
		PRINT(l, "%c%u %s %d", r, i->dst_reg, word, i->imm);
	else if (mov && i->off)
		PRINT(l, "%c%u = (s%d)%c%u", r, i->dst_reg, i->off, r, i->src_reg);
	else
		PRINT(l, "%c%u %s %c%u", r, i->dst_reg, word, r, i->src_reg);
	return 1;
}

static size_t put_neg(struct line *l)
{
	PRINT(l, "%c%u = -%c%u", half(l->insn), l->insn->dst_reg, half(l->insn), l->insn->dst_reg);
	return 1;
}

static size_t put_end(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	const char *to = BPF_CLASS(i->code) == BPF_ALU64 ? "bswap"
			 : BPF_SRC(i->code) == BPF_TO_BE ? "be"
							 : "le";

	PRINT(l, "r%u = %s%d r%u", i->dst_reg, to, i->imm, i->dst_reg);
	return 1;
}

static size_t put_load(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	const char *size =
		BPF_MODE(i->code) == MODE_SIGNED ? signed_word[BPF_SIZE(i->code) >> 3] : size_of(i);

	PRINT(l, "r%u = *(%s *)(r%u %+d)", i->dst_reg, size, i->src_reg, i->off);
	return 1;
}

static size_t put_store(struct line *l)
{
	const struct bpf_insn *i = l->insn;

	if (BPF_CLASS(i->code) == BPF_ST)
		PRINT(l, "*(%s *)(r%u %+d) = %d", size_of(i), i->dst_reg, i->off, i->imm);
	else
		PRINT(l, "*(%s *)(r%u %+d) = r%u", size_of(i), i->dst_reg, i->off, i->src_reg);
	return 1;
}

static size_t put_atomic(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	const char *wide = BPF_SIZE(i->code) == BPF_DW ? "64" : "", *size = size_of(i);
	unsigned int op = (unsigned int)i->imm >> 4 & 0xf, d = i->dst_reg, s = i->src_reg;
	bool fetch = i->imm & BPF_FETCH;

	if (i->imm == BPF_CMPXCHG)
		PRINT(l, "r0 = atomic%s_cmpxchg((%s *)(r%u %+d), r0, r%u)", wide, size, d, i->off,
		      s);
	else if (i->imm == BPF_XCHG)
		PRINT(l, "r%u = atomic%s_xchg((%s *)(r%u %+d), r%u)", s, wide, size, d, i->off, s);
	else if (i->imm == LOAD_ACQ)
		PRINT(l, "r%u = load_acquire((%s *)(r%u %+d))", d, size, s, i->off);
	else if (i->imm == STORE_REL)
		PRINT(l, "store_release((%s *)(r%u %+d), r%u)", size, d, i->off, s);
	else if (i->imm > 0xff || !atomic_word[op])
		return unknown(l);
	else if (fetch)
		PRINT(l, "r%u = atomic%s_fetch_%s((%s *)(r%u %+d), r%u)", s, wide, atomic_name[op],
		      size, d, i->off, s);
	else
		PRINT(l, "lock *(%s *)(r%u %+d) %s r%u", size, d, i->off, atomic_word[op], s);
	return 1;
}

static size_t put_packet(struct line *l)
{
	const struct bpf_insn *i = l->insn;

	if (BPF_MODE(i->code) == BPF_IND)
		PRINT(l, "r0 = *(%s *)skb[r%u + %d]", size_of(i), i->src_reg, i->imm);
	else
		PRINT(l, "r0 = *(%s *)skb[%d]", size_of(i), i->imm);
	return 1;
}

/* A constant of 64 bits or, by src_reg, what the kernel makes one of. A map without a descriptor yet
 * is the filter's own table. */
static size_t put_wide(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	uint32_t high = l->n > 1 ? (uint32_t)i[1].imm : 0;

	if (l->n < 2)
		return unknown(l);
	switch (i->src_reg) {
	case BPF_PSEUDO_MAP_FD:
		PRINT(l, "r%u = map[id:%d]", i->dst_reg, i->imm);
		break;
	case BPF_PSEUDO_MAP_VALUE:
		if (i->imm)
			PRINT(l, "r%u = map[id:%d][0]+%u", i->dst_reg, i->imm, high);
		else
			PRINT(l, "r%u = table+%u", i->dst_reg, high);
		break;
	case BPF_PSEUDO_FUNC:
		PRINT(l, "r%u = subprog[%+d]", i->dst_reg, i->imm);
		break;
	default:
		PRINT(l, "r%u = 0x%llx", i->dst_reg,
		      (unsigned long long)high << 32 | (uint32_t)i->imm);
	}
	return 2;
}

static size_t put_call(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	const char *name;

	if (i->src_reg == BPF_PSEUDO_CALL) {
		PRINT(l, "call pc%+d", i->imm);
		return 1;
	}
	if (l->call)
		name = l->call(i, l->arg);
	else
		name = i->imm > 0 && i->imm < HELPERS && !i->src_reg ? helper_name[i->imm] : NULL;
	PRINT(l, "call %.80s#%d", name ? name : "unknown", i->imm);
	return 1;
}

static size_t put_exit(struct line *l)
{
	PRINT(l, "exit");
	return 1;
}

static size_t put_goto(struct line *l)
{
	bool wide = BPF_CLASS(l->insn->code) == BPF_JMP32;

	PRINT(l, "goto%s pc%+d", wide ? "l" : "", wide ? l->insn->imm : l->insn->off);
	return 1;
}

static size_t put_maybe(struct line *l)
{
	PRINT(l, "may_goto pc%+d", l->insn->off);
	return 1;
}

static size_t put_jump(struct line *l)
{
	const struct bpf_insn *i = l->insn;
	const char *word = jump_word[op_of(i)];
	char r = half(i);

	if (BPF_SRC(i->code) == BPF_K)
		PRINT(l, "if %c%u %s 0x%x goto pc%+d", r, i->dst_reg, word, (unsigned int)i->imm,
		      i->off);
	else
		PRINT(l, "if %c%u %s %c%u goto pc%+d", r, i->dst_reg, word, r, i->src_reg, i->off);
	return 1;
}

#define BOTH(class, op, fn) [(class) | (op) | BPF_K] = (fn), [(class) | (op) | BPF_X] = (fn)
#define ARITH(class)                                                                               \
	BOTH(class, BPF_ADD, put_alu), BOTH(class, BPF_SUB, put_alu),                              \
		BOTH(class, BPF_MUL, put_alu), BOTH(class, BPF_DIV, put_alu),                      \
		BOTH(class, BPF_OR, put_alu), BOTH(class, BPF_AND, put_alu),                       \
		BOTH(class, BPF_LSH, put_alu), BOTH(class, BPF_RSH, put_alu),                      \
		BOTH(class, BPF_MOD, put_alu), BOTH(class, BPF_XOR, put_alu),                      \
		BOTH(class, BPF_MOV, put_alu), BOTH(class, BPF_ARSH, put_alu),                     \
		[(class) | BPF_NEG] = put_neg, [(class) | BPF_END] = put_end
#define JUMPS(class)                                                                               \
	BOTH(class, BPF_JEQ, put_jump), BOTH(class, BPF_JGT, put_jump),                            \
		BOTH(class, BPF_JGE, put_jump), BOTH(class, BPF_JSET, put_jump),                   \
		BOTH(class, BPF_JNE, put_jump), BOTH(class, BPF_JSGT, put_jump),                   \
		BOTH(class, BPF_JSGE, put_jump), BOTH(class, BPF_JLT, put_jump),                   \
		BOTH(class, BPF_JLE, put_jump), BOTH(class, BPF_JSLT, put_jump),                   \
		BOTH(class, BPF_JSLE, put_jump), [(class) | BPF_JA] = put_goto
#define SIZES(kind, fn) [(kind) | BPF_B] = (fn), [(kind) | BPF_H] = (fn), [(kind) | BPF_W] = (fn)

static size_t (*const put[256])(struct line *l) = {
	ARITH(BPF_ALU),
	[BPF_ALU | BPF_END | BPF_TO_BE] = put_end,
	ARITH(BPF_ALU64),
	JUMPS(BPF_JMP),
	JUMPS(BPF_JMP32),
	[BPF_JMP | BPF_CALL] = put_call,
	[BPF_JMP | BPF_EXIT] = put_exit,
	[BPF_JMP | JUMP_MAYBE] = put_maybe,
	SIZES(BPF_LDX | BPF_MEM, put_load),
	[BPF_LDX | BPF_MEM | BPF_DW] = put_load,
	SIZES(BPF_LDX | MODE_SIGNED, put_load),
	SIZES(BPF_ST | BPF_MEM, put_store),
	[BPF_ST | BPF_MEM | BPF_DW] = put_store,
	SIZES(BPF_STX | BPF_MEM, put_store),
	[BPF_STX | BPF_MEM | BPF_DW] = put_store,
	SIZES(BPF_STX | BPF_ATOMIC, put_atomic),
	[BPF_STX | BPF_ATOMIC | BPF_DW] = put_atomic,
	SIZES(BPF_LD | BPF_ABS, put_packet),
	SIZES(BPF_LD | BPF_IND, put_packet),
	[BPF_LD | BPF_IMM | BPF_DW] = put_wide,
};

size_t ng_disasm(const struct bpf_insn *insn, size_t n, ng_disasm_call_fn call, void *arg,
		 char buf[NG_DISASM_MAX])
{
	struct line l = { .insn = insn, .n = n, .call = call, .arg = arg, .buf = buf };

	return put[insn->code] ? put[insn->code](&l) : unknown(&l);
}
