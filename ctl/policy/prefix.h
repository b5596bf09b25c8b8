/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text of addresses and prefixes, strictly read: dotted IPv4 with all four numbers and no leading
 * zeros, IPv6 as in RFC 4291 without zone, the length a decimal number of bits. IPv4-mapped IPv6 is
 * refused: it is on no wire.
 */
#ifndef NG_CTL_POLICY_PREFIX_H
#define NG_CTL_POLICY_PREFIX_H

#include "ctl/policy/bad_word.h"
#include "maps/acl.h"

#define NG_PREFIX_TEXT 52 /* room for the longest one and its NUL */

/*
 * The whole of text[0..len) is a prefix, or an address (full length). Host bits are set to zero,
 * and then *masked is true. 0 or -EINVAL with *bad filled (but for word) and the others untouched.
 */
int ng_prefix_parse(const char *text, size_t len, struct ng_prefix *out, bool *masked,
		    struct ng_bad_word *bad);
/* The same for an address alone. */
int ng_address_parse(const char *text, size_t len, struct ng_prefix *out, struct ng_bad_word *bad);
/* ADDRESS/LEN, IPv6 as in RFC 5952. What it prints is read back as the same prefix. */
void ng_prefix_format(const struct ng_prefix *p, char text[NG_PREFIX_TEXT]);

#endif
