/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tick counter. */
#ifndef NG_MAPS_JIFFIES_H
#define NG_MAPS_JIFFIES_H

#include <linux/types.h>

/* jiffies64, read by a small BPF program kept in *fd (-1 at first; the caller closes it). 0 or -errno. */
int ng_jiffies(int *fd, __u64 *now);
int ng_jiffies_once(__u64 *now);
__u32 ng_hz(void); /* ticks a second */

#endif
