// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what `nft list set` and `nft list ruleset` print, see nft(8): the sets of addresses in it.
 * Everything else is passed over, brace by brace.
 */
#include <stdint.h>
#include <string.h>

#include "ctl/base/duration.h"
#include "ctl/policy/table_reader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum token { END, WORD, STRING, LINE, OPEN, CLOSE, COMMA, EQUALS, BROKEN };

struct nft {
	struct ng_reader *r;
	const char *at;	       /* behind the token */
	enum token token;      /* the one read last */
	struct ng_span is;     /* its text, without quotes */
	struct ng_span inside; /* name of the set, for messages */
};

struct set {
	struct ng_span name;
	bool v6, of_addresses, typed;
	uint64_t timeout_ms; /* of elements without */
};

static bool is_word_end(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '{' || c == '}' ||
	       c == ',' || c == ';' || c == '=' || c == '"' || c == '#';
}

static enum token read_string(struct nft *n, const char *p)
{
	const char *end = n->r->end, *close = memchr(p + 1, '"', (size_t)(end - p - 1));
	const char *eol = memchr(p, '\n', (size_t)(end - p));

	if (!close || (eol && eol < close)) {
		ng_reader_break(n->r, p, 1, "this quote is not closed");
		return BROKEN;
	}
	n->is = (struct ng_span){ p + 1, (size_t)(close - p - 1) };
	n->at = close + 1;
	return STRING;
}

static const char *skip_blanks(const struct nft *n)
{
	const char *p = n->at, *end = n->r->end;

	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '#'))
		if (*p++ == '#')
			while (p < end && *p != '\n')
				p++;
	return p;
}

static enum token take(struct nft *n)
{
	static const char single[] = "\n;{},=";
	static const enum token kind[] = { LINE, LINE, OPEN, CLOSE, COMMA, EQUALS };
	const char *p = skip_blanks(n), *end = n->r->end, *one;

	_Static_assert(COUNT(kind) == sizeof(single) - 1, "a kind for each");
	n->is = (struct ng_span){ p, 1 };
	n->at = p;
	if (p == end) {
		n->is.len = 0;
		return END;
	}
	if (*p == '"')
		return read_string(n, p);
	one = memchr(single, *p, sizeof(single) - 1);
	if (one) {
		n->at = p + 1;
		return kind[one - single];
	}
	while (p < end && !is_word_end(*p))
		p++;
	n->is.len = (size_t)(p - n->is.at);
	n->at = p;
	return WORD;
}

static enum token next(struct nft *n)
{
	n->token = take(n);
	return n->token;
}

/* The same, over ends of lines. */
static enum token next_on(struct nft *n)
{
	while (next(n) == LINE)
		;
	return n->token;
}

static bool is(const struct nft *n, const char *word)
{
	return n->token == WORD && ng_span_is(&n->is, word);
}

/* What was read is not what should be here. The grammar is lost: nothing more is read. */
static bool lost(struct nft *n, const char *wanted)
{
	if (n->token == END && n->inside.len)
		ng_reader_break(n->r, n->is.at, 0, "the text ends inside the set '%.*s'",
				(int)n->inside.len, n->inside.at);
	else if (n->token == END)
		ng_reader_break(n->r, n->is.at, 0, "the text ends before %s", wanted);
	else if (n->token != BROKEN)
		ng_reader_break(n->r, n->is.at, n->is.len, "'%.*s': here should be %s",
				n->token == LINE ? 0 : (int)n->is.len, n->is.at, wanted);
	if (n->token == END)
		ng_reader_why(n->r, "the rest of the file is missing");
	return false;
}

/* Behind an opening brace: up to the one that closes it. */
static bool skip_block(struct nft *n)
{
	for (size_t depth = 1; depth;) {
		switch (next(n)) {
		case OPEN:
			depth++;
			break;
		case CLOSE:
			depth--;
			break;
		case END:
		case BROKEN:
			return lost(n, "'}'");
		default:
			break;
		}
	}
	return true;
}

static bool skip_line(struct nft *n)
{
	while (n->token != LINE && n->token != CLOSE && n->token != END) {
		if (n->token == BROKEN || (n->token == OPEN && !skip_block(n)))
			return false;
		next(n);
	}
	return true;
}

static bool read_time(struct nft *n, const char *of, uint64_t *ms)
{
	if (next_on(n) != WORD)
		return lost(n, "a duration");
	if (!ng_duration_parse_ms(n->is.at, n->is.len, ms) && *ms / 1000 < UINT32_MAX)
		return true;
	ng_reader_refuse(n->r, n->is.at, n->is.len, "%s: '%.*s' is not a duration", of,
			 (int)n->is.len, n->is.at);
	*ms = 0;
	return true;
}

static bool read_comment(struct nft *n, struct ng_acl_words *w, bool *good)
{
	struct ng_bad_word bad = { 0 };

	if (next_on(n) != STRING)
		return lost(n, "a comment in quotes");
	if (ng_acl_field_read(w, NG_ACL_COMMENT, n->is.at, n->is.len, &bad)) {
		ng_reader_bad(n->r, n->is.at, &bad);
		*good = false;
	}
	return true;
}

/* counter [packets N bytes N], last [used TIME|never]: words that say nothing of the element. */
static bool is_statistics(const struct nft *n)
{
	static const char *const word[] = {
		"counter", "packets", "bytes", "last", "used", "never"
	};

	for (size_t i = 0; i < COUNT(word); i++)
		if (is(n, word[i]))
			return true;
	return n->token == WORD && n->is.len && n->is.at[0] >= '0' && n->is.at[0] <= '9';
}

/* What follows an element, up to the comma or brace. expires is what is left of a timeout. */
static bool read_element_words(struct nft *n, struct ng_acl_words *w, uint64_t timeout_ms,
			       bool *good)
{
	static const char *const valid[] = { "timeout", "expires", "comment", "counter", NULL };
	uint64_t expires_ms = 0;

	while (next_on(n) == WORD) {
		bool going = true;

		if (is(n, "timeout")) {
			going = read_time(n, "timeout", &timeout_ms);
		} else if (is(n, "expires")) {
			going = read_time(n, "expires", &expires_ms);
		} else if (is(n, "comment")) {
			going = read_comment(n, w, good);
		} else if (!is_statistics(n)) {
			ng_reader_refuse(n->r, n->is.at, n->is.len, "unknown word '%.*s'",
					 (int)n->is.len, n->is.at);
			ng_reader_choice(n->r, n->is.at, n->is.len, valid);
			*good = false;
		}
		if (!going)
			return false;
	}
	if (expires_ms)
		timeout_ms = expires_ms;
	if (timeout_ms)
		w->timeout_s = (__u32)((timeout_ms + 999) / 1000);
	return true;
}

static bool read_element(struct nft *n, const struct set *set)
{
	struct ng_entry e = ng_reader_entry(n->r, n->is.at);
	struct ng_span element = n->is;
	bool good = true;

	if (!read_element_words(n, &e.words, set->timeout_ms, &good))
		return false;
	if (!good)
		return true;
	if (!memchr(element.at, ':', element.len) == set->v6)
		ng_reader_refuse(n->r, element.at, element.len, "the set '%.*s' is of IPv%c",
				 (int)set->name.len, set->name.at, set->v6 ? '6' : '4');
	else
		ng_reader_add(n->r, &e, element.at, element.len);
	return !n->r->no_memory;
}

/* = { a, b, .. } */
static bool read_elements(struct nft *n, const struct set *set)
{
	if (next_on(n) != EQUALS)
		return lost(n, "'='");
	if (next_on(n) != OPEN)
		return lost(n, "'{'");
	if (!set->of_addresses)
		return skip_block(n);
	if (next_on(n) == CLOSE)
		return true;
	for (;;) {
		if (n->token != WORD)
			return lost(n, "an address, a prefix or a range");
		if (!read_element(n, set))
			return false;
		if (n->token == CLOSE)
			return true;
		if (n->token != COMMA)
			return lost(n, "a comma or '}'");
		if (next_on(n) == CLOSE)
			return true;
	}
}

/* "type ipv4_addr", "typeof ip saddr": one word or two, and no more on the line. */
static bool read_type(struct nft *n, struct set *set)
{
	struct ng_span word[3] = { 0 };
	size_t words = 0;
	bool address, wanted = set->of_addresses;

	while (next(n) == WORD) {
		if (words < COUNT(word))
			word[words] = n->is;
		words++;
	}
	set->typed = true;
	set->v6 = ng_span_is(&word[0], "ipv6_addr") || ng_span_is(&word[0], "ip6");
	address = words == 2 ? (ng_span_is(&word[1], "saddr") || ng_span_is(&word[1], "daddr")) &&
				       (set->v6 || ng_span_is(&word[0], "ip"))
			     : words == 1 && (set->v6 || ng_span_is(&word[0], "ipv4_addr"));
	set->of_addresses = wanted && address;
	return n->token == BROKEN ? false : skip_line(n);
}

/* One statement of a set; the token after it is read. */
static bool read_set_statement(struct nft *n, struct set *set)
{
	bool going = true;

	if (is(n, "type") || is(n, "typeof"))
		return read_type(n, set);
	if (is(n, "timeout"))
		going = read_time(n, "timeout", &set->timeout_ms);
	else if (is(n, "elements") && !set->typed)
		going = lost(n, "the type of the set, before its elements");
	else if (is(n, "elements"))
		going = read_elements(n, set);
	if (going)
		next(n);
	return going && skip_line(n);
}

/* Up to and with the closing brace. */
static bool read_set_body(struct nft *n, struct set *set)
{
	while (next_on(n) == WORD) {
		if (!read_set_statement(n, set))
			return false;
		if (n->token == CLOSE)
			return true;
	}
	return n->token == CLOSE ? true : lost(n, "a statement of a set, or '}'");
}

static bool read_set(struct nft *n)
{
	const char *only = n->r->options->set;
	struct set set = { 0 };
	bool good;

	if (next(n) != WORD)
		return lost(n, "the name of a set");
	set.name = n->inside = n->is;
	set.of_addresses = !only || ng_span_is(&set.name, only);
	if (next_on(n) != OPEN)
		return lost(n, "'{'");
	good = read_set_body(n, &set);
	n->inside.len = 0;
	n->r->table->count.sets += good && set.of_addresses;
	n->r->table->count.sets_left += good && !set.of_addresses;
	return good;
}

/* Behind "table": family, name, and what is in the braces. */
static bool read_table(struct nft *n)
{
	while (next(n) == WORD)
		;
	if (n->token != OPEN)
		return lost(n, "'{'");
	while (next_on(n) == WORD) {
		if (is(n, "set")) {
			if (!read_set(n))
				return false;
			continue;
		}
		while (next(n) == WORD || n->token == STRING)
			;
		if (n->token == OPEN) {
			if (!skip_block(n))
				return false;
		} else if (!skip_line(n)) {
			return false;
		} else if (n->token == CLOSE) {
			return true;
		}
	}
	return n->token == CLOSE ? true : lost(n, "a set, a map, a chain or '}'");
}

void ng_read_nft(struct ng_reader *r)
{
	struct nft n = { .r = r, .at = r->text };
	bool going = true;

	while (going && next_on(&n) == WORD) {
		if (is(&n, "table"))
			going = read_table(&n);
		else if (is(&n, "flush"))
			going = skip_line(&n);
		else
			going = lost(&n, "'table', as nft list prints it");
	}
	if (going && n.token != END)
		lost(&n, "'table', as nft list prints it");
	if (!r->table->count.sets && !r->table->bad_lines)
		ng_reader_no_set(r);
}
