/* SPDX-License-Identifier: GPL-2.0-only */
/* Who must not be cut off: the gateways of default routes,
 * and the other end of the user's own session. */
#ifndef NG_CTL_NET_GATEWAY_H
#define NG_CTL_NET_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

struct ng_gateway {
	int family; /* AF_INET, AF_INET6 */
	unsigned char addr[16];
};

/* Gateways of default routes through ifindex, at most max. Returns how many, or -errno. */
int ng_gateways(unsigned int ifindex, struct ng_gateway *out, size_t max);

/*
 * SSH_CONNECTION ("client port server port") of this process or, where sudo has removed it, of the
 * nearest ancestor that has one. False: none, or it does not fit.
 */
bool ng_ssh_connection(char *text, size_t size);

#endif
