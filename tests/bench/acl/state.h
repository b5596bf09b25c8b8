/* SPDX-License-Identifier: GPL-2.0-only */
/* What the bench of the ACL and its programs share. */
#ifndef NG_TESTS_BENCH_ACL_STATE_H
#define NG_TESTS_BENCH_ACL_STATE_H

#include <linux/types.h>

#define FRAME_LEN 64	     /* bytes, without FCS: Ethernet, IPv4, UDP, zeros */
#define STAMP_AT  60	     /* where in it a stamp goes */
#define SOURCES	  (1u << 20) /* addresses in a table of traffic */
#define SEEN_MAX  (1u << 25) /* stamps that the watch can keep */

/* A source address and the header checksum that goes with it, as in the packet. */
struct source {
	__be32 addr_be;
	__u16 sum;
	__u16 pad;
};

/* Where the generator is. Frame number i has source i % SOURCES. */
struct blast_state {
	__u64 next, limit;	/* number of the next frame; where it ends */
	__u64 start_ns, end_ns; /* of the first and the last frame, CLOCK_MONOTONIC */
	__u64 gap_ns, due_ns;	/* between frames, 0: none; of the next */
	__u32 ifindex;		/* where they go */
	__u32 stamp;		/* write the number's low bits at STAMP_AT */
};

#endif
