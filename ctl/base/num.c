// SPDX-License-Identifier: GPL-2.0-only
/* Strict number parsing. */
#include "ctl/base/num.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Reads digits; *end points behind them. */
static int read_digits(const char *word, const char **end, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = word;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	if (p == word)
		return -EINVAL;
	*end = p;
	*out = v;
	return 0;
}

int ng_parse_u64(const char *word, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *end;
	uint64_t v;
	int err = read_digits(word, &end, &v);

	if (err)
		return err;
	if (*end)
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int ng_parse_u32(const char *word, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v;
	int err = ng_parse_u64(word, min, max, &v);

	if (!err)
		*out = (uint32_t)v;
	return err;
}

int ng_parse_size(const char *word, uint64_t min, uint64_t max, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} unit[] = {
		{ "", 1 },
		{ "K", 1000 },
		{ "M", 1000000 },
		{ "G", 1000000000 },
		{ "T", 1000000000000 },
		{ "Ki", 1024 },
		{ "Mi", 1ull << 20 },
		{ "Gi", 1ull << 30 },
		{ "Ti", 1ull << 40 },
	};
	const char *end;
	uint64_t v;
	int err = read_digits(word, &end, &v);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (strcmp(end, unit[i].name))
			continue;
		if (__builtin_mul_overflow(v, unit[i].factor, &v) || v < min || v > max)
			return -ERANGE;
		*out = v;
		return 0;
	}
	return -EINVAL;
}
