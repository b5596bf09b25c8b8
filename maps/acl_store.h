/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For maps/acl*.c only: clauses and rows as they lie in memory, found by prefix, taken and given
 * back. Id 0 means none. Functions that return int: 0 or -errno.
 */
#ifndef NG_MAPS_ACL_STORE_H
#define NG_MAPS_ACL_STORE_H

#include "maps/acl_key.h"
#include "maps/trie.h"

/* What a program may read at the same moment is stored so. */
#define NG_STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELEASE)

static inline struct ng_acl_clause *ng_clause_at(struct ng_acl_tables *t, __u32 id)
{
	return ng_pages_at(&t->pages[NG_ACL_CLAUSE], (size_t)id * sizeof(struct ng_acl_clause));
}

static inline struct ng_acl_row *ng_row_at(struct ng_acl_tables *t, __u32 id)
{
	return ng_pages_at(&t->pages[NG_ACL_ROW], (size_t)id * sizeof(struct ng_acl_row));
}

static inline struct ng_acl_note *ng_note_at(struct ng_acl_tables *t, __u32 id)
{
	return ng_pages_at(&t->pages[NG_ACL_NOTES], (size_t)id * sizeof(struct ng_acl_note));
}

/* Of elements; the largest is mapped piece by piece, so none may lie across two pieces. */
_Static_assert(NG_PAGES_PIECE % sizeof(struct ng_acl_clause) == 0, "whole clauses in a piece");

/* Two pieces may hold one. */
static inline struct ng_acl_hit *ng_hit_at(struct ng_acl_tables *t, size_t index)
{
	struct ng_pages *p = &t->pages[NG_ACL_HITS];
	size_t at = index * sizeof(struct ng_acl_hit);

	ng_pages_at(p, at + sizeof(struct ng_acl_hit) - 1);
	return ng_pages_at(p, at);
}

/* Of the counters, with the one that is user space's; 0: clauses are not counted. */
static inline __u32 ng_acl_stripes_of(const struct ng_acl_tables *t)
{
	return t->head->stripes ? t->head->stripes + 1 : 0;
}

struct ng_pool_ref ng_clause_pool(struct ng_acl_tables *t);
struct ng_pool_ref ng_row_pool(struct ng_acl_tables *t);
struct ng_pool_ref ng_note_pool(struct ng_acl_tables *t);
struct ng_pool_ref ng_node_pool(struct ng_acl_tables *t);
struct ng_pool_ref ng_skip_pool(struct ng_acl_tables *t);

/* The first error of a page that could not be mapped, or 0: to be asked before publishing. */
int ng_acl_pages_error(const struct ng_acl_tables *t);
/* Are so many elements ready in each pool? Waits for a grace period when dead ones would do.
 * -ENOSPC: no. */
struct ng_acl_need {
	__u32 clauses, rows, nodes, notes;
};
int ng_acl_make_room(struct ng_acl_tables *t, const struct ng_acl_need *need);

struct ng_prefix ng_clause_prefix(const struct ng_acl_clause *c);
struct ng_acl_key ng_clause_key(const struct ng_acl_clause *c);
/* One verdict, whatever the packet: nothing behind it in a list is ever asked. */
bool ng_clause_is_final(const struct ng_acl_clause *c);

/* The word of ng_acl_index whose chain holds a prefix. */
__u32 *ng_acl_bucket(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side);
/* First clause of a prefix that is present. */
__u32 ng_acl_first(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side);
/* First clause of the longest prefix present that covers p and is shorter. */
__u32 ng_acl_cover(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side);
/* The clause with this (normal) key among those of a prefix. */
__u32 ng_acl_own(struct ng_acl_tables *t, __u32 first, const struct ng_acl_key *key);

/* A clause as item says, live, counters zero, in no list. Room must have been made. */
__u32 ng_clause_new(struct ng_acl_tables *t, const struct ng_acl_item *item);
/*
 * The item's verdict, time and, unless it has none, note for a clause: whoever builds from the clauses
 * finds the new words from _promise() on, programs from _keep_promise() on.
 */
void ng_clause_promise(struct ng_acl_tables *t, __u32 id, const struct ng_acl_item *item);
void ng_clause_keep_promise(struct ng_acl_tables *t);
/* Takes its note; programs may still read it. */
void ng_clause_kill(struct ng_acl_tables *t, __u32 id);
__u32 ng_acl_note_pieces(const char *note); /* NULL: 0 */

/* Puts a clause at its place among those of its prefix, which becomes present with the first;
 * takes it out, and the prefix with the last. */
void ng_acl_link(struct ng_acl_tables *t, __u32 id);
void ng_acl_unlink(struct ng_acl_tables *t, __u32 id);

#endif
