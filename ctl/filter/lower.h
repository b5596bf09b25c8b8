/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The intermediate representation to eBPF that reads linear packet memory: the fast copies of a
 * filter (access.h: DIRECT, and at tc TAGGED). What they cannot answer goes on in the HELPER copy.
 *
 * Values live in a few registers, as a cache: one that is lost is computed again, for a packet does
 * not change. Only PHIs have a place in the stack frame, too. Where ways meet, a register counts as
 * holding what it holds on all of them; ways that lead to a block have all been written before it.
 *
 * A load stands behind a guard: "the packet's linear part reaches to here". For loads at constant
 * offsets that is a number of bytes from its start, for those at X + k from the address of X, which
 * stays with the register that holds it. A guard asks for as much as every accepting way from there
 * on needs (failed: a linear packet is rejected), or a little more when some way does (failed: the
 * HELPER copy finds out).
 */
#ifndef NG_CTL_FILTER_LOWER_H
#define NG_CTL_FILTER_LOWER_H

#include "ctl/filter/access.h"
#include "ctl/filter/ir.h"
#include "ctl/filter/site.h"
#include "ctl/filter/table.h"

#define NG_POOL_MAX 8

/* What the code is put into. */
struct ng_lower_to {
	enum ng_filter_ctx ctx;
	struct ng_place packet; /* the context; also in r1 at the start */
	struct ng_place len;	/* the length on the wire */
	int stack_free;		/* offset from r10 below which the frame is free */
	bool falls_through;	/* leaves by NG_L_DONE; else by exit */
	__u8 pool[NG_POOL_MAX]; /* registers for values */
	size_t pool_size;
};

/*
 * Writes both copies and what follows a failed guard. Labels: those of the blocks are
 * ng_block_label()s; NG_L_ ones are behind first_label. The caller places NG_L_HELPER, NG_L_REJECT
 * and NG_L_DONE. tables: of ir->set. -E2BIG: too few registers for this filter, or so few that
 * values are lost over and over, or too small a frame; -ENOMEM.
 */
int ng_lower(struct ng_emit *e, struct ng_ir *ir, const struct ng_lower_to *to,
	     const struct ng_table *tables, size_t first_label);

#endif
