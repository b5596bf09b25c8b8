// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's tick counter, which programs read for nothing and user space only through one. */
#include "maps/jiffies.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Test runs of this type give the context back, and with it what the program left in cb. */
static int load_jiffies_program(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_6,
		  .src_reg = BPF_REG_0,
		  .off = offsetof(struct __sk_buff, cb) },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "ng_jiffies", "GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), NULL);

	return fd < 0 ? -errno : fd;
}

int ng_jiffies(int *fd, __u64 *now)
{
	static const unsigned char
		frame[64]; /* test runs of this type want a whole Ethernet header */
	struct __sk_buff ctx = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_out = &ctx, .ctx_size_out = sizeof(ctx), .repeat = 1);

	if (*fd < 0) {
		int new_fd = load_jiffies_program();

		if (new_fd < 0)
			return new_fd;
		*fd = new_fd;
	}
	if (bpf_prog_test_run_opts(*fd, &run))
		return -errno;
	memcpy(now, ctx.cb, sizeof(*now));
	return 0;
}

int ng_jiffies_once(__u64 *now)
{
	int fd = -1, err = ng_jiffies(&fd, now);

	if (fd >= 0)
		close(fd);
	return err;
}

/* CLOCK_MONOTONIC_COARSE moves with the tick (kernel/time/posix-timers.c). */
__u32 ng_hz(void)
{
	struct timespec tick;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return 1000000000u / (__u32)tick.tv_nsec;
}
