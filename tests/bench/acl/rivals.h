/* SPDX-License-Identifier: GPL-2.0-only */
/* What else drops by address at the interface: sets of nftables and of ipset. */
#ifndef NG_TESTS_BENCH_ACL_RIVALS_H
#define NG_TESTS_BENCH_ACL_RIVALS_H

#include "tests/bench/acl/place.h"

struct rival {
	const char *name;
	/*
	 * Has a device drop what comes from these prefixes, and everything else by another rule.
	 * *seconds: of the command that loads the set. 0, or -errno with why.
	 */
	int (*load)(const struct pair *pair, const struct set *set, unsigned int limit,
		    double *seconds, char why[128]);
	/* How many packets its rules have dropped. */
	int (*dropped)(const struct pair *pair, uint64_t *hits, uint64_t *others);
	/* The command that adds one address. */
	int (*add)(uint32_t addr, unsigned int limit, double *seconds);
};

extern const struct rival rival_nft, rival_ipset;

#endif
