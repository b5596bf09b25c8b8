/* SPDX-License-Identifier: GPL-2.0-only */
/* One line of text per packet; see encode.h. */
#ifndef NG_CTL_CAPTURE_LINES_H
#define NG_CTL_CAPTURE_LINES_H

#include "ctl/capture/encode.h"

size_t ng_lines_packet(void *buf, const struct ng_packet *f, __u64 id);

#endif
