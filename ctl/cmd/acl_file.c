// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl add @FILE: one key for each entry of the file, in whichever format it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/file.h"
#include "ctl/cmd/acl.h"
#include "ctl/policy/table.h"
#include "maps/counters.h"

#define LIST_SIZE_MAX (64u << 20)

static void fill_line_error(const char *name, const struct ng_bad_line *bad, struct ng_error *err)
{
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", bad->bad.what);
	ng_err_at(err, name, bad->line, (unsigned int)bad->bad.at + 1, bad->text, bad->len);
	if (bad->bad.why[0])
		ng_err_why(err, "%s", bad->bad.why);
	if (bad->bad.hint[0])
		ng_err_try(err, "%s", bad->bad.hint);
}

/* All bad lines but the last are shown at once, or are in the reasons (JSON has one error). */
static int bad_list(const struct ng_acl_call *c, const char *name, const struct ng_table *list,
		    struct ng_error *err)
{
	size_t shown = list->bad_lines < NG_BAD_LINES_MAX ? list->bad_lines : NG_BAD_LINES_MAX;

	for (size_t i = 0; i + 1 < shown && !c->global->json; i++) {
		struct ng_error e;

		fill_line_error(name, &list->bad[i], &e);
		ng_err_show(&e, false, false);
	}
	fill_line_error(name, &list->bad[c->global->json ? 0 : shown - 1], err);
	for (size_t i = 1; i < shown && c->global->json; i++)
		ng_err_why(err, "%s:%u:%zu: %s", name, list->bad[i].line, list->bad[i].bad.at + 1,
			   list->bad[i].bad.what);
	ng_err_why(err, "%zu bad line%s in %s; nothing was changed", list->bad_lines,
		   list->bad_lines == 1 ? "" : "s", name);
	return -EINVAL;
}

/* One `acl add` adds entries of one verdict and one direction, that stay. */
static int check_item(const char *name, const struct ng_acl_words *words,
		      const struct ng_table_item *item, struct ng_error *err)
{
	char prefix[NG_PREFIX_TEXT];

	if (item->verdict == words->verdict && item->dir == words->dir && !item->timeout_s)
		return 0;
	ng_prefix_format(&item->key.prefix, prefix);
	ng_err(err, NG_EXIT_USAGE, 0, name, "line %u, column %u: %s is not '%s %s'%s", item->line,
	       item->column, prefix, ng_verdict_name[words->verdict], ng_dir_name[words->dir],
	       item->timeout_s ? " for good, it has a timeout" : "");
	ng_err_why(err, "acl add takes entries of one verdict and one direction, without timeout");
	return -EINVAL;
}

static int take_keys(const char *name, const struct ng_acl_words *words,
		     const struct ng_table *table, struct ng_acl_keys *keys, struct ng_error *err)
{
	int rc = 0;

	keys->key = calloc(table->n + 1, sizeof(*keys->key));
	if (!keys->key)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < table->n; i++) {
		rc = check_item(name, words, &table->item[i], err);
		keys->key[keys->n++] = table->item[i].key;
	}
	return rc;
}

/* What was read otherwise than it was written. */
static void warn_of(const char *name, const struct ng_table *table)
{
	const struct ng_table_counts *n = &table->count;

	if (table->format != NG_TABLE_CIDR)
		ng_note("%s: read as %s", name, ng_table_format_name[table->format]);
	if (n->masked)
		ng_warn("%s: %zu of %zu prefixes had host bits set; they are masked", name,
			n->masked, table->n + n->duplicates);
	if (n->trailing)
		ng_warn("%s: %zu lines have words behind the prefix; they do not count", name,
			n->trailing);
	if (n->sets_left)
		ng_warn("%s: %zu sets are not of addresses; they are left out", name, n->sets_left);
}

int ng_acl_keys_read(const struct ng_acl_call *c, const struct ng_acl_words *words,
		     struct ng_acl_keys *keys, struct ng_error *err)
{
	const char *name = strcmp(words->list, "-") ? words->list : "stdin";
	struct ng_table_options options = { .format = NG_TABLE_AUTO, .words = words };
	struct ng_table table;
	char *text = NULL;
	size_t len = 0;
	int rc = ng_read_file(words->list, LIST_SIZE_MAX, &text, &len, err);

	if (rc)
		return rc;
	rc = ng_table_read(text, len, &options, &table);
	if (rc == -EINVAL)
		bad_list(c, name, &table, err);
	if (!rc)
		rc = take_keys(name, words, &table, keys, err);
	if (rc == -ENOMEM)
		ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot be read");
	if (!rc)
		warn_of(name, &table);
	ng_table_free(&table);
	free(text);
	return rc;
}
