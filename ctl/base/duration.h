/* SPDX-License-Identifier: GPL-2.0-only */
/* Durations as people write them: "90" (seconds), "10m", "1h30m", "2d". */
#ifndef NG_CTL_BASE_DURATION_H
#define NG_CTL_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#define NG_DURATION_TEXT 24 /* room for the longest one and its NUL */

/*
 * The whole of text[0..len): a number of seconds, or numbers with the units d, h, m, s, each at
 * most once and the largest first. 0, -EINVAL (not a duration), -ERANGE (more than 32 bits of
 * seconds hold).
 */
int ng_duration_parse(const char *text, size_t len, uint32_t *seconds);
/* As nft prints them: "ms" may follow the seconds; milliseconds. */
int ng_duration_parse_ms(const char *text, size_t len, uint64_t *ms);
/* "1h30m", "45s", "0s": what ng_duration_parse() reads as the same. */
void ng_duration_format(uint32_t seconds, char text[NG_DURATION_TEXT]);

#endif
