// SPDX-License-Identifier: GPL-2.0-only
/* Numbers: the whole word, in range, with the units that are documented. */
#include <errno.h>

#include "ctl/base/num.h"
#include "tests/tap.h"

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define UNTOUCHED 4711

static const struct {
	const char *word;
	uint64_t min, max;
	int rc;
	uint64_t value;
} plain[] = {
	{ "0", 0, 10, 0, 0 },
	{ "10", 0, 10, 0, 10 },
	{ "007", 0, 10, 0, 7 },
	{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", 0, UINT64_MAX, -ERANGE, UNTOUCHED },
	{ "99999999999999999999999", 0, UINT64_MAX, -ERANGE, UNTOUCHED },
	{ "11", 0, 10, -ERANGE, UNTOUCHED },
	{ "4", 5, 10, -ERANGE, UNTOUCHED },
	{ "", 0, 10, -EINVAL, UNTOUCHED },
	{ "-1", 0, 10, -EINVAL, UNTOUCHED },
	{ "+1", 0, 10, -EINVAL, UNTOUCHED },
	{ " 1", 0, 10, -EINVAL, UNTOUCHED },
	{ "1 ", 0, 10, -EINVAL, UNTOUCHED },
	{ "1x", 0, 10, -EINVAL, UNTOUCHED },
	{ "0x1", 0, 10, -EINVAL, UNTOUCHED },
	{ "1e1", 0, 10, -EINVAL, UNTOUCHED },
	{ "1.0", 0, 10, -EINVAL, UNTOUCHED },
	{ "1K", 0, 10000, -EINVAL, UNTOUCHED },
	{ "http", 0, 10, -EINVAL, UNTOUCHED },
};

static const struct {
	const char *word;
	uint64_t min, max;
	int rc;
	uint64_t value;
} size[] = {
	{ "0", 0, 10, 0, 0 },
	{ "5", 0, 10, 0, 5 },
	{ "1K", 0, UINT64_MAX, 0, 1000 },
	{ "1Ki", 0, UINT64_MAX, 0, 1024 },
	{ "2M", 0, UINT64_MAX, 0, 2000000 },
	{ "2Mi", 0, UINT64_MAX, 0, 2097152 },
	{ "3G", 0, UINT64_MAX, 0, 3000000000 },
	{ "3Gi", 0, UINT64_MAX, 0, 3221225472 },
	{ "4T", 0, UINT64_MAX, 0, 4000000000000 },
	{ "4Ti", 0, UINT64_MAX, 0, 4398046511104 },
	{ "16777215Ti", 0, UINT64_MAX, 0, 16777215ull << 40 },
	{ "16777216Ti", 0, UINT64_MAX, -ERANGE, UNTOUCHED },
	{ "1Ki", 0, 1023, -ERANGE, UNTOUCHED },
	{ "1", 2, 10, -ERANGE, UNTOUCHED },
	{ "1k", 0, UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "1KB", 0, UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "1 K", 0, UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "K", 0, UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "-1K", 0, UINT64_MAX, -EINVAL, UNTOUCHED },
	{ "1.5K", 0, UINT64_MAX, -EINVAL, UNTOUCHED },
};

static void test_u32(void)
{
	uint32_t v = UNTOUCHED;

	is_int(ng_parse_u32("4294967295", 0, UINT32_MAX, &v), 0, "u32: the largest is read");
	is_int(v, UINT32_MAX, "u32: .. as itself");
	v = UNTOUCHED;
	is_int(ng_parse_u32("4294967296", 0, UINT32_MAX, &v), -ERANGE,
	       "u32: one more is out of range");
	is_int(v, UNTOUCHED, "u32: .. and leaves the result alone");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(plain); i++) {
		uint64_t v = UNTOUCHED;

		is_int(ng_parse_u64(plain[i].word, plain[i].min, plain[i].max, &v), plain[i].rc,
		       "u64 '%s': status", plain[i].word);
		ok(v == plain[i].value, "u64 '%s': value", plain[i].word);
	}
	for (size_t i = 0; i < COUNT(size); i++) {
		uint64_t v = UNTOUCHED;

		is_int(ng_parse_size(size[i].word, size[i].min, size[i].max, &v), size[i].rc,
		       "size '%s': status", size[i].word);
		ok(v == size[i].value, "size '%s': value", size[i].word);
	}
	test_u32();
	return tap_done();
}
