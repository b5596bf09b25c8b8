// SPDX-License-Identifier: GPL-2.0-only
/* The rows of the ACL tables: the tries that lead to them, their order, and their reuse. */
#include "maps/acl_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "maps/counters.h"

struct ng_prefix ng_acl_row_prefix(const struct ng_acl_class *row)
{
	struct ng_prefix p = { .family = row->family, .len = row->prefixlen };

	memcpy(p.addr_be, row->addr_be, sizeof(p.addr_be));
	return p;
}

struct ng_acl_key ng_acl_clause_key(const struct ng_maps *m, __u32 clause)
{
	const struct ng_acl_clause *c = &m->acl_clause[clause];
	const struct ng_acl_class *row = &m->acl_class[c->class_row];

	return (struct ng_acl_key){
		.prefix = ng_acl_row_prefix(row),
		.side = row->side,
		.any_proto = c->any_proto,
		.any_port = c->any_port,
		.proto = c->proto,
		.port_lo = c->port_lo,
		.port_hi = c->port_hi,
	};
}

static bool clause_matches(const struct ng_maps *m, __u32 clause, const struct ng_acl_key *key)
{
	struct ng_acl_key k = ng_acl_clause_key(m, clause);

	return !ng_acl_compare_match(&k, key);
}

__u32 ng_acl_own_clause(const struct ng_maps *m, __u32 row, const struct ng_acl_key *key)
{
	const struct ng_acl_class *c = &m->acl_class[row];

	for (__u8 i = 0; i < c->own; i++)
		if (clause_matches(m, c->clause[i], key))
			return c->clause[i];
	return 0;
}

/* The tries */

static int trie_fd(const struct ng_maps *m, enum ng_family family, enum ng_side side)
{
	static const enum ng_map_id id[NG_FAMILY_MAX][NG_SIDE_MAX] = {
		[NG_IPV4] = { [NG_SRC] = NG_MAP_ACL4_SRC, [NG_DST] = NG_MAP_ACL4_DST },
		[NG_IPV6] = { [NG_SRC] = NG_MAP_ACL6_SRC, [NG_DST] = NG_MAP_ACL6_DST },
	};

	return m->fd[id[family][side]];
}

_Static_assert(offsetof(struct ng_lpm4_key, addr_be) == offsetof(struct ng_lpm6_key, addr_be),
	       "an IPv6 key with the address in the first word serves as an IPv4 key");

static struct ng_lpm6_key trie_key(const struct ng_prefix *p, __u8 len)
{
	struct ng_lpm6_key key = { .prefixlen = len };

	memcpy(key.addr_be, p->addr_be, sizeof(key.addr_be));
	return key;
}

int ng_acl_trie_lookup(const struct ng_maps *m, const struct ng_prefix *p, enum ng_side side,
		       __u8 len, __u32 *row)
{
	struct ng_lpm6_key key = trie_key(p, len);
	__u32 value = 0;
	int err = bpf_map_lookup_elem(trie_fd(m, p->family, side), &key, &value);

	if (err && err != -ENOENT)
		return err;
	if (value >= m->acl_entries)
		return -EUCLEAN;
	*row = value;
	return 0;
}

int ng_acl_trie_set(const struct ng_maps *m, const struct ng_acl_class *c, __u32 row)
{
	struct ng_prefix p = ng_acl_row_prefix(c);
	struct ng_lpm6_key key = trie_key(&p, p.len);

	return bpf_map_update_elem(trie_fd(m, c->family, c->side), &key, &row, BPF_ANY);
}

int ng_acl_trie_delete(const struct ng_maps *m, const struct ng_acl_class *c)
{
	struct ng_prefix p = ng_acl_row_prefix(c);
	struct ng_lpm6_key key = trie_key(&p, p.len);

	return bpf_map_delete_elem(trie_fd(m, c->family, c->side), &key);
}

/* Live rows in order */

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct ng_maps *m = arg;
	const struct ng_acl_class *a = &m->acl_class[*(const __u32 *)x];
	const struct ng_acl_class *b = &m->acl_class[*(const __u32 *)y];
	struct ng_prefix pa = ng_acl_row_prefix(a), pb = ng_acl_row_prefix(b);

	return ng_acl_compare_place(&pa, a->side, &pb, b->side);
}

static int live_rows(const struct ng_maps *m, __u32 **list, size_t *n)
{
	__u32 *row = malloc(m->acl_entries * sizeof(*row));
	size_t rows = 0;

	if (!row)
		return -ENOMEM;
	for (__u32 i = 1; i < m->acl_entries; i++)
		if (m->acl_class[i].state == NG_ROW_LIVE)
			row[rows++] = i;
	qsort_r(row, rows, sizeof(*row), compare_rows, (void *)m);
	*list = row;
	*n = rows;
	return 0;
}

int ng_acl_edit_begin(struct ng_acl_edit *e, struct ng_maps *m)
{
	*e = (struct ng_acl_edit){ .m = m, .next_row = 1, .next_clause = 1 };
	return live_rows(m, &e->row, &e->rows);
}

size_t ng_acl_place_of(const struct ng_acl_edit *e, const struct ng_prefix *p, enum ng_side side)
{
	size_t lo = 0, hi = e->rows;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct ng_acl_class *c = &e->m->acl_class[e->row[mid]];
		struct ng_prefix q = ng_acl_row_prefix(c);

		if (ng_acl_compare_place(&q, c->side, p, side) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

__u32 ng_acl_row_at(const struct ng_acl_edit *e, size_t place, const struct ng_prefix *p,
		    enum ng_side side)
{
	const struct ng_acl_class *c;
	struct ng_prefix q;

	if (place == e->rows)
		return 0;
	c = &e->m->acl_class[e->row[place]];
	q = ng_acl_row_prefix(c);
	return ng_acl_compare_place(&q, c->side, p, side) ? 0 : e->row[place];
}

void ng_acl_place_insert(struct ng_acl_edit *e, size_t place, __u32 row)
{
	memmove(&e->row[place + 1], &e->row[place], (e->rows - place) * sizeof(*e->row));
	e->row[place] = row;
	e->rows++;
}

void ng_acl_place_remove(struct ng_acl_edit *e, size_t place)
{
	e->rows--;
	memmove(&e->row[place], &e->row[place + 1], (e->rows - place) * sizeof(*e->row));
}

/* Free, live, dead */

/*
 * Waits until no program runs that could have seen what is unpublished now. An update of a map of
 * maps returns only then (kernel/bpf/syscall.c: maybe_wait_bpf_programs()); unlike membarrier()
 * also with nohz_full CPUs.
 */
static int grace_period(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	__u32 zero = 0;
	int outer, err = 0;
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ng_grace", 4, 4, 1, NULL);

	if (inner < 0)
		return inner;
	opts.inner_map_fd = (__u32)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "ng_grace", 4, 4, 1, &opts);
	if (outer < 0)
		err = outer;
	else
		err = bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
	if (outer >= 0)
		close(outer);
	close(inner);
	return err;
}

static int reclaim(struct ng_acl_edit *e)
{
	struct ng_maps *m = e->m;
	int err = grace_period();

	if (err)
		return err;
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (m->acl_class[i].state == NG_ROW_DEAD)
			ng_acl_set_state(&m->acl_class[i].state, NG_ROW_FREE);
		if (m->acl_clause[i].state == NG_ROW_DEAD)
			ng_acl_set_state(&m->acl_clause[i].state, NG_ROW_FREE);
	}
	e->next_row = e->next_clause = 1;
	return 0;
}

static __u32 first_free_row(struct ng_acl_edit *e)
{
	for (; e->next_row < e->m->acl_entries; e->next_row++)
		if (e->m->acl_class[e->next_row].state == NG_ROW_FREE)
			return e->next_row;
	return 0;
}

static __u32 first_free_clause(struct ng_acl_edit *e)
{
	for (; e->next_clause < e->m->acl_entries; e->next_clause++)
		if (e->m->acl_clause[e->next_clause].state == NG_ROW_FREE)
			return e->next_clause;
	return 0;
}

static int find_free(struct ng_acl_edit *e, __u32 (*search)(struct ng_acl_edit *), __u32 *found)
{
	__u32 i = search(e);

	if (!i) {
		int err = reclaim(e);

		if (err)
			return err;
		i = search(e);
	}
	if (!i)
		return -ENOSPC;
	*found = i;
	return 0;
}

int ng_acl_free_row(struct ng_acl_edit *e, __u32 *row)
{
	return find_free(e, first_free_row, row);
}

int ng_acl_new_clause(struct ng_acl_edit *e, const struct ng_acl_key *key, __u8 verdict,
		      __u32 *clause)
{
	struct ng_acl_clause *c;
	__u32 i;
	int err = find_free(e, first_free_clause, &i);

	if (!err)
		err = ng_counter_zero(e->m->fd[NG_MAP_ACL_HITS], i);
	if (err)
		return err;
	c = &e->m->acl_clause[i];
	*c = (struct ng_acl_clause){
		.state = NG_ROW_FREE,
		.verdict = verdict,
		.any_proto = key->any_proto,
		.proto = key->proto,
		.port_lo = key->port_lo,
		.port_hi = key->port_hi,
		.any_port = key->any_port,
	};
	ng_acl_set_state(&c->state, NG_ROW_LIVE);
	*clause = i;
	return 0;
}
