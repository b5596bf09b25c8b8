// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of an interface, by rtnetlink. */
#include <netlink/route/addr.h>
#include <string.h>

#include "ctl/net/net.h"
#include "ctl/net/nl.h"

static bool is_that(struct rtnl_addr *a, unsigned int ifindex, int family, const void *addr)
{
	struct nl_addr *local = rtnl_addr_get_local(a);

	return local && (unsigned int)rtnl_addr_get_ifindex(a) == ifindex &&
	       nl_addr_get_family(local) == family &&
	       !memcmp(nl_addr_get_binary_addr(local), addr, nl_addr_get_len(local));
}

int ng_link_has_address(const struct ng_link *link, int family, const void *addr, bool *has,
			struct ng_error *err)
{
	struct nl_cache *cache;
	struct nl_sock *sk;
	bool found = false;
	int rc = ng_nl_open(&sk, err);

	if (rc)
		return rc;
	rc = rtnl_addr_alloc_cache(sk, &cache);
	ng_trace("netlink getaddr dump: %s", rc ? nl_geterror(rc) : "ok");
	nl_socket_free(sk);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, ng_nl_errno(rc), link->name,
			      "cannot list its addresses: %s", nl_geterror(rc));
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
		found |= is_that((struct rtnl_addr *)o, link->ifindex, family, addr);
	nl_cache_free(cache);
	*has = found;
	return 0;
}
