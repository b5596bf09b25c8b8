// SPDX-License-Identifier: GPL-2.0-only
/* The program at the XDP hook. Loads with and without BPF_F_XDP_HAS_FRAGS. */
#include "xdp/pipeline.bpf.h"

SEC("xdp")
int ng_xdp(struct xdp_md *ctx)
{
	return ng_pipeline(ctx, bpf_xdp_get_buff_len(ctx)) == NG_DROP ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
