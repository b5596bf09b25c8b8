/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a packet, at every hook. */
#ifndef NG_XDP_PIPELINE_BPF_H
#define NG_XDP_PIPELINE_BPF_H

#include "maps/acl.bpf.h"
#include "maps/control.bpf.h"
#include "maps/counters.bpf.h"
#include "maps/tap.bpf.h"

static __always_inline __u32 ng_pipeline(void *ctx, __u32 bytes)
{
	const struct ng_control *control = ng_control_get();
	__u32 verdict = control ? control->default_verdict : NG_PASS;

	if (!ng_tap_only)
		ng_counter_add(&ng_counters, NG_COUNTER_INDEX(verdict & 1, NG_R_DEFAULT), bytes);
#pragma unroll
	for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
		if (ng_taps & (1U << slot))
			ng_tap_filter(ctx, slot);
	return verdict;
}

#endif
