// SPDX-License-Identifier: GPL-2.0-only
/* ACL clauses as words for a capture file. */
#include "ctl/capture/clause.h"

#include <stdio.h>

#include "ctl/policy/acl_words.h"
#include "maps/counters.h"

static void fill(char text[NG_CLAUSE_TEXT], struct ng_maps *m, enum ng_dir dir, __u32 decider,
		 __u8 verdict)
{
	char key[NG_ACL_KEY_TEXT];
	struct ng_acl_entry e;

	text[0] = '\0';
	if (verdict >= NG_VERDICT_MAX || NG_DECIDER_GEN(decider) != (m->acl_gen & 15) ||
	    ng_acl_entry_get(&m->acl, NG_DECIDER_CLAUSE(decider), &e))
		return;
	ng_acl_key_format(dir, &e.key, key);
	snprintf(text, NG_CLAUSE_TEXT, "acl %s %s", ng_verdict_name[verdict], key);
}

void ng_clause_forget(struct ng_clause_cache *c)
{
	for (size_t i = 0; i < sizeof(c->slot) / sizeof(c->slot[0]); i++)
		c->slot[i].decider = 0;
}

const char *ng_clause_cached(struct ng_clause_cache *c, struct ng_maps *m, enum ng_dir dir,
			     __u32 decider, __u8 verdict)
{
	size_t i = decider % (sizeof(c->slot) / sizeof(c->slot[0]));

	if (c->slot[i].decider != decider || c->slot[i].verdict != verdict) {
		fill(c->slot[i].text, m, dir, decider, verdict);
		c->slot[i].decider = decider;
		c->slot[i].verdict = verdict;
	}
	return c->slot[i].text;
}
