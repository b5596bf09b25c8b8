// SPDX-License-Identifier: GPL-2.0-only
/* Reads tables of nicgate's own words: clauses of `acl add`, one a line, among plain prefixes. */
#include <string.h>

#include "ctl/base/words.h"
#include "ctl/policy/acl_words.h"
#include "ctl/policy/table_reader.h"

#define WORDS_MAX 24 /* a clause has 12 at most */

/* A ; begins a comment at the start of a word, outside quotes, as # does. */
static void end_at_semicolon(char *line)
{
	char quote = '\0';
	bool start = true;

	for (char *p = line; *p; p++) {
		if (*p == ';' && start && !quote) {
			*p = '\0';
			return;
		}
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		else if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? '\0' : *p;
		start = *p == ' ' || *p == '\t';
	}
}

static void refuse_split(struct ng_reader *r, const struct ng_span *line, int why, size_t at)
{
	if (why == NG_SPLIT_QUOTE)
		ng_reader_refuse(r, line->at + at, 1, "this quote is not closed");
	else
		ng_reader_refuse(r, line->at + at, line->len - at, "too many words");
}

static void refuse_word(struct ng_reader *r, const struct ng_span *line, const char *copy,
			char *const *word, int n, struct ng_bad_word *bad)
{
	if (bad->word >= n) {
		bad->at = line->len;
	} else {
		if (!bad->len)
			bad->len = strlen(word[bad->word] + bad->at);
		bad->at += (size_t)(word[bad->word] - copy);
	}
	ng_reader_bad(r, line->at, bad);
}

static void read_line(struct ng_reader *r, const struct ng_span *line)
{
	char copy[NG_TABLE_LINE_MAX + 1], *word[WORDS_MAX];
	struct ng_acl_words said;
	struct ng_bad_word bad = { 0 };
	struct ng_entry e;
	size_t n, at;
	int err;

	memcpy(copy, line->at, line->len);
	copy[line->len] = '\0';
	end_at_semicolon(copy);
	err = ng_words_split(copy, word, WORDS_MAX, &n, &at);
	if (err) {
		refuse_split(r, line, err, at);
		return;
	}
	if (!n)
		return;
	if (ng_acl_words_parse(NG_ACL_FORM_LINE, (int)n, word, &said, &bad)) {
		refuse_word(r, line, copy, word, (int)n, &bad);
		return;
	}
	if (said.comment)
		said.comment = ng_reader_keep(r, said.comment, said.comment_len);
	e = ng_reader_said(r, line->at + (word[0] - copy), &said);
	ng_reader_add_words(r, &e, e.at, line->len - (size_t)(e.at - line->at));
}

void ng_read_words(struct ng_reader *r)
{
	const char *next = r->text;
	struct ng_span line;

	while (!r->no_memory && ng_reader_line(r, &next, &line))
		read_line(r, &line);
}
