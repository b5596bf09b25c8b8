/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where captured packets go: a savefile, standard output, or a terminal by way of tcpdump. Joins an
 * encoder (encode.h) and a sink (sink.h).
 */
#ifndef NG_CTL_CAPTURE_OUTPUT_H
#define NG_CTL_CAPTURE_OUTPUT_H

#include "ctl/base/err.h"
#include "ctl/capture/encode.h"

struct ng_output;

enum ng_format_wish { NG_FORMAT_WISH_AUTO, NG_FORMAT_WISH_PCAPNG, NG_FORMAT_WISH_PCAP };

struct ng_output_spec {
	const char *path; /* NULL: print; "-": standard output */
	enum ng_format_wish format;
	const char *
		print_flags; /* letters for tcpdump, each an option of its own; only for printing */
	bool unbuffered;
	__u32 snaplen;
};

/* What can be told before anything is touched: packets on a terminal, flags that need tcpdump. */
int ng_output_check(const struct ng_output_spec *spec, struct ng_error *err);
/* Creates the file, or starts tcpdump, and writes the head. cancelled: see sink.h. */
int ng_output_open(const struct ng_output_spec *spec, const struct ng_file_iface *iface,
		   size_t ifaces, bool (*cancelled)(void), struct ng_output **out,
		   struct ng_error *err);

/* 0, or the -errno of the write that failed; -EPIPE: the reader went away. */
int ng_output_packet(struct ng_output *o, const struct ng_packet *f);
int ng_output_stats(struct ng_output *o, __u32 iface, const struct ng_file_stats *s);
int ng_output_flush(struct ng_output *o);
bool ng_output_unbuffered(const struct ng_output *o); /* wants a flush after every batch */
__u64 ng_output_packets(const struct ng_output *o);   /* see ng_sink_packets() */

/* Writes the rest and closes; waits for tcpdump. *packets: what arrived.
 * 0 or the first -errno, -EPIPE as above; -ECHILD: tcpdump failed, *err filled. */
int ng_output_close(struct ng_output *o, __u64 *packets, struct ng_error *err);

#endif
