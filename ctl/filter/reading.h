/* SPDX-License-Identifier: GPL-2.0-only */
/* How an expression is read where libpcap would read it otherwise, for people to look at. Pure. */
#ifndef NG_CTL_FILTER_READING_H
#define NG_CTL_FILTER_READING_H

#include <stddef.h>

/* Where a step leads when it is not to another, which stands behind it. */
enum { NG_READ_MATCH = -1, NG_READ_REJECT = -2 };

/* Expressions that both read alike, asked in turn of the packet from its start. */
struct ng_reading {
	struct ng_reading_step {
		char *text; /* one line */
		int on_true, on_false;
	} * step;
	size_t n; /* 0: libpcap's reading of the whole is the same */
};

/* expr: what ng_filter_compile() has taken; NULL: every packet. -ENOMEM. */
int ng_reading_of(const char *expr, struct ng_reading *out);
void ng_reading_free(struct ng_reading *r);

#endif
