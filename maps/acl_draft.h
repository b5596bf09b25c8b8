/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For maps/acl*.c only: drafts of rows. A published row never changes; what it should be next is
 * drafted on the stack (state NG_ROW_FREE), completed by ng_acl_draft_inherit(), and published in a
 * free row.
 */
#ifndef NG_MAPS_ACL_DRAFT_H
#define NG_MAPS_ACL_DRAFT_H

#include "maps/acl_rows.h"

/* A row for the prefix and side of key, without clauses. */
struct ng_acl_class ng_acl_draft_new(const struct ng_acl_key *key);
/* Among the own clauses of a draft (at most NG_ACL_CLAUSES_MAX): adds clause, whose key this is,
 * at its place in the order; removes one that is there. */
void ng_acl_draft_add(const struct ng_maps *m, struct ng_acl_class *draft,
		      const struct ng_acl_key *key, __u32 clause);
void ng_acl_draft_remove(struct ng_acl_class *draft, __u32 clause);
/* Lists behind the own clauses what the row of the nearest covering prefix lists. */
int ng_acl_draft_inherit(const struct ng_maps *m, struct ng_acl_class *draft);

/* Gives the draft a row and lets the trie point at it instead of old (0: none),
 * which is dead then. -ENOSPC: no free row. */
int ng_acl_publish(struct ng_acl_edit *e, const struct ng_acl_class *draft, __u32 old, __u32 *row);
/* Publishes rows anew where what they inherit has changed:
 * from this place on, as long as p covers them. */
int ng_acl_refresh(struct ng_acl_edit *e, size_t place, const struct ng_prefix *p,
		   enum ng_side side);

#endif
