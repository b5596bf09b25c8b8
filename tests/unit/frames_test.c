// SPDX-License-Identifier: GPL-2.0-only
/* Frame building: checksums, lengths, fragments,
 * and that the demo's kinds are what libpcap says they are. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>

#include "ctl/net/frames.h"
#include "tests/tap.h"

#define ETH 14

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The Internet checksum of data that holds a right checksum is 0. */
static uint16_t checksum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct ng_frame describe(const char *src, const char *dst, uint8_t proto,
				const char *payload)
{
	struct ng_frame f = { .proto = proto, .sport = 4000, .dport = 53, .payload = payload };

	f.payload_len = strlen(payload);
	ng_frame_addr(src, &f.family, f.src);
	ng_frame_addr(dst, &f.family, f.dst);
	return f;
}

static void test_checksums(void)
{
	static const struct {
		const char *name, *src, *dst, *payload;
		uint8_t proto;
		size_t header;
	} row[] = {
		{ "udp, IPv4", "192.0.2.9", "198.51.100.1", "even", IPPROTO_UDP, 8 },
		{ "udp, IPv4, odd length", "192.0.2.9", "198.51.100.1", "odd", IPPROTO_UDP, 8 },
		{ "tcp, IPv4", "203.0.113.1", "198.51.100.1", "", IPPROTO_TCP, 20 },
		{ "icmp", "203.0.113.1", "198.51.100.1", "ping!", IPPROTO_ICMP, 8 },
		{ "udp, IPv6", "2001:db8::1", "2001:db8::2", "seven..", IPPROTO_UDP, 8 },
		{ "tcp, IPv6", "2001:db8::1", "2001:db8::2", "x", IPPROTO_TCP, 20 },
		{ "icmp6", "2001:db8::1", "2001:db8::2", "", IPPROTO_ICMPV6, 8 },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ng_frame f = describe(row[i].src, row[i].dst, row[i].proto, row[i].payload);
		size_t ip = f.family == AF_INET ? 20 : 40, addr = f.family == AF_INET ? 8 : 32;
		size_t l4 = row[i].header + strlen(row[i].payload);
		uint32_t pseudo = 0;
		uint8_t buf[256];
		ssize_t len = ng_frame_build(&f, buf, sizeof(buf));

		is_int(len, (long long)(ETH + ip + l4), "%s: length", row[i].name);
		if (f.family == AF_INET)
			is_int(checksum(0, buf + ETH, ip), 0, "%s: IPv4 header", row[i].name);
		if (row[i].proto != IPPROTO_ICMP)
			pseudo = (uint16_t)~checksum(row[i].proto + (uint32_t)l4,
						     buf + ETH + ip - addr, addr);
		is_int(checksum(pseudo, buf + ETH + ip, l4), 0, "%s: checksum", row[i].name);
	}
}

static void test_udp_checksum_is_never_zero(void)
{
	uint8_t buf[128], payload[2];
	unsigned int zero = 0, ones = 0;

	for (unsigned int i = 0; i < 0x10000; i++) {
		struct ng_frame f = describe("192.0.2.9", "198.51.100.1", IPPROTO_UDP, "");

		payload[0] = (uint8_t)(i >> 8);
		payload[1] = (uint8_t)i;
		f.payload = payload;
		f.payload_len = sizeof(payload);
		ng_frame_build(&f, buf, sizeof(buf));
		zero += be16(buf + ETH + 26) == 0;
		ones += be16(buf + ETH + 26) == 0xffff;
	}
	is_int(zero, 0, "no UDP checksum of 65536 is 0 (none)");
	ok(ones > 0, "and one that comes out as 0 is sent as 0xffff");
}

static void test_fragments_make_the_datagram_again(void)
{
	static const char *const addr[][2] = { { "192.0.2.9", "198.51.100.1" },
					       { "2001:db8::1", "2001:db8::2" } };
	uint8_t whole[512], part[512], again[512];

	for (size_t a = 0; a < 2; a++) {
		struct ng_frame f = describe(addr[a][0], addr[a][1], IPPROTO_UDP,
					     "abcdefghijklmnopqrstuvwxyz0123456789");
		size_t ip = ETH + (f.family == AF_INET ? 20 : 40);
		size_t ext = f.family == AF_INET ? 0 : 8;
		size_t total = (size_t)ng_frame_build(&f, whole, sizeof(whole)) - ip;

		for (f.frag_off = 0; f.frag_off < total; f.frag_off += 16) {
			f.frag_len = total - f.frag_off < 16 ? total - f.frag_off : 16;
			ng_frame_build(&f, part, sizeof(part));
			memcpy(again + f.frag_off, part + ip + ext, f.frag_len);
			is_int(ext ? part[ip + 3] & 1 : !!(part[ETH + 6] & 0x20),
			       f.frag_off + 16 < total, "%s: more fragments at offset %zu",
			       addr[a][0], f.frag_off);
		}
		ok(!memcmp(whole + ip, again, total), "%s: the fragments hold the datagram",
		   addr[a][0]);
	}
}

static void test_vlan_tags_are_outermost_first(void)
{
	struct ng_frame f = describe("192.0.2.9", "198.51.100.1", IPPROTO_UDP, "x");
	uint8_t buf[128];

	f.vlan[0].tpid = 0x88a8, f.vlan[0].tci = 7;
	f.vlan[1].tpid = 0x8100, f.vlan[1].tci = 0x6009;
	f.vlans = 2;
	ng_frame_build(&f, buf, sizeof(buf));
	ok(!memcmp(buf + 12, "\x88\xa8\x00\x07\x81\x00\x60\x09\x08\x00", 10),
	   "802.1ad, 802.1Q, IPv4");
}

static void test_impossible_frames(void)
{
	struct ng_frame good = describe("192.0.2.9", "198.51.100.1", IPPROTO_UDP, "four"), f;
	uint8_t buf[64];

	is_int(ng_frame_build(&good, buf, 45), -ENOSPC, "one byte too little room");
	is_int(ng_frame_build(&good, buf, 46), 46, "just enough room");
	f = good, f.proto = 99;
	is_int(ng_frame_build(&f, buf, sizeof(buf)), -EINVAL, "unknown protocol");
	f = good, f.frag_off = 4, f.frag_len = 4;
	is_int(ng_frame_build(&f, buf, sizeof(buf)), -EINVAL,
	       "fragment offset not a multiple of 8");
	f = good, f.frag_off = 8, f.frag_len = 8;
	is_int(ng_frame_build(&f, buf, sizeof(buf)), -EINVAL, "fragment beyond the datagram");
	f = good, f.payload_len = NG_FRAME_MAX;
	is_int(ng_frame_build(&f, buf, sizeof(buf)), -ENOSPC, "payload longer than any frame");
	is_int(ng_frame_addr("192.0.2", &f.family, f.src), -EINVAL, "half an address");
}

/* The frames of `kind` that prog matches, and those of them that `source` matches too. */
static unsigned int count_matches(const struct bpf_program *prog, const struct bpf_program *source,
				  size_t kind, unsigned int *from)
{
	unsigned int found = 0;

	for (unsigned int n = 0; n < ng_mix[kind].frames; n++) {
		uint8_t buf[NG_FRAME_MAX];
		ssize_t len = ng_mix_frame(kind, n, mac, buf, sizeof(buf));
		struct pcap_pkthdr h = { .caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len };

		if (!pcap_offline_filter(prog, &h, buf))
			continue;
		found++;
		*from += pcap_offline_filter(source, &h, buf) != 0;
	}
	return found;
}

/* Every frame of the mix against every kind's filter: it matches its own kind's and no other. */
static void test_mix_filters(void)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);

	for (size_t i = 0; i < ng_mix_kinds; i++) {
		const struct ng_mix_kind *kind = &ng_mix[i];
		unsigned int own = 0, others = 0, from = 0;
		struct bpf_program prog, source;
		char text[80];

		snprintf(text, sizeof(text), "src net %s or (vlan and src net %s)", kind->source,
			 kind->source);
		if (!ok(!pcap_compile(pcap, &prog, kind->filter, 1, PCAP_NETMASK_UNKNOWN),
			"%s: '%s' is a filter", kind->name, kind->filter))
			continue;
		if (!ok(!pcap_compile(pcap, &source, text, 1, PCAP_NETMASK_UNKNOWN),
			"%s: '%s' is a source", kind->name, kind->source))
			continue;
		for (size_t k = 0; k < ng_mix_kinds; k++)
			*(k == i ? &own : &others) += count_matches(&prog, &source, k, &from);
		is_int(own, kind->frames, "%s: the filter matches all its frames", kind->name);
		is_int(others, 0, "%s: and none of another kind", kind->name);
		is_int(from, own, "%s: which come from %s", kind->name, kind->source);
		pcap_freecode(&prog);
		pcap_freecode(&source);
	}
	pcap_close(pcap);
}

static void test_mix_ends(void)
{
	uint8_t buf[NG_FRAME_MAX];

	is_int(ng_mix_frame(ng_mix_kinds, 0, mac, buf, sizeof(buf)), -EINVAL, "no such kind");
	is_int(ng_mix_frame(0, ng_mix[0].frames, mac, buf, sizeof(buf)), -EINVAL, "no such frame");
	is_int(ng_mix_frame(0, 0, mac, buf, 20), -ENOSPC, "no room");
}

int main(void)
{
	test_checksums();
	test_udp_checksum_is_never_zero();
	test_fragments_make_the_datagram_again();
	test_vlan_tags_are_outermost_first();
	test_impossible_frames();
	test_mix_filters();
	test_mix_ends();
	return tap_done();
}
