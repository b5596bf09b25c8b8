/* SPDX-License-Identifier: GPL-2.0-only */
/* Long lists of hosts, nets and ports in an expression, as sets. */
#ifndef NG_CTL_FILTER_LISTS_H
#define NG_CTL_FILTER_LISTS_H

#include "ctl/filter/filter.h"
#include "ctl/filter/write.h"

/* Terms of one kind from which on a list becomes a set. */
#define NG_LIST_MIN 16

/* site[i] is where set[i] is tested, and n of each. */
struct ng_lists {
	struct ng_site *site;
	struct ng_set *set;
	size_t n, room;
	bool optimizable; /* libpcap's optimizer may see the placeholders, see lists.c */
};

/*
 * Puts a placeholder in the place of each long list of *e. 0 or -ENOMEM; *out is to be freed in all
 * cases.
 */
int ng_lists_extract(struct ng_expr *e, struct ng_lists *out);
/*
 * a, b: what libpcap made of the two variants of the expression, n instructions each. Makes
 * *out of them, with the sets, which leave *l. -ENOMEM; -EINVAL: they differ by more than
 * placeholders.
 */
int ng_lists_patch(struct ng_lists *l, const struct sock_filter *a, const struct sock_filter *b,
		   size_t n, struct ng_cbpf *out);
void ng_lists_free(struct ng_lists *l);

#endif
