/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdict counters of one gate, from the program's side. */
#ifndef NG_MAPS_COUNTERS_BPF_H
#define NG_MAPS_COUNTERS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NG_COUNTERS);
	__type(key, __u32);
	__type(value, struct ng_counter);
} ng_counters SEC(".maps");

static __always_inline void ng_counter_add(void *map, __u32 index, __u32 bytes)
{
	struct ng_counter *c = bpf_map_lookup_elem(map, &index);

	if (!c)
		return;
	c->packets++;
	c->bytes += bytes;
}

#endif
