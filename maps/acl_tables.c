// SPDX-License-Identifier: GPL-2.0-only
/* The maps of one generation of ACL tables: which there are, of what shape, made, pinned, opened. */
#include "maps/acl_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CELL	  64u  /* bytes of an element of tables that only user space reads */
#define LPM_NODE  128u /* bytes of kernel memory for one prefix: its node and one to branch at */
#define HITS_MAX  (64u << 20) /* bytes, by default */
#define TRIE_MAPS (1u << NG_ENGINE_TRIE)
#define LPM_MAPS  (1u << NG_ENGINE_LPM)
#define ALL_MAPS  (TRIE_MAPS | LPM_MAPS)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *const ng_acl_map_name[NG_ACL_MAP_MAX] = {
	[NG_ACL_HEAD] = "ng_acl_head",	     [NG_ACL_ROOT4_SRC] = "ng_root4_src",
	[NG_ACL_ROOT4_DST] = "ng_root4_dst", [NG_ACL_ROOT6] = "ng_root6",
	[NG_ACL_NODES] = "ng_nodes",	     [NG_ACL_SKIPS] = "ng_skips",
	[NG_ACL_LPM4_SRC] = "ng_acl4_src",   [NG_ACL_LPM4_DST] = "ng_acl4_dst",
	[NG_ACL_LPM6_SRC] = "ng_acl6_src",   [NG_ACL_LPM6_DST] = "ng_acl6_dst",
	[NG_ACL_CLAUSE] = "ng_acl_clause",   [NG_ACL_ROW] = "ng_acl_row",
	[NG_ACL_HITS] = "ng_acl_hits",	     [NG_ACL_INDEX] = "ng_acl_index",
	[NG_ACL_LINKS] = "ng_acl_links",     [NG_ACL_NOTES] = "ng_acl_notes",
};
_Static_assert(ARRAY_SIZE(ng_acl_map_name) == NG_ACL_MAP_MAX, "a name for every map");

static const __u8 engines_of[NG_ACL_MAP_MAX] = {
	[NG_ACL_HEAD] = ALL_MAPS,	[NG_ACL_ROOT4_SRC] = TRIE_MAPS,
	[NG_ACL_ROOT4_DST] = TRIE_MAPS, [NG_ACL_ROOT6] = TRIE_MAPS,
	[NG_ACL_NODES] = TRIE_MAPS,	[NG_ACL_SKIPS] = TRIE_MAPS,
	[NG_ACL_LPM4_SRC] = LPM_MAPS,	[NG_ACL_LPM4_DST] = LPM_MAPS,
	[NG_ACL_LPM6_SRC] = LPM_MAPS,	[NG_ACL_LPM6_DST] = LPM_MAPS,
	[NG_ACL_CLAUSE] = ALL_MAPS,	[NG_ACL_ROW] = ALL_MAPS,
	[NG_ACL_HITS] = ALL_MAPS,	[NG_ACL_INDEX] = ALL_MAPS,
	[NG_ACL_LINKS] = TRIE_MAPS,	[NG_ACL_NOTES] = ALL_MAPS,
};

static bool is_map_of(enum ng_acl_map map, __u32 engine)
{
	return engines_of[map] & 1u << engine;
}

static bool is_lpm(enum ng_acl_map map)
{
	return map >= NG_ACL_LPM4_SRC && map <= NG_ACL_LPM6_DST;
}

static __u32 power_of_two_from(__u32 n)
{
	__u32 power = 1;

	while (power < n)
		power <<= 1;
	return power;
}

__u32 ng_acl_stripes_for(__u32 clauses)
{
	int cpus = libbpf_num_possible_cpus();
	__u32 stripes = power_of_two_from(cpus > 0 ? (__u32)cpus : 1);

	while (stripes > 1 && (stripes + 1ull) * clauses * sizeof(struct ng_acl_hit) > HITS_MAX)
		stripes /= 2;
	return stripes;
}

void ng_acl_size_default(struct ng_acl_size *size)
{
	*size = (struct ng_acl_size){
		.engine = NG_ENGINE_TRIE,
		.root_bits = { 16, 16 },
		.clauses = 4096,
		.rows = 1024,
		.nodes = 4096,
		.skips = 1024,
		.notes = 64,
	};
	size->stripes = ng_acl_stripes_for(size->clauses);
}

/*
 * The shape of a map. Tables that the program walks by byte offset are one element; those that it
 * reads by index have an element for each id. An array's elements lie 8 bytes apart at least, so the
 * words of index and links, which no program reads, come in cells of 64 bytes, without gaps.
 */
struct shape {
	enum bpf_map_type type;
	__u32 key, flags;
	__u64 value, entries;
};

static struct shape array(__u64 value, __u64 entries)
{
	return (struct shape){ BPF_MAP_TYPE_ARRAY, sizeof(__u32), BPF_F_MMAPABLE, value, entries };
}

static struct shape cells(__u64 bytes)
{
	return array(CELL, (bytes + CELL - 1) / CELL);
}

static struct shape lpm(__u32 key, __u32 entries)
{
	return (struct shape){ BPF_MAP_TYPE_LPM_TRIE, key, BPF_F_NO_PREALLOC, sizeof(__u32),
			       entries };
}

static struct shape shape_of(const struct ng_acl_size *s, enum ng_acl_map map)
{
	switch (map) {
	case NG_ACL_HEAD:
		return array(sizeof(struct ng_acl_head), 1);
	case NG_ACL_ROOT4_SRC:
	case NG_ACL_ROOT4_DST:
		return array(sizeof(__u32) << s->root_bits[map - NG_ACL_ROOT4_SRC], 1);
	case NG_ACL_ROOT6:
		return array((sizeof(__u32) * NG_SIDE_MAX) << NG_ROOT6_BITS, 1);
	case NG_ACL_NODES:
		return array((__u64)s->nodes * sizeof(struct ng_trie_node), 1);
	case NG_ACL_SKIPS:
		return array((__u64)s->skips * sizeof(struct ng_trie_skip), 1);
	case NG_ACL_LPM4_SRC:
	case NG_ACL_LPM4_DST:
		return lpm(sizeof(struct ng_lpm4_key), s->clauses);
	case NG_ACL_LPM6_SRC:
	case NG_ACL_LPM6_DST:
		return lpm(sizeof(struct ng_lpm6_key), s->clauses);
	case NG_ACL_CLAUSE:
		return array(sizeof(struct ng_acl_clause), s->clauses);
	case NG_ACL_ROW:
		return array(sizeof(struct ng_acl_row), s->rows);
	case NG_ACL_HITS:
		return array(sizeof(struct ng_acl_hit),
			     s->stripes ? ((__u64)s->stripes + 1) * s->clauses : 1);
	case NG_ACL_INDEX:
		return cells(sizeof(__u32) * (__u64)power_of_two_from(s->clauses));
	case NG_ACL_LINKS:
		return cells(sizeof(__u32) * (__u64)s->nodes);
	case NG_ACL_NOTES:
		return array(sizeof(struct ng_acl_note), s->notes);
	case NG_ACL_MAP_MAX:
		break;
	}
	return (struct shape){ .entries = 0 };
}

static bool is_count(__u32 n)
{
	return n && n <= NG_TRIE_ID_MAX;
}

static bool is_root_bits(__u32 bits)
{
	return bits == 16 || bits == 20 || bits == 24;
}

static int check_size(const struct ng_acl_size *s)
{
	if (s->engine >= NG_ENGINE_MAX || !is_count(s->clauses) || !is_count(s->rows) ||
	    !is_count(s->notes) || (s->stripes & (s->stripes - 1)))
		return -EINVAL;
	if (s->engine == NG_ENGINE_LPM)
		return 0;
	if (!is_root_bits(s->root_bits[NG_SRC]) || !is_root_bits(s->root_bits[NG_DST]) ||
	    !is_count(s->nodes) || !is_count(s->skips))
		return -EINVAL;
	return s->nodes <= NG_ACL_NODES_MAX && s->skips <= NG_ACL_SKIPS_MAX ? 0 : -E2BIG;
}

size_t ng_acl_size_bytes(const struct ng_acl_size *size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t sum = 0;

	if (size->engine == NG_ENGINE_LPM)
		sum = (size_t)size->clauses * LPM_NODE;
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		struct shape s = shape_of(size, i);

		if (is_map_of(i, size->engine) && !is_lpm(i))
			sum += (s.value * s.entries + page - 1) / page * page;
	}
	return sum;
}

static int map_bytes(int fd, __u64 *bytes)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*bytes = ((__u64)info.value_size + 7) / 8 * 8 * info.max_entries;
	return 0;
}

/* All maps are open: makes them readable. */
static int map_tables(struct ng_acl_tables *t)
{
	int rc = 0;

	for (int i = 0; !rc && i < NG_ACL_MAP_MAX; i++) {
		__u64 bytes = 0;

		if (t->fd[i] < 0 || is_lpm(i))
			continue;
		rc = map_bytes(t->fd[i], &bytes);
		if (!rc)
			rc = ng_pages_open(&t->pages[i], t->fd[i], bytes);
	}
	if (!rc)
		rc = ng_pages_map(&t->pages[NG_ACL_HEAD], 0);
	if (!rc)
		t->head = ng_pages_at(&t->pages[NG_ACL_HEAD], 0);
	return rc;
}

static int create_map(const struct ng_acl_size *size, enum ng_acl_map map)
{
	const struct shape s = shape_of(size, map);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = s.flags);
	int fd;

	if (s.value > INT_MAX || s.entries > UINT_MAX)
		return -E2BIG;
	fd = bpf_map_create(s.type, ng_acl_map_name[map], s.key, (__u32)s.value, (__u32)s.entries,
			    &opts);
	return fd < 0 ? -errno : fd;
}

static struct ng_pool empty_pool(__u32 size)
{
	return (struct ng_pool){ .size = size, .fresh = 1 };
}

static void init_head(const struct ng_acl_size *size, struct ng_acl_head *h)
{
	h->engine = size->engine;
	h->stripes = size->stripes;
	h->buckets = power_of_two_from(size->clauses);
	h->clause = empty_pool(size->clauses);
	h->row = empty_pool(size->rows);
	h->note = empty_pool(size->notes);
	if (size->engine != NG_ENGINE_TRIE)
		return;
	h->root_bits[NG_SRC] = size->root_bits[NG_SRC];
	h->root_bits[NG_DST] = size->root_bits[NG_DST];
	h->node = empty_pool(size->nodes);
	h->skip = empty_pool(size->skips);
}

int ng_acl_tables_create(const struct ng_acl_size *size, struct ng_acl_tables *t)
{
	struct ng_acl_tables tables = NG_ACL_TABLES_INIT;
	int rc = check_size(size);

	for (int i = 0; !rc && i < NG_ACL_MAP_MAX; i++) {
		if (!is_map_of(i, size->engine))
			continue;
		tables.fd[i] = create_map(size, i);
		if (tables.fd[i] < 0)
			rc = tables.fd[i];
	}
	if (!rc)
		rc = map_tables(&tables);
	if (rc) {
		ng_acl_tables_close(&tables);
		return rc;
	}
	init_head(size, tables.head);
	*t = tables;
	return 0;
}

void ng_acl_tables_size(const struct ng_acl_tables *t, struct ng_acl_size *size)
{
	const struct ng_acl_head *h = t->head;

	*size = (struct ng_acl_size){
		.engine = h->engine,
		.root_bits = { h->root_bits[NG_SRC], h->root_bits[NG_DST] },
		.clauses = h->clause.size,
		.rows = h->row.size,
		.nodes = h->node.size,
		.skips = h->skip.size,
		.notes = h->note.size,
		.stripes = h->stripes,
	};
}

static int map_path(const char *dir, enum ng_acl_map map, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/%s", dir, ng_acl_map_name[map]);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int ng_acl_tables_pin(const struct ng_acl_tables *t, const char *dir)
{
	char path[PATH_MAX];
	int rc = 0;

	for (int i = 0; !rc && i < NG_ACL_MAP_MAX; i++) {
		if (t->fd[i] < 0)
			continue;
		rc = map_path(dir, i, path, sizeof(path));
		if (!rc && bpf_obj_pin(t->fd[i], path))
			rc = -errno;
	}
	return rc;
}

/* Which maps there have to be, only the head tells; an engine's own are looked for in any case. */
static int open_table(const char *dir, enum ng_acl_map map, struct ng_acl_tables *t)
{
	char path[PATH_MAX];
	int rc = map_path(dir, map, path, sizeof(path));

	if (rc)
		return rc;
	t->fd[map] = bpf_obj_get(path);
	if (t->fd[map] < 0 && (errno != ENOENT || engines_of[map] == ALL_MAPS))
		return -errno;
	return 0;
}

static int check_tables(const struct ng_acl_tables *t)
{
	if (t->head->engine >= NG_ENGINE_MAX)
		return -EUCLEAN;
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		bool expected = is_map_of(i, t->head->engine);

		if (expected && t->fd[i] < 0)
			return -ENOENT;
		if (!expected && t->fd[i] >= 0)
			return -EUCLEAN;
	}
	return 0;
}

int ng_acl_tables_open(struct ng_acl_tables *t, const char *dir)
{
	struct ng_acl_tables tables = NG_ACL_TABLES_INIT;
	int rc = 0;

	for (int i = 0; !rc && i < NG_ACL_MAP_MAX; i++)
		rc = open_table(dir, i, &tables);
	if (!rc)
		rc = map_tables(&tables);
	if (!rc)
		rc = check_tables(&tables);
	if (rc)
		ng_acl_tables_close(&tables);
	else
		*t = tables;
	return rc;
}

void ng_acl_tables_close(struct ng_acl_tables *t)
{
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		ng_pages_close(&t->pages[i]);
		if (t->fd[i] >= 0)
			close(t->fd[i]);
	}
	*t = (struct ng_acl_tables)NG_ACL_TABLES_INIT;
}
