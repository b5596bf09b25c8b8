// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl add: no clause that cuts off its author, unless forced. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/cmd/acl.h"
#include "ctl/net/gateway.h"
#include "ctl/policy/guard.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void guard_fill(struct ng_guard *guard, const struct ng_acl_call *c)
{
	struct ng_gateway gw[NG_GATEWAYS_MAX];
	char text[256];
	int n = ng_gateways(c->link.ifindex, gw, COUNT(gw));

	*guard = (struct ng_guard){ 0 };
	if (ng_ssh_connection(text, sizeof(text)))
		ng_guard_session(guard, text);
	for (int i = 0; i < n; i++) {
		bool v6 = gw[i].family == AF_INET6;
		struct ng_prefix p = { .family = v6 ? NG_IPV6 : NG_IPV4, .len = v6 ? 128 : 32 };

		memcpy(p.addr_be, gw[i].addr, sizeof(p.addr_be));
		guard->gateway[guard->gateways++] = p;
	}
}

static int guard_refuse(const struct ng_acl_call *c, enum ng_dir dir, const struct ng_acl_key *key,
			enum ng_guarded what, const struct ng_prefix *whom, struct ng_error *err)
{
	static const char *const why[] = {
		[NG_GUARDED_NOT] = "",
		[NG_GUARDED_ALL] = "that is every packet of the family",
		[NG_GUARDED_SESSION] = "you are connected by SSH over this address",
		[NG_GUARDED_GATEWAY] = "this is the address of the default gateway",
	};
	char text[NG_ACL_KEY_TEXT], address[NG_PREFIX_TEXT];

	ng_acl_key_format(dir, key, text);
	ng_prefix_format(whom, address);
	ng_err(err, NG_EXIT_FAILED, 0, c->link.name, "drop %s: refused, it would cut off %s", text,
	       address);
	ng_err_why(err, "%s", why[what]);
	ng_err_try(err, "the same with --force, if that is what you want");
	return -EPERM;
}

int ng_acl_check_guards(const struct ng_acl_call *c, const struct ng_acl_items *items,
			enum ng_dir dir, struct ng_error *err)
{
	struct ng_guard guard;

	if (c->force)
		return 0;
	guard_fill(&guard, c);
	for (size_t i = 0; i < items->n[dir]; i++) {
		const struct ng_acl_item *it = &items->item[dir][i];
		struct ng_prefix whom;
		enum ng_guarded what = ng_guard_check(&guard, &it->key, dir, it->verdict, &whom);

		if (what != NG_GUARDED_NOT)
			return guard_refuse(c, dir, &it->key, what, &whom, err);
	}
	return 0;
}
