/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of a savefile through the very program that an interface would run: BPF_PROG_TEST_RUN for
 * each, and the tap's record says whether, and how much of it, the filter kept.
 *
 * What a test run cannot be given is answered by libpcap's interpreter: records that hold less than
 * the frame (the program would see a shorter frame), frames without a whole Ethernet header, and
 * what the kernel refuses for its size.
 */
#ifndef NG_CTL_CAPTURE_REPLAY_H
#define NG_CTL_CAPTURE_REPLAY_H

#include "ctl/filter/filter.h"
#include "maps/abi.h"

struct ng_replay;

struct ng_replayed {
	__u64 wall_ns;
	const unsigned char *data; /* until the next call */
	__u32 caplen, wirelen;
	__u32 keep; /* what the filter answers, at most NG_SNAPLEN_MAX */
};

/* path "-": stdin. flags: enum ng_filter_flags, for the translation. Ethernet only: -EOPNOTSUPP. Loads the program; attaches nothing. */
int ng_replay_open(const char *path, const struct ng_cbpf *filter, unsigned int flags,
		   enum ng_hook hook, struct ng_replay **out, struct ng_error *err);
/* 1 with *p, 0 at the end, -errno with *err. */
int ng_replay_next(struct ng_replay *r, struct ng_replayed *p, struct ng_error *err);
/* How many packets the program answered, how many libpcap's interpreter. */
void ng_replay_counts(const struct ng_replay *r, __u64 *runs, __u64 *interpreted);
void ng_replay_close(struct ng_replay *r); /* NULL ok */

#endif
