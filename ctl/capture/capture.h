/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture: from an interface while it lasts, or from a savefile through the same program. */
#ifndef NG_CTL_CAPTURE_CAPTURE_H
#define NG_CTL_CAPTURE_CAPTURE_H

#include "ctl/capture/output.h"
#include "ctl/filter/filter.h"
#include "ctl/net/net.h"

enum ng_hook_wish { NG_HOOK_WISH_AUTO, NG_HOOK_WISH_XDP, NG_HOOK_WISH_TC };

struct ng_capture_spec {
	const char *device;   /* or */
	const char *savefile; /* to read packets from */
	bool dir[NG_DIR_MAX]; /* directions to tap */
	enum ng_hook_wish hook;
	const char *expression; /* as typed, for whoever looks at the tap; NULL: every packet */
	const struct ng_cbpf *filter;
	unsigned int filter_flags; /* enum ng_filter_flags, for its translation */
	__u64 count;		   /* end after that many, 0: no limit */
	__u32 sample_every;	   /* 0 or 1: every packet */
	__u64 buffer;		   /* bytes of all rings, 0: default */
	bool promiscuous;
	const char *bpffs; /* NULL: default */
	struct ng_output_spec output;
};

/* What became of the packets. */
struct ng_capture_counts {
	__u64 captured;	   /* reached the output whole */
	__u64 accepted;	   /* by the filter */
	__u64 ring_full;   /* accepted, but lost for want of room */
	__u64 sampled_out; /* accepted, but not chosen */
	__u64 unwritten;   /* taken from the rings, but a write failed */
	bool valid;	   /* the capture got as far as to listen */
};

/*
 * Both return when the capture has ended: by signal, by count, by the end of the file, or because
 * the reader of the output went away (all 0); because the interface or the gate went away, or
 * because of a write error (-errno, *err filled). counts is filled in either case.
 */
int ng_capture_live(const struct ng_capture_spec *spec, struct ng_capture_counts *counts,
		    struct ng_error *err);
int ng_capture_offline(const struct ng_capture_spec *spec, struct ng_capture_counts *counts,
		       struct ng_error *err);

#endif
