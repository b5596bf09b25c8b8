/* SPDX-License-Identifier: GPL-2.0-only */
/* One set of prefixes in our trie and in the kernel's, and what is measured of both. */
#ifndef NG_TESTS_BENCH_TRIE_RACE_H
#define NG_TESTS_BENCH_TRIE_RACE_H

#include "tests/bench/trie/sets.h"
#include "tests/trie_tables.h"

enum contestant { EMPTY, OURS, KERNEL, CONTESTANTS };
#define ROUNDS_MAX 99

struct tests_bench_trie_trie;

struct race {
	struct tests_bench_trie_trie *skel;
	struct trie_tables tables;
	const struct set *set;
};

/* ns: of one lookup without the empty loop, as medians over the rounds; of the ratio too. */
struct lookup_figures {
	double ours, kernel, ratio;
	bool alike; /* the same leaves */
};

struct load_figures {
	double ours_ns, kernel_ns; /* CPU time for one prefix, sorted; the kernel's in a batch */
	double bytes;		   /* for one prefix: root, nodes, skips, their links */
	double dead;		   /* elements for one prefix that the load used up */
};

struct insert_figures {
	double ours_p50, ours_p99, kernel_p50, kernel_p99; /* ns */
};

/* 0 or -errno. */
int race_open(struct race *race, const struct set *set, unsigned int root_bits);
void race_close(struct race *race);
int race_load(struct race *race, struct load_figures *out);
int race_lookups(struct race *race, enum traffic traffic, unsigned int rounds,
		 struct lookup_figures *out);
/* Random prefixes of full length that come and go. */
int race_inserts(struct race *race, struct insert_figures *out);

#endif
