/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs many translated filters over one packet at a time, in every way its bytes can lie in memory.
 * Up to WAYS_FILTERS filters are subprograms of one program per hook, which writes their answers
 * into a mapped array: loading and running cost once for all of them.
 */
#ifndef NG_TESTS_FUZZ_WAYS_H
#define NG_TESTS_FUZZ_WAYS_H

#include "ctl/filter/filter.h"
#include "tests/filter_packets.h"

#define WAYS_FILTERS 32

enum way {
	WAY_XDP,	/* linear */
	WAY_XDP_FRAGS,	/* multi-buffer, linear part of any length */
	WAY_XDP_HELPER, /* nothing but the Ethernet header is linear */
	WAY_TC,
	WAY_TC_TAG,	   /* linear, the tag in metadata */
	WAY_TC_PAGED,	   /* a real buffer with pages; a tag is in metadata, as received */
	WAY_TC_PAGED_TAG,  /* the same, always tagged */
	WAY_TC_PAGED_LONG, /* the same, nothing but the Ethernet header is linear */
	WAYS
};
extern const char *const way_names[WAYS];

/* A packet as on the wire, and how it lies. */
struct run {
	enum way way;
	uint32_t linear; /* bytes that are linear at least, for the ways where it can be said */
};

/*
 * Once in each process; makes a network namespace and a TAP device of its own. 0; -errno: no BPF
 * here, and nothing works. Ways without what they need are closed: why_closed() names it.
 */
int ways_open(void);
const char *way_closed(enum way way); /* NULL: open */

struct ways_filter {
	const struct ng_cbpf *program;
	unsigned int flags; /* for ng_filter_translate() */
	bool in_place;	    /* by ng_filter_inline() where that can be had, else called */
};

enum ways_status {
	WAYS_LOADED,
	WAYS_CROWDED,	   /* loads, but not together with the others */
	WAYS_UNTRANSLATED, /* refused by the translator, in words */
	WAYS_UNEXPLAINED,  /* refused by the translator, without words */
	WAYS_UNVERIFIED,   /* translated, but refused by the verifier: never right */
};

struct ways_state {
	enum ways_status status;
	char text[2048]; /* the translator's words, or the end of the verifier's */
};

enum ways_hook { WAYS_XDP, WAYS_TC, WAYS_HOOKS };
enum ways_hook way_hook(enum way way);

/*
 * Loads them for a hook, in place of what was loaded for it before; n <= WAYS_FILTERS. One that the
 * verifier refuses does not keep the others from being loaded.
 */
void ways_load(enum ways_hook hook, const struct ways_filter *filter, size_t n,
	       struct ways_state *state);

struct ways_cost {
	size_t body, in_place; /* instructions; in_place 0: cannot be had */
	size_t verified; /* instructions that the verifier went through, of the whole program */
};
/* Loads the filter alone to see, but does not keep it. 0; -1: it cannot be loaded. */
int ways_measure(enum ways_hook hook, const struct ways_filter *filter, struct ways_cost *out);

/* Whether a packet can lie so; `run` says how, at random where it is free. */
bool ways_choose(const struct packet *p, enum way way, struct run *run);
/* Whether this packet can lie as `run` says. */
bool ways_fit(const struct packet *p, const struct run *run);
/* answer[i]: of filter i, if it is loaded. 0; -errno: the kernel does not take this packet in this way. */
int ways_run(const struct packet *p, const struct run *run, uint32_t answer[WAYS_FILTERS]);

#endif
