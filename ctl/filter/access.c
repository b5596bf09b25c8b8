// SPDX-License-Identifier: GPL-2.0-only
/* Packet loads of a translated filter: from linear memory,
 * with the VLAN tag in metadata, by helper call. */
#include "ctl/filter/access.h"

#include <stddef.h>

#include "ctl/filter/meta.h"

#define MAC_BYTES    12 /* in front of the VLAN tag */
#define TAG_BYTES    4
#define BEHIND_TAG   (MAC_BYTES + TAG_BYTES)
#define DIRECT_MAX   0x7fff /* the offset in a load instruction is signed 16 bits */
#define VARIABLE_MAX 0xfff0 /* verifier: packet pointers stay below 0xffff */

static const unsigned int bpf_size[] = { [1] = BPF_B, [2] = BPF_H, [4] = BPF_W };

static void put(struct ng_translation *t, struct bpf_insn insn)
{
	ng_emit(&t->emit, insn);
}

void ng_goto(struct ng_translation *t, struct bpf_insn insn, size_t label)
{
	ng_emit_jump(&t->emit, insn, t->first_label + label);
}

static void load_ctx(struct ng_translation *t, unsigned int reg, size_t offset)
{
	put(t, NG_LOAD(BPF_W, reg, NG_REG_CTX, offset));
}

#define SKB(field) offsetof(struct __sk_buff, field)
#define XDP(field) offsetof(struct xdp_md, field)

static void data_pointers(struct ng_translation *t)
{
	bool tc = t->ctx != NG_CTX_XDP;

	load_ctx(t, NG_REG_DATA, tc ? SKB(data) : XDP(data));
	load_ctx(t, NG_REG_END, tc ? SKB(data_end) : XDP(data_end));
}

void ng_access_begin(struct ng_translation *t)
{
	if (t->cfg.uses_bytes || t->cfg.uses_meta)
		put(t, NG_MOV(NG_REG_CTX, BPF_REG_1));
	if (t->cfg.uses_bytes || t->cfg.uses_len || t->cfg.has_loops)
		put(t, NG_STORE(BPF_W, BPF_REG_10, NG_FP_LEN, BPF_REG_3));
}

static void wire_length(struct ng_translation *t, unsigned int reg)
{
	put(t, NG_LOAD(BPF_W, reg, BPF_REG_10, NG_FP_LEN));
}

static void prepare_direct(struct ng_translation *t)
{
	if (!t->cfg.uses_bytes)
		return;
	if (t->ctx != NG_CTX_XDP && t->copy == NG_COPY_DIRECT) {
		load_ctx(t, BPF_REG_1, SKB(vlan_present));
		ng_goto(t, NG_JUMP_I(BPF_JNE, BPF_REG_1, 0, 0), NG_L_TAGGED);
	}
	data_pointers(t);
}

/* r0 = 0, or an error when the packet ends before; r2 = offset in memory. */
static void call_load(struct ng_translation *t, int to, unsigned int size)
{
	put(t, NG_MOV(BPF_REG_1, NG_REG_CTX));
	put(t, NG_MOV(BPF_REG_3, BPF_REG_10));
	put(t, NG_ALU_I(BPF_ADD, BPF_REG_3, to));
	put(t, NG_MOV_I(BPF_REG_4, size));
	put(t, NG_CALL(t->ctx != NG_CTX_XDP ? BPF_FUNC_skb_load_bytes : BPF_FUNC_xdp_load_bytes));
}

static void call_load_at(struct ng_translation *t, unsigned int from, int to, unsigned int size)
{
	put(t, NG_MOV_I(BPF_REG_2, from));
	call_load(t, to, size);
}

/* reg = the tag as a number: TPID in the upper half, TCI in the lower. */
static void tag_number(struct ng_translation *t, unsigned int reg, unsigned int scratch)
{
	load_ctx(t, reg, SKB(vlan_proto));
	put(t, NG_TO_HOST(reg, 16));
	put(t, NG_ALU32_I(BPF_LSH, reg, 16));
	load_ctx(t, scratch, SKB(vlan_tci));
	put(t, NG_ALU32(BPF_OR, reg, scratch));
}

/*
 * The bytes on the wire around the tag, as two numbers of eight bytes: a load that touches the tag
 * is a shift and a mask of one of them, also at an offset only known at run time (stack reads must
 * have constant ones). A packet may end behind its ethertype: bytes read beyond the end are never
 * used.
 */
static void wire_window(struct ng_translation *t)
{
	call_load_at(t, MAC_BYTES - 4, NG_FP_BYTES, 4);
	put(t, NG_LOAD(BPF_W, BPF_REG_5, BPF_REG_10, NG_FP_BYTES));
	put(t, NG_TO_HOST(BPF_REG_5, 32));
	put(t, NG_ALU_I(BPF_LSH, BPF_REG_5, 32));
	tag_number(t, BPF_REG_1, BPF_REG_2);
	put(t, NG_ALU(BPF_OR, BPF_REG_5, BPF_REG_1));
	put(t, NG_STORE(BPF_DW, BPF_REG_10, NG_FP_WIRE_8, BPF_REG_5));

	put(t, NG_STORE_I(BPF_W, BPF_REG_10, NG_FP_BYTES, 0));
	call_load_at(t, MAC_BYTES, NG_FP_BYTES, 2);
	call_load_at(t, MAC_BYTES + 2, NG_FP_BYTES + 2, 1);
	put(t, NG_LOAD(BPF_W, BPF_REG_5, BPF_REG_10, NG_FP_BYTES));
	put(t, NG_TO_HOST(BPF_REG_5, 32));
	tag_number(t, BPF_REG_1, BPF_REG_2);
	put(t, NG_ALU_I(BPF_LSH, BPF_REG_1, 32));
	put(t, NG_ALU(BPF_OR, BPF_REG_5, BPF_REG_1));
	put(t, NG_STORE(BPF_DW, BPF_REG_10, NG_FP_WIRE_12, BPF_REG_5));
}

static void prepare_helper(struct ng_translation *t)
{
	size_t untagged;

	wire_length(t, NG_REG_LEN);
	if (t->ctx == NG_CTX_XDP)
		return;
	put(t, NG_STORE_I(BPF_DW, BPF_REG_10, NG_FP_WIRE_8, 0));
	put(t, NG_STORE_I(BPF_DW, BPF_REG_10, NG_FP_WIRE_12, 0));
	load_ctx(t, NG_REG_TAG, SKB(vlan_present));
	untagged = ng_emit_ahead(&t->emit, NG_JUMP_I(BPF_JEQ, NG_REG_TAG, 0, 0));
	put(t, NG_MOV_I(NG_REG_TAG, TAG_BYTES));
	wire_window(t);
	ng_emit_land(&t->emit, untagged);
}

void ng_access_prepare(struct ng_translation *t)
{
	if (t->copy == NG_COPY_HELPER)
		prepare_helper(t);
	else
		prepare_direct(t);
}

/* In XDP, all that was on the wire is in memory. */
void ng_access_short(struct ng_translation *t)
{
	if (t->ctx == NG_CTX_XDP)
		wire_length(t, BPF_REG_0);
	else
		load_ctx(t, BPF_REG_0, SKB(len));
	put(t, NG_MOV(BPF_REG_1, NG_REG_END));
	put(t, NG_ALU(BPF_SUB, BPF_REG_1, NG_REG_DATA));
	ng_goto(t, NG_JUMP(BPF_JEQ, BPF_REG_0, BPF_REG_1, 0), NG_L_REJECT);
}

static bool is_in_tag(__u64 from, __u64 to)
{
	return from >= MAC_BYTES && to <= BEHIND_TAG;
}

static bool is_beside_tag(__u64 from, __u64 to)
{
	return to <= MAC_BYTES || from >= BEHIND_TAG;
}

unsigned int ng_access_size(const struct ng_translation *t, const struct sock_filter *f)
{
	return ng_op_of(f) == NG_OP_IN6 ? 4 * t->cfg.sets[NG_IN6_SET(f->k)].words : ng_op_size(f);
}

/* The constant part of the offset. */
static __u32 offset_of(const struct sock_filter *f)
{
	return ng_op_of(f) == NG_OP_IN6 ? NG_IN6_AT(f->k) : f->k;
}

bool ng_access_possible(const struct ng_translation *t, const struct sock_filter *f)
{
	__u32 from = offset_of(f);
	__u64 end = (__u64)from + ng_access_size(t, f);

	if (t->copy == NG_COPY_HELPER)
		return true;
	if (end > DIRECT_MAX)
		return false;
	return t->copy == NG_COPY_DIRECT || ng_op_of(f) == NG_OP_IND || is_in_tag(from, end) ||
	       is_beside_tag(from, end);
}

/* Where the filter's offset lies in memory. */
static unsigned int memory_offset(const struct ng_translation *t, unsigned int k)
{
	return t->copy == NG_COPY_TAGGED && k >= BEHIND_TAG ? k - TAG_BYTES : k;
}

unsigned int ng_access_needs(const struct ng_translation *t, const struct sock_filter *f)
{
	unsigned int size = ng_access_size(t, f);
	__u32 from = offset_of(f);

	if (t->copy == NG_COPY_HELPER || size == 0 || ng_op_of(f) == NG_OP_IND)
		return 0;
	if (t->copy == NG_COPY_TAGGED && is_in_tag(from, from + size))
		return 0;
	return memory_offset(t, from) + size;
}

void ng_access_guard(struct ng_translation *t, unsigned int bytes)
{
	put(t, NG_MOV(BPF_REG_1, NG_REG_DATA));
	put(t, NG_ALU_I(BPF_ADD, BPF_REG_1, bytes));
	ng_goto(t, NG_JUMP(BPF_JGT, BPF_REG_1, NG_REG_END, 0), NG_L_SHORT);
}

static void to_host(struct ng_translation *t, unsigned int reg, unsigned int size)
{
	if (size > 1)
		put(t, NG_TO_HOST(reg, 8 * size));
}

/* Keeps `size` bytes of a number that lie `behind` bytes before its end. */
static void extract(struct ng_translation *t, unsigned int reg, unsigned int behind,
		    unsigned int size)
{
	if (behind)
		put(t, NG_ALU_I(BPF_RSH, reg, 8 * behind));
	if (size == 4)
		put(t, NG_MOV32(reg, reg));
	else
		put(t, NG_ALU32_I(BPF_AND, reg, size == 2 ? 0xffff : 0xff));
}

static void direct_constant(struct ng_translation *t, unsigned int reg, const struct sock_filter *f)
{
	unsigned int size = ng_op_size(f);

	if (t->copy == NG_COPY_TAGGED && is_in_tag(f->k, f->k + size)) {
		tag_number(t, reg, BPF_REG_1);
		extract(t, reg, BEHIND_TAG - f->k - size, size);
		return;
	}
	put(t, NG_LOAD(bpf_size[size], reg, NG_REG_DATA, memory_offset(t, f->k)));
	to_host(t, reg, size);
}

static void direct_variable(struct ng_translation *t, const struct sock_filter *f)
{
	unsigned int size = ng_op_size(f);

	put(t, NG_MOV32(BPF_REG_1, NG_REG_X));
	put(t, NG_ALU_I(BPF_ADD, BPF_REG_1, f->k));
	ng_goto(t, NG_JUMP_I(BPF_JGT, BPF_REG_1, VARIABLE_MAX, 0), NG_L_HELPER);
	/*
	 * In this order: of an offset whose low bits are known to be 0 the verifier keeps the value
	 * 0 below the upper bound, even when a lower one has been passed before.
	 */
	if (t->copy == NG_COPY_TAGGED)
		ng_goto(t, NG_JUMP_I(BPF_JLT, BPF_REG_1, BEHIND_TAG, 0), NG_L_HELPER);
	if (t->copy == NG_COPY_TAGGED)
		put(t, NG_ALU_I(BPF_SUB, BPF_REG_1, TAG_BYTES));
	put(t, NG_ALU(BPF_ADD, BPF_REG_1, NG_REG_DATA));
	put(t, NG_MOV(BPF_REG_2, BPF_REG_1));
	put(t, NG_ALU_I(BPF_ADD, BPF_REG_2, size));
	ng_goto(t, NG_JUMP(BPF_JGT, BPF_REG_2, NG_REG_END, 0), NG_L_SHORT);
	put(t, NG_LOAD(bpf_size[size], NG_REG_A, BPF_REG_1, 0));
	to_host(t, NG_REG_A, size);
}

/* r2 = offset on the wire, r3 = end of the load there. */
static void wire_offset(struct ng_translation *t, const struct sock_filter *f)
{
	if (ng_op_of(f) != NG_OP_IND) {
		put(t, NG_MOV32_I(BPF_REG_2, f->k));
	} else {
		put(t, NG_MOV32(BPF_REG_2, NG_REG_X));
		put(t, NG_MOV32_I(BPF_REG_3, f->k));
		put(t, NG_ALU(BPF_ADD, BPF_REG_2, BPF_REG_3));
	}
	put(t, NG_MOV(BPF_REG_3, BPF_REG_2));
	put(t, NG_ALU_I(BPF_ADD, BPF_REG_3, ng_op_size(f)));
}

static void window_constant(struct ng_translation *t, unsigned int k, unsigned int size)
{
	bool first = k + size <= BEHIND_TAG;

	put(t, NG_LOAD(BPF_DW, NG_REG_A, BPF_REG_10, first ? NG_FP_WIRE_8 : NG_FP_WIRE_12));
	extract(t, NG_REG_A, BEHIND_TAG + (first ? 0 : 4) - k - size, size);
}

/* Without a branch: the verifier would follow both ways to the end of the filter. */
static void window_variable(struct ng_translation *t, unsigned int size)
{
	put(t, NG_MOV_I(BPF_REG_4, BEHIND_TAG));
	put(t, NG_ALU(BPF_SUB, BPF_REG_4, BPF_REG_3));
	put(t, NG_MOV(BPF_REG_5, BPF_REG_4));
	put(t, NG_ALU_I(BPF_ARSH, BPF_REG_5, 63)); /* all ones: it ends behind the tag */
	put(t, NG_LOAD(BPF_DW, NG_REG_A, BPF_REG_10, NG_FP_WIRE_8));
	put(t, NG_LOAD(BPF_DW, BPF_REG_1, BPF_REG_10, NG_FP_WIRE_12));
	put(t, NG_ALU(BPF_XOR, BPF_REG_1, NG_REG_A));
	put(t, NG_ALU(BPF_AND, BPF_REG_1, BPF_REG_5));
	put(t, NG_ALU(BPF_XOR, NG_REG_A, BPF_REG_1));
	put(t, NG_ALU_I(BPF_AND, BPF_REG_5, 4));
	put(t, NG_ALU(BPF_ADD, BPF_REG_4, BPF_REG_5));
	put(t, NG_ALU_I(BPF_LSH, BPF_REG_4, 3));
	put(t, NG_ALU(BPF_RSH, NG_REG_A, BPF_REG_4));
	extract(t, NG_REG_A, 0, size);
}

/* A = what a helper call loads from r2. */
static void load_by_call(struct ng_translation *t, unsigned int size)
{
	call_load(t, NG_FP_BYTES, size);
	ng_goto(t, NG_JUMP_I(BPF_JNE, BPF_REG_0, 0, 0), NG_L_REJECT);
	put(t, NG_LOAD(bpf_size[size], NG_REG_A, BPF_REG_10, NG_FP_BYTES));
	to_host(t, NG_REG_A, size);
}

static void tagged_constant(struct ng_translation *t, const struct sock_filter *f)
{
	unsigned int size = ng_op_size(f);
	size_t untagged, done;

	if (is_beside_tag(f->k, (__u64)f->k + size)) {
		if (f->k >= BEHIND_TAG)
			put(t, NG_ALU(BPF_SUB, BPF_REG_2, NG_REG_TAG));
		load_by_call(t, size);
		return;
	}
	untagged = ng_emit_ahead(&t->emit, NG_JUMP_I(BPF_JEQ, NG_REG_TAG, 0, 0));
	window_constant(t, f->k, size);
	done = ng_emit_ahead(&t->emit, NG_JA(0));
	ng_emit_land(&t->emit, untagged);
	load_by_call(t, size);
	ng_emit_land(&t->emit, done);
}

static void tagged_variable(struct ng_translation *t, unsigned int size)
{
	struct ng_emit *e = &t->emit;
	size_t untagged = ng_emit_ahead(e, NG_JUMP_I(BPF_JEQ, NG_REG_TAG, 0, 0));
	size_t beside, done;

	put(t, NG_MOV(BPF_REG_4, BPF_REG_2)); /* behind the last place that is all before the tag */
	put(t, NG_ALU_I(BPF_SUB, BPF_REG_4, MAC_BYTES + 1 - size));
	beside = ng_emit_ahead(e, NG_JUMP_I(BPF_JGE, BPF_REG_4, TAG_BYTES + size - 1, 0));
	window_variable(t, size);
	done = ng_emit_ahead(e, NG_JA(0));
	ng_emit_land(e, beside);
	put(t, NG_MOV_I(BPF_REG_4, BEHIND_TAG - 1));
	put(t, NG_ALU(BPF_SUB, BPF_REG_4, BPF_REG_2));
	put(t, NG_ALU_I(BPF_ARSH, BPF_REG_4, 63)); /* all ones: behind the tag */
	put(t, NG_ALU_I(BPF_AND, BPF_REG_4, TAG_BYTES));
	put(t, NG_ALU(BPF_SUB, BPF_REG_2, BPF_REG_4));
	ng_emit_land(e, untagged);
	load_by_call(t, size);
	ng_emit_land(e, done);
}

/* A = the load's value; rejects what is not in the packet. */
static void helper_load(struct ng_translation *t, const struct sock_filter *f)
{
	wire_offset(t, f);
	ng_goto(t, NG_JUMP(BPF_JGT, BPF_REG_3, NG_REG_LEN, 0), NG_L_REJECT);
	if (t->ctx == NG_CTX_XDP)
		load_by_call(t, ng_op_size(f));
	else if (ng_op_of(f) == NG_OP_IND)
		tagged_variable(t, ng_op_size(f));
	else
		tagged_constant(t, f);
}

static void header_length(struct ng_translation *t)
{
	put(t, NG_ALU32_I(BPF_AND, NG_REG_X, 0xf));
	put(t, NG_ALU32_I(BPF_LSH, NG_REG_X, 2));
}

static void helper_header_length(struct ng_translation *t, const struct sock_filter *f)
{
	put(t, NG_STORE(BPF_W, BPF_REG_10, NG_FP_SAVED_A, NG_REG_A));
	helper_load(t, f);
	put(t, NG_MOV32(NG_REG_X, NG_REG_A));
	put(t, NG_LOAD(BPF_W, NG_REG_A, BPF_REG_10, NG_FP_SAVED_A));
	header_length(t);
}

/* The words into the frame, as they lie in the packet. */
static void helper_string(struct ng_translation *t, const struct sock_filter *f)
{
	put(t, NG_STORE(BPF_W, BPF_REG_10, NG_FP_SAVED_A, NG_REG_A));
	for (unsigned int i = 0; i < ng_access_size(t, f); i += 4) {
		const struct sock_filter word =
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NG_IN6_AT(f->k) + i);

		helper_load(t, &word);
		to_host(t, NG_REG_A, 4); /* there and back are the same */
		put(t, NG_STORE(BPF_W, BPF_REG_10, NG_FP_STRING + (int)i, NG_REG_A));
	}
	put(t, NG_LOAD(BPF_W, NG_REG_A, BPF_REG_10, NG_FP_SAVED_A));
}

struct ng_string_at ng_access_string(const struct ng_translation *t, const struct sock_filter *f)
{
	if (t->copy == NG_COPY_HELPER)
		return (struct ng_string_at){ BPF_REG_10, NG_FP_STRING };
	return (struct ng_string_at){ NG_REG_DATA, (int)memory_offset(t, NG_IN6_AT(f->k)) };
}

void ng_access_load(struct ng_translation *t, const struct sock_filter *f)
{
	bool msh = ng_op_of(f) == NG_OP_MSH;

	if (!ng_access_possible(t, f)) {
		ng_goto(t, NG_JA(0), NG_L_HELPER);
	} else if (ng_op_of(f) == NG_OP_IN6) {
		if (t->copy == NG_COPY_HELPER)
			helper_string(t, f);
	} else if (t->copy == NG_COPY_HELPER) {
		if (msh)
			helper_header_length(t, f);
		else
			helper_load(t, f);
	} else if (ng_op_of(f) == NG_OP_IND) {
		direct_variable(t, f);
	} else {
		direct_constant(t, msh ? NG_REG_X : NG_REG_A, f);
		if (msh)
			header_length(t);
	}
}

void ng_access_len(struct ng_translation *t, unsigned int reg)
{
	if (t->copy == NG_COPY_HELPER)
		put(t, NG_MOV32(reg, NG_REG_LEN));
	else
		wire_length(t, reg);
}

void ng_access_meta(struct ng_translation *t, const struct sock_filter *f)
{
	struct ng_meta_source source;
	__u32 number;

	ng_meta_is(f->k, &number);
	source = ng_meta_source(number, t->ctx);
	if (source.kind == NG_META_FIELD)
		load_ctx(t, NG_REG_A, source.value);
	else
		put(t, NG_MOV32_I(NG_REG_A, source.value));
}
