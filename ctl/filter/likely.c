// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is likely stands first: where a number of two bytes is compared with others and with IPv4's
 * type, that comes first, for at most one of them holds. Then blocks are put in an order in which
 * what a test leads to when it holds stands right behind it, where no jump is needed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "ctl/filter/ir.h"

#define IPV4 0x0800

static bool is_comparison(const struct ng_ir *ir, const struct ng_ir_block *b, __u32 *k)
{
	const struct ng_value *left = &ir->value[b->left];

	return b->reached && b->test == NG_T_EQ && left->op == NG_V_LOAD && left->size == 2 &&
	       ng_ir_is_const(ir, b->right, k) && !ir->block[b->succ[0]].n_phis;
}

/* Exchanges what a block and the next one compare with, if that is nowhere else to be seen. */
static void ask_first(struct ng_ir *ir, const unsigned int *sources, size_t first)
{
	struct ng_ir_block *a = &ir->block[first], *b = &ir->block[a->succ[1]];
	ng_val right = a->right;
	size_t then = a->succ[0];
	__u32 other, ipv4;

	if (!is_comparison(ir, a, &other) || !is_comparison(ir, b, &ipv4) || ipv4 != IPV4 ||
	    other == IPV4 || a->left != b->left || b->n_checks || b->n_phis ||
	    sources[a->succ[1]] != 1)
		return;
	a->right = b->right;
	a->succ[0] = b->succ[0];
	b->right = right;
	b->succ[0] = then;
}

/* Edges that lead to each block. NULL: out of memory. */
static unsigned int *count_sources(const struct ng_ir *ir)
{
	unsigned int *sources = calloc(ir->n_blocks, sizeof(*sources));

	for (size_t i = 0; sources && i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		if (!b->reached || b->test == NG_T_RETURN)
			continue;
		sources[b->succ[0]]++;
		sources[b->succ[1]]++;
	}
	return sources;
}

/* Gives block i, behind all that it leads to, the place below `next`. */
static size_t find_places(const struct ng_ir *ir, size_t i, size_t *place, size_t next)
{
	const struct ng_ir_block *b = &ir->block[i];

	if (place[i] != SIZE_MAX)
		return next;
	if (b->test != NG_T_RETURN) {
		next = find_places(ir, b->succ[1], place, next);
		next = find_places(ir, b->succ[0], place, next);
	}
	place[i] = next - 1;
	return next - 1;
}

static void move(const struct ng_ir_block *from, struct ng_ir_block *to, const size_t *place)
{
	*to = *from;
	for (int side = 0; to->test != NG_T_RETURN && side < 2; side++)
		to->succ[side] = place[from->succ[side]];
	for (size_t i = 0; i < to->n_phis; i++)
		for (size_t j = 0; j < to->phi[i].n_args; j++)
			to->phi[i].arg[j].from = place[to->phi[i].arg[j].from];
}

static void lay_out(struct ng_ir *ir)
{
	size_t n = ir->n_blocks, start, rest = n, *place = calloc(n, sizeof(*place));
	struct ng_ir_block *block = calloc(n, sizeof(*block));

	ir->failed |= !place || !block;
	if (ir->failed) {
		free(place);
		free(block);
		return;
	}
	for (size_t i = 0; i < n; i++)
		place[i] = SIZE_MAX;
	start = find_places(ir, 0, place, n);
	for (size_t i = 0; i < n; i++)
		place[i] = place[i] == SIZE_MAX ? --rest : place[i] - start;
	for (size_t i = 0; i < n; i++)
		move(&ir->block[i], &block[place[i]], place);
	free(ir->block);
	free(place);
	ir->block = block;
}

void ng_ir_likely(struct ng_ir *ir)
{
	unsigned int *sources = count_sources(ir);

	if (!sources) {
		ir->failed = true;
		return;
	}
	for (size_t i = 0; i < ir->n_blocks; i++)
		if (ir->block[i].reached)
			ask_first(ir, sources, i);
	free(sources);
	lay_out(ir);
}
