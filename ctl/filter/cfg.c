// SPDX-License-Identifier: GPL-2.0-only
/* Checks classic BPF programs and cuts them into basic blocks. */
#include "ctl/filter/cfg.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/filter/meta.h"

#define SUMS(op)                                                                                   \
	[BPF_ALU | (op) | BPF_K] = { NG_OP_ALU, 0 }, [BPF_ALU | (op) | BPF_X] = { NG_OP_ALU, 0 }
#define TESTS(op)                                                                                  \
	[BPF_JMP | (op) | BPF_K] = { NG_OP_JUMP, 0 }, [BPF_JMP | (op) | BPF_X] = { NG_OP_JUMP, 0 }

/* What libpcap's interpreter executes, and our own; it calls abort() on all else. */
static const struct {
	unsigned char op;
	unsigned char size;
} ops[256] = {
	[BPF_LD | BPF_W | BPF_ABS] = { NG_OP_ABS, 4 },
	[BPF_LD | BPF_H | BPF_ABS] = { NG_OP_ABS, 2 },
	[BPF_LD | BPF_B | BPF_ABS] = { NG_OP_ABS, 1 },
	[BPF_LD | BPF_W | BPF_IND] = { NG_OP_IND, 4 },
	[BPF_LD | BPF_H | BPF_IND] = { NG_OP_IND, 2 },
	[BPF_LD | BPF_B | BPF_IND] = { NG_OP_IND, 1 },
	[BPF_LDX | BPF_B | BPF_MSH] = { NG_OP_MSH, 1 },
	[BPF_LD | BPF_W | BPF_LEN] = { NG_OP_LEN, 0 },
	[BPF_LDX | BPF_W | BPF_LEN] = { NG_OP_LEN, 0 },
	[BPF_LD | BPF_W | BPF_IMM] = { NG_OP_IMM, 0 },
	[BPF_LDX | BPF_W | BPF_IMM] = { NG_OP_IMM, 0 },
	[BPF_LD | BPF_W | BPF_MEM] = { NG_OP_MEM, 0 },
	[BPF_LDX | BPF_W | BPF_MEM] = { NG_OP_MEM, 0 },
	[BPF_ST] = { NG_OP_STORE, 0 },
	[BPF_STX] = { NG_OP_STORE, 0 },
	SUMS(BPF_ADD),
	SUMS(BPF_SUB),
	SUMS(BPF_MUL),
	SUMS(BPF_DIV),
	SUMS(BPF_MOD),
	SUMS(BPF_AND),
	SUMS(BPF_OR),
	SUMS(BPF_XOR),
	SUMS(BPF_LSH),
	SUMS(BPF_RSH),
	[BPF_ALU | BPF_NEG] = { NG_OP_NEG, 0 },
	[BPF_MISC | BPF_TAX] = { NG_OP_TAX, 0 },
	[BPF_MISC | BPF_TXA] = { NG_OP_TXA, 0 },
	[BPF_JMP | BPF_JA] = { NG_OP_JA, 0 },
	TESTS(BPF_JEQ),
	TESTS(BPF_JGT),
	TESTS(BPF_JGE),
	TESTS(BPF_JSET),
	[BPF_JMP | NG_BPF_IN | BPF_K] = { NG_OP_IN, 0 },
	[BPF_JMP | NG_BPF_IN6 | BPF_K] = { NG_OP_IN6, 0 },
	[BPF_RET | BPF_K] = { NG_OP_RET, 0 },
	[BPF_RET | BPF_A] = { NG_OP_RET, 0 },
};

enum ng_op ng_op_of(const struct sock_filter *f)
{
	enum ng_op op = f->code < 256 ? (enum ng_op)ops[f->code].op : NG_OP_UNKNOWN;
	__u32 number;

	return op == NG_OP_ABS && ng_meta_is(f->k, &number) ? NG_OP_META : op;
}

unsigned int ng_op_size(const struct sock_filter *f)
{
	return f->code < 256 && ng_op_of(f) != NG_OP_META ? ops[f->code].size : 0;
}

const struct ng_set *ng_op_set(const struct sock_filter *f, const struct ng_set *sets, size_t n)
{
	bool strings = ng_op_of(f) == NG_OP_IN6;
	size_t i = strings ? NG_IN6_SET(f->k) : f->k;
	const struct ng_set *set = i < n ? &sets[i] : NULL;

	if (!set || !set->n)
		return NULL;
	if (strings && (set->words < 2 || set->words > NG_SET_WORDS_MAX || !set->mask))
		return NULL;
	return strings || !set->words ? set : NULL;
}

static int refuse(int ret, struct ng_error *err, size_t i, const char *what)
{
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "filter instruction %zu: %s", i, what);
	return ret;
}

static int check_metadata(const struct sock_filter *f, struct ng_error *err)
{
	__u32 number;

	ng_meta_is(f->k, &number);
	if (ng_meta_known(number))
		return 0;
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "the filter asks for %s, which is not supported",
	       ng_meta_name(number));
	return -EOPNOTSUPP;
}

static int check_jump(const struct sock_filter *f, size_t i, size_t n, struct ng_error *err)
{
	long room = (long)(n - i) - 1; /* instructions behind this one */
	bool good = f->jt < room && f->jf < room;

	if (ng_op_of(f) == NG_OP_JA)
		good = (int)f->k < room && (int)f->k >= -(long)i - 1;
	return good ? 0 : refuse(-EINVAL, err, i, "jump out of the program");
}

static int check_alu(const struct sock_filter *f, size_t i, struct ng_error *err)
{
	unsigned int op = BPF_OP(f->code);

	if (BPF_SRC(f->code) == BPF_X)
		return 0;
	if ((op == BPF_DIV || op == BPF_MOD) && f->k == 0)
		return refuse(-EINVAL, err, i, "division by a constant zero");
	if ((op == BPF_LSH || op == BPF_RSH) && f->k >= 32)
		return refuse(-EOPNOTSUPP, err, i, "shift by 32 bits or more");
	return 0;
}

static int check_in(const struct ng_cbpf *in, size_t i, struct ng_error *err)
{
	if (!ng_op_set(&in->insns[i], in->sets, in->n_sets))
		return refuse(-EINVAL, err, i, "no such set");
	return check_jump(&in->insns[i], i, in->n, err);
}

static int check_insn(const struct ng_cbpf *in, size_t i, struct ng_error *err)
{
	const struct sock_filter *f = &in->insns[i];

	switch (ng_op_of(f)) {
	case NG_OP_UNKNOWN:
		return refuse(-EINVAL, err, i, "unknown opcode");
	case NG_OP_META:
		return check_metadata(f, err);
	case NG_OP_MEM:
	case NG_OP_STORE:
		return f->k < BPF_MEMWORDS ? 0
					   : refuse(-EINVAL, err, i, "memory cell out of range");
	case NG_OP_ALU:
		return check_alu(f, i, err);
	case NG_OP_JA:
	case NG_OP_JUMP:
		return check_jump(f, i, in->n, err);
	case NG_OP_IN:
	case NG_OP_IN6:
		return check_in(in, i, err);
	default:
		return 0;
	}
}

static int check_program(const struct ng_cbpf *in, struct ng_error *err)
{
	if (in->n > BPF_MAXINSNS) {
		ng_err(err, NG_EXIT_USAGE, 0, NULL,
		       "filter too large: %zu instructions, at most %d", in->n, BPF_MAXINSNS);
		return -E2BIG;
	}
	for (size_t i = 0; i < in->n; i++) {
		int ret = check_insn(in, i, err);

		if (ret)
			return ret;
	}
	if (ng_op_of(&in->insns[in->n - 1]) != NG_OP_RET)
		return refuse(-EINVAL, err, in->n - 1, "the program does not end in a return");
	return 0;
}

static bool ends_block(enum ng_op op)
{
	return op == NG_OP_JA || op == NG_OP_JUMP || op == NG_OP_IN || op == NG_OP_IN6 ||
	       op == NG_OP_RET;
}

/* Where instruction i leads to: one or the same two instructions unless it compares. */
static void targets(const struct sock_filter *f, size_t i, size_t to[2])
{
	switch (ng_op_of(f)) {
	case NG_OP_JA:
		to[0] = to[1] = (size_t)((long)i + 1 + (int)f->k);
		break;
	case NG_OP_JUMP:
	case NG_OP_IN:
	case NG_OP_IN6:
		to[0] = i + 1 + f->jt;
		to[1] = i + 1 + f->jf;
		break;
	default:
		to[0] = to[1] = i + 1;
	}
}

/* block_of[i] becomes the block that holds instruction i. */
static size_t number_blocks(const struct ng_cbpf *in, size_t *block_of)
{
	size_t n_blocks = 0;

	block_of[0] = 1;
	for (size_t i = 0; i < in->n; i++) {
		enum ng_op op = ng_op_of(&in->insns[i]);
		size_t to[2];

		if (!ends_block(op))
			continue;
		if (i + 1 < in->n)
			block_of[i + 1] = 1;
		if (op == NG_OP_RET)
			continue;
		targets(&in->insns[i], i, to);
		block_of[to[0]] = block_of[to[1]] = 1;
	}
	for (size_t i = 0; i < in->n; i++) {
		n_blocks += block_of[i];
		block_of[i] = n_blocks - 1;
	}
	return n_blocks;
}

static void fill_blocks(struct ng_cfg *cfg, size_t n, const size_t *block_of)
{
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *f = &cfg->insns[i];
		struct ng_block *b = &cfg->blocks[block_of[i]];
		size_t to[2];

		if (i == 0 || block_of[i] != block_of[i - 1])
			b->start = i;
		b->end = i + 1;
		b->is_final = ng_op_of(f) == NG_OP_RET;
		if (!b->is_final) {
			targets(f, i, to);
			b->succ[0] = block_of[to[0]];
			b->succ[1] = block_of[to[1]];
		}
		cfg->uses_len |= ng_op_of(f) == NG_OP_LEN;
		cfg->has_loops |= ng_op_of(f) == NG_OP_JA && (int)f->k < 0;
		cfg->uses_meta |= ng_op_of(f) == NG_OP_META;
		cfg->uses_bytes |= ng_op_size(f) > 0 || ng_op_of(f) == NG_OP_IN6;
		if (ng_op_of(f) == NG_OP_MEM)
			cfg->mem_read |= 1u << f->k;
	}
}

int ng_cfg_build(const struct ng_cbpf *in, struct ng_cfg *out, struct ng_error *err)
{
	struct ng_cfg cfg = { .insns = in->insns, .sets = in->sets, .n_sets = in->n_sets };
	size_t *block_of;
	int ret = check_program(in, err);

	if (ret)
		return ret;
	block_of = calloc(in->n, sizeof(*block_of));
	if (block_of) {
		cfg.n_blocks = number_blocks(in, block_of);
		cfg.blocks = calloc(cfg.n_blocks, sizeof(*cfg.blocks));
	}
	if (!cfg.blocks) {
		free(block_of);
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	}
	fill_blocks(&cfg, in->n, block_of);
	free(block_of);
	*out = cfg;
	return 0;
}

void ng_cfg_free(struct ng_cfg *cfg)
{
	free(cfg->blocks);
	cfg->blocks = NULL;
	cfg->n_blocks = 0;
}
