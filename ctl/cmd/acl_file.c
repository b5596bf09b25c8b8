// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl add @FILE: one key for each prefix in the file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/file.h"
#include "ctl/cmd/acl.h"
#include "ctl/policy/prefix_list.h"

#define LIST_SIZE_MAX (64u << 20)

static void fill_line_error(const char *name, const struct ng_bad_line *bad, struct ng_error *err)
{
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", bad->bad.what);
	ng_err_at(err, name, bad->line, (unsigned int)bad->bad.at + 1, bad->text, bad->len);
	if (bad->bad.hint[0])
		ng_err_try(err, "%s", bad->bad.hint);
}

/* All bad lines but the last are shown at once, or are in the reasons (JSON has one error). */
static int bad_list(const struct ng_acl_call *c, const char *name,
		    const struct ng_prefix_list *list, struct ng_error *err)
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

int ng_acl_keys_read(const struct ng_acl_call *c, const struct ng_acl_words *words,
		     struct ng_acl_keys *keys, struct ng_error *err)
{
	const char *name = strcmp(words->list, "-") ? words->list : "stdin";
	struct ng_prefix_list list;
	char *text = NULL;
	size_t len = 0;
	int rc = ng_read_file(words->list, LIST_SIZE_MAX, &text, &len, err);

	if (rc)
		return rc;
	rc = ng_prefix_list_parse(text, len, &list);
	if (rc == -EINVAL)
		bad_list(c, name, &list, err);
	if (!rc) {
		keys->key = calloc(list.n + 1, sizeof(*keys->key));
		rc = keys->key ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !rc && i < list.n; i++)
		keys->key[keys->n++] = ng_acl_words_key(words, &list.entry[i].prefix);
	if (rc == -ENOMEM)
		ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot be read");
	if (!rc && list.masked)
		ng_warn("%s: %zu of %zu prefixes had host bits set; they are masked", name,
			list.masked, list.n);
	ng_prefix_list_free(&list);
	free(text);
	return rc;
}
