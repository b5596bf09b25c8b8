/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes and traffic of the bench of the ACL: always the same ones.
 *
 * Half of the prefixes are as long as routes in BGP are (60 % /24, none shorter than /16), half are
 * hosts, every other of those in few /20s. Nothing is in 198.18.0.0/15, which is for changes.
 */
#ifndef NG_TESTS_BENCH_ACL_SETS_H
#define NG_TESTS_BENCH_ACL_SETS_H

#include <stddef.h>
#include <stdint.h>
#include "maps/acl.h"
#include "tests/bench/acl/state.h"

struct net {
	uint32_t addr; /* host order, host bits zero */
	uint32_t len;
};

struct set {
	size_t n, n_outer;
	struct net *net;   /* different ones, in random order */
	struct net *outer; /* those that no other covers, by address */
};

enum traffic {
	HITS,	/* uniform over the prefixes */
	HOT,	/* 4,000 such addresses, again and again in random order */
	MISSES, /* anywhere else */
	TRAFFICS
};
extern const char *const traffic_name[TRAFFICS];

/* 0 or -ENOMEM. */
int set_make(struct set *set, size_t n);
void set_free(struct set *set);
/* SOURCES addresses. */
void set_traffic(const struct set *set, enum traffic traffic, struct source *source);
struct source set_source(uint32_t addr);

/* A clause for each, with this verdict. malloc'ed. */
struct ng_acl_item *set_items(const struct net *net, size_t n, __u8 verdict);
struct ng_acl_item set_item(const struct net *net, __u8 verdict);
/* Address /i of those that are for changes. */
struct net set_spare(size_t i);

#endif
