// SPDX-License-Identifier: GPL-2.0-only
/*
 * Basic blocks of classic BPF to the intermediate representation: each block is executed with
 * expressions in the place of numbers. Blocks are taken in order, so all that lead to one have been
 * executed before it. Where they leave different expressions in a variable that is still read, the
 * variable becomes a PHI there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/ir.h"

/* The variables of classic BPF; M[i] is VAR_MEM + i. */
enum { VAR_A, VAR_X, VAR_MEM, VARS = VAR_MEM + BPF_MEMWORDS };

struct builder {
	const struct ng_cfg *cfg;
	struct ng_ir *ir;
	ng_val (*leaves)[VARS]; /* by block: what it leaves behind */
	unsigned int *live; /* by block: mask of variables read before written from its start on */
	size_t *source;	    /* by block: 1 + an edge that leads there; 0: none */
	size_t *other;	    /* by edge, 2 * block + side: the next one to the same block */
	ng_val now[VARS];
	size_t block;
	bool rejects; /* the block can only reject */
};

static unsigned int var_bit(unsigned int var)
{
	return 1u << var;
}

static bool is_x(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_LDX || BPF_CLASS(f->code) == BPF_STX;
}

static unsigned int subject(const struct sock_filter *f)
{
	return is_x(f) ? VAR_X : VAR_A;
}

/* Which variables an instruction reads and which it writes. */
static void variables(const struct sock_filter *f, unsigned int *reads, unsigned int *writes)
{
	unsigned int x = BPF_SRC(f->code) == BPF_X ? var_bit(VAR_X) : 0;

	*reads = *writes = 0;
	switch (ng_op_of(f)) {
	case NG_OP_IND:
		*reads = var_bit(VAR_X);
		*writes = var_bit(VAR_A);
		break;
	case NG_OP_MEM:
		*reads = var_bit(VAR_MEM + f->k);
		*writes = var_bit(subject(f));
		break;
	case NG_OP_STORE:
		*reads = var_bit(subject(f));
		*writes = var_bit(VAR_MEM + f->k);
		break;
	case NG_OP_ALU:
	case NG_OP_NEG:
		*reads = var_bit(VAR_A) | x;
		*writes = var_bit(VAR_A);
		break;
	case NG_OP_TAX:
		*reads = var_bit(VAR_A);
		*writes = var_bit(VAR_X);
		break;
	case NG_OP_TXA:
		*reads = var_bit(VAR_X);
		*writes = var_bit(VAR_A);
		break;
	case NG_OP_JUMP:
		*reads = var_bit(VAR_A) | x;
		break;
	case NG_OP_IN:
		*reads = var_bit(VAR_A);
		break;
	case NG_OP_RET:
		*reads = BPF_RVAL(f->code) == BPF_A ? var_bit(VAR_A) : 0;
		break;
	case NG_OP_MSH:
		*writes = var_bit(VAR_X);
		break;
	case NG_OP_JA:
	case NG_OP_IN6:
	case NG_OP_UNKNOWN:
		break;
	default:
		*writes = var_bit(subject(f));
	}
}

static void find_live(struct builder *b)
{
	for (size_t i = b->cfg->n_blocks; i-- > 0;) {
		const struct ng_block *block = &b->cfg->blocks[i];
		unsigned int live = 0;

		if (!block->is_final)
			live = b->live[block->succ[0]] | b->live[block->succ[1]];
		for (size_t j = block->end; j-- > block->start;) {
			unsigned int reads, writes;

			variables(&b->cfg->insns[j], &reads, &writes);
			live = (live & ~writes) | reads;
		}
		b->live[i] = live;
	}
}

static void add_check(struct builder *b, ng_val v)
{
	struct ng_ir_block *block = &b->ir->block[b->block];
	ng_val *check;

	for (size_t i = 0; i < block->n_checks; i++)
		if (block->check[i] == v)
			return;
	check = reallocarray(block->check, block->n_checks + 1, sizeof(*check));
	if (!check) {
		b->ir->failed = true;
		return;
	}
	block->check = check;
	check[block->n_checks++] = v;
}

static ng_val load(struct builder *b, unsigned int size, ng_val at, __u32 k)
{
	ng_val v = ng_ir_value(b->ir, (struct ng_value){
					      .op = NG_V_LOAD,
					      .size = (__u8)size,
					      .a = at,
					      .k = k,
					      .max = size == 4 ? ~0u : (1u << 8 * size) - 1,
				      });

	add_check(b, v);
	return v;
}

/* X is a number already: the offset is constant, unless it leaves 32 bits, where no packet is. */
static ng_val load_at_x(struct builder *b, unsigned int size, __u32 k)
{
	const struct ng_value address = { .op = NG_V_PTR, .a = b->now[VAR_X] };
	__u32 x;

	if (!ng_ir_is_const(b->ir, b->now[VAR_X], &x))
		return load(b, size, ng_ir_value(b->ir, address), k);
	return load(b, size, 0, (__u64)x + k > ~0u ? ~0u : x + k);
}

static ng_val header_length(struct builder *b, __u32 k)
{
	struct ng_ir *ir = b->ir;
	ng_val nibble = ng_ir_alu(ir, BPF_AND, load(b, 1, 0, k), ng_ir_const(ir, 0xf));

	return ng_ir_alu(ir, BPF_LSH, nibble, ng_ir_const(ir, 2));
}

static ng_val alu(struct builder *b, const struct sock_filter *f)
{
	unsigned int op = BPF_OP(f->code);
	ng_val right, v;
	__u32 k;

	if (BPF_SRC(f->code) == BPF_K)
		return ng_ir_alu(b->ir, op, b->now[VAR_A], ng_ir_const(b->ir, f->k));
	right = b->now[VAR_X];
	if ((op == BPF_DIV || op == BPF_MOD) && ng_ir_is_const(b->ir, right, &k) && k == 0) {
		b->rejects = true;
		return right;
	}
	v = ng_ir_alu(b->ir, op, b->now[VAR_A], right);
	if (ng_ir_may_reject(b->ir, v))
		add_check(b, v);
	return v;
}

static ng_val negative(struct ng_ir *ir, ng_val a)
{
	__u32 k;

	if (ng_ir_is_const(ir, a, &k))
		return ng_ir_const(ir, -k);
	return ng_ir_value(ir, (struct ng_value){ .op = NG_V_NEG, .a = a, .max = ~0u });
}

static void execute(struct builder *b, const struct sock_filter *f)
{
	struct ng_ir *ir = b->ir;
	ng_val *now = b->now;

	switch (ng_op_of(f)) {
	case NG_OP_ABS:
		now[VAR_A] = load(b, ng_op_size(f), 0, f->k);
		break;
	case NG_OP_META:
		now[VAR_A] = ng_ir_value(ir, (struct ng_value){
						     .op = NG_V_META,
						     .k = f->k - (__u32)SKF_AD_OFF,
						     .max = ~0u,
					     });
		break;
	case NG_OP_IND:
		now[VAR_A] = load_at_x(b, ng_op_size(f), f->k);
		break;
	case NG_OP_MSH:
		now[VAR_X] = header_length(b, f->k);
		break;
	case NG_OP_LEN:
		now[subject(f)] = ng_ir_value(ir, (struct ng_value){ .op = NG_V_LEN, .max = ~0u });
		break;
	case NG_OP_IMM:
		now[subject(f)] = ng_ir_const(ir, f->k);
		break;
	case NG_OP_MEM:
		now[subject(f)] = now[VAR_MEM + f->k];
		break;
	case NG_OP_STORE:
		now[VAR_MEM + f->k] = now[subject(f)];
		break;
	case NG_OP_ALU:
		now[VAR_A] = alu(b, f);
		break;
	case NG_OP_NEG:
		now[VAR_A] = negative(ir, now[VAR_A]);
		break;
	case NG_OP_TAX:
		now[VAR_X] = now[VAR_A];
		break;
	case NG_OP_TXA:
		now[VAR_A] = now[VAR_X];
		break;
	default:
		break;
	}
}

/* All words are there when the last one is. */
static ng_val words(struct builder *b, const struct sock_filter *f)
{
	const struct ng_set *set = &b->cfg->sets[NG_IN6_SET(f->k)];
	const struct ng_value first = {
		.op = NG_V_LOAD, .size = 4, .k = NG_IN6_AT(f->k), .max = ~0u
	};

	load(b, 4, 0, first.k + 4 * (set->words - 1));
	return ng_ir_value(b->ir, first);
}

static void end_block(struct builder *b, const struct ng_block *from)
{
	static const __u8 test_of[] = {
		[BPF_JEQ >> 4] = NG_T_EQ,
		[BPF_JGT >> 4] = NG_T_GT,
		[BPF_JGE >> 4] = NG_T_GE,
		[BPF_JSET >> 4] = NG_T_SET,
	};
	const struct sock_filter *f = &b->cfg->insns[from->end - 1];
	struct ng_ir_block *block = &b->ir->block[b->block];
	int settled;

	block->succ[0] = from->succ[0];
	block->succ[1] = from->succ[1];
	block->test = NG_T_ALWAYS;
	if (b->rejects || from->is_final) {
		bool constant = b->rejects || BPF_RVAL(f->code) == BPF_K;

		block->test = NG_T_RETURN;
		block->left = constant ? ng_ir_const(b->ir, b->rejects ? 0 : f->k) : b->now[VAR_A];
		return;
	}
	block->left = ng_op_of(f) == NG_OP_IN6 ? words(b, f) : b->now[VAR_A];
	if (from->succ[0] == from->succ[1])
		return;
	if (ng_op_of(f) == NG_OP_IN6) {
		block->test = NG_T_IN6;
		block->set = NG_IN6_SET(f->k);
		return;
	}
	if (ng_op_of(f) == NG_OP_IN) {
		block->test = NG_T_IN;
		block->set = f->k;
		return;
	}
	block->test = test_of[BPF_OP(f->code) >> 4];
	block->right = BPF_SRC(f->code) == BPF_X ? b->now[VAR_X] : ng_ir_const(b->ir, f->k);
	settled = ng_ir_settled(b->ir, block->test, block->left, block->right);
	if (settled >= 0) {
		block->test = NG_T_ALWAYS;
		block->succ[0] = block->succ[1] = from->succ[settled ? 0 : 1];
	}
}

static void lead(struct builder *b, unsigned int side)
{
	size_t to = b->ir->block[b->block].succ[side];

	b->other[2 * b->block + side] = b->source[to];
	b->source[to] = 2 * b->block + side + 1;
}

static void lead_on(struct builder *b)
{
	const struct ng_ir_block *block = &b->ir->block[b->block];

	if (block->test == NG_T_RETURN)
		return;
	lead(b, 0);
	if (block->succ[0] != block->succ[1])
		lead(b, 1);
}

/* The blocks that lead to this one, in from[]. */
static size_t find_sources(const struct builder *b, size_t *from)
{
	size_t n = 0;

	for (size_t i = b->source[b->block]; i; i = b->other[i - 1])
		from[n++] = (i - 1) / 2;
	return n;
}

static ng_val join(struct builder *b, unsigned int var, const size_t *from, size_t n)
{
	struct ng_ir_block *block = &b->ir->block[b->block];
	struct ng_phi *phi = reallocarray(block->phi, block->n_phis + 1, sizeof(*phi));
	struct ng_phi_arg *arg = calloc(n, sizeof(*arg));
	__u32 max = 0;

	if (phi)
		block->phi = phi;
	if (!phi || !arg) {
		free(arg);
		b->ir->failed = true;
		return b->leaves[from[0]][var];
	}
	for (size_t i = 0; i < n; i++) {
		ng_val v = b->leaves[from[i]][var];

		arg[i] = (struct ng_phi_arg){ from[i], v };
		if (b->ir->value[v].max > max)
			max = b->ir->value[v].max;
	}
	phi[block->n_phis++] = (struct ng_phi){ ng_ir_phi(b->ir, max), arg, n };
	return phi[block->n_phis - 1].value;
}

/* What the block finds in each variable that it, or what comes behind it, reads. */
static void enter(struct builder *b, const size_t *from, size_t n)
{
	for (unsigned int var = 0; var < VARS; var++) {
		bool differ = false;

		if (n == 0) {
			b->now[var] = ng_ir_const(b->ir, 0);
			continue;
		}
		b->now[var] = b->leaves[from[0]][var];
		for (size_t i = 1; i < n; i++)
			differ |= b->leaves[from[i]][var] != b->now[var];
		if (differ && b->live[b->block] & var_bit(var))
			b->now[var] = join(b, var, from, n);
	}
}

static void build_block(struct builder *b, size_t *from)
{
	const struct ng_block *block = &b->cfg->blocks[b->block];
	size_t n = find_sources(b, from);

	if (b->block && !n)
		return;
	b->ir->block[b->block].reached = true;
	b->rejects = false;
	enter(b, from, n);
	for (size_t i = block->start; i < block->end && !b->rejects; i++)
		execute(b, &b->cfg->insns[i]);
	end_block(b, block);
	lead_on(b);
	memcpy(b->leaves[b->block], b->now, sizeof(b->now));
}

static bool take_sets(const struct ng_cfg *cfg, struct ng_ir *ir)
{
	if (!cfg->n_sets)
		return true;
	ir->set = calloc(cfg->n_sets, sizeof(*ir->set));
	if (!ir->set)
		return false;
	memcpy(ir->set, cfg->sets, cfg->n_sets * sizeof(*ir->set));
	ir->n_sets = ir->own_from = cfg->n_sets;
	return true;
}

int ng_ir_build(const struct ng_cfg *cfg, struct ng_ir *out)
{
	struct ng_ir ir = { 0 };
	struct builder b = { .cfg = cfg, .ir = &ir };
	size_t *from;

	if (cfg->has_loops)
		return -EOPNOTSUPP;
	from = calloc(cfg->n_blocks, sizeof(*from));
	b.leaves = calloc(cfg->n_blocks, sizeof(*b.leaves));
	b.live = calloc(cfg->n_blocks, sizeof(*b.live));
	b.source = calloc(cfg->n_blocks, sizeof(*b.source));
	b.other = calloc(2 * cfg->n_blocks, sizeof(*b.other));
	ir.block = calloc(cfg->n_blocks, sizeof(*ir.block));
	ir.n_blocks = ir.block ? cfg->n_blocks : 0;
	ir.failed = !from || !b.leaves || !b.live || !b.source || !b.other || !ir.block ||
		    !take_sets(cfg, &ir) || !ng_ir_const(&ir, 0);
	if (!ir.failed)
		find_live(&b);
	for (b.block = 0; b.block < ir.n_blocks && !ir.failed && !ir.deep; b.block++)
		build_block(&b, from);
	free(from);
	free(b.leaves);
	free(b.live);
	free(b.source);
	free(b.other);
	if (ir.failed || ir.deep) {
		int ret = ir.failed ? -ENOMEM : -EOPNOTSUPP;

		ng_ir_free(&ir);
		return ret;
	}
	*out = ir;
	return 0;
}
