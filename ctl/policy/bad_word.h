/* SPDX-License-Identifier: GPL-2.0-only */
/* What the pure parsers of this room say about text that is wrong. */
#ifndef NG_CTL_POLICY_BAD_WORD_H
#define NG_CTL_POLICY_BAD_WORD_H

#include <stddef.h>

struct ng_bad_word {
	int word;	/* index in argv, where words are parsed; argc: one is missing at the end */
	size_t at;	/* offset of the character in the word or line */
	size_t len;	/* bytes there that are wrong; 0: not known */
	char what[128]; /* what is wrong */
	char why[128];	/* why that is refused; may be empty */
	char hint[128]; /* what to type instead; may be empty */
};

/* Each returns -EINVAL. The first clears len, why and hint; word is left alone. */
int ng_bad_word(struct ng_bad_word *bad, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int ng_bad_why(struct ng_bad_word *bad, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int ng_bad_hint(struct ng_bad_word *bad, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The hint is the word of the NULL-terminated list that was meant; if none is close, all. */
int ng_bad_choice(struct ng_bad_word *bad, const char *word, const char *const *valid);

#endif
