// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs at the tc hook, both directions, without taps and with them. The kernel has moved
 * the outer VLAN tag of a received frame into metadata; it counts as one of the tags and in the
 * frame's length, as if it were in place.
 */
#include <linux/pkt_cls.h>
#define NG_CTX __sk_buff
#include "xdp/pipeline.bpf.h"

static __always_inline void *ng_hook_data(void *ctx, void **end)
{
	const struct __sk_buff *skb = ctx;

	*end = (void *)(long)skb->data_end;
	return (void *)(long)skb->data;
}

static __always_inline __u32 ng_hook_len(void *ctx)
{
	struct __sk_buff *skb = ctx;

	asm volatile("" : "+r"(skb));
	return skb->len;
}

static __always_inline long ng_hook_load(void *ctx, __u32 off, void *to, __u32 size)
{
	return bpf_skb_load_bytes(ctx, off, to, size);
}

/* A pass leaves the packet to the next program or filter on the hook. */
static __always_inline int ng_hook_action(__u32 verdict)
{
	return verdict == NG_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline int ng_gate(struct __sk_buff *skb, bool with_taps)
{
	struct ng_frame f = {
		.ctx = skb,
		.len = skb->len,
		.ifindex = skb->ifindex,
		.queue = skb->queue_mapping,
		.vlan_tci = skb->vlan_present ? skb->vlan_tci : 0,
		.vlan_tpid = skb->vlan_present ? bpf_ntohs(skb->vlan_proto) : 0,
		.gso = skb->gso_size != 0,
	};

	return ng_pipeline(&f, with_taps);
}

SEC("tc")
int ng_tc(struct __sk_buff *skb)
{
	return ng_gate(skb, false);
}

SEC("tc")
int ng_tc_taps(struct __sk_buff *skb)
{
	return ng_gate(skb, true);
}

char _license[] SEC("license") = "GPL";
