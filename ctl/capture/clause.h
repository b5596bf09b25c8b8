/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture file says about the ACL clause that decided a packet. */
#ifndef NG_CTL_CAPTURE_CLAUSE_H
#define NG_CTL_CAPTURE_CLAUSE_H

#include "maps/acl.h"
#include "maps/pins.h"

#define NG_CLAUSE_TEXT 144

/* The clauses asked for last, as text. All zero: empty. */
struct ng_clause_cache {
	struct {
		__u32 decider; /* 0: empty */
		__u8 verdict;
		char text[NG_CLAUSE_TEXT];
	} slot[64];
};
/* What is remembered may be out of date from now on. */
void ng_clause_forget(struct ng_clause_cache *c);
/*
 * What NG_DECIDER() of a record names, in the words of `acl add`: "acl drop in src 192.0.2.0/24 proto
 * udp port 53". The verdict is the record's: the clause may have got another one since. The empty
 * string when there is no such clause any more. Valid until the next call with this cache.
 */
const char *ng_clause_cached(struct ng_clause_cache *c, struct ng_maps *m, enum ng_dir dir,
			     __u32 decider, __u8 verdict);

#endif
