// SPDX-License-Identifier: GPL-2.0-only
/* Programs as long as they may be: their jumps go by islands, and the verifier takes them. */
#include "tests/bpf/filter_run.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct sock_filter loads_at_x(unsigned int i, unsigned int n)
{
	(void)n;
	if (i % 2)
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, i % 60);
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_IND, i % 60);
}

static struct sock_filter loads(unsigned int i, unsigned int n)
{
	(void)n;
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, i % 60);
}

static struct sock_filter comparisons(unsigned int i, unsigned int n)
{
	if (i % 2 == 0)
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, i % 60);
	return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, rnd(),
					    i + 5 < n ? (uint8_t)below(3) : 0, 0);
}

static void test_kind(const char *what, struct sock_filter (*insn)(unsigned int i, unsigned int n))
{
	static const enum mode tried[] = { XDP_LINEAR, XDP_FRAGS_UNOPTIMIZED, TC_TAGGED,
					   TC_UNOPTIMIZED, TC_TAGGED_UNOPTIMIZED };
	static struct sock_filter insns[BPF_MAXINSNS];
	unsigned int n = packets_wanted(BPF_MAXINSNS) < BPF_MAXINSNS ? 1024 : BPF_MAXINSNS;
	const struct ng_cbpf filter = { .insns = insns, .n = n };

	for (unsigned int i = 0; i + 1 < n; i++)
		insns[i] = insn(i, n);
	insns[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	for (size_t i = 0; i < N_OF(tried); i++) {
		int fd = load_mode(&filter, tried[i]);
		struct tally tally = { 0 };

		if (fd >= 0) {
			run_packets(fd, &filter, tried[i], 60, &tally);
			close(fd);
		}
		ok(fd >= 0 && !tally.wrong && tally.accepted, "%s, %u %s: as the interpreter",
		   modes[tried[i]].name, n, what);
	}
}

int main(void)
{
	require_bpf();
	printf("# seed %#llx\n", (unsigned long long)random_state);
	test_kind("loads at X", loads_at_x);
	test_kind("loads", loads);
	test_kind("loads and comparisons", comparisons);
	return tap_done();
}
