/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places of a whole program that call the filter stub, and what code in the place of such a
 * call may rely on. Pure: reads instructions as libbpf has them before the load.
 *
 *	r1 = <ctx>	the host keeps it in r6..r9, or in 8 bytes of its stack frame
 *	r2 = <slot>	a constant
 *	r3 = <length>	kept like ctx
 *	call <stub>	answers in r0, takes r1..r5 away
 *
 * Code that replaces the call finds r1..r3 as the call would, leaves its answer in r0, may use
 * r0..r5 and the host's stack below stack_free, and ends by falling through. To call the stub after
 * all it fetches ctx and length from their places: those hold until then.
 */
#ifndef NG_CTL_FILTER_SITE_H
#define NG_CTL_FILTER_SITE_H

#include "ctl/filter/filter.h"

enum ng_place_kind { NG_PLACE_NONE, NG_PLACE_REG, NG_PLACE_STACK };

/* Where the host keeps a value. */
struct ng_place {
	enum ng_place_kind kind;
	int reg; /* r6..r9 */
	int off; /* of 8 bytes, from r10 */
};

struct ng_site {
	size_t call; /* the instruction */
	int slot;    /* -1: not known */
	struct ng_place ctx, len;
	int stack_free; /* the host's frame is used down to here from r10: 0, -8 .. */
};

/*
 * The calls of the subprogram that starts at `stub`, in order; a place that straight code before the
 * call does not tell is NG_PLACE_NONE. Returns how many there are, the first `max` of them in
 * sites, or -ENOMEM.
 */
long ng_sites_find(const struct bpf_insn *insns, size_t n, size_t stub, struct ng_site *sites,
		   size_t max);
static inline bool ng_site_is_known(const struct ng_site *s)
{
	return s->slot >= 0 && s->ctx.kind != NG_PLACE_NONE && s->len.kind != NG_PLACE_NONE;
}

/* How many calls of the stub, still with imm NG_CALL_STUB, code for a call site has. */
size_t ng_site_calls(const struct bpf_insn *insns, size_t n);
/* Makes those in [start, end) of a whole program lead to the stub, when nothing moves any more. */
void ng_site_link(struct bpf_insn *insns, size_t start, size_t end, size_t stub);

/*
 * The lowest offset from r10 that these instructions may use, rounded down to 8; 0: none. Where the
 * frame's address is taken, every register that a negative constant is added to counts as one that
 * holds it.
 */
int ng_frame_depth(const struct bpf_insn *insns, size_t n);

#endif
