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
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "maps/acl.h"

static uint64_t seed = 0x6e676174;

static uint32_t rnd(uint32_t below) /* xorshift64* */
{
	seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static void *map_memory(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int create(enum bpf_map_type type, __u32 key, __u32 value, __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);

	return bpf_map_create(type, "ng_test", key, value, entries, &opts);
}

/* false, with errno: not permitted or no memory. */
static bool make_tables(struct ng_maps *m, __u32 entries)
{
	static const struct ng_maps none = NG_MAPS_INIT;
	const __u32 mm = BPF_F_MMAPABLE;

	*m = none;
	m->acl_entries = entries;
	for (int i = NG_MAP_ACL4_SRC; i <= NG_MAP_ACL6_DST; i++)
		m->fd[i] = create(BPF_MAP_TYPE_LPM_TRIE,
				  i <= NG_MAP_ACL4_DST ? sizeof(struct ng_lpm4_key)
						       : sizeof(struct ng_lpm6_key),
				  4, entries, BPF_F_NO_PREALLOC);
	m->fd[NG_MAP_CONTROL] = create(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct ng_control), 1, mm);
	m->fd[NG_MAP_ACL_CLASS] =
		create(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct ng_acl_class), entries, mm);
	m->fd[NG_MAP_ACL_CLAUSE] =
		create(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct ng_acl_clause), entries, mm);
	m->fd[NG_MAP_ACL_HITS] =
		create(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct ng_counter), entries, 0);
	for (int i = NG_MAP_ACL4_SRC; i <= NG_MAP_ACL_HITS; i++)
		if (m->fd[i] < 0)
			return false;
	m->control = map_memory(m->fd[NG_MAP_CONTROL], sizeof(*m->control));
	m->acl_class = map_memory(m->fd[NG_MAP_ACL_CLASS], entries * sizeof(*m->acl_class));
	m->acl_clause = map_memory(m->fd[NG_MAP_ACL_CLAUSE], entries * sizeof(*m->acl_clause));
	return m->control && m->acl_class && m->acl_clause;
}

__attribute__((unused)) static void drop_tables(struct ng_maps *m)
{
	munmap(m->control, sizeof(*m->control));
	munmap(m->acl_class, m->acl_entries * sizeof(*m->acl_class));
	munmap(m->acl_clause, m->acl_entries * sizeof(*m->acl_clause));
	for (int i = 0; i < NG_MAP_ID_MAX; i++)
		if (m->fd[i] >= 0)
			close(m->fd[i]);
}

/* The model: a list of clauses, searched one by one. */
struct model {
	size_t n;
	struct {
		struct ng_acl_key key;
		__u8 verdict;
		__u64 packets;
	} clause[1024];
};

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
		if (!model_fits(&o->clause[effect[i]].key, proto, port))
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

/* Whether the tables hold exactly the model and nothing hangs loose. */
__attribute__((unused)) static bool tables_are(const struct ng_maps *m, const struct model *o)
{
	__u32 live[NG_FAMILY_MAX][NG_SIDE_MAX] = { 0 };
	struct ng_acl_entry *list;
	size_t n, owned = 0, rows = 0;
	bool good = true;

	if (m->control->acl_dirty)
		return problem("dirty");
	if (ng_acl_list(m, &list, &n))
		return problem("list fails");
	for (size_t i = 0; i < n; i++) {
		size_t k = model_find(o, &list[i].key);

		if (k == o->n || o->clause[k].verdict != list[i].verdict)
			good = problem("an entry that should not be");
	}
	free(list);
	if (n != o->n)
		return problem("number of entries");
	for (__u32 i = 1; i < m->acl_entries; i++) {
		const struct ng_acl_class *c = &m->acl_class[i];

		if (c->state != NG_ROW_LIVE)
			continue;
		rows++;
		owned += c->own;
		live[c->family][c->side]++;
		for (int k = 0; k < c->clauses; k++)
			if (m->acl_clause[c->clause[k]].state != NG_ROW_LIVE)
				good = problem("a row lists a clause that is not live");
		for (int k = 0; k < c->own; k++)
			if (m->acl_clause[c->clause[k]].class_row != i)
				good = problem("a clause does not know its row");
	}
	if (owned != n)
		return problem("live rows own another number of clauses");
	if (memcmp(live, m->control->acl_live, sizeof(live)))
		return problem("acl_live");
	return good;
}

/* Compares `rounds` random lookups. */
__attribute__((unused)) static bool lookups_agree(const struct ng_maps *m, struct model *o,
						  int rounds)
{
	while (rounds--) {
		struct ng_prefix addr = random_address();
		enum ng_side side = rnd(2);
		int proto = protos[rnd(4)], port = proto == 1 ? -1 : (int)(49 + rnd(8));
		size_t want = model_decide(o, &addr, side, proto, port, false);
		struct ng_acl_entry entry;
		__u32 clause;
		int err = ng_acl_test(m, &addr, side, proto, port, &clause);

		if (err == -ENOENT && want == o->n)
			continue;
		if (err || want == o->n || ng_acl_entry_get(m, clause, &entry) ||
		    !same_key(&entry.key, &o->clause[want].key) ||
		    entry.verdict != o->clause[want].verdict)
			return problem("another clause decides");
	}
	return true;
}

#endif
