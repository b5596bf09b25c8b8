// SPDX-License-Identifier: GPL-2.0-only
/* How much memory a capture's rings take. */
#include "ctl/capture/rings.h"

#include "tests/tap.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static const struct {
	int cpus;
	uint64_t memory, want;
	const char *name;
} default_row[] = {
	{ 1, 64 * GIB, 64 * MIB, "64 MiB for one CPU" },
	{ 2, 64 * GIB, 128 * MIB, "for two" },
	{ 64, 64 * GIB, 256 * MIB, "256 MiB at most" },
	{ 2, 1000 * MIB, 50 * MIB, "5 % of a small memory" },
};

static const struct {
	uint64_t total;
	int cpus;
	uint64_t want;
	const char *name;
} share_row[] = {
	{ 128 * MIB, 2, 64 * MIB, "a power of two stays" },
	{ 50 * MIB, 2, 16 * MIB, "else the one below" },
	{ 64 * MIB, 3, 16 * MIB, "of the share of one CPU" },
	{ 1, 2, NG_RINGS_MIN, "never less than the longest packet takes" },
	{ 1ull << 40, 1, NG_RINGS_MAX, "never more than a ring can have" },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(default_row) / sizeof(default_row[0]); i++)
		is_int((long long)ng_rings_default_size(default_row[i].cpus, default_row[i].memory),
		       (long long)default_row[i].want, "default: %s", default_row[i].name);
	for (size_t i = 0; i < sizeof(share_row) / sizeof(share_row[0]); i++)
		is_int((long long)ng_rings_share(share_row[i].total, share_row[i].cpus),
		       (long long)share_row[i].want, "share: %s", share_row[i].name);
	return tap_done();
}
