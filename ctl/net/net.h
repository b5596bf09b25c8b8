/* SPDX-License-Identifier: GPL-2.0-only */
/* What we ask the kernel about interfaces and namespaces, by libnl. */
#ifndef NG_CTL_NET_NET_H
#define NG_CTL_NET_NET_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "ctl/base/err.h"

struct ng_link {
	unsigned int ifindex;
	char name[IF_NAMESIZE];
	char kind[32];		   /* "veth", "" for a physical device */
	unsigned int mtu, arptype; /* ARPHRD_* */
	unsigned int flags;	   /* IFF_* */
	uint8_t addr[6];
	unsigned int rx_queues, tx_queues;
};

/* NG_EXIT_NOT_FOUND with the names that exist when there is no such device. */
int ng_link_get(const char *name, struct ng_link *link, struct ng_error *err);
/* -ENODEV */
int ng_link_get_index(unsigned int ifindex, struct ng_link *link, struct ng_error *err);
/* Calls fn for every link of the namespace. */
int ng_link_each(int (*fn)(const struct ng_link *link, void *arg), void *arg, struct ng_error *err);

uint64_t ng_link_speed(const struct ng_link *link); /* bit/s, 0: not known */

/* Whether one of the link's own addresses is this one (AF_INET: 4 bytes, AF_INET6: 16). */
int ng_link_has_address(const struct ng_link *link, int family, const void *addr, bool *has,
			struct ng_error *err);

/* Enters only the network namespace: NAME (in /run/netns), a path, or a PID. */
int ng_netns_enter(const char *which, struct ng_error *err);

/* The inode of our network namespace: 0 or -errno. */
int ng_netns_inode(unsigned int *inode);
/*
 * False only when it is certain that no network namespace with this inode and cookie lives: all of
 * /proc was read and nothing holds one. Does not see one that nothing but a socket holds.
 */
bool ng_netns_may_live(unsigned int inode, uint64_t cookie);

/* Link events: a descriptor to poll, and a read that says whether an interface went away. */
struct ng_link_events;
int ng_link_events_open(struct ng_link_events **out, struct ng_error *err);
int ng_link_events_fd(const struct ng_link_events *ev);
/*
 * Drains pending events; sets *gone (else leaves it) when ifindex was deleted or moved to another
 * namespace. A rename keeps the ifindex and says nothing. 0 or -errno.
 */
int ng_link_events_read(struct ng_link_events *ev, unsigned int ifindex, bool *gone);
void ng_link_events_close(struct ng_link_events *ev); /* NULL ok */

#endif
