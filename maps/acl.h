/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACL tables of one gate, from user space. Callers hold the pins lock for every call that
 * changes or walks.
 *
 * Rows of ng_acl_class are the prefixes present and are what list and test read (mapped memory, no
 * system calls); the tries point at rows. A change builds a new row off-line, publishes it by one
 * trie update (atomic for readers) and marks the old row dead; dead rows are used again only after
 * a grace period (membarrier(MEMBARRIER_CMD_GLOBAL)). control->acl_dirty is set around every
 * change; a writer that finds it set calls ng_acl_recover() first.
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
 * on). -ENOSPC: prefix or clause table full, or NG_ACL_CLAUSES_MAX own clauses on that prefix
 * (-E2BIG); nothing changed.
 */
int ng_acl_add(struct ng_maps *m, const struct ng_acl_key *key, __u8 verdict, bool *existed);
/* -ENOENT: no such clause. */
int ng_acl_del(struct ng_maps *m, const struct ng_acl_key *key);
/* Deletes all clauses. Returns how many, or -errno. */
int ng_acl_flush(struct ng_maps *m);
/* Puts the tables in order after a writer died: tries are the truth for rows, own clauses for what
 * is inherited. */
int ng_acl_recover(struct ng_maps *m);

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
