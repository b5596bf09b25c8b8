// SPDX-License-Identifier: GPL-2.0-only
/* Clauses in memory: their pools, the index that finds them by prefix, their comments. */
#include "maps/acl_store.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct ng_pool_ref ng_clause_pool(struct ng_acl_tables *t)
{
	return (struct ng_pool_ref){ &t->head->clause, &t->pages[NG_ACL_CLAUSE],
				     offsetof(struct ng_acl_clause, chain),
				     sizeof(struct ng_acl_clause) };
}

struct ng_pool_ref ng_row_pool(struct ng_acl_tables *t)
{
	return (struct ng_pool_ref){ &t->head->row, &t->pages[NG_ACL_ROW],
				     offsetof(struct ng_acl_row, link), sizeof(struct ng_acl_row) };
}

struct ng_pool_ref ng_note_pool(struct ng_acl_tables *t)
{
	return (struct ng_pool_ref){ &t->head->note, &t->pages[NG_ACL_NOTES],
				     offsetof(struct ng_acl_note, link),
				     sizeof(struct ng_acl_note) };
}

struct ng_pool_ref ng_node_pool(struct ng_acl_tables *t)
{
	return (struct ng_pool_ref){ &t->head->node, &t->pages[NG_ACL_LINKS], 0, sizeof(__u32) };
}

struct ng_pool_ref ng_skip_pool(struct ng_acl_tables *t)
{
	return (struct ng_pool_ref){ &t->head->skip, &t->pages[NG_ACL_SKIPS],
				     offsetof(struct ng_trie_skip, link),
				     sizeof(struct ng_trie_skip) };
}

int ng_acl_pages_error(const struct ng_acl_tables *t)
{
	for (int i = 0; i < NG_ACL_MAP_MAX; i++)
		if (t->pages[i].error)
			return t->pages[i].error;
	return 0;
}

/* Room */

static void reap(struct ng_acl_tables *t)
{
	const struct ng_pool_ref pool[] = {
		ng_clause_pool(t), ng_row_pool(t),  ng_note_pool(t),
		ng_node_pool(t),   ng_skip_pool(t),
	};

	for (size_t i = 0; i < sizeof(pool) / sizeof(pool[0]); i++)
		if (pool[i].pool->dead)
			ng_pool_reap(&pool[i]);
}

int ng_acl_make_room(struct ng_acl_tables *t, const struct ng_acl_need *need)
{
	const struct {
		const struct ng_pool *pool;
		__u32 need;
	} ask[] = {
		{ &t->head->clause, need->clauses }, { &t->head->row, need->rows },
		{ &t->head->note, need->notes },     { &t->head->node, need->nodes },
		{ &t->head->skip, need->nodes },
	};
	bool wait = false;
	int err;

	for (size_t i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
		if (i >= 3 && t->head->engine != NG_ENGINE_TRIE)
			break;
		if (ng_pool_left(ask[i].pool) < ask[i].need)
			return -ENOSPC;
		wait |= ng_pool_ready(ask[i].pool) < ask[i].need;
	}
	if (!wait)
		return 0;
	err = ng_grace_period();
	if (err)
		return err;
	NG_STORE(t->head->dirty, 1); /* the lists are about to be */
	reap(t);
	return 0;
}

/* What a clause says of itself */

struct ng_prefix ng_clause_prefix(const struct ng_acl_clause *c)
{
	struct ng_prefix p = { .family = c->family, .len = c->prefixlen };

	memcpy(p.addr_be, c->addr_be, sizeof(p.addr_be));
	return p;
}

struct ng_acl_key ng_clause_key(const struct ng_acl_clause *c)
{
	return (struct ng_acl_key){
		.prefix = ng_clause_prefix(c),
		.side = c->side,
		.any_proto = c->any_proto,
		.any_port = c->any_port,
		.proto = c->proto,
		.port_lo = c->port_lo,
		.port_hi = c->port_hi,
	};
}

bool ng_clause_is_final(const struct ng_acl_clause *c)
{
	return c->any_proto && c->any_port && !c->deadline && c->verdict != NG_COUNT;
}

/* The index */

__u32 *ng_acl_bucket(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side)
{
	__u64 h = (__u64)p->len << 2 | (__u64)p->family << 1 | (__u64)side;

	for (int i = 0; i < 4; i++)
		h = ((h ^ p->addr_be[i]) * 0x9e3779b97f4a7c15ull) ^ (h >> 29);
	h ^= h >> 32;
	return ng_pages_at(&t->pages[NG_ACL_INDEX], (h & (t->head->buckets - 1)) * sizeof(__u32));
}

static bool is_of(const struct ng_acl_clause *c, const struct ng_prefix *p, enum ng_side side)
{
	return c->prefixlen == p->len && c->side == side && c->family == p->family &&
	       !memcmp(c->addr_be, p->addr_be, sizeof(c->addr_be));
}

/* The word that holds the first clause of a prefix: a bucket, or the chain of another clause. */
static __u32 *place_of(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side)
{
	__u32 *at = ng_acl_bucket(t, p, side);

	for (; *at; at = &ng_clause_at(t, *at)->chain)
		if (is_of(ng_clause_at(t, *at), p, side))
			break;
	return at;
}

__u32 ng_acl_first(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side)
{
	return *place_of(t, p, side);
}

static struct ng_prefix shortened(const struct ng_prefix *p, unsigned int len)
{
	struct ng_prefix q = { .family = p->family, .len = (__u8)len };
	__u8 *to = (__u8 *)q.addr_be;

	memcpy(to, p->addr_be, (len + 7) / 8);
	if (len % 8)
		to[len / 8] &= (__u8)(0xff << (8 - len % 8));
	return q;
}

__u32 ng_acl_cover(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side)
{
	const __u32 *present = t->head->lens[p->family][side];

	for (unsigned int len = p->len; len-- > 0;) {
		struct ng_prefix q = shortened(p, len);
		__u32 first = present[len] ? ng_acl_first(t, &q, side) : 0;

		if (first)
			return first;
	}
	return 0;
}

__u32 ng_acl_own(struct ng_acl_tables *t, __u32 first, const struct ng_acl_key *key)
{
	for (__u32 id = first; id; id = ng_clause_at(t, id)->sibling) {
		struct ng_acl_key k = ng_clause_key(ng_clause_at(t, id));

		if (!ng_acl_compare_match(&k, key))
			return id;
	}
	return 0;
}

static void count_prefix(struct ng_acl_tables *t, const struct ng_acl_clause *c, __u32 by)
{
	__u32 *live = &t->head->live[c->family][c->side];

	t->head->lens[c->family][c->side][c->prefixlen] += by;
	NG_STORE(*live, *live + by);
}

void ng_acl_link(struct ng_acl_tables *t, __u32 id)
{
	struct ng_acl_clause *c = ng_clause_at(t, id), *was;
	struct ng_acl_key key = ng_clause_key(c);
	__u32 *at = place_of(t, &key.prefix, c->side);

	if (!*at) {
		count_prefix(t, c, 1);
		*at = id;
		return;
	}
	was = ng_clause_at(t, *at);
	for (__u32 *next = at;; next = &ng_clause_at(t, *next)->sibling) {
		struct ng_acl_key other = *next ? ng_clause_key(ng_clause_at(t, *next)) : key;

		if (*next && ng_acl_compare_match(&other, &key) < 0)
			continue;
		c->sibling = *next;
		if (next == at) {
			c->chain = was->chain;
			c->leaf = was->leaf;
		}
		*next = id;
		return;
	}
}

void ng_acl_unlink(struct ng_acl_tables *t, __u32 id)
{
	struct ng_acl_clause *c = ng_clause_at(t, id);
	struct ng_prefix p = ng_clause_prefix(c);
	__u32 *at = place_of(t, &p, c->side), *next = at;

	if (*at == id && !c->sibling) {
		*at = c->chain;
		count_prefix(t, c, (__u32)-1);
		return;
	}
	if (*at == id) {
		struct ng_acl_clause *heir = ng_clause_at(t, c->sibling);

		heir->chain = c->chain;
		heir->leaf = c->leaf;
	}
	while (*next != id)
		next = &ng_clause_at(t, *next)->sibling;
	*next = c->sibling;
}

/* Comments */

__u32 ng_acl_note_pieces(const char *note)
{
	const size_t room = sizeof(((struct ng_acl_note *)0)->text);

	return note ? (__u32)((strnlen(note, NG_ACL_NOTE_MAX) + room - 1) / room) : 0;
}

static void free_note(struct ng_acl_tables *t, __u32 id)
{
	struct ng_pool_ref pool = ng_note_pool(t);

	while (id) {
		__u32 next = ng_note_at(t, id)->link;

		ng_pool_give(&pool, id);
		id = next;
	}
}

/* Returns its first piece. Room must have been made. */
static __u32 new_note(struct ng_acl_tables *t, const char *note)
{
	struct ng_pool_ref pool = ng_note_pool(t);
	__u32 pieces = ng_acl_note_pieces(note), first = 0, *at = &first;
	size_t len = note ? strnlen(note, NG_ACL_NOTE_MAX) : 0;

	for (__u32 i = 0; i < pieces; i++) {
		__u32 id = ng_pool_take(&pool);
		struct ng_acl_note *n = ng_note_at(t, id);
		size_t from = i * sizeof(n->text);

		memset(n, 0, sizeof(*n));
		memcpy(n->text, note + from,
		       len - from < sizeof(n->text) ? len - from : sizeof(n->text));
		*at = id;
		at = &n->link;
	}
	return first;
}

void ng_acl_note(struct ng_acl_tables *t, __u32 note, char text[NG_ACL_NOTE_MAX + 1])
{
	const size_t room = sizeof(((struct ng_acl_note *)0)->text);
	size_t len = 0;

	memset(text, 0, NG_ACL_NOTE_MAX + 1);
	for (; note && len < NG_ACL_NOTE_MAX; note = ng_note_at(t, note)->link) {
		size_t left = NG_ACL_NOTE_MAX - len;

		memcpy(text + len, ng_note_at(t, note)->text, left < room ? left : room);
		len = strlen(text);
	}
}

/* Clauses come and go */

static void zero_hits(struct ng_acl_tables *t, __u32 id)
{
	for (__u32 s = 0; t->pages[NG_ACL_HITS].base && s < ng_acl_stripes_of(t); s++)
		*ng_hit_at(t, (size_t)s * t->head->clause.size + id) = (struct ng_acl_hit){ 0 };
}

static void keep_deadline(struct ng_acl_tables *t, __u64 deadline)
{
	if (deadline && (!t->head->deadline || deadline < t->head->deadline))
		t->head->deadline = deadline;
}

__u32 ng_clause_new(struct ng_acl_tables *t, const struct ng_acl_item *item)
{
	struct ng_pool_ref pool = ng_clause_pool(t);
	const struct ng_acl_key *key = &item->key;
	__u32 id = ng_pool_take(&pool);
	struct ng_acl_clause *c = ng_clause_at(t, id);

	*c = (struct ng_acl_clause){
		.verdict = item->verdict,
		.any_proto = key->any_proto,
		.proto = key->proto,
		.any_port = key->any_port,
		.port_lo = key->port_lo,
		.port_hi = key->port_hi,
		.deadline = item->deadline,
		.family = key->prefix.family,
		.side = key->side,
		.prefixlen = key->prefix.len,
		.timeout = item->timeout,
		.added = item->added,
	};
	memcpy(c->addr_be, key->prefix.addr_be, sizeof(c->addr_be));
	c->note = new_note(t, item->note);
	zero_hits(t, id);
	NG_STORE(c->state, (__u8)NG_CLAUSE_LIVE);
	keep_deadline(t, item->deadline);
	return id;
}

void ng_clause_promise(struct ng_acl_tables *t, __u32 id, const struct ng_acl_item *item)
{
	struct ng_acl_redo *redo = &t->head->redo;

	redo->verdict = item->verdict;
	redo->deadline = item->deadline;
	redo->timeout = item->timeout;
	redo->note = item->note ? new_note(t, item->note) : ng_clause_at(t, id)->note;
	NG_STORE(redo->clause, id);
}

void ng_clause_keep_promise(struct ng_acl_tables *t)
{
	struct ng_acl_redo *redo = &t->head->redo;
	struct ng_acl_clause *c = ng_clause_at(t, redo->clause);
	__u32 old = c->note;

	NG_STORE(c->verdict, (__u8)redo->verdict);
	NG_STORE(c->deadline, redo->deadline);
	NG_STORE(c->timeout, redo->timeout);
	NG_STORE(c->note, redo->note);
	NG_STORE(redo->clause, 0);
	if (c->note != old)
		free_note(t, old);
	keep_deadline(t, c->deadline);
}

void ng_clause_kill(struct ng_acl_tables *t, __u32 id)
{
	struct ng_pool_ref pool = ng_clause_pool(t);
	struct ng_acl_clause *c = ng_clause_at(t, id);

	NG_STORE(c->state, (__u8)NG_CLAUSE_DEAD);
	free_note(t, c->note);
	c->note = 0;
	ng_pool_kill(&pool, id);
}
