// SPDX-License-Identifier: GPL-2.0-only
/* ACL entries, and defaults, that may lock their author out. */
#include "ctl/policy/guard.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/base/num.h"
#include "ctl/policy/prefix.h"

/* sshd writes the zone of a link-local address: "fe80::1%eth0". Other servers write an IPv4 address
 * as their socket has it: "::ffff:192.0.2.7". */
static bool read_address(const char *word, struct ng_prefix *out)
{
	static const char mapped[] = "::ffff:";
	struct ng_bad_word bad;

	if (!strncasecmp(word, mapped, strlen(mapped)) && strchr(word, '.'))
		word += strlen(mapped);
	return !ng_address_parse(word, strcspn(word, "%"), out, &bad);
}

static bool read_port(const char *word, __u16 *out)
{
	uint32_t port;

	if (ng_parse_u32(word, 0, 65535, &port))
		return false;
	*out = (__u16)port;
	return true;
}

bool ng_guard_session(struct ng_guard *guard, const char *text)
{
	struct ng_guard g = *guard;
	char word[4][64];
	int n = sscanf(text, "%63s %63s %63s %63s", word[0], word[1], word[2], word[3]);

	if (n < 3 || !read_address(word[0], &g.client) || !read_port(word[1], &g.client_port) ||
	    !read_port(word[n - 1], &g.server_port))
		return false;
	g.have_server = n == 4 && read_address(word[2], &g.server);
	g.session = true;
	*guard = g;
	return true;
}

static bool hits_session(const struct ng_guard *guard, const struct ng_acl_key *key,
			 enum ng_dir dir, struct ng_prefix *whom)
{
	bool peer = (dir == NG_IN) == (key->side == NG_SRC);
	const struct ng_prefix *end = peer ? &guard->client : &guard->server;
	int port = dir == NG_IN ? guard->server_port : guard->client_port;

	if (!guard->session || (!peer && !guard->have_server) ||
	    !ng_prefix_covers(&key->prefix, end))
		return false;
	if (!key->any_proto && key->proto != IPPROTO_TCP)
		return false;
	if (!key->any_port && (port < key->port_lo || port > key->port_hi))
		return false;
	*whom = *end;
	return true;
}

static bool hits_gateway(const struct ng_guard *guard, const struct ng_acl_key *key,
			 enum ng_dir dir, struct ng_prefix *whom)
{
	if (!key->any_proto || (dir == NG_IN) != (key->side == NG_SRC))
		return false;
	for (size_t i = 0; i < guard->gateways; i++) {
		if (!ng_prefix_covers(&key->prefix, &guard->gateway[i]))
			continue;
		*whom = guard->gateway[i];
		return true;
	}
	return false;
}

enum ng_guarded ng_guard_check(const struct ng_guard *guard, const struct ng_acl_key *key,
			       enum ng_dir dir, __u8 verdict, struct ng_prefix *whom)
{
	if (verdict != NG_DROP)
		return NG_GUARDED_NOT;
	if (!key->prefix.len && key->any_proto) {
		*whom = key->prefix;
		return NG_GUARDED_ALL;
	}
	if (hits_session(guard, key, dir, whom))
		return NG_GUARDED_SESSION;
	return hits_gateway(guard, key, dir, whom) ? NG_GUARDED_GATEWAY : NG_GUARDED_NOT;
}

bool ng_guard_session_passes(const struct ng_guard *guard, enum ng_dir dir, ng_guard_ask_fn ask,
			     void *arg)
{
	const struct ng_prefix *src = dir == NG_IN ? &guard->client : &guard->server;
	const struct ng_prefix *dst = dir == NG_IN ? &guard->server : &guard->client;
	__u16 port = dir == NG_IN ? guard->server_port : guard->client_port;
	__u8 verdict;

	return (ask(arg, NG_SRC, src, port, &verdict) || ask(arg, NG_DST, dst, port, &verdict)) &&
	       verdict == NG_PASS;
}
