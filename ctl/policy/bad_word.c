// SPDX-License-Identifier: GPL-2.0-only
/* Fills what the pure parsers say about text that is wrong. */
#include "ctl/policy/bad_word.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "ctl/base/words.h"

int ng_bad_word(struct ng_bad_word *bad, size_t at, const char *fmt, ...)
{
	va_list ap;

	bad->at = at;
	bad->len = 0;
	bad->why[0] = bad->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(bad->what, sizeof(bad->what), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int ng_bad_why(struct ng_bad_word *bad, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(bad->why, sizeof(bad->why), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int ng_bad_hint(struct ng_bad_word *bad, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(bad->hint, sizeof(bad->hint), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int ng_bad_choice(struct ng_bad_word *bad, const char *word, const char *const *valid)
{
	const char *close = ng_words_closest(word, valid);

	if (close)
		return ng_bad_hint(bad, "%s", close);
	ng_words_join(valid, bad->hint, sizeof(bad->hint));
	return -EINVAL;
}
