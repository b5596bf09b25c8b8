/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACL tables of one gate, from the program's side. */
#ifndef NG_MAPS_ACL_BPF_H
#define NG_MAPS_ACL_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/abi.h"

#define NG_ACL_TRIE(name, key_type)                                                                \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__uint(max_entries, NG_ACL_ENTRIES);                                               \
		__type(key, key_type);                                                             \
		__type(value, __u32);                                                              \
	} name SEC(".maps")

NG_ACL_TRIE(ng_acl4_src, struct ng_lpm4_key);
NG_ACL_TRIE(ng_acl4_dst, struct ng_lpm4_key);
NG_ACL_TRIE(ng_acl6_src, struct ng_lpm6_key);
NG_ACL_TRIE(ng_acl6_dst, struct ng_lpm6_key);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NG_ACL_ENTRIES);
	__type(key, __u32);
	__type(value, struct ng_acl_class);
} ng_acl_class SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NG_ACL_ENTRIES);
	__type(key, __u32);
	__type(value, struct ng_acl_clause);
} ng_acl_clause SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NG_ACL_ENTRIES);
	__type(key, __u32);
	__type(value, struct ng_counter);
} ng_acl_hits SEC(".maps");

#endif
