// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes: what is read, what is refused and where, what is printed. */
#include "ctl/policy/prefix.h"
#include "tests/tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *printed;
	bool masked;
} good[] = {
	{ "0.0.0.0/0", "0.0.0.0/0", false },
	{ "192.0.2.1", "192.0.2.1/32", false },
	{ "192.0.2.0/24", "192.0.2.0/24", false },
	{ "192.0.2.1/24", "192.0.2.0/24", true },
	{ "255.255.255.255/1", "128.0.0.0/1", true },
	{ "192.0.2.3/31", "192.0.2.2/31", true },
	{ "10.0.0.0/8", "10.0.0.0/8", false },
	{ "::/0", "::/0", false },
	{ "::", "::/128", false },
	{ "1::/0", "::/0", true },
	{ "2001:DB8::1", "2001:db8::1/128", false },
	{ "2001:0db8:0:0:0:0:0:1/64", "2001:db8::/64", true },
	{ "fe80::1/10", "fe80::/10", true },
	{ "2001:db8::ff/121", "2001:db8::80/121", true },
	{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201/128", false },
	{ "::ffff:0:0/95", "::fffe:0:0/95", true },
};

static const struct {
	const char *text;
	size_t at;
	const char *what, *hint; /* parts of the message */
} bad[] = {
	{ "", 0, "neither", "" },
	{ "eth0", 0, "neither", "" },
	{ "a.b.c.d", 0, "neither", "" },
	{ "10", 2, "four numbers", "10.0.0.0" },
	{ "10/8", 2, "four numbers", "10.0.0.0/8" },
	{ "192.168/16", 7, "four numbers", "192.168.0.0/16" },
	{ "10.1.", 5, "missing", "" },
	{ "10..0.1", 3, "missing", "" },
	{ "010.0.0.1", 0, "leading zero", "" },
	{ "10.0.0.01", 7, "leading zero", "" },
	{ "10.0.0.00", 7, "leading zero", "" },
	{ "10.0.256.1", 5, "above 255", "" },
	{ "10.0.0.99999999999999999999", 7, "above 255", "" },
	{ "10.0.0.1.2", 8, "unexpected", "" },
	{ "10.0.0.1x", 8, "unexpected", "" },
	{ "10.0.0.1 ", 8, "unexpected", "" },
	{ " 10.0.0.1", 0, "neither", "" },
	{ "10.0.0.-1", 7, "missing", "" },
	{ "10,0.0.1", 2, "neither", "" },
	{ "10.0.0.0/", 9, "missing", "" },
	{ "10.0.0.0/33", 9, "above 32", "" },
	{ "10.0.0.0/08", 9, "leading zero", "" },
	{ "10.0.0.0/8x", 10, "unexpected", "" },
	{ "10.0.0.0/8/8", 10, "unexpected", "" },
	{ "10.0.0.0/-8", 9, "missing", "" },
	{ "10.0.0.0/+8", 9, "missing", "" },
	{ "10.0.0.0/4294967297", 9, "above 32", "" },
	{ "10.0.0.0/255.0.0.0", 9, "above 32", "" },
	{ ":", 0, "not an IPv6", "" },
	{ ":::", 0, "not an IPv6", "" },
	{ "1:2:3", 0, "not an IPv6", "" },
	{ "1::2::3", 0, "not an IPv6", "" },
	{ "12345::", 0, "not an IPv6", "" },
	{ "2001:db8::g", 10, "unexpected", "" },
	{ "2001:db8::1%eth0", 11, "zone", "" },
	{ "2001:db8::/129", 11, "above 128", "" },
	{ "2001:db8::/", 11, "missing", "" },
	{ "::ffff:192.0.2.1", 0, "mapped", "192.0.2.1/32" },
	{ "::ffff:192.0.2.0/120", 0, "mapped", "192.0.2.0/24" },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 0, "too long", "" },
};

static void reading(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct ng_prefix p, again;
		struct ng_bad_word b;
		char text[NG_PREFIX_TEXT];
		bool masked = false, twice = true;
		int err = ng_prefix_parse(good[i].text, strlen(good[i].text), &p, &masked, &b);

		if (!ok(!err, "'%s' is read", good[i].text))
			continue;
		ng_prefix_format(&p, text);
		ok(!strcmp(text, good[i].printed), "'%s' prints as %s", good[i].text,
		   good[i].printed);
		ok(masked == good[i].masked, "'%s': host bits %s", good[i].text,
		   good[i].masked ? "are cleared" : "are clear");
		err = ng_prefix_parse(text, strlen(text), &again, &twice, &b);
		ok(!err && !twice && again.len == p.len && !memcmp(again.addr_be, p.addr_be, 16),
		   "'%s' is read back the same", text);
	}
}

static void refusing(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ng_prefix p;
		struct ng_bad_word b = { .at = 999 };
		bool masked;
		int err = ng_prefix_parse(bad[i].text, strlen(bad[i].text), &p, &masked, &b);

		ok(err && b.at == bad[i].at && strstr(b.what, bad[i].what) &&
			   !strcmp(b.hint, bad[i].hint),
		   "'%s' is refused at %zu: %s", bad[i].text, bad[i].at, bad[i].what);
		if (err && b.at != bad[i].at)
			printf("#   at %zu: %s (%s)\n", b.at, b.what, b.hint);
	}
}

static void nul_byte(void)
{
	struct ng_prefix p;
	struct ng_bad_word b;
	bool masked;

	ok(ng_prefix_parse("10.0.0.1\0", 9, &p, &masked, &b) && b.at == 8, "a NUL byte is refused");
	ok(ng_prefix_parse("::1\0", 4, &p, &masked, &b) && b.at == 3, "in IPv6 too");
}

static void one_address(void)
{
	struct ng_prefix p;
	struct ng_bad_word b;

	ok(!ng_address_parse("192.0.2.7", 9, &p, &b) && p.len == 32, "an address is a full prefix");
	ok(ng_address_parse("192.0.2.7/32", 12, &p, &b) && b.at == 9, "a prefix is not an address");
}

/* Every string that is one edit away from a good one is either
 * read and printed back to the same bits, or refused inside it. */
static void edits(void)
{
	static const char with[] = "0129./:fg -%\xff";
	size_t wrong = 0, read = 0;

	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i].text);

		for (size_t k = 0; k < len * (sizeof(with) - 1); k++) {
			char word[64], text[NG_PREFIX_TEXT];
			struct ng_prefix p, again;
			struct ng_bad_word b;
			bool masked;

			memcpy(word, good[i].text, len + 1);
			word[k / (sizeof(with) - 1)] = with[k % (sizeof(with) - 1)];
			if (ng_prefix_parse(word, len, &p, &masked, &b)) {
				wrong += b.at > len || !b.what[0];
				continue;
			}
			read++;
			ng_prefix_format(&p, text);
			wrong += ng_prefix_parse(text, strlen(text), &again, &masked, &b) ||
				 masked || memcmp(p.addr_be, again.addr_be, 16);
		}
	}
	ok(!wrong && read > 100, "words one character away from good ones: read back or refused");
}

int main(void)
{
	reading();
	refusing();
	nul_byte();
	one_address();
	edits();
	return tap_done();
}
