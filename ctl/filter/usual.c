// SPDX-License-Identifier: GPL-2.0-only
/*
 * The usual header: nearly all IPv4 headers have no options, and then what X = 4 * (P[k] & 15)
 * points to is at a constant place. Where a block first depends on such an X, a test is put in front
 * of it: when P[k] is 0x45, copies of it and of what follows go on, with 20 for X.
 *
 *	b7:  if X .. goto b9 else b8		t:   if P[14] == 0x45 goto b7' else b7
 *						b7': the same with 20
 *						..
 *						b7:  as before
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/ir.h"

#define USUAL	   0x45 /* version 4, five words */
#define LENGTH	   20
#define COPIED_MAX 16 /* blocks behind one test */
#define ADDED_MAX  64 /* in a filter */

struct usual {
	struct ng_ir *ir;
	ng_val byte, length; /* P[k], X */
	size_t n_values;     /* before there were copies */
	bool *depends;	     /* by value: on X */
	ng_val *now;	     /* by value: what it is with LENGTH for X */
	bool *done;	     /* by block: dealt with */
	size_t room;	     /* blocks that may still be added */
	bool impossible;
};

/* X = 4 * (P[k] & 15)? Then P[k], else 0. */
static ng_val length_byte(const struct ng_ir *ir, ng_val v)
{
	const struct ng_value *shift = &ir->value[v], *nibble = &ir->value[shift->a];
	const struct ng_value *byte = &ir->value[nibble->a];
	__u32 by, mask;

	if (shift->op != NG_V_ALU || shift->alu != BPF_LSH || nibble->op != NG_V_ALU ||
	    nibble->alu != BPF_AND || byte->op != NG_V_LOAD || byte->a || byte->size != 1)
		return 0;
	if (!ng_ir_is_const(ir, shift->b, &by) || !ng_ir_is_const(ir, nibble->b, &mask))
		return 0;
	return by == 2 && mask == 0xf ? nibble->a : 0;
}

/* What is made of X, and of what has another value already; operands stand before results. */
static void find_dependent(struct usual *u)
{
	for (ng_val v = 1; v < u->n_values; v++) {
		const struct ng_value *value = &u->ir->value[v];

		u->depends[v] =
			v == u->length || u->now[v] || u->depends[value->a] || u->depends[value->b];
	}
}

static bool is_dependent(const struct usual *u, const struct ng_ir_block *b)
{
	for (size_t i = 0; i < b->n_checks; i++)
		if (u->depends[b->check[i]])
			return true;
	if (b->test == NG_T_ALWAYS || b->test == NG_T_IN6)
		return false;
	return u->depends[b->left] ||
	       (b->test >= NG_T_EQ && b->test <= NG_T_SET && u->depends[b->right]);
}

static ng_val with_length(struct usual *u, ng_val v);

/* Constants in the address go into the offset. */
static ng_val load(struct usual *u, struct ng_value v)
{
	struct ng_ir *ir = u->ir;
	ng_val at = with_length(u, ir->value[v.a].a);
	const struct ng_value *address = &ir->value[at];
	__u64 k = v.k;
	__u32 more;

	if (ng_ir_is_const(ir, at, &more)) {
		k += more;
		at = 0;
	} else if (address->op == NG_V_ALU && address->alu == BPF_ADD &&
		   ng_ir_is_const(ir, address->b, &more) &&
		   (__u64)ir->value[address->a].max + more <= UINT32_MAX) {
		k += more;
		at = address->a;
	}
	u->impossible |= k > INT16_MAX;
	v.k = (__u32)k;
	v.a = at ? ng_ir_value(ir, (struct ng_value){ .op = NG_V_PTR, .a = at }) : 0;
	return ng_ir_value(ir, v);
}

static ng_val operation(struct usual *u, struct ng_value v)
{
	ng_val a = with_length(u, v.a), b = with_length(u, v.b);
	__u32 k;

	if ((v.alu == BPF_DIV || v.alu == BPF_MOD) && b != v.b) {
		u->impossible = true; /* what is checked for 0 has to stay a variable */
		return a;
	}
	if (v.alu == BPF_ADD && ng_ir_is_const(u->ir, a, &k))
		return ng_ir_alu(u->ir, v.alu, b, a);
	return ng_ir_alu(u->ir, v.alu, a, b);
}

static ng_val compute(struct usual *u, struct ng_value v)
{
	switch (v.op) {
	case NG_V_LOAD:
		return load(u, v);
	case NG_V_ALU:
		return operation(u, v);
	default:
		u->impossible = true;
		return u->length;
	}
}

static ng_val with_length(struct usual *u, ng_val v)
{
	if (!u->depends[v])
		return v;
	if (!u->now[v])
		u->now[v] =
			v == u->length ? ng_ir_const(u->ir, LENGTH) : compute(u, u->ir->value[v]);
	return u->now[v];
}

static bool is_answer(const struct ng_ir *ir, size_t i)
{
	const struct ng_ir_block *b = &ir->block[i];
	__u32 k;

	return b->test == NG_T_RETURN && !b->n_checks && !b->n_phis &&
	       ng_ir_is_const(ir, b->left, &k);
}

/* The blocks to copy, ascending: `first` and all behind it but answers. 0: not possible. */
static size_t collect(const struct usual *u, size_t first, size_t list[COPIED_MAX])
{
	const struct ng_ir *ir = u->ir;
	bool *reached = calloc(ir->n_blocks, sizeof(*reached));
	size_t n = 0;

	if (!reached) {
		u->ir->failed = true;
		return 0;
	}
	reached[first] = true;
	for (size_t i = first; i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		if (!reached[i] || is_answer(ir, i))
			continue;
		if (n == COPIED_MAX || (b->n_phis && i == first)) {
			n = 0;
			break;
		}
		list[n++] = i;
		if (b->test != NG_T_RETURN)
			reached[b->succ[0]] = reached[b->succ[1]] = true;
	}
	free(reached);
	return n;
}

static size_t place_of(const size_t *list, size_t n, size_t block)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == block)
			return i;
	return n;
}

/* In the copies, whoever leads to a PHI's block has to bring the same value: the PHI is that. */
static void settle_phi(struct usual *u, const struct ng_phi *phi, const size_t *list, size_t n)
{
	ng_val only = 0;

	for (size_t i = 0; i < phi->n_args; i++) {
		ng_val v;

		if (place_of(list, n, phi->arg[i].from) == n)
			continue;
		v = with_length(u, phi->arg[i].value);
		u->impossible |= only && v != only;
		only = v;
	}
	u->now[phi->value] = only;
	find_dependent(u);
}

static void copy_block(struct usual *u, const struct ng_ir_block *from, struct ng_ir_block *to)
{
	ng_val *check = from->n_checks ? calloc(from->n_checks, sizeof(*check)) : NULL;

	*to = *from;
	to->check = check;
	to->phi = NULL;
	to->n_phis = 0;
	u->ir->failed |= from->n_checks && !check;
	for (size_t i = 0; check && i < from->n_checks; i++)
		check[i] = with_length(u, from->check[i]);
	if (from->test != NG_T_ALWAYS && from->test != NG_T_IN6)
		to->left = with_length(u, from->left);
	if (from->test >= NG_T_EQ && from->test <= NG_T_SET)
		to->right = with_length(u, from->right);
}

/* Room for n blocks at `at`. Only what leads to `at` itself from before leads to the first of them. */
static bool make_room(struct usual *u, size_t at, size_t n)
{
	struct ng_ir *ir = u->ir;
	struct ng_ir_block *block = reallocarray(ir->block, ir->n_blocks + n, sizeof(*block));

	ir->failed |= !block;
	if (!block)
		return false;
	ir->block = block;
	memmove(block + at + n, block + at, (ir->n_blocks - at) * sizeof(*block));
	memset(block + at, 0, n * sizeof(*block));
	memmove(u->done + at + n, u->done + at, ir->n_blocks - at);
	ir->n_blocks += n;
	for (size_t i = 0; i < ir->n_blocks; i++) {
		struct ng_ir_block *b = &block[i];

		for (size_t side = 0; side < 2; side++)
			b->succ[side] += b->succ[side] > at ? n : 0;
		for (size_t j = 0; j < b->n_phis; j++)
			for (size_t k = 0; k < b->phi[j].n_args; k++)
				b->phi[j].arg[k].from += b->phi[j].arg[k].from >= at ? n : 0;
	}
	return true;
}

static void write_test(struct usual *u, size_t at, size_t other)
{
	struct ng_ir_block *b = &u->ir->block[at];

	*b = (struct ng_ir_block){
		.test = NG_T_EQ,
		.left = u->byte,
		.right = ng_ir_const(u->ir, USUAL),
		.succ = { at + 1, other },
		.reached = true,
		.check = calloc(1, sizeof(*b->check)),
	};
	u->ir->failed |= !b->check;
	if (!b->check)
		return;
	b->check[0] = u->byte;
	b->n_checks = 1;
}

static void free_copies(const struct ng_ir_block *copy, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(copy[i].check);
}

/* A test at `first`, the copies behind it, then the blocks that were there. */
static void insert(struct usual *u, size_t first, const size_t *list, size_t n,
		   const struct ng_ir_block *copy)
{
	struct ng_ir_block *b = u->ir->block + first + 1;

	write_test(u, first, first + 1 + n);
	for (size_t i = 0; i < n; i++) {
		b[i] = copy[i];
		u->done[first + 1 + i] = true;
		for (size_t side = 0; b[i].test != NG_T_RETURN && side < 2; side++) {
			size_t to = place_of(list, n, copy[i].succ[side]);

			b[i].succ[side] = to < n ? first + 1 + to : copy[i].succ[side] + 1 + n;
		}
	}
	u->room -= 1 + n;
}

static void specialize(struct usual *u, size_t first)
{
	size_t list[COPIED_MAX], n = collect(u, first, list);
	struct ng_ir_block copy[COPIED_MAX] = { 0 };

	if (!n || 1 + n > u->room)
		return;
	u->impossible = false;
	for (size_t i = 0; i < n; i++) {
		const struct ng_ir_block *b = &u->ir->block[list[i]];

		u->done[list[i]] = true;
		for (size_t j = 0; j < b->n_phis; j++)
			settle_phi(u, &b->phi[j], list, n);
		copy_block(u, b, &copy[i]);
	}
	if (u->ir->failed || u->impossible || !make_room(u, first, 1 + n))
		free_copies(copy, n);
	else
		insert(u, first, list, n, copy);
	memset(u->now, 0, u->n_values * sizeof(*u->now));
	find_dependent(u);
}

static void specialize_all(struct usual *u)
{
	find_dependent(u);
	for (size_t i = 0; i < u->ir->n_blocks && !u->ir->failed; i++) {
		const struct ng_ir_block *b = &u->ir->block[i];

		if (b->reached && !u->done[i] && is_dependent(u, b))
			specialize(u, i);
	}
}

/* room: blocks that may still be added. */
static void try_length(struct ng_ir *ir, ng_val length, size_t *room)
{
	struct usual u = {
		.ir = ir,
		.byte = length_byte(ir, length),
		.length = length,
		.n_values = ir->n_values,
		.depends = calloc(ir->n_values, sizeof(*u.depends)),
		.now = calloc(ir->n_values, sizeof(*u.now)),
		.done = calloc(ir->n_blocks + *room, sizeof(*u.done)),
		.room = *room,
	};

	if (u.depends && u.now && u.done)
		specialize_all(&u);
	else
		ir->failed = true;
	*room = u.room;
	free(u.depends);
	free(u.now);
	free(u.done);
}

void ng_ir_usual(struct ng_ir *ir)
{
	ng_val n = (ng_val)ir->n_values;
	size_t room = ADDED_MAX;

	for (ng_val v = 1; v < n && !ir->failed; v++)
		if (length_byte(ir, v))
			try_length(ir, v, &room);
	if (!ir->failed)
		ng_ir_thread(ir);
	if (!ir->failed)
		ng_ir_prune(ir);
}
