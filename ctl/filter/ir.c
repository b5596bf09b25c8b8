// SPDX-License-Identifier: GPL-2.0-only
/* The table of values: equal expressions share one entry, and what constants settle is settled. */
#include "ctl/filter/ir.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_ROOM 256

static size_t hash_of(const struct ng_value *v)
{
	__u64 h = v->op | (__u64)v->alu << 8 | (__u64)v->size << 16 | (__u64)v->k << 24;

	h ^= ((__u64)v->a << 32 | v->b) * 0x9e3779b97f4a7c15;
	h *= 0xff51afd7ed558ccd;
	return (size_t)(h ^ h >> 33);
}

static bool same(const struct ng_value *x, const struct ng_value *y)
{
	return x->op == y->op && x->alu == y->alu && x->size == y->size && x->a == y->a &&
	       x->b == y->b && x->k == y->k;
}

/* Where *v is in the table of buckets, or where it belongs. */
static size_t bucket_of(const struct ng_ir *ir, const struct ng_value *v)
{
	size_t i = hash_of(v) & (ir->n_buckets - 1);

	while (ir->bucket[i] && !same(&ir->value[ir->bucket[i]], v))
		i = (i + 1) & (ir->n_buckets - 1);
	return i;
}

static bool grow(struct ng_ir *ir)
{
	size_t room = ir->values_room ? 2 * ir->values_room : FIRST_ROOM;
	struct ng_value *value = reallocarray(ir->value, room, sizeof(*value));
	ng_val *bucket = calloc(2 * room, sizeof(*bucket));

	if (value)
		ir->value = value;
	if (!value || !bucket) {
		free(bucket);
		return false;
	}
	free(ir->bucket);
	ir->bucket = bucket;
	ir->values_room = room;
	ir->n_buckets = 2 * room;
	if (ir->n_values == 0)
		ir->value[ir->n_values++] = (struct ng_value){ .op = NG_V_NONE };
	for (size_t i = 1; i < ir->n_values; i++)
		ir->bucket[bucket_of(ir, &ir->value[i])] = (ng_val)i;
	return true;
}

ng_val ng_ir_value(struct ng_ir *ir, struct ng_value v)
{
	size_t i;

	if (ir->n_values == ir->values_room && !grow(ir)) {
		ir->failed = true;
		return 0;
	}
	i = bucket_of(ir, &v);
	if (!ir->bucket[i]) {
		__u8 a = ir->value[v.a].height, b = ir->value[v.b].height;

		v.height = (__u8)((a > b ? a : b) + 1);
		ir->deep |= v.height > NG_HEIGHT_MAX;
		ir->bucket[i] = (ng_val)ir->n_values;
		ir->value[ir->n_values++] = v;
	}
	return ir->bucket[i];
}

ng_val ng_ir_const(struct ng_ir *ir, __u32 k)
{
	return ng_ir_value(ir, (struct ng_value){ .op = NG_V_CONST, .k = k, .max = k });
}

ng_val ng_ir_phi(struct ng_ir *ir, __u32 max)
{
	return ng_ir_value(
		ir, (struct ng_value){ .op = NG_V_PHI, .k = (__u32)ir->n_phis++, .max = max });
}

bool ng_ir_is_const(const struct ng_ir *ir, ng_val v, __u32 *k)
{
	*k = ir->value[v].k;
	return ir->value[v].op == NG_V_CONST;
}

static __u32 compute(unsigned int op, __u32 a, __u32 b)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_MOD:
		return b ? a % b : 0;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return b < 32 ? a << b : 0;
	default:
		return b < 32 ? a >> b : 0;
	}
}

/* What `a op b` is when b makes the operation do nothing or forget a; 0: neither. */
static ng_val without_effect(struct ng_ir *ir, unsigned int op, ng_val a, __u32 b)
{
	static const struct {
		unsigned int op;
		__u32 b;
		bool zero;
	} rules[] = {
		{ BPF_ADD, 0, false }, { BPF_SUB, 0, false },	{ BPF_OR, 0, false },
		{ BPF_XOR, 0, false }, { BPF_LSH, 0, false },	{ BPF_RSH, 0, false },
		{ BPF_MUL, 1, false }, { BPF_DIV, 1, false },	{ BPF_MUL, 0, true },
		{ BPF_AND, 0, true },  { BPF_AND, ~0u, false }, { BPF_MOD, 1, true },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].op == op && rules[i].b == b)
			return rules[i].zero ? ng_ir_const(ir, 0) : a;
	return 0;
}

/* All bits up to the highest one of `max`: no number up to it has others. */
static __u32 bits_of(__u32 max)
{
	return max ? ~0u >> __builtin_clz(max) : 0;
}

__u32 ng_ir_alu_max(unsigned int op, __u32 a, __u32 b, bool b_const)
{
	__u64 most = ~0u;

	switch (op) {
	case BPF_ADD:
		most = (__u64)a + b;
		break;
	case BPF_MUL:
		most = (__u64)a * b;
		break;
	case BPF_AND:
		return a < b ? a : b;
	case BPF_OR:
	case BPF_XOR:
		return bits_of(a | b);
	case BPF_DIV:
		return b_const ? a / b : a;
	case BPF_MOD:
		return b_const && b - 1 < a ? b - 1 : a;
	case BPF_RSH:
		return b_const ? a >> b : a;
	case BPF_LSH:
		most = b_const ? (__u64)a << b : ~0u;
		break;
	default:
		break;
	}
	return most > ~0u ? ~0u : (__u32)most;
}

/* (x op k1) op k2 with one constant for both; false: not that shape. */
static bool merge_constants(struct ng_ir *ir, unsigned int op, ng_val *a, __u32 *k)
{
	const struct ng_value *v = &ir->value[*a];
	__u32 inner;

	if (v->op != NG_V_ALU || v->alu != op || !ng_ir_is_const(ir, v->b, &inner))
		return false;
	switch (op) {
	case BPF_ADD:
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		*k = compute(op, inner, *k);
		break;
	case BPF_SUB:
		*k += inner;
		break;
	default:
		return false;
	}
	*a = v->a;
	return true;
}

ng_val ng_ir_alu(struct ng_ir *ir, unsigned int op, ng_val a, ng_val b)
{
	__u32 x, k;
	bool b_const = ng_ir_is_const(ir, b, &k);
	ng_val simple;

	if (ng_ir_is_const(ir, a, &x) && b_const)
		return ng_ir_const(ir, compute(op, x, k));
	if (b_const && k >= 32 && (op == BPF_LSH || op == BPF_RSH))
		return ng_ir_const(ir, 0);
	if (b_const) {
		if (merge_constants(ir, op, &a, &k))
			b = ng_ir_const(ir, k);
		simple = without_effect(ir, op, a, k);
		if (!simple && op == BPF_AND && (bits_of(ir->value[a].max) & ~k) == 0)
			simple = a;
		if (simple)
			return simple;
	}
	return ng_ir_value(
		ir, (struct ng_value){
			    .op = NG_V_ALU,
			    .alu = (__u8)op,
			    .a = a,
			    .b = b,
			    .max = ng_ir_alu_max(op, ir->value[a].max, ir->value[b].max, b_const),
		    });
}

bool ng_ir_may_reject(const struct ng_ir *ir, ng_val v)
{
	const struct ng_value *value = &ir->value[v];

	if (value->op == NG_V_LOAD)
		return true;
	return value->op == NG_V_ALU && (value->alu == BPF_DIV || value->alu == BPF_MOD) &&
	       ir->value[value->b].op != NG_V_CONST;
}

static bool compare(enum ng_test test, __u32 a, __u32 b)
{
	switch (test) {
	case NG_T_EQ:
		return a == b;
	case NG_T_GT:
		return a > b;
	case NG_T_GE:
		return a >= b;
	default:
		return a & b;
	}
}

int ng_ir_settled(const struct ng_ir *ir, enum ng_test test, ng_val left, ng_val right)
{
	__u32 a, b, max = ir->value[left].max;

	if (!ng_ir_is_const(ir, right, &b))
		return left == right && (test == NG_T_EQ || test == NG_T_GE) ? 1 : -1;
	if (ng_ir_is_const(ir, left, &a))
		return compare(test, a, b);
	if (test == NG_T_GE && b == 0)
		return 1;
	if (test == NG_T_SET)
		return bits_of(max) & b ? -1 : 0;
	return (test == NG_T_GT ? max <= b : max < b) ? 0 : -1;
}

void ng_ir_free(struct ng_ir *ir)
{
	for (size_t i = 0; i < ir->n_blocks; i++) {
		struct ng_ir_block *b = &ir->block[i];

		for (size_t j = 0; j < b->n_phis; j++)
			free(b->phi[j].arg);
		free(b->phi);
		free(b->check);
	}
	for (size_t i = ir->own_from; i < ir->n_sets; i++)
		free(ir->set[i].key);
	free(ir->set);
	free(ir->block);
	free(ir->bucket);
	free(ir->value);
	*ir = (struct ng_ir){ 0 };
}
