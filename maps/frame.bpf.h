/* SPDX-License-Identifier: GPL-2.0-only */
/* A frame as a hook has it, what was decided about it, and what each gate.bpf.c must define. */
#ifndef NG_MAPS_FRAME_BPF_H
#define NG_MAPS_FRAME_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "maps/abi.h"

#define NG_VLAN_LEN 4

struct ng_frame {
	void *ctx;
	__u32 len; /* whole frame, without the tag in metadata */
	__u32 ifindex;
	__u32 queue;
	__u16 vlan_tci;	 /* tag in metadata */
	__u16 vlan_tpid; /* 0: none */
	bool gso; /* made of several packets: an IP length field of 0 stands for all the rest */
};

struct ng_outcome {
	__u32 verdict; /* enum ng_verdict */
	__u32 reason;  /* enum ng_reason */
	__u32 clause; /* row in ng_acl_clause that decided or could not be told to fit, 0 if none */
};

/* The linear part, from the Ethernet header on; its end is *end. */
static void *ng_hook_data(void *ctx, void **end);
/* Length of the whole frame, without the tag in metadata. */
static __u32 ng_hook_len(void *ctx);
/* Copies size bytes at off of the whole frame, wherever they lie. 0 or -errno. */
static long ng_hook_load(void *ctx, __u32 off, void *to, __u32 size);
/* The hook's return code for a verdict. */
static int ng_hook_action(__u32 verdict);

#endif
