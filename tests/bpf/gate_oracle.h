/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What docs/packets.md says, written a second time and as plainly as it goes: a frame as on the
 * wire and a setting in, verdict and reason out. Shares no code with the programs.
 */
#ifndef NG_TESTS_BPF_GATE_ORACLE_H
#define NG_TESTS_BPF_GATE_ORACLE_H

#include "tests/bpf/gate_run.h"

enum known { PORTLESS, PORTS, PORTS_HIDDEN };

struct facts {
	int fault;  /* reason, if the address is not to be had; 0 */
	int family; /* 4, 6, 0: not known */
	bool non_ip, arp, ours /* source is A */, nd;
	int hidden; /* reason for what is not known of protocol and ports; 0 */
	int proto;  /* -1: not known */
	enum known ports;
	unsigned int sport, dport;
};

static unsigned int be16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void oracle_transport(struct facts *x, const uint8_t *p, uint32_t len)
{
	uint32_t need = 0;

	if (x->proto == 6)
		need = 20;
	else if (x->proto == 17 || x->proto == 136)
		need = 8;
	else if (x->proto == 132)
		need = 12;
	if (!need)
		return;
	if (len < need) {
		x->ports = PORTS_HIDDEN;
		x->hidden = NG_R_TRUNC_L4;
		return;
	}
	x->ports = PORTS;
	x->sport = be16(p);
	x->dport = be16(p + 2);
}

static bool has_ports(int proto)
{
	return proto == 6 || proto == 17 || proto == 136 || proto == 132;
}

static bool leads_on(int type)
{
	return type == 0 || type == 43 || type == 44 || type == 51 || type == 60 || type == 135 ||
	       type == 139 || type == 140;
}

static void oracle_ip4(struct facts *x, const uint8_t *p, uint32_t len)
{
	uint32_t head, total;

	x->family = 4;
	if (len < 20) {
		x->fault = NG_R_TRUNC_IP;
		return;
	}
	head = (p[0] & 15u) * 4;
	total = be16(p + 2);
	if (p[0] >> 4 != 4 || head < 20)
		x->fault = NG_R_BAD_IP;
	else if (len < head)
		x->fault = NG_R_TRUNC_IP;
	else if (total < head || total > len)
		x->fault = NG_R_BAD_IP;
	if (x->fault)
		return;
	x->ours = p[12] == 192 && p[13] == 0 && p[14] == 2 && p[15] == 1;
	x->proto = p[9];
	if ((be16(p + 6) & 0x1fff) == 0) {
		oracle_transport(x, p + head, total - head);
	} else if (has_ports(x->proto)) {
		x->ports = PORTS_HIDDEN;
		x->hidden = NG_R_FRAGMENT;
	}
}

/* Headers of IPv6 behind the first 40 bytes; p has len bytes of payload. */
static void oracle_chain(struct facts *x, const uint8_t *p, uint32_t len, int type, int hops)
{
	bool fragment = false;

	for (int n = 0; leads_on(type); n++) {
		uint32_t size = 8;

		x->hidden = NG_R_EXT_HEADERS;
		x->ports = PORTS_HIDDEN;
		x->proto = -1;
		if (n == 8 || (type == 0 && n) || len < 8)
			return;
		if (type == 51)
			size = (p[1] + 2u) * 4;
		else if (type != 44)
			size = (p[1] + 1u) * 8;
		if (size > len)
			return;
		x->hidden = 0;
		x->ports = PORTLESS;
		if (type == 44) {
			fragment = true;
			if (be16(p + 2) & 0xfff8) {
				x->proto = leads_on(p[0]) ? -1 : p[0];
				if (x->proto < 0 || has_ports(x->proto)) {
					x->ports = PORTS_HIDDEN;
					x->hidden = NG_R_FRAGMENT;
				}
				return;
			}
		}
		type = p[0];
		p += size;
		len -= size;
	}
	x->proto = type;
	if (type == 58 && len >= 4)
		x->nd = p[0] >= 133 && p[0] <= 137 && hops == 255 && !fragment;
	oracle_transport(x, p, len);
}

static void oracle_ip6(struct facts *x, const uint8_t *p, uint32_t len)
{
	static const uint8_t a[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	uint32_t payload;

	x->family = 6;
	if (len < 40) {
		x->fault = NG_R_TRUNC_IP;
		return;
	}
	payload = be16(p + 4);
	if (p[0] >> 4 != 6 || payload > len - 40 || (!payload && p[6] == 0)) {
		x->fault = NG_R_BAD_IP;
		return;
	}
	x->ours = !memcmp(p + 8, a, 16);
	oracle_chain(x, p + 40, payload, p[6], p[7]);
}

static struct facts oracle_parse(const uint8_t *p, uint32_t len)
{
	struct facts x = { 0 };
	unsigned int type;
	uint32_t at = 14;

	if (len < 14) {
		x.fault = NG_R_TRUNC_ETH;
		return x;
	}
	type = be16(p + 12);
	for (int tags = 0; type == 0x8100 || type == 0x88a8 || type == 0x9100; tags++) {
		if (tags == 2) {
			x.fault = NG_R_VLAN_DEPTH;
			return x;
		}
		if (len < at + 4) {
			x.fault = NG_R_TRUNC_ETH;
			return x;
		}
		type = be16(p + at + 2);
		at += 4;
	}
	x.arp = type == 0x0806;
	x.non_ip = type != 0x0800 && type != 0x86dd;
	if (type == 0x0800)
		oracle_ip4(&x, p + at, len - at);
	else if (type == 0x86dd)
		oracle_ip6(&x, p + at, len - at);
	return x;
}

static bool is_dhcp(const struct facts *x)
{
	unsigned int a = x->family == 4 ? 67 : 546, b = a + 1;

	return x->proto == 17 && x->ports == PORTS && (x->sport == a || x->sport == b) &&
	       (x->dport == a || x->dport == b);
}

/* 1: the clause fits, 0: it does not, -1: cannot be told. */
static int clause_fits(const struct facts *x, const struct setting *s)
{
	if (s->proto >= 0 && x->proto < 0)
		return -1;
	if (s->proto >= 0 && x->proto != s->proto)
		return 0;
	if (s->port < 0)
		return 1;
	if (x->ports == PORTS_HIDDEN)
		return -1;
	return x->ports == PORTS && x->dport == (unsigned int)s->port;
}

static struct outcome undecided(const struct setting *s, int reason, bool asked)
{
	struct outcome o = { NG_PASS, reason, true };

	if (asked || s->default_verdict == NG_DROP)
		o.verdict = NG_DROP;
	if (s->malformed == NG_MALFORMED_PASS)
		o.verdict = NG_PASS;
	if (s->malformed == NG_MALFORMED_DROP)
		o.verdict = NG_DROP;
	return o;
}

static struct outcome oracle(const uint8_t *wire, uint32_t len, const struct setting *s)
{
	struct facts x = oracle_parse(wire, len);
	bool drop = s->default_verdict == NG_DROP;
	int fits;

	if (x.fault)
		return undecided(s, x.fault, s->clause);
	if (x.non_ip)
		return (struct outcome){ NG_PASS, x.arp && drop ? NG_R_GUARD_ARP : NG_R_NON_IP,
					 true };
	if (drop && x.nd)
		return (struct outcome){ NG_PASS, NG_R_GUARD_ND, true };
	if (drop && is_dhcp(&x))
		return (struct outcome){ NG_PASS, NG_R_GUARD_DHCP, true };
	fits = s->clause && x.ours ? clause_fits(&x, s) : 0;
	if (fits > 0)
		return (struct outcome){ s->verdict, NG_R_ACL_SRC, true };
	if (fits < 0)
		return undecided(s, x.hidden, true);
	if (x.hidden && x.hidden != NG_R_FRAGMENT)
		return undecided(s, x.hidden, false);
	return (struct outcome){ drop ? NG_DROP : NG_PASS, NG_R_DEFAULT, true };
}

/* The frame as it was on the wire before its tag went into metadata. */
static inline uint32_t wire_image(const struct frame *f, bool tagged, uint8_t *wire)
{
	if (!tagged) {
		memcpy(wire, f->data, f->len);
		return f->len;
	}
	memcpy(wire, f->data, 12);
	wire[12] = TAG_TPID >> 8;
	wire[13] = TAG_TPID & 0xff;
	wire[14] = TAG_TCI >> 8;
	wire[15] = TAG_TCI & 0xff;
	memcpy(wire + 16, f->data + 12, f->len - 12);
	return f->len + 4;
}

/* Frames to cut, change and pad: one of each shape the parser knows. */
static const char *const seeds[] = {
	ETH4 IP4("001c", "0000", "11") UDP("c000", "0035"),
	ETH4 IP4("0028", "2000", "06") TCP("0035"),
	ETH4 IP4("001c", "2001", "11") UDP("c000", "0035"),
	ETH4 IP4_OPTIONS("0024", "84") SCTP("0035"),
	ETH4 IP4("001c", "0000", "11") UDP("0044", "0043"),
	MACS "81000005"
	     "0800" IP4("001c", "0000", "11") UDP("c000", "0035"),
	MACS "88a80007"
	     "81000005"
	     "0800" IP4("0028", "0000", "06") TCP("0050"),
	MACS "88a80007"
	     "81000005"
	     "81000006"
	     "0800" IP4("001c", "0000", "11"),
	MACS "0806"
	     "0001080006040001",
	ETH6 IP6("0014", "06") TCP("0035"),
	ETH6 IP6("0010", "00") EXT("11") UDP("c000", "0035"),
	ETH6 IP6("0030", "2b") EXT_LEN1("3c") EXT("87") EXT("2c") FRAG6("11", "0000")
		UDP("c000", "0035"),
	ETH6 IP6("0010", "2c") FRAG6("11", "0009") UDP("c000", "0035"),
	ETH6 IP6("0014", "33") AUTH("11") UDP("c000", "0035"),
	ETH6 IP6_HOPS("0008", "3a", "ff") ICMP6("87"),
	ETH6 IP6("0050", "3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c")
		EXT("3c") EXT("11") UDP("c000", "0035"),
	MACS "91000007"
	     "86dd" IP6("0008", "11") UDP("0222", "0223"),
};
#define SEEDS (sizeof(seeds) / sizeof(seeds[0]))

#endif
