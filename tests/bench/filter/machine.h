/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured around filters: calls, the gate without taps, changes of a filter. */
#ifndef NG_TESTS_BENCH_FILTER_MACHINE_H
#define NG_TESTS_BENCH_FILTER_MACHINE_H

#include "maps/abi.h"
#include "tests/bench/filter/bench.h"

/* ns of a call of a BPF subprogram that does nothing. Negative: not known. */
double machine_call(const struct deal *deal, unsigned int rounds);

/* A gate's program as the kernel keeps it. */
struct gate_size {
	unsigned int insns, tap_insns; /* the latter by the lines they come from */
	unsigned int verified;	       /* instructions that the verifier followed */
};
/* Without a tap (expr NULL), or with one that has the filter. 0 or -errno. */
int machine_gate(enum ng_hook hook, const char *expr, struct gate_size *size);

#define CHANGES 20
/*
 * ms from an expression to the program in force that has it as a tap's filter, of each of CHANGES
 * times at an attached gate of a veth pair in a network namespace of its own. In a process of its
 * own. 0 or -errno.
 */
int live_changes(enum ng_hook hook, const char *expr, double *ms);

/*
 * ms to compile "host a or host b .." of n addresses and to load a gate's program with it. Takes
 * at most `limit` seconds: -ETIMEDOUT.
 */
int live_hosts(size_t n, unsigned int limit, double *compile_ms, double *load_ms);

#endif
