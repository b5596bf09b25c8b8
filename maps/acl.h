/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACL tables of one gate, from user space. Callers hold the pins lock for every call that
 * changes or walks.
 *
 * Rows of ng_acl_class are the prefixes present and are what list and test read (mapped memory, no
 * system calls); the tries point at rows. A change builds a new row off-line, publishes it by one
 * trie update (atomic for readers) and marks the old row dead; dead rows are used again only after
 * an RCU grace period. control->acl_dirty is set around every change; a writer that finds it set
 * calls ng_acl_recover() first.
 *
 * Clauses of one prefix are tried in an order that does not depend on when they were added:
 * narrower port range first, then those with a protocol, then the one for everything. One eighth of
 * the rows is kept free for rebuilding, so ng_acl_capacity() prefixes fit.
 */
#ifndef NG_MAPS_ACL_H
#define NG_MAPS_ACL_H

#include <stdbool.h>
#include "maps/pins.h"

struct ng_prefix {
	enum ng_family family;
	__u8 len;	   /* bits */
	__be32 addr_be[4]; /* host bits zero; IPv4 in the first word */
};

bool ng_prefix_covers(const struct ng_prefix *outer,
		      const struct ng_prefix *inner); /* equal ones do */

/* What a clause is known by; any_proto/any_port as in struct ng_acl_clause. */
struct ng_acl_key {
	struct ng_prefix prefix;
	enum ng_side side;
	bool any_proto, any_port;
	__u8 proto;
	__u16 port_lo, port_hi;
};

/*
 * Adds a clause, or changes the verdict of the one with the same key (then *existed; counters go
 * on). -ENOSPC: prefix or clause table full, -E2BIG: NG_ACL_CLAUSES_MAX own clauses on that prefix;
 * nothing changed then.
 */
int ng_acl_add(struct ng_maps *m, const struct ng_acl_key *key, __u8 verdict, bool *existed);
/* The same for n keys (in any order, repeated ones count once):
 * nothing is changed unless there is room for all. */
struct ng_acl_change {
	size_t added, changed, unchanged;
};
int ng_acl_add_all(struct ng_maps *m, const struct ng_acl_key *keys, size_t n, __u8 verdict,
		   struct ng_acl_change *change);
size_t ng_acl_capacity(const struct ng_maps *m); /* prefixes, all families and sides together */
/* -ENOENT: no such clause. */
int ng_acl_del(struct ng_maps *m, const struct ng_acl_key *key);
/* Deletes all clauses. Returns how many, or -errno. */
int ng_acl_flush(struct ng_maps *m);
/* Puts the tables in order after a writer died:
 * tries are the truth for rows, own clauses for what is inherited. */
int ng_acl_recover(struct ng_maps *m);
/* Sets the counters of all clauses to zero. */
int ng_acl_zero(const struct ng_maps *m);
/* The row of the clause with this key, or -ENOENT. */
int ng_acl_find(const struct ng_maps *m, const struct ng_acl_key *key, __u32 *clause);

/*
 * Which clause decides for an address (prefix of full length), proto and destination port (-1: not
 * known): the same answer as the data path for one side. 0 and *clause (row), or -ENOENT. `count`
 * clauses never decide.
 */
int ng_acl_test(const struct ng_maps *m, const struct ng_prefix *addr, enum ng_side side, int proto,
		int port, __u32 *clause);

struct ng_acl_entry {
	struct ng_acl_key key;
	__u8 verdict;
	__u32 clause; /* row */
	__u64 packets, bytes;
};
/* All own clauses, sorted by family, side, address, length, proto, port. Caller frees *list. */
int ng_acl_list(const struct ng_maps *m, struct ng_acl_entry **list, size_t *n);
/* Reads one clause as an entry, counters included. -ENOENT when the row is not live. */
int ng_acl_entry_get(const struct ng_maps *m, __u32 clause, struct ng_acl_entry *entry);

#endif
