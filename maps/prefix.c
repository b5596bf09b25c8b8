// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes: what covers what. Pure. */
#include "maps/prefix.h"

#include <string.h>

bool ng_prefix_covers(const struct ng_prefix *outer, const struct ng_prefix *inner)
{
	const __u8 *a = (const __u8 *)outer->addr_be, *b = (const __u8 *)inner->addr_be;
	size_t whole = outer->len / 8, rest = outer->len % 8;

	if (outer->family != inner->family || outer->len > inner->len || memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}
