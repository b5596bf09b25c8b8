// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merging: two tests of bytes that lie together, one behind the other and with one way out where
 * either fails, become one test of a load of both. The load ends where the later one of the two
 * does, so that what was checked for them is enough for it.
 */
#include "ctl/filter/ir.h"

#include <stdint.h>

#define TAG_AT	   12 /* a tag in metadata splits what lies around it: loads keep away */
#define BEHIND_TAG 16

/* A test that goes on when `size` bytes at k behind base are, under the mask, `want`. */
struct match {
	ng_val base;
	__u32 k, size, mask, want;
	size_t next, fail;
};

/* The load behind v and what an AND leaves of it. */
static const struct ng_value *load_of(const struct ng_ir *ir, ng_val v, __u32 *mask)
{
	const struct ng_value *value = &ir->value[v];

	*mask = ~0u;
	if (value->op == NG_V_ALU && value->alu == BPF_AND && ng_ir_is_const(ir, value->b, mask))
		value = &ir->value[value->a];
	return value->op == NG_V_LOAD ? value : NULL;
}

static bool read_match(const struct ng_ir *ir, const struct ng_ir_block *b, struct match *m)
{
	bool equal = b->test == NG_T_EQ;
	const struct ng_value *load;
	__u32 k;

	if (!b->reached || (!equal && b->test != NG_T_SET) || !ng_ir_is_const(ir, b->right, &k))
		return false;
	load = load_of(ir, b->left, &m->mask);
	if (!load)
		return false;
	m->base = load->a;
	m->k = load->k;
	m->size = load->size;
	m->mask &= load->max & (equal ? ~0u : k);
	m->want = equal ? k : 0;
	m->next = b->succ[equal ? 0 : 1];
	m->fail = b->succ[equal ? 1 : 0];
	return !(m->want & ~m->mask);
}

/* Moves m's bits to where they are in a longer load that ends at `end`. */
static void align(struct match *m, __u32 end)
{
	__u32 shift = 8 * (end - m->k - m->size);

	m->mask <<= shift;
	m->want <<= shift;
}

static bool join(const struct match *a, const struct match *b, struct match *both)
{
	struct match x = *a, y = *b;
	__u64 x_end = (__u64)x.k + x.size, y_end = (__u64)y.k + y.size;
	__u64 end = x_end > y_end ? x_end : y_end;
	__u32 size = end - (x.k < y.k ? x.k : y.k) <= 2 ? 2 : 4, k = (__u32)(end - size);

	if (x.base != y.base || end > INT16_MAX || end < size || x.k < k || y.k < k)
		return false;
	if (k < BEHIND_TAG && (x.base || end > TAG_AT))
		return false;
	align(&x, (__u32)end);
	align(&y, (__u32)end);
	if ((x.want ^ y.want) & x.mask & y.mask)
		return false;
	*both = (struct match){ x.base, k, size, x.mask | y.mask, x.want | y.want, y.next, y.fail };
	return true;
}

static ng_val merged_load(struct ng_ir *ir, const struct match *m)
{
	__u32 max = m->size == 4 ? ~0u : 0xffff;
	ng_val load = ng_ir_value(ir, (struct ng_value){ .op = NG_V_LOAD,
							 .size = (__u8)m->size,
							 .a = m->base,
							 .k = m->k,
							 .max = max });

	return ng_ir_alu(ir, BPF_AND, load, ng_ir_const(ir, m->mask));
}

static bool merge_next(struct ng_ir *ir, struct ng_ir_block *b)
{
	struct match first, second, both;
	const struct ng_ir_block *next;

	if (!read_match(ir, b, &first) || first.next == first.fail)
		return false;
	next = &ir->block[first.next];
	if (next->n_checks || next->n_phis || !read_match(ir, next, &second) ||
	    second.fail != first.fail || ir->block[second.next].n_phis ||
	    ir->block[second.fail].n_phis || !join(&first, &second, &both))
		return false;
	b->test = NG_T_EQ;
	b->left = merged_load(ir, &both);
	b->right = ng_ir_const(ir, both.want);
	b->succ[0] = both.next;
	b->succ[1] = both.fail;
	return !ir->failed;
}

void ng_ir_merge(struct ng_ir *ir)
{
	for (size_t i = 0; i < ir->n_blocks && !ir->failed; i++)
		while (merge_next(ir, &ir->block[i]))
			;
	if (!ir->failed)
		ng_ir_prune(ir);
}
