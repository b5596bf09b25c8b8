// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes: text to bits and back. */
#include "ctl/policy/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const int family_bits[] = { [NG_IPV4] = 32, [NG_IPV6] = 128 };
static const char *const length_name[] = {
	[NG_IPV4] = "IPv4 prefix length", [NG_IPV6] = "IPv6 prefix length"
};
_Static_assert(sizeof(family_bits) / sizeof(*family_bits) == NG_FAMILY_MAX, "all families");
_Static_assert(sizeof(length_name) / sizeof(*length_name) == NG_FAMILY_MAX, "all families");

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number of at most max at text[*at]; *at moves behind it. */
static int read_number(const char *text, size_t len, size_t *at, unsigned int max, const char *name,
		       unsigned int *out, struct ng_bad_word *bad)
{
	size_t start = *at, end = start;
	unsigned int v = 0;

	for (; end < len && is_digit(text[end]); end++)
		if (v <= max)
			v = v * 10 + (unsigned int)(text[end] - '0');
	if (end == start)
		return ng_bad_word(bad, start, "%s: a number from 0 to %u is missing here", name,
				   max);
	if (text[start] == '0' && end > start + 1)
		ng_bad_word(bad, start, "%s: leading zero (octal or decimal?)", name);
	else if (v > max)
		ng_bad_word(bad, start, "%s: '%.*s' is above %u", name, (int)(end - start),
			    text + start, max);
	if (v > max || (text[start] == '0' && end > start + 1)) {
		bad->len = end - start;
		return -EINVAL;
	}
	*at = end;
	*out = v;
	return 0;
}

/* "10/8", "192.168": offers the address filled up with zeros. */
static int refuse_short(const char *text, size_t len, const __u8 *byte, size_t at,
			struct ng_bad_word *bad)
{
	ng_bad_word(bad, at, "an IPv4 address has four numbers");
	snprintf(bad->hint, sizeof(bad->hint), "%u.%u.%u.%u%.*s", byte[0], byte[1], byte[2],
		 byte[3], (int)(len - at), text + at);
	return -EINVAL;
}

/* Reads up to the slash or the end. */
static int read_ipv4(const char *text, size_t len, size_t *at, struct ng_prefix *p,
		     struct ng_bad_word *bad)
{
	__u8 *byte = (__u8 *)p->addr_be;
	unsigned int v;

	for (int i = 0; i < 4; i++) {
		if (i) {
			if (*at == len || text[*at] == '/')
				return refuse_short(text, len, byte, *at, bad);
			if (text[*at] != '.')
				return ng_bad_word(bad, *at,
						   "this is neither an address nor a prefix");
			++*at;
		}
		if (read_number(text, len, at, 255, "IPv4 address", &v, bad))
			return -EINVAL;
		byte[i] = (__u8)v;
	}
	if (*at < len && text[*at] != '/')
		return ng_bad_word(bad, *at, "unexpected character behind an IPv4 address");
	return 0;
}

static bool is_ipv6_character(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
	       c == '.';
}

static int read_ipv6(const char *text, size_t len, size_t *at, struct ng_prefix *p,
		     struct ng_bad_word *bad)
{
	char word[INET6_ADDRSTRLEN];
	size_t end = 0;

	for (; end < len && text[end] != '/'; end++) {
		if (text[end] == '%')
			return ng_bad_word(
				bad, end, "a zone is not part of a packet's address; leave it out");
		if (!is_ipv6_character(text[end]))
			return ng_bad_word(bad, end, "unexpected character in an IPv6 address");
	}
	if (end >= sizeof(word))
		return ng_bad_word(bad, 0, "too long for an IPv6 address");
	memcpy(word, text, end);
	word[end] = '\0';
	if (inet_pton(AF_INET6, word, p->addr_be) != 1)
		return ng_bad_word(bad, 0, "not an IPv6 address");
	*at = end;
	return 0;
}

/* Clears what lies behind len bits; true if there was something. */
static bool mask(struct ng_prefix *p)
{
	__u8 *byte = (__u8 *)p->addr_be;
	__u8 keep = (__u8)(0xff00 >> p->len % 8), lost = 0;

	for (int i = p->len / 8; i < family_bits[p->family] / 8; i++, keep = 0) {
		lost |= (__u8)(byte[i] & ~keep);
		byte[i] &= keep;
	}
	return lost;
}

static int refuse_mapped(const struct ng_prefix *p, struct ng_bad_word *bad)
{
	const __u8 *byte = (const __u8 *)p->addr_be;

	ng_bad_word(bad, 0, "an IPv4-mapped IPv6 address is on no wire");
	snprintf(bad->hint, sizeof(bad->hint), "%u.%u.%u.%u/%d", byte[12], byte[13], byte[14],
		 byte[15], p->len - 96);
	return -EINVAL;
}

static int read_length(const char *text, size_t len, size_t *at, struct ng_prefix *p,
		       struct ng_bad_word *bad)
{
	unsigned int bits;

	++*at;
	if (read_number(text, len, at, (unsigned int)family_bits[p->family], length_name[p->family],
			&bits, bad))
		return -EINVAL;
	if (*at < len)
		return ng_bad_word(bad, *at, "unexpected character behind the prefix length");
	p->len = (__u8)bits;
	return 0;
}

int ng_prefix_parse(const char *text, size_t len, struct ng_prefix *out, bool *masked,
		    struct ng_bad_word *bad)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ng_prefix p = { .family = memchr(text, ':', len) ? NG_IPV6 : NG_IPV4 };
	size_t at = 0;
	int err;

	if (!len || (p.family == NG_IPV4 && !is_digit(text[0])))
		return ng_bad_word(bad, 0, "this is neither an address nor a prefix");
	p.len = (__u8)family_bits[p.family];
	err = (p.family == NG_IPV4 ? read_ipv4 : read_ipv6)(text, len, &at, &p, bad);
	if (!err && at < len)
		err = read_length(text, len, &at, &p, bad);
	if (!err && p.family == NG_IPV6 && p.len >= 96 &&
	    !memcmp(p.addr_be, mapped, sizeof(mapped)))
		err = refuse_mapped(&p, bad);
	if (err)
		return err;
	*masked = mask(&p);
	*out = p;
	return 0;
}

int ng_address_parse(const char *text, size_t len, struct ng_prefix *out, struct ng_bad_word *bad)
{
	const char *slash = memchr(text, '/', len);
	bool masked;

	if (slash)
		return ng_bad_word(bad, (size_t)(slash - text),
				   "one address is asked for, not a prefix");
	return ng_prefix_parse(text, len, out, &masked, bad);
}

void ng_prefix_format(const struct ng_prefix *p, char text[NG_PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(p->family == NG_IPV4 ? AF_INET : AF_INET6, p->addr_be, address, sizeof(address));
	snprintf(text, NG_PREFIX_TEXT, "%s/%u", address, p->len);
}
