// SPDX-License-Identifier: GPL-2.0-only
/* One copy of a filter as its classic program says it, instruction by instruction. */
#include <errno.h>
#include <stdlib.h>

#include "ctl/filter/access.h"

/* What is known about a block while one copy of the filter is written. */
struct block_state {
	bool reached;	      /* from the first one */
	bool ends;	      /* the copy cannot go on behind it: a load that it cannot make */
	bool entered;	      /* from a block that is written, or by a jump back */
	unsigned int guarded; /* bytes that a guard has been passed for on every way here */
};

static void put(struct ng_translation *t, struct bpf_insn insn)
{
	ng_emit(&t->emit, insn);
}

static int memory_cell(const struct sock_filter *f)
{
	return NG_FP_MEM + 4 * (int)f->k;
}

/* The register that loads and stores of this instruction are about. */
static unsigned int subject(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_LDX || BPF_CLASS(f->code) == BPF_STX ? NG_REG_X : NG_REG_A;
}

static void write_alu(struct ng_translation *t, const struct sock_filter *f)
{
	unsigned int op = BPF_OP(f->code);

	if (BPF_SRC(f->code) == BPF_K) {
		put(t, NG_ALU32_I(op, NG_REG_A, f->k));
		return;
	}
	if (op == BPF_DIV || op == BPF_MOD)
		ng_goto(t, NG_JUMP32_I(BPF_JEQ, NG_REG_X, 0, 0), NG_L_REJECT);
	if (op == BPF_LSH || op == BPF_RSH) {
		put(t, NG_JUMP32_I(BPF_JLT, NG_REG_X, 32, 2));
		put(t, NG_MOV32_I(NG_REG_A, 0));
		put(t, NG_JA(1));
	}
	put(t, NG_ALU32(op, NG_REG_A, NG_REG_X));
}

/* All but jumps and returns. */
static void write_insn(struct ng_translation *t, const struct sock_filter *f)
{
	switch (ng_op_of(f)) {
	case NG_OP_ABS:
	case NG_OP_IND:
	case NG_OP_MSH:
	case NG_OP_IN6:
		ng_access_load(t, f);
		break;
	case NG_OP_LEN:
		ng_access_len(t, subject(f));
		break;
	case NG_OP_META:
		ng_access_meta(t, f);
		break;
	case NG_OP_IMM:
		put(t, NG_MOV32_I(subject(f), f->k));
		break;
	case NG_OP_MEM:
		put(t, NG_LOAD(BPF_W, subject(f), BPF_REG_10, memory_cell(f)));
		break;
	case NG_OP_STORE:
		put(t, NG_STORE(BPF_W, BPF_REG_10, memory_cell(f), subject(f)));
		break;
	case NG_OP_ALU:
		write_alu(t, f);
		break;
	case NG_OP_NEG:
		put(t, NG_ALU32_I(BPF_NEG, NG_REG_A, 0));
		break;
	case NG_OP_TAX:
		put(t, NG_MOV32(NG_REG_X, NG_REG_A));
		break;
	case NG_OP_TXA:
		put(t, NG_MOV32(NG_REG_A, NG_REG_X));
		break;
	default:
		break;
	}
}

static size_t block_label(const struct ng_translation *t, size_t block)
{
	return ng_block_label(t->first_label, t->copy, block);
}

static void compare(struct ng_translation *t, const struct sock_filter *f, unsigned int op,
		    size_t block)
{
	struct bpf_insn insn = BPF_SRC(f->code) == BPF_X ? NG_JUMP32(op, NG_REG_A, NG_REG_X, 0)
							 : NG_JUMP32_I(op, NG_REG_A, f->k, 0);

	ng_emit_jump(&t->emit, insn, block_label(t, block));
}

/* next: the block that will be written behind this one. */
static void write_in(struct ng_translation *t, const struct ng_block *b, size_t next)
{
	static const unsigned int tmp[] = { BPF_REG_1, BPF_REG_2, BPF_REG_3 };
	const struct sock_filter *f = &t->cfg.insns[b->end - 1];
	size_t in = block_label(t, b->succ[0]);

	if (ng_op_of(f) == NG_OP_IN)
		ng_table_test(&t->emit, &t->tables[f->k], NG_REG_A, tmp[0], tmp[1], in);
	else
		ng_table_test_string(&t->emit, &t->tables[NG_IN6_SET(f->k)], ng_access_string(t, f),
				     tmp, in);
	if (b->succ[1] != next)
		ng_emit_jump(&t->emit, NG_JA(0), block_label(t, b->succ[1]));
}

static void write_choice(struct ng_translation *t, const struct ng_block *b, size_t next)
{
	static const unsigned char inverse[] = {
		[BPF_JEQ >> 4] = BPF_JNE,
		[BPF_JGT >> 4] = BPF_JLE,
		[BPF_JGE >> 4] = BPF_JLT,
		[BPF_JSET >> 4] = 0,
	};
	const struct sock_filter *f = &t->cfg.insns[b->end - 1];
	unsigned int op = BPF_OP(f->code);

	if (b->succ[0] == next && inverse[op >> 4]) {
		compare(t, f, inverse[op >> 4], b->succ[1]);
		return;
	}
	compare(t, f, op, b->succ[0]);
	if (b->succ[1] != next)
		ng_emit_jump(&t->emit, NG_JA(0), block_label(t, b->succ[1]));
}

static void write_return(struct ng_translation *t, const struct sock_filter *f)
{
	if (BPF_RVAL(f->code) == BPF_K)
		put(t, NG_MOV32_I(NG_REG_A, f->k));
	put(t, NG_RETURN);
}

/*
 * The furthest byte that the block needs from instruction i on. One guard for all of them is exact:
 * a block runs to its end or the answer is 0, as it is for a failed load.
 */
static unsigned int needs_from(const struct ng_translation *t, const struct ng_block *b, size_t i)
{
	unsigned int most = 0;

	for (; i < b->end; i++) {
		const struct sock_filter *f = &t->cfg.insns[i];
		unsigned int needs;

		if (ng_access_size(t, f) && !ng_access_possible(t, f))
			break;
		needs = ng_access_needs(t, f);
		most = needs > most ? needs : most;
	}
	return most;
}

/* false: the copy cannot go on behind this block. */
static bool write_straight(struct ng_translation *t, const struct ng_block *b,
			   unsigned int *guarded)
{
	for (size_t i = b->start; i < b->end; i++) {
		const struct sock_filter *f = &t->cfg.insns[i];
		bool is_load = ng_access_size(t, f) > 0;

		if (is_load && ng_access_possible(t, f) && ng_access_needs(t, f) > *guarded) {
			*guarded = needs_from(t, b, i);
			ng_access_guard(t, *guarded);
		}
		write_insn(t, f);
		if (is_load && !ng_access_possible(t, f))
			return false;
	}
	return true;
}

static void pass_on(struct block_state *to, unsigned int guarded)
{
	if (!to->entered || guarded < to->guarded)
		to->guarded = guarded;
	to->entered = true;
}

/* A value that the verifier knows nothing about, the length, makes it forget what reg can be. */
static void forget(struct ng_translation *t, unsigned int reg)
{
	put(t, NG_ALU32(BPF_XOR, reg, BPF_REG_1));
	put(t, NG_ALU32(BPF_XOR, reg, BPF_REG_1));
}

static void forget_memory(struct ng_translation *t)
{
	for (unsigned int i = 0; i < BPF_MEMWORDS; i++) {
		if (!(t->cfg.mem_read & 1u << i))
			continue;
		put(t, NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_10, NG_FP_MEM + 4 * (int)i));
		forget(t, BPF_REG_2);
		put(t, NG_STORE(BPF_W, BPF_REG_10, NG_FP_MEM + 4 * (int)i, BPF_REG_2));
	}
}

/*
 * A jump back. The rounds left are counted in the frame. What A, X and M[] are is hidden from the
 * verifier, which would else follow each number they take on; with nothing but unknowns it meets a
 * state that it has seen after a few rounds. may_goto is what lets it stop there.
 */
static void write_back(struct ng_translation *t, size_t block)
{
	put(t, NG_LOAD(BPF_DW, BPF_REG_1, BPF_REG_10, NG_FP_ROUNDS));
	ng_goto(t, NG_JUMP_I(BPF_JEQ, BPF_REG_1, 0, 0), NG_L_REJECT);
	put(t, NG_ALU_I(BPF_SUB, BPF_REG_1, 1));
	put(t, NG_STORE(BPF_DW, BPF_REG_10, NG_FP_ROUNDS, BPF_REG_1));
	put(t, NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_10, NG_FP_LEN));
	forget(t, NG_REG_A);
	forget(t, NG_REG_X);
	forget_memory(t);
	if (t->may_goto)
		ng_goto(t, NG_MAY_GOTO, NG_L_REJECT);
	ng_emit_jump(&t->emit, NG_JA(0), block_label(t, block));
}

/*
 * How a block leads to what follows; next: the block that will be written behind it. Linux 6.1 takes
 * a loop only if a jump closes it, be it one to the next instruction.
 */
static void write_end(struct ng_translation *t, size_t i, size_t next)
{
	const struct ng_block *b = &t->cfg.blocks[i];
	const struct sock_filter *last = &t->cfg.insns[b->end - 1];

	if (b->is_final)
		write_return(t, last);
	else if (b->succ[0] <= i)
		write_back(t, b->succ[0]);
	else if (b->succ[0] == b->succ[1] &&
		 (b->succ[0] != next || (t->cfg.has_loops && !t->may_goto)))
		ng_emit_jump(&t->emit, NG_JA(0), block_label(t, b->succ[0]));
	else if (b->succ[0] != b->succ[1] &&
		 (ng_op_of(last) == NG_OP_IN || ng_op_of(last) == NG_OP_IN6))
		write_in(t, b, next);
	else if (b->succ[0] != b->succ[1])
		write_choice(t, b, next);
}

static void write_block(struct ng_translation *t, size_t i, struct block_state *state)
{
	const struct ng_block *b = &t->cfg.blocks[i];
	unsigned int guarded = state[i].guarded;
	size_t next = i + 1;

	ng_emit_label(&t->emit, block_label(t, i));
	if (!write_straight(t, b, &guarded))
		return;
	if (!b->is_final) {
		pass_on(&state[b->succ[0]], guarded);
		pass_on(&state[b->succ[1]], guarded);
	}
	while (next < t->cfg.n_blocks && !state[next].reached)
		next++;
	write_end(t, i, next);
}

static bool cannot_go_on(const struct ng_translation *t, const struct ng_block *b)
{
	for (size_t i = b->start; i < b->end; i++)
		if (ng_access_size(t, &t->cfg.insns[i]) && !ng_access_possible(t, &t->cfg.insns[i]))
			return true;
	return false;
}

static bool reach(struct block_state *state, size_t block)
{
	bool news = !state[block].reached;

	state[block].reached = true;
	return news;
}

/* What of the filter the copy consists of. Behind a jump back nothing is known to be guarded. */
static void find_reached(const struct ng_translation *t, struct block_state *state)
{
	bool news = true;

	for (size_t i = 0; i < t->cfg.n_blocks; i++)
		state[i].ends = t->cfg.blocks[i].is_final || cannot_go_on(t, &t->cfg.blocks[i]);
	state[0].reached = true;
	while (news) {
		news = false;
		for (size_t i = 0; i < t->cfg.n_blocks; i++) {
			const struct ng_block *b = &t->cfg.blocks[i];

			if (!state[i].reached || state[i].ends)
				continue;
			if (b->succ[0] <= i) {
				news |= reach(state, b->succ[0]);
				state[b->succ[0]].entered = true;
				continue;
			}
			reach(state, b->succ[0]);
			reach(state, b->succ[1]);
		}
	}
}

static void count_rounds(struct ng_translation *t)
{
	if (!t->may_goto) {
		put(t, NG_STORE_I(BPF_DW, BPF_REG_10, NG_FP_ROUNDS, NG_LOOP_ROUNDS_FIXED));
		return;
	}
	put(t, NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_10, NG_FP_LEN));
	put(t, NG_ALU_I(BPF_MUL, BPF_REG_1, NG_LOOP_ROUNDS(1) - NG_LOOP_ROUNDS(0)));
	put(t, NG_ALU_I(BPF_ADD, BPF_REG_1, NG_LOOP_ROUNDS(0)));
	put(t, NG_STORE(BPF_DW, BPF_REG_10, NG_FP_ROUNDS, BPF_REG_1));
}

int ng_plain_copy(struct ng_translation *t, enum ng_copy copy)
{
	struct block_state *state = calloc(t->cfg.n_blocks, sizeof(*state));

	if (!state)
		return -ENOMEM;
	t->copy = copy;
	ng_access_prepare(t);
	if (t->cfg.has_loops)
		count_rounds(t);
	put(t, NG_MOV32_I(NG_REG_A, 0));
	put(t, NG_MOV32_I(NG_REG_X, 0));
	for (unsigned int i = 0; i < BPF_MEMWORDS; i++)
		if (t->cfg.mem_read & 1u << i)
			put(t, NG_STORE_I(BPF_W, BPF_REG_10, NG_FP_MEM + 4 * (int)i, 0));
	find_reached(t, state);
	for (size_t i = 0; i < t->cfg.n_blocks; i++)
		if (state[i].reached)
			write_block(t, i, state);
	free(state);
	return 0;
}
