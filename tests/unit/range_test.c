// SPDX-License-Identifier: GPL-2.0-only
/* Ranges of addresses: read, refused, and turned into the prefixes that hold just them. */
#include "ctl/policy/range.h"

#include "tests/random.h"
#include "tests/tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *prefixes;
} good[] = {
	{ "192.0.2.7-192.0.2.7", "192.0.2.7/32" },
	{ "192.0.2.0-192.0.2.255", "192.0.2.0/24" },
	{ "192.0.2.1-192.0.2.4", "192.0.2.1/32 192.0.2.2/31 192.0.2.4/32" },
	{ "0.0.0.0-255.255.255.255", "0.0.0.0/0" },
	{ "255.255.255.254-255.255.255.255", "255.255.255.254/31" },
	{ "10.0.0.255-10.0.1.0", "10.0.0.255/32 10.0.1.0/32" },
	{ "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0" },
	{ "2001:db8::1-2001:db8::5", "2001:db8::1/128 2001:db8::2/127 2001:db8::4/127" },
	{ "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32" },
};

static const struct {
	const char *text;
	size_t at;
	const char *what, *hint;
} bad[] = {
	{ "192.0.2.1", 0, "not a range", "" },
	{ "192.0.2.9-192.0.2.1", 10, "backwards", "192.0.2.1-192.0.2.9" },
	{ "192.0.2.1-2001:db8::", 10, "IPv4 to IPv6", "" },
	{ "::1-192.0.2.1", 4, "IPv6 to IPv4", "" },
	{ "192.0.2.0/24-192.0.2.9", 9, "one address", "" },
	{ "192.0.2.1-192.0.2.256", 18, "above 255", "" },
	{ "192.0.2.01-192.0.2.2", 8, "leading zero", "" },
	{ "192.0.2.1-", 10, "neither", "" },
	{ "-192.0.2.1", 0, "neither", "" },
	{ "192.0.2.1-192.0.2.2-192.0.2.3", 19, "unexpected", "" },
	{ "10.0.0.1-9", 10, "four numbers", "9.0.0.0" },
	{ "::ffff:192.0.2.1-::ffff:192.0.2.2", 0, "mapped", "192.0.2.1/32" },
};

static void reading(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct ng_range r;
		struct ng_bad_word b;
		struct ng_prefix p;
		char all[256] = "", one[NG_PREFIX_TEXT];

		if (!ok(!ng_range_parse(good[i].text, strlen(good[i].text), &r, &b), "%s is read",
			good[i].text))
			continue;
		while (ng_range_next(&r, &p)) {
			ng_prefix_format(&p, one);
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
				 all[0] ? " " : "", one);
		}
		if (!ok(!strcmp(all, good[i].prefixes), "  as %s", good[i].prefixes))
			printf("#   got %s\n", all);
	}
}

static void refusing(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ng_range r;
		struct ng_bad_word b = { .at = 999 };
		int err = ng_range_parse(bad[i].text, strlen(bad[i].text), &r, &b);

		if (!ok(err && b.at == bad[i].at && strstr(b.what, bad[i].what) &&
				!strcmp(b.hint, bad[i].hint),
			"%s is refused at %zu: %s", bad[i].text, bad[i].at, bad[i].what))
			printf("#   at %zu: %s (%s)\n", b.at, b.what, b.hint);
	}
}

static __u32 host(const void *be)
{
	const __u8 *b = be;

	return (__u32)b[0] << 24 | (__u32)b[1] << 16 | (__u32)b[2] << 8 | b[3];
}

/* Random IPv4 ranges: prefixes that follow each other from the first address to the last. */
static void covering(void)
{
	size_t wrong = 0, most = 0;

	for (int i = 0; i < 20000; i++) {
		__u32 a = rnd() >> below(32), b = rnd() >> below(32), at, n = 0;
		struct ng_range r = { .family = NG_IPV4 };
		struct ng_prefix p;

		if (a > b) {
			__u32 t = a;

			a = b;
			b = t;
		}
		for (int k = 0; k < 4; k++) {
			r.first[k] = (__u8)(a >> (24 - 8 * k));
			r.last[k] = (__u8)(b >> (24 - 8 * k));
		}
		for (at = a; ng_range_next(&r, &p); n++) {
			__u64 size = 1ull << (32 - p.len);

			wrong += host(p.addr_be) != at || at % size || at + size - 1 > b;
			at += (__u32)size;
		}
		wrong += at != b + 1 || n > 62;
		most = n > most ? n : most;
	}
	is_int(wrong, 0, "20000 ranges are covered, and nothing beside them");
	ok(most > 40, "the longest took %zu prefixes, at most 62", most);
}

static void longest_v6(void)
{
	struct ng_range r;
	struct ng_bad_word b;
	struct ng_prefix p;
	size_t n = 0;
	const char *text = "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe";

	ok(!ng_range_parse(text, strlen(text), &r, &b), "the worst range of IPv6");
	while (ng_range_next(&r, &p))
		n++;
	is_int(n, 254, "takes 2 * 128 - 2 prefixes");
}

int main(void)
{
	random_seed(1);
	reading();
	refusing();
	covering();
	longest_v6();
	return tap_done();
}
