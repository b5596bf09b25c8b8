/* SPDX-License-Identifier: GPL-2.0-only */
/* The control page of one gate and the program's configuration, from the program's side. */
#ifndef NG_MAPS_CONTROL_BPF_H
#define NG_MAPS_CONTROL_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/abi.h"

/* Set before the load; the verifier takes them as constants and removes the code they exclude. */
const volatile __u32 ng_hook;	  /* enum ng_hook */
const volatile __u32 ng_taps;	  /* bit mask of tap slots that this program serves */
const volatile __u32 ng_cpus = 1; /* possible CPUs: the stride of ng_tap_rings */
const volatile __u32 ng_acl_gen;  /* number of the generation of ACL tables */
const volatile __u32 ng_tap_only; /* 1: no parsing, ACL or counting; every packet goes on */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ng_control);
} ng_control SEC(".maps");

static __always_inline const struct ng_control *ng_control_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ng_control, &zero);
}

#endif
