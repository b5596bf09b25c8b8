/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rtnetlink callers of this room share. */
#ifndef NG_CTL_NET_NL_H
#define NG_CTL_NET_NL_H

#include <netlink/netlink.h>
#include "ctl/base/err.h"

/* A connected rtnetlink socket of the current network namespace;
 * the caller frees it by nl_socket_free(). */
int ng_nl_open(struct nl_sock **out, struct ng_error *err);
/* The errno behind one of libnl's (negative) codes,
 * which is all that libnl keeps of it; EIO for the others. */
int ng_nl_errno(int nlerr);

#endif
