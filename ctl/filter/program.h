/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter as a program of its own, without a gate around it: what any loader of BPF can attach to
 * XDP or tc. Pure.
 */
#ifndef NG_CTL_FILTER_PROGRAM_H
#define NG_CTL_FILTER_PROGRAM_H

#include "ctl/filter/filter.h"

/* What becomes of packets that match; of all others, the opposite. */
enum ng_match { NG_MATCH_DROP, NG_MATCH_PASS, NG_MATCH_MAX };

/*
 * body: of ng_filter_translate() for the same ctx. Verdicts: XDP_DROP and XDP_PASS; TC_ACT_SHOT and
 * TC_ACT_UNSPEC, which leaves the packet to the filters behind this one. -E2BIG with *err: a jump
 * would be too long.
 */
int ng_filter_program(const struct ng_ebpf *body, enum ng_filter_ctx ctx, enum ng_match match,
		      struct ng_ebpf *out, struct ng_error *err);

#endif
