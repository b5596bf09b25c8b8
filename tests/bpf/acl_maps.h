/* SPDX-License-Identifier: GPL-2.0-only */
/* For ACL tests: tables of a chosen size that belong to no gate,
 * and a linear model of what they should hold. */
#ifndef NG_TESTS_BPF_ACL_MAPS_H
#define NG_TESTS_BPF_ACL_MAPS_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "maps/acl.h"
#include "maps/acl_store.h"

static uint64_t seed = 0x6e676174;

static uint32_t rnd(uint32_t below) /* xorshift64* */
{
	seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static const struct ng_acl_size small_tables = {
	.root_bits = { 16, 16 },
	.clauses = 64,
	.rows = 48,
	.nodes = 256,
	.skips = 128,
	.notes = 32,
	.stripes = 1,
};

static const char *const engine_name[NG_ENGINE_MAX] = { "trie", "lpm" };

/* false, with errno: not permitted or no memory. */
static bool make_tables(struct ng_acl_tables *t, enum ng_acl_engine engine)
{
	struct ng_acl_size size = small_tables;
	int err;

	size.engine = engine;
	err = ng_acl_tables_create(&size, t);
	errno = -err;
	return !err;
}

/* The same clauses in new tables, of the size that they need: what a full table becomes. */
__attribute__((unused)) static int rebuild_tables(struct ng_acl_tables *t)
{
	struct ng_acl_item *item;
	struct ng_acl_tables next;
	struct ng_acl_size like;
	char *notes;
	size_t n, bad;
	int err = ng_acl_items(t, &item, &n, &notes);
	long sorted;

	if (err)
		return err;
	ng_acl_tables_size(t, &like);
	sorted = ng_acl_items_sort(item, n);
	err = sorted < 0 ? (int)sorted : ng_acl_build(item, (size_t)sorted, &like, &next, &bad);
	if (!err)
		err = ng_acl_carry(t, &next);
	free(item);
	free(notes);
	if (err)
		return err;
	ng_acl_tables_close(t);
	*t = next;
	return 0;
}

/* The model: a list of clauses, searched one by one. */
struct model {
	size_t n;
	struct {
		struct ng_acl_key key;
		__u8 verdict;
		__u64 deadline;
		__u64 packets;
	} clause[1024];
};

static __u64 model_now; /* jiffies */

static bool same_key(const struct ng_acl_key *a, const struct ng_acl_key *b)
{
	return a->prefix.family == b->prefix.family && a->prefix.len == b->prefix.len &&
	       !memcmp(a->prefix.addr_be, b->prefix.addr_be, 16) && a->side == b->side &&
	       a->any_proto == b->any_proto && a->any_port == b->any_port && a->proto == b->proto &&
	       a->port_lo == b->port_lo && a->port_hi == b->port_hi;
}

static size_t model_find(const struct model *o, const struct ng_acl_key *key)
{
	size_t i = 0;

	while (i < o->n && !same_key(&o->clause[i].key, key))
		i++;
	return i;
}

static void model_add(struct model *o, const struct ng_acl_key *key, __u8 verdict)
{
	size_t i = model_find(o, key);

	if (i == o->n) {
		o->n++;
		o->clause[i].packets = 0;
	}
	o->clause[i].key = *key;
	o->clause[i].verdict = verdict;
	o->clause[i].deadline = 0;
}

static bool model_del(struct model *o, const struct ng_acl_key *key)
{
	size_t i = model_find(o, key);

	if (i == o->n)
		return false;
	o->clause[i] = o->clause[--o->n];
	return true;
}

static bool bit(const __be32 *addr, int i)
{
	return ((const __u8 *)addr)[i / 8] >> (7 - i % 8) & 1;
}

static bool model_covers(const struct ng_prefix *p, const struct ng_prefix *addr)
{
	if (p->family != addr->family)
		return false;
	for (int i = 0; i < p->len; i++)
		if (bit(p->addr_be, i) != bit(addr->addr_be, i))
			return false;
	return true;
}

/* Whether a is tried before b, for an address both cover: acl.h's words. */
static bool model_before(const struct ng_acl_key *a, const struct ng_acl_key *b)
{
	int wa = a->any_port ? 0x10000 : a->port_hi - a->port_lo;
	int wb = b->any_port ? 0x10000 : b->port_hi - b->port_lo;

	if (a->prefix.len != b->prefix.len)
		return a->prefix.len > b->prefix.len;
	if (wa != wb)
		return wa < wb;
	if (a->any_proto != b->any_proto)
		return b->any_proto;
	if (a->proto != b->proto)
		return a->proto < b->proto;
	return a->port_lo < b->port_lo;
}

/* Which clauses are in effect for an address, in order. */
static size_t model_effect(const struct model *o, const struct ng_prefix *addr, enum ng_side side,
			   size_t effect[NG_ACL_CLAUSES_MAX])
{
	size_t n = 0;

	while (n < NG_ACL_CLAUSES_MAX) {
		size_t best = o->n;

		for (size_t i = 0; i < o->n; i++) {
			const struct ng_acl_key *k = &o->clause[i].key;

			if (k->side != side || !model_covers(&k->prefix, addr))
				continue;
			if (n && !model_before(&o->clause[effect[n - 1]].key, k))
				continue;
			if (best == o->n || model_before(k, &o->clause[best].key))
				best = i;
		}
		if (best == o->n)
			break;
		effect[n++] = best;
	}
	return n;
}

static bool model_fits(const struct ng_acl_key *k, int proto, int port)
{
	return (k->any_proto || k->proto == proto) &&
	       (k->any_port || (port >= k->port_lo && port <= k->port_hi));
}

/* The clause that decides, o->n if none; with hit, those that fit on the way count a packet. */
static size_t model_decide(struct model *o, const struct ng_prefix *addr, enum ng_side side,
			   int proto, int port, bool hit)
{
	size_t effect[NG_ACL_CLAUSES_MAX];
	size_t n = model_effect(o, addr, side, effect);

	for (size_t i = 0; i < n; i++) {
		__u64 deadline = o->clause[effect[i]].deadline;

		if (!model_fits(&o->clause[effect[i]].key, proto, port) ||
		    (deadline && model_now >= deadline))
			continue;
		o->clause[effect[i]].packets += hit;
		if (o->clause[effect[i]].verdict != NG_COUNT)
			return effect[i];
	}
	return o->n;
}

/* Addresses and prefixes from a small world, so that they overlap. */
static struct ng_prefix random_address(void)
{
	struct ng_prefix p = { .family = rnd(2) };
	__u8 *b = (__u8 *)p.addr_be;

	if (p.family == NG_IPV4) {
		b[0] = 10, b[1] = rnd(2), b[2] = rnd(2) << 7, b[3] = rnd(3);
		p.len = 32;
	} else {
		b[0] = 0x20, b[1] = 1, b[5] = rnd(2), b[7] = rnd(2), b[8] = rnd(2) << 7,
		b[15] = rnd(3);
		p.len = 128;
	}
	return p;
}

static struct ng_prefix random_prefix(void)
{
	static const __u8 lens[NG_FAMILY_MAX][8] = {
		{ 0, 7, 8, 15, 16, 17, 31, 32 },
		{ 0, 16, 47, 48, 64, 65, 127, 128 },
	};
	struct ng_prefix p = random_address();
	__u8 *b = (__u8 *)p.addr_be;
	int bits = p.len;

	p.len = lens[p.family][rnd(8)];
	for (int i = p.len; i < bits; i++)
		b[i / 8] &= ~(0x80 >> i % 8);
	return p;
}

static const __u8 protos[] = { 6, 17, 1, 132 };

__attribute__((unused)) static struct ng_acl_key random_key(void)
{
	static const __u16 ports[][2] = {
		{ 53, 53 }, { 50, 60 }, { 53, 54 }, { 0, 65535 }, { 443, 443 }
	};
	struct ng_acl_key k = {
		.prefix = random_prefix(),
		.side = rnd(2),
		.any_proto = true,
		.any_port = true,
		.port_hi = 65535,
	};

	if (rnd(2)) {
		k.any_proto = false;
		k.proto = protos[rnd(4)];
		if (k.proto != 1 && rnd(2)) {
			const __u16 *range = ports[rnd(5)];

			k.any_port = false;
			k.port_lo = range[0];
			k.port_hi = range[1];
		}
	}
	return k;
}

static const char *state_problem;

static bool problem(const char *what)
{
	state_problem = what;
	return false;
}

/* Length of a list of a pool's, whose elements are marked; more than there are: it leads nowhere. */
static __u32 pool_list(const struct ng_pool_ref *r, __u32 id, bool *seen)
{
	__u32 n = 0;

	for (; id; n++) {
		if (id >= r->pool->fresh || seen[id])
			return r->pool->size;
		seen[id] = true;
		id = *(__u32 *)ng_pages_at(r->links, r->offset + id * r->stride);
	}
	return n;
}

/* Every element is used, free, dead or fresh, and one of these only. */
static bool pool_fits(const struct ng_pool_ref *r)
{
	bool *seen = calloc(r->pool->size + 1, sizeof(*seen));
	__u32 free_ones = pool_list(r, r->pool->free, seen);
	__u32 dead = pool_list(r, r->pool->dead, seen);

	free(seen);
	return dead == r->pool->dying &&
	       r->pool->fresh == (__u64)1 + r->pool->used + dead + free_ones;
}

__attribute__((unused)) static bool pools_fit(struct ng_acl_tables *t)
{
	const struct ng_pool_ref pool[] = { ng_clause_pool(t), ng_row_pool(t), ng_note_pool(t),
					    ng_node_pool(t), ng_skip_pool(t) };
	bool trie = t->head->engine == NG_ENGINE_TRIE;

	for (size_t i = 0; i < (trie ? 5 : 3); i++)
		if (!pool_fits(&pool[i]))
			return problem("lists of a pool");
	return true;
}

/* What all tables hold, in one number. */
__attribute__((unused)) static __u64 sum_of(struct ng_acl_tables *t)
{
	__u64 sum = 0;

	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		if (!t->pages[i].base)
			continue;
		ng_pages_map_all(&t->pages[i]);
		for (size_t at = 0; at < t->pages[i].size; at += sizeof(sum))
			sum = (sum + *(__u64 *)(t->pages[i].base + at)) * 0x9e3779b97f4a7c15;
	}
	return sum;
}

/* Whether the tables hold exactly the model and nothing hangs loose. */
__attribute__((unused)) static bool tables_are(struct ng_acl_tables *t, const struct model *o)
{
	const struct ng_acl_head *h = t->head;
	struct ng_acl_entry *list;
	size_t n, prefixes = 0, counted = 0;
	bool good = true;

	if (h->dirty)
		return problem("dirty");
	if (ng_acl_list(t, &list, &n))
		return problem("list fails");
	for (size_t i = 0; i < n; i++) {
		size_t k = model_find(o, &list[i].key);

		if (k == o->n || o->clause[k].verdict != list[i].verdict)
			good = problem("an entry that should not be");
		prefixes += !i || list[i].key.side != list[i - 1].key.side ||
			    memcmp(&list[i].key.prefix, &list[i - 1].key.prefix,
				   sizeof(list[i].key.prefix));
	}
	free(list);
	if (n != o->n || h->clause.used != n)
		return problem("number of entries");
	for (int f = 0; f < NG_FAMILY_MAX; f++)
		for (int s = 0; s < NG_SIDE_MAX; s++) {
			__u32 sum = 0;

			for (int len = 0; len <= 128; len++)
				sum += h->lens[f][s][len];
			if (sum != h->live[f][s])
				good = problem("lens");
			counted += sum;
		}
	if (counted != prefixes)
		return problem("prefixes live");
	if (h->row.used > prefixes)
		return problem("rows that nobody has");
	if (!n && (h->node.used || h->skip.used || h->note.used))
		return problem("empty, but something is in use");
	return pools_fit(t) && good;
}

/* Compares `rounds` random lookups. */
__attribute__((unused)) static bool lookups_agree(struct ng_acl_tables *t, struct model *o,
						  int rounds)
{
	while (rounds--) {
		struct ng_prefix addr = random_address();
		enum ng_side side = rnd(2);
		int proto = protos[rnd(4)], port = proto == 1 ? -1 : (int)(49 + rnd(8));
		size_t want = model_decide(o, &addr, side, proto, port, false);
		struct ng_acl_entry entry;
		__u32 clause;
		int err = ng_acl_test(t, &addr, side, proto, port, model_now, &clause);

		if (err == -ENOENT && want == o->n)
			continue;
		if (err || want == o->n || ng_acl_entry_get(t, clause, &entry) ||
		    !same_key(&entry.key, &o->clause[want].key) ||
		    entry.verdict != o->clause[want].verdict)
			return problem("another clause decides");
	}
	return true;
}

#endif
