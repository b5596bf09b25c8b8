// SPDX-License-Identifier: GPL-2.0-only
/* Intermediate representation to eBPF: blocks, guards, the cold ends. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ctl/filter/lowering.h"

#define BITS_MAX   (1ull << 28) /* blocks times values: memory for what is wanted where */
#define SPECULATED 8		/* bytes that a guard may ask for beyond what is needed for sure */
#define SHORTEST   42 /* bytes that all frames but broken ones have: ARP, UDP without data */
#define NO_WAY	   UINT32_MAX /* no accepting way from here */

void ng_low_goto(struct ng_low *l, struct bpf_insn insn, size_t label)
{
	ng_emit_jump(l->e, insn, l->first_label + label);
}

static size_t block_label(const struct ng_low *l, size_t block)
{
	const struct ng_ir_block *b = &l->ir->block[block];
	__u32 k;

	if (b->test == NG_T_RETURN && !b->n_checks && ng_ir_is_const(l->ir, b->left, &k) && k == 0)
		return l->first_label + NG_L_REJECT;
	return ng_block_label(l->first_label, l->copy, block);
}

static bool is_reject(const struct ng_low *l, size_t block)
{
	return block_label(l, block) == l->first_label + NG_L_REJECT;
}

/* Guards */

/* Linear memory that a check needs behind `base`; 0: none, or it is another base's. */
static __u32 need_of(const struct ng_low *l, ng_val check, ng_val base)
{
	const struct ng_value *v = &l->ir->value[check];

	if (v->op != NG_V_LOAD || v->a != base || ng_low_place(l, v) != NG_LOW_MEMORY)
		return 0;
	return ng_low_offset(l, v) + v->size;
}

static __u32 own_need(const struct ng_low *l, const struct ng_ir_block *b, ng_val base)
{
	__u32 most = 0;

	for (size_t i = 0; i < b->n_checks; i++) {
		__u32 need = need_of(l, b->check[i], base);

		most = need > most ? need : most;
	}
	return most;
}

static void find_need(const struct ng_low *l, struct ng_need *need, size_t i)
{
	const struct ng_ir_block *b = &l->ir->block[i];
	__u32 own = own_need(l, b, need->base), least = NO_WAY, most = 0, usual = 0;

	for (unsigned int side = 0; b->test != NG_T_RETURN && side < 2; side++) {
		size_t to = b->succ[side];

		if (need->least[to] == NO_WAY)
			continue;
		least = need->least[to] < least ? need->least[to] : least;
		most = need->most[to] > most ? need->most[to] : most;
		usual = need->usual[to] > usual ? need->usual[to] : usual;
	}
	if (b->test == NG_T_RETURN)
		least = is_reject(l, i) ? NO_WAY : 0;
	need->least[i] = least == NO_WAY || least > own ? least : own;
	need->most[i] = most > own ? most : own;
	need->usual[i] = own > usual && own <= SHORTEST ? own : usual;
}

/* What is needed behind a base, for all blocks; made when it is first asked for. */
static const struct ng_need *need_for(struct ng_low *l, ng_val base)
{
	struct ng_need *need = l->needs;
	size_t n = l->ir->n_blocks;

	for (; need; need = need->next)
		if (need->base == base)
			return need;
	need = calloc(1, sizeof(*need) + 3 * n * sizeof(*need->least));
	if (!need) {
		l->ret = -ENOMEM;
		return NULL;
	}
	need->base = base;
	need->least = (__u32 *)(need + 1);
	need->most = need->least + n;
	need->usual = need->most + n;
	need->next = l->needs;
	l->needs = need;
	for (size_t i = n; i-- > 0;)
		if (l->ir->block[i].reached)
			find_need(l, need, i);
	return need;
}

static void forget_needs(struct ng_low *l)
{
	while (l->needs) {
		struct ng_need *next = l->needs->next;

		free(l->needs);
		l->needs = next;
	}
}

__u32 ng_low_guarded(struct ng_low *l, ng_val base, __u32 bytes, size_t *fail)
{
	const struct ng_need *need = need_for(l, base);
	__u32 least, most;

	*fail = NG_L_SHORT;
	if (!need)
		return bytes;
	least = need->least[l->block];
	most = need->most[l->block];
	if (least == NO_WAY || least < bytes)
		least = bytes;
	if (!base && most > least + SPECULATED)
		most = need->usual[l->block];
	if (most <= least || (base && most > least + SPECULATED))
		return least;
	*fail = NG_L_HELPER;
	return most;
}

/* Checks */

static void write_check(struct ng_low *l, ng_val check)
{
	const struct ng_value v = l->ir->value[check];
	int divisor;

	if (v.op != NG_V_LOAD) {
		divisor = ng_low_get(l, v.b);
		ng_low_goto(l, NG_JUMP32_I(BPF_JEQ, divisor, 0, 0), NG_L_REJECT);
	} else if (ng_low_place(l, &v) == NG_LOW_MEMORY) {
		ng_low_guard(l, v.a, ng_low_offset(l, &v) + v.size);
	}
}

static bool is_out_of_reach(const struct ng_low *l, ng_val v)
{
	const struct ng_value *value = &l->ir->value[v];

	return (value->op == NG_V_LOAD || value->op == NG_V_RAW) &&
	       ng_low_place(l, value) == NG_LOW_NOWHERE;
}

/* Words lie together: not where the tag in metadata is. */
static bool words_are_apart(const struct ng_low *l, const struct ng_ir_block *b)
{
	const struct ng_value *first = &l->ir->value[b->left];
	const struct ng_value all = { .op = NG_V_LOAD,
				      .k = first->k,
				      .size = (__u8)(4 * l->ir->set[b->set].words) };

	return ng_low_place(l, &all) != NG_LOW_MEMORY;
}

/* Does the block check or use a load that this copy cannot make? */
static bool leaves_copy(const struct ng_low *l, const struct ng_ir_block *b)
{
	for (size_t i = 0; i < b->n_checks; i++)
		if (is_out_of_reach(l, b->check[i]))
			return true;
	if (b->test == NG_T_IN6 && words_are_apart(l, b))
		return true;
	for (ng_val v = 1; v < l->ir->n_values; v++)
		if (l->wants.uses[v] && is_out_of_reach(l, v))
			return true;
	return false;
}

/* Tests */

static size_t next_block(const struct ng_low *l)
{
	size_t next = l->block + 1;

	while (next < l->ir->n_blocks && (!l->entry[next].reached || is_reject(l, next)))
		next++;
	return next;
}

static void write_return(struct ng_low *l, const struct ng_ir_block *b)
{
	__u32 k;

	if (ng_ir_is_const(l->ir, b->left, &k))
		ng_emit(l->e, NG_MOV32_I(BPF_REG_0, k));
	else
		ng_emit(l->e, NG_MOV32(BPF_REG_0, ng_low_get(l, b->left)));
	if (l->to->falls_through)
		ng_low_goto(l, NG_JA(0), NG_L_DONE);
	else
		ng_emit(l->e, NG_RETURN);
}

/* Nothing but an answer that is not 0: as short as a jump to it. */
static bool is_answer(const struct ng_low *l, size_t block)
{
	const struct ng_ir_block *b = &l->ir->block[block];
	__u32 k;

	return b->test == NG_T_RETURN && !b->n_checks && !is_reject(l, block) &&
	       ng_ir_is_const(l->ir, b->left, &k);
}

static void jump_to(struct ng_low *l, size_t block)
{
	l->falls = block == next_block(l);
	if (l->falls)
		return;
	if (is_answer(l, block))
		write_return(l, &l->ir->block[block]);
	else
		ng_emit_jump(l->e, NG_JA(0), block_label(l, block));
}

static ng_val brought(const struct ng_low *l, const struct ng_phi *phi)
{
	for (size_t i = 0; i < phi->n_args; i++)
		if (phi->arg[i].from == l->block)
			return phi->arg[i].value;
	return 0;
}

/* The place in the pool where a block that others have led to expects a PHI, or where v is now. */
static int phi_place(const struct ng_low *l, size_t to, const struct ng_phi *phi, ng_val v)
{
	const struct ng_regs *there = &l->entry[to];

	return there->reached ? ng_regs_find(there, l->to->pool_size, phi->value)
			      : ng_regs_find(&l->now, l->to->pool_size, v);
}

/* What holds now holds at the start of `to`, where values brought for PHIs go by their names. */
static void arrive(struct ng_low *l, size_t to)
{
	const struct ng_ir_block *b = &l->ir->block[to];
	struct ng_regs coming = l->now;

	for (size_t i = 0; i < b->n_phis; i++) {
		ng_val v = brought(l, &b->phi[i]);
		int place = phi_place(l, to, &b->phi[i], v);

		if (place < 0 || l->now.val[place] != v)
			continue;
		coming.val[place] = b->phi[i].value;
		coming.guard[place] = 0;
	}
	ng_regs_meet(&l->entry[to], &coming);
}

static void leave(struct ng_low *l, const struct ng_ir_block *b)
{
	l->pins = 0;
	arrive(l, b->succ[0]);
	if (b->succ[1] != b->succ[0])
		arrive(l, b->succ[1]);
}

static void write_in(struct ng_low *l, const struct ng_ir_block *b)
{
	int key = ng_low_get(l, b->left), tmp[2];

	ng_low_pin(l, key);
	for (int i = 0; i < 2; i++) {
		tmp[i] = ng_low_take(l);
		ng_low_pin(l, tmp[i]);
	}
	leave(l, b);
	if (!l->ret)
		ng_table_test(l->e, &l->tables[b->set], (unsigned int)key, (unsigned int)tmp[0],
			      (unsigned int)tmp[1], block_label(l, b->succ[0]));
	jump_to(l, b->succ[1]);
}

static void write_in6(struct ng_low *l, const struct ng_ir_block *b)
{
	const struct ng_value *first = &l->ir->value[b->left];
	const struct ng_table *table = &l->tables[b->set];
	struct ng_string_at at = { NG_LOW_DATA, (int)ng_low_offset(l, first) };
	unsigned int tmp[3];

	ng_low_guard(l, 0, (__u32)at.off + 4 * table->set->words);
	for (int i = 0; i < 3; i++) {
		int reg = ng_low_take(l);

		ng_low_pin(l, reg);
		tmp[i] = (unsigned int)reg;
	}
	leave(l, b);
	if (!l->ret)
		ng_table_test_string(l->e, table, at, tmp, block_label(l, b->succ[0]));
	jump_to(l, b->succ[1]);
}

static void write_comparison(struct ng_low *l, const struct ng_ir_block *b)
{
	static const struct {
		__u8 op, inverse;
	} jump[NG_T_MAX] = {
		[NG_T_EQ] = { BPF_JEQ, BPF_JNE },
		[NG_T_GT] = { BPF_JGT, BPF_JLE },
		[NG_T_GE] = { BPF_JGE, BPF_JLT },
		[NG_T_SET] = { BPF_JSET, 0 },
	};
	int left = ng_low_get(l, b->left), right = 0;
	bool invert, constant;
	struct bpf_insn insn;
	__u32 k;

	constant = ng_ir_is_const(l->ir, b->right, &k);
	ng_low_pin(l, left);
	if (!constant)
		right = ng_low_get(l, b->right);
	leave(l, b);
	invert = jump[b->test].inverse &&
		 (b->succ[0] == next_block(l) ||
		  (b->succ[1] != next_block(l) && is_answer(l, b->succ[0])));
	insn = constant ? NG_JUMP32_I(0, left, k, 0) : NG_JUMP32(0, left, right, 0);
	insn.code |= invert ? jump[b->test].inverse : jump[b->test].op;
	ng_emit_jump(l->e, insn, block_label(l, b->succ[invert ? 1 : 0]));
	jump_to(l, b->succ[invert ? 0 : 1]);
}

/*
 * PHIs: who leads to a block with some puts its values into the frame, where they are for sure, and
 * into the registers where others left them, where they are at hand.
 */
static void put_phi(struct ng_low *l, size_t to, const struct ng_phi *phi)
{
	int slot = ng_low_phi_slot(l, phi->value), reg, place;
	ng_val v = brought(l, phi);
	__u32 k;
	bool constant = ng_ir_is_const(l->ir, v, &k);

	if (constant) {
		ng_emit(l->e, NG_STORE_I(BPF_W, BPF_REG_10, slot, k));
	} else {
		reg = ng_low_get(l, v);
		ng_emit(l->e, NG_STORE(BPF_W, BPF_REG_10, slot, reg));
	}
	place = phi_place(l, to, phi, v);
	if (place < 0 || l->now.val[place] == v)
		return;
	reg = l->to->pool[place];
	ng_emit(l->e, constant ? NG_MOV32_I(reg, k) : NG_MOV32(reg, ng_low_get(l, v)));
	l->now.val[place] = v;
	l->now.guard[place] = 0;
}

static void bring(struct ng_low *l, size_t to)
{
	for (size_t i = 0; i < l->ir->block[to].n_phis; i++)
		put_phi(l, to, &l->ir->block[to].phi[i]);
}

static void write_end(struct ng_low *l, const struct ng_ir_block *b)
{
	if (b->test == NG_T_RETURN) {
		write_return(l, b);
		return;
	}
	bring(l, b->succ[0]);
	if (b->succ[1] != b->succ[0])
		bring(l, b->succ[1]);
	if (b->test == NG_T_ALWAYS) {
		leave(l, b);
		jump_to(l, b->succ[0]);
	} else if (b->test == NG_T_IN) {
		write_in(l, b);
	} else if (b->test == NG_T_IN6) {
		write_in6(l, b);
	} else {
		write_comparison(l, b);
	}
}

static void write_block(struct ng_low *l, size_t i)
{
	const struct ng_ir_block *b = &l->ir->block[i];

	l->block = i;
	l->now = l->entry[i];
	l->pins = 0;
	l->falls = false;
	ng_wants_block(&l->wants, i);
	ng_emit_label(l->e, block_label(l, i));
	if (leaves_copy(l, b)) {
		ng_low_goto(l, NG_JA(0), NG_L_HELPER);
		return;
	}
	for (size_t j = 0; j < b->n_checks; j++)
		write_check(l, b->check[j]);
	write_end(l, b);
}

/* An answer that was written wherever it is given: nothing leads to its block. */
static bool was_answered(const struct ng_low *l, size_t block)
{
	return is_answer(l, block) && !l->falls && block &&
	       !ng_emit_label_used(l->e, block_label(l, block));
}

static void write_copy(struct ng_low *l, enum ng_copy copy)
{
	l->copy = copy;
	l->computed = 0;
	for (size_t i = 0; i < l->ir->n_blocks; i++)
		l->entry[i] = (struct ng_regs){ 0 };
	l->entry[0].reached = true;
	if (is_reject(l, 0))
		ng_low_goto(l, NG_JA(0), NG_L_REJECT);
	for (size_t i = 0; i < l->ir->n_blocks && !l->ret; i++)
		if (l->entry[i].reached && !is_reject(l, i) && !was_answered(l, i))
			write_block(l, i);
	forget_needs(l);
}

/* A guard failed: if the packet is linear, it ends there, and every way rejects it. */
static void write_short(struct ng_low *l)
{
	bool tc = l->to->ctx != NG_CTX_XDP;

	ng_emit_label(l->e, l->first_label + NG_L_SHORT);
	if (tc)
		ng_low_load_packet(l, BPF_REG_0, offsetof(struct __sk_buff, len));
	else
		ng_low_load_len(l, BPF_REG_0);
	ng_emit(l->e, NG_MOV(BPF_REG_1, NG_LOW_END));
	ng_emit(l->e, NG_ALU(BPF_SUB, BPF_REG_1, NG_LOW_DATA));
	ng_low_goto(l, NG_JUMP(BPF_JEQ, BPF_REG_0, BPF_REG_1, 0), NG_L_REJECT);
	ng_low_goto(l, NG_JA(0), NG_L_HELPER);
}

/* Does the filter look at anything that a tag in metadata changes? */
static bool sees_tag(const struct ng_ir *ir)
{
	for (size_t i = 0; i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		for (size_t j = 0; b->reached && j < b->n_checks; j++) {
			const struct ng_value *v = &ir->value[b->check[j]];

			if (v->op == NG_V_LOAD && (v->a || (__u64)v->k + v->size > NG_TAG_AT))
				return true;
		}
	}
	return false;
}

static bool reads_packet(const struct ng_ir *ir)
{
	for (size_t i = 0; i < ir->n_blocks; i++)
		for (size_t j = 0; ir->block[i].reached && j < ir->block[i].n_checks; j++)
			if (ir->value[ir->block[i].check[j]].op == NG_V_LOAD)
				return true;
	return false;
}

/* A field of the context, which is still in r1. */
static void load_vlan(struct ng_low *l, int reg, size_t field)
{
	ng_emit(l->e, NG_LOAD(BPF_W, reg, BPF_REG_1, field));
}

/*
 * Without a tag in metadata there is no vlan_proto, which is cheaper to ask for than vlan_present. It
 * may be left from a tag that is gone (before Linux 6.2), so the TAGGED copy asks for that, too.
 */
static void write_all(struct ng_low *l)
{
	bool tc = l->to->ctx != NG_CTX_XDP, tagged = tc && sees_tag(l->ir);

	if (tagged)
		load_vlan(l, BPF_REG_0, offsetof(struct __sk_buff, vlan_proto));
	if (reads_packet(l->ir)) {
		ng_emit(l->e, NG_LOAD(BPF_W, NG_LOW_DATA, BPF_REG_1,
				      tc ? offsetof(struct __sk_buff, data)
					 : offsetof(struct xdp_md, data)));
		ng_emit(l->e, NG_LOAD(BPF_W, NG_LOW_END, BPF_REG_1,
				      tc ? offsetof(struct __sk_buff, data_end)
					 : offsetof(struct xdp_md, data_end)));
	}
	if (tagged)
		ng_low_goto(l, NG_JUMP32_I(BPF_JNE, BPF_REG_0, 0, 0), NG_L_TAGGED);
	ng_emit_label(l->e, l->first_label + NG_L_UNTAGGED);
	write_copy(l, NG_COPY_DIRECT);
	if (tagged && !l->ret) {
		ng_emit_label(l->e, l->first_label + NG_L_TAGGED);
		load_vlan(l, BPF_REG_2, offsetof(struct __sk_buff, vlan_present));
		ng_low_goto(l, NG_JUMP32_I(BPF_JEQ, BPF_REG_2, 0, 0), NG_L_UNTAGGED);
		write_copy(l, NG_COPY_TAGGED);
	}
	if (!l->ret && ng_emit_label_used(l->e, l->first_label + NG_L_SHORT))
		write_short(l);
}

int ng_lower(struct ng_emit *e, struct ng_ir *ir, const struct ng_lower_to *to,
	     const struct ng_table *tables, size_t first_label)
{
	struct ng_low l = {
		.e = e,
		.ir = ir,
		.to = to,
		.tables = tables,
		.first_label = first_label,
	};

	if ((__u64)ir->n_blocks * ir->n_values > BITS_MAX)
		return -E2BIG;
	l.entry = calloc(ir->n_blocks, sizeof(*l.entry));
	l.bound = ng_low_bounds(ir);
	l.ret = l.entry && l.bound ? ng_wants_init(&l.wants, ir) : -ENOMEM;
	if (!l.ret)
		write_all(&l);
	ng_wants_free(&l.wants);
	free(l.entry);
	free(l.bound);
	return l.ret;
}
