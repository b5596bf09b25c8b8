/* SPDX-License-Identifier: GPL-2.0-only */
/* `in {..}` and `in @NAME`: sets of addresses and ports in filter expressions. */
#ifndef NG_CTL_FILTER_IN_SET_H
#define NG_CTL_FILTER_IN_SET_H

#include "ctl/filter/expr.h"
#include "ctl/filter/locate.h"

/* Puts a chain of terms in the place of each NG_TERM_SET. 0, -ENOMEM, or -errno with *err filled. */
int ng_in_set_resolve(struct ng_expr *e, const struct ng_source *source,
		      const struct ng_filter_names *names, struct ng_error *err);

#endif
