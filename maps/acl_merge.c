// SPDX-License-Identifier: GPL-2.0-only
/* Sorted lists of items: two into one, and what that changes; one item less. Pure. */
#include "maps/acl.h"

#include <string.h>

#include "maps/acl_key.h"

/* What stays of a clause that is given anew: when it was added and, where old ones are kept, its
 * comment unless there is another. */
static struct ng_acl_item renewed(const struct ng_acl_item *old, const struct ng_acl_item *new,
				  bool keep)
{
	struct ng_acl_item item = *new;

	item.added = old->added;
	if (!item.note && keep)
		item.note = old->note;
	return item;
}

static bool same_note(const struct ng_acl_item *old, const struct ng_acl_item *new, bool keep)
{
	if (!new->note)
		return keep || !old->note;
	return old->note && !strcmp(old->note, new->note);
}

static bool says_the_same(const struct ng_acl_item *old, const struct ng_acl_item *new, bool keep)
{
	return old->verdict == new->verdict && !old->deadline &&
	       !new->deadline &&same_note(old, new, keep);
}

size_t ng_acl_merge(const struct ng_acl_item *old, size_t n_old, const struct ng_acl_item *new,
		    size_t n_new, bool keep, struct ng_acl_item *out, struct ng_acl_change *change)
{
	size_t i = 0, k = 0, n = 0;

	while (i < n_old || k < n_new) {
		int d = i == n_old   ? 1
			: k == n_new ? -1
				     : ng_acl_compare_key(&old[i].key, &new[k].key);

		if (d < 0) {
			if (keep)
				out[n++] = old[i];
			change->deleted += !keep;
			i++;
		} else if (d > 0) {
			out[n++] = new[k++];
			change->added++;
		} else {
			*(says_the_same(&old[i], &new[k], keep) ? &change->unchanged
								: &change->changed) += 1;
			out[n++] = renewed(&old[i++], &new[k++], keep);
		}
	}
	return n;
}

size_t ng_acl_items_without(struct ng_acl_item *item, size_t n, const struct ng_acl_key *key)
{
	struct ng_acl_key k = ng_acl_key_normal(key);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (ng_acl_compare_key(&item[i].key, &k))
			item[kept++] = item[i];
	return kept;
}
