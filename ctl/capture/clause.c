// SPDX-License-Identifier: GPL-2.0-only
/* ACL clauses as words for a capture file. */
#include "ctl/capture/clause.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "maps/counters.h"

static const char *const dir_word[] = { [NG_IN] = "in", [NG_OUT] = "out" };
static const char *const side_word[] = { [NG_SRC] = "src", [NG_DST] = "dst" };
_Static_assert(sizeof(dir_word) / sizeof(dir_word[0]) == NG_DIR_MAX, "a word for every direction");
_Static_assert(sizeof(side_word) / sizeof(side_word[0]) == NG_SIDE_MAX, "a word for every side");

static void put_proto(char *buf, size_t size, const struct ng_acl_key *key)
{
	static const struct {
		__u8 proto;
		const char *name;
	} known[] = { { IPPROTO_ICMP, "icmp" }, { IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" } };

	buf[0] = '\0';
	if (key->any_proto)
		return;
	snprintf(buf, size, " proto %u", key->proto);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].proto == key->proto)
			snprintf(buf, size, " proto %s", known[i].name);
}

static void put_port(char *buf, size_t size, const struct ng_acl_key *key)
{
	buf[0] = '\0';
	if (key->any_port)
		return;
	if (key->port_lo == key->port_hi)
		snprintf(buf, size, " port %u", key->port_lo);
	else
		snprintf(buf, size, " port %u-%u", key->port_lo, key->port_hi);
}

const char *ng_clause_text(const struct ng_maps *m, enum ng_dir dir, __u32 clause,
			   char text[NG_CLAUSE_TEXT])
{
	char addr[INET6_ADDRSTRLEN] = "", proto[24], port[24];
	struct ng_acl_entry e;

	text[0] = '\0';
	if (ng_acl_entry_get(m, clause, &e))
		return text;
	inet_ntop(e.key.prefix.family == NG_IPV4 ? AF_INET : AF_INET6, e.key.prefix.addr_be, addr,
		  sizeof(addr));
	put_proto(proto, sizeof(proto), &e.key);
	put_port(port, sizeof(port), &e.key);
	snprintf(text, NG_CLAUSE_TEXT, "acl %s %s %s %s/%u%s%s", ng_verdict_name[e.verdict],
		 dir_word[dir], side_word[e.key.side], addr, e.key.prefix.len, proto, port);
	return text;
}

void ng_clause_forget(struct ng_clause_cache *c)
{
	for (size_t i = 0; i < sizeof(c->slot) / sizeof(c->slot[0]); i++)
		c->slot[i].clause = 0;
}

const char *ng_clause_cached(struct ng_clause_cache *c, const struct ng_maps *m, enum ng_dir dir,
			     __u32 clause)
{
	size_t i = clause % (sizeof(c->slot) / sizeof(c->slot[0]));

	if (c->slot[i].clause != clause) {
		ng_clause_text(m, dir, clause, c->slot[i].text);
		c->slot[i].clause = clause;
	}
	return c->slot[i].text;
}
