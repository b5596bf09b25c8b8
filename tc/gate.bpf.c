// SPDX-License-Identifier: GPL-2.0-only
/* The program at the tc hook, both directions. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "xdp/pipeline.bpf.h"

SEC("tc")
int ng_tc(struct __sk_buff *skb)
{
	return ng_pipeline(skb, skb->len) == NG_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
