// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pruning: a block from which no way accepts any more answers 0 at once, for the only other thing
 * that can happen is a rejection, which is the same answer. Blocks that return the same constant
 * become one. What nothing leads to goes, and so do PHIs that no check, test or answer depends on.
 */
#include <stdlib.h>

#include "ctl/filter/ir.h"

static void forget(struct ng_ir_block *b)
{
	for (size_t i = 0; i < b->n_phis; i++)
		free(b->phi[i].arg);
	free(b->phi);
	b->phi = NULL;
	b->n_phis = b->n_checks = 0;
}

static bool returns_constant(const struct ng_ir *ir, const struct ng_ir_block *b, __u32 *k)
{
	return b->test == NG_T_RETURN && ng_ir_is_const(ir, b->left, k);
}

static void find_hopeless(struct ng_ir *ir)
{
	bool *accepts = calloc(ir->n_blocks, sizeof(*accepts));
	__u32 k;

	if (!accepts) {
		ir->failed = true;
		return;
	}
	for (size_t i = ir->n_blocks; i-- > 0;) {
		struct ng_ir_block *b = &ir->block[i];

		if (b->test == NG_T_RETURN)
			accepts[i] = !returns_constant(ir, b, &k) || k;
		else
			accepts[i] = accepts[b->succ[0]] || accepts[b->succ[1]];
		if (accepts[i])
			continue;
		forget(b);
		b->test = NG_T_RETURN;
		b->left = ng_ir_const(ir, 0);
	}
	free(accepts);
}

/* The last block that answers as this one does, if this one does nothing but answer. */
static size_t last_like(const struct ng_ir *ir, size_t i, size_t *last_of)
{
	const struct ng_ir_block *b = &ir->block[i];
	__u32 k;

	if (!returns_constant(ir, b, &k) || b->n_checks || b->n_phis)
		return i;
	if (!last_of[b->left])
		last_of[b->left] = i + 1;
	return last_of[b->left] - 1;
}

static void share_answers(struct ng_ir *ir)
{
	size_t *last_of = calloc(ir->n_values, sizeof(*last_of));
	size_t *now = calloc(ir->n_blocks, sizeof(*now));

	if (last_of && now) {
		for (size_t i = ir->n_blocks; i-- > 0;) {
			struct ng_ir_block *b = &ir->block[i];

			now[i] = last_like(ir, i, last_of);
			if (b->test == NG_T_RETURN)
				continue;
			b->succ[0] = now[b->succ[0]];
			b->succ[1] = now[b->succ[1]];
			if (b->succ[0] == b->succ[1])
				b->test = NG_T_ALWAYS;
		}
	} else {
		ir->failed = true;
	}
	free(last_of);
	free(now);
}

static void mark_reached(struct ng_ir *ir)
{
	for (size_t i = 0; i < ir->n_blocks; i++)
		ir->block[i].reached = i == 0;
	for (size_t i = 0; i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		if (b->reached && b->test != NG_T_RETURN)
			ir->block[b->succ[0]].reached = ir->block[b->succ[1]].reached = true;
	}
}

static bool leads(const struct ng_ir_block *from, size_t to)
{
	return from->reached && from->test != NG_T_RETURN &&
	       (from->succ[0] == to || from->succ[1] == to);
}

static void drop_args(struct ng_ir *ir, size_t to)
{
	struct ng_ir_block *b = &ir->block[to];

	for (size_t i = 0; i < b->n_phis; i++) {
		struct ng_phi *phi = &b->phi[i];
		size_t kept = 0;

		for (size_t j = 0; j < phi->n_args; j++)
			if (leads(&ir->block[phi->arg[j].from], to))
				phi->arg[kept++] = phi->arg[j];
		phi->n_args = kept;
	}
}

/* PHIs: by number, what they are, and which are needed. */
struct phis {
	const struct ng_ir *ir;
	const struct ng_phi **of;
	bool *needed;
	bool *seen; /* by value */
};

static void need_value(struct phis *p, ng_val v)
{
	const struct ng_value *value = &p->ir->value[v];
	const struct ng_phi *phi;

	if (!v || p->seen[v])
		return;
	p->seen[v] = true;
	if (value->op != NG_V_PHI) {
		need_value(p, value->a);
		need_value(p, value->b);
		return;
	}
	p->needed[value->k] = true;
	phi = p->of[value->k];
	for (size_t i = 0; phi && i < phi->n_args; i++)
		need_value(p, phi->arg[i].value);
}

static void need_block(struct phis *p, const struct ng_ir_block *b)
{
	for (size_t i = 0; i < b->n_checks; i++)
		need_value(p, b->check[i]);
	if (b->test == NG_T_ALWAYS)
		return;
	need_value(p, b->left);
	if (b->test != NG_T_IN && b->test != NG_T_IN6 && b->test != NG_T_RETURN)
		need_value(p, b->right);
}

static void keep_needed(const struct phis *p, struct ng_ir_block *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_phis; i++) {
		if (p->needed[p->ir->value[b->phi[i].value].k])
			b->phi[kept++] = b->phi[i];
		else
			free(b->phi[i].arg);
	}
	b->n_phis = kept;
}

static void drop_phis(struct ng_ir *ir)
{
	struct phis p = {
		.ir = ir,
		.of = calloc(ir->n_phis + 1, sizeof(*p.of)),
		.needed = calloc(ir->n_phis + 1, sizeof(*p.needed)),
		.seen = calloc(ir->n_values, sizeof(*p.seen)),
	};

	ir->failed |= !p.of || !p.needed || !p.seen;
	for (size_t i = 0; i < ir->n_blocks && !ir->failed; i++)
		for (size_t j = 0; j < ir->block[i].n_phis; j++)
			p.of[ir->value[ir->block[i].phi[j].value].k] = &ir->block[i].phi[j];
	for (size_t i = 0; i < ir->n_blocks && !ir->failed; i++)
		if (ir->block[i].reached)
			need_block(&p, &ir->block[i]);
	for (size_t i = 0; i < ir->n_blocks && !ir->failed; i++)
		keep_needed(&p, &ir->block[i]);
	free(p.of);
	free(p.needed);
	free(p.seen);
}

void ng_ir_prune(struct ng_ir *ir)
{
	find_hopeless(ir);
	if (!ir->failed)
		share_answers(ir);
	mark_reached(ir);
	for (size_t i = 0; i < ir->n_blocks; i++) {
		if (ir->block[i].reached)
			drop_args(ir, i);
		else
			forget(&ir->block[i]);
	}
	drop_phis(ir);
}
