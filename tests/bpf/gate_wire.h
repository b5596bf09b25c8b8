/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of the tc program on real packets: the loopback device of a network namespace of our
 * own, with the program on its egress hook. A packet socket's frame of more than a page has only
 * its Ethernet header in the linear part, and short frames are not refused as in a test run.
 */
#ifndef NG_TESTS_BPF_GATE_WIRE_H
#define NG_TESTS_BPF_GATE_WIRE_H

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/bpf/gate_run.h"

#define PAGED 4200 /* a frame of this length is paged */

struct wire {
	int fd, linear_fd;
	struct bpf_tc_hook hook;
};

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return rc;
}

/* A program that keeps the length of the linear part in *map and passes. */
static int load_linear_probe(int *map)
{
	const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_6, BPF_REG_1,
		  offsetof(struct __sk_buff, data_end), 0 },
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_1, offsetof(struct __sk_buff, data),
		  0 },
		{ BPF_ALU64 | BPF_SUB | BPF_X, BPF_REG_6, BPF_REG_7, 0, 0 },
		{ BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4 },
		{ BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
		  *map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ng_test", 4, 8, 1, NULL) },
		{ 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
		{ BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 1, 0 },
		{ BPF_STX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_6, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, TC_ACT_UNSPEC },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "ng_test_linear", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

static int wire_attach(struct wire *w, int prog_fd, __u32 priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = priority, .prog_fd = prog_fd);

	return bpf_tc_attach(&w->hook, &opts);
}

static bool wire_open(struct wire *w, int prog_fd)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
	int probe;

	if (unshare(CLONE_NEWNET) || loopback_up())
		return fail("network namespace") == 0;
	w->hook = (struct bpf_tc_hook){ .sz = sizeof(w->hook),
					.ifindex = 1,
					.attach_point = BPF_TC_EGRESS };
	probe = load_linear_probe(&w->linear_fd);
	if (probe < 0 || bpf_tc_hook_create(&w->hook) || wire_attach(w, probe, 1) ||
	    wire_attach(w, prog_fd, 2))
		return fail("attaching to lo") == 0;
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* receives nothing */
	if (w->fd < 0 || bind(w->fd, (struct sockaddr *)&to, sizeof(to)))
		return fail("packet socket") == 0;
	return true;
}

/* The program has run when this returns. */
static bool wire_send(const struct wire *w, const struct frame *f)
{
	return send(w->fd, f->data, f->len, 0) == (ssize_t)f->len ||
	       errno == ENOBUFS; /* what a drop on egress looks like to the sender */
}

/* Bytes in the linear part of the frame sent last. */
static __u64 wire_linear(const struct wire *w)
{
	__u64 linear = 0;
	__u32 zero = 0;

	bpf_map_lookup_elem(w->linear_fd, &zero, &linear);
	return linear;
}

#endif
