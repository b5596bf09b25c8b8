// SPDX-License-Identifier: GPL-2.0-only
/* Tables of tries in memory, and the accounts of their elements. */
#include "tests/trie_tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

size_t trie_table_bytes(const struct trie_size *size, enum trie_table table)
{
	switch (table) {
	case ROOT4_SRC:
		return sizeof(uint32_t) << size->root_bits[NG_SRC];
	case ROOT4_DST:
		return sizeof(uint32_t) << size->root_bits[NG_DST];
	case ROOT6:
		return NG_SIDE_MAX * sizeof(uint32_t) << NG_ROOT6_BITS;
	case NODES:
		return size->nodes * sizeof(struct ng_trie_node);
	case SKIPS:
		return size->skips * sizeof(struct ng_trie_skip);
	default:
		return size->nodes * sizeof(uint32_t);
	}
}

static int open_table(struct trie_tables *t, enum trie_table table, int fd)
{
	size_t bytes = trie_table_bytes(&t->size, table), page = (size_t)sysconf(_SC_PAGESIZE);

	if (fd >= 0)
		return ng_pages_open(&t->pages[table], fd, bytes);
	t->fd[table] = memfd_create("trie", 0);
	if (t->fd[table] < 0 || ftruncate(t->fd[table], (off_t)((bytes + page - 1) / page * page)))
		return -errno;
	return ng_pages_open(&t->pages[table], t->fd[table], bytes);
}

static void set_trie(struct trie_tables *t, enum ng_family family, enum ng_side side)
{
	enum trie_table root = family == NG_IPV6 ? ROOT6 : side == NG_SRC ? ROOT4_SRC : ROOT4_DST;

	t->trie[family][side] = (struct ng_trie){
		.family = family,
		.root_bits = family == NG_IPV6 ? NG_ROOT6_BITS : t->size.root_bits[side],
		.root = &t->pages[root],
		.root_at = family == NG_IPV6 ? side * sizeof(uint32_t) << NG_ROOT6_BITS : 0,
		.nodes = &t->pages[NODES],
		.skips = &t->pages[SKIPS],
		.node_pool = { &t->node_pool, &t->pages[LINKS], 0, sizeof(uint32_t) },
		.skip_pool = { &t->skip_pool, &t->pages[SKIPS], offsetof(struct ng_trie_skip, link),
			       sizeof(struct ng_trie_skip) },
	};
}

int trie_tables_open(struct trie_tables *t, const struct trie_size *size, const int *fd)
{
	int err = 0;

	*t = (struct trie_tables){ .size = *size };
	for (int table = 0; table < TRIE_TABLES; table++)
		t->fd[table] = -1;
	for (int table = 0; !err && table < TRIE_TABLES; table++)
		err = open_table(t, (enum trie_table)table, fd ? fd[table] : -1);
	t->node_pool = (struct ng_pool){ .size = size->nodes, .fresh = 1 };
	t->skip_pool = (struct ng_pool){ .size = size->skips, .fresh = 1 };
	for (int family = 0; family < NG_FAMILY_MAX; family++)
		for (int side = 0; side < NG_SIDE_MAX; side++)
			set_trie(t, (enum ng_family)family, (enum ng_side)side);
	return err;
}

void trie_tables_close(struct trie_tables *t)
{
	for (int table = 0; table < TRIE_TABLES; table++) {
		ng_pages_close(&t->pages[table]);
		if (t->fd[table] >= 0)
			close(t->fd[table]);
	}
}

/* Who has an element: nobody yet, or a list, or a word. */
struct census {
	struct trie_tables *t;
	bool *node, *skip; /* seen */
	uint32_t nodes, skips, both;
};

static void see(struct census *c, bool *seen, uint32_t *n, uint32_t id)
{
	c->both += seen[id];
	seen[id] = true;
	(*n)++;
}

static void walk(struct census *c, uint32_t word)
{
	uint32_t id = word & NG_LEAF_ID;
	struct ng_trie_node *node;
	struct ng_trie_skip *skip;

	if ((word & NG_TRIE_TAG) == NG_TRIE_NODE) {
		see(c, c->node, &c->nodes, id);
		node = ng_pages_at(&c->t->pages[NODES], id * sizeof(*node));
		for (int i = 0; i < NG_TRIE_SLOTS; i++)
			walk(c, node->slot[i]);
	} else if ((word & NG_TRIE_TAG) == NG_TRIE_SKIP) {
		see(c, c->skip, &c->skips, id);
		skip = ng_pages_at(&c->t->pages[SKIPS], id * sizeof(*skip));
		walk(c, skip->match);
		walk(c, skip->other);
	}
}

static uint32_t walk_list(struct census *c, const struct ng_pool_ref *r, bool *seen, uint32_t id)
{
	uint32_t n = 0;

	while (id) {
		see(c, seen, &n, id);
		id = *(uint32_t *)ng_pages_at(r->links, r->offset + id * r->stride);
	}
	return n;
}

static bool pool_fits(struct census *c, const struct ng_pool_ref *r, bool *seen, uint32_t used)
{
	uint32_t dead = walk_list(c, r, seen, r->pool->dead);
	uint32_t free_ones = walk_list(c, r, seen, r->pool->free);

	return used == r->pool->used && dead == r->pool->dying &&
	       r->pool->fresh == 1 + used + dead + free_ones &&
	       ng_pool_ready(r->pool) == free_ones + r->pool->size - r->pool->fresh;
}

bool trie_accounts_fit(struct trie_tables *t)
{
	struct census c = { .t = t };
	const struct ng_trie *any = &t->trie[NG_IPV6][NG_SRC];
	bool fit;

	c.node = calloc(t->size.nodes, sizeof(bool));
	c.skip = calloc(t->size.skips, sizeof(bool));
	if (!c.node || !c.skip)
		abort();
	for (int root = ROOT4_SRC; root <= ROOT6; root++)
		for (size_t at = 0; at < trie_table_bytes(&t->size, (enum trie_table)root); at += 4)
			walk(&c, *(uint32_t *)ng_pages_at(&t->pages[root], at));
	fit = pool_fits(&c, &any->node_pool, c.node, c.nodes) &&
	      pool_fits(&c, &any->skip_pool, c.skip, c.skips) && !c.both;
	free(c.node);
	free(c.skip);
	return fit;
}

void trie_tables_reap(struct trie_tables *t)
{
	ng_pool_reap(&t->trie[NG_IPV6][NG_SRC].node_pool);
	ng_pool_reap(&t->trie[NG_IPV6][NG_SRC].skip_pool);
}

struct ng_prefix trie_prefix(enum ng_family family, unsigned __int128 address, unsigned int len)
{
	struct ng_prefix p = { .family = family, .len = (__u8)len };

	address = len ? address >> (128 - len) << (128 - len) : 0;
	for (int i = 0; i < 4; i++)
		p.addr_be[i] = htonl((uint32_t)(address >> (96 - 32 * i)));
	return p;
}

unsigned __int128 trie_address(const struct ng_prefix *p)
{
	unsigned __int128 a = 0;

	for (int i = 0; i < 4; i++)
		a = a << 32 | ntohl(p->addr_be[i]);
	return a;
}
