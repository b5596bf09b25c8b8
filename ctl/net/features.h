/* SPDX-License-Identifier: GPL-2.0-only */
/* What ethtool and the netdev family say about a link, beside rtnetlink. Used by link.c only. */
#ifndef NG_CTL_NET_FEATURES_H
#define NG_CTL_NET_FEATURES_H

#include "ctl/net/net.h"

struct nl_sock;

struct ng_features {
	int ioctl_fd;
	struct nl_sock *genl; /* NULL: the kernel has no netdev family (before Linux 6.3) */
	int family;
};

/* Never fails: what cannot be asked stays unknown. */
void ng_features_open(struct ng_features *f);
void ng_features_close(struct ng_features *f);
/* Fills driver, speed, xdp_features, has_xdp_features of a link whose name and ifindex are set. */
void ng_features_fill(const struct ng_features *f, struct ng_link *link);

#endif
