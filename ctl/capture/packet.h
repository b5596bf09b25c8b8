/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A captured frame as it goes into a file, and how a tap's record becomes one: wall clock, and the
 * VLAN tag that the kernel keeps in metadata put back where it was on the wire. Pure.
 */
#ifndef NG_CTL_CAPTURE_PACKET_H
#define NG_CTL_CAPTURE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include "maps/abi.h"

#define NG_SNAPLEN_MAX 262144 /* as tcpdump's */
#define NG_VLAN_TAG    4

/* What a verdict means: the types of pcapng's epb_verdict
 * (draft-ietf-opsawg-pcapng, section 4.3.1). */
enum ng_verdict_kind { NG_VERDICT_NONE = -1, NG_VERDICT_EBPF_TC = 1, NG_VERDICT_EBPF_XDP = 2 };
enum ng_packet_dir {
	NG_PACKET_DIR_UNKNOWN,
	NG_PACKET_IN,
	NG_PACKET_OUT
}; /* bits 0-1 of epb_flags */

struct ng_packet {
	__u64 wall_ns; /* since 1970, CLOCK_REALTIME */
	const unsigned char *data;
	__u32 caplen, wirelen;
	__u32 iface; /* index into the file's interfaces */
	enum ng_packet_dir dir;
	bool has_queue;
	__u32 queue;
	enum ng_verdict_kind verdict_kind;
	__u64 action;	     /* XDP_* or TC_ACT_*, when there is a verdict */
	__u8 verdict;	     /* enum ng_verdict, when there is one */
	__u64 lost;	     /* packets lost since the last frame of this interface */
	const char *comment; /* NULL: none */
};

/*
 * Bytes of the frame that `rec` and the data behind it make: with the tag, within rec->snaplen. The
 * frame's data points into the record, or into `scratch` (room for caplen + NG_VLAN_TAG) when a tag
 * was put back. tai_offset_s: how many seconds CLOCK_TAI is ahead. Leaves iface, lost and comment
 * zero. rec->caplen bytes must be there.
 */
void ng_packet_from_record(const struct ng_tap_record *rec, int tai_offset_s,
			   unsigned char *scratch, struct ng_packet *f);

/* Direction and verdict as lines show them, each with a blank behind it: "In  drop ", "Out ". Empty
 * when neither is known. */
const char *ng_packet_words(const struct ng_packet *f);

#endif
