/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACL tables of one gate, from the program's side. */
#ifndef NG_MAPS_ACL_BPF_H
#define NG_MAPS_ACL_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "maps/control.bpf.h"
#include "maps/counters.bpf.h"

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

/* What a packet's ports are to a clause that asks for one. */
enum ng_ports { NG_PORTS_NONE, NG_PORTS_KNOWN, NG_PORTS_UNKNOWN };

/* What of a packet the ACL looks at. */
struct ng_flow {
	struct ng_lpm6_key addr[NG_SIDE_MAX]; /* an IPv4 one is a struct ng_lpm4_key and zeros */
	__u32 family;			      /* enum ng_family; NG_FAMILY_MAX: not known */
	__u32 ports;			      /* enum ng_ports */
	__u16 dport;
	__u8 proto; /* IPv6: the one behind the extension headers */
	bool proto_unknown;
};

/* Is there any prefix that a packet of this family (NG_FAMILY_MAX: any) could match? */
static __always_inline bool ng_acl_has(const struct ng_control *c, __u32 family)
{
	__u32 ip4 = c->acl_live[NG_IPV4][NG_SRC] | c->acl_live[NG_IPV4][NG_DST];
	__u32 ip6 = c->acl_live[NG_IPV6][NG_SRC] | c->acl_live[NG_IPV6][NG_DST];

	return (family != NG_IPV6 && ip4) || (family != NG_IPV4 && ip6);
}

/* The row in ng_acl_class that holds for the address on a side (a constant), 0 if none. */
static __always_inline __u32 ng_acl_row(const struct ng_control *c, const struct ng_flow *flow,
					__u32 side)
{
	const __u32 *row = NULL;

	if (flow->family == NG_IPV4) {
		if (c->acl_live[NG_IPV4][side])
			row = bpf_map_lookup_elem(side == NG_SRC ? (void *)&ng_acl4_src
								 : &ng_acl4_dst,
						  &flow->addr[side]);
	} else if (c->acl_live[NG_IPV6][side]) {
		row = bpf_map_lookup_elem(side == NG_SRC ? (void *)&ng_acl6_src : &ng_acl6_dst,
					  &flow->addr[side]);
	}
	return row ? *row : 0;
}

enum ng_fit { NG_FIT_NO, NG_FIT_YES, NG_FIT_UNKNOWN };

/*
 * One comparison of a computed number: two of the port itself would teach the verifier about it,
 * for each of the clauses anew.
 */
static __always_inline bool ng_port_fits(const struct ng_acl_clause *clause, __u32 port)
{
	__s32 outside = (port - clause->port_lo) | (clause->port_hi - port);

	asm volatile("" : "+r"(outside));
	return outside >= 0;
}

static __always_inline enum ng_fit ng_clause_fit(const struct ng_acl_clause *clause,
						 const struct ng_flow *flow)
{
	if (!clause->any_proto) {
		if (flow->proto_unknown)
			return NG_FIT_UNKNOWN;
		if (clause->proto != flow->proto)
			return NG_FIT_NO;
	}
	if (clause->any_port)
		return NG_FIT_YES;
	if (flow->ports == NG_PORTS_UNKNOWN)
		return NG_FIT_UNKNOWN;
	if (flow->ports == NG_PORTS_NONE || !ng_port_fits(clause, flow->dport))
		return NG_FIT_NO;
	return NG_FIT_YES;
}

/* What one side says. A clause that only counts asks for nothing:
 * where it cannot be told whether it fits, it does not. */
enum ng_acl_answer { NG_ACL_NOTHING, NG_ACL_DECIDED, NG_ACL_UNKNOWN, NG_ACL_BROKEN };

/*
 * What the clauses of a row say, enum ng_acl_answer. Global, so that the verifier walks the clauses
 * once and not for each way through the parser; only packets whose address has a row pay the call.
 */
__noinline int ng_acl_ask(__u32 row, const struct ng_flow *flow, __u32 bytes, __u32 *verdict,
			  __u32 *decider)
{
	const struct ng_acl_class *class = bpf_map_lookup_elem(&ng_acl_class, &row);
	const struct ng_acl_clause *clause;
	enum ng_fit fit;
	__u32 i, id;

	if (!class || !flow || !verdict || !decider)
		return NG_ACL_BROKEN;
	for (i = 0; i < NG_ACL_CLAUSES_MAX && i < class->clauses; i++) {
		id = class->clause[i];
		clause = bpf_map_lookup_elem(&ng_acl_clause, &id);
		if (!clause)
			return NG_ACL_BROKEN;
		fit = ng_clause_fit(clause, flow);
		if (fit == NG_FIT_NO || (fit == NG_FIT_UNKNOWN && clause->verdict == NG_COUNT))
			continue;
		if (fit == NG_FIT_UNKNOWN) {
			*decider = id;
			return NG_ACL_UNKNOWN;
		}
		ng_counter_add(&ng_acl_hits, id, bytes);
		if (clause->verdict == NG_COUNT)
			continue;
		*decider = id;
		*verdict = clause->verdict == NG_PASS ? NG_PASS : NG_DROP;
		return NG_ACL_DECIDED;
	}
	return NG_ACL_NOTHING;
}

#endif
