/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges of addresses, A-B, and the prefixes that make them up. */
#ifndef NG_CTL_POLICY_RANGE_H
#define NG_CTL_POLICY_RANGE_H

#include "ctl/policy/prefix.h"

struct ng_range {
	enum ng_family family;
	__u8 first[16], last[16]; /* both belong to it; IPv4 in the first four */
	bool done;
};

/* The whole of text[0..len) is ADDRESS-ADDRESS, in order and of one family.
 * 0 or -EINVAL with *bad filled (but for word). */
int ng_range_parse(const char *text, size_t len, struct ng_range *out, struct ng_bad_word *bad);
/* Takes the next prefix off the range, lowest first, each as short as fits:
 * at most 2 n - 2 of n bits. False: none is left. */
bool ng_range_next(struct ng_range *range, struct ng_prefix *out);

#endif
