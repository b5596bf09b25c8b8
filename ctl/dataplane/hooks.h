/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a program sits at a hook: one row of operations per mode, so that gate.c need not know of XDP
 * links, TCX links or cls_bpf filters. For this directory only.
 */
#ifndef NG_CTL_DATAPLANE_HOOKS_H
#define NG_CTL_DATAPLANE_HOOKS_H

#include "ctl/dataplane/gate.h"

/*
 *	attach	puts gate->prog_fd on its hook and sets link_fd, or the filter. May build other
 *		variants of the program by ng_gate_build(). *err filled on failure, nothing left
 *		behind. -EOPNOTSUPP from TCX: try clsact.
 *	swap	prog_fd takes the place of the program in force, in one step.
 *	detach	takes it off; already off is no error.
 *	query	sets gate->prog_id to the program in force, 0 when ours is not there any more.
 *		-errno: cannot tell.
 */
struct ng_hook_ops {
	int (*attach)(struct ng_gate *gate, const struct ng_gate_spec *spec, struct ng_error *err);
	int (*swap)(struct ng_gate *gate, int prog_fd);
	int (*detach)(struct ng_gate *gate);
	int (*query)(struct ng_gate *gate);
};

extern const struct ng_hook_ops ng_xdp_ops, ng_tcx_ops, ng_clsact_ops;
const struct ng_hook_ops *ng_hook_ops_of(enum ng_mode mode);

/* Loads a program for the gate, on its maps (made when there are none),
 * without taps; replaces gate->prog_fd. */
int ng_gate_build(struct ng_gate *gate, const struct ng_gate_spec *spec, bool frags,
		  struct ng_error *err);
/* The id of a loaded program, 0 when it cannot be had. */
__u32 ng_prog_id(int prog_fd);

/* The operations that XDP and TCX links share (links.c). */
int ng_bpf_link_swap(struct ng_gate *gate, int prog_fd);
int ng_bpf_link_detach(struct ng_gate *gate);
int ng_bpf_link_query(struct ng_gate *gate);
/* BPF_LINK_CREATE with any attach type and flags: descriptor or -errno. */
int ng_bpf_link_create(int prog_fd, unsigned int ifindex, unsigned int attach_type, __u32 flags);

/* cls_bpf on clsact (clsact.c).
 * The filter of ours is the one with this handle whose program has our name. */
#define NG_TC_HANDLE 0x6e67 /* "ng" */
/* Takes clsact away when the gate's control says that we made it and no filter is left. */
int ng_clsact_clean(struct ng_gate *gate);

#endif
