/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdict counters of one gate, summed over CPUs. */
#ifndef NG_MAPS_COUNTERS_H
#define NG_MAPS_COUNTERS_H

#include "maps/pins.h"

extern const char *const ng_verdict_name[NG_CLAUSE_VERDICT_MAX]; /* "pass", "drop", "count" */
/* "default", "acl-src", .. as in docs/packets.md */
extern const char *const ng_reason_name[NG_REASON_MAX];

/* sum[NG_COUNTER_INDEX(v, r)]. 0 or -errno. */
int ng_counters_read(const struct ng_maps *m, struct ng_counter sum[NG_COUNTERS]);
int ng_counters_zero(const struct ng_maps *m);
/* Sum over possible CPUs of one element of a per-CPU array of struct ng_counter. */
int ng_counter_sum(int fd, __u32 index, struct ng_counter *sum);
/* Sets it to zero on all CPUs.
 * A packet counted at that very moment may bring one CPU's old value back. */
int ng_counter_zero(int fd, __u32 index);

#endif
