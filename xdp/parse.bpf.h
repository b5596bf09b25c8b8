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
	__u8 fragment; /* not 0: has an IPv6 fragment header */
	__u8 hop_limit;
	__u8 icmp6_type; /* 0: not ICMPv6, or not there */
};

/*
 * False: the frame ends before off + size. size is a constant; `to` is aligned as it allows. The
 * pointers are fetched anew each time, so that the verifier has nothing to remember about them.
 * Where the linear part ends before, the helper knows the frame's end.
 */
static __always_inline bool ng_read(const struct ng_frame *f, __u32 off, void *to, __u32 size)
{
	void *ctx = f->ctx, *from, *end;
	__u64 at = off;
	__u32 i;

	asm volatile("" : "+r"(at), "+r"(ctx));
	at &= NG_OFFSET_MASK;
	from = ng_hook_data(ctx, &end) + at;
	asm volatile("" : "+r"(from));
	if (from + size > end)
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
 * By IP protocol number: for a transport header that begins with ports its length in words; for an
 * IPv6 header that only leads to another one NG_EXT and how that is read; 0 for all others
 * (encryption and "no next header" end a chain). A table in memory, because what comparisons teach
 * the verifier about a number multiplies the paths it has to walk.
 */
#define NG_WORDS	0x0f
#define NG_EXT		0x80
#define NG_EXT_FIRST	0x40 /* only allowed as the first one */
#define NG_EXT_FRAGMENT 0x20 /* 8 bytes; the others have a length field, in units of 8 bytes */
#define NG_EXT_AH	0x10 /* in units of 4 bytes */
static const __u8 ng_proto_kind[256] = {
	[IPPROTO_TCP] = 5,
	[IPPROTO_UDP] = 2,
	[IPPROTO_UDPLITE] = 2,
	[IPPROTO_SCTP] = 3,
	[IPPROTO_HOPOPTS] = NG_EXT | NG_EXT_FIRST,
	[IPPROTO_ROUTING] = NG_EXT,
	[IPPROTO_FRAGMENT] = NG_EXT | NG_EXT_FRAGMENT,
	[IPPROTO_AH] = NG_EXT | NG_EXT_AH,
	[IPPROTO_DSTOPTS] = NG_EXT,
	[IPPROTO_MH] = NG_EXT,
	[139] = NG_EXT, /* HIP, RFC 7401 */
	[140] = NG_EXT, /* Shim6, RFC 5533 */
};

static __always_inline void ng_set_unknown(struct ng_packet *p, enum ng_reason fault)
{
	p->transport_fault = fault;
	p->flow.ports = NG_PORTS_UNKNOWN;
}

static __always_inline void ng_set_ports(struct ng_packet *p, const __be16 port_be[2])
{
	p->flow.ports = NG_PORTS_KNOWN;
	p->sport = bpf_ntohs(port_be[0]);
	p->flow.dport = bpf_ntohs(port_be[1]);
}

static __always_inline void ng_set_ip4(struct ng_packet *p, const struct iphdr *ip)
{
	p->flow.family = NG_IPV4;
	p->flow.addr[NG_SRC].prefixlen = p->flow.addr[NG_DST].prefixlen = 32;
	p->flow.addr[NG_SRC].addr_be[0] = ip->saddr;
	p->flow.addr[NG_DST].addr_be[0] = ip->daddr;
	p->flow.proto = ip->protocol;
}

/* Reads what matters of the transport header in [off, end). */
static __always_inline void ng_parse_transport(const struct ng_frame *f, struct ng_packet *p,
					       __u32 off, __u32 end)
{
	__u32 len = (ng_proto_kind[p->flow.proto] & NG_WORDS) * 4;
	__be16 word_be[2];
	bool there =
		off + (len ?: sizeof(word_be)) <= end && ng_read(f, off, word_be, sizeof(word_be));

	if (!len) {
		if (there && p->flow.family == NG_IPV6 && p->flow.proto == IPPROTO_ICMPV6)
			p->icmp6_type = bpf_ntohs(word_be[0]) >> 8;
		return;
	}
	if (!there)
		return ng_set_unknown(p, NG_R_TRUNC_L4);
	ng_set_ports(p, word_be);
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
	ng_set_ip4(p, &ip);
	if (!(ip.frag_off & bpf_htons(NG_IP4_OFFSET))) {
		ng_parse_transport(f, p, off + head, off + total);
	} else if (ng_proto_kind[p->flow.proto] & NG_WORDS) {
		ng_set_unknown(p, NG_R_FRAGMENT);
	}
	return NG_R_DEFAULT;
}

/* The first bytes of any IPv6 extension header; `offset_be` is a fragment header's. */
struct ng_ext {
	__u8 next;
	__u8 len;
	__be16 offset_be;
};

/* A walk through IPv6 extension headers, before and after. */
struct ng_walk {
	__u32 off, end; /* of the next header; behind the last one's data */
	__u32 fault;	/* enum ng_reason */
	__u8 proto;	/* of the header at off */
	__u8 fragment;	/* not 0: there was a fragment header */
	__u8 not_first; /* not 0: of a fragment that is not the first */
};

/*
 * Walks from an extension header to the header that is none. A function of its own kind (global),
 * so that the verifier walks its paths once and not once for each way that leads here; only
 * packets with extension headers pay for the call.
 */
__noinline int ng_walk_ext(struct NG_CTX *ctx, struct ng_walk *w)
{
	struct ng_frame f = { .ctx = ctx };
	struct ng_ext ext;
	__u32 i, len;
	__u8 kind;

	if (!w)
		return 0;
	for (i = 0; i < NG_EXT_MAX && !w->not_first; i++) {
		kind = ng_proto_kind[w->proto];
		if (!(kind & NG_EXT))
			return 0;
		if ((kind & NG_EXT_FIRST && i) || !ng_read(&f, w->off, &ext, sizeof(ext)))
			break;
		len = kind & NG_EXT_AH ? (ext.len + 2) * 4 : (ext.len + 1) * 8;
		if (kind & NG_EXT_FRAGMENT) {
			len = 8;
			w->fragment = 1;
			w->not_first = (ext.offset_be & bpf_htons(NG_IP6_OFFSET)) != 0;
		}
		w->off += len;
		if (w->off > w->end)
			break;
		w->proto = ext.next;
	}
	if (w->off > w->end || (!w->not_first && ng_proto_kind[w->proto] & NG_EXT))
		w->fault = NG_R_EXT_HEADERS;
	return 0;
}

static __always_inline void ng_parse_ext(const struct ng_frame *f, struct ng_packet *p, __u32 off,
					 __u32 end)
{
	struct ng_walk w = { .off = off, .end = end, .proto = p->flow.proto };
	__u8 kind;

	if (ng_proto_kind[w.proto] & NG_EXT)
		ng_walk_ext(f->ctx, &w);
	kind = ng_proto_kind[w.proto];
	p->flow.proto = w.proto;
	p->flow.proto_unknown = kind & NG_EXT;
	p->fragment = w.fragment;
	if (w.fault != NG_R_DEFAULT)
		ng_set_unknown(p, NG_R_EXT_HEADERS);
	else if (!w.not_first)
		ng_parse_transport(f, p, w.off, w.end);
	else if (kind)
		ng_set_unknown(p, NG_R_FRAGMENT);
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

#define NG_PLAIN_IHL 5 /* words of an IPv4 header without options */

/*
 * The way of most packets: IPv4 without tags, options and faults, no later fragment, with one test of where
 * the linear part ends in place of three. False: it may be something else; *p is as it was.
 */
static __always_inline bool ng_parse_plain(const struct ng_frame *f, struct ng_packet *p)
{
	void *end;
	const struct iphdr *ip = ng_hook_data(f->ctx, &end) + ETH_HLEN;
	const __be16 *type_be = (const __be16 *)ip - 1, *port_be = (const __be16 *)(ip + 1);
	__u32 total, words;

	if ((void *)(port_be + 2) > end || *type_be != bpf_htons(ETH_P_IP) || ip->version != 4 ||
	    ip->ihl != NG_PLAIN_IHL || ip->frag_off & bpf_htons(NG_IP4_OFFSET))
		return false;
	total = bpf_ntohs(ip->tot_len);
	words = ng_proto_kind[ip->protocol] & NG_WORDS;
	if (total < (NG_PLAIN_IHL + words) * 4 || total > f->len - ETH_HLEN)
		return false;
	ng_set_ip4(p, ip);
	if (words)
		ng_set_ports(p, port_be);
	return true;
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

	if (ng_parse_plain(f, p))
		return NG_R_DEFAULT;
	p->flow.family = NG_FAMILY_MAX;
	if (!ng_read(f, ETH_HLEN - sizeof(type_be), &type_be, sizeof(type_be)))
		return NG_R_TRUNC_ETH;
#pragma unroll
	for (int i = 0; i <= NG_VLAN_TAGS_MAX && ng_is_vlan(type_be); i++) {
		if (tags++ == NG_VLAN_TAGS_MAX)
			return NG_R_VLAN_DEPTH;
		if (!ng_read(f, off + 2, &type_be, sizeof(type_be)))
			return NG_R_TRUNC_ETH;
		off += NG_VLAN_LEN;
	}
	p->arp = type_be == bpf_htons(ETH_P_ARP);
	if (type_be == bpf_htons(ETH_P_IP))
		return ng_parse_ip4(f, p, off);
	if (type_be == bpf_htons(ETH_P_IPV6))
		return ng_parse_ip6(f, p, off);
	return NG_R_NON_IP;
}

#endif
