// SPDX-License-Identifier: GPL-2.0-only
/* Durations: which are read and as what, which are refused, what is printed. */
#include "ctl/base/duration.h"

#include <errno.h>

#include "tests/tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	uint32_t seconds;
	const char *printed;
} good[] = {
	{ "90", 90, "1m30s" },
	{ "0", 0, "0s" },
	{ "0s", 0, "0s" },
	{ "10m", 600, "10m" },
	{ "1h30m", 5400, "1h30m" },
	{ "2d", 172800, "2d" },
	{ "1d2h3m4s", 93784, "1d2h3m4s" },
	{ "90m", 5400, "1h30m" },
	{ "007s", 7, "7s" },
	{ "1h0m", 3600, "1h" },
	{ "4294967295", UINT32_MAX, "49710d6h28m15s" },
};

static const struct {
	const char *text;
	int err;
} bad[] = {
	{ "", -EINVAL },
	{ "m", -EINVAL },
	{ "1x", -EINVAL },
	{ "1M", -EINVAL },
	{ "1h30", -EINVAL },
	{ "30m1h", -EINVAL },
	{ "1m1m", -EINVAL },
	{ "-1", -EINVAL },
	{ "1.5h", -EINVAL },
	{ " 1h", -EINVAL },
	{ "1 h", -EINVAL },
	{ "1hours", -EINVAL },
	{ "5ms", -EINVAL },
	{ "1s5ms", -EINVAL },
	{ "4294967296", -ERANGE },
	{ "49711d", -ERANGE },
	{ "99999999999999999999", -ERANGE },
	{ "9999999999999999999d", -ERANGE },
};

int main(void)
{
	char text[NG_DURATION_TEXT];
	uint32_t s;
	uint64_t ms;

	for (size_t i = 0; i < COUNT(good); i++) {
		s = 12345;
		is_int(ng_duration_parse(good[i].text, strlen(good[i].text), &s), 0, "'%s' is read",
		       good[i].text);
		is_int(s, good[i].seconds, "  as %u s", good[i].seconds);
		ng_duration_format(s, text);
		ok(!strcmp(text, good[i].printed), "  and prints as %s", good[i].printed);
		ok(!ng_duration_parse(text, strlen(text), &s) && s == good[i].seconds,
		   "  which is the same");
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		s = 12345;
		is_int(ng_duration_parse(bad[i].text, strlen(bad[i].text), &s), bad[i].err,
		       "'%s' is refused", bad[i].text);
		is_int(s, 12345, "  and nothing is written");
	}
	ok(!ng_duration_parse_ms("1h59m58s992ms", 13, &ms) && ms == 7198992, "nft's milliseconds");
	ok(!ng_duration_parse("1h5", 2, &s) && s == 3600, "nothing behind the end is read");
	return tap_done();
}
