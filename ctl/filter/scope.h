/* SPDX-License-Identifier: GPL-2.0-only */
/* What `vlan` holds for, as nicgate reads it. */
#ifndef NG_CTL_FILTER_SCOPE_H
#define NG_CTL_FILTER_SCOPE_H

#include "ctl/filter/expr.h"
#include "ctl/filter/filter.h"

/* Texts that libpcap compiles at most in place of one expression. */
#define NG_SCOPE_STEPS_MAX 256

/* Where a step leads: another step, which stands behind it, or one of these. */
enum { NG_SCOPE_MATCH = -1, NG_SCOPE_REJECT = -2 };

/* A filter that libpcap reads as it is meant, and where its answers lead. */
struct ng_scope_step {
	char *text;
	int on_true, on_false;
};

struct ng_scope {
	struct ng_scope_step *step; /* room for NG_SCOPE_STEPS_MAX */
	size_t n;		    /* 0: libpcap's reading of the whole is the same */
};

/*
 * Adds nodes to *e, whose tree stays as it is. -ENOMEM; -E2BIG: too many alternatives; -EINVAL: a
 * value without words (*at = where) whose words would be lost. *out is to be freed in all cases.
 */
int ng_scope_read(struct ng_expr *e, struct ng_scope *out, size_t *at);
void ng_scope_free(struct ng_scope *s);
/*
 * The steps' programs as one. program[i] belongs to step i; n == 0 there: it never matches.
 * Takes their sets. 0 or -ENOMEM.
 */
int ng_scope_join(const struct ng_scope *s, struct ng_cbpf *program, unsigned int snaplen,
		  struct ng_cbpf *out);

#endif
