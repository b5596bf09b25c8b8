// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl export: the clauses as a file that import, replace and others read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd/acl.h"

/* Gates, as items of a table. */
struct export
{
	struct ng_table_item *item;
	size_t n;
	struct ng_acl_item *clause[NG_DIR_MAX];
	char *notes[NG_DIR_MAX];
};

static void export_free(struct export *e)
{
	free(e->item);
	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		free(e->clause[dir]);
		free(e->notes[dir]);
	}
}

static struct ng_table_item as_table_item(const struct ng_acl_item *it, enum ng_dir dir)
{
	return (struct ng_table_item){
		.key = it->key,
		.dir = dir,
		.verdict = it->verdict,
		.has_verdict = true,
		.timeout_s = it->timeout,
		.comment = it->note,
		.comment_len = it->note ? (__u8)strlen(it->note) : 0,
	};
}

static int read_gate(struct ng_acl_call *c, int dir, struct export *e)
{
	struct ng_table_item *more;
	size_t n;
	int rc = ng_acl_items(&c->gate[dir]->maps.acl, &e->clause[dir], &n, &e->notes[dir]);
	long sorted = rc ? rc : ng_acl_items_sort(e->clause[dir], n);

	if (sorted < 0)
		return (int)sorted;
	more = realloc(e->item, (e->n + n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	e->item = more;
	for (size_t i = 0; i < n; i++)
		e->item[e->n++] = as_table_item(&e->clause[dir][i], dir);
	return 0;
}

static int refuse(const struct export *e, size_t which, const struct ng_bad_word *bad,
		  struct ng_error *err)
{
	char text[NG_ACL_KEY_TEXT];

	ng_acl_key_format(e->item[which].dir, &e->item[which].key, text);
	ng_err(err, NG_EXIT_FAILED, 0, text, "%s", bad->what);
	if (bad->hint[0])
		ng_err_try(err, "%s", bad->hint);
	return -EINVAL;
}

static int write_out(const struct ng_acl_call *c, const struct export *e, struct ng_error *err)
{
	const struct ng_table_write_options options = { .format = c->format ? c->format
									    : NG_TABLE_WORDS,
							.lossy = c->force };
	struct ng_bad_word bad = { 0 };
	size_t len = 0, which = 0;
	char *text = NULL;
	int rc = ng_table_write(e->item, e->n, &options, &text, &len, &which, &bad);

	if (rc == -EINVAL)
		return refuse(e, which, &bad, err);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "exporting failed");
	if (fwrite(text, 1, len, stdout) != len || fflush(stdout))
		rc = ng_err(err, NG_EXIT_FAILED, errno, "stdout", "writing failed");
	free(text);
	return rc;
}

int ng_acl_run_export(struct ng_acl_call *c, struct ng_error *err)
{
	struct export e = { 0 };
	int rc = ng_acl_call_open_all(c, err);

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		rc = c->gate[dir] ? read_gate(c, dir, &e) : 0;
		if (rc)
			ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "reading the ACL failed");
	}
	ng_pins_unlock(&c->pins);
	if (!rc)
		rc = write_out(c, &e, err);
	export_free(&e);
	return rc;
}
