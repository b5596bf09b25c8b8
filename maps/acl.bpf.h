/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACL tables of one generation, from the program's side: address -> leaf -> clauses. */
#ifndef NG_MAPS_ACL_BPF_H
#define NG_MAPS_ACL_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "maps/control.bpf.h"
#include "maps/trie.bpf.h"

/* Set before the load, as the generation has them. */
const volatile __u32 ng_acl_engine;  /* enum ng_acl_engine */
const volatile __u32 ng_acl_clauses; /* elements of ng_acl_clause */
const volatile __u32 ng_acl_stripes; /* of ng_acl_hits; 0: clauses are not counted */

#define NG_ACL_LPM(name, key_type)                                                                 \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__uint(max_entries, 1);                                                            \
		__type(key, key_type);                                                             \
		__type(value, __u32);                                                              \
	} name SEC(".maps")

NG_ACL_LPM(ng_acl4_src, struct ng_lpm4_key);
NG_ACL_LPM(ng_acl4_dst, struct ng_lpm4_key);
NG_ACL_LPM(ng_acl6_src, struct ng_lpm6_key);
NG_ACL_LPM(ng_acl6_dst, struct ng_lpm6_key);

#define NG_ACL_ARRAY(name, value_type)                                                             \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

NG_ACL_ARRAY(ng_acl_head, struct ng_acl_head);
NG_ACL_ARRAY(ng_acl_clause, struct ng_acl_clause);
NG_ACL_ARRAY(ng_acl_row, struct ng_acl_row);
NG_ACL_ARRAY(ng_acl_hits, struct ng_acl_hit);

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

static __always_inline const struct ng_acl_head *ng_acl_head_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ng_acl_head, &zero);
}

/* Is there any prefix that a packet of this family (NG_FAMILY_MAX: any) could match? */
static __always_inline bool ng_acl_has(const struct ng_acl_head *h, __u32 family)
{
	__u32 ip4 = h->live[NG_IPV4][NG_SRC] | h->live[NG_IPV4][NG_DST];
	__u32 ip6 = h->live[NG_IPV6][NG_SRC] | h->live[NG_IPV6][NG_DST];

	return (family != NG_IPV6 && ip4) || (family != NG_IPV4 && ip6);
}

static __always_inline __u32 ng_lpm_find(void *map, const struct ng_lpm6_key *key)
{
	const __u32 *leaf = bpf_map_lookup_elem(map, key);

	return leaf ? *leaf : 0;
}

/* The leaf that holds for the address on a side (a constant), 0 if none. */
static __always_inline __u32 ng_acl_leaf(const struct ng_acl_head *h, const struct ng_flow *flow,
					 __u32 side)
{
	const struct ng_lpm6_key *key = &flow->addr[side];

	if (flow->family == NG_IPV4) {
		if (!h->live[NG_IPV4][side])
			return 0;
		if (ng_acl_engine == NG_ENGINE_TRIE)
			return ng_trie4_find(side, key->addr_be[0]);
		return ng_lpm_find(side == NG_SRC ? (void *)&ng_acl4_src : &ng_acl4_dst, key);
	}
	if (!h->live[NG_IPV6][side])
		return 0;
	if (ng_acl_engine == NG_ENGINE_TRIE)
		return ng_trie6_find(side, key->addr_be);
	return ng_lpm_find(side == NG_SRC ? (void *)&ng_acl6_src : &ng_acl6_dst, key);
}

/* Counts a packet for a clause. With a stripe for every CPU nobody else writes there. */
static __always_inline void ng_acl_hit(__u32 clause, __u32 bytes)
{
	struct ng_acl_hit *hit;
	__u32 at = clause;

	if (!ng_acl_stripes)
		return;
	if (ng_acl_stripes > 1)
		at += (bpf_get_smp_processor_id() & (ng_acl_stripes - 1)) * ng_acl_clauses;
	hit = bpf_map_lookup_elem(&ng_acl_hits, &at);
	if (!hit)
		return;
	if (ng_acl_stripes >= ng_cpus) {
		hit->packets++;
		hit->bytes += bytes;
	} else {
		__sync_fetch_and_add(&hit->packets, 1);
		__sync_fetch_and_add(&hit->bytes, bytes);
	}
	hit->last = bpf_jiffies64();
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
	if (clause->deadline && bpf_jiffies64() >= clause->deadline)
		return NG_FIT_NO;
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
 * once and not for each way through the parser; one unconditional verdict, which is what most
 * prefixes are, needs no row and so no call.
 */
__noinline int ng_acl_ask(__u32 id, const struct ng_flow *flow, __u32 bytes, __u32 *verdict,
			  __u32 *decider)
{
	const struct ng_acl_row *row = bpf_map_lookup_elem(&ng_acl_row, &id);
	const struct ng_acl_clause *clause;
	enum ng_fit fit;
	__u32 i, at;

	if (!row || !flow || !verdict || !decider)
		return NG_ACL_BROKEN;
	for (i = 0; i < NG_ACL_CLAUSES_MAX && i < row->clauses; i++) {
		at = row->clause[i];
		clause = bpf_map_lookup_elem(&ng_acl_clause, &at);
		if (!clause)
			return NG_ACL_BROKEN;
		fit = ng_clause_fit(clause, flow);
		if (fit == NG_FIT_NO || (fit == NG_FIT_UNKNOWN && clause->verdict == NG_COUNT))
			continue;
		if (fit == NG_FIT_UNKNOWN) {
			*decider = at;
			return NG_ACL_UNKNOWN;
		}
		ng_acl_hit(at, bytes);
		if (clause->verdict == NG_COUNT)
			continue;
		*decider = at;
		*verdict = clause->verdict == NG_PASS ? NG_PASS : NG_DROP;
		return NG_ACL_DECIDED;
	}
	return NG_ACL_NOTHING;
}

#endif
