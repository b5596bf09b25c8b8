/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes and traffic of the bench of the tries.
 *
 * IPv4: half as long as routes in BGP are (60 % /24), half /32, half of those in few /24s.
 * IPv6: in allocations of registries; 60 % /29 to /64, 40 % /128.
 */
#ifndef NG_TESTS_BENCH_TRIE_SETS_H
#define NG_TESTS_BENCH_TRIE_SETS_H

#include <stddef.h>
#include <stdint.h>
#include "maps/prefix.h"

enum traffic {
	HITS,	/* uniform over the prefixes */
	RANDOM, /* anywhere; IPv6: in the allocations */
	ZIPF,	/* s = 1.1 over 100,000 hosts of prefixes */
	TRAFFICS
};

struct set {
	enum ng_family family;
	size_t n, allocations;
	struct ng_prefix *prefix; /* different ones: by address, then length */
	uint32_t *allocation;	  /* IPv6: the first 32 bits */
};

/* 0 or -ENOMEM. */
int set_make(struct set *set, enum ng_family family, size_t n);
void set_free(struct set *set);
/* n addresses, one word_be each, or four. */
int set_traffic(const struct set *set, enum traffic traffic, uint32_t *word_be, size_t n);
struct ng_prefix set_random_address(const struct set *set);

#endif
