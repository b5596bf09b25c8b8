// SPDX-License-Identifier: GPL-2.0-only
/* The program at the XDP hook. Loads with and without BPF_F_XDP_HAS_FRAGS. */
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

SEC("xdp")
int ng_xdp(struct xdp_md *ctx)
{
	struct ng_frame f = {
		.ctx = ctx,
		.len = bpf_xdp_get_buff_len(ctx),
		.ifindex = ctx->ingress_ifindex,
		.queue = ctx->rx_queue_index,
	};

	return ng_pipeline(&f);
}

char _license[] SEC("license") = "GPL";
