// SPDX-License-Identifier: GPL-2.0-only
/* Random classic programs, most of which no expression makes,
 * and hand-made ones at the edges of the semantics. */
#include "ctl/filter/pcap.h"
#include "tests/bpf/filter_run.h"

#define PROGRAMS    1000
#define PACKETS	    60
#define INSNS_MAX   48
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t random_offset(void)
{
	switch (below(16)) {
	case 0:
		return rnd();
	case 1:
		return ONE_OF(0x7ffb, 0x7ffc, 0x7fff, 0xfff0, 0xffff, 0x7fffffff, 0x80000000,
			      0xffffffff, 0xfffffffc, 0xfffffff0, SKF_NET_OFF, SKF_LL_OFF);
	case 2:
		return below(4000);
	default:
		return below(34);
	}
}

static struct sock_filter random_alu(void)
{
	static const unsigned short op[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD,
					     BPF_AND, BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH };
	unsigned short code = op[below(N_OF(op))];
	uint32_t k = below(3) ? 1 + below(31) : rnd() | 1;

	if (below(12) == 0)
		return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
	if (code == BPF_LSH || code == BPF_RSH)
		k &= 31;
	return (struct sock_filter){ BPF_ALU | code | (below(2) ? BPF_X : BPF_K), 0, 0, k };
}

static struct sock_filter random_move(void)
{
	switch (below(9)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, below(2) ? rnd() : below(64));
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM,
						    below(8) ? below(64) : rnd());
	case 2:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, below(BPF_MEMWORDS));
	case 3:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_MEM, below(BPF_MEMWORDS));
	case 4:
		return (struct sock_filter)BPF_STMT(BPF_ST, below(BPF_MEMWORDS));
	case 5:
		return (struct sock_filter)BPF_STMT(BPF_STX, below(BPF_MEMWORDS));
	case 6:
		return (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
	case 7:
		return (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TXA, 0);
	default:
		return (struct sock_filter)BPF_STMT((below(2) ? BPF_LD : BPF_LDX) | BPF_LEN, 0);
	}
}

/* What a test run knows at all hooks. */
static uint32_t random_metadata(void)
{
	return (uint32_t)SKF_AD_OFF + ONE_OF(SKF_AD_PKTTYPE, SKF_AD_IFINDEX, SKF_AD_QUEUE,
					     SKF_AD_HATYPE, SKF_AD_VLAN_TAG,
					     SKF_AD_VLAN_TAG_PRESENT, SKF_AD_VLAN_TPID);
}

static struct sock_filter random_load(void)
{
	static const unsigned short size[] = { BPF_W, BPF_H, BPF_B };
	unsigned short bytes = size[below(3)];

	switch (below(4)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, random_offset());
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LD | bytes | BPF_IND, random_offset());
	default:
		return (struct sock_filter)BPF_STMT(
			BPF_LD | bytes | BPF_ABS, below(12) ? random_offset() : random_metadata());
	}
}

#define NUMBERS 4 /* sets of them; the others are of strings */

static __u32 set_keys[6][300];
static struct ng_set sets[] = {
	{ .key = set_keys[0], .n = 1 },	  /* compared */
	{ .key = set_keys[1], .n = 15 },  /* the same */
	{ .key = set_keys[2], .n = 40 },  /* a bit map */
	{ .key = set_keys[3], .n = 300 }, /* buckets */
	{ .key = set_keys[4], .n = 100, .words = 2, .mask = 0xfffffff0 },
	{ .key = set_keys[5], .n = 50, .words = 4, .mask = ~0u },
};

/* Strings from a packet, or they would hardly be in one: the last word sorts them. */
static void make_strings(struct ng_set *set)
{
	struct packet p;
	uint32_t at = below(20);

	make_packet(&p);
	pad_packet(&p, 64);
	for (size_t i = 0; i < set->n; i++) {
		__u32 *key = set->key + i * set->words;

		memcpy(key, p.data + at, set->words * sizeof(*key));
		for (unsigned int j = 0; j < set->words; j++)
			key[j] = __builtin_bswap32(key[j]);
		key[set->words - 1] = (__u32)i << 8;
	}
}

static void make_sets(void)
{
	for (size_t i = 0; i < NUMBERS; i++)
		for (__u32 k = 0, key = 0; k < sets[i].n; k++)
			sets[i].key[k] = key += 1 + below(k < 40 ? 9 : 25000000);
	for (size_t i = NUMBERS; i < N_OF(sets); i++)
		make_strings(&sets[i]);
}

static struct sock_filter random_membership(unsigned char reach)
{
	unsigned char jt = (unsigned char)below(reach), jf = (unsigned char)below(reach);
	__u32 set = below(N_OF(sets));

	if (set < NUMBERS)
		return (struct sock_filter)BPF_JUMP(BPF_JMP | NG_BPF_IN | BPF_K, set, jt, jf);
	return (struct sock_filter)BPF_JUMP(BPF_JMP | NG_BPF_IN6 | BPF_K,
					    NG_IN6_K(set, random_offset() & 0xffff), jt, jf);
}

/* room: instructions between this one and the last. */
static struct sock_filter random_jump(unsigned int room)
{
	static const unsigned short op[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	unsigned char reach = (unsigned char)(room < 8 ? room + 1 : 9);

	if (below(6) == 0)
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, below(reach));
	if (below(8) == 0)
		return random_membership(reach);
	return (struct sock_filter)BPF_JUMP(
		BPF_JMP | op[below(4)] | (below(3) ? BPF_K : BPF_X), below(2) ? rnd() : below(256),
		(unsigned char)below(reach), (unsigned char)below(reach));
}

/* Keeps X small now and then, or nearly every load behind it would leave the packet. */
static size_t random_body(struct sock_filter *insns, size_t i, size_t n)
{
	while (i + 1 < n) {
		uint32_t kind = below(20);

		if (kind < 7)
			insns[i++] = random_load();
		else if (kind < 11)
			insns[i++] = random_alu();
		else if (kind < 15)
			insns[i++] = random_move();
		else if (kind < 18)
			insns[i] = random_jump((unsigned int)(n - i - 2)), i++;
		else if (kind == 18 && below(6) == 0)
			insns[i++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
		else
			insns[i++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, below(24));
	}
	return i;
}

/* By libpcap, which knows no sets. */
static bool is_valid(const struct ng_cbpf *filter)
{
	struct sock_filter insns[INSNS_MAX];

	for (size_t i = 0; i < filter->n; i++) {
		insns[i] = filter->insns[i];
		if (ng_op_of(&insns[i]) == NG_OP_IN || ng_op_of(&insns[i]) == NG_OP_IN6)
			insns[i].code = BPF_JMP | BPF_JEQ | BPF_K;
	}
	return bpf_validate((const struct ng_pcap_insn *)insns, (int)filter->n);
}

static void random_program(struct ng_cbpf *filter)
{
	do {
		size_t i;

		filter->n = 3 + below(INSNS_MAX - 3);
		i = random_body(filter->insns, 0, filter->n);
		filter->insns[i] =
			(struct sock_filter)BPF_STMT(BPF_RET | (below(5) ? BPF_A : BPF_K), rnd());
	} while (!is_valid(filter));
}

static void show_program(const struct ng_cbpf *filter)
{
	for (size_t i = 0; i < filter->n; i++)
		printf("#   { %#x, %u, %u, %#x }\n", filter->insns[i].code, filter->insns[i].jt,
		       filter->insns[i].jf, filter->insns[i].k);
}

/* false: refused by the verifier or a wrong answer. */
static bool run_mode(const struct ng_cbpf *filter, enum mode mode, unsigned int packets,
		     struct tally *sum)
{
	struct tally tally = { 0 };
	int fd = load_mode(filter, mode);

	if (fd == -2)
		return true;
	if (fd >= 0) {
		run_packets(fd, filter, mode, packets, &tally);
		close(fd);
	}
	sum->runs += tally.runs;
	sum->accepted += tally.accepted;
	sum->wrong += tally.wrong;
	if (fd < 0 || tally.wrong)
		show_program(filter);
	return fd >= 0 && !tally.wrong;
}

static void test_random_programs(void)
{
	static struct sock_filter insns[INSNS_MAX];
	struct ng_cbpf filter = { .insns = insns, .sets = sets, .n_sets = N_OF(sets) };
	struct tally sum[MODES] = { 0 };
	unsigned int bad[MODES] = { 0 };

	for (unsigned int i = 0; i < packets_wanted(PROGRAMS); i++) {
		random_program(&filter);
		for (enum mode mode = 0; mode < MODES; mode++)
			bad[mode] += !run_mode(&filter, mode, PACKETS, &sum[mode]);
	}
	for (enum mode mode = 0; mode < MODES; mode++) {
		ok(bad[mode] == 0, "random programs, %s: as the interpreter (%u runs, %u accepted)",
		   modes[mode].name, sum[mode].runs, sum[mode].accepted);
		ok(sum[mode].accepted > sum[mode].runs / 20, "%s: enough answers are not 0",
		   modes[mode].name);
	}
}

#define S(code, k)	   BPF_STMT(code, k)
#define J(code, k, jt, jf) BPF_JUMP(code, k, jt, jf)
/* X = 0 to 63 */
#define LDX_BYTE_5	   S(BPF_LD | BPF_B | BPF_ABS, 5), S(BPF_MISC | BPF_TAX, 0)

static const struct {
	const char *what;
	struct sock_filter insns[12];
	size_t n;
} edges[] = {
	{ "shift left by X of 0 to 63",
	  { LDX_BYTE_5, S(BPF_LD | BPF_W | BPF_ABS, 0), S(BPF_ALU | BPF_LSH | BPF_X, 0),
	    S(BPF_RET | BPF_A, 0) },
	  5 },
	{ "shift right by X of 0 to 63",
	  { LDX_BYTE_5, S(BPF_LD | BPF_W | BPF_ABS, 0), S(BPF_ALU | BPF_RSH | BPF_X, 0),
	    S(BPF_RET | BPF_A, 0) },
	  5 },
	{ "division by X, 0 among them",
	  { S(BPF_LD | BPF_B | BPF_ABS, 11), S(BPF_MISC | BPF_TAX, 0),
	    S(BPF_LD | BPF_W | BPF_ABS, 0), S(BPF_ALU | BPF_DIV | BPF_X, 0),
	    S(BPF_RET | BPF_A, 0) },
	  5 },
	{ "remainder by X, 0 among them",
	  { S(BPF_LD | BPF_B | BPF_ABS, 11), S(BPF_MISC | BPF_TAX, 0),
	    S(BPF_LD | BPF_W | BPF_ABS, 0), S(BPF_ALU | BPF_MOD | BPF_X, 0),
	    S(BPF_RET | BPF_A, 0) },
	  5 },
	{ "division by a large constant is unsigned",
	  { S(BPF_LD | BPF_IMM, 0xffffffff), S(BPF_ALU | BPF_DIV | BPF_K, 0x80000001),
	    S(BPF_RET | BPF_A, 0) },
	  3 },
	{ "an offset of X + k beyond 32 bits does not wrap",
	  { S(BPF_LDX | BPF_IMM, -6u), S(BPF_LD | BPF_W | BPF_IND, 14), S(BPF_RET | BPF_K, 7) },
	  3 },
	{ "an offset near 4 GiB",
	  { S(BPF_LD | BPF_W | BPF_ABS, 0xfffffffc), S(BPF_RET | BPF_K, 7) },
	  2 },
	{ "the last byte of the packet",
	  { S(BPF_LDX | BPF_LEN, 0), S(BPF_LD | BPF_B | BPF_IND, -1u), S(BPF_RET | BPF_A, 0) },
	  3 },
	{ "the byte behind the packet",
	  { S(BPF_LDX | BPF_LEN, 0), S(BPF_LD | BPF_B | BPF_IND, 0), S(BPF_RET | BPF_K, 7) },
	  3 },
	{ "the last four bytes of the packet",
	  { S(BPF_LD | BPF_LEN, 0), S(BPF_ALU | BPF_SUB | BPF_K, 4), S(BPF_MISC | BPF_TAX, 0),
	    S(BPF_LD | BPF_W | BPF_IND, 0), S(BPF_RET | BPF_A, 0) },
	  5 },
	{ "X from a header length keeps A",
	  { S(BPF_LD | BPF_IMM, 0xdeadbeef), S(BPF_LDX | BPF_B | BPF_MSH, 13),
	    S(BPF_ALU | BPF_ADD | BPF_X, 0), S(BPF_RET | BPF_A, 0) },
	  4 },
	{ "a load behind one that never succeeds",
	  { S(BPF_LD | BPF_W | BPF_ABS, 0x7fffffff), S(BPF_LD | BPF_B | BPF_ABS, 0),
	    S(BPF_RET | BPF_K, 1) },
	  3 },
	{ "code that nothing leads to",
	  { S(BPF_JMP | BPF_JA, 2), S(BPF_LD | BPF_B | BPF_ABS, 0), S(BPF_RET | BPF_A, 0),
	    S(BPF_RET | BPF_K, 9), S(BPF_RET | BPF_K, 8) },
	  5 },
	{ "a comparison whose ways meet",
	  { S(BPF_LD | BPF_B | BPF_ABS, 0), J(BPF_JMP | BPF_JGT | BPF_K, 1, 0, 0),
	    S(BPF_RET | BPF_A, 0) },
	  3 },
	{ "comparisons are unsigned",
	  { S(BPF_LD | BPF_IMM, 0x80000000), S(BPF_LDX | BPF_IMM, 1),
	    J(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1), S(BPF_RET | BPF_K, -1u), S(BPF_RET | BPF_K, 0) },
	  5 },
	{ "bits of X are tested",
	  { LDX_BYTE_5, S(BPF_LD | BPF_B | BPF_ABS, 0), J(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 1),
	    S(BPF_RET | BPF_A, 0), S(BPF_RET | BPF_K, 0x80000000) },
	  6 },
	{ "no packet at all", { S(BPF_RET | BPF_K, 0x12345678) }, 1 },
	{ "nothing but the length", { S(BPF_LD | BPF_LEN, 0), S(BPF_RET | BPF_A, 0) }, 2 },
};

static void test_edges(void)
{
	for (size_t i = 0; i < N_OF(edges); i++) {
		struct ng_cbpf filter = { .insns = (struct sock_filter *)edges[i].insns,
					  .n = edges[i].n };
		struct tally sum = { 0 };
		bool good = true;

		for (enum mode mode = 0; mode < MODES; mode++)
			good &= run_mode(&filter, mode, packets_wanted(200), &sum);
		ok(good && sum.runs > 0, "%s: as the interpreter (%u runs, %u accepted)",
		   edges[i].what, sum.runs, sum.accepted);
	}
}

/* Each byte's place around the VLAN tag, by a constant offset and by one from the packet. */
static void test_every_offset(unsigned short bytes, const char *name)
{
	struct sock_filter insns[] = { LDX_BYTE_5, S(BPF_LD | bytes | BPF_IND, 0),
				       S(BPF_RET | BPF_A, 0) };
	struct tally sum = { 0 };
	bool good = true;

	for (enum mode mode = 0; mode < MODES; mode++)
		good &= run_mode(&(struct ng_cbpf){ .insns = insns, .n = 4 }, mode,
				 packets_wanted(1000), &sum);
	ok(good && sum.accepted > 0, "%s at X: as the interpreter (%u runs)", name, sum.runs);
	for (unsigned int k = 6; k <= 22; k++) {
		insns[2] = (struct sock_filter)S(BPF_LD | bytes | BPF_ABS, k);
		for (enum mode mode = 0; mode < MODES; mode++)
			good &= run_mode(&(struct ng_cbpf){ .insns = insns + 2, .n = 2 }, mode,
					 packets_wanted(50), &sum);
	}
	ok(good, "%s at 6 to 22: as the interpreter (%u runs)", name, sum.runs);
}

/* What libpcap leaves open: memory cells begin as 0. */
static void test_memory_begins_as_zero(void)
{
	struct sock_filter insns[] = { S(BPF_LDX | BPF_MEM, 15), S(BPF_LD | BPF_MEM, 0),
				       S(BPF_ALU | BPF_OR | BPF_X, 0),
				       S(BPF_ALU | BPF_ADD | BPF_K, 5), S(BPF_RET | BPF_A, 0) };
	struct ng_cbpf filter = { .insns = insns, .n = N_OF(insns) };
	struct packet p;
	uint32_t answer = 0;

	make_packet(&p);
	for (enum mode mode = XDP_LINEAR; mode <= XDP_FRAGS; mode++) {
		int fd = load_mode(&filter, mode);

		ok(fd >= 0 && run_packet(fd, &p, mode, &answer) == 0 && answer == 5,
		   "%s: memory cells begin as 0", modes[mode].name);
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	require_bpf();
	printf("# seed %#llx\n", (unsigned long long)random_state);
	make_sets();
	test_edges();
	test_every_offset(BPF_W, "four bytes");
	test_every_offset(BPF_H, "two bytes");
	test_every_offset(BPF_B, "one byte");
	test_memory_begins_as_zero();
	test_random_programs();
	return tap_done();
}
