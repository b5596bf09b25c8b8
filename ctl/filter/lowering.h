/* SPDX-License-Identifier: GPL-2.0-only */
/* What lower.c (blocks, guards) and values.c (values in registers) share. */
#ifndef NG_CTL_FILTER_LOWERING_H
#define NG_CTL_FILTER_LOWERING_H

#include "ctl/filter/regs.h"

#define NG_LOW_DATA BPF_REG_4
#define NG_LOW_END  BPF_REG_5
#define NG_TAG_AT   12 /* where the outer VLAN tag begins on the wire */

/* Where a copy finds the bytes of a load. */
enum ng_low_place { NG_LOW_MEMORY, NG_LOW_TAG, NG_LOW_NOWHERE };

/*
 * Linear memory that is needed behind a base, by block. least: by all ways that accept; NO_WAY: there
 * is none. most: by any; usual: by any that needs no more than each frame has.
 */
struct ng_need {
	struct ng_need *next;
	ng_val base; /* an address; 0: the packet's start */
	__u32 *least, *most, *usual;
};

struct ng_low {
	struct ng_emit *e;
	struct ng_ir *ir;
	const struct ng_lower_to *to;
	const struct ng_table *tables;
	size_t first_label;
	enum ng_copy copy;
	struct ng_regs *entry; /* by block */
	struct ng_need *needs;
	struct ng_wants wants;
	__u32 *bound;	 /* by value: ng_low_bounds() */
	size_t computed; /* values so far in this copy, each as often as it was */
	size_t block;	 /* the one at hand */
	struct ng_regs now;
	bool falls;	   /* the block written last goes on in the next one */
	unsigned int pins; /* mask of registers that must not be taken */
	int ret;	   /* the first failure */
};

void ng_low_goto(struct ng_low *l, struct bpf_insn insn, size_t label);
/* How many bytes a guard for `bytes` behind base should ask for here, and where it leads when they
 * are not there. */
__u32 ng_low_guarded(struct ng_low *l, ng_val base, __u32 bytes, size_t *fail);

/* By value, what the verifier knows that it is at most; malloc'ed. NULL: out of memory. */
__u32 *ng_low_bounds(const struct ng_ir *ir);

/* v: a LOAD or RAW. */
enum ng_low_place ng_low_place(const struct ng_low *l, const struct ng_value *v);
__u32 ng_low_offset(const struct ng_low *l, const struct ng_value *v); /* behind its base */

/* Registers. All give one that may be named in an instruction also when l->ret is set. */
int ng_low_get(struct ng_low *l, ng_val v); /* that holds v: for reading */
int ng_low_take(struct ng_low *l);	    /* a free one: whatever it held is forgotten */
void ng_low_pin(struct ng_low *l, int reg);
void ng_low_guard(struct ng_low *l, ng_val base, __u32 bytes);
void ng_low_load_packet(struct ng_low *l, int reg,
			size_t offset); /* reg = a field of the context */
void ng_low_load_meta(struct ng_low *l, int reg, __u32 number);
void ng_low_load_len(struct ng_low *l, int reg);
int ng_low_phi_slot(struct ng_low *l, ng_val phi); /* offset from r10 */

#endif
