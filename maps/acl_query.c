// SPDX-License-Identifier: GPL-2.0-only
/* Questions to the ACL tables of one gate: find, test, list; and the counters of the clauses. */
#include "maps/acl.h"

#include <errno.h>
#include <stdlib.h>

#include "maps/acl_rows.h"
#include "maps/counters.h"

int ng_acl_zero(const struct ng_maps *m)
{
	for (__u32 i = 1; i < m->acl_entries; i++) {
		int err;

		if (m->acl_clause[i].state != NG_ROW_LIVE)
			continue;
		err = ng_counter_zero(m->fd[NG_MAP_ACL_HITS], i);
		if (err)
			return err;
	}
	return 0;
}

int ng_acl_find(const struct ng_maps *m, const struct ng_acl_key *key, __u32 *clause)
{
	struct ng_acl_key k = ng_acl_key_normal(key);
	__u32 row = 0, found;
	int err = ng_acl_trie_lookup(m, &k.prefix, k.side, k.prefix.len, &row);

	if (err)
		return err;
	if (!row || m->acl_class[row].prefixlen != k.prefix.len)
		return -ENOENT;
	found = ng_acl_own_clause(m, row, &k);
	if (!found)
		return -ENOENT;
	*clause = found;
	return 0;
}

static bool decides(const struct ng_acl_clause *c, int proto, int port)
{
	if (c->verdict == NG_COUNT || (!c->any_proto && c->proto != proto))
		return false;
	return c->any_port || (port >= c->port_lo && port <= c->port_hi);
}

int ng_acl_test(const struct ng_maps *m, const struct ng_prefix *addr, enum ng_side side, int proto,
		int port, __u32 *clause)
{
	const struct ng_acl_class *row;
	__u32 i = 0;
	int err = ng_acl_trie_lookup(m, addr, side, addr->len, &i);

	if (err)
		return err;
	row = &m->acl_class[i];
	for (__u8 k = 0; i && k < row->clauses; k++) {
		if (!decides(&m->acl_clause[row->clause[k]], proto, port))
			continue;
		*clause = row->clause[k];
		return 0;
	}
	return -ENOENT;
}

int ng_acl_entry_get(const struct ng_maps *m, __u32 clause, struct ng_acl_entry *entry)
{
	struct ng_counter hits;
	int err;

	if (!clause || clause >= m->acl_entries || m->acl_clause[clause].state != NG_ROW_LIVE)
		return -ENOENT;
	err = ng_counter_sum(m->fd[NG_MAP_ACL_HITS], clause, &hits);
	if (err)
		return err;
	*entry = (struct ng_acl_entry){
		.key = ng_acl_clause_key(m, clause),
		.verdict = m->acl_clause[clause].verdict,
		.clause = clause,
		.packets = hits.packets,
		.bytes = hits.bytes,
	};
	return 0;
}

static int compare_entries(const void *x, const void *y)
{
	const struct ng_acl_key *a = &((const struct ng_acl_entry *)x)->key;
	const struct ng_acl_key *b = &((const struct ng_acl_entry *)y)->key;
	int d = ng_acl_compare_place(&a->prefix, a->side, &b->prefix, b->side);

	d = d ? d : ng_acl_compare(!a->any_proto, !b->any_proto);
	d = d ? d : ng_acl_compare(a->proto, b->proto);
	d = d ? d : ng_acl_compare(!a->any_port, !b->any_port);
	d = d ? d : ng_acl_compare(a->port_lo, b->port_lo);
	return d ? d : ng_acl_compare(a->port_hi, b->port_hi);
}

int ng_acl_list(const struct ng_maps *m, struct ng_acl_entry **list, size_t *n)
{
	struct ng_acl_entry *entry = malloc(m->acl_entries * sizeof(*entry));
	size_t got = 0;

	if (!entry)
		return -ENOMEM;
	for (__u32 i = 1; i < m->acl_entries; i++) {
		int err = ng_acl_entry_get(m, i, &entry[got]);

		if (!err)
			got++;
		else if (err != -ENOENT) {
			free(entry);
			return err;
		}
	}
	qsort(entry, got, sizeof(*entry), compare_entries);
	*list = entry;
	*n = got;
	return 0;
}
