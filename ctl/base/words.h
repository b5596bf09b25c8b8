/* SPDX-License-Identifier: GPL-2.0-only */
/* Words the user typed: what they may have meant, lists of them, lines cut into them. */
#ifndef NG_CTL_BASE_WORDS_H
#define NG_CTL_BASE_WORDS_H

#include <stddef.h>

/*
 * The word of the NULL-terminated list that `word` most likely was meant to be: least edit distance
 * (a swap of neighbours is one edit), at most a third of its length rounded up, case ignored. NULL:
 * none is close. The first of equals.
 */
const char *ng_words_closest(const char *word, const char *const *valid);

/* "a, b, c" of a NULL-terminated list, ending in ", .." where the buffer is full. Returns buf. */
char *ng_words_join(const char *const *words, char *buf, size_t size);
/* The same with another separator. */
char *ng_words_join_by(const char *const *words, const char *separator, char *buf, size_t size);

enum ng_split_error { NG_SPLIT_QUOTE = 1, NG_SPLIT_TOO_MANY };

/*
 * Cuts a line into words in place, as a shell does: blanks separate; '..' keeps everything; ".."
 * and \ keep the next character; # at the start of a word begins a comment. Writes at most max
 * pointers into word[]. 0 and *n, or an enum ng_split_error with *at = offset of the unclosed quote
 * or of the first word too many.
 */
int ng_words_split(char *line, char **word, size_t max, size_t *n, size_t *at);

#endif
