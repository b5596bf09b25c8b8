/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole policies that replace each other under traffic. One drops the sources S and passes T, the
 * other passes S and drops T, each as clauses of their own; packets come from S and T by turns. What
 * becomes of a packet says which policy it met, so that in the order they came, packets change from
 * one policy to the other as often as the policies were replaced, and no more often.
 */
#ifndef NG_TESTS_BENCH_ACL_SWAP_H
#define NG_TESTS_BENCH_ACL_SWAP_H

#include <stddef.h>
#include <stdint.h>

#define SWAPS_MAX 16

struct swap {
	double seconds[SWAPS_MAX]; /* of each ng_gate_acl_make() and its swap */
	unsigned int changes;	   /* of policy, that packets saw */
	uint64_t packets,
		lost;	/* sent; those that the device did not take: nothing is known then */
	uint64_t wrong; /* at least so many met a policy that was not in force */
	double mpps;
	char note[128];
};

struct swap_question {
	size_t n;
	unsigned int swaps, per_second;
};

/* 0 or -errno, with out->note. */
int swap_measure(const struct swap_question *question, struct swap *out);

#endif
