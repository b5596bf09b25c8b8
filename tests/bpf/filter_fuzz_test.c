// SPDX-License-Identifier: GPL-2.0-only
/* A share of what `make fuzz` does, always the same one. */
#include "tests/fuzz/fuzz.h"
#include "tests/tap.h"

#define SEED  0x6e67
#define CASES 300000
#define QUICK 30000

static void test_way(const struct tally *t, enum way way)
{
	if (way_closed(way)) {
		tap_skip(way_closed(way));
		return;
	}
	ok(t->failed[way] == 0, "%s: as the interpreter (%llu cases)", way_names[way],
	   (unsigned long long)t->cases[way]);
	ok(t->accepted[way] > t->cases[way] / 10, "%s: enough packets match (%llu)", way_names[way],
	   (unsigned long long)t->accepted[way]);
}

int main(void)
{
	const char *quick = getenv("NG_QUICK");
	struct tally t = { 0 };

	if (ways_open())
		tap_skip_all(
			"BPF_PROG_LOAD is not permitted (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON)");
	printf("# seed %#x; again: make fuzz FUZZ_SEED=.., with the seed that a failure names\n",
	       SEED);
	fuzz_batches(SEED, 1, quick && *quick ? QUICK : CASES, &t);
	for (enum way way = 0; way < WAYS; way++)
		test_way(&t, way);
	is_int(t.unverified, 0, "what is translated, loads (%llu filters)",
	       (unsigned long long)t.filters);
	is_int(t.unexplained, 0, "what is not translated, is refused in words (%llu filters)",
	       (unsigned long long)t.refused);
	is_int(t.front_failed, 0, "expressions mean what they mean to libpcap (%llu answers)",
	       (unsigned long long)t.compared);
	return tap_done();
}
