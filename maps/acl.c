// SPDX-License-Identifier: GPL-2.0-only
/* Changes of the ACL tables of one gate: add, delete, flush, and recovery. */
#include "maps/acl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps/acl_draft.h"

/*
 * How it works. A prefix is present when its trie points at its row. The row lists the clauses to
 * try for an address whose longest prefix it is: its own, then what the row of the nearest covering
 * prefix lists, cut at NG_ACL_CLAUSES_MAX. So the data path needs one lookup, and a change of a
 * prefix means new rows for the prefixes it covers. They are rebuilt shortest first: the covering
 * row is then always up to date.
 *
 * Every step leaves something that recover can finish. The trie update of the changed prefix itself
 * comes first and is the moment the change is made; a writer that dies before it has changed
 * nothing, one that dies after it leaves only inherited clauses to be redone. A clause dies last,
 * when no row lists it any more. A flush switches the lookups off before it deletes (acl_live), and
 * is finished, not undone.
 */

enum dirty { CLEAN, CHANGING, FLUSHING }; /* control->acl_dirty */

/* Kept free for rebuilding: bounds how many grace periods that takes. */
#define SPARE_ROWS(entries) ((entries) / 8 + 1)

/* After a failure the tables stay marked, and the next writer recovers. */
static int edit_end(struct ng_acl_edit *e, int err)
{
	free(e->row);
	if (!err)
		ng_acl_set_word(&e->m->control->acl_dirty, CLEAN);
	return err;
}

size_t ng_acl_capacity(const struct ng_maps *m)
{
	__u32 unusable = SPARE_ROWS(m->acl_entries) + 1;

	return m->acl_entries > unusable ? m->acl_entries - unusable : 0;
}

static size_t clauses_left(const struct ng_maps *m)
{
	size_t n = 0;

	for (__u32 i = 1; i < m->acl_entries; i++)
		n += m->acl_clause[i].state != NG_ROW_LIVE;
	return n;
}

/* Whether all keys (sorted, no two equal) find room. */
static int check_room(const struct ng_acl_edit *e, const struct ng_acl_key *key, size_t n)
{
	size_t prefixes = 0, clauses = 0, own = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ng_prefix *p = &key[i].prefix;
		__u32 row = ng_acl_row_at(e, ng_acl_place_of(e, p, key[i].side), p, key[i].side);

		if (!i ||
		    ng_acl_compare_place(p, key[i].side, &key[i - 1].prefix, key[i - 1].side)) {
			own = row ? e->m->acl_class[row].own : 0;
			prefixes += !row;
		}
		if (row && ng_acl_own_clause(e->m, row, &key[i]))
			continue;
		clauses++;
		if (++own > NG_ACL_CLAUSES_MAX)
			return -E2BIG;
	}
	if (e->rows + prefixes > ng_acl_capacity(e->m) || clauses > clauses_left(e->m))
		return -ENOSPC;
	return 0;
}

static int add_clause(struct ng_acl_edit *e, const struct ng_acl_key *key, __u8 verdict,
		      size_t place, __u32 old)
{
	__u32 *live = &e->m->control->acl_live[key->prefix.family][key->side];
	struct ng_acl_class draft = old ? e->m->acl_class[old] : ng_acl_draft_new(key);
	__u32 clause, row;
	int err = ng_acl_new_clause(e, key, verdict, &clause);

	if (err)
		return err;
	draft.state = NG_ROW_FREE;
	ng_acl_draft_add(e->m, &draft, key, clause);
	err = ng_acl_draft_inherit(e->m, &draft);
	if (err)
		return err;
	if (!old)
		ng_acl_set_word(live, *live + 1);
	err = ng_acl_publish(e, &draft, old, &row);
	if (err)
		return err;
	if (old)
		e->row[place] = row;
	else
		ng_acl_place_insert(e, place, row);
	return ng_acl_refresh(e, place + 1, &key->prefix, key->side);
}

static int add_one(struct ng_acl_edit *e, const struct ng_acl_key *key, __u8 verdict,
		   struct ng_acl_change *change)
{
	size_t place = ng_acl_place_of(e, &key->prefix, key->side);
	__u32 row = ng_acl_row_at(e, place, &key->prefix, key->side);
	__u32 clause = row ? ng_acl_own_clause(e->m, row, key) : 0;

	if (!clause) {
		change->added++;
		return add_clause(e, key, verdict, place, row);
	}
	if (e->m->acl_clause[clause].verdict == verdict) {
		change->unchanged++;
		return 0;
	}
	change->changed++;
	__atomic_store_n(&e->m->acl_clause[clause].verdict, verdict, __ATOMIC_RELEASE);
	return 0;
}

/* Sorted, normal, each key once. Returns how many are left. */
static size_t prepare_keys(struct ng_acl_key *key, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		key[i] = ng_acl_key_normal(&key[i]);
	qsort(key, n, sizeof(*key), ng_acl_compare_key);
	for (size_t i = 0; i < n; i++)
		if (!kept || ng_acl_compare_key(&key[kept - 1], &key[i]))
			key[kept++] = key[i];
	return kept;
}

int ng_acl_add_all(struct ng_maps *m, const struct ng_acl_key *keys, size_t n, __u8 verdict,
		   struct ng_acl_change *change)
{
	struct ng_acl_change done = { 0 };
	struct ng_acl_key *key = malloc((n ? n : 1) * sizeof(*key));
	struct ng_acl_edit e = { 0 };
	int err = key ? 0 : -ENOMEM;

	if (!err)
		err = ng_acl_edit_begin(&e, m);
	if (err)
		goto out;
	memcpy(key, keys, n * sizeof(*key));
	n = prepare_keys(key, n);
	err = check_room(&e, key, n);
	if (err) {
		free(e.row);
		goto out;
	}
	ng_acl_set_word(&m->control->acl_dirty, CHANGING);
	for (size_t i = 0; i < n && !err; i++)
		err = add_one(&e, &key[i], verdict, &done);
	err = edit_end(&e, err);
	if (!err)
		*change = done;
out:
	free(key);
	return err;
}

int ng_acl_add(struct ng_maps *m, const struct ng_acl_key *key, __u8 verdict, bool *existed)
{
	struct ng_acl_change change;
	int err = ng_acl_add_all(m, key, 1, verdict, &change);

	if (!err)
		*existed = !change.added;
	return err;
}

static int remove_prefix(struct ng_acl_edit *e, size_t place)
{
	struct ng_acl_class *c = &e->m->acl_class[e->row[place]];
	__u32 *live = &e->m->control->acl_live[c->family][c->side];
	int err = ng_acl_trie_delete(e->m, c);

	if (err)
		return err;
	ng_acl_set_state(&c->state, NG_ROW_DEAD);
	ng_acl_set_word(live, *live - 1);
	ng_acl_place_remove(e, place);
	return 0;
}

static int remove_clause(struct ng_acl_edit *e, const struct ng_acl_key *key, size_t place,
			 __u32 clause)
{
	struct ng_acl_class draft = e->m->acl_class[e->row[place]];
	int err;

	draft.state = NG_ROW_FREE;
	ng_acl_draft_remove(&draft, clause);
	if (draft.own) {
		err = ng_acl_draft_inherit(e->m, &draft);
		if (!err)
			err = ng_acl_publish(e, &draft, e->row[place], &e->row[place]);
	} else {
		err = remove_prefix(e, place);
	}
	if (!err)
		err = ng_acl_refresh(e, place, &key->prefix, key->side);
	if (!err)
		ng_acl_set_state(&e->m->acl_clause[clause].state, NG_ROW_DEAD);
	return err;
}

int ng_acl_del(struct ng_maps *m, const struct ng_acl_key *key)
{
	struct ng_acl_key k = ng_acl_key_normal(key);
	struct ng_acl_edit e;
	size_t place;
	__u32 row, clause;
	int err = ng_acl_edit_begin(&e, m);

	if (err)
		return err;
	place = ng_acl_place_of(&e, &k.prefix, k.side);
	row = ng_acl_row_at(&e, place, &k.prefix, k.side);
	clause = row ? ng_acl_own_clause(m, row, &k) : 0;
	if (!clause) {
		free(e.row);
		return -ENOENT;
	}
	ng_acl_set_word(&m->control->acl_dirty, CHANGING);
	return edit_end(&e, remove_clause(&e, &k, place, clause));
}

static void set_live(struct ng_maps *m, const __u32 live[NG_FAMILY_MAX][NG_SIDE_MAX])
{
	for (int f = 0; f < NG_FAMILY_MAX; f++)
		for (int s = 0; s < NG_SIDE_MAX; s++)
			ng_acl_set_word(&m->control->acl_live[f][s], live[f][s]);
}

int ng_acl_flush(struct ng_maps *m)
{
	static const __u32 none[NG_FAMILY_MAX][NG_SIDE_MAX];
	int err, clauses = 0;

	ng_acl_set_word(&m->control->acl_dirty, FLUSHING);
	set_live(m, none);
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (m->acl_class[i].state != NG_ROW_LIVE)
			continue;
		err = ng_acl_trie_delete(m, &m->acl_class[i]);
		if (err && err != -ENOENT)
			return err;
		ng_acl_set_state(&m->acl_class[i].state, NG_ROW_DEAD);
	}
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (m->acl_clause[i].state != NG_ROW_LIVE)
			continue;
		clauses++;
		ng_acl_set_state(&m->acl_clause[i].state, NG_ROW_DEAD);
	}
	ng_acl_set_word(&m->control->acl_dirty, CLEAN);
	return clauses;
}

/* Recovery */

/* Live is what a trie points at, everything else that is not free is dead. */
static int settle_rows(struct ng_maps *m)
{
	__u32 live[NG_FAMILY_MAX][NG_SIDE_MAX] = { 0 };

	for (__u32 i = 1; i < m->acl_entries; i++) {
		struct ng_acl_class *c = &m->acl_class[i];
		struct ng_prefix p = ng_acl_row_prefix(c);
		__u32 row = 0;
		int err;

		if (c->state != NG_ROW_LIVE)
			continue;
		err = ng_acl_trie_lookup(m, &p, c->side, p.len, &row);
		if (err)
			return err;
		if (row == i)
			live[c->family][c->side]++;
		else
			ng_acl_set_state(&c->state, NG_ROW_DEAD);
	}
	set_live(m, live);
	return 0;
}

static int refresh_all(struct ng_acl_edit *e)
{
	for (int f = 0; f < NG_FAMILY_MAX; f++) {
		struct ng_prefix all = { .family = f };

		for (int s = 0; s < NG_SIDE_MAX; s++) {
			int err = ng_acl_refresh(e, ng_acl_place_of(e, &all, s), &all, s);

			if (err)
				return err;
		}
	}
	return 0;
}

/* A live clause that no live row owns is dead; the others learn their owner again. */
static int settle_clauses(const struct ng_acl_edit *e)
{
	struct ng_maps *m = e->m;
	__u32 *owner = calloc(m->acl_entries, sizeof(*owner));

	if (!owner)
		return -ENOMEM;
	for (size_t i = 0; i < e->rows; i++) {
		const struct ng_acl_class *c = &m->acl_class[e->row[i]];

		for (__u8 k = 0; k < c->own; k++)
			owner[c->clause[k]] = e->row[i];
	}
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (owner[i])
			ng_acl_set_word(&m->acl_clause[i].class_row, owner[i]);
		else if (m->acl_clause[i].state == NG_ROW_LIVE)
			ng_acl_set_state(&m->acl_clause[i].state, NG_ROW_DEAD);
	}
	free(owner);
	return 0;
}

int ng_acl_recover(struct ng_maps *m)
{
	struct ng_acl_edit e;
	int err;

	if (m->control->acl_dirty == FLUSHING) {
		err = ng_acl_flush(m);
		return err < 0 ? err : 0;
	}
	ng_acl_set_word(&m->control->acl_dirty, CHANGING);
	err = settle_rows(m);
	if (!err)
		err = ng_acl_edit_begin(&e, m);
	if (err)
		return err;
	err = refresh_all(&e);
	if (!err)
		err = settle_clauses(&e);
	return edit_end(&e, err);
}
