/* SPDX-License-Identifier: GPL-2.0-only */
/* Tries for tests: all tables of one generation, in memory that no map has or in given maps. */
#ifndef NG_TESTS_TRIE_TABLES_H
#define NG_TESTS_TRIE_TABLES_H

#include <stdint.h>
#include "maps/trie.h"

enum trie_table { ROOT4_SRC, ROOT4_DST, ROOT6, NODES, SKIPS, LINKS, TRIE_TABLES };

struct trie_size {
	unsigned int root_bits[NG_SIDE_MAX];
	uint32_t nodes, skips; /* elements, number 0 included */
};

struct trie_tables {
	struct trie_size size;
	int fd[TRIE_TABLES];
	struct ng_pages pages[TRIE_TABLES];
	struct ng_pool node_pool, skip_pool;
	struct ng_trie trie[NG_FAMILY_MAX][NG_SIDE_MAX];
};

size_t trie_table_bytes(const struct trie_size *size, enum trie_table table);
/* fd: of the maps, not owned; NULL or -1: memory of its own. 0 or -errno. */
int trie_tables_open(struct trie_tables *t, const struct trie_size *size, const int *fd);
void trie_tables_close(struct trie_tables *t);

/* Each element is in the tries, free, dead or fresh, just once, and the pools count them rightly. */
bool trie_accounts_fit(struct trie_tables *t);
/* As after a grace period. */
void trie_tables_reap(struct trie_tables *t);

/* A prefix of an address in host order, IPv4 in the highest 32 bits; cut to len. */
struct ng_prefix trie_prefix(enum ng_family family, unsigned __int128 address, unsigned int len);
unsigned __int128 trie_address(const struct ng_prefix *p);

#endif
