/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ethernet frames from a description, with right lengths and checksums, and the mix of frames that
 * `demo send` sends. Pure: no sockets.
 */
#ifndef NG_CTL_NET_FRAMES_H
#define NG_CTL_NET_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NG_FRAME_MAX	   9216 /* bytes, without FCS */
#define NG_FRAME_VLANS_MAX 2

struct ng_frame {
	uint8_t dst_mac[6], src_mac[6];
	struct {
		uint16_t tpid, tci; /* host order */
	} vlan[NG_FRAME_VLANS_MAX]; /* outermost first */
	unsigned int vlans;
	int family;		  /* AF_INET or AF_INET6 */
	uint8_t src[16], dst[16]; /* network order; IPv4 uses the first 4 bytes */
	uint8_t proto;		  /* IPPROTO_UDP, _TCP, _ICMP or _ICMPV6 (echo requests) */
	uint16_t sport, dport;	  /* echo: identifier, sequence */
	uint8_t tcp_flags;
	const void *payload;
	size_t payload_len;
	/*
	 * frag_len not 0: a fragment that carries bytes [frag_off, frag_off + frag_len) of the
	 * datagram (transport header and payload); offsets are multiples of 8, the last fragment
	 * ends where the datagram ends.
	 */
	size_t frag_off, frag_len;
	uint16_t id; /* IPv4 identification, and that of IPv6 fragments */
};

/* Returns the length of the frame in buf.
 * -ENOSPC: does not fit; -EINVAL: a description that makes no frame. */
ssize_t ng_frame_build(const struct ng_frame *frame, uint8_t *buf, size_t size);

/* Text to addresses; both -EINVAL for what is none. ng_frame_addr() sets family too. */
int ng_frame_addr(const char *text, int *family, uint8_t addr[16]);

/*
 * The demo's mix. No frame belongs to two kinds: `filter` matches the frames of its kind and no
 * others, in the reading of pcap-filter(7) for frames as they are on the wire.
 */
struct ng_mix_kind {
	const char *name;
	const char *source; /* prefix all its frames come from */
	const char *filter;
	unsigned int frames; /* in one round */
};

extern const struct ng_mix_kind ng_mix[];
extern const size_t ng_mix_kinds;

/*
 * Builds frame `n` (0 .. frames - 1) of a kind. The destination is the demo's near end by IP
 * address, but nobody by MAC address: no stack answers, so the frames sent are all the frames there
 * are.
 */
ssize_t ng_mix_frame(size_t kind, unsigned int n, const uint8_t src_mac[6], uint8_t *buf,
		     size_t size);

#endif
