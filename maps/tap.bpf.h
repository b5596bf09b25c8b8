/* SPDX-License-Identifier: GPL-2.0-only */
/* The tap slots of one gate, from the program's side. */
#ifndef NG_MAPS_TAP_BPF_H
#define NG_MAPS_TAP_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NG_TAPS_MAX);
	__type(key, __u32);
	__type(value, struct ng_tap_conf);
} ng_tap_conf SEC(".maps");

struct ng_tap_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, NG_TAPS_MAX);
	__type(key, __u32);
	__array(values, struct ng_tap_ring);
} ng_tap_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NG_TAPS_MAX);
	__type(key, __u32);
	__type(value, struct ng_tap_stats);
} ng_tap_stats SEC(".maps");

/*
 * The filter of a slot: 0, or how many bytes to keep. This body stands for "no filter matches"
 * until the loader puts the translated filters of all slots in its place; the asm keeps clang from
 * seeing through it.
 */
static __noinline __u32 ng_tap_filter(void *ctx, __u32 slot)
{
	__u32 keep = 0;

	asm volatile("" : "+r"(keep) : "r"(ctx), "r"(slot));
	return keep;
}

#endif
