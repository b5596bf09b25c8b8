// SPDX-License-Identifier: GPL-2.0-only
/* Reads comma-separated values: a line of column names, quoting as in RFC 4180. */
#include <string.h>

#include "ctl/policy/table_reader.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define COLUMNS_MAX 32

static const struct {
	const char *name;
	int field; /* enum ng_acl_field; -1: not read */
} names[] = {
	{ "verdict", NG_ACL_VERDICT },
	{ "dir", NG_ACL_DIR },
	{ "direction", NG_ACL_DIR },
	{ "side", NG_ACL_SIDE },
	{ "prefix", NG_ACL_PREFIX },
	{ "proto", NG_ACL_PROTO },
	{ "port", NG_ACL_PORT },
	{ "timeout", NG_ACL_TIMEOUT },
	{ "comment", NG_ACL_COMMENT },
	{ "packets", -1 },
	{ "bytes", -1 },
};

struct csv {
	struct ng_reader *r;
	int field[COLUMNS_MAX];
	size_t columns;
};

struct cell {
	const char *at;	     /* in the text; a quote is before it */
	struct ng_span text; /* unquoted */
};

static bool refuse_quote(struct ng_reader *r, const char *at)
{
	ng_reader_refuse(r, at, 1, "this quote is not closed");
	ng_reader_why(r, "a cell ends on the line where it begins");
	return false;
}

/* Behind the opening quote; "" is one. *at moves behind the closing one. */
static bool read_quoted(struct ng_reader *r, const char **at, const char *end, struct cell *cell)
{
	char copy[NG_TABLE_LINE_MAX];
	const char *p = *at;
	size_t n = 0;
	bool twice = false;

	cell->at = p;
	for (; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
		twice |= *p == '"';
		p += *p == '"';
		copy[n++] = *p;
	}
	if (p == end)
		return refuse_quote(r, *at - 1);
	cell->text = (struct ng_span){ cell->at, n };
	if (twice)
		cell->text.at = ng_reader_keep(r, copy, n);
	*at = p + 1;
	if (*at < end && **at != ',') {
		ng_reader_refuse(r, *at, 1, "a comma is missing behind the closing quote");
		ng_reader_hint(r, "a quote within a cell is written twice");
		return false;
	}
	return cell->text.at;
}

/* Takes a cell and the comma behind it; *more: there was one. */
static bool read_cell(struct ng_reader *r, const char **at, const char *end, struct cell *cell,
		      bool *more)
{
	const char *p = *at;

	if (p < end && *p == '"') {
		++*at;
		if (!read_quoted(r, at, end, cell))
			return false;
	} else {
		while (p < end && *p != ',' && *p != '"')
			p++;
		if (p < end && *p == '"') {
			ng_reader_refuse(r, p, 1, "a quote within a cell that has none around it");
			return false;
		}
		*cell = (struct cell){ *at, { *at, (size_t)(p - *at) } };
		*at = p;
	}
	*more = *at < end;
	*at += *more;
	return true;
}

static bool read_name(struct csv *c, const struct cell *cell)
{
	static const char *const valid[] = { "verdict", "dir",	   "side",    "prefix", "proto",
					     "port",	"timeout", "comment", NULL };
	size_t i = 0;

	while (i < COUNT(names) && !ng_span_is(&cell->text, names[i].name))
		i++;
	if (i == COUNT(names)) {
		ng_reader_break(c->r, cell->at, cell->text.len, "unknown column '%.*s'",
				(int)cell->text.len, cell->text.at);
		ng_reader_choice(c->r, cell->text.at, cell->text.len, valid);
		return false;
	}
	for (size_t k = 0; k < c->columns; k++)
		if (names[i].field >= 0 && c->field[k] == names[i].field) {
			ng_reader_break(c->r, cell->at, cell->text.len,
					"column '%s' is there twice", names[i].name);
			return false;
		}
	if (c->columns == COLUMNS_MAX) {
		ng_reader_break(c->r, cell->at, cell->text.len, "too many columns");
		return false;
	}
	c->field[c->columns++] = names[i].field;
	return true;
}

static bool read_head(struct csv *c, const struct ng_span *line)
{
	const char *at = line->at, *end = at + line->len;
	struct cell cell;
	bool more = true;

	while (more)
		if (!read_cell(c->r, &at, end, &cell, &more) || !read_name(c, &cell)) {
			c->r->broken = true;
			return false;
		}
	for (size_t i = 0; i < c->columns; i++)
		if (c->field[i] == NG_ACL_PREFIX)
			return true;
	ng_reader_break(c->r, line->at, line->len, "no column is named 'prefix'");
	ng_reader_hint(c->r, "a first line: verdict,dir,side,prefix,proto,port,timeout,comment");
	return false;
}

static bool read_field(struct csv *c, const struct cell *cell, int field, struct ng_acl_words *said)
{
	struct ng_bad_word bad = { 0 };

	if (field < 0 || !cell->text.len)
		return true;
	if (!ng_acl_field_read(said, field, cell->text.at, cell->text.len, &bad))
		return true;
	if (!bad.len)
		bad.len = cell->text.len - bad.at;
	ng_reader_bad(c->r, cell->at, &bad);
	return false;
}

static bool refuse_cells(struct csv *c, const char *at, const char *what)
{
	ng_reader_refuse(c->r, at, 0, "%s: the first line names %zu columns", what, c->columns);
	return false;
}

/* All cells of a line; *prefix is the one that says which. */
static bool read_cells(struct csv *c, const struct ng_span *line, struct ng_acl_words *said,
		       struct cell *prefix)
{
	const char *at = line->at, *end = at + line->len;
	bool more = true;

	for (size_t i = 0; i < c->columns; i++) {
		struct cell cell;

		if (!more)
			return refuse_cells(c, end, "cells are missing");
		if (!read_cell(c->r, &at, end, &cell, &more) ||
		    !read_field(c, &cell, c->field[i], said))
			return false;
		if (c->field[i] == NG_ACL_PREFIX)
			*prefix = cell;
	}
	return more ? refuse_cells(c, at, "too many cells") : true;
}

static void read_row(struct csv *c, const struct ng_span *line)
{
	struct ng_acl_words said = ng_acl_words_none();
	struct cell prefix = { 0 };
	struct ng_entry e;

	if (!read_cells(c, line, &said, &prefix))
		return;
	if (!ng_acl_has(&said, NG_ACL_PREFIX)) {
		ng_reader_refuse(c->r, prefix.at, 0, "the prefix is missing");
		return;
	}
	e = ng_reader_said(c->r, prefix.at, &said);
	ng_reader_add_words(c->r, &e, prefix.at, prefix.text.len);
}

void ng_read_csv(struct ng_reader *r)
{
	struct csv c = { .r = r };
	const char *next = r->text;
	struct ng_span line;

	while (!r->no_memory && !r->broken && ng_reader_line(r, &next, &line)) {
		if (!line.len || *line.at == '#')
			continue;
		if (c.columns)
			read_row(&c, &line);
		else if (!read_head(&c, &line))
			return;
	}
	if (!c.columns && !r->broken)
		ng_reader_break(r, r->text, 0, "the line that names the columns is missing");
}
