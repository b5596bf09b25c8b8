/* SPDX-License-Identifier: GPL-2.0-only */
/* A filter prepared for its fast copies: optimized, its sets planned as tables. */
#ifndef NG_CTL_FILTER_FAST_H
#define NG_CTL_FILTER_FAST_H

#include "ctl/filter/lower.h"

struct ng_fast {
	struct ng_ir ir;
	struct ng_table *table; /* of ir.set */
	size_t table_size;	/* of all of them */
};

/*
 * 0; -EOPNOTSUPP: the program has loops or is too involved, the plain copies have to do; -E2BIG: a
 * set is too large; -ENOMEM. *cfg must outlive *out.
 */
int ng_fast_prepare(const struct ng_cfg *cfg, struct ng_fast *out);
void ng_fast_free(struct ng_fast *fast);

#endif
