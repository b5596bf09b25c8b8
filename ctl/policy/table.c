// SPDX-License-Identifier: GPL-2.0-only
/* Reading ACL tables: what format it is, and on to its reader; guards of feeds. */
#include "ctl/policy/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/policy/acl_words.h"
#include "ctl/policy/table_reader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WORD_MAX 15 /* no word that tells formats apart is longer */

const char *const ng_table_format_name[] = {
	[NG_TABLE_AUTO] = "auto",   [NG_TABLE_CIDR] = "cidr", [NG_TABLE_WORDS] = "words",
	[NG_TABLE_IPSET] = "ipset", [NG_TABLE_NFT] = "nft",   [NG_TABLE_NFT_JSON] = "nft-json",
	[NG_TABLE_JSON] = "json",   [NG_TABLE_CSV] = "csv",   [NG_TABLE_FORMATS] = NULL,
};
_Static_assert(COUNT(ng_table_format_name) == NG_TABLE_FORMATS + 1, "a name for each format");

static void skip_mark(const char **text, const char *end)
{
	if (end - *text >= 3 && !memcmp(*text, "\xef\xbb\xbf", 3))
		*text += 3;
}

static bool take_line(const char **next, const char *end, struct ng_span *line)
{
	const char *at = *next, *eol;

	if (at >= end)
		return false;
	eol = memchr(at, '\n', (size_t)(end - at));
	*line = (struct ng_span){ at, (size_t)((eol ? eol : end) - at) };
	*next = at + line->len + 1;
	return true;
}

static bool short_word(const struct ng_span *s, char word[WORD_MAX + 1])
{
	if (s->len > WORD_MAX)
		return false;
	memcpy(word, s->at, s->len);
	word[s->len] = '\0';
	return true;
}

/* A line of nicgate's own words, wherever in the text: no other format by lines has one. */
static bool is_words_line(const struct ng_span *line)
{
	const char *at = line->at, *end = at + line->len;
	struct ng_span word;
	char copy[WORD_MAX + 1];

	if (!ng_span_word(&at, end, &word) || *word.at == '#' || *word.at == ';')
		return false;
	if (*word.at > '9' && short_word(&word, copy) && ng_acl_word_leads(copy))
		return true;
	return at < end && ng_span_word(&at, end, &word) && short_word(&word, copy) &&
	       ng_acl_word_follows(copy);
}

static bool has_words_line(const char *text, const char *end)
{
	struct ng_span line;

	while (take_line(&text, end, &line))
		if (is_words_line(&line))
			return true;
	return false;
}

/* A cell of the first line, which names columns, is "prefix". */
static bool is_csv_head(const struct ng_span *line)
{
	const char *at = line->at, *end = at + line->len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at)),
			   *stop = comma ? comma : end;
		struct ng_span cell = { at, (size_t)(stop - at) };

		while (cell.len && strchr(" \t\r\"", cell.at[cell.len - 1]))
			cell.len--;
		while (cell.len && strchr(" \t\"", *cell.at)) {
			cell.at++;
			cell.len--;
		}
		if (ng_span_is(&cell, "prefix"))
			return true;
		at = stop + 1;
	}
	return false;
}

/* What follows the bracket: nft's object has one key of its own. */
static enum ng_table_format detect_json(const char *text, const char *end)
{
	static const char key[] = "\"nftables\"";

	if (*text++ == '[')
		return NG_TABLE_JSON;
	while (text < end && strchr(" \t\r\n", *text))
		text++;
	return (size_t)(end - text) >= sizeof(key) - 1 && !memcmp(text, key, sizeof(key) - 1)
		       ? NG_TABLE_NFT_JSON
		       : NG_TABLE_JSON;
}

enum ng_table_format ng_table_detect(const char *text, size_t len)
{
	const char *end = text + len, *next;
	struct ng_span line, word = { NULL, 0 };

	skip_mark(&text, end);
	next = text;
	while (!word.len && take_line(&next, end, &line)) {
		const char *at = line.at;

		if (ng_span_word(&at, line.at + line.len, &word) && strchr("#;", *word.at))
			word.len = 0;
	}
	if (!word.len)
		return NG_TABLE_CIDR;
	if (*word.at == '{' || *word.at == '[')
		return detect_json(word.at, end);
	if (ng_span_is(&word, "create") || ng_span_is(&word, "add"))
		return NG_TABLE_IPSET;
	if (ng_span_is(&word, "table") || ng_span_is(&word, "flush"))
		return NG_TABLE_NFT;
	if (is_csv_head(&line))
		return NG_TABLE_CSV;
	return has_words_line(text, end) ? NG_TABLE_WORDS : NG_TABLE_CIDR;
}

/* nft and JSON name two forms each; the first bracket says which. */
static enum ng_table_format exact_format(enum ng_table_format asked, const char *text, size_t len)
{
	enum ng_table_format found;

	if (asked != NG_TABLE_AUTO && asked != NG_TABLE_NFT && asked != NG_TABLE_JSON)
		return asked;
	found = ng_table_detect(text, len);
	return asked == NG_TABLE_AUTO || found == NG_TABLE_NFT_JSON ? found : asked;
}

static void read_all(struct ng_reader *r)
{
	static void (*const read[NG_TABLE_FORMATS])(struct ng_reader * r) = {
		[NG_TABLE_CIDR] = ng_read_cidr,	  [NG_TABLE_WORDS] = ng_read_words,
		[NG_TABLE_IPSET] = ng_read_ipset, [NG_TABLE_NFT] = ng_read_nft,
		[NG_TABLE_JSON] = ng_read_json,	  [NG_TABLE_NFT_JSON] = ng_read_nft_json,
		[NG_TABLE_CSV] = ng_read_csv,
	};
	const char *nul = memchr(r->text, '\0', (size_t)(r->end - r->text));

	if (nul) {
		ng_reader_break(r, nul, 1, "a NUL byte: this is not text");
		return;
	}
	read[r->table->format](r);
	if (!r->no_memory)
		ng_reader_fold(r);
}

int ng_table_read(const char *text, size_t len, const struct ng_table_options *options,
		  struct ng_table *table)
{
	struct ng_reader r = { .options = options,
			       .table = table,
			       .text = text,
			       .end = text + len,
			       .words = ng_acl_words_none(),
			       .line = 1 };

	*table = (struct ng_table){ .format = exact_format(options->format, text, len) };
	skip_mark(&r.text, r.end);
	r.line_at = r.seen = r.text;
	if (options->words)
		r.words = *options->words;
	if (!ng_acl_has(&r.words, NG_ACL_VERDICT))
		r.words.verdict = NG_CLAUSE_VERDICT_MAX;
	read_all(&r);
	table->count.skipped = options->skip_bad ? table->bad_lines : 0;
	if (!r.no_memory && !r.broken && (!table->bad_lines || options->skip_bad))
		return 0;
	table->n = 0;
	table->broken = r.broken;
	return r.no_memory ? -ENOMEM : -EINVAL;
}

void ng_table_free(struct ng_table *table)
{
	free(table->item);
	ng_arena_free(table->arena);
	table->item = NULL;
	table->arena = NULL;
	table->n = 0;
}

enum ng_feed ng_feed_check(size_t had, size_t now)
{
	if (!now)
		return NG_FEED_EMPTY;
	return now < had - had / 2 ? NG_FEED_SHRUNK : NG_FEED_GOOD;
}

const struct ng_table_item *ng_table_wide(const struct ng_table_item *item, size_t count, size_t *n)
{
	static const __u8 shortest[] = { [NG_IPV4] = 8, [NG_IPV6] = 16 };
	const struct ng_table_item *first = NULL;

	_Static_assert(COUNT(shortest) == NG_FAMILY_MAX, "both families");
	*n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct ng_prefix *p = &item[i].key.prefix;

		if (p->len >= shortest[p->family])
			continue;
		if (!first)
			first = &item[i];
		++*n;
	}
	return first;
}
