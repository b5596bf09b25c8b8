// SPDX-License-Identifier: GPL-2.0-only
/* Files of prefixes. */
#include "ctl/policy/prefix_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int keep(struct ng_prefix_list *list, const struct ng_line *entry, size_t *room)
{
	if (list->n == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct ng_line *bigger = realloc(list->entry, more * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		list->entry = bigger;
		*room = more;
	}
	list->entry[list->n++] = *entry;
	return 0;
}

static void keep_bad(struct ng_prefix_list *list, unsigned int line, const char *text, size_t len,
		     const struct ng_bad_word *bad)
{
	if (list->bad_lines < NG_BAD_LINES_MAX)
		list->bad[list->bad_lines] = (struct ng_bad_line){ line, text, len, *bad };
	list->bad_lines++;
}

/* Finds the word of a line: *at and *end. False: there is none. */
static bool find_word(const char *text, size_t len, size_t *at, size_t *end)
{
	size_t i = 0, stop = 0;

	while (stop < len && text[stop] != '#' && text[stop] != ';')
		stop++;
	while (i < stop && is_blank(text[i]))
		i++;
	*at = i;
	while (i < stop && !is_blank(text[i]))
		i++;
	*end = i;
	return *end > *at;
}

/* What follows the word in front of a comment must be blank. */
static bool find_rest(const char *text, size_t len, size_t *at)
{
	while (*at < len && is_blank(text[*at]))
		++*at;
	return *at < len && text[*at] != '#' && text[*at] != ';';
}

static int parse_line(struct ng_prefix_list *list, unsigned int line, const char *text, size_t len,
		      size_t *room)
{
	struct ng_line entry = { .line = line };
	struct ng_bad_word bad = { 0 };
	bool masked = false;
	size_t at, end;

	if (!find_word(text, len, &at, &end))
		return 0;
	if (ng_prefix_parse(text + at, end - at, &entry.prefix, &masked, &bad)) {
		bad.at += at;
		keep_bad(list, line, text, len, &bad);
		return 0;
	}
	if (find_rest(text, len, &end)) {
		bad.at = end;
		snprintf(bad.what, sizeof(bad.what),
			 "one prefix a line; a comment starts with # or ;");
		keep_bad(list, line, text, len, &bad);
		return 0;
	}
	list->masked += masked;
	return keep(list, &entry, room);
}

int ng_prefix_list_parse(const char *text, size_t len, struct ng_prefix_list *list)
{
	const char *p = text, *end = text + len;
	size_t room = 0;
	unsigned int line = 0;
	int err = 0;

	*list = (struct ng_prefix_list){ 0 };
	if (len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	while (p < end && !err) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol ? eol : end) - p);

		if (n && p[n - 1] == '\r')
			err = parse_line(list, ++line, p, n - 1, &room);
		else
			err = parse_line(list, ++line, p, n, &room);
		p += n + 1;
	}
	return !err && list->bad_lines ? -EINVAL : err;
}

void ng_prefix_list_free(struct ng_prefix_list *list)
{
	free(list->entry);
	list->entry = NULL;
	list->n = 0;
}
