// SPDX-License-Identifier: GPL-2.0-only
/* What the readers of all formats share: entries to items, places in the text, bad lines. */
#include "ctl/policy/table_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ng_reader_place(struct ng_reader *r, const char *at, unsigned int *line, unsigned int *column)
{
	const char *eol;

	if (at < r->line_at) {
		r->line_at = r->seen = r->text;
		r->line = 1;
	}
	while (at > r->seen && (eol = memchr(r->seen, '\n', (size_t)(at - r->seen)))) {
		r->line_at = r->seen = eol + 1;
		r->line++;
	}
	if (at > r->seen)
		r->seen = at;
	*line = r->line;
	*column = (unsigned int)(at - r->line_at) + 1;
}

void ng_reader_bad(struct ng_reader *r, const char *from, const struct ng_bad_word *bad)
{
	struct ng_table *t = r->table;
	struct ng_bad_line *b;
	unsigned int column;
	const char *eol;

	r->last = NULL;
	if (t->bad_lines++ >= NG_BAD_LINES_MAX)
		return;
	b = &t->bad[t->bad_lines - 1];
	b->bad = *bad;
	ng_reader_place(r, from + bad->at, &b->line, &column);
	b->bad.at = column - 1;
	b->text = r->line_at;
	eol = memchr(b->text, '\n', (size_t)(r->end - b->text));
	b->len = (size_t)((eol ? eol : r->end) - b->text);
	if (b->len && b->text[b->len - 1] == '\r')
		b->len--;
	if (b->bad.at + b->bad.len > b->len)
		b->bad.len = b->bad.at < b->len ? b->len - b->bad.at : 0;
	r->last = &b->bad;
}

__attribute__((format(printf, 4, 0))) static void report(struct ng_reader *r, const char *at,
							 size_t len, const char *fmt, va_list ap)
{
	struct ng_bad_word bad = { .len = len };

	vsnprintf(bad.what, sizeof(bad.what), fmt, ap);
	ng_reader_bad(r, at, &bad);
}

void ng_reader_refuse(struct ng_reader *r, const char *at, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(r, at, len, fmt, ap);
	va_end(ap);
}

void ng_reader_break(struct ng_reader *r, const char *at, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(r, at, len, fmt, ap);
	va_end(ap);
	r->broken = true;
}

void ng_reader_no_set(struct ng_reader *r)
{
	const char *set = r->options->set;

	if (set)
		ng_reader_break(r, r->text, 0, "no set of addresses is called '%s' in this text",
				set);
	else
		ng_reader_break(r, r->text, 0, "no set of addresses is in this text");
}

void ng_reader_hint(struct ng_reader *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->last)
		return;
	va_start(ap, fmt);
	vsnprintf(r->last->hint, sizeof(r->last->hint), fmt, ap);
	va_end(ap);
}

void ng_reader_why(struct ng_reader *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->last)
		return;
	va_start(ap, fmt);
	vsnprintf(r->last->why, sizeof(r->last->why), fmt, ap);
	va_end(ap);
}

void ng_reader_choice(struct ng_reader *r, const char *word, size_t len, const char *const *valid)
{
	char copy[64];

	if (!r->last)
		return;
	snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
	ng_bad_choice(r->last, copy, valid);
}

char *ng_reader_keep(struct ng_reader *r, const char *text, size_t len)
{
	char *copy = ng_arena_copy(&r->table->arena, text, len);

	r->no_memory |= !copy;
	return copy;
}

struct ng_entry ng_reader_entry(const struct ng_reader *r, const char *at)
{
	return (struct ng_entry){ .at = at, .words = r->words };
}

struct ng_entry ng_reader_said(const struct ng_reader *r, const char *at,
			       const struct ng_acl_words *said)
{
	struct ng_entry e = { at, ng_acl_has(said, NG_ACL_VERDICT), *said };
	struct ng_acl_words *w = &e.words;
	const struct ng_acl_words *d = &r->words;

	if (!e.has_verdict)
		w->verdict = d->verdict;
	if (!ng_acl_has(said, NG_ACL_DIR))
		w->dir = d->dir;
	if (!ng_acl_has(said, NG_ACL_SIDE))
		w->key.side = d->key.side;
	if (!ng_acl_has(said, NG_ACL_PROTO) && !ng_acl_has(said, NG_ACL_PORT)) {
		w->icmp = d->icmp;
		w->key.any_proto = d->key.any_proto;
		w->key.any_port = d->key.any_port;
		w->key.proto = d->key.proto;
		w->key.port_lo = d->key.port_lo;
		w->key.port_hi = d->key.port_hi;
	}
	if (!ng_acl_has(said, NG_ACL_TIMEOUT))
		w->timeout_s = d->timeout_s;
	if (!ng_acl_has(said, NG_ACL_COMMENT)) {
		w->comment = d->comment;
		w->comment_len = d->comment_len;
	}
	return e;
}

static bool make_room(struct ng_reader *r)
{
	struct ng_table *t = r->table;
	size_t more = r->room ? r->room * 2 : (size_t)(r->end - r->text) / 16 + 64;
	struct ng_table_item *bigger = realloc(t->item, more * sizeof(*bigger));

	if (!bigger) {
		r->no_memory = true;
		return false;
	}
	t->item = bigger;
	r->room = more;
	return true;
}

static void push(struct ng_reader *r, const struct ng_entry *e, const struct ng_prefix *prefix)
{
	const struct ng_acl_words *w = &e->words;
	struct ng_table_item *item;

	if (r->table->n == r->room && !make_room(r))
		return;
	item = &r->table->item[r->table->n++];
	item->key = ng_acl_words_key(w, prefix);
	item->dir = w->dir;
	item->verdict = w->verdict;
	item->has_verdict = e->has_verdict;
	item->timeout_s = w->timeout_s;
	item->comment = w->comment;
	item->comment_len = (__u8)w->comment_len;
	ng_reader_place(r, e->at, &item->line, &item->column);
}

static void push_range(struct ng_reader *r, const struct ng_entry *e, struct ng_range range)
{
	struct ng_prefix p;

	r->table->count.ranges++;
	while (ng_range_next(&range, &p)) {
		push(r, e, &p);
		r->table->count.range_prefixes++;
	}
}

/* Whether the entry's protocol and port are ones for a family. */
static bool fits(struct ng_reader *r, const struct ng_entry *e, enum ng_family family,
		 const char *at, size_t len)
{
	enum ng_acl_field field;
	struct ng_bad_word bad = { 0 };

	if ((e->words.key.any_proto && e->words.key.any_port) ||
	    !ng_acl_fields_check(&e->words, family, &field, &bad))
		return true;
	bad.len = len;
	ng_reader_bad(r, at, &bad);
	return false;
}

bool ng_reader_add_words(struct ng_reader *r, const struct ng_entry *e, const char *at, size_t len)
{
	const struct ng_acl_words *w = &e->words;

	if (!fits(r, e, w->is_range ? w->range.family : w->key.prefix.family, at, len))
		return false;
	if (w->is_range) {
		push_range(r, e, w->range);
		return true;
	}
	r->table->count.masked += w->masked;
	push(r, e, &w->key.prefix);
	return true;
}

bool ng_reader_add(struct ng_reader *r, const struct ng_entry *e, const char *text, size_t len)
{
	struct ng_bad_word bad = { 0 };
	struct ng_range range;
	struct ng_prefix p;
	bool masked = false, is_range = memchr(text, '-', len);

	if (is_range ? ng_range_parse(text, len, &range, &bad)
		     : ng_prefix_parse(text, len, &p, &masked, &bad)) {
		if (!bad.len)
			bad.len = len - bad.at;
		ng_reader_bad(r, text, &bad);
		return false;
	}
	if (!fits(r, e, is_range ? range.family : p.family, text, len))
		return false;
	r->table->count.masked += masked;
	if (is_range)
		push_range(r, e, range);
	else
		push(r, e, &p);
	return true;
}

bool ng_reader_line(struct ng_reader *r, const char **next, struct ng_span *line)
{
	while (*next < r->end) {
		const char *at = *next, *eol = memchr(at, '\n', (size_t)(r->end - at));
		size_t len = (size_t)((eol ? eol : r->end) - at);

		*next = at + len + 1;
		if (len && at[len - 1] == '\r')
			len--;
		*line = (struct ng_span){ at, len };
		if (len <= NG_TABLE_LINE_MAX)
			return true;
		ng_reader_refuse(r, at + NG_TABLE_LINE_MAX, 1, "a line of %zu bytes", len);
		ng_reader_why(r, "a line has at most %d", NG_TABLE_LINE_MAX);
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool ng_span_word(const char **at, const char *end, struct ng_span *word)
{
	const char *p = *at;

	while (p < end && is_blank(*p))
		p++;
	word->at = p;
	while (p < end && !is_blank(*p))
		p++;
	word->len = (size_t)(p - word->at);
	*at = p;
	return word->len;
}

bool ng_span_is(const struct ng_span *s, const char *word)
{
	return strlen(word) == s->len && !memcmp(s->at, word, s->len);
}
