/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in a filter expression libpcap stumbled: it gives words, never a position. */
#ifndef NG_CTL_FILTER_LOCATE_H
#define NG_CTL_FILTER_LOCATE_H

#include "ctl/filter/filter.h"

struct ng_libpcap;
struct pcap;

struct ng_written;

/* The text the user wrote. */
struct ng_source {
	const char *text;
	const char *file;		  /* to name in a position */
	const struct ng_written *written; /* what libpcap was given in its place; NULL: itself */
};

/*
 * expr: what pcap_compile() just refused on *pcap. Adds the position in the source to *err, or
 * nothing where the words are about the expression as a whole ("expression rejects all packets").
 * May call pcap_compile() again.
 */
void ng_locate(const struct ng_libpcap *lib, struct pcap *pcap, const char *expr,
	       const struct ng_source *source, struct ng_error *err);
/* Adds the position of the byte at `at`. */
void ng_source_at(const struct ng_source *source, size_t at, struct ng_error *err);

#endif
