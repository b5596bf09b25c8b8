/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to a packet, at every hook:
 *
 *	parse -> guards -> ACL by source -> ACL by destination -> default
 *	      -> count -> taps -> verdict
 *
 * The first of these that decides is final and is the packet's reason; docs/packets.md lists them
 * all. What could not be read (ng_undecided()) is decided where it would have mattered, not before.
 * A hook's gate.bpf.c fills a struct ng_frame and returns what ng_pipeline() returns.
 */
#ifndef NG_XDP_PIPELINE_BPF_H
#define NG_XDP_PIPELINE_BPF_H

#include "maps/acl.bpf.h"
#include "maps/control.bpf.h"
#include "maps/counters.bpf.h"
#include "maps/frame.bpf.h"
#include "maps/tap.bpf.h"
#include "xdp/parse.bpf.h"

#define NG_ND_FIRST	133 /* router solicitation .. redirect, RFC 4861 */
#define NG_ND_LAST	137
#define NG_ND_HOP_LIMIT 255 /* it came from this link */

static __always_inline void ng_decide(struct ng_outcome *o, __u32 verdict, __u32 reason)
{
	o->verdict = verdict;
	o->reason = reason;
}

static __always_inline __u32 ng_default(const struct ng_control *c)
{
	return c->default_verdict == NG_DROP ? NG_DROP : NG_PASS;
}

/* Something needed could not be read. `asked`: a clause's answer depends on it. */
static __always_inline void ng_undecided(const struct ng_control *c, struct ng_outcome *o,
					 __u32 reason, bool asked)
{
	__u32 verdict = asked ? NG_DROP : ng_default(c);

	if (c->malformed != NG_MALFORMED_AUTO)
		verdict = c->malformed == NG_MALFORMED_PASS ? NG_PASS : NG_DROP;
	ng_decide(o, verdict, reason);
}

static __always_inline bool ng_port_in(__u16 port, __u16 a, __u16 b)
{
	return port == a || port == b;
}

static __always_inline bool ng_is_dhcp(const struct ng_packet *p)
{
	__u16 client = p->flow.family == NG_IPV4 ? 68 : 546, server = client == 68 ? 67 : 547;

	return p->flow.proto == IPPROTO_UDP && p->flow.ports == NG_PORTS_KNOWN &&
	       ng_port_in(p->sport, client, server) && ng_port_in(p->flow.dport, client, server);
}

/* Neighbour discovery never comes in fragments (RFC 6980) nor from beyond the link. */
static __always_inline bool ng_is_nd(const struct ng_packet *p)
{
	return p->icmp6_type >= NG_ND_FIRST && p->icmp6_type <= NG_ND_LAST &&
	       p->hop_limit == NG_ND_HOP_LIMIT && !p->fragment;
}

/*
 * Under default drop, what a host needs to keep its address and its neighbours passes before any
 * clause.
 */
static __always_inline bool ng_guard(const struct ng_packet *p, struct ng_outcome *o)
{
	if (ng_is_nd(p))
		ng_decide(o, NG_PASS, NG_R_GUARD_ND);
	else if (ng_is_dhcp(p))
		ng_decide(o, NG_PASS, NG_R_GUARD_DHCP);
	else
		return false;
	return true;
}

/* Asks the clauses for one side's address. True when that settled the packet. */
static __always_inline bool ng_acl(const struct ng_control *c, const struct ng_acl_head *acl,
				   const struct ng_packet *p, __u32 side, __u32 bytes,
				   struct ng_outcome *o)
{
	__u32 leaf = ng_acl_leaf(acl, &p->flow, side), id = leaf & NG_LEAF_ID;
	__u32 reason = side == NG_SRC ? NG_R_ACL_SRC : NG_R_ACL_DST, verdict = NG_PASS;

	if (!leaf)
		return false;
	if (!(leaf & NG_LEAF_ROW)) {
		o->clause = id;
		ng_acl_hit(id, bytes);
		ng_decide(o, leaf & NG_LEAF_DROP ? NG_DROP : NG_PASS, reason);
		return true;
	}
	switch (ng_acl_ask(id, &p->flow, bytes, &verdict, &o->clause)) {
	case NG_ACL_NOTHING:
		return false;
	case NG_ACL_DECIDED:
		ng_decide(o, verdict, reason);
		return true;
	case NG_ACL_UNKNOWN:
		ng_undecided(c, o, p->transport_fault, true);
		return true;
	case NG_ACL_BROKEN:
		break;
	}
	ng_decide(o, ng_default(c), NG_R_INTERNAL);
	return true;
}

static __always_inline void ng_judge(const struct ng_control *c, const struct ng_frame *f,
				     __u32 bytes, struct ng_outcome *o)
{
	const struct ng_acl_head *acl = ng_acl_head_get();
	struct ng_packet p = {};
	__u32 fault = ng_parse(f, &p);
	bool drop = ng_default(c) == NG_DROP;

	if (!acl)
		return ng_decide(o, ng_default(c), NG_R_INTERNAL);
	if (fault == NG_R_NON_IP)
		return ng_decide(o, NG_PASS, drop && p.arp ? NG_R_GUARD_ARP : NG_R_NON_IP);
	if (fault != NG_R_DEFAULT)
		return ng_undecided(c, o, fault, ng_acl_has(acl, p.flow.family));
	if (drop && ng_guard(&p, o))
		return;
	if (ng_acl(c, acl, &p, NG_SRC, bytes, o) || ng_acl(c, acl, &p, NG_DST, bytes, o))
		return;
	if (p.transport_fault == NG_R_DEFAULT || p.transport_fault == NG_R_FRAGMENT)
		return ng_decide(o, ng_default(c), NG_R_DEFAULT);
	ng_undecided(c, o, p.transport_fault, false);
}

/*
 * The hook's action for one packet, which is counted and, with_taps, shown to the taps. That is a
 * constant of each program: a gate without a capture runs one that holds nothing of taps.
 */
static __always_inline int ng_pipeline(const struct ng_frame *f, bool with_taps)
{
	__u32 bytes = f->len + (f->vlan_tpid ? NG_VLAN_LEN : 0);
	struct ng_outcome o = { .verdict = NG_PASS, .reason = NG_R_DEFAULT };
	const struct ng_control *c = ng_control_get();

	if (!c)
		return ng_hook_action(NG_PASS);
	if (!ng_tap_only) {
		ng_judge(c, f, bytes, &o);
		ng_counter_add(&ng_counters, NG_COUNTER_INDEX(o.verdict, o.reason), bytes);
	}
	if (with_taps)
		ng_tap_all(c, f, &o);
	return ng_hook_action(o.verdict);
}

#endif
