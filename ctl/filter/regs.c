// SPDX-License-Identifier: GPL-2.0-only
/* The cache of values in registers, and which values are worth keeping there. */
#include "ctl/filter/regs.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void ng_regs_meet(struct ng_regs *at, const struct ng_regs *coming)
{
	if (!at->reached) {
		*at = *coming;
		at->reached = true;
		return;
	}
	if (coming->bytes < at->bytes)
		at->bytes = coming->bytes;
	for (size_t i = 0; i < NG_POOL_MAX; i++) {
		if (at->val[i] != coming->val[i])
			at->val[i] = 0;
		if (coming->guard[i] < at->guard[i])
			at->guard[i] = coming->guard[i];
	}
}

int ng_regs_find(const struct ng_regs *r, size_t pool_size, ng_val v)
{
	for (size_t i = 0; i < pool_size; i++)
		if (r->val[i] == v)
			return (int)i;
	return -1;
}

static size_t operands(const struct ng_ir *ir, ng_val v, ng_val of[2])
{
	const struct ng_value *value = &ir->value[v];
	size_t n = 0;

	if (value->a)
		of[n++] = value->a;
	if (value->b)
		of[n++] = value->b;
	return n;
}

/*
 * What only goes into v is not wanted besides v, but only when v is lost; nor is what an address is
 * made of.
 */
static void want(struct ng_wants *w, ng_val v, __u64 *set)
{
	ng_val of[2];
	size_t n;

	if (!v || set[v / 64] >> v % 64 & 1)
		return;
	set[v / 64] |= 1ull << v % 64;
	if (w->ir->value[v].op == NG_V_PTR)
		return;
	n = operands(w->ir, v, of);
	for (size_t i = 0; i < n; i++)
		if (w->users[of[i]] > 1)
			want(w, of[i], set);
}

static void use(struct ng_wants *w, ng_val v)
{
	ng_val of[2];
	size_t n;

	if (!v || w->uses[v]++)
		return;
	n = operands(w->ir, v, of);
	for (size_t i = 0; i < n; i++)
		use(w, of[i]);
}

/* Calls fn for what block b, or its successors' PHIs, need from it. */
static void each_root(struct ng_wants *w, size_t block,
		      void (*fn)(struct ng_wants *, ng_val, void *), void *arg)
{
	const struct ng_ir_block *b = &w->ir->block[block];

	for (size_t i = 0; i < b->n_checks; i++) {
		const struct ng_value *checked = &w->ir->value[b->check[i]];

		fn(w, checked->op == NG_V_LOAD ? checked->a : checked->b, arg);
	}
	if (b->test != NG_T_ALWAYS && b->test != NG_T_IN6) /* which reads where the words lie */
		fn(w, b->left, arg);
	if (b->test >= NG_T_EQ && b->test <= NG_T_SET)
		fn(w, b->right, arg);
	for (unsigned int side = 0; b->test != NG_T_RETURN && side < 2; side++) {
		const struct ng_ir_block *to = &w->ir->block[b->succ[side]];

		for (size_t i = 0; i < to->n_phis; i++)
			for (size_t j = 0; j < to->phi[i].n_args; j++)
				if (to->phi[i].arg[j].from == block)
					fn(w, to->phi[i].arg[j].value, arg);
	}
}

static void want_root(struct ng_wants *w, ng_val v, void *set)
{
	want(w, v, set);
}

static void use_root(struct ng_wants *w, ng_val v, void *unused)
{
	(void)unused;
	use(w, v);
}

static void count_user(struct ng_wants *w, ng_val v, void *unused)
{
	(void)unused;
	w->users[v] += w->users[v] < UINT16_MAX;
}

static void count_users(struct ng_wants *w)
{
	ng_val of[2];

	for (ng_val v = 1; v < w->ir->n_values; v++)
		for (size_t i = 0, n = operands(w->ir, v, of); i < n; i++)
			count_user(w, of[i], NULL);
	for (size_t i = 0; i < w->ir->n_blocks; i++)
		if (w->ir->block[i].reached)
			each_root(w, i, count_user, NULL);
}

int ng_wants_init(struct ng_wants *w, const struct ng_ir *ir)
{
	size_t words = (ir->n_values + 63) / 64;
	__u64 *in = calloc(ir->n_blocks, words * sizeof(*in)); /* wanted in a block and behind it */

	*w = (struct ng_wants){ .ir = ir, .words = words };
	w->later = calloc(ir->n_blocks, words * sizeof(*w->later));
	w->uses = calloc(ir->n_values, sizeof(*w->uses));
	w->users = calloc(ir->n_values, sizeof(*w->users));
	if (!in || !w->later || !w->uses || !w->users) {
		free(in);
		ng_wants_free(w);
		return -ENOMEM;
	}
	count_users(w);
	for (size_t i = ir->n_blocks; i-- > 0;) {
		const struct ng_ir_block *b = &ir->block[i];

		if (!b->reached)
			continue;
		for (size_t j = 0; b->test != NG_T_RETURN && j < words; j++)
			w->later[i * words + j] =
				in[b->succ[0] * words + j] | in[b->succ[1] * words + j];
		memcpy(&in[i * words], &w->later[i * words], words * sizeof(*in));
		each_root(w, i, want_root, &in[i * words]);
	}
	free(in);
	return 0;
}

void ng_wants_free(struct ng_wants *w)
{
	free(w->later);
	free(w->uses);
	free(w->users);
	*w = (struct ng_wants){ 0 };
}

void ng_wants_block(struct ng_wants *w, size_t block)
{
	memset(w->uses, 0, w->ir->n_values * sizeof(*w->uses));
	each_root(w, block, use_root, NULL);
}

bool ng_wants_later(const struct ng_wants *w, size_t block, ng_val v)
{
	return w->later[block * w->words + v / 64] >> v % 64 & 1;
}
