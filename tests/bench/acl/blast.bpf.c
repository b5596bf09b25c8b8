// SPDX-License-Identifier: GPL-2.0-only
/* The generator of the bench of the ACL, the program that only drops, and a watch for what passed. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include "tests/bench/acl/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct blast_state);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, SOURCES * sizeof(struct source));
} sources SEC(".maps");

/* A byte for each stamp. Its size is set before the load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, SEEN_MAX);
} seen SEC(".maps");

/* Frames that are not due yet are dropped here, and their pages used again. */
static __always_inline int is_due(struct blast_state *s)
{
	if (!s->gap_ns)
		return 1;
	if (bpf_ktime_get_ns() < s->due_ns)
		return 0;
	s->due_ns += s->gap_ns;
	return 1;
}

static __always_inline void keep_time(struct blast_state *s)
{
	if (!s->start_ns)
		s->start_ns = bpf_ktime_get_ns();
	if (s->next == s->limit)
		s->end_ns = bpf_ktime_get_ns();
}

SEC("xdp")
int blast(struct xdp_md *ctx)
{
	char *frame = (char *)(long)ctx->data;
	struct iphdr *ip = (void *)(frame + ETH_HLEN);
	const struct source *from;
	struct blast_state *s;
	__u32 zero = 0;
	__u64 at;

	s = bpf_map_lookup_elem(&state, &zero);
	from = bpf_map_lookup_elem(&sources, &zero);
	if (!s || !from || frame + FRAME_LEN > (char *)(long)ctx->data_end)
		return XDP_ABORTED;
	at = s->next;
	if (at >= s->limit || !is_due(s))
		return XDP_DROP;
	s->next = at + 1;
	from += at & (SOURCES - 1);
	ip->saddr = from->addr_be;
	ip->check = from->sum;
	if (s->stamp)
		*(__u32 *)(frame + STAMP_AT) = (__u32)at;
	keep_time(s);
	return (int)bpf_redirect(s->ifindex, 0);
}

SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("tc")
int watch(struct __sk_buff *skb)
{
	__u32 stamp = SEEN_MAX, zero = 0;
	__u8 *all = bpf_map_lookup_elem(&seen, &zero);

	if (all && !bpf_skb_load_bytes(skb, STAMP_AT, &stamp, sizeof(stamp)) && stamp < SEEN_MAX)
		all[stamp]++;
	return TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
