// SPDX-License-Identifier: GPL-2.0-only
/* Cuts filter expressions into tokens. */
#include "ctl/filter/token.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct cutter {
	const char *text;
	size_t at;
	unsigned int brackets;
	struct ng_tokens *out;
	size_t room;
};

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c);
}

static size_t identifier_length(const char *s)
{
	size_t n = 0, last = 0;

	if (!is_alnum(*s))
		return 0;
	for (; is_alnum(s[n]) || (s[n] && strchr("-_.", s[n])); n++)
		if (s[n] != '-' && s[n] != '_')
			last = n + 1;
	return last;
}

/* IPv6 and Ethernet addresses: two colons at least. */
static size_t address_length(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF:."), colons = 0;

	for (size_t i = 0; i < n; i++)
		colons += s[i] == ':';
	return colons >= 2 && !is_alnum(s[n]) ? n : 0;
}

/* Of a word of any kind, 0: none. */
static size_t word_length(const struct cutter *c)
{
	const char *s = c->text + c->at;
	size_t n = c->brackets ? 0 : address_length(s);

	if (n)
		return n;
	return *s == '\\' ? 1 + strcspn(s + 1, " !()\n\t") : identifier_length(s);
}

/* Of {..} or @NAME, 0: neither, or not closed. */
static size_t set_length(const char *s)
{
	const char *close;
	size_t n;

	if (*s == '{') {
		close = strchr(s, '}');
		return close ? (size_t)(close - s) + 1 : 0;
	}
	n = *s == '@' ? 1 + strcspn(s + 1, " \t\r\n(){}!&|") : 0;
	return n > 1 ? n : 0;
}

static enum ng_token_kind word_kind(const char *s, size_t n)
{
	if (n == 3 && memcmp(s, "and", 3) == 0)
		return NG_TOKEN_AND;
	if (n == 2 && memcmp(s, "or", 2) == 0)
		return NG_TOKEN_OR;
	return n == 3 && memcmp(s, "not", 3) == 0 ? NG_TOKEN_NOT : NG_TOKEN_WORD;
}

static enum ng_token_kind sign_kind(const char *s, size_t *n)
{
	static const char *const pairs[] = { ">=", "<=", "==", "!=", "<<", ">>" };

	*n = 2;
	if (strncmp(s, "&&", 2) == 0)
		return NG_TOKEN_AND;
	if (strncmp(s, "||", 2) == 0)
		return NG_TOKEN_OR;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strncmp(s, pairs[i], 2) == 0)
			return NG_TOKEN_SIGN;
	*n = 1;
	switch (*s) {
	case '!':
		return NG_TOKEN_NOT;
	case '(':
		return NG_TOKEN_OPEN;
	case ')':
		return NG_TOKEN_CLOSE;
	case '/':
		return NG_TOKEN_SLASH;
	}
	*n = strchr("+-*%:[]<>&|^=", *s) != NULL;
	return NG_TOKEN_SIGN;
}

/* The kind of the token at c->at and its length, 0: no token. */
static enum ng_token_kind read_token(struct cutter *c, size_t *n)
{
	const char *s = c->text + c->at;

	*n = word_length(c);
	if (*n)
		return word_kind(s, *n);
	*n = set_length(s);
	if (*n)
		return NG_TOKEN_SET;
	c->brackets += *s == '[';
	c->brackets -= *s == ']' && c->brackets;
	return sign_kind(s, n);
}

static int append(struct cutter *c, enum ng_token_kind kind, size_t length)
{
	struct ng_tokens *t = c->out;

	if (t->n == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct ng_token *more = realloc(t->token, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->token = more;
		c->room = room;
	}
	t->token[t->n++] = (struct ng_token){ kind, c->at, c->at + length, 0 };
	c->at += length;
	return 0;
}

/* The parentheses not closed yet are chained by their partner fields. */
static int pair_parentheses(struct ng_tokens *t, size_t *at)
{
	size_t open = SIZE_MAX;

	for (size_t i = 0; i < t->n; i++) {
		if (t->token[i].kind == NG_TOKEN_OPEN) {
			t->token[i].partner = open;
			open = i;
		} else if (t->token[i].kind == NG_TOKEN_CLOSE) {
			size_t before;

			if (open == SIZE_MAX) {
				*at = t->token[i].start;
				return -EINVAL;
			}
			before = t->token[open].partner;
			t->token[open].partner = i;
			open = before;
		}
	}
	if (open != SIZE_MAX)
		*at = t->token[t->n - 1].end;
	return open == SIZE_MAX ? 0 : -EINVAL;
}

int ng_tokens_cut(const char *text, struct ng_tokens *out, size_t *at)
{
	struct cutter c = { .text = text, .out = out };
	size_t n;
	int ret = 0;

	*out = (struct ng_tokens){ 0 };
	while (!ret && text[c.at += strspn(text + c.at, " \t\r\n")]) {
		enum ng_token_kind kind = read_token(&c, &n);

		if (!n) {
			*at = c.at;
			return -EINVAL;
		}
		ret = append(&c, kind, n);
	}
	for (int i = 0; i < 2 && !ret; i++)
		ret = append(&c, NG_TOKEN_END, 0);
	if (ret)
		return ret;
	out->n -= 2;
	return pair_parentheses(out, at);
}

void ng_tokens_free(struct ng_tokens *t)
{
	free(t->token);
	*t = (struct ng_tokens){ 0 };
}
