// SPDX-License-Identifier: GPL-2.0-only
/* What XDP and TCX have in common: both are BPF links on an interface. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl/dataplane/hooks.h"

/* By system call: libbpf 1.1.2 does not know the TCX attach types and drops their flags. */
int ng_bpf_link_create(int prog_fd, unsigned int ifindex, unsigned int attach_type, __u32 flags)
{
	union bpf_attr attr = { 0 };
	int fd, error = 0;

	attr.link_create.prog_fd = (__u32)prog_fd;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = attach_type;
	attr.link_create.flags = flags;
	fd = (int)syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		error = errno;
	ng_trace("bpf(BPF_LINK_CREATE, ifindex %u, type %u, flags %#x) = %d %s", ifindex,
		 attach_type, flags, fd, error ? strerrorname_np(error) : "");
	return error ? -error : fd;
}

int ng_bpf_link_swap(struct ng_gate *gate, int prog_fd)
{
	int error = bpf_link_update(gate->link_fd, prog_fd, NULL) ? errno : 0;

	ng_trace("bpf(BPF_LINK_UPDATE, %s %s) = %s", gate->link.name, ng_hook_name[gate->hook],
		 error ? strerrorname_np(error) : "0");
	return -error;
}

int ng_bpf_link_detach(struct ng_gate *gate)
{
	int error;

	if (gate->link_fd < 0)
		return 0;
	error = bpf_link_detach(gate->link_fd) ? errno : 0;
	ng_trace("bpf(BPF_LINK_DETACH, %s %s) = %s", gate->link.name, ng_hook_name[gate->hook],
		 error ? strerrorname_np(error) : "0");
	return error == ENODEV || error == ENOLINK ? 0 : -error;
}

int ng_bpf_link_query(struct ng_gate *gate)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	gate->prog_id = 0;
	if (gate->link_fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(gate->link_fd, &info, &size))
		return -errno;
	/* A detached link has ifindex 0; the field lies at the same place for TCX. */
	if (info.xdp.ifindex)
		gate->prog_id = info.prog_id;
	return 0;
}
