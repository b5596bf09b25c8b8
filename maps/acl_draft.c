// SPDX-License-Identifier: GPL-2.0-only
/* Drafts of rows: own clauses, what they inherit, and their publication. */
#include "maps/acl_draft.h"

#include <string.h>

struct ng_acl_class ng_acl_draft_new(const struct ng_acl_key *key)
{
	struct ng_acl_class draft = {
		.family = key->prefix.family,
		.side = key->side,
		.prefixlen = key->prefix.len,
	};

	memcpy(draft.addr_be, key->prefix.addr_be, sizeof(draft.addr_be));
	return draft;
}

void ng_acl_draft_add(const struct ng_maps *m, struct ng_acl_class *draft,
		      const struct ng_acl_key *key, __u32 clause)
{
	__u8 at = draft->own;

	for (; at > 0; at--) {
		struct ng_acl_key before = ng_acl_clause_key(m, draft->clause[at - 1]);

		if (ng_acl_compare_match(&before, key) < 0)
			break;
		draft->clause[at] = draft->clause[at - 1];
	}
	draft->clause[at] = clause;
	draft->own++;
}

void ng_acl_draft_remove(struct ng_acl_class *draft, __u32 clause)
{
	__u8 at = 0;

	while (draft->clause[at] != clause)
		at++;
	draft->own--;
	for (; at < draft->own; at++)
		draft->clause[at] = draft->clause[at + 1];
}

int ng_acl_draft_inherit(const struct ng_maps *m, struct ng_acl_class *draft)
{
	struct ng_prefix p = ng_acl_row_prefix(draft);
	__u32 up = 0;
	__u8 n = draft->own;

	if (p.len) {
		int err = ng_acl_trie_lookup(m, &p, draft->side, p.len - 1, &up);

		if (err)
			return err;
	}
	for (__u8 i = 0; up && i < m->acl_class[up].clauses && n < NG_ACL_CLAUSES_MAX; i++)
		draft->clause[n++] = m->acl_class[up].clause[i];
	draft->clauses = n;
	memset(&draft->clause[n], 0, (NG_ACL_CLAUSES_MAX - n) * sizeof(*draft->clause));
	return 0;
}

int ng_acl_publish(struct ng_acl_edit *e, const struct ng_acl_class *draft, __u32 old, __u32 *row)
{
	struct ng_maps *m = e->m;
	__u32 i;
	int err = ng_acl_free_row(e, &i);

	if (err)
		return err;
	m->acl_class[i] = *draft;
	ng_acl_set_state(&m->acl_class[i].state, NG_ROW_LIVE);
	err = ng_acl_trie_set(m, draft, i);
	if (err)
		return err;
	for (__u8 k = 0; k < draft->own; k++)
		ng_acl_set_word(&m->acl_clause[draft->clause[k]].class_row, i);
	if (old)
		ng_acl_set_state(&m->acl_class[old].state, NG_ROW_DEAD);
	*row = i;
	return 0;
}

int ng_acl_refresh(struct ng_acl_edit *e, size_t place, const struct ng_prefix *p,
		   enum ng_side side)
{
	for (; place < e->rows; place++) {
		const struct ng_acl_class *now = &e->m->acl_class[e->row[place]];
		struct ng_acl_class draft = *now;
		struct ng_prefix q = ng_acl_row_prefix(now);
		int err;

		if (now->side != side || !ng_prefix_covers(p, &q))
			break;
		err = ng_acl_draft_inherit(e->m, &draft);
		if (err)
			return err;
		if (!memcmp(&draft, now, sizeof(draft)))
			continue;
		draft.state = NG_ROW_FREE;
		err = ng_acl_publish(e, &draft, e->row[place], &e->row[place]);
		if (err)
			return err;
	}
	return 0;
}
