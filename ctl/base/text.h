/* SPDX-License-Identifier: GPL-2.0-only */
/* Text that somebody else chose, on its way to a terminal:
 * names of interfaces, programs and processes, expressions, words. */
#ifndef NG_CTL_BASE_TEXT_H
#define NG_CTL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the UTF-8 sequence at s, which ends in NUL (RFC 3629: shortest form, no surrogates, up
 * to U+10FFFF); 0: none. */
size_t ng_utf8_length(const char *s);
/*
 * Puts '?' in the place of each byte that could command a terminal: control characters of ASCII and
 * of UTF-8 (U+0080..9F), and what is no UTF-8. lines: line feeds and tabs stay. Returns text.
 */
char *ng_text_tame(char *text, bool lines);

#endif
