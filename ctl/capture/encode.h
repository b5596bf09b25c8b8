/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Savefile formats behind one table of pure encoders: each writes one whole record at `buf` and
 * returns its length. What a record may take at most is known before: ng_encode_room_*().
 *
 *	pcap	classic, nanosecond magic, host byte order (pcap-savefile(5)); verdicts, interfaces
 *		and counters are not kept
 *	pcapng	draft-ietf-opsawg-pcapng, host byte order, all interfaces with one snapshot length
 *		and if_tsresol 9
 *	lines	one line of text per packet, for a terminal without tcpdump
 */
#ifndef NG_CTL_CAPTURE_ENCODE_H
#define NG_CTL_CAPTURE_ENCODE_H

#include <stddef.h>
#include "ctl/capture/packet.h"

enum ng_format { NG_FORMAT_PCAP, NG_FORMAT_PCAPNG, NG_FORMAT_LINES, NG_FORMAT_MAX };

/* An interface at one hook, as a pcapng file describes it. Strings may be NULL or empty. */
struct ng_file_iface {
	const char *name;
	const char *description;
	const char *filter; /* the expression */
	__u64 speed;	    /* bit/s, 0: not known */
};

/* Packets of one interface since the capture began. */
struct ng_file_stats {
	__u64 wall_ns;	 /* when these were read */
	__u64 start_ns;	 /* when the capture began */
	__u64 received;	 /* that passed the tap */
	__u64 accepted;	 /* by the filter */
	__u64 dropped;	 /* for want of room */
	__u64 delivered; /* to this file */
};

struct ng_encoder {
	/* Beginning of the file. */
	size_t (*header)(void *buf, __u32 snaplen);
	/* NULL where the format has no such thing. Interfaces come in order, behind the header. */
	size_t (*iface)(void *buf, const struct ng_file_iface *iface, __u32 snaplen);
	size_t (*packet)(void *buf, const struct ng_packet *f, __u64 id);
	size_t (*stats)(void *buf, __u32 iface, const struct ng_file_stats *s);
};
extern const struct ng_encoder ng_encoder[NG_FORMAT_MAX];

#define NG_COMMENT_MAX		 512  /* of a comment that is written, longer ones are cut */
#define NG_ENCODE_STRING	 1024 /* of any other string that is written */
/* Enough for any header, interface or statistics record; and for the packet record of a frame. */
#define NG_ENCODE_FIXED		 (4 * NG_ENCODE_STRING)
#define NG_ENCODE_PACKET(caplen) ((size_t)(caplen) + NG_ENCODE_FIXED)

#endif
