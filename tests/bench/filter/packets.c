// SPDX-License-Identifier: GPL-2.0-only
/* The traffic that filters are measured on: a mix of Ethernet frames, the same each time. */
#include "tests/bench/filter/bench.h"

#include <errno.h>
#include <string.h>

#define MANY 1024 /* shuffled */

enum kind { TCP, UDP, ICMP, ARP, TCP6, UDP6, ICMP6, VLAN, LLDP };

/* How many of the 64 are of a kind. */
static const uint8_t share[] = {
	[TCP] = 22, [UDP] = 12,	 [ICMP] = 3, [ARP] = 3,	 [TCP6] = 6,
	[UDP6] = 5, [ICMP6] = 2, [VLAN] = 9, [LLDP] = 2,
};

static const uint16_t tcp_ports[] = { 80, 443, 80, 22, 8080, 443, 25, 80 };
static const uint16_t udp_ports[] = { 53, 123, 53, 443, 4789, 53, 67, 1900 };
static const uint8_t tcp_flags[] = { 0x10, 0x18, 0x02, 0x10, 0x12, 0x18, 0x11, 0x10 };
static const uint32_t networks[] = { 0x0a000000, 0xc0a80000, 0xc6336400, 0x0a010000 };

uint32_t bench_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

struct writer {
	uint8_t *at;
	uint32_t random;
};

static uint32_t below(struct writer *w, uint32_t n)
{
	return bench_random(&w->random) % n;
}

static void put(struct writer *w, uint32_t value, unsigned int bytes)
{
	while (bytes--)
		*w->at++ = (uint8_t)(value >> 8 * bytes);
}

static void put_ports(struct writer *w, uint32_t service)
{
	uint32_t other = 32768 + below(w, 28000);
	bool from = below(w, 2);

	put(w, from ? service : other, 2);
	put(w, from ? other : service, 2);
}

static void put_tcp(struct writer *w)
{
	uint32_t flags = tcp_flags[below(w, 8)];

	put_ports(w, tcp_ports[below(w, 8)]);
	put(w, bench_random(&w->random), 4);
	put(w, bench_random(&w->random), 4);
	put(w, 0x5000 | flags, 2);
	put(w, 0xffff, 2);
	put(w, 0, 4);
	put(w, flags == 0x18 ? 0x47455420 : 0, 4); /* "GET " */
}

static void put_transport(struct writer *w, uint32_t proto)
{
	if (proto == 6) {
		put_tcp(w);
	} else if (proto == 17) {
		put_ports(w, udp_ports[below(w, 8)]);
		put(w, 60, 2);
		put(w, 0, 2);
		put(w, bench_random(&w->random), 4);
	} else {
		put(w, proto == 1 ? 0x0800 : 0x8700, 4);
	}
}

static uint32_t address(struct writer *w)
{
	uint32_t host = 1 + below(w, 250);

	return networks[below(w, 4)] | host;
}

static void put_ip4(struct writer *w, uint32_t proto)
{
	put(w, 0x0800, 2);
	put(w, 0x4500, 2);
	put(w, PACKET_LEN - 14, 2);
	put(w, bench_random(&w->random), 2);
	put(w, 0x40004000 | proto << 0, 4);
	put(w, 0, 2);
	put(w, address(w), 4);
	put(w, address(w), 4);
	put_transport(w, proto);
}

static void put_ip6(struct writer *w, uint32_t proto)
{
	put(w, 0x86dd, 2);
	put(w, 0x60000000, 4);
	put(w, PACKET_LEN - 54, 2);
	put(w, proto, 1);
	put(w, 64, 1);
	for (int i = 0; i < 2; i++) {
		put(w, 0x20010db8, 4);
		put(w, 0, 4);
		put(w, 0, 4);
		put(w, 1 + below(w, 4), 4);
	}
	put_transport(w, proto);
}

static void put_arp(struct writer *w)
{
	put(w, 0x0806, 2);
	put(w, 0x00010800, 4);
	put(w, 0x06040001, 4);
	put(w, 0x02000000, 4);
	put(w, 0x0001, 2);
	put(w, address(w), 4);
	put(w, 0, 4);
	put(w, 0, 2);
	put(w, address(w), 4);
}

static void make(struct writer *w, enum kind kind)
{
	put(w, 0x02000000, 4);
	put(w, 1, 2);
	put(w, 0x02000000, 4);
	put(w, 2 + below(w, 4), 2);
	switch (kind) {
	case TCP:
		put_ip4(w, 6);
		break;
	case UDP:
		put_ip4(w, 17);
		break;
	case ICMP:
		put_ip4(w, 1);
		break;
	case ARP:
		put_arp(w);
		break;
	case TCP6:
		put_ip6(w, 6);
		break;
	case UDP6:
		put_ip6(w, 17);
		break;
	case ICMP6:
		put_ip6(w, 58);
		break;
	case VLAN:
		put(w, 0x81000005, 4);
		put_ip4(w, below(w, 3) ? 6 : 17);
		break;
	case LLDP:
		put(w, 0x88cc, 2);
		break;
	}
}

void packets_plain(uint8_t *packet)
{
	struct writer w = { .at = packet, .random = 1 };

	memset(packet, 0, PACKET_LEN);
	make(&w, TCP);
}

/* Many times the 64, in another order and with other fields each time. */
static void fill(uint8_t rows[][128], size_t n)
{
	uint32_t random = 20240229;
	size_t i = 0;

	while (i < n) {
		uint8_t left[sizeof(share)];
		size_t sum = 0;

		memcpy(left, share, sizeof(share));
		for (size_t kind = 0; kind < sizeof(share); kind++)
			sum += left[kind];
		for (; sum && i < n; i++, sum--) {
			struct writer w = { .at = rows[i], .random = bench_random(&random) };
			size_t kind = 0, pick = bench_random(&random) % sum;

			while (pick >= left[kind])
				pick -= left[kind++];
			left[kind]--;
			make(&w, (enum kind)kind);
		}
	}
}

static int pick_matching(uint8_t rows[][128], size_t n, const struct ng_cbpf *filter,
			 uint8_t picked[][128])
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < PACKETS; i++)
		if (ng_filter_interpret(filter, rows[i], PACKET_LEN, PACKET_LEN))
			memcpy(picked[found++], rows[i], 128);
	if (!found)
		return -ENOENT;
	for (size_t i = found; i < PACKETS; i++)
		memcpy(picked[i], picked[i - found], 128);
	return 0;
}

int packets_mix(enum traffic traffic, const struct ng_cbpf *matching, struct deal *deal)
{
	static const char *const name[TRAFFICS] = { "in turn", "matching", "shuffled", "tagged" };
	static uint8_t rows[MANY][128], picked[PACKETS][128];

	fill(rows, MANY);
	if (traffic == MATCHING && pick_matching(rows, MANY, matching, picked))
		return -ENOENT;
	*deal = (struct deal){ .name = name[traffic],
			       .rows = traffic == MATCHING ? picked : rows,
			       .bytes = PACKET_LEN,
			       .stride = sizeof(rows[0]),
			       .count = traffic == SHUFFLED ? MANY : PACKETS,
			       .each_copy = traffic == SHUFFLED,
			       .tagged = traffic == TAGGED,
			       .map_fd = -1 };
	packets_plain(deal->packet);
	return 0;
}
