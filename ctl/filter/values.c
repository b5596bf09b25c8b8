// SPDX-License-Identifier: GPL-2.0-only
/* Values in registers: computing, keeping, giving up. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "ctl/filter/lowering.h"
#include "ctl/filter/meta.h"

#define TAG_BYTES    4
#define BEHIND_TAG   (NG_TAG_AT + TAG_BYTES)
#define DIRECT_MAX   0x7fff /* the offset in a load instruction is signed 16 bits */
#define FRAME_MAX    512
/*
 * How often a value may be computed, on average. What is lost is computed again from what may be
 * lost as well: where many values are in use that goes on for ever.
 */
#define COMPUTED_MAX 4

static const unsigned int bpf_size[] = { [1] = BPF_B, [2] = BPF_H, [4] = BPF_W };

static void put(struct ng_low *l, struct bpf_insn insn)
{
	ng_emit(l->e, insn);
}

/* Places of bytes */

enum ng_low_place ng_low_place(const struct ng_low *l, const struct ng_value *v)
{
	__u64 end = (__u64)v->k + v->size;

	if (end > DIRECT_MAX)
		return NG_LOW_NOWHERE;
	if (l->copy == NG_COPY_DIRECT)
		return NG_LOW_MEMORY;
	if (v->a) /* the address may be 0 */
		return v->k >= BEHIND_TAG ? NG_LOW_MEMORY : NG_LOW_NOWHERE;
	if (end <= NG_TAG_AT || v->k >= BEHIND_TAG)
		return NG_LOW_MEMORY;
	return v->k >= NG_TAG_AT && end <= BEHIND_TAG ? NG_LOW_TAG : NG_LOW_NOWHERE;
}

__u32 ng_low_offset(const struct ng_low *l, const struct ng_value *v)
{
	return l->copy == NG_COPY_TAGGED && v->k >= BEHIND_TAG ? v->k - TAG_BYTES : v->k;
}

/* The pool */

void ng_low_pin(struct ng_low *l, int reg)
{
	l->pins |= 1u << reg;
}

/* Higher: dearer to lose. */
static int worth(const struct ng_low *l, ng_val v)
{
	const struct ng_value *value = &l->ir->value[v];

	if (!v || (!l->wants.uses[v] && !ng_wants_later(&l->wants, l->block, v)))
		return 0;
	if (value->op == NG_V_CONST)
		return 1;
	if (value->op == NG_V_PTR)
		return 1000;
	return 2 * value->height + (value->a && value->op == NG_V_LOAD ? 1 : 0);
}

int ng_low_take(struct ng_low *l)
{
	int best = -1, least = 0;

	for (size_t i = 0; i < l->to->pool_size; i++) {
		int w = worth(l, l->now.val[i]);

		if (l->pins & 1u << l->to->pool[i] || (best >= 0 && w >= least))
			continue;
		best = (int)i;
		least = w;
	}
	if (best < 0) {
		if (!l->ret)
			l->ret = -E2BIG;
		return l->to->pool[0];
	}
	l->now.val[best] = 0;
	l->now.guard[best] = 0;
	return l->to->pool[best];
}

static void bind(struct ng_low *l, int reg, ng_val v)
{
	for (size_t i = 0; i < l->to->pool_size; i++) {
		if (l->to->pool[i] != reg)
			continue;
		l->now.val[i] = v;
		l->now.guard[i] = 0;
	}
}

/* The last use of v in this block, and none behind it? */
static bool is_last_use(const struct ng_low *l, ng_val v)
{
	return l->wants.uses[v] <= 1 && !ng_wants_later(&l->wants, l->block, v);
}

/* A register that holds v and may be changed; it holds nothing from then on. */
static int own(struct ng_low *l, ng_val v)
{
	int reg = ng_low_get(l, v), place = ng_regs_find(&l->now, l->to->pool_size, v), copy;

	if (place >= 0 && is_last_use(l, v) && !(l->pins & 1u << reg)) {
		l->now.val[place] = 0;
		return reg;
	}
	ng_low_pin(l, reg);
	copy = ng_low_take(l);
	put(l, NG_MOV32(copy, reg));
	return copy;
}

/* Around the packet */

/* The register that holds the context; loaded where it lies in the frame. */
static int packet_reg(struct ng_low *l, int scratch)
{
	if (l->to->packet.kind == NG_PLACE_REG)
		return l->to->packet.reg;
	put(l, NG_LOAD(BPF_DW, scratch, BPF_REG_10, l->to->packet.off));
	return scratch;
}

void ng_low_load_packet(struct ng_low *l, int reg, size_t offset)
{
	put(l, NG_LOAD(BPF_W, reg, packet_reg(l, reg), offset));
}

void ng_low_load_len(struct ng_low *l, int reg)
{
	if (l->to->len.kind == NG_PLACE_REG)
		put(l, NG_MOV(reg, l->to->len.reg));
	else
		put(l, NG_LOAD(BPF_DW, reg, BPF_REG_10, l->to->len.off));
}

void ng_low_load_meta(struct ng_low *l, int reg, __u32 number)
{
	struct ng_meta_source source = ng_meta_source(number, l->to->ctx);

	if (source.kind == NG_META_FIELD)
		ng_low_load_packet(l, reg, source.value);
	else
		put(l, NG_MOV32_I(reg, source.value));
}

int ng_low_phi_slot(struct ng_low *l, ng_val phi)
{
	int slot = (l->to->stack_free & ~7) - 4 * (int)(l->ir->value[phi].k + 1);

	if (slot < -FRAME_MAX && !l->ret)
		l->ret = -E2BIG;
	return slot;
}

void ng_low_guard(struct ng_low *l, ng_val base, __u32 bytes)
{
	int reg = base ? ng_low_get(l, base) : NG_LOW_DATA, tmp;
	int place = base ? ng_regs_find(&l->now, l->to->pool_size, base) : -1;
	__u32 *there = base && place >= 0 ? &l->now.guard[place] : &l->now.bytes;
	unsigned int pins = l->pins;
	size_t fail;

	if (*there >= bytes)
		return;
	bytes = ng_low_guarded(l, base, bytes, &fail);
	ng_low_pin(l, reg);
	tmp = ng_low_take(l);
	l->pins = pins;
	put(l, NG_MOV(tmp, reg));
	put(l, NG_ALU_I(BPF_ADD, tmp, bytes));
	ng_low_goto(l, NG_JUMP(BPF_JGT, tmp, NG_LOW_END, 0), fail);
	*there = bytes;
}

/* Computing */

static void to_host(struct ng_low *l, int reg, unsigned int size)
{
	if (size > 1)
		put(l, NG_TO_HOST(reg, 8 * size));
}

/* Bytes of the tag in metadata, as a number; vlan_proto is in network order. */
static int load_tag(struct ng_low *l, const struct ng_value *v)
{
	unsigned int behind = BEHIND_TAG - v->k - v->size, pins = l->pins;
	int reg = ng_low_take(l), tci;

	if (v->size == 2 && behind == 2) {
		ng_low_load_packet(l, reg, offsetof(struct __sk_buff, vlan_proto));
		put(l, NG_TO_HOST(reg, 16));
		return reg;
	}
	if (behind >= 2) {
		ng_low_load_packet(l, reg, offsetof(struct __sk_buff, vlan_proto));
		put(l, NG_TO_HOST(reg, 16));
		behind -= 2;
	} else if (v->k >= NG_TAG_AT + 2) {
		ng_low_load_packet(l, reg, offsetof(struct __sk_buff, vlan_tci));
	} else {
		ng_low_load_packet(l, reg, offsetof(struct __sk_buff, vlan_proto));
		put(l, NG_TO_HOST(reg, 16));
		put(l, NG_ALU32_I(BPF_LSH, reg, 16));
		ng_low_pin(l, reg);
		tci = ng_low_take(l);
		l->pins = pins;
		ng_low_load_packet(l, tci, offsetof(struct __sk_buff, vlan_tci));
		put(l, NG_ALU32(BPF_OR, reg, tci));
	}
	if (behind)
		put(l, NG_ALU32_I(BPF_RSH, reg, 8 * behind));
	if (v->size < 4)
		put(l, NG_ALU32_I(BPF_AND, reg, v->size == 2 ? 0xffff : 0xff));
	return reg;
}

static int load_memory(struct ng_low *l, const struct ng_value *v)
{
	__u32 offset = ng_low_offset(l, v);
	int base = NG_LOW_DATA, reg;
	unsigned int pins = l->pins;

	ng_low_guard(l, v->a, offset + v->size);
	if (v->a)
		base = ng_low_get(l, v->a);
	ng_low_pin(l, base);
	reg = ng_low_take(l);
	l->pins = pins;
	put(l, NG_LOAD(bpf_size[v->size], reg, base, offset));
	return reg;
}

static int compute_load(struct ng_low *l, struct ng_value v)
{
	bool raw = v.op == NG_V_RAW;
	int reg;

	switch (ng_low_place(l, &v)) {
	case NG_LOW_TAG:
		if (raw && v.k == NG_TAG_AT && v.size == 2) {
			reg = ng_low_take(l);
			ng_low_load_packet(l, reg, offsetof(struct __sk_buff, vlan_proto));
			return reg;
		}
		reg = load_tag(l, &v);
		if (raw)
			to_host(l, reg, v.size); /* there and back are the same */
		return reg;
	case NG_LOW_MEMORY:
		reg = load_memory(l, &v);
		if (!raw)
			to_host(l, reg, v.size);
		return reg;
	default:
		l->ret = -EPROTO; /* the block would have left this copy */
		return l->to->pool[0];
	}
}

/*
 * A bound that the verifier finds too; it knows nothing about what comes from the frame or the
 * context, nor much about divisions.
 */
static __u32 verifiable_max(const struct ng_ir *ir, const __u32 *max, const struct ng_value *v)
{
	if (v->op == NG_V_CONST || v->op == NG_V_LOAD)
		return v->max;
	if (v->op != NG_V_ALU)
		return ~0u;
	if (v->alu == BPF_ADD)
		return ng_ir_alu_max(BPF_ADD, max[v->a], max[v->b], false);
	if (ir->value[v->b].op != NG_V_CONST ||
	    (v->alu != BPF_AND && v->alu != BPF_LSH && v->alu != BPF_RSH))
		return ~0u;
	return ng_ir_alu_max(v->alu, max[v->a], max[v->b], true);
}

/* What a value is made of stands before it in the table. */
__u32 *ng_low_bounds(const struct ng_ir *ir)
{
	__u32 *max = calloc(ir->n_values, sizeof(*max));

	for (ng_val v = 1; max && v < ir->n_values; v++)
		max[v] = verifiable_max(ir, max, &ir->value[v]);
	return max;
}

static int compute_address(struct ng_low *l, const struct ng_value *v)
{
	int reg = own(l, v->a);

	if (l->bound[v->a] > DIRECT_MAX)
		ng_low_goto(l, NG_JUMP_I(BPF_JGT, reg, DIRECT_MAX, 0), NG_L_HELPER);
	put(l, NG_ALU(BPF_ADD, reg, NG_LOW_DATA));
	return reg;
}

/* Shifts by 32 and more give 0; the machine would take the shift modulo 32. */
static void put_alu(struct ng_low *l, unsigned int op, int to, int by)
{
	if (op == BPF_LSH || op == BPF_RSH) {
		put(l, NG_JUMP32_I(BPF_JLT, by, 32, 2));
		put(l, NG_MOV32_I(to, 0));
		put(l, NG_JA(1));
	}
	put(l, NG_ALU32(op, to, by));
}

static int compute_alu(struct ng_low *l, const struct ng_value *v)
{
	unsigned int pins = l->pins;
	int reg, by;
	__u32 k;

	if (ng_ir_is_const(l->ir, v->b, &k)) {
		reg = own(l, v->a);
		put(l, NG_ALU32_I(v->alu, reg, k));
		return reg;
	}
	if (l->ir->value[v->a].height > l->ir->value[v->b].height)
		ng_low_pin(l, ng_low_get(l, v->a));
	by = ng_low_get(l, v->b);
	l->pins = pins;
	ng_low_pin(l, by);
	reg = own(l, v->a);
	put_alu(l, v->alu, reg, by);
	return reg;
}

static int compute(struct ng_low *l, ng_val number)
{
	const struct ng_value v = l->ir->value[number];
	int reg;

	switch (v.op) {
	case NG_V_LOAD:
	case NG_V_RAW:
		return compute_load(l, v);
	case NG_V_PTR:
		return compute_address(l, &v);
	case NG_V_ALU:
		return compute_alu(l, &v);
	case NG_V_NEG:
		reg = own(l, v.a);
		put(l, NG_ALU32_I(BPF_NEG, reg, 0));
		return reg;
	default:
		break;
	}
	reg = ng_low_take(l);
	if (v.op == NG_V_LEN)
		ng_low_load_len(l, reg);
	else if (v.op == NG_V_META)
		ng_low_load_meta(l, reg, v.k);
	else if (v.op == NG_V_PHI)
		put(l, NG_LOAD(BPF_W, reg, BPF_REG_10, ng_low_phi_slot(l, number)));
	else
		put(l, NG_MOV32_I(reg, v.k));
	return reg;
}

int ng_low_get(struct ng_low *l, ng_val v)
{
	int place = ng_regs_find(&l->now, l->to->pool_size, v);
	unsigned int pins = l->pins;
	int reg;

	if (place >= 0)
		return l->to->pool[place];
	if (l->ir->value[v].op == NG_V_LEN && l->to->len.kind == NG_PLACE_REG)
		return l->to->len.reg;
	if (++l->computed > COMPUTED_MAX * (l->ir->n_values + l->ir->n_blocks) && !l->ret)
		l->ret = -E2BIG;
	if (l->ret)
		return l->to->pool[0];
	reg = compute(l, v);
	l->pins = pins;
	bind(l, reg, v);
	return reg;
}
