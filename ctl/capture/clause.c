// SPDX-License-Identifier: GPL-2.0-only
/* ACL clauses as words for a capture file. */
#include "ctl/capture/clause.h"

#include <stdio.h>

#include "ctl/policy/acl_words.h"
#include "maps/counters.h"

/* The empty string when the row is not live any more. */
static void fill(char text[NG_CLAUSE_TEXT], const struct ng_maps *m, enum ng_dir dir, __u32 clause)
{
	char key[NG_ACL_KEY_TEXT];
	struct ng_acl_entry e;

	text[0] = '\0';
	if (ng_acl_entry_get(m, clause, &e))
		return;
	ng_acl_key_format(dir, &e.key, key);
	snprintf(text, NG_CLAUSE_TEXT, "acl %s %s", ng_verdict_name[e.verdict], key);
}

void ng_clause_forget(struct ng_clause_cache *c)
{
	for (size_t i = 0; i < sizeof(c->slot) / sizeof(c->slot[0]); i++)
		c->slot[i].clause = 0;
}

const char *ng_clause_cached(struct ng_clause_cache *c, const struct ng_maps *m, enum ng_dir dir,
			     __u32 clause)
{
	size_t i = clause % (sizeof(c->slot) / sizeof(c->slot[0]));

	if (c->slot[i].clause != clause) {
		fill(c->slot[i].text, m, dir, clause);
		c->slot[i].clause = clause;
	}
	return c->slot[i].text;
}
