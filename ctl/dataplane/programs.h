/* SPDX-License-Identifier: GPL-2.0-only */
/* Every XDP and tc program at an interface as the kernel reports it,
 * ours or not. Pins are not looked at. */
#ifndef NG_CTL_DATAPLANE_PROGRAMS_H
#define NG_CTL_DATAPLANE_PROGRAMS_H

#include <stddef.h>
#include "ctl/dataplane/foreign.h"
#include "ctl/net/net.h"
#include "maps/abi.h"

struct ng_program {
	enum ng_hook hook;
	char mode
		[16]; /* "native", "generic", "offload", "component" (of a dispatcher), "tcx", "clsact" */
	char kind[16]; /* of a tc filter that is no BPF program; else empty */
	__u32 prio;    /* of a tc filter */
	struct ng_prog prog;
};

/* In the order in which packets meet them. *list is the caller's to free. 0 or -errno with *err. */
int ng_programs_list(const struct ng_link *link, struct ng_program **list, size_t *n,
		     struct ng_error *err);

#endif
