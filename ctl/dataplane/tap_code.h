/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters of a gate's taps on their way into its program: bodies, and code for their calls. */
#ifndef NG_CTL_DATAPLANE_TAP_CODE_H
#define NG_CTL_DATAPLANE_TAP_CODE_H

#include "ctl/dataplane/load.h"

/* By slot; all zero at first. */
struct ng_tap_code {
	const struct ng_cbpf *classic[NG_TAPS_MAX]; /* not owned */
	unsigned int flags[NG_TAPS_MAX];	    /* enum ng_filter_flags */
	struct ng_ebpf body[NG_TAPS_MAX];
	enum ng_filter_ctx ctx;
};

/* *classic must outlive the load. */
int ng_tap_code_add(struct ng_tap_code *c, __u32 slot, enum ng_hook hook,
		    const struct ng_cbpf *classic, unsigned int flags, struct ng_error *err);
/* Has the program made of them; *c must outlive the load. */
void ng_tap_code_use(struct ng_tap_code *c, struct ng_load *load);
void ng_tap_code_free(struct ng_tap_code *c);

#endif
