/* SPDX-License-Identifier: GPL-2.0-only */
/* Random Ethernet frames of all kinds that filters look into, often cut short. */
#ifndef NG_TESTS_FILTER_PACKETS_H
#define NG_TESTS_FILTER_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_MAX 9216
#define EDGES_MAX 32

/* What stands behind the Ethernet header; FAMILY_TAGGED: tags and one of the others. */
enum family {
	FAMILY_IP4,
	FAMILY_IP4_FRAGMENT,
	FAMILY_IP6,
	FAMILY_IP6_CHAIN, /* extension headers, AH among them */
	FAMILY_IP6_FRAGMENT,
	FAMILY_ARP,
	FAMILY_TAGGED, /* 802.1Q, QinQ */
	FAMILY_MPLS,
	FAMILY_PPPOE,
	FAMILY_GENEVE,
	FAMILY_VXLAN,
	FAMILY_TUNNEL, /* IP in IP, GRE, IPsec */
	FAMILY_LLC,    /* LLC, STP, ISO, SNAP */
	FAMILY_OTHER,  /* other ethertypes */
	FAMILIES
};
extern const char *const family_names[FAMILIES];

struct packet {
	uint8_t data[FRAME_MAX];
	uint32_t len;
	uint32_t edge[EDGES_MAX]; /* where headers begin */
	uint32_t n_edges;
};

/* A whole frame, at least an Ethernet header, without padding. */
void make_frame(struct packet *p, enum family family);
/*
 * A likely frame, often padded or cut (often just at a header's edge), sometimes long; at least an
 * Ethernet header, which test runs insist on.
 */
void make_packet(struct packet *p);
/* A likely frame whose outermost header is a VLAN tag; its first 18 bytes are never cut. */
void make_tagged_packet(struct packet *p);
/* Random bytes up to len. */
void pad_packet(struct packet *p, uint32_t len);

#endif
