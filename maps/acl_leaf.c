// SPDX-License-Identifier: GPL-2.0-only
/* Leaves: what the clauses of a prefix and of those above it come to, and where programs find it. */
#include "maps/acl_leaf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

bool ng_acl_gather(struct ng_acl_tables *t, __u32 first, __u32 list[NG_ACL_CLAUSES_MAX], __u32 *n)
{
	for (__u32 id = first; id; id = ng_clause_at(t, id)->sibling) {
		if (*n == NG_ACL_CLAUSES_MAX)
			return true;
		list[(*n)++] = id;
		if (ng_clause_is_final(ng_clause_at(t, id)))
			return true;
	}
	return false;
}

__u32 ng_acl_effective(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side,
		       __u32 list[NG_ACL_CLAUSES_MAX])
{
	__u32 first = ng_acl_first(t, p, side), n = 0;
	struct ng_prefix at = *p;

	if (!first)
		first = ng_acl_cover(t, &at, side);
	while (first && !ng_acl_gather(t, first, list, &n)) {
		at = ng_clause_prefix(ng_clause_at(t, first));
		first = ng_acl_cover(t, &at, side);
	}
	return n;
}

__u32 ng_leaf_new(struct ng_acl_tables *t, __u32 first, const __u32 *list, __u32 n)
{
	const struct ng_acl_clause *c = ng_clause_at(t, list[0]);
	struct ng_pool_ref pool = ng_row_pool(t);
	struct ng_acl_row *row;
	__u32 id;

	if (ng_clause_is_final(c))
		return NG_TRIE_LEAF | (c->verdict == NG_DROP ? NG_LEAF_DROP : 0) | list[0];
	id = ng_pool_take(&pool);
	row = ng_row_at(t, id);
	*row = (struct ng_acl_row){ .owner = first, .clauses = n };
	memcpy(row->clause, list, n * sizeof(*list));
	return NG_TRIE_LEAF | NG_LEAF_ROW | id;
}

bool ng_leaf_says(struct ng_acl_tables *t, __u32 leaf, const __u32 *list, __u32 n)
{
	const struct ng_acl_clause *c = ng_clause_at(t, list[0]);
	const struct ng_acl_row *row;

	if (!leaf || ng_clause_is_final(c) == !!(leaf & NG_LEAF_ROW))
		return false;
	if (!(leaf & NG_LEAF_ROW))
		return leaf ==
		       (NG_TRIE_LEAF | (c->verdict == NG_DROP ? NG_LEAF_DROP : 0) | list[0]);
	row = ng_row_at(t, leaf & NG_LEAF_ID);
	return row->clauses == n && !memcmp(row->clause, list, n * sizeof(*list));
}

__u32 ng_leaf_owner(struct ng_acl_tables *t, __u32 leaf)
{
	__u32 id = leaf & NG_LEAF_ID;

	return leaf & NG_LEAF_ROW ? ng_row_at(t, id)->owner : id;
}

void ng_leaf_kill(struct ng_acl_tables *t, __u32 leaf)
{
	struct ng_pool_ref pool = ng_row_pool(t);

	if (!(leaf & NG_LEAF_ROW))
		return;
	ng_row_at(t, leaf & NG_LEAF_ID)->owner = 0;
	ng_pool_kill(&pool, leaf & NG_LEAF_ID);
}

/* The engines */

static struct ng_trie trie_of(struct ng_acl_tables *t, enum ng_family family, enum ng_side side)
{
	static const enum ng_acl_map root4[NG_SIDE_MAX] = { NG_ACL_ROOT4_SRC, NG_ACL_ROOT4_DST };
	bool ip4 = family == NG_IPV4;

	return (struct ng_trie){
		.family = family,
		.root_bits = ip4 ? t->head->root_bits[side] : NG_ROOT6_BITS,
		.root = &t->pages[ip4 ? root4[side] : NG_ACL_ROOT6],
		.root_at = ip4 ? 0 : (size_t)side * (sizeof(__u32) << NG_ROOT6_BITS),
		.nodes = &t->pages[NG_ACL_NODES],
		.skips = &t->pages[NG_ACL_SKIPS],
		.node_pool = ng_node_pool(t),
		.skip_pool = ng_skip_pool(t),
	};
}

static int lpm_fd(const struct ng_acl_tables *t, enum ng_family family, enum ng_side side)
{
	static const enum ng_acl_map map[NG_FAMILY_MAX][NG_SIDE_MAX] = {
		[NG_IPV4] = { [NG_SRC] = NG_ACL_LPM4_SRC, [NG_DST] = NG_ACL_LPM4_DST },
		[NG_IPV6] = { [NG_SRC] = NG_ACL_LPM6_SRC, [NG_DST] = NG_ACL_LPM6_DST },
	};

	return t->fd[map[family][side]];
}

_Static_assert(offsetof(struct ng_lpm4_key, addr_be) == offsetof(struct ng_lpm6_key, addr_be),
	       "an IPv6 key with the address in the first word serves as an IPv4 key");

static struct ng_lpm6_key lpm_key(const struct ng_prefix *p)
{
	struct ng_lpm6_key key = { .prefixlen = p->len };

	memcpy(key.addr_be, p->addr_be, sizeof(key.addr_be));
	return key;
}

int ng_engine_set(struct ng_acl_tables *t, const struct ng_prefix *p, enum ng_side side, __u32 from,
		  __u32 to, bool present)
{
	if (t->head->engine == NG_ENGINE_LPM) {
		struct ng_lpm6_key key = lpm_key(p);
		int fd = lpm_fd(t, p->family, side);

		return present ? bpf_map_update_elem(fd, &key, &to, BPF_ANY)
			       : bpf_map_delete_elem(fd, &key);
	}
	struct ng_trie trie = trie_of(t, p->family, side);

	return ng_trie_replace(&trie, p, from, to);
}

int ng_engine_find(struct ng_acl_tables *t, const struct ng_prefix *addr, enum ng_side side,
		   __u32 *leaf)
{
	if (t->head->engine == NG_ENGINE_LPM) {
		struct ng_lpm6_key key = lpm_key(addr);
		int err = bpf_map_lookup_elem(lpm_fd(t, addr->family, side), &key, leaf);

		if (err == -ENOENT)
			*leaf = 0;
		return err == -ENOENT ? 0 : err;
	}
	struct ng_trie trie = trie_of(t, addr->family, side);

	*leaf = ng_trie_find(&trie, addr);
	return 0;
}
