/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in a filter expression libpcap stumbled: it gives words, never a position. */
#ifndef NG_CTL_FILTER_LOCATE_H
#define NG_CTL_FILTER_LOCATE_H

#include "ctl/filter/filter.h"

struct pcap;

/*
 * expr: what pcap_compile() just refused on *pcap. Adds the position to *err, or nothing where the
 * words are about the expression as a whole ("expression rejects all packets"). May call
 * pcap_compile() again.
 */
void ng_locate(struct pcap *pcap, const char *expr, const char *file, struct ng_error *err);

#endif
