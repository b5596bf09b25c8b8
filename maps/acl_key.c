// SPDX-License-Identifier: GPL-2.0-only
/* ACL keys: in which order they are kept. Pure. */
#include "maps/acl_key.h"

#include <string.h>

int ng_acl_compare_place(const struct ng_prefix *a, enum ng_side a_side, const struct ng_prefix *b,
			 enum ng_side b_side)
{
	int d = ng_acl_compare(a->family, b->family);

	d = d ? d : ng_acl_compare(a_side, b_side);
	d = d ? d : memcmp(a->addr_be, b->addr_be, sizeof(a->addr_be));
	return d ? d : ng_acl_compare(a->len, b->len);
}

int ng_acl_compare_match(const struct ng_acl_key *a, const struct ng_acl_key *b)
{
	int d = ng_acl_compare(a->port_hi - a->port_lo, b->port_hi - b->port_lo);

	d = d ? d : ng_acl_compare(a->any_port, b->any_port);
	d = d ? d : ng_acl_compare(a->any_proto, b->any_proto);
	d = d ? d : ng_acl_compare(a->proto, b->proto);
	return d ? d : ng_acl_compare(a->port_lo, b->port_lo);
}

int ng_acl_compare_key(const struct ng_acl_key *a, const struct ng_acl_key *b)
{
	int d = ng_acl_compare_place(&a->prefix, a->side, &b->prefix, b->side);

	return d ? d : ng_acl_compare_match(a, b);
}

struct ng_acl_key ng_acl_key_normal(const struct ng_acl_key *key)
{
	struct ng_acl_key k = *key;

	if (k.any_proto)
		k.proto = 0;
	if (k.any_port) {
		k.port_lo = 0;
		k.port_hi = 0xffff;
	}
	return k;
}
