/* SPDX-License-Identifier: GPL-2.0-only */
/* How fast packets are dropped by source address at a veth device, by whom. */
#ifndef NG_TESTS_BENCH_ACL_DROPS_H
#define NG_TESTS_BENCH_ACL_DROPS_H

#include "tests/bench/acl/sets.h"

enum contestant { EMPTY, TRIE, TRIE_COUNTED, LPM, NFT, IPSET, CONTESTANTS };
extern const char *const contestant_name[CONTESTANTS];

#define ROUNDS_MAX 25

struct contestant_figures {
	bool known;
	char note[160];			   /* why not; or what else is to be said */
	double mpps[TRAFFICS][ROUNDS_MAX]; /* of each round */
	double load_s, add_s;		   /* rivals: of the commands; 0: not measured */
	uint64_t lost;			   /* frames that the device did not take */
};

struct drops {
	size_t n, n_outer; /* prefixes; those that no other covers */
	unsigned int rounds;
	bool wrong; /* somebody dropped or counted others than it should: see its note */
	struct contestant_figures of[CONTESTANTS];
};

struct drops_question {
	size_t n;
	unsigned int rounds, limit; /* as many; seconds for all */
	unsigned int patience;	    /* seconds after which no round begins */
	unsigned int nft_limit;	    /* seconds to load nft's set; 0: not asked */
	bool ours_only;		    /* without nft and ipset */
	bool quick, add;	    /* add: how long rivals take for one address more */
};

/* 0 or -errno. */
int drops_measure(const struct drops_question *question, struct drops *out);
/* Median; 0: not known. */
double drops_mpps(const struct drops *d, enum contestant who, enum traffic traffic);
/* How many times as fast as `slow` `fast` is: median over the rounds. 0: not known. */
double drops_ratio(const struct drops *d, enum traffic traffic, enum contestant fast,
		   enum contestant slow);
/* How many times its fastest round the empty program took, as a median. */
double drops_busy(const struct drops *d);

#endif
