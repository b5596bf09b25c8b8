/* SPDX-License-Identifier: GPL-2.0-only */
/* What the bench of the tries and its programs share. */
#ifndef NG_TESTS_BENCH_TRIE_LOOKUPS_H
#define NG_TESTS_BENCH_TRIE_LOOKUPS_H

#include <linux/types.h>

#define LOOKUPS (1u << 20) /* in one run */
#define LPM_MAX 1100000

/* Addresses, one after another: a word for an IPv4 one, four for an IPv6 one. */
struct lookups {
	__u32 word_be[LOOKUPS * 4];
};

struct lpm_key {
	__u32 len;
	__u32 addr_be[4]; /* IPv4: the first */
};

#endif
