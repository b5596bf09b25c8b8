// SPDX-License-Identifier: GPL-2.0-only
/* The steps of a scoped expression, taken out of the room that made them. */
#include "ctl/filter/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/scope.h"

_Static_assert((int)NG_READ_MATCH == (int)NG_SCOPE_MATCH, "the same answers");
_Static_assert((int)NG_READ_REJECT == (int)NG_SCOPE_REJECT, "the same answers");

static void join_lines(char *text)
{
	for (text += strcspn(text, "\t\r\n"); *text; text += strcspn(text, "\t\r\n"))
		*text = ' ';
}

static int take_steps(struct ng_scope *scope, struct ng_reading *out)
{
	struct ng_reading r = { .step = calloc(scope->n + 1, sizeof(*r.step)), .n = scope->n };

	if (!r.step)
		return -ENOMEM;
	for (size_t i = 0; i < scope->n; i++) {
		r.step[i].text = scope->step[i].text;
		r.step[i].on_true = scope->step[i].on_true;
		r.step[i].on_false = scope->step[i].on_false;
		scope->step[i].text = NULL;
		join_lines(r.step[i].text);
	}
	*out = r;
	return 0;
}

/* What is not read, or not in scopes, is left to libpcap as a whole. */
int ng_reading_of(const char *expr, struct ng_reading *out)
{
	struct ng_scope scope = { .n = 0 };
	struct ng_expr e = { .n = 0 };
	size_t at;
	int rc = expr ? ng_expr_parse(expr, &e, &at) : -EINVAL;

	if (!rc)
		rc = ng_scope_read(&e, &scope, &at);
	if (!rc)
		rc = take_steps(&scope, out);
	else if (rc != -ENOMEM) {
		*out = (struct ng_reading){ .n = 0 };
		rc = 0;
	}
	ng_scope_free(&scope);
	ng_expr_free(&e);
	return rc;
}

void ng_reading_free(struct ng_reading *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->step[i].text);
	free(r->step);
	*r = (struct ng_reading){ .n = 0 };
}
