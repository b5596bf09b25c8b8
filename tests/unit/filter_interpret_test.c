// SPDX-License-Identifier: GPL-2.0-only
/* Our interpreter of classic BPF: libpcap's answers, and sets, metadata and loops beyond them. */
#include "ctl/filter/cfg.h"
#include "ctl/filter/pcap.h"
#include "tests/filter_packets.h"
#include "tests/random.h"
#include "tests/tap.h"

#define PROGRAMS    4000
#define PACKETS	    25
#define INSNS_MAX   40
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t random_k(void)
{
	switch (below(6)) {
	case 0:
		return rnd();
	case 1:
		return ONE_OF(0xffffffff, 0xfffffff0, 0x80000000, 0xffff, 0x7fff);
	default:
		return below(64);
	}
}

/* One that libpcap's interpreter takes and that goes on to the next. */
static struct sock_filter random_insn(void)
{
	static const unsigned short codes[] = {
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS,
		BPF_LD | BPF_W | BPF_IND,
		BPF_LD | BPF_H | BPF_IND,
		BPF_LD | BPF_B | BPF_IND,
		BPF_LDX | BPF_B | BPF_MSH,
		BPF_LD | BPF_W | BPF_LEN,
		BPF_LDX | BPF_W | BPF_LEN,
		BPF_LD | BPF_IMM,
		BPF_LDX | BPF_W | BPF_IMM,
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_W | BPF_MEM,
		BPF_ST,
		BPF_STX,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
		BPF_ALU | BPF_NEG,
		BPF_ALU | BPF_ADD | BPF_K,
		BPF_ALU | BPF_ADD | BPF_X,
		BPF_ALU | BPF_SUB | BPF_K,
		BPF_ALU | BPF_SUB | BPF_X,
		BPF_ALU | BPF_MUL | BPF_K,
		BPF_ALU | BPF_MUL | BPF_X,
		BPF_ALU | BPF_DIV | BPF_K,
		BPF_ALU | BPF_DIV | BPF_X,
		BPF_ALU | BPF_MOD | BPF_K,
		BPF_ALU | BPF_MOD | BPF_X,
		BPF_ALU | BPF_AND | BPF_K,
		BPF_ALU | BPF_AND | BPF_X,
		BPF_ALU | BPF_OR | BPF_K,
		BPF_ALU | BPF_OR | BPF_X,
		BPF_ALU | BPF_XOR | BPF_K,
		BPF_ALU | BPF_XOR | BPF_X,
		BPF_ALU | BPF_LSH | BPF_K,
		BPF_ALU | BPF_LSH | BPF_X,
		BPF_ALU | BPF_RSH | BPF_K,
		BPF_ALU | BPF_RSH | BPF_X,
	};
	struct sock_filter f = { .code = codes[below(N_OF(codes))], .k = random_k() };
	enum ng_op op = ng_op_of(&f);

	if (op == NG_OP_MEM || op == NG_OP_STORE)
		f.k %= 4;
	if (op == NG_OP_ABS || op == NG_OP_MSH)
		f.k = below(20) ? below(40) : ONE_OF(0x7fffffff, 0x80000000, 0xfffffffe);
	if (op == NG_OP_ALU)
		f.k = f.code & (BPF_LSH | BPF_RSH) ? f.k % 31 + 1 : f.k | 1;
	return f;
}

static struct sock_filter random_jump(uint32_t room)
{
	static const unsigned short codes[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	if (below(8) == 0)
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, below(room));
	return (struct sock_filter){ BPF_JMP | codes[below(4)] | (below(3) ? BPF_K : BPF_X),
				     (uint8_t)below(room), (uint8_t)below(room), random_k() };
}

/* The cells are set first: libpcap 1.10.3 leaves them open. */
static size_t random_program(struct sock_filter *insns)
{
	size_t n = 0, end = 8 + below(INSNS_MAX - 12);

	for (uint32_t cell = 0; cell < 4; cell++)
		insns[n++] = (struct sock_filter)BPF_STMT(BPF_ST, cell);
	while (n < end) {
		insns[n] = below(4) ? random_insn() : random_jump((uint32_t)(end - n));
		n++;
	}
	insns[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	insns[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rnd() | 1);
	return n;
}

static void test_random_programs(void)
{
	static struct sock_filter insns[INSNS_MAX];
	static struct packet packet;
	unsigned int wrong = 0, accepted = 0;

	for (unsigned int i = 0; i < PROGRAMS; i++) {
		struct ng_cbpf p = { .insns = insns, .n = random_program(insns) };

		for (unsigned int j = 0; j < PACKETS; j++) {
			uint32_t wirelen, got, want;

			make_packet(&packet);
			wirelen = packet.len + below(3);
			got = ng_filter_interpret(&p, packet.data, wirelen, packet.len);
			want = bpf_filter((struct ng_pcap_insn *)insns, packet.data, wirelen,
					  packet.len);
			accepted += want != 0;
			wrong += got != want;
		}
	}
	ok(wrong == 0 && accepted > PROGRAMS,
	   "%u random programs, %u packets each, answer what libpcap's interpreter does (%u yes)",
	   PROGRAMS, PACKETS, accepted);
}

static unsigned int run(struct sock_filter *insns, size_t n, const struct ng_packet_meta *meta,
			const char *packet, unsigned int len)
{
	struct ng_cbpf p = { .insns = insns, .n = n };

	return ng_filter_interpret_with(&p, meta, packet, len, len);
}

static void test_set(void)
{
	__u32 keys[] = { 0, 7, 8, 0x7fffffff, 0x80000000, 0xfffffffe };
	struct ng_set set = { .key = keys, .n = N_OF(keys) };
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | NG_BPF_IN | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 5),
		BPF_STMT(BPF_RET | BPF_K, 9),
	};
	struct ng_cbpf p = { .insns = insns, .n = 4, .sets = &set, .n_sets = 1 };
	static const struct {
		const char *packet;
		unsigned int want;
	} rows[] = {
		{ "\0\0\0\0", 9 },	   { "\0\0\0\1", 5 },	{ "\0\0\0\7", 9 },
		{ "\0\0\0\x8", 9 },	   { "\0\0\0\x9", 5 },	{ "\x7f\xff\xff\xff", 9 },
		{ "\x80\0\0\0", 9 },	   { "\x80\0\0\1", 5 }, { "\xff\xff\xff\xfe", 9 },
		{ "\xff\xff\xff\xff", 5 },
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		is_int(ng_filter_interpret(&p, rows[i].packet, 4, 4), rows[i].want,
		       "membership of a number in a set of %zu, row %zu", N_OF(keys), i);
}

static void test_strings(void)
{
	__u32 keys[] = { 1, 0x20000, 1, 0x30000, 0x80000000, 0 };
	struct ng_set set = { .key = keys, .n = 3, .words = 2, .mask = 0xffff0000 };
	struct sock_filter insns[] = {
		BPF_JUMP(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(0, 1), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 5),
		BPF_STMT(BPF_RET | BPF_K, 9),
	};
	struct ng_cbpf p = { .insns = insns, .n = 3, .sets = &set, .n_sets = 1 };
	static const struct {
		const char *packet;
		unsigned int len, want;
	} rows[] = {
		{ "\xff\0\0\0\1\0\2\0\0", 9, 9 }, { "\xff\0\0\0\1\0\3\xff\xff", 9, 9 },
		{ "\xff\0\0\0\1\0\4\0\0", 9, 5 }, { "\xff\x80\0\0\0\0\0\0\7", 9, 9 },
		{ "\xff\0\0\0\0\0\2\0\0", 9, 5 }, { "\xff\0\0\0\1\0\2\0", 8, 0 },
		{ "\xff\xff\0\0\1\0\2\0", 8, 0 },
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		is_int(ng_filter_interpret(&p, rows[i].packet, rows[i].len, rows[i].len),
		       rows[i].want, "membership of two words, the last masked, row %zu", i);
}

static void test_metadata(void)
{
	static const struct {
		int field;
		unsigned int want;
	} rows[] = {
		{ SKF_AD_PKTTYPE, 4 },		{ SKF_AD_IFINDEX, 11 }, { SKF_AD_MARK, 12 },
		{ SKF_AD_QUEUE, 13 },		{ SKF_AD_VLAN_TAG, 0 }, { SKF_AD_VLAN_TPID, 0 },
		{ SKF_AD_VLAN_TAG_PRESENT, 0 },
	};
	struct ng_packet_meta meta = { 4, 11, 12, 13 };

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct sock_filter insns[] = {
			BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (__u32)(SKF_AD_OFF + rows[i].field)),
			BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};

		is_int(run(insns, 3, &meta, "x", 1), rows[i].want + 1, "metadata %d",
		       rows[i].field);
		is_int(run(insns, 3, NULL, "x", 1), 1, "metadata %d without any", rows[i].field);
		insns[0].k = (__u32)(SKF_AD_OFF + SKF_AD_HATYPE);
		is_int(run(insns, 3, NULL, "x", 1), 2, "every frame is of Ethernet (%zu)", i);
		insns[0].k = (__u32)(SKF_AD_OFF + SKF_AD_RANDOM);
		is_int(run(insns, 3, &meta, "x", 1), 0, "unknown metadata rejects (%zu)", i);
	}
}

static void test_memory_begins_as_zero(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_MEM, 9),		BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 15),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 3),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	is_int(run(insns, 5, NULL, "x", 1), 3, "memory cells begin as 0");
}

/* A loop that goes round as often as the packet's first byte says. */
static void test_rounds(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1),
		BPF_STMT(BPF_JMP | BPF_JA, (__u32)-3),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};

	is_int(run(insns, 5, NULL, "\x5", 1), 0, "one round more than the packet's length allows");
	is_int(run(insns, 5, NULL, "\x4", 1), 1, "as many rounds as it allows");
}

/* An AH header whose length takes libpcap's loop back to where it was. */
static void test_endless_loop(void)
{
	static unsigned char packet[14 + 40 + 64] = {
		[12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 51
	};
	struct ng_cbpf p = { 0 };
	struct ng_error err;
	unsigned int ends = 0, answer;

	if (ng_filter_compile("ip6 protochain 6", "expression", 1, 96, 0, &p, &err)) {
		ok(false, "compiles ip6 protochain: %s", err.what);
		return;
	}
	for (unsigned int next = 0; next < 256; next++)
		for (unsigned int length = 0; length < 256; length++) {
			memset(packet + 54, (int)length, 64);
			for (size_t i = 54; i < sizeof(packet); i += 2)
				packet[i] = (unsigned char)next;
			answer = ng_filter_interpret(&p, packet, sizeof(packet), sizeof(packet));
			ends += answer == 0 || answer == 96;
		}
	is_int(ends, 65536, "protochain comes to an end whatever the headers say");
	ng_cbpf_free(&p);
}

/* As many headers as a packet holds, each 8 bytes: nothing that ends is cut short. */
static void test_long_chain(void)
{
	static unsigned char packet[14 + 40 + 8 * 180] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60 };
	struct ng_cbpf p = { 0 };
	unsigned int wrong = 0;

	ng_filter_compile("ip6 protochain 6", "expression", 1, 96, 0, &p, NULL);
	for (unsigned int headers = 0; headers < 180; headers++) {
		for (unsigned int i = 0; i < headers; i++)
			packet[i ? 54 + 8 * (i - 1) : 20] = 60;
		packet[headers ? 54 + 8 * (headers - 1) : 20] = 6;
		wrong += ng_filter_interpret(&p, packet, sizeof(packet), sizeof(packet)) != 96;
		wrong += bpf_filter((struct ng_pcap_insn *)p.insns, packet, sizeof(packet),
				    sizeof(packet)) != 96;
	}
	is_int(wrong, 0, "protochain passes up to 180 headers");
	ng_cbpf_free(&p);
}

int main(void)
{
	test_random_programs();
	test_set();
	test_strings();
	test_metadata();
	test_memory_begins_as_zero();
	test_rounds();
	test_endless_loop();
	test_long_chain();
	return tap_done();
}
