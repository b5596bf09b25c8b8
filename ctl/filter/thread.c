// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threading: what is known on the way to a block makes tests and checks there needless.
 *
 * Facts are the outcomes of tests and the checks that were passed. They hang in lists that share
 * their tails: a block adds to what held where it was entered, and where ways meet, the part that
 * all have in common remains. Blocks are taken in order, so what leads to a block is final when it
 * is reached.
 *
 * An edge to a block without PHIs, whose checks were all passed on the way and whose test is
 * settled by what is known, goes straight on to where that test leads, and so on from there. Blocks
 * with PHIs are never passed by: whoever uses the PHI has to come through them.
 */
#include <stdlib.h>

#include "ctl/filter/ir.h"

#define FACTS_ASKED 512 /* the latest ones: what a test costs at most in long programs */

struct fact {
	const struct fact *before;
	size_t depth;
	__u32 bytes; /* at constant offsets, checked by this and all before */
	__u8 test;   /* enum ng_test; NG_T_RETURN: `left` was checked */
	bool outcome;
	ng_val left, right;
	size_t set;
};

struct threader {
	struct ng_ir *ir;
	struct fact *pool;
	size_t used, room;
	const struct fact **entry; /* by block */
	bool *entered;
};

static const struct fact nothing = { 0 };

static const struct fact *learn(struct threader *t, const struct fact *known, struct fact f)
{
	struct fact *fact;

	if (t->used == t->room)
		return known;
	fact = &t->pool[t->used++];
	*fact = f;
	fact->before = known;
	fact->depth = known->depth + 1;
	if (f.bytes < known->bytes)
		fact->bytes = known->bytes;
	return fact;
}

static const struct fact *in_common(const struct fact *a, const struct fact *b)
{
	while (a != b) {
		if (a->depth < b->depth)
			b = b->before;
		else
			a = a->before;
	}
	return a;
}

static bool is_constant_load(const struct ng_value *v)
{
	return v->op == NG_V_LOAD && v->a == 0;
}

static __u32 end_of(const struct ng_value *v)
{
	__u64 end = (__u64)v->k + v->size;

	return end > ~0u ? ~0u : (__u32)end;
}

static bool was_checked(const struct ng_ir *ir, const struct fact *known, ng_val v)
{
	const struct ng_value *value = &ir->value[v];

	if (is_constant_load(value))
		return end_of(value) <= known->bytes;
	for (int i = 0; known->depth && i < FACTS_ASKED; known = known->before, i++) {
		const struct ng_value *other = &ir->value[known->left];

		if (known->test != NG_T_RETURN)
			continue;
		if (known->left == v || (value->op == NG_V_LOAD && other->op == NG_V_LOAD &&
					 other->a == value->a && end_of(value) <= end_of(other)))
			return true;
	}
	return false;
}

static const struct fact *learn_check(struct threader *t, const struct fact *known, ng_val v)
{
	const struct ng_value *value = &t->ir->value[v];

	return learn(t, known,
		     (struct fact){
			     .test = NG_T_RETURN,
			     .left = v,
			     .bytes = is_constant_load(value) ? end_of(value) : 0,
		     });
}

/* What a fact says about a test: 1, 0, or -1 for nothing. */
static int says(const struct ng_ir *ir, const struct fact *f, const struct ng_ir_block *b)
{
	__u32 k;

	if (f->test == NG_T_RETURN || f->left != b->left)
		return -1;
	if (f->test == b->test && f->right == b->right && f->set == b->set)
		return f->outcome;
	if (f->test != NG_T_EQ || !f->outcome || b->test == NG_T_IN || b->test == NG_T_IN6 ||
	    !ng_ir_is_const(ir, f->right, &k))
		return -1;
	return ng_ir_settled(ir, b->test, f->right, b->right);
}

static int outcome_of(const struct ng_ir *ir, const struct fact *known, const struct ng_ir_block *b)
{
	for (int i = 0; known->depth && i < FACTS_ASKED; known = known->before, i++) {
		int outcome = says(ir, known, b);

		if (outcome >= 0)
			return outcome;
	}
	return -1;
}

/* The side of b that is taken for sure; -1: it is not known, or more happens there. */
static int passes_by(const struct ng_ir *ir, const struct fact *known, const struct ng_ir_block *b)
{
	if (b->n_phis || b->test == NG_T_RETURN)
		return -1;
	for (size_t i = 0; i < b->n_checks; i++)
		if (!was_checked(ir, known, b->check[i]))
			return -1;
	if (b->test == NG_T_ALWAYS)
		return 0;
	switch (outcome_of(ir, known, b)) {
	case 1:
		return 0;
	case 0:
		return 1;
	default:
		return -1;
	}
}

static struct ng_phi_arg *find_arg(struct ng_phi *phi, size_t from)
{
	for (size_t i = 0; i < phi->n_args; i++)
		if (phi->arg[i].from == from)
			return &phi->arg[i];
	return NULL;
}

/* Can `from` lead to b with the values that `old` brings? */
static bool phis_agree(const struct ng_ir_block *b, size_t from, size_t old)
{
	for (size_t i = 0; i < b->n_phis; i++) {
		const struct ng_phi_arg *there = find_arg(&b->phi[i], from);
		const struct ng_phi_arg *brought = find_arg(&b->phi[i], old);

		if (!brought || (there && there->value != brought->value))
			return false;
	}
	return true;
}

static bool add_args(struct ng_ir_block *b, size_t from, size_t old)
{
	for (size_t i = 0; i < b->n_phis; i++) {
		struct ng_phi *phi = &b->phi[i];
		ng_val value = find_arg(phi, old)->value;
		struct ng_phi_arg *arg;

		if (find_arg(phi, from))
			continue;
		arg = reallocarray(phi->arg, phi->n_args + 1, sizeof(*arg));
		if (!arg)
			return false;
		phi->arg = arg;
		arg[phi->n_args++] = (struct ng_phi_arg){ from, value };
	}
	return true;
}

static void thread_edge(struct threader *t, size_t from, unsigned int side,
			const struct fact *known)
{
	struct ng_ir_block *block = t->ir->block, *b = &block[from];

	for (;;) {
		size_t by = b->succ[side];
		int taken = passes_by(t->ir, known, &block[by]);
		size_t to;

		if (taken < 0)
			return;
		to = block[by].succ[taken];
		if (!phis_agree(&block[to], from, by))
			return;
		if (!add_args(&block[to], from, by)) {
			t->ir->failed = true;
			return;
		}
		b->succ[side] = to;
	}
}

static void arrive(struct threader *t, size_t to, const struct fact *known)
{
	t->entry[to] = t->entered[to] ? in_common(t->entry[to], known) : known;
	t->entered[to] = true;
}

static const struct fact *outcome(struct threader *t, const struct fact *known,
				  const struct ng_ir_block *b, bool outcome)
{
	return learn(t, known,
		     (struct fact){
			     .test = b->test,
			     .outcome = outcome,
			     .left = b->left,
			     .right = b->right,
			     .set = b->set,
		     });
}

static const struct fact *drop_checks(struct threader *t, struct ng_ir_block *b,
				      const struct fact *known)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_checks; i++) {
		if (was_checked(t->ir, known, b->check[i]))
			continue;
		b->check[kept++] = b->check[i];
		known = learn_check(t, known, b->check[i]);
	}
	b->n_checks = kept;
	return known;
}

static void thread_block(struct threader *t, size_t i)
{
	struct ng_ir_block *b = &t->ir->block[i];
	const struct fact *known = drop_checks(t, b, t->entry[i]);
	int settled;

	if (b->test == NG_T_RETURN)
		return;
	settled = b->test == NG_T_ALWAYS ? -1 : outcome_of(t->ir, known, b);
	if (settled >= 0) {
		b->test = NG_T_ALWAYS;
		b->succ[0] = b->succ[1] = b->succ[settled ? 0 : 1];
	}
	if (b->test == NG_T_ALWAYS) {
		thread_edge(t, i, 0, known);
		b->succ[1] = b->succ[0];
		arrive(t, b->succ[0], known);
		return;
	}
	for (unsigned int side = 0; side < 2; side++) {
		const struct fact *then = outcome(t, known, b, side == 0);

		thread_edge(t, i, side, then);
		arrive(t, b->succ[side], then);
	}
	if (b->succ[0] == b->succ[1])
		b->test = NG_T_ALWAYS;
}

void ng_ir_thread(struct ng_ir *ir)
{
	struct threader t = { .ir = ir };

	for (size_t i = 0; i < ir->n_blocks; i++)
		t.room += ir->block[i].n_checks + 2;
	t.pool = calloc(t.room, sizeof(*t.pool));
	t.entry = calloc(ir->n_blocks, sizeof(*t.entry));
	t.entered = calloc(ir->n_blocks, sizeof(*t.entered));
	if (t.pool && t.entry && t.entered) {
		arrive(&t, 0, &nothing);
		for (size_t i = 0; i < ir->n_blocks && !ir->failed; i++)
			if (t.entered[i])
				thread_block(&t, i);
	} else {
		ir->failed = true;
	}
	free(t.pool);
	free(t.entry);
	free(t.entered);
}
