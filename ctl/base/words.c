// SPDX-License-Identifier: GPL-2.0-only
/* Closest word by edit distance, word lists, shell-like splitting. Pure. */
#include "ctl/base/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 32 /* longer words are not compared: nobody mistypes those into one of ours */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: insert, delete, replace, or swap two neighbours. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[3][WORD_MAX + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= m; j++)
		last[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			bool eq = same(a[i - 1], b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + !eq);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[m];
}

const char *ng_words_closest(const char *word, const char *const *valid)
{
	size_t n = strlen(word), best = (n + 2) / 3 + 1;
	const char *found = NULL;

	if (!n || n > WORD_MAX)
		return NULL;
	for (; *valid; valid++) {
		size_t m = strlen(*valid), d;

		if (!m || m > WORD_MAX)
			continue;
		d = distance(word, n, *valid, m);
		if (d < best && d < m) {
			best = d;
			found = *valid;
		}
	}
	return found;
}

char *ng_words_join_by(const char *const *words, const char *separator, char *buf, size_t size)
{
	static const char more[] = ", ..";
	size_t used = 0;

	buf[0] = '\0';
	for (const char *const *w = words; *w; w++) {
		size_t need = strlen(*w) + (used ? strlen(separator) : 0);
		size_t keep = w[1] ? sizeof(more) : 1; /* room that must stay behind this word */

		if (used + need + keep > size) {
			if (used + sizeof(more) <= size)
				memcpy(buf + used, more, sizeof(more));
			break;
		}
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? separator : "",
					 *w);
	}
	return buf;
}

char *ng_words_join(const char *const *words, char *buf, size_t size)
{
	return ng_words_join_by(words, ", ", buf, size);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes one word at *in and writes it, unquoted and terminated,
 * at out (never ahead of *in). False: unclosed quote. */
static bool take_word(char **in, char *out, char **quote)
{
	char *p = *in;
	char q = 0;

	for (; *p && (q || !blank(*p)); p++) {
		if (q ? *p == q : *p == '\'' || *p == '"') {
			q = q ? 0 : *p;
			*quote = p;
			continue;
		}
		if (*p == '\\' && q != '\'' && p[1])
			p++;
		*out++ = *p;
	}
	*in = *p ? p + 1 : p;
	*out = '\0';
	return !q;
}

int ng_words_split(char *line, char **word, size_t max, size_t *n, size_t *at)
{
	char *p = line, *quote = NULL;
	size_t count = 0;

	for (;;) {
		char *start;

		while (blank(*p))
			p++;
		if (!*p || *p == '#')
			break;
		*at = (size_t)(p - line);
		if (count == max)
			return NG_SPLIT_TOO_MANY;
		start = p;
		if (!take_word(&p, start, &quote)) {
			*at = (size_t)(quote - line);
			return NG_SPLIT_QUOTE;
		}
		word[count++] = start;
	}
	*n = count;
	return 0;
}
