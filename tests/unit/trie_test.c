// SPDX-License-Identifier: GPL-2.0-only
/* The tries against a linear search: random changes, lookups, and what is left of the elements. */
#include <errno.h>
#include <stdint.h>

#include "maps/trie.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/trie_tables.h"

typedef unsigned __int128 address;

#define PREFIXES  160
#define NODES_MAX 20000

/* Prefixes present, each with a leaf of its own. */
struct model {
	enum ng_family family;
	size_t n;
	struct ng_prefix prefix[PREFIXES];
	uint32_t leaf[PREFIXES];
	uint32_t last_leaf;
};

static unsigned int bits(enum ng_family family)
{
	return family == NG_IPV4 ? 32 : 128;
}

static address random_address(enum ng_family family)
{
	address a = 0;

	for (int i = 0; i < 4; i++)
		a = a << 32 | rnd();
	/* Few different starts, so that many meet. */
	if (below(4))
		a = a << 24 >> 24 | (address)ONE_OF(0x0a0000, 0x0a0001, 0xc0a800, 0x20010d) << 104;
	if (family == NG_IPV6 && below(4))
		a = a << 60 >> 60 | (address)0x20010db80000001 << 68;
	return family == NG_IPV4 ? a >> 96 << 96 : a;
}

/* Near one that is there: within it, one bit beside it, at its ends, or just anywhere. */
static address near_address(const struct model *m)
{
	const struct ng_prefix *p;
	unsigned int full = bits(m->family);
	address a, rest;

	if (!m->n || !below(4))
		return random_address(m->family);
	p = &m->prefix[below((uint32_t)m->n)];
	a = trie_address(p);
	rest = p->len ? p->len == 128 ? 0 : ~(address)0 >> p->len : ~(address)0;
	if (below(2))
		a |= random_address(m->family) & rest;
	else if (below(2))
		a |= rest;
	if (below(2))
		a ^= (address)1 << (127 - below(full));
	return full == 32 ? a >> 96 << 96 : a;
}

static struct ng_prefix random_prefix(const struct model *m)
{
	unsigned int full = bits(m->family), len = 0;

	switch (below(8)) {
	case 0:
		len = below(200) ? 8 + below(9) : below(8);
		break;
	case 1:
		len = full;
		break;
	case 2:
		len = 16 + 4 * below((full - 16) / 4 + 1);
		break;
	default:
		len = 12 + below(full - 12 + 1);
	}
	return trie_prefix(m->family, near_address(m), len);
}

/* The index of the longest that covers it, without that one; n: none. */
static size_t covering(const struct model *m, const struct ng_prefix *p, size_t without)
{
	size_t best = m->n;

	for (size_t i = 0; i < m->n; i++)
		if (i != without && ng_prefix_covers(&m->prefix[i], p) &&
		    (best == m->n || m->prefix[i].len > m->prefix[best].len))
			best = i;
	return best;
}

static uint32_t leaf_of(const struct model *m, size_t i)
{
	return i < m->n ? m->leaf[i] : 0;
}

static uint32_t new_leaf(struct model *m)
{
	m->last_leaf++;
	return NG_TRIE_LEAF | (m->last_leaf & 3) << 28 | m->last_leaf;
}

/* How many a call took out of a pool. */
static uint32_t takes(const struct ng_pool *before, const struct ng_pool *after)
{
	return before->used + before->dying >= after->used + after->dying
		       ? 0
		       : after->used + after->dying - before->used - before->dying;
}

struct worst {
	uint32_t nodes, skips;
};

static int replace(struct trie_tables *t, struct ng_trie *trie, const struct ng_prefix *p,
		   uint32_t from, uint32_t to, struct worst *worst)
{
	struct ng_pool node = t->node_pool, skip = t->skip_pool;
	int err = ng_trie_replace(trie, p, from, to);
	uint32_t nodes = takes(&node, &t->node_pool), skips = takes(&skip, &t->skip_pool);

	worst->nodes = nodes > worst->nodes ? nodes : worst->nodes;
	worst->skips = skips > worst->skips ? skips : worst->skips;
	return err;
}

/* Adds, deletes or renames one, in both. 0 or -errno. */
static int change(struct trie_tables *t, struct ng_trie *trie, struct model *m, bool shrink,
		  struct worst *worst)
{
	struct ng_prefix p = random_prefix(m);
	size_t at = covering(m, &p, SIZE_MAX), i;
	uint32_t leaf;
	int err;

	if (m->n && (m->n == PREFIXES || below(4) < (shrink ? 3u : 1u))) {
		i = below((uint32_t)m->n);
		at = covering(m, &m->prefix[i], i);
		err = replace(t, trie, &m->prefix[i], m->leaf[i], leaf_of(m, at), worst);
		m->n--;
		m->prefix[i] = m->prefix[m->n];
		m->leaf[i] = m->leaf[m->n];
		return err;
	}
	leaf = new_leaf(m);
	if (at < m->n && m->prefix[at].len == p.len) {
		err = replace(t, trie, &p, m->leaf[at], leaf, worst);
		m->leaf[at] = leaf;
		return err;
	}
	err = replace(t, trie, &p, leaf_of(m, at), leaf, worst);
	m->prefix[m->n] = p;
	m->leaf[m->n++] = leaf;
	return err;
}

static bool answers(const struct ng_trie *trie, const struct model *m, int lookups)
{
	struct ng_prefix p;

	for (int i = 0; i < lookups; i++) {
		p = trie_prefix(m->family, near_address(m), bits(m->family));
		if (ng_trie_find(trie, &p) != leaf_of(m, covering(m, &p, SIZE_MAX)))
			return false;
	}
	return true;
}

/* A trie of nothing but what the model has: takes as much? */
static bool is_compact(const struct trie_tables *t, const struct model *m, enum ng_side side)
{
	struct trie_tables fresh;
	struct ng_trie *trie = &fresh.trie[m->family][side];
	bool compact;
	int err = trie_tables_open(&fresh, &t->size, NULL);

	for (unsigned int len = 0; !err && len <= bits(m->family); len++)
		for (size_t i = 0; !err && i < m->n; i++)
			if (m->prefix[i].len == len)
				err = ng_trie_replace(trie, &m->prefix[i],
						      leaf_of(m, covering(m, &m->prefix[i], i)),
						      m->leaf[i]);
	compact = !err && fresh.node_pool.used == t->node_pool.used &&
		  fresh.skip_pool.used == t->skip_pool.used && answers(trie, m, 100);
	trie_tables_close(&fresh);
	return compact;
}

static bool delete_all(struct ng_trie *trie, struct model *m)
{
	for (; m->n; m->n--)
		if (ng_trie_replace(trie, &m->prefix[m->n - 1], m->leaf[m->n - 1],
				    leaf_of(m, covering(m, &m->prefix[m->n - 1], m->n - 1))))
			return false;
	return true;
}

static bool is_empty(struct trie_tables *t)
{
	for (int root = ROOT4_SRC; root <= ROOT6; root++)
		for (size_t at = 0; at < trie_table_bytes(&t->size, (enum trie_table)root); at += 4)
			if (*(uint32_t *)ng_pages_at(&t->pages[root], at))
				return false;
	return !t->node_pool.used && !t->skip_pool.used && trie_accounts_fit(t);
}

static void test_changes(enum ng_family family, enum ng_side side, unsigned int root_bits,
			 int steps)
{
	struct trie_size size = { { 16, 16 }, NODES_MAX, NODES_MAX };
	struct model m = { .family = family };
	struct worst worst = { 0 };
	struct trie_tables t;
	struct ng_trie *trie = &t.trie[family][side];
	const char *wrong = NULL;
	char what[64];

	snprintf(what, sizeof(what), "%s, root of %u bits", family == NG_IPV4 ? "IPv4" : "IPv6",
		 root_bits);
	size.root_bits[side] = family == NG_IPV4 ? root_bits : 16;
	wrong = trie_tables_open(&t, &size, NULL) ? "open" : NULL;
	for (int i = 0; !wrong && i < steps; i++) {
		if (change(&t, trie, &m, i / 200 % 2, &worst))
			wrong = "change";
		else if (!answers(trie, &m, 150))
			wrong = "answer";
		else if (i % 100 == 99 && !trie_accounts_fit(&t))
			wrong = "accounts";
		else if (i % 500 == 499 && !is_compact(&t, &m, side))
			wrong = "memory";
		if (i % 64 == 63)
			trie_tables_reap(&t);
		if (wrong)
			printf("# step %d: %s\n", i, wrong);
	}
	ok(!wrong, "%s: random changes agree with a linear search", what);
	ok(worst.nodes <= 4 && worst.skips <= NG_TRIE_TAKES_MAX - 1,
	   "%s: a change takes at most %u nodes, %u skips", what, worst.nodes, worst.skips);
	ok(delete_all(trie, &m) && is_empty(&t), "%s: all deleted, every element is back", what);
	trie_tables_close(&t);
}

/* Any leaves in any place: the oracle is the list of calls. */
struct call {
	struct ng_prefix p;
	uint32_t from, to;
};

static uint32_t replay(const struct call *calls, int n, const struct ng_prefix *addr)
{
	uint32_t leaf = 0;

	for (int i = 0; i < n; i++)
		if (leaf == calls[i].from && ng_prefix_covers(&calls[i].p, addr))
			leaf = calls[i].to;
	return leaf;
}

#define CALLS  100
#define LEAVES 3

static uint32_t some_leaf(uint32_t n)
{
	return n ? NG_TRIE_LEAF | n : 0;
}

static bool run_calls(struct trie_tables *t, struct ng_trie *trie, struct worst *worst)
{
	struct call calls[CALLS];
	struct model m = { .family = trie->family };
	struct ng_prefix p;

	for (int i = 0; i < CALLS; i++) {
		p = random_prefix(&m);
		calls[i] = (struct call){ p, some_leaf(below(LEAVES + 1)),
					  some_leaf(below(LEAVES + 1)) };
		if (replace(t, trie, &p, calls[i].from, calls[i].to, worst))
			return false;
		m.prefix[m.n++] = p;
		for (int k = 0; k < 40; k++) {
			p = trie_prefix(m.family, near_address(&m), bits(m.family));
			if (ng_trie_find(trie, &p) != replay(calls, i + 1, &p))
				return false;
		}
	}
	p = trie_prefix(m.family, 0, 0);
	for (uint32_t leaf = 1; leaf <= LEAVES; leaf++)
		if (replace(t, trie, &p, some_leaf(leaf), 0, worst))
			return false;
	return true;
}

static void test_calls(enum ng_family family, int rounds)
{
	static const struct trie_size size = { { 16, 16 }, NODES_MAX, NODES_MAX };
	const char *name = family == NG_IPV4 ? "IPv4" : "IPv6";
	struct worst worst = { 0 };
	struct trie_tables t;
	bool right = !trie_tables_open(&t, &size, NULL);

	for (int i = 0; right && i < rounds; i++) {
		right = run_calls(&t, &t.trie[family][i % 2], &worst) && is_empty(&t);
		trie_tables_reap(&t);
	}
	ok(right, "%s: any leaves in any order agree with the list of calls", name);
	ok(worst.nodes <= 4 && worst.skips <= NG_TRIE_TAKES_MAX - 1,
	   "%s: and take at most %u nodes, %u skips", name, worst.nodes, worst.skips);
	trie_tables_close(&t);
}

/* What all tables hold, in one number. */
static uint64_t sum_of(struct trie_tables *t)
{
	uint64_t sum = 0;
	const uint8_t *pool[] = { (uint8_t *)&t->node_pool, (uint8_t *)&t->skip_pool };

	for (int table = 0; table < TRIE_TABLES; table++)
		for (size_t at = 0; at < trie_table_bytes(&t->size, (enum trie_table)table);
		     at += 4)
			sum = (sum + *(uint32_t *)ng_pages_at(&t->pages[table], at)) *
			      0x9e3779b97f4a7c15;
	for (size_t i = 0; i < 2 * sizeof(struct ng_pool); i++)
		sum = (sum + pool[i / sizeof(struct ng_pool)][i % sizeof(struct ng_pool)]) *
		      0x9e3779b97f4a7c15;
	return sum;
}

static void test_exhaustion(enum ng_family family, uint32_t nodes, uint32_t skips)
{
	const struct trie_size size = { { 16, 16 }, nodes, skips };
	const char *name = family == NG_IPV4 ? "IPv4" : "IPv6";
	struct model m = { .family = family };
	struct trie_tables t;
	struct ng_trie *trie = &t.trie[family][NG_SRC];
	struct ng_prefix p;
	uint64_t before = 0;
	int err = trie_tables_open(&t, &size, NULL);

	while (!err && m.n < PREFIXES) {
		p = trie_prefix(family, random_address(family), bits(family));
		if (covering(&m, &p, SIZE_MAX) < m.n)
			continue;
		m.prefix[m.n] = p;
		m.leaf[m.n] = new_leaf(&m);
		before = sum_of(&t);
		err = ng_trie_replace(trie, &p, 0, m.leaf[m.n]);
		m.n += !err;
	}
	is_int(err, -ENOSPC, "%s, %u nodes, %u skips: full", name, nodes, skips);
	ok(m.n && before == sum_of(&t), "%s: nothing changed then (%zu prefixes are in)", name,
	   m.n);
	ok(answers(trie, &m, 1000), "%s: a full trie answers", name);
	trie_tables_close(&t);
}

/* Where pages cannot be mapped, the call says so and nobody crashes. */
static void test_no_pages(void)
{
	static const struct trie_size size = { { 16, 16 }, 100, 100 };
	struct ng_prefix p = trie_prefix(NG_IPV4, (address)0x0a000001 << 96, 32);
	struct trie_tables t;
	int err = trie_tables_open(&t, &size, NULL);

	t.pages[NODES].fd = -1;
	err = err ? err : ng_trie_replace(&t.trie[NG_IPV4][NG_SRC], &p, 0, NG_TRIE_LEAF | 1);
	is_int(err, -EBADF, "pages that cannot be mapped are an error");
	is_int(ng_trie_find(&t.trie[NG_IPV4][NG_SRC], &p), 0, "and nothing was published");
	is_int(ng_trie_replace(&t.trie[NG_IPV4][NG_SRC], &p, 0, NG_TRIE_LEAF | 1), -EBADF,
	       "the error stays");
	trie_tables_close(&t);
}

int main(void)
{
	random_seed(4);
	test_changes(NG_IPV4, NG_SRC, 16, 4000);
	test_changes(NG_IPV4, NG_DST, 20, 4000);
	test_changes(NG_IPV4, NG_SRC, 24, 400);
	test_changes(NG_IPV6, NG_SRC, 16, 4000);
	test_changes(NG_IPV6, NG_DST, 16, 4000);
	test_calls(NG_IPV4, 60);
	test_calls(NG_IPV6, 60);
	test_exhaustion(NG_IPV4, 80, 40);
	test_exhaustion(NG_IPV6, 60, 200);
	test_exhaustion(NG_IPV6, 200, 60);
	test_no_pages();
	return tap_done();
}
