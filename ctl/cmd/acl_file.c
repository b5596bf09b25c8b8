// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl: the clauses that words or a file mean, by direction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/base/file.h"
#include "ctl/cmd/acl.h"
#include "maps/counters.h"
#include "maps/jiffies.h"

#define FILE_SIZE_MAX (256u << 20)
#define MARK	      "\xef\xbb\xbf" /* of UTF-8 */

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
static int bad_table(const struct ng_acl_call *c, const char *name, const struct ng_table *table,
		     struct ng_error *err)
{
	size_t shown = table->bad_lines < NG_BAD_LINES_MAX ? table->bad_lines : NG_BAD_LINES_MAX;

	for (size_t i = 0; i + 1 < shown && !c->global->json; i++) {
		struct ng_error e;

		fill_line_error(name, &table->bad[i], &e);
		ng_err_show(&e, false, false);
	}
	fill_line_error(name, &table->bad[c->global->json ? 0 : shown - 1], err);
	for (size_t i = 1; i < shown && c->global->json; i++)
		ng_err_why(err, "%s:%u:%zu: %s", name, table->bad[i].line, table->bad[i].bad.at + 1,
			   table->bad[i].bad.what);
	ng_err_why(err, "%zu bad line%s in %s; nothing was changed", table->bad_lines,
		   table->bad_lines == 1 ? "" : "s", name);
	if (!table->broken)
		ng_err_try(err, "--skip-bad reads the rest");
	return -EINVAL;
}

static void note_counts(const char *name, const struct ng_table *table)
{
	const struct ng_table_counts *n = &table->count;

	if (table->format != NG_TABLE_CIDR)
		ng_note("%s: read as %s", name, ng_table_format_name[table->format]);
	if (n->masked)
		ng_warn("%s: %zu of %zu prefixes had host bits set; they are masked", name,
			n->masked, table->n + n->duplicates);
	if (n->skipped)
		ng_warn("%s: %zu bad line%s skipped, the first is line %u: %s", name, n->skipped,
			n->skipped == 1 ? "" : "s", table->bad[0].line, table->bad[0].bad.what);
	if (n->trailing)
		ng_note("%s: %zu line%s words behind the prefix, which are not read", name,
			n->trailing, n->trailing == 1 ? " has" : "s have");
	if (n->duplicates)
		ng_note("%s: %zu entr%s there more than once", name, n->duplicates,
			n->duplicates == 1 ? "y stands" : "ies stand");
	if (n->sets_left)
		ng_warn("%s: %zu set%s left out: no set of addresses, or not asked for", name,
			n->sets_left, n->sets_left == 1 ? "" : "s");
}

/* Where an item stands, with its line. */
static void item_at(struct ng_error *err, const char *name, const char *text,
		    const struct ng_table_item *item)
{
	if (!strncmp(text, MARK, strlen(MARK)))
		text += strlen(MARK);
	for (unsigned int line = 1; line < item->line && strchr(text, '\n'); line++)
		text = strchr(text, '\n') + 1;
	ng_err_at(err, name, item->line, item->column, text, strcspn(text, "\r\n"));
}

static int missing_verdict(const char *name, const char *text, const struct ng_table_item *item,
			   struct ng_error *err)
{
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "no verdict");
	item_at(err, name, text, item);
	ng_err_why(err, "the line says none, and no other was given");
	ng_err_try(err, "a verdict before the file's name: pass, drop or count");
	return -EINVAL;
}

static int check_set(const struct ng_acl_call *c, const char *name, const struct ng_table *table,
		     struct ng_error *err)
{
	if (!c->set || table->format == NG_TABLE_IPSET || table->format == NG_TABLE_NFT ||
	    table->format == NG_TABLE_NFT_JSON)
		return 0;
	ng_err(err, NG_EXIT_USAGE, 0, name, "--set: there are no sets in %s",
	       ng_table_format_name[table->format]);
	ng_err_try(err, "the output of ipset save, nft list set or nft -j list set");
	return -EINVAL;
}

/* The words of `acl add` are not defaults: a line that says something else is a mistake. */
static int check_said(const struct ng_acl_words *words, const char *name, const char *text,
		      const struct ng_table *table, struct ng_error *err)
{
	char prefix[NG_PREFIX_TEXT];

	for (size_t i = 0; i < table->n; i++) {
		const struct ng_table_item *it = &table->item[i];

		if (it->verdict == words->verdict && it->dir == words->dir)
			continue;
		ng_prefix_format(&it->key.prefix, prefix);
		ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s is not '%s %s'", prefix,
		       ng_verdict_name[words->verdict], ng_dir_name[words->dir]);
		item_at(err, name, text, it);
		ng_err_why(err, "the file says another verdict or direction than the command");
		ng_err_try(err, "acl import: there the file decides");
		return -EINVAL;
	}
	return 0;
}

/* A file of addresses with half the Internet in it is a mistake more often than not. */
static int check_wide(const struct ng_acl_call *c, const char *name, const char *text,
		      const struct ng_table *table, struct ng_error *err)
{
	char prefix[NG_PREFIX_TEXT];
	const struct ng_table_item *wide;
	size_t n;

	wide = c->force ? NULL : ng_table_wide(table->item, table->n, &n);
	if (!wide)
		return 0;
	ng_prefix_format(&wide->key.prefix, prefix);
	ng_err(err, NG_EXIT_FAILED, 0, NULL, "%s: refused, that is a very wide prefix", prefix);
	item_at(err, name, text, wide);
	ng_err_why(err, "%zu in the file %s shorter than /8 (IPv4) or /16 (IPv6)", n,
		   n == 1 ? "is" : "are");
	ng_err_try(err, "the same with --force, if that is what you want");
	return -EPERM;
}

static int deadline_of(struct ng_acl_items *items, __u32 timeout, __u64 *deadline)
{
	int rc = 0;

	*deadline = 0;
	if (!timeout)
		return 0;
	if (!items->now)
		rc = ng_jiffies_once(&items->now);
	if (!rc)
		*deadline = items->now + (__u64)timeout * ng_hz();
	return rc;
}

/* Comments are not terminated in a table: copied one behind the other. */
static size_t notes_size(const struct ng_table *table)
{
	size_t size = 1;

	for (size_t i = 0; i < table->n; i++)
		size += table->item[i].comment_len + 1u;
	return size;
}

static int take_table(const struct ng_table *table, const char *name, const char *text,
		      struct ng_acl_items *items, struct ng_error *err)
{
	__u32 now = (__u32)time(NULL);
	char *note = items->notes = malloc(notes_size(table));
	int rc = note ? 0 : -ENOMEM;

	for (int dir = 0; !rc && dir < NG_DIR_MAX; dir++) {
		items->item[dir] = malloc((table->n + 1) * sizeof(*items->item[dir]));
		rc = items->item[dir] ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !rc && i < table->n; i++) {
		const struct ng_table_item *from = &table->item[i];
		struct ng_acl_item *to = &items->item[from->dir][items->n[from->dir]++];

		if (from->verdict >= NG_CLAUSE_VERDICT_MAX)
			return missing_verdict(name, text, from, err);
		*to = (struct ng_acl_item){
			.key = from->key,
			.verdict = from->verdict,
			.timeout = from->timeout_s,
			.added = now,
		};
		rc = deadline_of(items, from->timeout_s, &to->deadline);
		if (!from->comment_len)
			continue;
		to->note = memcpy(note, from->comment, from->comment_len);
		note[from->comment_len] = '\0';
		note += from->comment_len + 1u;
	}
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, name, "cannot be read") : 0;
}

int ng_acl_items_read(const struct ng_acl_call *c, const struct ng_acl_words *words,
		      struct ng_acl_items *items, struct ng_error *err)
{
	const struct ng_table_options options = {
		.format = c->format, .words = words, .set = c->set, .skip_bad = c->skip_bad
	};
	const char *name = strcmp(words->list, "-") ? words->list : "stdin";
	struct ng_table table = { 0 };
	char *text = NULL;
	size_t len = 0;
	int rc = ng_read_file(words->list, FILE_SIZE_MAX, &text, &len, err);

	if (rc)
		return rc;
	rc = ng_table_read(text, len, &options, &table);
	if (rc == -EINVAL)
		bad_table(c, name, &table, err);
	else if (rc)
		ng_err(err, NG_EXIT_FAILED, -rc, name, "cannot be read");
	else
		note_counts(name, &table);
	if (!rc)
		rc = check_set(c, name, &table, err);
	if (!rc && !c->file_decides)
		rc = check_said(words, name, text, &table, err);
	if (!rc)
		rc = check_wide(c, name, text, &table, err);
	if (!rc)
		rc = take_table(&table, name, text, items, err);
	ng_table_free(&table);
	free(text);
	return rc;
}

/* A range is several prefixes. */
int ng_acl_items_of(const struct ng_acl_words *words, struct ng_acl_items *items,
		    struct ng_error *err)
{
	struct ng_prefix prefix = words->key.prefix;
	struct ng_range range = words->range;
	size_t n = 0, room = words->is_range ? 256 : 1;
	struct ng_acl_item *item = calloc(room, sizeof(*item)), first = { 0 };
	int rc = item ? deadline_of(items, words->timeout_s, &first.deadline) : -ENOMEM;

	items->item[words->dir] = item;
	items->notes = words->comment ? strndup(words->comment, words->comment_len) : NULL;
	if (!rc && words->comment && !items->notes)
		rc = -ENOMEM;
	first.verdict = words->verdict;
	first.timeout = words->timeout_s;
	first.added = (__u32)time(NULL);
	first.note = items->notes;
	while (!rc && n < room && (!words->is_range || ng_range_next(&range, &prefix))) {
		item[n] = first;
		item[n++].key = ng_acl_words_key(words, &prefix);
	}
	items->n[words->dir] = n;
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, NULL, "the entry cannot be made") : 0;
}

void ng_acl_items_free(struct ng_acl_items *items)
{
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		free(items->item[dir]);
	free(items->notes);
}
