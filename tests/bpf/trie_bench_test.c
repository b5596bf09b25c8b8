// SPDX-License-Identifier: GPL-2.0-only
/* The bench of the tries measures what it says: sets of prefixes, traffic, both tries alike. */
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "tests/bench/trie/race.h"
#include "tests/random.h"
#include "tests/tap.h"

#define PREFIXES 3000

static void test_set(const struct set *set)
{
	unsigned int full = set->family == NG_IPV4 ? 32 : 128, hosts = 0, unsorted = 0;
	int d;

	for (size_t i = 0; i < set->n; i++) {
		hosts += set->prefix[i].len == full;
		d = i ? memcmp(set->prefix[i - 1].addr_be, set->prefix[i].addr_be, 16) : -1;
		unsorted += d > 0 || (!d && set->prefix[i - 1].len >= set->prefix[i].len);
	}
	is_int(unsorted, 0, "%u different prefixes, sorted", PREFIXES);
	ok(hosts > PREFIXES / 3 && hosts < PREFIXES * 2 / 3, "%u of full length", hosts);
}

static void test_family(enum ng_family family)
{
	struct lookup_figures lookup;
	struct insert_figures insert;
	struct load_figures load;
	struct race race;
	struct set set;
	uint32_t used;

	if (!ok(!set_make(&set, family, PREFIXES) && !race_open(&race, &set, 16), "IPv%d: a race",
		family == NG_IPV4 ? 4 : 6))
		return;
	test_set(&set);
	is_int(race_load(&race, &load), 0, "both are loaded");
	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		ok(!race_lookups(&race, (enum traffic)traffic, 1, &lookup) && lookup.alike,
		   "traffic %d: the same leaves", traffic);
	used = race.tables.node_pool.used + race.tables.skip_pool.used;
	ok(!race_inserts(&race, &insert) && insert.ours_p50 <= insert.ours_p99, "inserts");
	ok(used == race.tables.node_pool.used + race.tables.skip_pool.used &&
		   trie_accounts_fit(&race.tables),
	   "leave the trie as it was");
	race_close(&race);
	set_free(&set);
}

int main(void)
{
	if (geteuid())
		tap_skip_all("not root");
	libbpf_set_print(NULL);
	random_seed(7);
	test_family(NG_IPV4);
	test_family(NG_IPV6);
	return tap_done();
}
