// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs at the XDP hook, without taps and with them. They load with and without
 * BPF_F_XDP_HAS_FRAGS.
 */
#define NG_CTX xdp_md
#include "xdp/pipeline.bpf.h"

static __always_inline void *ng_hook_data(void *ctx, void **end)
{
	const struct xdp_md *md = ctx;

	*end = (void *)(long)md->data_end;
	return (void *)(long)md->data;
}

static __always_inline __u32 ng_hook_len(void *ctx)
{
	return bpf_xdp_get_buff_len(ctx);
}

static __always_inline long ng_hook_load(void *ctx, __u32 off, void *to, __u32 size)
{
	return bpf_xdp_load_bytes(ctx, off, to, size);
}

static __always_inline int ng_hook_action(__u32 verdict)
{
	return verdict == NG_DROP ? XDP_DROP : XDP_PASS;
}

static __always_inline int ng_gate(struct xdp_md *ctx, bool with_taps)
{
	struct ng_frame f = {
		.ctx = ctx,
		.len = bpf_xdp_get_buff_len(ctx),
		.ifindex = ctx->ingress_ifindex,
		.queue = ctx->rx_queue_index,
	};

	return ng_pipeline(&f, with_taps);
}

SEC("xdp")
int ng_xdp(struct xdp_md *ctx)
{
	return ng_gate(ctx, false);
}

SEC("xdp")
int ng_xdp_taps(struct xdp_md *ctx)
{
	return ng_gate(ctx, true);
}

char _license[] SEC("license") = "GPL";
