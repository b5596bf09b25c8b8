// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets: `v == k1`, else `v == k2`, else .. with one way out for all that are equal becomes one test
 * of v against a set. The chain is followed along its "else" while nothing else happens in it and
 * nothing but its own beginning leads into it. Shorter chains than NG_TABLE_BREAK_EVEN stay as they
 * are.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/ir.h"
#include "ctl/filter/table.h"

static bool is_comparison(const struct ng_ir *ir, const struct ng_ir_block *b)
{
	__u32 k;

	return b->reached && b->test == NG_T_EQ && ng_ir_is_const(ir, b->right, &k);
}

static ng_val arg_from(const struct ng_phi *phi, size_t from)
{
	for (size_t i = 0; i < phi->n_args; i++)
		if (phi->arg[i].from == from)
			return phi->arg[i].value;
	return 0;
}

/* Do both blocks bring the same values there? */
static bool bring_the_same(const struct ng_ir_block *to, size_t x, size_t y)
{
	for (size_t i = 0; i < to->n_phis; i++)
		if (arg_from(&to->phi[i], x) != arg_from(&to->phi[i], y))
			return false;
	return true;
}

/* next: where the chain from `first` on leads when nothing is equal. */
static bool continues(const struct ng_ir *ir, const unsigned int *sources, size_t first,
		      size_t next)
{
	const struct ng_ir_block *a = &ir->block[first], *b = &ir->block[next];

	return is_comparison(ir, b) && sources[next] == 1 && !b->n_checks && !b->n_phis &&
	       b->left == a->left && b->succ[0] == a->succ[0] &&
	       bring_the_same(&ir->block[a->succ[0]], first, next);
}

static int ascending(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static size_t unique(__u32 *key, size_t n)
{
	size_t kept = 0;

	qsort(key, n, sizeof(*key), ascending);
	for (size_t i = 0; i < n; i++)
		if (!kept || key[kept - 1] != key[i])
			key[kept++] = key[i];
	return kept;
}

static bool add_set(struct ng_ir *ir, struct ng_ir_block *b, __u32 *key, size_t n)
{
	struct ng_set *set = reallocarray(ir->set, ir->n_sets + 1, sizeof(*set));

	if (!set)
		return false;
	ir->set = set;
	set[ir->n_sets] = (struct ng_set){ .key = key, .n = unique(key, n) };
	b->test = NG_T_IN;
	b->set = ir->n_sets++;
	b->right = 0;
	return true;
}

static void rename_source(struct ng_ir_block *to, size_t was, size_t is)
{
	for (size_t i = 0; i < to->n_phis; i++)
		for (size_t j = 0; j < to->phi[i].n_args; j++)
			if (to->phi[i].arg[j].from == was)
				to->phi[i].arg[j].from = is;
}

static void try_chain(struct ng_ir *ir, const unsigned int *sources, size_t first)
{
	struct ng_ir_block *b = &ir->block[first];
	size_t last = first, n = 1, rest;
	__u32 *key;

	if (!is_comparison(ir, b) || b->succ[0] == b->succ[1])
		return;
	while (continues(ir, sources, first, ir->block[last].succ[1])) {
		last = ir->block[last].succ[1];
		n++;
	}
	rest = ir->block[last].succ[1];
	if (n < NG_TABLE_BREAK_EVEN || (ir->block[rest].n_phis && rest == b->succ[0]))
		return;
	key = malloc(n * sizeof(*key));
	ir->failed |= !key;
	for (size_t i = first, j = 0; key && j < n; i = ir->block[i].succ[1], j++)
		key[j] = ir->value[ir->block[i].right].k;
	if (!key || !add_set(ir, b, key, n)) {
		free(key);
		ir->failed = true;
		return;
	}
	for (size_t i = b->succ[1], j = 1; j < n; i = ir->block[i].succ[1], j++)
		ir->block[i].reached = false;
	b->succ[1] = rest;
	rename_source(&ir->block[rest], last, first);
}

void ng_ir_sets(struct ng_ir *ir)
{
	unsigned int *sources = calloc(ir->n_blocks, sizeof(*sources));

	if (!sources) {
		ir->failed = true;
		return;
	}
	for (size_t i = 0; i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		if (!b->reached || b->test == NG_T_RETURN)
			continue;
		sources[b->succ[0]]++;
		sources[b->succ[1]] += b->succ[1] != b->succ[0];
	}
	for (size_t i = 0; i < ir->n_blocks && !ir->failed; i++)
		if (ir->block[i].reached)
			try_chain(ir, sources, i);
	free(sources);
	ng_ir_prune(ir);
}
