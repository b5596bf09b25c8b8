// SPDX-License-Identifier: GPL-2.0-only
/* Building Ethernet frames, and the demo's mix of them. */
#include "ctl/net/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>

#define TTL	   64
#define TCP_WINDOW 64240

/* A buffer that is written from the front; `failed` stays set once something did not fit. */
struct writer {
	uint8_t *buf;
	size_t size, len;
	bool failed;
};

static void put(struct writer *w, const void *data, size_t len)
{
	if (w->failed || len > w->size - w->len) {
		w->failed = true;
		return;
	}
	if (len)
		memcpy(w->buf + w->len, data, len);
	w->len += len;
}

static void put_be16(struct writer *w, uint16_t value)
{
	uint16_t value_be = htons(value);

	put(w, &value_be, sizeof(value_be));
}

/* RFC 1071; data need not be aligned. */
static uint32_t sum_bytes(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return len ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t addr_len(const struct ng_frame *f)
{
	return f->family == AF_INET ? 4 : 16;
}

static uint16_t transport_checksum(const struct ng_frame *f, const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	if (f->proto != IPPROTO_ICMP) {
		sum = sum_bytes(sum, f->src, addr_len(f));
		sum = sum_bytes(sum, f->dst, addr_len(f));
		sum += f->proto + (uint32_t)len;
	}
	return sum_fold(sum_bytes(sum, data, len));
}

/* Writes the transport header without its checksum;
 * returns the offset of the checksum in it, or -EINVAL. */
static int put_transport_header(struct writer *w, const struct ng_frame *f)
{
	switch (f->proto) {
	case IPPROTO_UDP: {
		struct udphdr udp = { .source = htons(f->sport),
				      .dest = htons(f->dport),
				      .len = htons((uint16_t)(sizeof(udp) + f->payload_len)) };

		put(w, &udp, sizeof(udp));
		return offsetof(struct udphdr, check);
	}
	case IPPROTO_TCP: {
		struct tcphdr tcp = { .source = htons(f->sport),
				      .dest = htons(f->dport),
				      .seq = htonl(1),
				      .doff = sizeof(tcp) / 4,
				      .window = htons(TCP_WINDOW) };

		tcp.th_flags = f->tcp_flags;
		put(w, &tcp, sizeof(tcp));
		return offsetof(struct tcphdr, check);
	}
	case IPPROTO_ICMP: {
		struct icmphdr icmp = { .type = ICMP_ECHO };

		icmp.un.echo.id = htons(f->sport);
		icmp.un.echo.sequence = htons(f->dport);
		put(w, &icmp, sizeof(icmp));
		return offsetof(struct icmphdr, checksum);
	}
	case IPPROTO_ICMPV6: {
		struct icmp6_hdr icmp6 = { .icmp6_type = ICMP6_ECHO_REQUEST };

		icmp6.icmp6_id = htons(f->sport);
		icmp6.icmp6_seq = htons(f->dport);
		put(w, &icmp6, sizeof(icmp6));
		return offsetof(struct icmp6_hdr, icmp6_cksum);
	}
	}
	return -EINVAL;
}

static int put_datagram(struct writer *w, const struct ng_frame *f)
{
	int at = put_transport_header(w, f);
	uint16_t check_be;

	if (at < 0)
		return at;
	put(w, f->payload, f->payload_len);
	if (w->failed)
		return -ENOSPC;
	check_be = htons(transport_checksum(f, w->buf, w->len));
	if (f->proto == IPPROTO_UDP && !check_be)
		check_be = 0xffff;
	memcpy(w->buf + at, &check_be, sizeof(check_be));
	return 0;
}

static void put_ipv4(struct writer *w, const struct ng_frame *f, size_t len, bool more)
{
	uint16_t frag = (uint16_t)(f->frag_off / 8) | (more ? IP_MF : 0);
	struct iphdr ip = { .version = 4,
			    .ihl = sizeof(ip) / 4,
			    .tot_len = htons((uint16_t)(sizeof(ip) + len)),
			    .id = htons(f->id),
			    .frag_off = htons(frag),
			    .ttl = TTL,
			    .protocol = f->proto };

	memcpy(&ip.saddr, f->src, 4);
	memcpy(&ip.daddr, f->dst, 4);
	ip.check = htons(sum_fold(sum_bytes(0, &ip, sizeof(ip))));
	put(w, &ip, sizeof(ip));
}

static void put_ipv6(struct writer *w, const struct ng_frame *f, size_t len, bool more)
{
	struct ip6_frag ext = { .ip6f_nxt = f->proto,
				.ip6f_offlg = htons((uint16_t)(f->frag_off | (more ? 1 : 0))),
				.ip6f_ident = htonl(f->id) };
	struct ip6_hdr ip6 = { 0 };

	ip6.ip6_flow = htonl(6u << 28);
	ip6.ip6_plen = htons((uint16_t)(len + (f->frag_len ? sizeof(ext) : 0)));
	ip6.ip6_nxt = f->frag_len ? IPPROTO_FRAGMENT : f->proto;
	ip6.ip6_hlim = TTL;
	memcpy(&ip6.ip6_src, f->src, 16);
	memcpy(&ip6.ip6_dst, f->dst, 16);
	put(w, &ip6, sizeof(ip6));
	if (f->frag_len)
		put(w, &ext, sizeof(ext));
}

ssize_t ng_frame_build(const struct ng_frame *f, uint8_t *buf, size_t size)
{
	uint8_t datagram[NG_FRAME_MAX];
	struct writer body = { .buf = datagram, .size = sizeof(datagram) };
	struct writer w = { .buf = buf, .size = size };
	size_t len;
	bool more;
	int err;

	if ((f->family != AF_INET && f->family != AF_INET6) || f->vlans > NG_FRAME_VLANS_MAX)
		return -EINVAL;
	err = put_datagram(&body, f);
	if (err)
		return err;
	len = f->frag_len ? f->frag_len : body.len;
	if (f->frag_off % 8 || f->frag_off > body.len || len > body.len - f->frag_off)
		return -EINVAL;
	more = f->frag_off + len < body.len;
	put(&w, f->dst_mac, ETH_ALEN);
	put(&w, f->src_mac, ETH_ALEN);
	for (unsigned int i = 0; i < f->vlans; i++) {
		put_be16(&w, f->vlan[i].tpid);
		put_be16(&w, f->vlan[i].tci);
	}
	put_be16(&w, f->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	if (f->family == AF_INET)
		put_ipv4(&w, f, len, more);
	else
		put_ipv6(&w, f, len, more);
	put(&w, datagram + f->frag_off, len);
	return w.failed ? -ENOSPC : (ssize_t)w.len;
}

int ng_frame_addr(const char *text, int *family, uint8_t addr[16])
{
	int af = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(af, text, addr) != 1)
		return -EINVAL;
	*family = af;
	return 0;
}

/* ---- the mix ---- */

#define QUERY                                                                                      \
	"\x6e\x67\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07"                                     \
	"nicgate\x04"                                                                              \
	"test\x00\x00\x01\x00\x01"
#define GET	      "GET / HTTP/1.1\r\nHost: nicgate.test\r\n\r\n"
#define WORD	      "nicgate"
#define PAYLOAD(text) .payload = (text), .payload_len = sizeof(text) - 1
#define FRAGMENT      512 /* bytes of the datagram in each of its two fragments */

/* How the frames of a kind are made: n % hosts is added to the last byte of `from` in frame n. */
struct recipe {
	const char *from;
	unsigned int hosts;
	uint8_t proto, flags;
	uint16_t port, vlan;
	const char *payload;
	size_t payload_len;
	bool fragments;
};

#define NET_A "192.0.2.0/24"
#define NET_B "203.0.113.0/24"
#define NET_6 "2001:db8:bad::/48"

const struct ng_mix_kind ng_mix[] = {
	{ "dns", NET_A, "ip and udp port 53", 20 },
	{ "icmp", NET_A, "icmp", 10 },
	{ "http", NET_B, "tcp port 80", 20 },
	{ "https", NET_B, "ip and tcp port 443", 20 },
	{ "vlan", NET_B, "vlan 100", 10 },
	{ "fragments", NET_B, "ip[6:2] & 0x3fff != 0", 10 },
	{ "dns6", NET_6, "ip6 and udp port 53", 5 },
	{ "https6", NET_6, "ip6 and tcp port 443", 5 },
};
const size_t ng_mix_kinds = sizeof(ng_mix) / sizeof(ng_mix[0]);

static const struct recipe recipe[] = {
	{ .from = "192.0.2.1", .hosts = 10, .proto = IPPROTO_UDP, .port = 53, PAYLOAD(QUERY) },
	{ .from = "192.0.2.101", .hosts = 5, .proto = IPPROTO_ICMP, PAYLOAD(WORD) },
	{ .from = "203.0.113.1",
	  .hosts = 10,
	  .proto = IPPROTO_TCP,
	  .flags = TH_ACK,
	  .port = 80,
	  PAYLOAD(GET) },
	{ .from = "203.0.113.1", .hosts = 10, .proto = IPPROTO_TCP, .flags = TH_SYN, .port = 443 },
	{ .from = "203.0.113.101",
	  .hosts = 5,
	  .proto = IPPROTO_UDP,
	  .port = 123,
	  .vlan = 100,
	  PAYLOAD(WORD) },
	{ .from = "203.0.113.201",
	  .hosts = 5,
	  .proto = IPPROTO_UDP,
	  .port = 5000,
	  .fragments = true },
	{ .from = "2001:db8:bad::1", .hosts = 5, .proto = IPPROTO_UDP, .port = 53, PAYLOAD(QUERY) },
	{ .from = "2001:db8:bad::1",
	  .hosts = 5,
	  .proto = IPPROTO_TCP,
	  .flags = TH_SYN,
	  .port = 443 },
};
_Static_assert(sizeof(recipe) / sizeof(recipe[0]) == sizeof(ng_mix) / sizeof(ng_mix[0]),
	       "one recipe for each kind");

ssize_t ng_mix_frame(size_t kind, unsigned int n, const uint8_t src_mac[6], uint8_t *buf,
		     size_t size)
{
	static const uint8_t nobody[6] = { 0x02, 0x00, 0x5e, 0x10, 0x00, 0xfe };
	static const uint8_t zeros[2 * FRAGMENT - sizeof(struct udphdr)];
	struct ng_frame f = { 0 };
	const struct recipe *r;
	int err;

	if (kind >= ng_mix_kinds || n >= ng_mix[kind].frames)
		return -EINVAL;
	r = &recipe[kind];
	memcpy(f.dst_mac, nobody, sizeof(nobody));
	memcpy(f.src_mac, src_mac, sizeof(f.src_mac));
	err = ng_frame_addr(r->from, &f.family, f.src);
	if (!err)
		err = ng_frame_addr(f.family == AF_INET ? "198.51.100.1" : "2001:db8:6e67::1",
				    &f.family, f.dst);
	if (err)
		return err;
	f.proto = r->proto;
	f.tcp_flags = r->flags;
	f.payload = r->payload;
	f.payload_len = r->payload_len;
	if (r->vlan) {
		f.vlan[f.vlans].tpid = ETH_P_8021Q;
		f.vlan[f.vlans++].tci = r->vlan;
	}
	if (r->fragments) { /* frames 2i and 2i + 1 are the halves of datagram i */
		f.payload = zeros;
		f.payload_len = sizeof(zeros);
		f.frag_off = n % 2 * FRAGMENT;
		f.frag_len = FRAGMENT;
		n /= 2;
	}
	f.id = (uint16_t)(n + 1);
	f.sport = (uint16_t)(40000 + n);
	f.dport = r->proto == IPPROTO_ICMP ? (uint16_t)(n + 1) : r->port;
	f.src[f.family == AF_INET ? 3 : 15] += n % r->hosts;
	return ng_frame_build(&f, buf, size);
}
