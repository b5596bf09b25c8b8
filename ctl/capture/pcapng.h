/* SPDX-License-Identifier: GPL-2.0-only */
/* pcapng blocks; see encode.h. */
#ifndef NG_CTL_CAPTURE_PCAPNG_H
#define NG_CTL_CAPTURE_PCAPNG_H

#include "ctl/capture/encode.h"

size_t ng_pcapng_header(void *buf, __u32 snaplen);
size_t ng_pcapng_iface(void *buf, const struct ng_file_iface *iface, __u32 snaplen);
size_t ng_pcapng_packet(void *buf, const struct ng_packet *f, __u64 id);
size_t ng_pcapng_stats(void *buf, __u32 iface, const struct ng_file_stats *s);

#endif
