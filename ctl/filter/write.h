/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes filter expressions back as text for libpcap, and keeps where each piece came from. */
#ifndef NG_CTL_FILTER_WRITE_H
#define NG_CTL_FILTER_WRITE_H

#include "ctl/filter/expr.h"

/* What stands in the place of a list, in two variants: see lists.h. */
struct ng_site {
	struct ng_value value[2];
	__u32 constant[2]; /* what differs between them, as a program compares it */
};

struct ng_written {
	char *text; /* malloc'ed, NUL-terminated */
	size_t n, room;
	struct ng_piece {
		size_t at;     /* in text; ascending */
		size_t source; /* in the expression it was made of */
		bool copied;   /* byte for byte; else the whole piece stands for `source` */
	} * pieces;
	size_t n_pieces, pieces_room;
	bool failed; /* out of memory */
};

/*
 * Appends node i of e: every term with its words, every group in parentheses, lists as variant
 * `variant` of their sites, which are numbered from 1.
 */
void ng_write_node(struct ng_written *w, const struct ng_expr *e, __u32 i,
		   const struct ng_site *sites, unsigned int variant);
/* The same for the whole of it, a chain, without parentheses around it. */
void ng_write_expr(struct ng_written *w, const struct ng_expr *e, const struct ng_site *sites,
		   unsigned int variant);
/* Appends words of our own, which stand for `source`. */
void ng_write_words(struct ng_written *w, const char *words, size_t source);
void ng_written_free(struct ng_written *w);
/* Where in the source the byte at `at` came from. */
size_t ng_written_source(const struct ng_written *w, size_t at);

#endif
