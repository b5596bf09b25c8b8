/* SPDX-License-Identifier: GPL-2.0-only */
/* Random pcap-filter(7) expressions, as trees of terms so that they can be made smaller. */
#ifndef NG_TESTS_FUZZ_EXPR_H
#define NG_TESTS_FUZZ_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#define EXPR_NODES 32
#define EXPR_TEXT  4096

struct expr_node {
	enum { EXPR_TERM, EXPR_NOT, EXPR_AND, EXPR_OR } kind;
	int kid[2]; /* of the others */
	char text[1024];
};

struct expr {
	struct expr_node node[EXPR_NODES];
	int n, root;
};

/* Not all are accepted by libpcap ("arp and tcp port 80", ..). */
void make_expr(struct expr *e);
void print_expr(const struct expr *e, char text[EXPR_TEXT]);

/*
 * The smaller expressions next to *e, numbered from 0: one that puts a part in the place of the
 * whole of which it is a part. false: there is no such number.
 */
bool shrink_expr(const struct expr *e, size_t number, struct expr *out);

/*
 * Whether a word shifts the offsets of the words behind it (vlan, mpls, ..): what such an
 * expression means, nicgate and libpcap see differently.
 */
bool has_scope(const char *text);

#endif
