// SPDX-License-Identifier: GPL-2.0-only
/* Reads lists of prefixes and ranges, one a line. */
#include <string.h>

#include "ctl/policy/table_reader.h"

/* Cuts a comment off. */
static size_t without_comment(const struct ng_span *line)
{
	size_t n = 0;

	while (n < line->len && line->at[n] != '#' && line->at[n] != ';')
		n++;
	return n;
}

/* Words behind a prefix do not count, unless they are one more: "A B" may mean a range or both. */
static bool is_prefix(const struct ng_span *word)
{
	struct ng_prefix p;
	struct ng_bad_word bad;
	bool masked;

	return (memchr(word->at, '.', word->len) || memchr(word->at, ':', word->len)) &&
	       !ng_prefix_parse(word->at, word->len, &p, &masked, &bad);
}

static void read_line(struct ng_reader *r, struct ng_entry *e, const struct ng_span *line)
{
	const char *at = line->at, *end = at + without_comment(line);
	struct ng_span word, more;

	if (!ng_span_word(&at, end, &word))
		return;
	if (ng_span_word(&at, end, &more) && is_prefix(&more)) {
		ng_reader_refuse(r, more.at, more.len, "a second prefix on the line");
		ng_reader_hint(r, "one prefix a line; a range is A-B");
		return;
	}
	e->at = word.at;
	if (ng_reader_add(r, e, word.at, word.len))
		r->table->count.trailing += more.len > 0;
}

void ng_read_cidr(struct ng_reader *r)
{
	struct ng_entry e = ng_reader_entry(r, r->text);
	const char *next = r->text;
	struct ng_span line;

	while (!r->no_memory && ng_reader_line(r, &next, &line))
		read_line(r, &e, &line);
}
