/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a program calls the filters' stub, and where it keeps what a filter needs. */
#ifndef NG_CTL_FILTER_SITE_H
#define NG_CTL_FILTER_SITE_H

#include <stddef.h>

enum ng_place_kind { NG_PLACE_NONE, NG_PLACE_REG, NG_PLACE_STACK };

struct ng_place {
	enum ng_place_kind kind;
	int reg;
	int off; /* from r10, 8 bytes */
};

struct ng_site {
	size_t call;
	int slot; /* -1: not known */
	struct ng_place ctx, len;
	int stack_free;
};

#endif
