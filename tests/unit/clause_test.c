// SPDX-License-Identifier: GPL-2.0-only
/* Clauses as words for a capture file: where there are none to be named. */
#include "ctl/capture/clause.h"

#include "tests/tap.h"

/* Records of a generation whose number's low bits are those of the capture's own: no tables. */
static void test_without_tables(void)
{
	struct ng_clause_cache cache = { 0 };
	struct ng_maps maps = NG_MAPS_INIT;

	ok(!*ng_clause_cached(&cache, &maps, NG_IN, NG_DECIDER(16, 5), NG_DROP),
	   "a clause of the 16th generation, in a view without tables, has no words");
	ok(!*ng_clause_cached(&cache, &maps, NG_IN, NG_DECIDER(1, 5), NG_DROP),
	   "nor has one of another");
	ok(!*ng_clause_cached(&cache, &maps, NG_IN, NG_DECIDER(16, 0), NG_DROP), "nor has none");
}

int main(void)
{
	test_without_tables();
	return tap_done();
}
