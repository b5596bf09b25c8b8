/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that are not ours: what they are called and who keeps them there. */
#ifndef NG_CTL_DATAPLANE_FOREIGN_H
#define NG_CTL_DATAPLANE_FOREIGN_H

#include <stdbool.h>
#include "ctl/base/err.h"
#include "ctl/net/net.h"
#include "maps/abi.h"

struct ng_prog {
	__u32 id;
	__u32 link_id;	 /* 0: not attached by a link, or not to be seen */
	char name[64];	 /* of the BTF function; without one, the kernel's 15 characters */
	char owner[256]; /* "xdpd (pid 12)", "pinned at /sys/fs/bpf/x", "no process; .." */
};

/* Everything that can be found out about a program by its id,
 * and by its link's (0: looked up for XDP on ifindex). */
void ng_prog_describe(__u32 prog_id, __u32 link_id, unsigned int ifindex, struct ng_prog *out);

/* Refuses (NG_EXIT_FAILED, -EBUSY) when an XDP program is on the link,
 * naming it and the components of a dispatcher. */
int ng_foreign_xdp_check(const struct ng_link *link, struct ng_error *err);

/* Calls fn for each component when libxdp's dispatcher is on the link. Returns their number. */
int ng_dispatcher_each(unsigned int ifindex, void (*fn)(const struct ng_prog *prog, void *arg),
		       void *arg);

/* Is it called as our programs are, and held by a link, which ip and tc never make? */
bool ng_prog_has_our_name(const struct ng_prog *prog);

#endif
