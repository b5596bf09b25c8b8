/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers of a fixed seed, and likely Ethernet frames made of them. */
#ifndef NG_TESTS_PACKET_H
#define NG_TESTS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAME_MAX 8192

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

static uint32_t below(uint32_t n)
{
	return rnd() % n;
}

/* Packets */

struct packet {
	uint8_t data[FRAME_MAX];
	uint32_t len;
};

static void add(struct packet *p, uint32_t value, unsigned int bytes)
{
	while (bytes--)
		p->data[p->len++] = (uint8_t)(value >> 8 * bytes);
}

static uint32_t one_of(const uint32_t *values, size_t n)
{
	return values[below((uint32_t)n)];
}
#define ONE_OF(...)                                                                                \
	one_of((const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)

static uint32_t a_port(void)
{
	return below(3) ? ONE_OF(53, 80, 443, 8080, 22, 1500, 6081, 4789) : below(65536);
}

static uint32_t an_address(void)
{
	return below(3) ? ONE_OF(0x0a000001, 0x0a010203, 0xc0a80001, 0xac100001, 0xe0000001)
			: rnd();
}

static void add_address6(struct packet *p)
{
	bool known = below(2);

	for (int i = 0; i < 4; i++)
		add(p, known ? ((const uint32_t[]){ 0x20010db8, 0, 0, 1 })[i] : rnd(), 4);
}

static void add_transport(struct packet *p, uint32_t proto)
{
	if (proto == 1 || proto == 58) {
		add(p, ONE_OF(0, 8, 135, 136), 1);
		add(p, rnd(), 3);
		return;
	}
	add(p, a_port(), 2);
	add(p, a_port(), 2);
	if (proto != 6) {
		add(p, below(100), 2);
		add(p, rnd(), 2);
		return;
	}
	add(p, rnd(), 4);
	add(p, rnd(), 4);
	add(p, below(2) ? 0x50 : below(16) << 4, 1);
	add(p, ONE_OF(2, 16, 18, 1, 4, 24), 1);
	add(p, rnd(), 2);
	add(p, 0, 4);
	if (below(2))
		add(p, 0x47455420, 4); /* "GET " */
}

static void add_ip4(struct packet *p)
{
	uint32_t words = below(3) ? 5 : 5 + below(11), proto = ONE_OF(6, 17, 6, 17, 1, 132, 47, 51);

	add(p, below(20) ? 0x40 | words : below(256), 1);
	add(p, below(256), 1);
	add(p, 20 + below(200), 2);
	add(p, rnd(), 2);
	add(p, below(4) ? 0x4000 : below(65536), 2);
	add(p, below(3) ? 64 : below(256), 1);
	add(p, proto, 1);
	add(p, rnd(), 2);
	add(p, an_address(), 4);
	add(p, an_address(), 4);
	for (uint32_t i = 5; i < words; i++)
		add(p, rnd(), 4);
	add_transport(p, proto);
}

static void add_ip6(struct packet *p)
{
	uint32_t proto = ONE_OF(6, 17, 58, 44, 0, 132);

	add(p, 0x60000000 | below(1 << 20), 4);
	add(p, below(200), 2);
	add(p, proto, 1);
	add(p, 64, 1);
	add_address6(p);
	add_address6(p);
	if (proto == 44 || proto == 0) {
		add(p, ONE_OF(6, 17, 58), 1);
		add(p, 0, 3);
		add(p, rnd(), 4);
		proto = 6;
	}
	add_transport(p, proto);
}

static void add_arp(struct packet *p)
{
	add(p, 0x00010800, 4);
	add(p, 0x0604, 2);
	add(p, 1 + below(2), 2);
	for (int i = 0; i < 2; i++) {
		add(p, rnd(), 4);
		add(p, rnd(), 2);
		add(p, an_address(), 4);
	}
}

/* Ethernet type, tags and labels, then what they announce. */
static void add_network(struct packet *p)
{
	switch (below(12)) {
	case 0:
		add(p, 0x0806, 2);
		add_arp(p);
		return;
	case 1:
		add(p, 0x8847, 2);
		add(p, (below(2) ? 1024 : below(1 << 20)) << 12 | 0x140, 4);
		add_ip4(p);
		return;
	case 2:
		add(p, 0x8864, 2);
		add(p, 0x11000000 | below(65536), 4);
		add(p, 60, 2);
		add(p, ONE_OF(0x21, 0x57), 2);
		add_ip4(p);
		return;
	case 3:
		add(p, below(1500), 2); /* 802.3 length: LLC */
		add(p, ONE_OF(0xaaaa03, 0x424203, 0xfefe03), 3);
		add(p, rnd(), 4);
		return;
	case 4:
		add(p, below(65536), 2);
		return;
	case 5:
	case 6:
	case 7:
		add(p, 0x86dd, 2);
		add_ip6(p);
		return;
	default:
		add(p, 0x0800, 2);
		add_ip4(p);
	}
}

/* A likely frame, often cut short, sometimes long;
 * at least an Ethernet header, which test runs insist on. */
static inline void make_packet(struct packet *p)
{
	uint32_t pad = below(2) ? below(80) : 0;

	p->len = 0;
	add(p, below(4) ? 0x02000000 : rnd(), 4);
	add(p, below(2) ? 1 : below(64), 2); /* what tests take for X */
	add(p, 0x02000000, 4);
	add(p, below(4), 2);
	for (uint32_t tags = below(4) ? 0 : 1 + below(2); tags; tags--) {
		add(p, ONE_OF(0x8100, 0x88a8), 2);
		add(p, below(2) ? 5 : rnd(), 2);
	}
	add_network(p);
	if (below(30) == 0)
		pad = 3700 + below(4000);
	for (uint32_t i = 0; i < pad; i++)
		p->data[p->len++] = (uint8_t)rnd();
	if (below(3) == 0)
		p->len = 14 + below(p->len - 13);
}

#endif
