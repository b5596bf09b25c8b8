/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in one generation of ACL tables (maps/acl_tables.h): clauses of prefixes, changed in place
 * or built as a whole. Callers hold the pins lock for every call that changes; who only reads may
 * see a change half made.
 *
 * How it works is at the top of acl.c; what a program finds where, in maps/acl_abi.h.
 *
 * Clauses of one prefix are tried in an order that does not depend on when they were added:
 * narrower port range first, then those with a protocol, then the one for everything.
 */
#ifndef NG_MAPS_ACL_H
#define NG_MAPS_ACL_H

#include <stdbool.h>
#include "maps/abi.h"
#include "maps/acl_tables.h"
#include "maps/prefix.h"

#define NG_ACL_NOTE_MAX 255 /* bytes of a comment */

/* What a clause is known by; any_proto/any_port as in struct ng_acl_clause. */
struct ng_acl_key {
	struct ng_prefix prefix;
	enum ng_side side;
	bool any_proto, any_port;
	__u8 proto;
	__u16 port_lo, port_hi;
};

/* A clause as it is given, or carried from one generation to the next. */
struct ng_acl_item {
	struct ng_acl_key key;
	__u8 verdict;	  /* enum ng_verdict or NG_COUNT */
	__u32 timeout;	  /* seconds, as given; 0: none */
	__u64 deadline;	  /* jiffies64 (maps/jiffies.h); 0: none */
	__u32 added;	  /* seconds since 1970; of one that is there already, it stays */
	const char *note; /* at most NG_ACL_NOTE_MAX bytes; NULL: none, or as it is */
};

struct ng_acl_change {
	size_t added, changed, unchanged, deleted;
};

static inline void ng_acl_change_add(struct ng_acl_change *sum, const struct ng_acl_change *c)
{
	sum->added += c->added;
	sum->changed += c->changed;
	sum->unchanged += c->unchanged;
	sum->deleted += c->deleted;
}

/* The key with what is not looked at in one form, so that equal keys compare equal. */
struct ng_acl_key ng_acl_key_normal(const struct ng_acl_key *key);
/* Sorts items by ng_acl_compare_key(), makes their keys normal and leaves the last of those with
 * equal keys. Returns how many are left, or -ENOMEM. */
long ng_acl_items_sort(struct ng_acl_item *item, size_t n);

/*
 * Old and new items, both sorted, into out (room for all); where both have a key, the new one's words
 * hold. keep: old ones that new does not name stay, else they are deleted. Returns how many; adds to
 * *change. Notes are shared with old and new.
 */
size_t ng_acl_merge(const struct ng_acl_item *old, size_t n_old, const struct ng_acl_item *new,
		    size_t n_new, bool keep, struct ng_acl_item *out, struct ng_acl_change *change);

/* Takes the one with this key out of sorted items. Returns how many are left. */
size_t ng_acl_items_without(struct ng_acl_item *item, size_t n, const struct ng_acl_key *key);

/*
 * Adds a clause, or gives the one with the same key this verdict, timeout and note; counters go on.
 * What the next packet meets is the change. -ENOSPC: the tables are too small, -E2BIG:
 * NG_ACL_CLAUSES_MAX own clauses on that prefix; nothing changed then. Other errors leave the
 * tables marked (head->dirty): a new generation has to be built from them.
 */
int ng_acl_put(struct ng_acl_tables *t, const struct ng_acl_item *item,
	       struct ng_acl_change *change);
/* -ENOENT: no such clause. Else as ng_acl_put(). */
int ng_acl_del(struct ng_acl_tables *t, const struct ng_acl_key *key);
/* Deletes the clauses whose deadline is over. How many, or -errno as ng_acl_put(); -ENOSPC also where
 * so much has to change that new tables take less time. Some may be deleted then. */
long ng_acl_sweep(struct ng_acl_tables *t, __u64 now_jiffies);

/*
 * New tables with these items, sorted (ng_acl_items_sort()). `like`: engine and stripes; sizes are
 * what the items need and a quarter more. -E2BIG: *bad is the first item too many on its prefix;
 * -EFBIG: more items than tables can be made for.
 */
int ng_acl_build(const struct ng_acl_item *item, size_t n, const struct ng_acl_size *like,
		 struct ng_acl_tables *out, size_t *bad);
/*
 * After a swap and a grace period: what clauses of `from` counted, clauses of `to` with the same keys
 * have counted too. No hit is lost, none counts twice.
 */
int ng_acl_carry(struct ng_acl_tables *from, struct ng_acl_tables *to);

/* The clause with this key, or -ENOENT. */
int ng_acl_find(struct ng_acl_tables *t, const struct ng_acl_key *key, __u32 *clause);
/*
 * Which clause decides for an address (prefix of full length), proto and destination port (-1: not
 * known): the same answer as the data path for one side. 0 and *clause, or -ENOENT. `count` clauses
 * never decide.
 */
int ng_acl_test(struct ng_acl_tables *t, const struct ng_prefix *addr, enum ng_side side, int proto,
		int port, __u64 now_jiffies, __u32 *clause);

struct ng_acl_entry {
	struct ng_acl_key key;
	__u8 verdict;
	__u32 clause; /* its id */
	__u32 timeout, added;
	__u64 deadline;
	__u64 packets, bytes, last; /* last: jiffies64, 0: never */
	__u32 note;		    /* for ng_acl_note() */
};
/* All clauses, by ng_acl_compare_key(). Caller frees *list. */
int ng_acl_list(struct ng_acl_tables *t, struct ng_acl_entry **list, size_t *n);
/* Reads one clause as an entry, counters included. -ENOENT when there is none, or no tables. */
int ng_acl_entry_get(struct ng_acl_tables *t, __u32 clause, struct ng_acl_entry *entry);
/* The clauses of one prefix, in the order they are tried. Returns how many. */
size_t ng_acl_of_prefix(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
			struct ng_acl_entry list[NG_ACL_CLAUSES_MAX]);
void ng_acl_note(struct ng_acl_tables *t, __u32 note, char text[NG_ACL_NOTE_MAX + 1]);
/* The clauses as items; notes point into *notes. Caller frees both. */
int ng_acl_items(struct ng_acl_tables *t, struct ng_acl_item **item, size_t *n, char **notes);
/* Sets the counters of all clauses to zero. */
int ng_acl_zero(struct ng_acl_tables *t);

#endif
