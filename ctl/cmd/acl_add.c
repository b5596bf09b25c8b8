// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl add, import and replace: one clause, those of a file, a whole table; all or none. */
#include <errno.h>
#include <stdlib.h>

#include "ctl/cmd/acl.h"
#include "maps/counters.h"

static void show_one(struct ng_out *out, const struct ng_acl_call *c,
		     const struct ng_acl_words *words, const struct ng_acl_items *items,
		     const struct ng_acl_change *done)
{
	const char *what = done->added ? "added" : done->changed ? "changed" : "unchanged";
	char text[NG_ACL_KEY_TEXT];

	ng_acl_key_format(words->dir, &items->item[words->dir][0].key, text);
	ng_out_text(out, "%s: %s %s: %s\n", c->link.name, ng_verdict_name[words->verdict], text,
		    what);
}

static int show_change(struct ng_acl_call *c, const struct ng_acl_words *words,
		       const struct ng_acl_items *items, const struct ng_acl_change *done,
		       struct ng_error *err)
{
	struct ng_out *out = ng_acl_out_begin(c, err);

	if (!out)
		return -ENOMEM;
	ng_out_u64(out, "added", NULL, done->added);
	ng_out_u64(out, "changed", NULL, done->changed);
	ng_out_u64(out, "unchanged", NULL, done->unchanged);
	ng_out_u64(out, "deleted", NULL, done->deleted);
	if (c->replaces)
		ng_out_text(out, "%s: +%zu -%zu =%zu%s", c->link.name, done->added, done->deleted,
			    done->unchanged, done->changed ? "" : "\n");
	else if (words->list || words->is_range)
		ng_out_text(out, "%s: %zu added, %zu changed, %zu unchanged\n", c->link.name,
			    done->added, done->changed, done->unchanged);
	else
		show_one(out, c, words, items, done);
	if (c->replaces && done->changed)
		ng_out_text(out, " (%zu with another verdict, timeout or comment)\n",
			    done->changed);
	return ng_acl_out_end(out, err);
}

/* A feed that broke off must not open a door: an empty table, or one that lost more than half. */
static int check_feed(const struct ng_acl_call *c, const struct ng_acl_items *items, int dir,
		      struct ng_error *err)
{
	size_t had = c->gate[dir]->maps.acl.head->clause.used, now = items->n[dir];
	enum ng_feed feed = ng_feed_check(had, now);

	if (c->force || feed == NG_FEED_GOOD)
		return 0;
	if (feed == NG_FEED_EMPTY)
		ng_err(err, NG_EXIT_FAILED, 0, c->link.name,
		       "refused, the new table is empty (there %s %zu entr%s)",
		       had == 1 ? "is" : "are", had, had == 1 ? "y" : "ies");
	else
		ng_err(err, NG_EXIT_FAILED, 0, c->link.name,
		       "refused, of %zu entries only %zu would be left", had, now);
	ng_err_why(err, "a file that broke off looks like that");
	ng_err_try(err, "the same with --force, if that is what you want");
	return -EPERM;
}

/* Which directions a command is about: those that it or the file names, else the words' own. */
static bool concerns(const struct ng_acl_words *words, const struct ng_acl_items *items, int dir)
{
	return items->n[dir] || (dir == (int)words->dir && (ng_acl_has(words, NG_ACL_DIR) ||
							    !items->n[NG_IN + NG_OUT - dir]));
}

/* Everything that can refuse comes before anything is changed. */
static int check_all(struct ng_acl_call *c, const struct ng_acl_words *words,
		     const struct ng_acl_items *items, struct ng_error *err)
{
	int rc = 0;

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		if (!concerns(words, items, dir))
			continue;
		rc = ng_acl_call_open(c, dir, err);
		if (!rc)
			rc = ng_acl_check_guards(c, items, dir, err);
		if (!rc && c->replaces)
			rc = check_feed(c, items, dir, err);
	}
	return rc;
}

static int change_all(struct ng_acl_call *c, const struct ng_acl_words *words,
		      struct ng_acl_items *items, struct ng_error *err)
{
	struct ng_acl_change done = { 0 };
	int rc = ng_acl_call_begin(c, err), dir;

	if (!rc)
		rc = check_all(c, words, items, err);
	dir = c->gate[NG_IN] ? NG_IN : NG_OUT;
	if (!rc && (c->replaces || (c->gate[NG_IN] && c->gate[NG_OUT])))
		rc = ng_acl_call_remake(c, items, !c->replaces, &done, err);
	else if (!rc)
		rc = ng_gate_acl_add(c->gate[dir], items->item[dir], items->n[dir], &done, err);
	return rc ? rc : show_change(c, words, items, &done, err);
}

static int run(struct ng_acl_call *c, enum ng_acl_form form, struct ng_error *err)
{
	struct ng_acl_items items = { 0 };
	struct ng_acl_words words;
	struct ng_bad_word bad;
	int rc = ng_acl_words_parse(form, c->argc - 3, c->argv + 3, &words, &bad);

	if (rc)
		return ng_acl_call_bad_word(c, 3, &bad, err);
	ng_acl_warn_masked(&words);
	rc = words.list ? ng_acl_items_read(c, &words, &items, err)
			: ng_acl_items_of(&words, &items, err);
	if (!rc)
		rc = change_all(c, &words, &items, err);
	ng_acl_items_free(&items);
	return rc;
}

int ng_acl_run_add(struct ng_acl_call *c, struct ng_error *err)
{
	return run(c, NG_ACL_FORM_ADD, err);
}

int ng_acl_run_import(struct ng_acl_call *c, struct ng_error *err)
{
	c->file_decides = true;
	return run(c, NG_ACL_FORM_FILE, err);
}

int ng_acl_run_replace(struct ng_acl_call *c, struct ng_error *err)
{
	c->file_decides = c->replaces = true;
	return run(c, NG_ACL_FORM_FILE, err);
}
