// SPDX-License-Identifier: GPL-2.0-only
/* The tc hook by TCX links (Linux >= 6.6): first in the chain inwards, last outwards. */
#include <errno.h>

#include "ctl/dataplane/hooks.h"

/* linux/bpf.h of Linux >= 6.6 */
#define TCX_INGRESS  46
#define TCX_EGRESS   47
#define ORDER_BEFORE (1U << 3) /* BPF_F_BEFORE; without a relative: the head */
#define ORDER_AFTER  (1U << 4) /* BPF_F_AFTER; without a relative: the tail */

static int tcx_attach(struct ng_gate *gate, const struct ng_gate_spec *spec, struct ng_error *err)
{
	bool in = gate->hook == NG_HOOK_TC_IN;
	int fd;

	(void)spec;
	fd = ng_bpf_link_create(gate->prog_fd, gate->link.ifindex, in ? TCX_INGRESS : TCX_EGRESS,
				in ? ORDER_BEFORE : ORDER_AFTER);
	if (fd == -EINVAL || fd == -EOPNOTSUPP)
		return -EOPNOTSUPP;
	if (fd < 0)
		return ng_err(err, NG_EXIT_FAILED, -fd, gate->link.name, "%s: attaching failed",
			      ng_hook_name[gate->hook]);
	gate->link_fd = fd;
	gate->mode = NG_MODE_TCX;
	return 0;
}

const struct ng_hook_ops ng_tcx_ops = {
	.attach = tcx_attach,
	.swap = ng_bpf_link_swap,
	.detach = ng_bpf_link_detach,
	.query = ng_bpf_link_query,
};
