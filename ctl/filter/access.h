/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a translated filter reads the packet. A filter has no effects, so it can be begun again: the
 * body holds it up to three times ("copies"), which differ in how they load, and the first whose
 * assumption holds gives the answer.
 *
 *	DIRECT	loads from linear packet memory behind guards. A guard that fails: the packet ends
 *		there (reject), or its rest is not linear (begin again in HELPER).
 *	TAGGED	tc only, the same for a packet whose outer VLAN tag is in metadata: what the filter
 *		calls offset 16 lies at 12 in memory, and bytes 12..15 are made from vlan_proto
 *		and vlan_tci.
 *	HELPER	loads by bpf_xdp_load_bytes() or bpf_skb_load_bytes(): any packet, slower.
 */
#ifndef NG_CTL_FILTER_ACCESS_H
#define NG_CTL_FILTER_ACCESS_H

#include "ctl/filter/cfg.h"
#include "ctl/filter/emit.h"
#include "ctl/filter/table.h"

enum ng_copy { NG_COPY_DIRECT, NG_COPY_TAGGED, NG_COPY_HELPER, NG_COPY_MAX };

/* Registers. In HELPER: R7 the length on the wire, R8 the bytes of the tag in metadata, 0 or 4. */
enum {
	NG_REG_A = BPF_REG_0, /* lost in helper calls */
	NG_REG_CTX = BPF_REG_6,
	NG_REG_DATA = BPF_REG_7,
	NG_REG_LEN = BPF_REG_7,
	NG_REG_END = BPF_REG_8,
	NG_REG_TAG = BPF_REG_8,
	NG_REG_X = BPF_REG_9,
};

/* Stack frame, offsets from R10; M[i] is at NG_FP_MEM + 4 * i. */
enum {
	NG_FP_MEM = -64,
	NG_FP_LEN = -72, /* on the wire, 32 bits */
	NG_FP_SAVED_A = -80,
	NG_FP_BYTES = -88,    /* what a helper call loaded */
	NG_FP_WIRE_8 = -96,   /* bytes 8..15 on the wire of a tagged packet, as a number */
	NG_FP_WIRE_12 = -104, /* bytes 12..19 */
	NG_FP_ROUNDS = -112,  /* jumps back that are left */
	NG_FP_STRING = -128,  /* the words that NG_OP_IN6 looks for */
};

/* Labels behind those of the blocks. */
enum { NG_L_UNTAGGED, NG_L_TAGGED, NG_L_SHORT, NG_L_HELPER, NG_L_REJECT, NG_L_DONE, NG_L_MAX };

/* first_label: of the NG_L_ ones, NG_COPY_MAX times as many as the copy with most blocks has. */
static inline size_t ng_block_label(size_t first_label, enum ng_copy copy, size_t block)
{
	return first_label / NG_COPY_MAX * copy + block;
}

struct ng_translation {
	struct ng_emit emit;
	struct ng_cfg cfg;
	enum ng_filter_ctx ctx;
	enum ng_copy copy;	       /* the one being written */
	bool may_goto;		       /* the kernel knows this instruction */
	struct ng_fast *fast;	       /* for the copies with direct loads; NULL: plain ones */
	const struct ng_table *tables; /* the first ones are of cfg.sets */
	size_t first_label;	       /* of the NG_L_ ones */
};

/* What has to run once before all copies: they find the context in R6 and the length at NG_FP_LEN. */
void ng_access_begin(struct ng_translation *t);
/* What has to run once before a copy: the other registers, the VLAN tag. */
void ng_access_prepare(struct ng_translation *t);
/* Behind the copies with direct loads, where their failed guards lead. */
void ng_access_short(struct ng_translation *t);

/* Bytes of the packet that an instruction reads. */
unsigned int ng_access_size(const struct ng_translation *t, const struct sock_filter *f);
/*
 * Whether the copy being written can execute this load itself; if not, ng_access_load() jumps to
 * HELPER and what stands behind it in the block is out of reach.
 */
bool ng_access_possible(const struct ng_translation *t, const struct sock_filter *f);
/* Bytes of linear memory that a load at a constant offset needs a guard for; 0: none. */
unsigned int ng_access_needs(const struct ng_translation *t, const struct sock_filter *f);
void ng_access_guard(struct ng_translation *t, unsigned int bytes);
/* NG_OP_ABS, NG_OP_IND, NG_OP_MSH, NG_OP_IN6; those at a constant offset stand behind their guard. */
void ng_access_load(struct ng_translation *t, const struct sock_filter *f);
/* Where the words of NG_OP_IN6 lie behind ng_access_load(), which keeps A. */
struct ng_string_at ng_access_string(const struct ng_translation *t, const struct sock_filter *f);
/* NG_OP_LEN */
void ng_access_len(struct ng_translation *t, unsigned int reg);
/* NG_OP_META */
void ng_access_meta(struct ng_translation *t, const struct sock_filter *f);

/*
 * Writes one copy. Behind ng_access_begin(); t->tables is set, and NG_REG_CTX is in place. -ENOMEM.
 */
int ng_plain_copy(struct ng_translation *t, enum ng_copy copy);

/* Jump to one of NG_L_. */
void ng_goto(struct ng_translation *t, struct bpf_insn insn, size_t label);

#endif
