/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One generation of a gate's ACL tables (maps/acl_abi.h), as a set of maps: made, pinned, opened,
 * mapped. What is in them is maps/acl.h's.
 */
#ifndef NG_MAPS_ACL_TABLES_H
#define NG_MAPS_ACL_TABLES_H

#include "maps/acl_abi.h"
#include "maps/pages.h"
#include "maps/pool.h"

enum ng_acl_map {
	NG_ACL_HEAD,
	NG_ACL_ROOT4_SRC,
	NG_ACL_ROOT4_DST,
	NG_ACL_ROOT6,
	NG_ACL_NODES,
	NG_ACL_SKIPS,
	NG_ACL_LPM4_SRC,
	NG_ACL_LPM4_DST,
	NG_ACL_LPM6_SRC,
	NG_ACL_LPM6_DST,
	NG_ACL_CLAUSE,
	NG_ACL_ROW,
	NG_ACL_HITS,
	NG_ACL_INDEX, /* user space only from here on: buckets of clauses by prefix */
	NG_ACL_LINKS, /* of ng_nodes' pool */
	NG_ACL_NOTES,
	NG_ACL_MAP_MAX
};

/* "ng_acl_head", "ng_root4_src", .. : map name, pin name and name in the BPF object. */
extern const char *const ng_acl_map_name[NG_ACL_MAP_MAX];

/* The verifier lets a program add less than 2^29 to where a table begins (BPF_MAX_VAR_OFF). */
#define NG_ACL_NODES_MAX ((1u << 29) / sizeof(struct ng_trie_node))
#define NG_ACL_SKIPS_MAX ((1u << 29) / sizeof(struct ng_trie_skip))

/* How large: elements, those never used (id 0) included. An engine's maps exist for that engine only. */
struct ng_acl_size {
	enum ng_acl_engine engine;
	__u32 root_bits[NG_SIDE_MAX]; /* of IPv4: 16, 20 or 24 */
	__u32 clauses, rows, nodes, skips, notes;
	__u32 stripes; /* of the hit counters; 0: clauses are not counted */
};

struct ng_acl_tables {
	int fd[NG_ACL_MAP_MAX];		       /* owned; -1: not in this generation */
	struct ng_pages pages[NG_ACL_MAP_MAX]; /* of the mmapable ones */
	struct ng_acl_head *head;	       /* mapped; NULL: no tables */
};

#define NG_ACL_TABLES_INIT                                                                         \
	{                                                                                          \
		.fd = { [0 ... NG_ACL_MAP_MAX - 1] = -1 },                                         \
		.pages = { [0 ... NG_ACL_MAP_MAX - 1] = NG_PAGES_INIT },                           \
	}

/* Of a gate that was asked for nothing else: small, to grow by another generation. */
void ng_acl_size_default(struct ng_acl_size *size);

/*
 * New and empty, pools and head set; nothing is pinned. 0 or -errno, and then nothing is left:
 * -EINVAL, -E2BIG: sizes that cannot be.
 */
int ng_acl_tables_create(const struct ng_acl_size *size, struct ng_acl_tables *t);
void ng_acl_tables_size(const struct ng_acl_tables *t, struct ng_acl_size *size);
/* As many stripes as CPUs, or as 64 MiB of counters allow. */
__u32 ng_acl_stripes_for(__u32 clauses);
size_t ng_acl_size_bytes(const struct ng_acl_size *size); /* of kernel memory, all maps */
/*
 * In a directory that exists. Opening: -ENOENT: one of its maps is not there; -EUCLEAN: they do not
 * belong together. Then nothing is left open.
 */
int ng_acl_tables_pin(const struct ng_acl_tables *t, const char *dir);
int ng_acl_tables_open(struct ng_acl_tables *t, const char *dir);
void ng_acl_tables_close(struct ng_acl_tables *t); /* accepts a half-built one */

#endif
