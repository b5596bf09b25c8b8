// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random frames. Fields take the values that tests ask for (addresses 10.0.0.1, ports 53 and 80,
 * VLAN 5 ..) often enough for filters to match, and anything at all often enough to find them out.
 */
#include "tests/filter_packets.h"

#include "tests/random.h"

#define DEPTH_MAX 3 /* of networks in networks */
#define ETHER_LEN 14

const char *const family_names[FAMILIES] = {
	[FAMILY_IP4] = "ip4",
	[FAMILY_IP4_FRAGMENT] = "ip4-fragment",
	[FAMILY_IP6] = "ip6",
	[FAMILY_IP6_CHAIN] = "ip6-chain",
	[FAMILY_IP6_FRAGMENT] = "ip6-fragment",
	[FAMILY_ARP] = "arp",
	[FAMILY_TAGGED] = "qinq",
	[FAMILY_MPLS] = "mpls",
	[FAMILY_PPPOE] = "pppoe",
	[FAMILY_GENEVE] = "geneve",
	[FAMILY_VXLAN] = "vxlan",
	[FAMILY_TUNNEL] = "tunnel",
	[FAMILY_LLC] = "llc",
	[FAMILY_OTHER] = "other",
};

static void add_family(struct packet *p, enum family family, int depth);
static void add_ip4(struct packet *p, enum family family, int depth);
static void add_ip6(struct packet *p, enum family family, int depth);

static void add(struct packet *p, uint32_t value, unsigned int bytes)
{
	while (bytes--)
		p->data[p->len++] = (uint8_t)(value >> 8 * bytes);
}

static void edge(struct packet *p)
{
	if (p->n_edges < EDGES_MAX)
		p->edge[p->n_edges++] = p->len;
}

void pad_packet(struct packet *p, uint32_t len)
{
	while (p->len < len && p->len < FRAME_MAX)
		p->data[p->len++] = (uint8_t)rnd();
}

static uint32_t a_port(void)
{
	return below(3) ? ONE_OF(53, 80, 443, 8080, 22, 1500, 6081, 4789) : below(65536);
}

static uint32_t an_address(void)
{
	return below(3) ? ONE_OF(0x0a000001, 0x0a010203, 0xc0a80001, 0xac100001, 0xe0000001,
				 0xffffffff)
			: rnd();
}

static void add_address6(struct packet *p)
{
	uint32_t kind = below(4);

	for (int i = 0; i < 4; i++)
		add(p,
		    kind == 0	? ((const uint32_t[]){ 0xff020000, 0, 0, 1 })[i]
		    : kind == 1 ? rnd()
				: ((const uint32_t[]){ 0x20010db8, 0, 0, 1 })[i],
		    4);
}

static void add_mac(struct packet *p)
{
	switch (below(4)) {
	case 0:
		add(p, ONE_OF(0xffffffff, 0x01005e00, 0x33330000, 0x0180c200), 4);
		add(p, below(2) ? 0xffff : 0, 2);
		break;
	case 1:
		add(p, rnd(), 4);
		add(p, rnd(), 2);
		break;
	default:
		add(p, 0x02000000, 4);
		add(p, below(4), 2);
	}
}

/* Ports and what is behind them, up to a payload of a few bytes. */
static void add_tcp(struct packet *p)
{
	add(p, a_port(), 2);
	add(p, a_port(), 2);
	add(p, rnd(), 4);
	add(p, rnd(), 4);
	add(p, below(2) ? 0x50 : below(16) << 4, 1);
	add(p, ONE_OF(2, 16, 18, 1, 4, 24, 41, 0), 1);
	add(p, rnd(), 2);
	add(p, 0, 4);
	if (below(2))
		add(p, 0x47455420, 4); /* "GET " */
}

static void add_datagram(struct packet *p, uint32_t to)
{
	add(p, a_port(), 2);
	add(p, to, 2);
	add(p, below(4) ? 8 + below(100) : rnd(), 2);
	add(p, rnd(), 2);
}

static void add_inner_frame(struct packet *p, int depth)
{
	edge(p);
	add_mac(p);
	add_mac(p);
	if (below(4) == 0) {
		add(p, ONE_OF(0x8100, 0x88a8), 2);
		add(p, below(2) ? 5 : rnd(), 2);
	}
	add_family(p, (enum family)ONE_OF(FAMILY_IP4, FAMILY_IP6, FAMILY_ARP, FAMILY_OTHER),
		   depth + 1);
}

static void add_geneve(struct packet *p, int depth)
{
	uint32_t words = below(3) ? 0 : below(8), type = ONE_OF(0x6558, 0x0800, 0x86dd, 0x0806);

	add_datagram(p, 6081);
	edge(p);
	add(p, below(8) ? words : below(256), 1); /* version, length of options */
	add(p, ONE_OF(0, 0x40, 0x80), 1);
	add(p, type, 2);
	add(p, below(2) ? 0x10 : rnd() >> 8, 3);
	add(p, below(4) ? 0 : rnd(), 1);
	for (uint32_t i = 0; i < words; i++)
		add(p, rnd(), 4);
	if (type == 0x0800)
		add_ip4(p, FAMILY_IP4, DEPTH_MAX);
	else if (type == 0x86dd)
		add_ip6(p, FAMILY_IP6, DEPTH_MAX);
	else
		add_inner_frame(p, depth);
}

static void add_vxlan(struct packet *p, int depth)
{
	add_datagram(p, 4789);
	edge(p);
	add(p, below(4) ? 0x08000000 : rnd(), 4);
	add(p, below(2) ? 0x1000 : rnd(), 4);
	add_inner_frame(p, depth);
}

/* What an IP header announces by this number. */
static void add_transport(struct packet *p, uint32_t proto, int depth)
{
	edge(p);
	switch (proto) {
	case 1:
	case 58:
		add(p, ONE_OF(0, 3, 8, 128, 129, 135, 136), 1);
		add(p, below(2) ? 0 : below(256), 1);
		add(p, rnd(), 2);
		break;
	case 4:
		if (depth < DEPTH_MAX)
			add_ip4(p, FAMILY_IP4, DEPTH_MAX);
		break;
	case 41:
		if (depth < DEPTH_MAX)
			add_ip6(p, FAMILY_IP6, DEPTH_MAX);
		break;
	case 6:
		add_tcp(p);
		break;
	case 47:
		add(p, 0x20000800, 4); /* GRE with a key, then IPv4 */
		add(p, rnd(), 4);
		break;
	case 51:
		add(p, ONE_OF(6, 17, 50, 51, 59), 1);
		add(p, below(4) ? 4 : below(256), 1);
		add(p, 0, 2);
		pad_packet(p, p->len + 20);
		break;
	default:
		add_datagram(p, a_port());
	}
}

static uint32_t fragment_field(enum family family)
{
	if (family == FAMILY_IP4_FRAGMENT)
		return below(2) ? 0x2000 | below(0x2000) : 1 + below(0x1fff);
	return below(8) ? ONE_OF(0, 0x4000) : below(65536);
}

static uint32_t proto_of(enum family family)
{
	switch (family) {
	case FAMILY_GENEVE:
	case FAMILY_VXLAN:
		return 17;
	case FAMILY_TUNNEL:
		return ONE_OF(4, 41, 47, 50, 51);
	default:
		return ONE_OF(6, 17, 6, 17, 6, 17, 1, 58, 132, 2, 9, 103, 112, 50, 51, 0);
	}
}

static void add_behind_ip(struct packet *p, enum family family, uint32_t proto, int depth)
{
	if (family == FAMILY_GENEVE || family == FAMILY_VXLAN)
		edge(p);
	if (family == FAMILY_GENEVE)
		add_geneve(p, depth);
	else if (family == FAMILY_VXLAN)
		add_vxlan(p, depth);
	else
		add_transport(p, proto, depth);
}

/* The header itself, without what announces it. */
static void add_ip4(struct packet *p, enum family family, int depth)
{
	uint32_t words = below(3) ? 5 : 5 + below(11), proto = proto_of(family);

	edge(p);
	add(p, below(20) ? 0x40 | words : below(256), 1);
	add(p, below(256), 1);
	add(p, below(8) ? 20 + below(200) : rnd(), 2);
	add(p, rnd(), 2);
	add(p, fragment_field(family), 2);
	add(p, below(3) ? 64 : below(256), 1);
	add(p, proto, 1);
	add(p, rnd(), 2);
	add(p, an_address(), 4);
	add(p, an_address(), 4);
	for (uint32_t i = 5; i < words; i++)
		add(p, rnd(), 4);
	add_behind_ip(p, family, proto, depth);
}

static const uint32_t extensions[] = { 0, 43, 44, 51, 60, 135 };

/* The field that says how long an extension header is: true most of the time. */
static uint32_t length_field(uint32_t kind, uint32_t bytes)
{
	if (below(12) == 0)
		return below(256);
	if (kind == 44)
		return 0;
	return kind == 51 ? bytes / 4 - 2 : bytes / 8 - 1;
}

/* Adds n of them behind the next-header field at `field`; the last announces proto. */
static void add_extensions(struct packet *p, uint32_t field, uint32_t n, uint32_t proto)
{
	while (n--) {
		uint32_t kind = one_of(extensions, sizeof(extensions) / 4);
		uint32_t bytes = kind == 44 ? 8 : 8 * (1 + below(3));

		p->data[field] = (uint8_t)kind;
		edge(p);
		field = p->len;
		add(p, proto, 1);
		add(p, length_field(kind, bytes), 1);
		pad_packet(p, p->len + bytes - 2);
	}
}

static void add_ip6(struct packet *p, enum family family, int depth)
{
	uint32_t proto = proto_of(family), next;

	edge(p);
	add(p, below(20) ? 0x60000000 | below(1 << 20) : rnd(), 4);
	add(p, below(8) ? below(200) : rnd(), 2);
	next = p->len;
	add(p, proto, 1);
	add(p, 64, 1);
	add_address6(p);
	add_address6(p);
	if (family == FAMILY_IP6_CHAIN)
		add_extensions(p, next, 1 + below(5), proto);
	if (family == FAMILY_IP6_FRAGMENT) {
		p->data[next] = 44;
		edge(p);
		add(p, proto, 1);
		add(p, 0, 1);
		add(p, below(2) ? below(2) : rnd(), 2);
		add(p, rnd(), 4);
	}
	add_behind_ip(p, family, proto, depth);
}

static void add_arp(struct packet *p)
{
	edge(p);
	add(p, 0x00010800, 4);
	add(p, 0x0604, 2);
	add(p, 1 + below(4), 2);
	for (int i = 0; i < 2; i++) {
		add(p, rnd(), 4);
		add(p, rnd(), 2);
		add(p, an_address(), 4);
	}
}

static void add_tags(struct packet *p, int depth)
{
	for (uint32_t tags = 1 + below(3); tags; tags--) {
		add(p, ONE_OF(0x8100, 0x8100, 0x88a8, 0x9100), 2);
		edge(p);
		add(p, below(3) ? ONE_OF(5, 7, 10, 0x6005, 0x1007) : rnd(), 2);
	}
	add_family(p, (enum family)below(FAMILIES), depth + 1);
}

static void add_mpls(struct packet *p)
{
	bool six = below(4) == 0;

	add(p, ONE_OF(0x8847, 0x8847, 0x8848), 2);
	for (uint32_t labels = 1 + below(3); labels; labels--) {
		uint32_t label = below(2) ? ONE_OF(1024, 16, 100000) : below(1 << 20);

		edge(p);
		add(p, label << 12 | (labels == 1 && below(8) ? 0x140 : 0x40), 4);
	}
	if (six)
		add_ip6(p, FAMILY_IP6, DEPTH_MAX);
	else
		add_ip4(p, FAMILY_IP4, DEPTH_MAX);
}

static void add_pppoe(struct packet *p)
{
	bool session = below(4) > 0;
	uint32_t inner = ONE_OF(0x21, 0x21, 0x57, 0xc021);

	add(p, session ? 0x8864 : 0x8863, 2);
	edge(p);
	add(p, session ? 0x1100 : 0x1109, 2);
	add(p, below(2) ? 7 : below(65536), 2);
	add(p, 60, 2);
	add(p, inner, 2);
	if (inner == 0x57)
		add_ip6(p, FAMILY_IP6, DEPTH_MAX);
	else
		add_ip4(p, FAMILY_IP4, DEPTH_MAX);
}

static void add_snap(struct packet *p, int depth)
{
	add(p, 0xaaaa03, 3);
	edge(p);
	add(p, below(4) ? ONE_OF(0, 0x0000f8, 0x00000c, 0x080007) : rnd(), 3);
	if (below(2))
		add_family(p, (enum family)ONE_OF(FAMILY_IP4, FAMILY_IP6, FAMILY_ARP), depth + 1);
	else
		add(p, ONE_OF(0x809b, 0x80f3, 0x2000, 0x8137), 2);
}

static void add_llc(struct packet *p, int depth)
{
	uint32_t start = p->len, length;

	add(p, 0, 2);
	edge(p);
	switch (below(4)) {
	case 0:
		add_snap(p, depth);
		break;
	case 1: /* ISO: CLNP, ES-IS, IS-IS of all types */
		add(p, 0xfefe03, 3);
		add(p, ONE_OF(0x81, 0x82, 0x83), 1);
		add(p, rnd(), 3);
		add(p, ONE_OF(15, 16, 17, 18, 20, 24, 25, 26, 27), 1);
		break;
	case 2:
		add(p, ONE_OF(0x424203, 0xe0e003, 0xf0f003, 0xffff00), 3);
		break;
	default: /* I, S and U frames */
		add(p, ONE_OF(0, 0x0404, 0xf0f0, 0x0202), 2);
		add(p, below(2) ? ONE_OF(0x7f, 0x03, 0x0f, 0x43, 0x63, 0xe3, 0xaf, 0x87) : rnd(),
		    1);
		add(p, rnd(), 1);
	}
	pad_packet(p, p->len + below(40));
	length = below(8) ? p->len - start - 2 : below(1536);
	p->data[start] = (uint8_t)(length >> 8);
	p->data[start + 1] = (uint8_t)length;
}

static void add_other(struct packet *p)
{
	add(p,
	    below(2) ? ONE_OF(0x88cc, 0x6001, 0x6002, 0x6003, 0x6004, 0x809b, 0x80f3, 0x8035,
			      0x8137, 0x9000, 0x8863)
		     : below(65536),
	    2);
	edge(p);
	pad_packet(p, p->len + below(60));
}

static void add_tunnel(struct packet *p, int depth)
{
	if (below(2)) {
		add(p, 0x0800, 2);
		add_ip4(p, FAMILY_TUNNEL, depth);
	} else {
		add(p, 0x86dd, 2);
		add_ip6(p, FAMILY_TUNNEL, depth);
	}
}

/* Ethernet type and what it announces; deep inside only IPv4. */
static void add_family(struct packet *p, enum family family, int depth)
{
	bool six = family == FAMILY_IP6 || family == FAMILY_IP6_CHAIN ||
		   family == FAMILY_IP6_FRAGMENT ||
		   ((family == FAMILY_GENEVE || family == FAMILY_VXLAN) && below(3) == 0);

	switch (depth > DEPTH_MAX ? FAMILY_IP4 : family) {
	case FAMILY_ARP:
		add(p, below(8) ? 0x0806 : 0x8035, 2);
		add_arp(p);
		break;
	case FAMILY_TAGGED:
		add_tags(p, depth);
		break;
	case FAMILY_MPLS:
		add_mpls(p);
		break;
	case FAMILY_PPPOE:
		add_pppoe(p);
		break;
	case FAMILY_TUNNEL:
		add_tunnel(p, depth);
		break;
	case FAMILY_LLC:
		add_llc(p, depth);
		break;
	case FAMILY_OTHER:
		add_other(p);
		break;
	default:
		add(p, six ? 0x86dd : 0x0800, 2);
		if (six)
			add_ip6(p, family, depth);
		else
			add_ip4(p, family, depth);
	}
}

/* The first bytes make a number that tests take for X. */
static void begin(struct packet *p)
{
	p->len = p->n_edges = 0;
	if (below(2)) {
		add_mac(p);
		add_mac(p);
		return;
	}
	add(p, below(4) ? 0x02000000 : rnd(), 4);
	add(p, below(2) ? 1 : below(64), 2);
	add(p, 0x02000000, 4);
	add(p, below(4), 2);
}

void make_frame(struct packet *p, enum family family)
{
	begin(p);
	add_family(p, family, 0);
}

static enum family a_family(void)
{
	static const uint32_t often[] = { FAMILY_IP4, FAMILY_IP4,	FAMILY_IP4,   FAMILY_IP6,
					  FAMILY_IP6, FAMILY_IP6_CHAIN, FAMILY_TAGGED };

	return (enum family)(below(2) ? one_of(often, sizeof(often) / 4) : below(FAMILIES));
}

/* Never below `least` bytes. */
static void cut(struct packet *p, uint32_t least)
{
	if (p->len <= least)
		return;
	if (p->n_edges && below(2)) {
		uint32_t len = p->edge[below(p->n_edges)] + below(9) - 4;

		if (len >= least && len < p->len)
			p->len = len;
		return;
	}
	p->len = least + below(p->len - least + 1);
}

static void pad_and_cut(struct packet *p, uint32_t least)
{
	uint32_t pad = below(2) ? below(80) : 0;

	if (below(30) == 0)
		pad = 3700 + below(4000);
	pad_packet(p, p->len + pad);
	if (below(3) == 0)
		cut(p, least);
}

void make_packet(struct packet *p)
{
	make_frame(p, a_family());
	pad_and_cut(p, ETHER_LEN);
}

void make_tagged_packet(struct packet *p)
{
	begin(p);
	add(p, ONE_OF(0x8100, 0x88a8), 2);
	edge(p);
	add(p, below(2) ? ONE_OF(5, 7, 10, 0xa123) : rnd(), 2);
	add_family(p, a_family(), 0);
	pad_and_cut(p, ETHER_LEN + 4);
}
