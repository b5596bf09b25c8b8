/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaf-pushed multibit tries in mapped memory, from user space: the address's first bits index a
 * root table, each 4 bits more a node of one cache line; IPv6 skips what all addresses below share.
 * Layout: maps/acl_abi.h; the readers' side: maps/trie.bpf.h. Callers hold the lock.
 *
 * Every word that a reader can reach holds for the whole range of addresses that lead to it, so a
 * prefix lives in all words of its range that no longer prefix took. As each prefix has a leaf of
 * its own, one operation does all: in a range, put one leaf in the place of another.
 */
#ifndef NG_MAPS_TRIE_H
#define NG_MAPS_TRIE_H

#include "maps/pool.h"
#include "maps/prefix.h"

/* One family and side of one generation. */
struct ng_trie {
	enum ng_family family;
	unsigned int root_bits;
	struct ng_pages *root;
	size_t root_at; /* byte offset of its first word in root */
	struct ng_pages *nodes, *skips;
	struct ng_pool_ref node_pool, skip_pool;
};

#define NG_TRIE_TAKES_MAX 32 /* nodes, and skips, that one ng_trie_replace() may take: see trie.c */

/*
 * Every address in the range of p whose leaf is `from` has `to` afterwards (either may be 0). Readers
 * find, for each address, the one or the other at any moment: nodes are made off-line and published by
 * one store. Nodes whose words have become equal go (ng_pool_kill()). 0; -ENOSPC: fewer than
 * NG_TRIE_TAKES_MAX elements of a pool are ready, nothing changed; -errno of pages that could not be
 * mapped: the trie is half changed.
 */
int ng_trie_replace(struct ng_trie *t, const struct ng_prefix *p, __u32 from, __u32 to);
/* The leaf of an address (a prefix of full length): the program's own walk. 0: none. */
__u32 ng_trie_find(const struct ng_trie *t, const struct ng_prefix *addr);

#endif
