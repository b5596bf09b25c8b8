// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl list, flush and zero: all clauses of one direction or of both. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd/acl.h"

/* Opens the gates of [in|out], or of both. */
static int open_for_all(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_bad_word bad = { 0 };
	bool in = c->argc == 3 || !strcmp(c->argv[3], ng_dir_name[NG_IN]);
	bool out = c->argc == 3 || !strcmp(c->argv[3], ng_dir_name[NG_OUT]);
	int rc;

	if (!in && !out) {
		snprintf(bad.what, sizeof(bad.what), "unknown word '%s'", c->argv[3]);
		snprintf(bad.hint, sizeof(bad.hint), "valid here: in, out");
		return ng_acl_call_bad_word(c, 3, &bad, err);
	}
	if (c->argc > 4) {
		snprintf(bad.what, sizeof(bad.what), "nothing more is expected here");
		return ng_acl_call_bad_word(c, 4, &bad, err);
	}
	rc = ng_acl_call_begin(c, err);
	return rc ? rc : ng_acl_call_open_each(c, in, out, err);
}

struct listing {
	struct ng_acl_entry *entry[NG_DIR_MAX];
	size_t n[NG_DIR_MAX];
};

static int read_listing(const struct ng_acl_call *c, struct listing *l, struct ng_error *err)
{
	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		int rc = c->gate[dir] ? ng_acl_list(&c->gate[dir]->maps, &l->entry[dir], &l->n[dir])
				      : 0;

		if (rc)
			return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
				      "reading the ACL failed");
	}
	return 0;
}

static int show_listing(struct ng_acl_call *c, const struct listing *l,
			const struct ng_prefix *match, struct ng_error *err)
{
	struct ng_out *out = ng_acl_out_begin(c, err);

	if (!out)
		return -ENOMEM;
	ng_acl_table_begin(out, c->statistics);
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		for (size_t i = 0; i < l->n[dir]; i++) {
			const struct ng_prefix *p = &l->entry[dir][i].key.prefix;

			if (!match || ng_prefix_covers(p, match) || ng_prefix_covers(match, p))
				ng_acl_table_row(out, dir, &l->entry[dir][i]);
		}
	ng_table_end(out);
	return ng_acl_out_end(out, err);
}

int ng_acl_run_list(struct ng_acl_call *c, struct ng_error *err)
{
	struct listing l = { 0 };
	struct ng_bad_word bad;
	struct ng_prefix match;
	bool masked;
	int rc;

	if (c->match && ng_prefix_parse(c->match, strlen(c->match), &match, &masked, &bad)) {
		ng_err(err, NG_EXIT_USAGE, 0, c->match, "%s", bad.what);
		if (bad.hint[0])
			ng_err_try(err, "%s", bad.hint);
		return -EINVAL;
	}
	rc = open_for_all(c, err);
	if (!rc)
		rc = read_listing(c, &l, err);
	if (!rc)
		rc = show_listing(c, &l, c->match ? &match : NULL, err);
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		free(l.entry[dir]);
	return rc;
}

int ng_acl_run_flush(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_out *out;
	size_t deleted = 0;
	int rc = open_for_all(c, err);

	if (rc)
		return rc;
	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		if (!c->gate[dir])
			continue;
		rc = ng_acl_flush(&c->gate[dir]->maps);
		if (rc < 0)
			return ng_acl_call_failed(c, c->gate[dir], rc, err);
		deleted += (size_t)rc;
	}
	out = ng_acl_out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_out_u64(out, "deleted", NULL, deleted);
	ng_out_text(out, "%s: %zu deleted\n", c->link.name, deleted);
	return ng_acl_out_end(out, err);
}

int ng_acl_run_zero(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_out *out;
	int rc = open_for_all(c, err);

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		if (!c->gate[dir])
			continue;
		rc = ng_acl_zero(&c->gate[dir]->maps);
		if (rc)
			ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
			       "zeroing the counters failed");
	}
	if (rc)
		return rc;
	out = ng_acl_out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_out_text(out, "%s: counters of the ACL are zero\n", c->link.name);
	return ng_acl_out_end(out, err);
}
