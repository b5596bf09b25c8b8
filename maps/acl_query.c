// SPDX-License-Identifier: GPL-2.0-only
/* Questions to ACL tables: find, test, list; and the counters of clauses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps/acl_leaf.h"

int ng_acl_find(struct ng_acl_tables *t, const struct ng_acl_key *key, __u32 *clause)
{
	struct ng_acl_key k = ng_acl_key_normal(key);
	__u32 first = ng_acl_first(t, &k.prefix, k.side);
	__u32 id = first ? ng_acl_own(t, first, &k) : 0;

	if (!id)
		return -ENOENT;
	*clause = id;
	return 0;
}

static bool decides(const struct ng_acl_clause *c, int proto, int port, __u64 now)
{
	if (c->verdict == NG_COUNT || (c->deadline && now >= c->deadline))
		return false;
	if (!c->any_proto && c->proto != proto)
		return false;
	return c->any_port || (port >= c->port_lo && port <= c->port_hi);
}

int ng_acl_test(struct ng_acl_tables *t, const struct ng_prefix *addr, enum ng_side side, int proto,
		int port, __u64 now_jiffies, __u32 *clause)
{
	const struct ng_acl_row *row;
	__u32 leaf = 0;
	int err = ng_engine_find(t, addr, side, &leaf);

	if (err || !leaf)
		return err ? err : -ENOENT;
	if (!(leaf & NG_LEAF_ROW)) {
		*clause = leaf & NG_LEAF_ID;
		return 0;
	}
	if ((leaf & NG_LEAF_ID) >= t->head->row.size)
		return -EUCLEAN;
	row = ng_row_at(t, leaf & NG_LEAF_ID);
	for (__u32 i = 0; i < NG_ACL_CLAUSES_MAX && i < row->clauses; i++) {
		if (!decides(ng_clause_at(t, row->clause[i]), proto, port, now_jiffies))
			continue;
		*clause = row->clause[i];
		return 0;
	}
	return -ENOENT;
}

/* Counters */

static struct ng_acl_hit sum_hits(struct ng_acl_tables *t, __u32 id)
{
	struct ng_acl_hit sum = { 0 };

	for (__u32 s = 0; s < ng_acl_stripes_of(t); s++) {
		const struct ng_acl_hit *hit = ng_hit_at(t, (size_t)s * t->head->clause.size + id);
		__u64 last = __atomic_load_n(&hit->last, __ATOMIC_RELAXED);

		sum.packets += __atomic_load_n(&hit->packets, __ATOMIC_RELAXED);
		sum.bytes += __atomic_load_n(&hit->bytes, __ATOMIC_RELAXED);
		sum.last = last > sum.last ? last : sum.last;
	}
	return sum;
}

int ng_acl_zero(struct ng_acl_tables *t)
{
	int err = t->head->stripes ? ng_pages_map_all(&t->pages[NG_ACL_HITS]) : 0;

	if (!err && t->head->stripes)
		memset(ng_hit_at(t, 0), 0,
		       (size_t)ng_acl_stripes_of(t) * t->head->clause.size *
			       sizeof(struct ng_acl_hit));
	return err;
}

int ng_acl_carry(struct ng_acl_tables *from, struct ng_acl_tables *to)
{
	__u32 base = to->head->stripes * to->head->clause.size, found;

	if (!from->head->stripes || !to->head->stripes)
		return 0;
	for (__u32 id = 1; id < from->head->clause.fresh; id++) {
		struct ng_acl_clause *c = ng_clause_at(from, id);
		struct ng_acl_key key = ng_clause_key(c);
		struct ng_acl_hit sum;

		if (c->state != NG_CLAUSE_LIVE)
			continue;
		sum = sum_hits(from, id);
		if (sum.packets && !ng_acl_find(to, &key, &found))
			*ng_hit_at(to, (size_t)base + found) = sum;
	}
	return ng_acl_pages_error(from) ? ng_acl_pages_error(from) : ng_acl_pages_error(to);
}

/* Lists */

int ng_acl_entry_get(struct ng_acl_tables *t, __u32 clause, struct ng_acl_entry *entry)
{
	const struct ng_acl_clause *c;
	struct ng_acl_hit hits;

	if (!t->head || !clause || clause >= t->head->clause.size)
		return -ENOENT;
	c = ng_clause_at(t, clause);
	if (c->state != NG_CLAUSE_LIVE)
		return -ENOENT;
	hits = sum_hits(t, clause);
	*entry = (struct ng_acl_entry){
		.key = ng_clause_key(c),
		.verdict = c->verdict,
		.clause = clause,
		.timeout = c->timeout,
		.added = c->added,
		.deadline = c->deadline,
		.packets = hits.packets,
		.bytes = hits.bytes,
		.last = hits.last,
		.note = c->note,
	};
	return ng_acl_pages_error(t);
}

size_t ng_acl_of_prefix(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
			struct ng_acl_entry list[NG_ACL_CLAUSES_MAX])
{
	__u32 id = ng_acl_first(t, p, side);
	size_t n = 0;

	for (; id && n < NG_ACL_CLAUSES_MAX; id = ng_clause_at(t, id)->sibling)
		n += !ng_acl_entry_get(t, id, &list[n]);
	return n;
}

static int map_for_walk(struct ng_acl_tables *t)
{
	int err = ng_pages_map_all(&t->pages[NG_ACL_CLAUSE]);

	if (!err)
		err = ng_pages_map_all(&t->pages[NG_ACL_NOTES]);
	if (!err && t->head->stripes)
		err = ng_pages_map_all(&t->pages[NG_ACL_HITS]);
	return err;
}

static struct ng_acl_item item_of(struct ng_acl_tables *t, __u32 id, __u32 *note)
{
	const struct ng_acl_redo *redo = &t->head->redo;
	const struct ng_acl_clause *c = ng_clause_at(t, id);
	struct ng_acl_item item = {
		.key = ng_clause_key(c),
		.verdict = c->verdict,
		.timeout = c->timeout,
		.deadline = c->deadline,
		.added = c->added,
	};

	*note = c->note;
	if (redo->clause != id)
		return item;
	item.verdict = (__u8)redo->verdict;
	item.timeout = redo->timeout;
	item.deadline = redo->deadline;
	*note = redo->note;
	return item;
}

int ng_acl_items(struct ng_acl_tables *t, struct ng_acl_item **item, size_t *n, char **notes)
{
	__u32 end = t->head->clause.fresh, pieces = t->head->note.fresh;
	struct ng_acl_item *list = malloc(end * sizeof(*list));
	char *text = malloc((size_t)pieces * (sizeof(((struct ng_acl_note *)0)->text) + 1) +
			    NG_ACL_NOTE_MAX + 1),
	     *at = text;
	size_t got = 0;
	int err = list && text ? map_for_walk(t) : -ENOMEM;

	for (__u32 id = 1; !err && id < end; id++) {
		__u32 note;

		if (ng_clause_at(t, id)->state != NG_CLAUSE_LIVE)
			continue;
		list[got] = item_of(t, id, &note);
		if (note) {
			list[got].note = at;
			ng_acl_note(t, note, at);
			at += strlen(at) + 1;
		}
		got++;
	}
	if (err) {
		free(list);
		free(text);
		return err;
	}
	*item = list;
	*notes = text;
	*n = got;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	return ng_acl_compare_key(&((const struct ng_acl_entry *)a)->key,
				  &((const struct ng_acl_entry *)b)->key);
}

int ng_acl_list(struct ng_acl_tables *t, struct ng_acl_entry **list, size_t *n)
{
	__u32 end = t->head->clause.fresh;
	struct ng_acl_entry *entry = malloc(end * sizeof(*entry));
	size_t got = 0;
	int err = entry ? map_for_walk(t) : -ENOMEM;

	for (__u32 id = 1; !err && id < end; id++) {
		err = ng_acl_entry_get(t, id, &entry[got]);
		got += !err;
		err = err == -ENOENT ? 0 : err;
	}
	if (err) {
		free(entry);
		return err;
	}
	qsort(entry, got, sizeof(*entry), compare_entries);
	*list = entry;
	*n = got;
	return 0;
}
