// SPDX-License-Identifier: GPL-2.0-only
/* Durations: text to seconds and back. */
#include "ctl/base/duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Largest first, which is also the order in a text. */
static const struct {
	const char *name;
	uint32_t ms;
} units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

static int read_digits(const char *text, size_t len, size_t *at, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = *at;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return -ERANGE;
	if (i == *at)
		return -EINVAL;
	*at = i;
	*out = v;
	return 0;
}

/* The unit at text[*at], which must be one from units[*next] on; none at all: seconds. */
static int read_unit(const char *text, size_t len, size_t *at, size_t *next)
{
	size_t n = 0;

	while (*at + n < len && text[*at + n] >= 'a' && text[*at + n] <= 'z')
		n++;
	for (size_t i = *next; n && i < COUNT(units); i++) {
		if (strlen(units[i].name) != n || memcmp(text + *at, units[i].name, n))
			continue;
		*at += n;
		*next = i + 1;
		return 0;
	}
	return -EINVAL;
}

int ng_duration_parse_ms(const char *text, size_t len, uint64_t *ms)
{
	uint64_t sum = 0, v;
	size_t at = 0, next = 0;

	do {
		int err = read_digits(text, len, &at, &v);

		if (err)
			return err;
		if (at == len && !next)
			next = 4; /* a bare number */
		else if (read_unit(text, len, &at, &next))
			return -EINVAL;
		if (__builtin_mul_overflow(v, (uint64_t)units[next - 1].ms, &v) ||
		    __builtin_add_overflow(sum, v, &sum))
			return -ERANGE;
	} while (at < len);
	*ms = sum;
	return 0;
}

int ng_duration_parse(const char *text, size_t len, uint32_t *seconds)
{
	uint64_t ms;
	int err = ng_duration_parse_ms(text, len, &ms);

	if (err)
		return err;
	if (len > 1 && !memcmp(text + len - 2, "ms", 2))
		return -EINVAL;
	if (ms / 1000 > UINT32_MAX)
		return -ERANGE;
	*seconds = (uint32_t)(ms / 1000);
	return 0;
}

void ng_duration_format(uint32_t seconds, char text[NG_DURATION_TEXT])
{
	uint64_t ms = (uint64_t)seconds * 1000;
	size_t used = 0;

	for (size_t i = 0; i + 1 < COUNT(units); i++) {
		if (ms < units[i].ms && (seconds || units[i].ms != 1000))
			continue;
		used += (size_t)snprintf(text + used, NG_DURATION_TEXT - used, "%u%s",
					 (unsigned int)(ms / units[i].ms), units[i].name);
		ms %= units[i].ms;
	}
}
