/* SPDX-License-Identifier: GPL-2.0-only */
/* Tokens of filter expressions, cut as libpcap's scanner cuts (scanner.l). */
#ifndef NG_CTL_FILTER_TOKEN_H
#define NG_CTL_FILTER_TOKEN_H

#include <stddef.h>

enum ng_token_kind {
	NG_TOKEN_END, /* the last, behind the text */
	NG_TOKEN_WORD,
	NG_TOKEN_AND,
	NG_TOKEN_OR,
	NG_TOKEN_NOT,
	NG_TOKEN_OPEN,
	NG_TOKEN_CLOSE,
	NG_TOKEN_SLASH,
	NG_TOKEN_SIGN, /* of calculations and comparisons */
	NG_TOKEN_SET,  /* {..} or @NAME: ours alone */
};

struct ng_token {
	enum ng_token_kind kind;
	size_t start, end;
	size_t partner; /* OPEN: the number of its CLOSE */
};

struct ng_tokens {
	struct ng_token *token; /* malloc'ed; two of NG_TOKEN_END behind the last */
	size_t n;		/* without those */
};

/*
 * -EINVAL: characters that cannot stand there, or parentheses without partner: *at = where.
 * -ENOMEM. *out is to be freed in all cases.
 */
int ng_tokens_cut(const char *text, struct ng_tokens *out, size_t *at);
void ng_tokens_free(struct ng_tokens *t);

#endif
