/* SPDX-License-Identifier: GPL-2.0-only */
/* The tap slots of one gate: who owns one, its filter, its rings and counters.
 * Changes happen under the pins lock. */
#ifndef NG_MAPS_TAP_H
#define NG_MAPS_TAP_H

#include <stdbool.h>
#include "maps/jiffies.h"
#include "maps/pins.h"

/*
 * Takes the first free slot and writes its filter's code (size > 0, a multiple of 8), then *conf
 * with the caller as its owner. Slot number, -ENOSPC, -E2BIG or -errno.
 */
int ng_tap_claim(struct ng_maps *m, const struct ng_tap_conf *conf, const void *code, size_t size);
int ng_tap_read(const struct ng_maps *m, __u32 slot, struct ng_tap_conf *conf); /* -ENOENT: free */
/* Is the calling process the owner? */
bool ng_tap_is_ours(const struct ng_tap_conf *conf);
/* *code is malloc'ed. -ENOENT: a claim or a release died half-way. */
int ng_tap_read_code(const struct ng_maps *m, __u32 slot, void **code, size_t *size);
/* Frees the slot, takes its rings out of the map and forgets its code. */
int ng_tap_release(struct ng_maps *m, __u32 slot);
/*
 * Is the owner gone? By pid and start time when the owner lived in our PID namespace, else by its
 * lease, which has ended at jiffies `now`.
 */
bool ng_tap_is_dead(const struct ng_maps *m, __u32 slot, const struct ng_tap_conf *conf,
		    __u32 now_jiffies);
/* Has a lease that was given (not 0) ended at jiffies `now`? */
bool ng_lease_ended(__u32 lease_jiffies, __u32 now_jiffies);
/* The two halves of claim and release that keep the code (tap_code.c). Missing is no error. */
int ng_tap_write_code(struct ng_maps *m, __u32 slot, const void *code, size_t size);
int ng_tap_forget_code(struct ng_maps *m, __u32 slot);
/* One ring per possible CPU. */
int ng_tap_set_rings(const struct ng_maps *m, __u32 slot, const int *ring_fd, int cpus);
int ng_tap_stats_read(const struct ng_maps *m, __u32 slot, struct ng_tap_stats *sum);
int ng_tap_stats_zero(const struct ng_maps *m, __u32 slot);

/* Leases are given in ticks: 5 s at HZ=1000, 20 s at HZ=250 (docs/decisions/0003). */
#define NG_TAP_LEASE_TICKS 5000

#endif
