// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters that loop: chains of extension headers, headers that lead in a circle, and random
 * programs with jumps back. All against our interpreter: libpcap's never ends on some of them.
 */
#include "ctl/filter/pcap.h"
#include "tests/bpf/filter_run.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ETHERNET    1
#define PROGRAMS    400
#define INSNS_MAX   24
#define IP6	    14
#define CHAIN	    (IP6 + 40) /* the first extension header */

/* Fills a frame's headers behind IPv6 with one of that kind and length after the other. */
static void make_chain(struct packet *p, uint8_t next, uint8_t length, uint32_t total)
{
	memset(p->data, 0, CHAIN);
	p->data[12] = 0x86;
	p->data[13] = 0xdd;
	p->data[IP6] = 0x60;
	p->data[IP6 + 6] = next;
	for (uint32_t i = CHAIN; i < total; i += 2) {
		p->data[i] = next;
		p->data[i + 1] = length;
	}
	p->len = total;
}

/* `headers` of eight bytes, then what next says. */
static void make_long_chain(struct packet *p, uint32_t headers, uint8_t next)
{
	make_chain(p, 60, 0, CHAIN + 8 * headers + 8);
	p->data[headers ? CHAIN + 8 * (headers - 1) : IP6 + 6] = next;
}

static bool answers(int fd, const struct ng_cbpf *filter, enum mode mode, const struct packet *p)
{
	static uint8_t wire[WIRE_MAX];
	uint32_t len = wire_image(p, mode, wire), got;
	uint32_t want = ng_filter_interpret(filter, wire, len, len);

	if (run_packet(fd, p, mode, &got))
		return true;
	if (want != got)
		show_mismatch(mode, p, want, got);
	return want == got;
}

/* Kernels without may_goto go round a constant number of times. */
static uint32_t headers_max(void)
{
	return kernel_flags ? 180 : NG_LOOP_ROUNDS_FIXED - 1;
}

/* All that ends, to the last header; what leads in a circle is given up, as its bytes say. */
static bool chains_right(int fd, const struct ng_cbpf *filter, enum mode mode)
{
	bool good = true;
	struct packet p;

	for (uint32_t headers = 0; headers <= headers_max() && good; headers++) {
		make_long_chain(&p, headers, headers % 2 ? 6 : 17);
		good = answers(fd, filter, mode, &p);
	}
	for (uint32_t length = 0; length < 256 && kernel_flags && good; length++) {
		make_chain(&p, 51, (uint8_t)length, CHAIN + 64); /* AH steps by (length + 2) * 4 */
		good = answers(fd, filter, mode, &p);
		make_chain(&p, (uint8_t)ONE_OF(0, 43, 44, 51, 60), (uint8_t)length, CHAIN + 600);
		good = good && answers(fd, filter, mode, &p);
	}
	return good;
}

static void test_expression(const char *expr)
{
	for (unsigned int optimize = 0; optimize < 2; optimize++) {
		struct tally tally = { 0 };
		struct ng_cbpf filter = { 0 };
		bool good = true;

		if (!ok(!ng_filter_compile(expr, "expression", ETHERNET, 262144,
					   optimize ? 0 : NG_FILTER_PLAIN, &filter, NULL),
			"%s: compiles", expr))
			return;
		for (enum mode mode = 0; mode < MODES; mode++) {
			int fd = load_mode(&filter, mode);

			if (fd == -2)
				continue;
			good = good && fd >= 0;
			if (fd < 0)
				continue;
			run_packets(fd, &filter, mode, packets_wanted(200), &tally);
			good = good && chains_right(fd, &filter, mode);
			close(fd);
		}
		ok(good && !tally.wrong && tally.runs > 0,
		   "%s%s: as the interpreter (%u runs, %u accepted)", expr,
		   optimize ? "" : " (not optimized)", tally.runs, tally.accepted);
		ng_cbpf_free(&filter);
	}
}

/* The way a filter ends that goes round as often as the length of the packet allows. */
static void test_bound(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1),
		BPF_STMT(BPF_JMP | BPF_JA, -3u),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	const struct ng_cbpf filter = { .insns = insns, .n = N_OF(insns) };
	uint32_t rounds = kernel_flags ? (uint32_t)NG_LOOP_ROUNDS(64) : NG_LOOP_ROUNDS_FIXED;

	for (enum mode mode = 0; mode < MODES; mode++) {
		struct packet p = { .len = modes[mode].tagged ? 60 : 64 };
		uint32_t at = 0, beyond = 1;
		int fd = load_mode(&filter, mode);

		if (fd == -2)
			continue;
		p.data[3] = (uint8_t)rounds;
		run_packet(fd, &p, mode, &at);
		p.data[3]++;
		run_packet(fd, &p, mode, &beyond);
		ok(at == 1 && beyond == 0, "%s: %u rounds, and no more", modes[mode].name, rounds);
		close(fd);
	}
}

/* Jumps back, guarded loads before and behind, counters in A, X and M[]. */
static struct sock_filter random_insn(size_t i, size_t n)
{
	uint32_t room = (uint32_t)(n - i - 2);
	uint8_t reach = (uint8_t)(room < 6 ? room + 1 : 7);

	switch (below(10)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, -1u - below((uint32_t)i + 1));
	case 1:
	case 2:
	case 3:
		return (struct sock_filter)BPF_JUMP(
			BPF_JMP | ONE_OF(BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET) |
				ONE_OF(BPF_K, BPF_X),
			below(64), (uint8_t)below(reach), (uint8_t)below(reach));
	case 4:
		return (struct sock_filter)BPF_STMT(
			BPF_LD | ONE_OF(BPF_ABS, BPF_IND) | ONE_OF(BPF_W, BPF_H, BPF_B), below(24));
	case 5:
		return (struct sock_filter)BPF_STMT(ONE_OF(BPF_LD, BPF_LDX) | BPF_MEM, below(3));
	case 6:
		return (struct sock_filter)BPF_STMT(ONE_OF(BPF_ST, BPF_STX), below(3));
	case 7:
		return (struct sock_filter)BPF_STMT(BPF_MISC | ONE_OF(BPF_TAX, BPF_TXA), 0);
	case 8:
		return (struct sock_filter)BPF_STMT(
			BPF_ALU | ONE_OF(BPF_ADD, BPF_SUB, BPF_AND, BPF_XOR) | BPF_K, below(9));
	default:
		return (struct sock_filter)BPF_STMT(ONE_OF(BPF_LD, BPF_LDX) | BPF_IMM, below(64));
	}
}

static void random_program(struct ng_cbpf *filter)
{
	do {
		size_t i = 0;

		filter->n = 4 + below(INSNS_MAX - 4);
		for (; i + 1 < filter->n; i++)
			filter->insns[i] = random_insn(i, filter->n);
		filter->insns[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	} while (!bpf_validate((struct ng_pcap_insn *)filter->insns, (int)filter->n));
}

static void test_random(void)
{
	static struct sock_filter insns[INSNS_MAX];
	struct ng_cbpf filter = { .insns = insns };
	unsigned int refused = 0;
	struct tally tally = { 0 };

	for (unsigned int i = 0; i < packets_wanted(PROGRAMS); i++) {
		random_program(&filter);
		for (enum mode mode = 0; mode < MODES; mode++) {
			int fd = load_mode(&filter, mode);

			refused += fd == -1;
			if (fd < 0)
				continue;
			if (kernel_flags)
				run_packets(fd, &filter, mode, 20, &tally);
			close(fd);
		}
	}
	ok(!refused, "random programs with jumps back: all load");
	ok(!tally.wrong, "and answer as the interpreter (%u runs, %u accepted)", tally.runs,
	   tally.accepted);
}

int main(void)
{
	static const char *const expressions[] = {
		"ip6 protochain 6",
		"ip protochain 6",
		"protochain 17",
		"ip6 protochain 51 or ip protochain 51",
		"udp port 53 or ip6 protochain 6 and ip6[6] = 0",
		"vlan and ip6 protochain 17",
	};

	require_bpf();
	printf("# seed %#llx\n", (unsigned long long)random_state);
	for (unsigned int flags = kernel_flags;; flags = kernel_flags = 0) {
		printf("# with%s may_goto\n", flags ? "" : "out");
		for (size_t i = 0; i < N_OF(expressions); i++)
			test_expression(expressions[i]);
		test_bound();
		test_random();
		if (!flags)
			break;
	}
	return tap_done();
}
