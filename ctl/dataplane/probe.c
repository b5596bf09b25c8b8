// SPDX-License-Identifier: GPL-2.0-only
/* Probes by bpf(BPF_PROG_LOAD). */
#include "ctl/dataplane/probe.h"

#include <bpf/bpf.h>
#include <stdbool.h>
#include <unistd.h>

#include "ctl/base/err.h"
#include "ctl/filter/emit.h"

static bool knows_may_goto(void)
{
	const struct bpf_insn insns[] = { NG_MOV_I(BPF_REG_0, 0), NG_MAY_GOTO, NG_RETURN };
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "ng_probe", "GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), NULL);

	ng_trace("probe: may_goto: %s", fd >= 0 ? "yes" : "no");
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

unsigned int ng_kernel_filter_flags(void)
{
	static _Thread_local int known = -1;

	if (known < 0)
		known = knows_may_goto() ? NG_FILTER_MAY_GOTO : 0;
	return (unsigned int)known;
}
