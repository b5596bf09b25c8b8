// SPDX-License-Identifier: GPL-2.0-only
/*
 * Byte order: a load that is only compared for equality, or tested for bits, needs not be brought
 * into host order; the constant is turned around instead, once and for all. What is loaded may pass
 * through an AND with a constant on its way. A load that is a number anywhere (greater than,
 * arithmetic, an offset, a set's key, the answer) stays a number everywhere, for the turned one
 * would be a second load.
 *
 * It is the last pass; ng_ir_optimize(), which runs all of them, is here, too.
 */
#include <stdlib.h>

#include "ctl/filter/ir.h"

#define ROUNDS 2 /* of pruning and threading: each makes work for the other */

static bool is_wide_load(const struct ng_value *v)
{
	return v->op == NG_V_LOAD && v->size > 1;
}

/* v is a wide load, or one behind an AND with *mask: the load; else 0. */
static ng_val masked_load(const struct ng_ir *ir, ng_val v, __u32 *mask)
{
	const struct ng_value *value = &ir->value[v];

	*mask = ~0u;
	if (value->op == NG_V_ALU && value->alu == BPF_AND && ng_ir_is_const(ir, value->b, mask))
		return is_wide_load(&ir->value[value->a]) ? value->a : 0;
	return is_wide_load(value) ? v : 0;
}

static bool is_orderless(const struct ng_ir *ir, const struct ng_ir_block *b)
{
	__u32 k;

	return (b->test == NG_T_EQ || b->test == NG_T_SET) && ng_ir_is_const(ir, b->right, &k);
}

static void mark_number(const struct ng_ir *ir, bool *number, ng_val v)
{
	const struct ng_value *value = &ir->value[v];

	if (number[v])
		return;
	number[v] = true;
	if (value->a)
		mark_number(ir, number, value->a);
	if (value->b)
		mark_number(ir, number, value->b);
}

static void mark_block(const struct ng_ir *ir, bool *number, const struct ng_ir_block *b)
{
	__u32 mask;

	for (size_t i = 0; i < b->n_checks; i++) {
		const struct ng_value *checked = &ir->value[b->check[i]];

		if (checked->op != NG_V_LOAD)
			mark_number(ir, number, b->check[i]);
		else if (checked->a)
			mark_number(ir, number, checked->a);
	}
	for (size_t i = 0; i < b->n_phis; i++)
		for (size_t j = 0; j < b->phi[i].n_args; j++)
			mark_number(ir, number, b->phi[i].arg[j].value);
	if (b->test == NG_T_ALWAYS || b->test == NG_T_IN6)
		return;
	if (is_orderless(ir, b) && masked_load(ir, b->left, &mask))
		return;
	mark_number(ir, number, b->left);
	mark_number(ir, number, b->right);
}

static __u32 turned(__u32 k, unsigned int size)
{
	return size == 2 ? __builtin_bswap16((__u16)k) : __builtin_bswap32(k);
}

static void turn_test(struct ng_ir *ir, const bool *number, struct ng_ir_block *b)
{
	__u32 mask, k;
	ng_val load = masked_load(ir, b->left, &mask), raw;
	struct ng_value value;

	if (!is_orderless(ir, b) || !load || number[load])
		return;
	value = ir->value[load];
	ng_ir_is_const(ir, b->right, &k);
	value.op = NG_V_RAW;
	raw = ng_ir_value(ir, value);
	if (mask != ~0u)
		raw = ng_ir_alu(ir, BPF_AND, raw, ng_ir_const(ir, turned(mask, value.size)));
	b->left = raw;
	b->right = ng_ir_const(ir, turned(k, value.size));
}

void ng_ir_order(struct ng_ir *ir)
{
	size_t n = ir->n_values;
	bool *number = calloc(n, sizeof(*number));

	if (!number) {
		ir->failed = true;
		return;
	}
	for (size_t i = 0; i < ir->n_blocks; i++)
		if (ir->block[i].reached)
			mark_block(ir, number, &ir->block[i]);
	for (size_t i = 0; i < ir->n_blocks; i++)
		if (ir->block[i].reached)
			turn_test(ir, number, &ir->block[i]);
	free(number);
}

void ng_ir_optimize(struct ng_ir *ir)
{
	for (int round = 0; round < ROUNDS && !ir->failed; round++) {
		ng_ir_prune(ir);
		if (!ir->failed)
			ng_ir_thread(ir);
	}
	if (!ir->failed)
		ng_ir_prune(ir);
	if (!ir->failed)
		ng_ir_sets(ir);
	if (!ir->failed)
		ng_ir_usual(ir);
	if (!ir->failed)
		ng_ir_likely(ir);
	if (!ir->failed)
		ng_ir_merge(ir);
	if (!ir->failed)
		ng_ir_order(ir);
}
