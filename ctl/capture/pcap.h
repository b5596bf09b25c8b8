/* SPDX-License-Identifier: GPL-2.0-only */
/* Classic pcap records; see encode.h. */
#ifndef NG_CTL_CAPTURE_PCAP_H
#define NG_CTL_CAPTURE_PCAP_H

#include "ctl/capture/encode.h"

size_t ng_pcap_header(void *buf, __u32 snaplen);
size_t ng_pcap_packet(void *buf, const struct ng_packet *f, __u64 id);

#endif
