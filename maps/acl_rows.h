/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For maps/acl*.c only: rows and clauses as they lie in memory, the tries that lead to them, and
 * which of them are free. Functions return 0 or -errno unless they say otherwise; row and clause 0
 * mean none.
 */
#ifndef NG_MAPS_ACL_ROWS_H
#define NG_MAPS_ACL_ROWS_H

#include "maps/acl_key.h"

/*
 * What publishes something, to programs or to the recovery of a dead writer, is one such store.
 * States are stored last when something comes to life: whatever is not free has valid contents.
 */
static inline void ng_acl_set_state(__u8 *state, enum ng_row_state value)
{
	__atomic_store_n(state, (__u8)value, __ATOMIC_RELEASE);
}

static inline void ng_acl_set_word(__u32 *word, __u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

struct ng_prefix ng_acl_row_prefix(const struct ng_acl_class *row);
/* Of a clause that is live. */
struct ng_acl_key ng_acl_clause_key(const struct ng_maps *m, __u32 clause);
/* The own clause of a row that has this (normal) key, 0 if none. */
__u32 ng_acl_own_clause(const struct ng_maps *m, __u32 row, const struct ng_acl_key *key);

/* *row = that of the longest prefix present that covers p and has at most len bits; 0: none. */
int ng_acl_trie_lookup(const struct ng_maps *m, const struct ng_prefix *p, enum ng_side side,
		       __u8 len, __u32 *row);
/* The prefix of c leads to this row from now on: atomic for the programs. */
int ng_acl_trie_set(const struct ng_maps *m, const struct ng_acl_class *c, __u32 row);
int ng_acl_trie_delete(const struct ng_maps *m, const struct ng_acl_class *c);

/* One call that changes the tables. */
struct ng_acl_edit {
	struct ng_maps *m;
	__u32 *row; /* live rows, by ng_acl_compare_place(); has room for all of the table */
	size_t rows;
	__u32 next_row, next_clause; /* none below is free */
};

/* Takes stock of the live rows and changes nothing. The caller frees e->row. */
int ng_acl_edit_begin(struct ng_acl_edit *e, struct ng_maps *m);

/* Places are indexes in e->row. The first one whose prefix is not before p: */
size_t ng_acl_place_of(const struct ng_acl_edit *e, const struct ng_prefix *p, enum ng_side side);
/* The row at that place if its prefix is exactly p, else 0. */
__u32 ng_acl_row_at(const struct ng_acl_edit *e, size_t place, const struct ng_prefix *p,
		    enum ng_side side);
void ng_acl_place_insert(struct ng_acl_edit *e, size_t place, __u32 row);
void ng_acl_place_remove(struct ng_acl_edit *e, size_t place);

/* A row that no program reads; where none is left, dead ones are freed by a grace period.
 * -ENOSPC. It is taken when it is made live. */
int ng_acl_free_row(struct ng_acl_edit *e, __u32 *row);
/* The same for a clause, filled from key and verdict, counters zero, and live; no row lists it. */
int ng_acl_new_clause(struct ng_acl_edit *e, const struct ng_acl_key *key, __u8 verdict,
		      __u32 *clause);

#endif
