// SPDX-License-Identifier: GPL-2.0-only
/* UTF-8, and what of it may go to a terminal. */
#include "ctl/base/text.h"

#include <string.h>

size_t ng_utf8_length(const char *string)
{
	const unsigned char *s = (const unsigned char *)string;
	size_t n = s[0] < 0x80	 ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* The sequence of n bytes at s; n 0: not one. */
static bool is_command(const char *s, size_t n, bool lines)
{
	unsigned char c = (unsigned char)*s;

	if (n == 1)
		return (c < 0x20 || c == 0x7f) && !(lines && (c == '\n' || c == '\t'));
	return !n || (c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

char *ng_text_tame(char *text, bool lines)
{
	char *s = text;

	while (*s) {
		size_t n = ng_utf8_length(s), bytes = n ? n : 1;

		if (is_command(s, n, lines))
			memset(s, '?', bytes);
		s += bytes;
	}
	return text;
}
