/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A veth pair for trying things out: one end here, the other in a named network namespace of its
 * own (as `ip netns add` makes them: a bind mount in /run/netns that outlives the command).
 *
 * The pair is quiet: no address detection, no router solicitation, the neighbours are known, and
 * the one multicast report that IPv6 cannot be kept from has been sent when ng_veth_create()
 * returns. What is then on the wire was sent by somebody.
 */
#ifndef NG_CTL_NET_VETH_H
#define NG_CTL_NET_VETH_H

#include <stdbool.h>
#include <stdint.h>
#include "ctl/base/err.h"

struct ng_veth_end {
	const char *name;
	uint8_t mac[6];
	const char *addr4, *addr6; /* "198.51.100.1/24" */
};

struct ng_veth {
	const char *alias; /* interface alias of the near end, by which the pair is known as ours */
	const char *netns; /* where the far end is */
	struct ng_veth_end near, far;
};

enum ng_veth_state {
	NG_VETH_NONE, /* no near end; the namespace may exist */
	NG_VETH_WHOLE,
	NG_VETH_BROKEN,	 /* ours, but the far end or its namespace is missing */
	NG_VETH_FOREIGN, /* somebody else's interface has the near end's name */
};

int ng_veth_look(const struct ng_veth *veth, enum ng_veth_state *state, struct ng_error *err);
/*
 * For state NONE. Makes the namespace if it is missing. IPv6 addresses are left out with a warning
 * where the kernel has no IPv6. On failure nothing new stays.
 */
int ng_veth_create(const struct ng_veth *veth, struct ng_error *err);
/* Removes the near end if it is ours, and the namespace.
 * *removed: there was something. Not an error if there was not. */
int ng_veth_delete(const struct ng_veth *veth, bool *removed, struct ng_error *err);

/*
 * Calls fn inside the far end's network namespace and comes back; returns what fn returned. For the
 * calling thread only. -ENOENT (NG_EXIT_NOT_FOUND): no such namespace.
 */
int ng_veth_inside(const struct ng_veth *veth, int (*fn)(void *arg, struct ng_error *err),
		   void *arg, struct ng_error *err);

#endif
