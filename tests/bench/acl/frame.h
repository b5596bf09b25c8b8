/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames of the bench of the ACL, and what sends them: live frames of BPF_PROG_TEST_RUN. */
#ifndef NG_TESTS_BENCH_ACL_FRAME_H
#define NG_TESTS_BENCH_ACL_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "tests/bench/acl/state.h"

#define FRAME_IP  14		      /* where its IPv4 header is */
#define FRAME_MAC "02:00:00:00:00:02" /* where it goes; by `ip link` */

/* A UDP packet from addr (host order); all checksums are right. */
void frame_make(uint32_t addr, uint8_t frame[FRAME_LEN]);

struct blast {
	struct tests_bench_acl_blast *skel;
	struct blast_state *state; /* mapped */
	struct source *source;	   /* mapped: SOURCES */
	uint8_t *seen;		   /* mapped: SEEN_MAX, for who watches; else NULL */
};

/* 0 or -errno. */
int blast_open(struct blast *b, bool with_watch);
void blast_close(struct blast *b);
/* Puts traffic in. */
void blast_fill(struct blast *b, const struct source *source);
/* Sends the next n frames out of a device, as fast as it takes them. *seconds: from the first frame
 * to the last. 0 or -errno. */
int blast_run(struct blast *b, unsigned int ifindex, uint32_t n, double *seconds);
/* Sends stamped frames at a rate until a signal comes. */
int blast_until_signal(struct blast *b, unsigned int ifindex, unsigned int per_second);

/* Descriptors, the blast's. */
int blast_drop_prog(const struct blast *b);
int blast_watch_prog(const struct blast *b);

#endif
