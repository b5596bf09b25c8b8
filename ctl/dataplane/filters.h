/* SPDX-License-Identifier: GPL-2.0-only */
/* What lies at the tc hooks by other means than TCX:
 * the cls_bpf filters of clsact, by an rtnetlink dump. */
#ifndef NG_CTL_DATAPLANE_FILTERS_H
#define NG_CTL_DATAPLANE_FILTERS_H

#include "maps/abi.h"

struct ng_tc_filter {
	char kind[16]; /* "bpf", "flower", .. */
	char name[64]; /* of a bpf filter, as given when it was attached */
	__u32 handle, prio, prog_id;
};

/* Calls fn for each filter of a tc hook until it returns non-zero, which is returned.
 * 0 without clsact. -errno. */
int ng_tc_filters_each(unsigned int ifindex, enum ng_hook hook,
		       int (*fn)(const struct ng_tc_filter *filter, void *arg), void *arg);

#endif
