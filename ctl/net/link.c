// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces of this network namespace, by rtnetlink. */
#include <errno.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/words.h"
#include "ctl/net/net.h"
#include "ctl/net/nl.h"

#define NAME_SIZE 128 /* ALTIFNAMSIZ; <linux/if.h> does not go with <net/if.h> */

static void fill(struct ng_link *link, struct rtnl_link *l)
{
	struct nl_addr *addr = rtnl_link_get_addr(l);
	const char *kind = rtnl_link_get_type(l);

	memset(link, 0, sizeof(*link));
	link->ifindex = (unsigned int)rtnl_link_get_ifindex(l);
	snprintf(link->name, sizeof(link->name), "%s", rtnl_link_get_name(l));
	snprintf(link->kind, sizeof(link->kind), "%s", kind ? kind : "");
	link->mtu = rtnl_link_get_mtu(l);
	link->arptype = rtnl_link_get_arptype(l);
	link->flags = rtnl_link_get_flags(l);
	link->rx_queues = rtnl_link_get_num_rx_queues(l);
	link->tx_queues = rtnl_link_get_num_tx_queues(l);
	if (addr && nl_addr_get_len(addr) == sizeof(link->addr))
		memcpy(link->addr, nl_addr_get_binary_addr(addr), sizeof(link->addr));
}

/* The names that exist and the one that may have been meant, as reasons in the error. */
static void explain_missing(struct nl_sock *sk, const char *name, struct ng_error *err)
{
	struct nl_cache *cache = NULL;
	const char **names = NULL;
	const char *close;
	char list[400];
	size_t n = 0;

	if (!err || rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache))
		return;
	names = calloc((size_t)nl_cache_nitems(cache) + 1, sizeof(*names));
	if (!names)
		goto out;
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
		names[n++] = rtnl_link_get_name((struct rtnl_link *)o);
	close = ng_words_closest(name, names);
	if (close)
		ng_err_why(err, "did you mean '%s'?", close);
	ng_err_why(err, "interfaces in this network namespace: %s",
		   ng_words_join(names, list, sizeof(list)));
out:
	free(names);
	nl_cache_free(cache);
}

/* By name, or by ifindex when name is NULL. */
static int get(unsigned int ifindex, const char *name, struct ng_link *link, struct ng_error *err)
{
	struct rtnl_link *l = NULL;
	struct nl_sock *sk;
	char object[32];
	int rc = ng_nl_open(&sk, err);

	if (rc)
		return rc;
	rc = rtnl_link_get_kernel(sk, (int)ifindex, name, &l);
	snprintf(object, sizeof(object), "ifindex %u", ifindex);
	if (!name)
		name = object;
	ng_trace("netlink getlink %s: %s", name, rc ? nl_geterror(rc) : "ok");
	if (rc && (ng_nl_errno(rc) == ENODEV || strlen(name) >= NAME_SIZE)) {
		rc = ng_err(err, NG_EXIT_NOT_FOUND, ENODEV, name, "no such interface");
		explain_missing(sk, name, err);
	} else if (rc) {
		rc = ng_err(err, NG_EXIT_FAILED, ng_nl_errno(rc), name,
			    "cannot look up the interface: %s", nl_geterror(rc));
	} else {
		fill(link, l);
	}
	rtnl_link_put(l);
	nl_socket_free(sk);
	return rc;
}

int ng_link_get(const char *name, struct ng_link *link, struct ng_error *err)
{
	return get(0, name, link, err);
}

int ng_link_get_index(unsigned int ifindex, struct ng_link *link, struct ng_error *err)
{
	return get(ifindex, NULL, link, err);
}

int ng_link_each(int (*fn)(const struct ng_link *link, void *arg), void *arg, struct ng_error *err)
{
	struct nl_cache *cache;
	struct nl_sock *sk;
	int rc = ng_nl_open(&sk, err);

	if (rc)
		return rc;
	rc = rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache);
	ng_trace("netlink getlink dump: %s", rc ? nl_geterror(rc) : "ok");
	if (rc) {
		nl_socket_free(sk);
		return ng_err(err, NG_EXIT_FAILED, ng_nl_errno(rc), "rtnetlink",
			      "cannot list the interfaces: %s", nl_geterror(rc));
	}
	for (struct nl_object *o = nl_cache_get_first(cache); o && !rc; o = nl_cache_get_next(o)) {
		struct ng_link link;

		fill(&link, (struct rtnl_link *)o);
		rc = fn(&link, arg);
	}
	nl_cache_free(cache);
	nl_socket_free(sk);
	return rc;
}
