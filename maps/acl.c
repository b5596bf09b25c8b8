// SPDX-License-Identifier: GPL-2.0-only
/* Changes of ACL tables in place: put, delete, sweep. */
#include "maps/acl.h"

#include <errno.h>
#include <string.h>

#include "maps/acl_leaf.h"

/*
 * How it works. A prefix is present when it has clauses; ng_acl_index finds the first of them, and
 * that clause holds the prefix's leaf. The clauses in effect for an address are those of its longest
 * prefix, then those of the covering prefixes, longest first, up to the first that is final (one
 * verdict, whatever the packet) and eight at most. Most prefixes of most tables have one clause, a
 * final one: their leaf is that clause and its verdict, and nothing more is read for a packet. All
 * others have a row with the list, so that inheriting costs a packet nothing either.
 *
 * A change alters the clauses of one prefix, then its leaf, then the rows below it whose lists have
 * become others. No row is ever changed: a new one is made, its leaf takes the place of the old one
 * in the engine, and the old one is dead: free after a grace period, which is waited for only when
 * nothing else is left. The same for clauses. So whatever a leaf that a program has just read leads
 * to is whole, and each address has its old or its new answer at any moment.
 *
 * A clause that changes is one store for those who ask it. One that was final and is not any more has
 * nothing behind it in any list, so it gets a deadline that never comes first: it decides as before,
 * and the lists go on behind it.
 *
 * head->dirty is set around every change. A writer that finds it set (another one died) builds a new
 * generation from the live clauses, which is right whatever the leaves have become. A clause is live
 * from before its first leaf to after its last; if it changes, head->redo has its new words until
 * all of them are its own.
 */

#define NEVER (~0ull) /* jiffies */

static struct ng_acl_need need_of(const struct ng_acl_item *item, __u32 rows)
{
	return (struct ng_acl_need){
		.clauses = 1,
		.rows = rows,
		.nodes = 2 * NG_TRIE_TAKES_MAX, /* one call's, and what all others ask for */
		.notes = item ? ng_acl_note_pieces(item->note) : 0,
	};
}

static bool is_below(struct ng_acl_tables *t, __u32 row, const struct ng_prefix *p,
		     enum ng_side side)
{
	const struct ng_acl_clause *c = ng_clause_at(t, ng_row_at(t, row)->owner);
	struct ng_prefix q = ng_clause_prefix(c);

	return c->side == side && q.len > p->len && ng_prefix_covers(p, &q);
}

/* Rows to look at for those that a change of p makes anew: none where nothing can be below it. */
static __u32 rows_to_walk(const struct ng_acl_tables *t, const struct ng_prefix *p,
			  enum ng_side side)
{
	const __u32 *present = t->head->lens[p->family][side];
	const unsigned int bits = p->family == NG_IPV4 ? 32 : 128;
	__u32 longer = 0;

	for (unsigned int len = p->len + 1u; len <= bits; len++)
		longer |= present[len];
	return longer && t->head->row.used ? t->head->row.fresh : 0;
}

/* Rows that a change of p may make anew, beside its own. */
static __u32 rows_below(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side)
{
	__u32 end = rows_to_walk(t, p, side), n = 0;

	for (__u32 r = 1; r < end; r++)
		n += ng_row_at(t, r)->owner && is_below(t, r, p, side);
	return n;
}

/* Lets a prefix that is present have the leaf its clauses ask for now, where `from` was. */
static int publish(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
		   __u32 from)
{
	__u32 first = ng_acl_first(t, p, side), list[NG_ACL_CLAUSES_MAX];
	__u32 n = ng_acl_effective(t, p, side, list), old = ng_clause_at(t, first)->leaf, leaf;
	int err;

	if (ng_leaf_says(t, old, list, n))
		return 0;
	leaf = ng_leaf_new(t, first, list, n);
	err = ng_acl_pages_error(t);
	if (!err)
		err = ng_engine_set(t, p, side, from, leaf, true);
	if (err)
		return err;
	ng_clause_at(t, first)->leaf = leaf;
	ng_leaf_kill(t, old);
	return 0;
}

/* rows: how many there are, as rows_below() says. */
static int publish_below(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
			 __u32 rows)
{
	__u32 end = rows ? t->head->row.fresh : 0;
	int err = 0;

	for (__u32 r = 1; r < end && !err; r++) {
		__u32 owner = ng_row_at(t, r)->owner;

		if (owner && is_below(t, r, p, side)) {
			struct ng_prefix q = ng_clause_prefix(ng_clause_at(t, owner));

			err = publish(t, &q, side, ng_clause_at(t, owner)->leaf);
		}
	}
	return err;
}

static int publish_all(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
		       __u32 from, __u32 rows)
{
	int err = publish(t, p, side, from);

	return err ? err : publish_below(t, p, side, rows);
}

/*
 * The engine is asked first: what holds for an address of p is its cover's, unless a longer prefix
 * is there. Else ng_acl_index is, once for each length that is present.
 */
static __u32 cover_leaf(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side)
{
	struct ng_prefix first = *p;
	__u32 leaf, cover;

	first.len = p->family == NG_IPV4 ? 32 : 128;
	if (!ng_engine_find(t, &first, side, &leaf) &&
	    (!leaf || ng_clause_at(t, ng_leaf_owner(t, leaf))->prefixlen < p->len))
		return leaf;
	cover = ng_acl_cover(t, p, side);
	return cover ? ng_clause_at(t, cover)->leaf : 0;
}

static int begin(struct ng_acl_tables *t, const struct ng_acl_need *need)
{
	int err = ng_acl_pages_error(t);

	if (!err)
		err = ng_acl_make_room(t, need);
	if (!err)
		NG_STORE(t->head->dirty, 1);
	return err;
}

static int end(struct ng_acl_tables *t, int err)
{
	if (!err)
		err = ng_acl_pages_error(t);
	if (!err)
		NG_STORE(t->head->dirty, 0);
	/* Room was made, and what goes was found: the tables are not what they say. */
	return err == -ENOSPC || err == -ENOENT ? -EIO : err;
}

static __u32 count_own(struct ng_acl_tables *t, __u32 first)
{
	__u32 n = 0;

	for (; first; first = ng_clause_at(t, first)->sibling)
		n++;
	return n;
}

static int add(struct ng_acl_tables *t, const struct ng_acl_item *item, __u32 first)
{
	const struct ng_prefix *p = &item->key.prefix;
	enum ng_side side = item->key.side;
	__u32 rows = rows_below(t, p, side), from;
	struct ng_acl_need need = need_of(item, 1 + rows);
	int err;

	if (count_own(t, first) >= NG_ACL_CLAUSES_MAX)
		return -E2BIG;
	err = begin(t, &need);
	if (err)
		return err;
	from = first ? ng_clause_at(t, first)->leaf : cover_leaf(t, p, side);
	ng_acl_link(t, ng_clause_new(t, item));
	err = publish_all(t, p, side, from, rows);
	return end(t, err);
}

static bool is_same(struct ng_acl_tables *t, __u32 id, const struct ng_acl_item *item)
{
	const struct ng_acl_clause *c = ng_clause_at(t, id);
	char note[NG_ACL_NOTE_MAX + 1];

	ng_acl_note(t, c->note, note);
	return c->verdict == item->verdict && !c->deadline && !item->deadline &&
	       (!item->note || !strncmp(note, item->note, NG_ACL_NOTE_MAX));
}

static int change(struct ng_acl_tables *t, const struct ng_acl_item *item, __u32 first, __u32 id)
{
	const struct ng_prefix *p = &item->key.prefix;
	enum ng_side side = item->key.side;
	__u32 rows = rows_below(t, p, side);
	struct ng_acl_need need = need_of(item, 1 + rows);
	struct ng_acl_clause *c = ng_clause_at(t, id);
	int err;

	need.clauses = 0;
	err = begin(t, &need);
	if (err)
		return err;
	ng_clause_promise(t, id, item);
	if (ng_clause_is_final(c) && (item->verdict == NG_COUNT || item->deadline)) {
		NG_STORE(c->deadline, NEVER);
		err = publish_all(t, p, side, ng_clause_at(t, first)->leaf, rows);
	}
	ng_clause_keep_promise(t);
	if (!err)
		err = publish_all(t, p, side, ng_clause_at(t, first)->leaf, rows);
	return end(t, err);
}

int ng_acl_put(struct ng_acl_tables *t, const struct ng_acl_item *item, struct ng_acl_change *done)
{
	struct ng_acl_item it = *item;
	__u32 first, id;
	int err;

	it.key = ng_acl_key_normal(&item->key);
	first = ng_acl_first(t, &it.key.prefix, it.key.side);
	id = first ? ng_acl_own(t, first, &it.key) : 0;
	if (id && is_same(t, id, &it)) {
		done->unchanged++;
		return 0;
	}
	err = id ? change(t, &it, first, id) : add(t, &it, first);
	if (!err)
		*(id ? &done->changed : &done->added) += 1;
	return err;
}

static int remove_clause(struct ng_acl_tables *t, __u32 first, __u32 id)
{
	struct ng_acl_clause *c = ng_clause_at(t, id);
	struct ng_prefix p = ng_clause_prefix(c);
	__u32 old = ng_clause_at(t, first)->leaf;
	enum ng_side side = c->side;
	__u32 rows = rows_below(t, &p, side);
	struct ng_acl_need need = need_of(NULL, 1 + rows);
	int err;

	need.clauses = 0;
	err = begin(t, &need);
	if (err)
		return err;
	ng_acl_unlink(t, id);
	if (ng_acl_first(t, &p, side)) {
		err = publish(t, &p, side, old);
	} else {
		err = ng_engine_set(t, &p, side, old, cover_leaf(t, &p, side), false);
		ng_leaf_kill(t, old);
	}
	if (!err)
		err = publish_below(t, &p, side, rows);
	if (!err)
		ng_clause_kill(t, id);
	return end(t, err);
}

int ng_acl_del(struct ng_acl_tables *t, const struct ng_acl_key *key)
{
	struct ng_acl_key k = ng_acl_key_normal(key);
	__u32 first = ng_acl_first(t, &k.prefix, k.side);
	__u32 id = first ? ng_acl_own(t, first, &k) : 0;

	return id ? remove_clause(t, first, id) : -ENOENT;
}

/* New tables take less time than looking at more rows than that, one clause after the other. */
#define SWEEP_ROWS_MAX 10000000

long ng_acl_sweep(struct ng_acl_tables *t, __u64 now_jiffies)
{
	__u64 next = 0, rows = 0;
	long swept = 0;
	int err;

	if (!t->head->deadline || t->head->deadline > now_jiffies)
		return 0;
	err = ng_pages_map_all(&t->pages[NG_ACL_CLAUSE]);
	for (__u32 id = 1; !err && id < t->head->clause.fresh; id++) {
		struct ng_acl_clause *c = ng_clause_at(t, id);
		struct ng_acl_key key = ng_clause_key(c);

		if (c->state != NG_CLAUSE_LIVE || !c->deadline)
			continue;
		if (c->deadline <= now_jiffies) {
			rows += rows_to_walk(t, &key.prefix, key.side);
			err = rows > SWEEP_ROWS_MAX ? -ENOSPC : ng_acl_del(t, &key);
			swept++;
		} else if (!next || c->deadline < next) {
			next = c->deadline;
		}
	}
	if (err)
		return err;
	t->head->deadline = next;
	return swept;
}
