// SPDX-License-Identifier: GPL-2.0-only
/* Classic BPF to an eBPF subprogram body: arithmetic, control flow and the copies of access.h. */
#include <errno.h>
#include <stdlib.h>

#include "ctl/filter/access.h"
#include "ctl/filter/fast.h"
#include "ctl/filter/meta.h"

/* What is known about a block while one copy of the filter is written. */
struct block_state {
	bool reached;	      /* by what was written so far */
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
	return t->copy * t->cfg.n_blocks + block;
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
	const struct sock_filter *f = &t->cfg.insns[b->end - 1];

	ng_table_test(&t->emit, &t->tables[f->k], NG_REG_A, BPF_REG_1, BPF_REG_2,
		      block_label(t, b->succ[0]));
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

		if (ng_op_size(f) && !ng_access_possible(t, f))
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
		bool is_load = ng_op_size(f) > 0;

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
	if (!to->reached || guarded < to->guarded)
		to->guarded = guarded;
	to->reached = true;
}

static void write_block(struct ng_translation *t, size_t i, struct block_state *state)
{
	const struct ng_block *b = &t->cfg.blocks[i];
	unsigned int guarded = state[i].guarded;
	size_t next = i + 1;

	ng_emit_label(&t->emit, block_label(t, i));
	if (!write_straight(t, b, &guarded))
		return;
	if (b->is_final) {
		write_return(t, &t->cfg.insns[b->end - 1]);
		return;
	}
	pass_on(&state[b->succ[0]], guarded);
	pass_on(&state[b->succ[1]], guarded);
	while (!state[next].reached)
		next++;
	if (b->succ[0] != b->succ[1] && ng_op_of(&t->cfg.insns[b->end - 1]) == NG_OP_IN)
		write_in(t, b, next);
	else if (b->succ[0] != b->succ[1])
		write_choice(t, b, next);
	else if (b->succ[0] != next)
		ng_emit_jump(&t->emit, NG_JA(0), block_label(t, b->succ[0]));
}

static int write_copy(struct ng_translation *t, enum ng_copy copy)
{
	struct block_state *state = calloc(t->cfg.n_blocks, sizeof(*state));

	if (!state)
		return -ENOMEM;
	t->copy = copy;
	ng_access_prepare(t);
	put(t, NG_MOV32_I(NG_REG_A, 0));
	put(t, NG_MOV32_I(NG_REG_X, 0));
	for (unsigned int i = 0; i < BPF_MEMWORDS; i++)
		if (t->cfg.mem_read & 1u << i)
			put(t, NG_STORE_I(BPF_W, BPF_REG_10, NG_FP_MEM + 4 * (int)i, 0));
	state[0].reached = true;
	for (size_t i = 0; i < t->cfg.n_blocks; i++)
		if (state[i].reached)
			write_block(t, i, state);
	free(state);
	return 0;
}

static void place(struct ng_translation *t, size_t label)
{
	ng_emit_label(&t->emit, t->first_label + label);
}

static bool is_used(const struct ng_translation *t, size_t label)
{
	return ng_emit_label_used(&t->emit, t->first_label + label);
}

static int write_fast(struct ng_translation *t)
{
	const struct ng_lower_to to = {
		.ctx = t->ctx,
		.packet = { .kind = NG_PLACE_REG, .reg = NG_REG_CTX },
		.len = { .kind = NG_PLACE_REG, .reg = NG_REG_LEN },
		.stack_free = NG_FP_LOWEST,
		.pool = { BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_3, BPF_REG_8, BPF_REG_9 },
		.pool_size = 6,
	};

	put(t, NG_MOV(NG_REG_LEN, BPF_REG_3));
	return ng_lower(&t->emit, &t->fast->ir, &to, t->fast->table, t->first_label);
}

/* The copies with direct loads as classic BPF says it, one instruction after the other. */
static int write_plain(struct ng_translation *t)
{
	int ret = write_copy(t, NG_COPY_DIRECT);

	if (!ret && is_used(t, NG_L_TAGGED)) {
		place(t, NG_L_TAGGED);
		ret = write_copy(t, NG_COPY_TAGGED);
	}
	if (!ret && is_used(t, NG_L_SHORT)) {
		place(t, NG_L_SHORT);
		ng_access_short(t);
		ng_goto(t, NG_JA(0), NG_L_HELPER);
	}
	return ret;
}

static int write_body(struct ng_translation *t)
{
	int ret;

	ng_access_begin(t);
	ret = t->fast ? write_fast(t) : write_plain(t);
	if (!ret && is_used(t, NG_L_HELPER)) {
		place(t, NG_L_HELPER);
		ret = write_copy(t, NG_COPY_HELPER);
	}
	if (!ret && is_used(t, NG_L_REJECT)) {
		place(t, NG_L_REJECT);
		put(t, NG_MOV32_I(BPF_REG_0, 0));
		put(t, NG_RETURN);
	}
	return ret;
}

/* -ENOMEM; -E2BIG: a jump does not fit, or the fast copies take too many registers. */
static int assemble(struct ng_translation *t, struct ng_ebpf *out)
{
	int ret, finished;

	ret = ng_emit_init(&t->emit, t->first_label + NG_L_MAX);
	if (ret)
		return ret;
	ret = write_body(t);
	if (ret)
		t->emit.failed = true;
	finished = ng_emit_finish(&t->emit, out);
	return ret ? ret : finished;
}

static int refuse(int ret, const char *what, struct ng_error *err)
{
	if (ret != -E2BIG)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "filter too large: %s", what);
	return -E2BIG;
}

static int translate(struct ng_translation *t, size_t n_tables, size_t table_size,
		     struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_ebpf body = { 0 };
	int ret;

	t->first_label = NG_COPY_MAX * t->cfg.n_blocks;
	ret = assemble(t, &body);
	if (ret == -E2BIG && t->fast) {
		t->fast = NULL;
		ret = assemble(t, &body);
	}
	if (!ret)
		ret = ng_table_fill_all(t->tables, n_tables, table_size, &body.table);
	if (ret) {
		ng_ebpf_free(&body);
		return refuse(ret, "its jumps do not fit into BPF instructions", err);
	}
	body.table_size = table_size;
	*out = body;
	return 0;
}

static int translate_plain(struct ng_translation *t, struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_table *tables;
	size_t size;
	int ret = ng_table_plan_all(t->cfg.sets, t->cfg.n_sets, &tables, &size);

	if (ret)
		return refuse(ret, "a set does not fit", err);
	t->tables = tables;
	ret = translate(t, t->cfg.n_sets, size, out, err);
	free(tables);
	return ret;
}

static int translate_fast(struct ng_translation *t, struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_fast fast;
	int ret = ng_fast_prepare(&t->cfg, &fast);

	if (ret == -EOPNOTSUPP)
		return translate_plain(t, out, err);
	if (ret)
		return refuse(ret, "a set does not fit", err);
	t->fast = &fast;
	t->tables = fast.table;
	ret = translate(t, fast.ir.n_sets, fast.table_size, out, err);
	ng_fast_free(&fast);
	return ret;
}

static int translate_empty(struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_emit e;

	if (ng_emit_init(&e, 1))
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	ng_emit(&e, NG_MOV32_I(BPF_REG_0, NG_FILTER_SNAPLEN_ALL));
	ng_emit(&e, NG_RETURN);
	return ng_emit_finish(&e, out) ? ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter") : 0;
}

/* What the hook does not have of what it is asked for. */
static int check_hook(const struct ng_cbpf *in, enum ng_filter_ctx ctx, struct ng_error *err)
{
	for (size_t i = 0; i < in->n; i++) {
		__u32 number;

		if (ng_op_of(&in->insns[i]) != NG_OP_META)
			continue;
		ng_meta_is(in->insns[i].k, &number);
		if (ng_meta_source(number, ctx).kind != NG_META_NONE)
			continue;
		ng_err(err, NG_EXIT_USAGE, 0, NULL, "the filter asks for %s", ng_meta_name(number));
		ng_err_why(err, "a packet has none yet at the XDP hook");
		ng_err_try(err, "--hook tc");
		return -EOPNOTSUPP;
	}
	return 0;
}

int ng_filter_translate(const struct ng_cbpf *in, enum ng_filter_ctx ctx, unsigned int flags,
			struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_translation t = { .ctx = ctx };
	int ret;

	if (in->n == 0)
		return translate_empty(out, err);
	ret = ng_cfg_build(in, &t.cfg, err);
	if (ret)
		return ret;
	ret = check_hook(in, ctx, err);
	if (!ret)
		ret = flags & NG_FILTER_PLAIN ? translate_plain(&t, out, err)
					      : translate_fast(&t, out, err);
	ng_cfg_free(&t.cfg);
	return ret;
}

void ng_ebpf_free(struct ng_ebpf *p)
{
	if (!p)
		return;
	free(p->insns);
	free(p->table);
	*p = (struct ng_ebpf){ 0 };
}
