/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For maps/acl*.c only: from the clauses of prefixes to leaves, and leaves into the engine: the tries
 * in mapped memory or the kernel's LPM maps, behind two functions.
 */
#ifndef NG_MAPS_ACL_LEAF_H
#define NG_MAPS_ACL_LEAF_H

#include "maps/acl_store.h"

/* The clauses in effect for a prefix, in the order they are tried: its own, then those of covering
 * prefixes, up to the first that is final. Returns how many. */
__u32 ng_acl_effective(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
		       __u32 list[NG_ACL_CLAUSES_MAX]);
/* Adds the clauses of one more prefix to a list; true when it is complete. */
bool ng_acl_gather(struct ng_acl_tables *t, __u32 first, __u32 list[NG_ACL_CLAUSES_MAX], __u32 *n);

/* The leaf that says this list, whose first clause is the prefix's own; takes a row if it must. */
__u32 ng_leaf_new(struct ng_acl_tables *t, __u32 first, const __u32 *list, __u32 n);
/* Does the leaf say this list already? */
bool ng_leaf_says(struct ng_acl_tables *t, __u32 leaf, const __u32 *list, __u32 n);
/* The first clause of the prefix whose leaf it is. */
__u32 ng_leaf_owner(struct ng_acl_tables *t, __u32 leaf);
/* Its row, if it has one, is dead from now on. */
void ng_leaf_kill(struct ng_acl_tables *t, __u32 leaf);

/* In the engine: the prefix has leaf `to` from now on, where it, or what covers it, had `from`.
 * `present`: the prefix itself has it; else it goes, and `to` is what covers it. */
int ng_engine_set(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side, __u32 from,
		  __u32 to, bool present);
/* The leaf of an address; 0: none. 0 or -errno. */
int ng_engine_find(struct ng_acl_tables *t, const struct ng_prefix *addr, enum ng_side side,
		   __u32 *leaf);

#endif
