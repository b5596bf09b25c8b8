/* SPDX-License-Identifier: GPL-2.0-only */
/* For maps/acl*.c only: how ACL prefixes and keys compare. */
#ifndef NG_MAPS_ACL_KEY_H
#define NG_MAPS_ACL_KEY_H

#include "maps/acl.h"

/* All compare functions: < 0, 0, > 0 as a is before, equal to, behind b. */
static inline int ng_acl_compare(long long a, long long b)
{
	return (a > b) - (a < b);
}

/* By family, side, address, length: a prefix comes right before those it covers. */
int ng_acl_compare_place(const struct ng_prefix *a, enum ng_side a_side, const struct ng_prefix *b,
			 enum ng_side b_side);
/* The order in which the clauses of one prefix are tried; 0: the same clause. */
int ng_acl_compare_match(const struct ng_acl_key *a, const struct ng_acl_key *b);
/* Place, then match. */
int ng_acl_compare_key(const struct ng_acl_key *a, const struct ng_acl_key *b);

#endif
