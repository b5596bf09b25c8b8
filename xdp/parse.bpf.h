/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a frame's headers, at any hook, and says what of them can be trusted.
 *
 * Every byte is fetched by ng_read(): directly where the frame is linear, by the hook's helper
 * where it is not (multi-buffer XDP, paged skbs). So "the frame ends here" never means "the rest
 * lies in another buffer". A transport header must lie inside the IP packet's own length, not only
 * inside the frame: an Ethernet trailer holds no ports. docs/packets.md lists what each kind of
 * packet gets.
 */
#ifndef NG_XDP_PARSE_BPF_H
#define NG_XDP_PARSE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "maps/acl.bpf.h"
#include "maps/frame.bpf.h"

#define NG_VLAN_TAGS_MAX 2
#define NG_EXT_MAX	 8	/* IPv6 extension headers */
#define NG_OFFSET_MASK	 0x7fff /* no header starts behind: 22 + 40 + NG_EXT_MAX * 2048 < 0x7fff */
#define NG_IP4_OFFSET	 0x1fff /* of a fragment, in its header field */
#define NG_IP6_OFFSET	 0xfff8

struct ng_packet {
	struct ng_flow flow;
	__u32 transport_fault; /* enum ng_reason: why flow is not all known; NG_R_DEFAULT: it is */
	__u16 sport;
	bool arp;
	bool fragment; /* has an IPv6 fragment header */
	__u8 hop_limit;
	__u8 icmp6_type; /* 0: not ICMPv6, or not there */
};

/* False: the frame ends before off + size. `to` is aligned for __u16, for __u32 where size allows;
 * size is constant. */
static __always_inline bool ng_read(const struct ng_frame *f, __u32 off, void *to, __u32 size)
{
	__u64 at = off;
	const void *from;
	__u32 i;

	if (off + size > f->len)
		return false;
	asm volatile("" : "+r"(at));
	at &= NG_OFFSET_MASK;
	from = f->data + at;
	asm volatile("" : "+r"(from));
	if (from + size > f->data_end)
		return !ng_hook_load(f->ctx, off, to, size);
	if (size % sizeof(__u32)) {
		*(__u16 *)to = *(const __u16 *)from;
		return true;
	}
#pragma unroll
	for (i = 0; i < size / sizeof(__u32); i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
	return true;
}

static __always_inline bool ng_is_vlan(__be16 type_be)
{
	return type_be == bpf_htons(ETH_P_8021Q) || type_be == bpf_htons(ETH_P_8021AD) ||
	       type_be == bpf_htons(ETH_P_QINQ1);
}

/*
 * By IP protocol number: bytes of a transport header that begins with ports, NG_EXT for an IPv6
 * header that only leads to another one, 0 for all others (encryption and "no next header" end a
 * chain). A table in memory, because what compares would teach the verifier about a number
 * multiplies the paths it has to walk.
 */
#define NG_EXT 0xff
static const __u8 ng_header_len[256] = {
	[IPPROTO_TCP] = 20,
	[IPPROTO_UDP] = 8,
	[IPPROTO_UDPLITE] = 8,
	[IPPROTO_SCTP] = 12,
	[IPPROTO_HOPOPTS] = NG_EXT,
	[IPPROTO_ROUTING] = NG_EXT,
	[IPPROTO_FRAGMENT] = NG_EXT,
	[IPPROTO_AH] = NG_EXT,
	[IPPROTO_DSTOPTS] = NG_EXT,
	[IPPROTO_MH] = NG_EXT,
	[139] = NG_EXT, /* HIP, RFC 7401 */
	[140] = NG_EXT, /* Shim6, RFC 5533 */
};

static __always_inline bool ng_is_ext(__u8 proto)
{
	return ng_header_len[proto] == NG_EXT;
}

/* Bytes of a transport header that begins with ports, 0 if this one does not. */
static __always_inline __u32 ng_ports_len(__u8 proto)
{
	return ng_is_ext(proto) ? 0 : ng_header_len[proto];
}

static __always_inline void ng_parse_transport(const struct ng_frame *f, struct ng_packet *p,
					       __u32 off, __u32 end)
{
	__u32 len = ng_ports_len(p->flow.proto);
	__be16 port_be[2];

	if (len) {
		p->flow.ports = NG_PORTS_UNKNOWN;
		p->transport_fault = NG_R_TRUNC_L4;
		if (off + len > end || !ng_read(f, off, port_be, sizeof(port_be)))
			return;
		p->flow.ports = NG_PORTS_KNOWN;
		p->transport_fault = NG_R_DEFAULT;
		p->sport = bpf_ntohs(port_be[0]);
		p->flow.dport = bpf_ntohs(port_be[1]);
	} else if (p->flow.proto == IPPROTO_ICMPV6 && p->flow.family == NG_IPV6) {
		if (off + sizeof(port_be) <= end && ng_read(f, off, port_be, sizeof(port_be)))
			p->icmp6_type = bpf_ntohs(port_be[0]) >> 8;
	}
}

static __always_inline enum ng_reason ng_parse_ip4(const struct ng_frame *f, struct ng_packet *p,
						   __u32 off)
{
	__u32 head, total, rest = f->len - off;
	struct iphdr ip;

	p->flow.family = NG_IPV4;
	if (!ng_read(f, off, &ip, sizeof(ip)))
		return NG_R_TRUNC_IP;
	head = ip.ihl * 4;
	if (ip.version != 4 || head < sizeof(ip))
		return NG_R_BAD_IP;
	if (head > rest)
		return NG_R_TRUNC_IP;
	total = bpf_ntohs(ip.tot_len);
	if (!total && f->gso)
		total = rest;
	if (total < head || total > rest)
		return NG_R_BAD_IP;
	p->flow.addr[NG_SRC].prefixlen = p->flow.addr[NG_DST].prefixlen = 32;
	p->flow.addr[NG_SRC].addr_be[0] = ip.saddr;
	p->flow.addr[NG_DST].addr_be[0] = ip.daddr;
	p->flow.proto = ip.protocol;
	if (!(ip.frag_off & bpf_htons(NG_IP4_OFFSET))) {
		ng_parse_transport(f, p, off + head, off + total);
	} else if (ng_ports_len(p->flow.proto)) {
		p->flow.ports = NG_PORTS_UNKNOWN;
		p->transport_fault = NG_R_FRAGMENT;
	}
	return NG_R_DEFAULT;
}

/* The first bytes of any IPv6 extension header; `offset_be` is a fragment header's. */
struct ng_ext {
	__u8 next;
	__u8 len;
	__be16 offset_be;
};

static __always_inline __u32 ng_ext_len(__u8 type, __u8 len)
{
	if (type == IPPROTO_FRAGMENT)
		return 8;
	return type == IPPROTO_AH ? (len + 2) * 4 : (len + 1) * 8;
}

static __always_inline void ng_set_unknown(struct ng_packet *p, enum ng_reason fault,
					   bool proto_unknown)
{
	p->transport_fault = fault;
	p->flow.proto_unknown = proto_unknown;
	p->flow.ports = NG_PORTS_UNKNOWN;
}

/* Walks from the header at off, of type p->flow.proto, to the transport header. */
static __always_inline void ng_parse_ext(const struct ng_frame *f, struct ng_packet *p, __u32 off,
					 __u32 end)
{
	struct ng_ext ext;
	__u32 i, len;

	for (i = 0; i < NG_EXT_MAX && ng_is_ext(p->flow.proto); i++) {
		if ((p->flow.proto == IPPROTO_HOPOPTS && i) || !ng_read(f, off, &ext, sizeof(ext)))
			return ng_set_unknown(p, NG_R_EXT_HEADERS, true);
		len = ng_ext_len(p->flow.proto, ext.len);
		if (off + len > end)
			return ng_set_unknown(p, NG_R_EXT_HEADERS, true);
		if (p->flow.proto == IPPROTO_FRAGMENT) {
			p->fragment = true;
			if (ext.offset_be & bpf_htons(NG_IP6_OFFSET)) {
				p->flow.proto = ext.next;
				if (ng_is_ext(p->flow.proto) || ng_header_len[p->flow.proto])
					ng_set_unknown(p, NG_R_FRAGMENT, ng_is_ext(p->flow.proto));
				return;
			}
		}
		p->flow.proto = ext.next;
		off += len;
	}
	if (ng_is_ext(p->flow.proto))
		return ng_set_unknown(p, NG_R_EXT_HEADERS, true);
	ng_parse_transport(f, p, off, end);
}

static __always_inline enum ng_reason ng_parse_ip6(const struct ng_frame *f, struct ng_packet *p,
						   __u32 off)
{
	__u32 rest = f->len - off - sizeof(struct ipv6hdr), payload;
	struct ipv6hdr ip;

	p->flow.family = NG_IPV6;
	if (!ng_read(f, off, &ip, sizeof(ip)))
		return NG_R_TRUNC_IP;
	payload = bpf_ntohs(ip.payload_len);
	if (!payload && f->gso)
		payload = rest;
	if (ip.version != 6 || payload > rest || (!payload && ip.nexthdr == IPPROTO_HOPOPTS))
		return NG_R_BAD_IP;
	p->flow.addr[NG_SRC].prefixlen = p->flow.addr[NG_DST].prefixlen = 128;
	__builtin_memcpy(p->flow.addr[NG_SRC].addr_be, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(p->flow.addr[NG_DST].addr_be, &ip.daddr, sizeof(ip.daddr));
	p->hop_limit = ip.hop_limit;
	p->flow.proto = ip.nexthdr;
	off += sizeof(ip);
	ng_parse_ext(f, p, off, off + payload);
	return NG_R_DEFAULT;
}

/*
 * Fills a zeroed *p. NG_R_DEFAULT: addresses are readable (p->transport_fault says what else is
 * not); NG_R_NON_IP; else why not even they can be trusted, and p->flow.family as far as that is
 * known.
 */
static __always_inline enum ng_reason ng_parse(const struct ng_frame *f, struct ng_packet *p)
{
	__u32 off = ETH_HLEN, tags = f->vlan_tpid != 0;
	__be16 type_be;

	p->flow.family = NG_FAMILY_MAX;
	if (f->len < ETH_HLEN || !ng_read(f, ETH_HLEN - sizeof(type_be), &type_be, sizeof(type_be)))
		return NG_R_TRUNC_ETH;
#pragma unroll
	for (int i = 0; i < NG_VLAN_TAGS_MAX; i++) {
		if (!ng_is_vlan(type_be))
			break;
		if (!ng_read(f, off + 2, &type_be, sizeof(type_be)))
			return NG_R_TRUNC_ETH;
		off += 4;
		tags++;
	}
	if (tags > NG_VLAN_TAGS_MAX || ng_is_vlan(type_be))
		return NG_R_VLAN_DEPTH;
	p->arp = type_be == bpf_htons(ETH_P_ARP);
	if (type_be == bpf_htons(ETH_P_IP))
		return ng_parse_ip4(f, p, off);
	if (type_be == bpf_htons(ETH_P_IPV6))
		return ng_parse_ip6(f, p, off);
	return NG_R_NON_IP;
}

#endif
