// SPDX-License-Identifier: GPL-2.0-only
/* Ranges of addresses to prefixes. */
#include "ctl/policy/range.h"

#include <errno.h>
#include <string.h>

static int bytes(enum ng_family family)
{
	return family == NG_IPV4 ? 4 : 16;
}

static int read_end(const char *text, size_t from, size_t to, struct ng_prefix *p,
		    struct ng_bad_word *bad)
{
	int err = ng_address_parse(text + from, to - from, p, bad);

	if (err) {
		bad->at += from;
		if (!bad->len)
			bad->len = to - bad->at;
	}
	return err;
}

int ng_range_parse(const char *text, size_t len, struct ng_range *out, struct ng_bad_word *bad)
{
	const char *dash = memchr(text, '-', len);
	size_t at = dash ? (size_t)(dash - text) : len;
	struct ng_prefix first, last;
	struct ng_range r = { 0 };

	if (!dash)
		return ng_bad_word(bad, 0, "this is not a range of addresses");
	if (read_end(text, 0, at, &first, bad) || read_end(text, at + 1, len, &last, bad))
		return -EINVAL;
	if (first.family != last.family) {
		ng_bad_word(bad, at + 1, "a range from IPv%c to IPv%c",
			    first.family == NG_IPV4 ? '4' : '6',
			    last.family == NG_IPV4 ? '4' : '6');
		return ng_bad_why(bad, "both ends are of one family");
	}
	r.family = first.family;
	memcpy(r.first, first.addr_be, sizeof(r.first));
	memcpy(r.last, last.addr_be, sizeof(r.last));
	if (memcmp(r.first, r.last, sizeof(r.first)) > 0) {
		ng_bad_word(bad, at + 1, "the range runs backwards");
		return ng_bad_hint(bad, "%.*s-%.*s", (int)(len - at - 1), dash + 1, (int)at, text);
	}
	*out = r;
	return 0;
}

/* Whether first with its last n bits set is at most last. */
static bool fits(const struct ng_range *r, int n)
{
	__u8 end[16];
	int size = bytes(r->family);

	memcpy(end, r->first, sizeof(end));
	for (int i = 0; i < n; i++)
		end[size - 1 - i / 8] |= (__u8)(1 << i % 8);
	return memcmp(end, r->last, (size_t)size) <= 0;
}

/* Adds 2^n to first; true when it went past the highest address. */
static bool advance(struct ng_range *r, int n)
{
	unsigned int carry = 1u << n % 8;

	for (int i = bytes(r->family) - 1 - n / 8; i >= 0 && carry; i--) {
		carry += r->first[i];
		r->first[i] = (__u8)carry;
		carry >>= 8;
	}
	return carry;
}

bool ng_range_next(struct ng_range *r, struct ng_prefix *out)
{
	int size = bytes(r->family), bits = size * 8, n = 0;

	if (r->done)
		return false;
	while (n < bits && !(r->first[size - 1 - n / 8] >> n % 8 & 1) && fits(r, n + 1))
		n++;
	*out = (struct ng_prefix){ .family = r->family, .len = (__u8)(bits - n) };
	memcpy(out->addr_be, r->first, sizeof(out->addr_be));
	r->done = n == bits || advance(r, n) || memcmp(r->first, r->last, (size_t)size) > 0;
	return true;
}
