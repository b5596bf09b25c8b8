// SPDX-License-Identifier: GPL-2.0-only
/* Sets of strings of words (NG_BPF_IN6) in every way a packet can lie in memory: as libpcap's
 * interpreter answers the chain of loads and comparisons that they stand for. */
#include "ctl/filter/pcap.h"
#include "tests/bpf/filter_run.h"

#include <time.h>

#define PROGRAMS   60
#define PACKETS	   60
#define KEYS_MAX   20
#define KEYS_MANY  10000
#define LONG_CHAIN (KEYS_MAX * 3 * NG_SET_WORDS_MAX + 8)
#define YES	   0x11
#define HOSTS	   40
#define N_OF(a)	   (sizeof(a) / sizeof((a)[0]))

static struct {
	uint32_t key[KEYS_MANY * NG_SET_WORDS_MAX];
	struct ng_set set;
	uint32_t at;
	struct sock_filter insns[4];
	struct ng_cbpf filter; /* A where the words are in the set, else YES */
	struct sock_filter chain[LONG_CHAIN];
	size_t n_chain;
	const struct ng_pcap_insn *reference; /* NULL: none */
	bool is_expression, cuts;
} t;

static int ascending(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	unsigned int i = 0;

	while (i + 1 < t.set.words && x[i] == y[i])
		i++;
	return (x[i] > y[i]) - (x[i] < y[i]);
}

/* Keys that have words in common. */
static void make_set(size_t n)
{
	uint32_t pool[4] = { rnd(), rnd(), 0, 0xffffffff };
	size_t bytes = t.set.words * sizeof(*t.key), kept = 1;
	char *key = (char *)t.key;

	for (size_t i = 0; i < n; i++) {
		uint32_t *to = t.key + i * t.set.words;

		for (unsigned int j = 0; j < t.set.words; j++)
			to[j] = below(3) ? pool[below(4)] : n > KEYS_MAX ? rnd() : below(64);
		to[t.set.words - 1] &= t.set.mask;
	}
	qsort(t.key, n, bytes, ascending);
	for (size_t i = 1; i < n; i++)
		if (memcmp(key + (kept - 1) * bytes, key + i * bytes, bytes) != 0)
			memmove(key + kept++ * bytes, key + i * bytes, bytes);
	t.set.key = t.key;
	t.set.n = kept;
}

static void make_filter(void)
{
	const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(0, t.at), 0, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, YES),
	};

	memcpy(t.insns, insns, sizeof(insns));
	t.filter =
		(struct ng_cbpf){ .insns = t.insns, .n = N_OF(insns), .sets = &t.set, .n_sets = 1 };
}

static void put(unsigned int code, uint32_t k, size_t jt, size_t jf)
{
	t.chain[t.n_chain++] = (struct sock_filter){ (__u16)code, (__u8)jt, (__u8)jf, k };
}

/* A word of one key: true goes on behind, false goes to the next key. */
static void put_word(const uint32_t *key, unsigned int word)
{
	bool last = word + 1 == t.set.words;
	bool masked = t.set.mask != ~0u;
	unsigned int behind = 2 * (t.set.words - word) + (masked && !last);

	put(BPF_LD | BPF_W | BPF_ABS, t.at + 4 * word, 0, 0);
	if (last && masked)
		put(BPF_ALU | BPF_AND | BPF_K, t.set.mask, 0, 0);
	put(BPF_JMP | BPF_JEQ | BPF_K, key[word], 0, behind);
}

/* The same for libpcap. Behind each key stand `ld [0]; ret A`. */
static void make_chain(void)
{
	t.n_chain = 0;
	put(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
	for (unsigned int word = 0; word < t.set.words; word++)
		put(BPF_LD | BPF_W | BPF_ABS, t.at + 4 * word, 0, 0);
	for (size_t i = 0; i < t.set.n; i++) {
		for (unsigned int word = 0; word < t.set.words; word++)
			put_word(t.key + i * t.set.words, word);
		put(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
		put(BPF_RET | BPF_A, 0, 0, 0);
	}
	put(BPF_RET | BPF_K, YES, 0, 0);
	t.reference = (const struct ng_pcap_insn *)t.chain;
}

/* A packet that has a key, or nearly, where the filter looks; it may end there. */
static void make_near(struct packet *p, enum mode mode)
{
	const uint32_t *key = t.key + below((uint32_t)t.set.n) * t.set.words;
	uint32_t at = t.at - (modes[mode].tagged && t.at >= 16 ? 4 : 0), end = at + 4 * t.set.words;

	make_packet(p);
	if (p->len < end)
		pad_packet(p, end + below(8));
	for (uint32_t i = 0; i < 4 * t.set.words; i++)
		p->data[at + i] = (uint8_t)(key[i / 4] >> (24 - 8 * (i % 4)));
	if (below(3) == 0)
		p->data[at + below(4 * t.set.words)] ^= (uint8_t)(1 << below(8));
	end -= below(3);
	if (below(4) == 0)
		p->len = end > 14 ? end : 14;
}

/* The same for expressions: one of its addresses in an IPv6 header. */
static void make_ip6(struct packet *p)
{
	const uint32_t *key = t.key + below(HOSTS) * 4;
	uint32_t at = below(2) ? 22 : 38;

	make_packet(p);
	if (p->len < 80)
		pad_packet(p, 80);
	p->data[12] = 0x86;
	p->data[13] = 0xdd;
	for (uint32_t i = 0; i < 16; i++)
		p->data[at + i] = (uint8_t)(key[i / 4] >> (24 - 8 * (i % 4)));
	if (below(3) == 0)
		p->data[at + below(16)] ^= (uint8_t)(1 << below(8));
	if (t.cuts && below(4) == 0)
		p->len = 20 + below(36);
}

static uint32_t expected(const struct packet *p, enum mode mode)
{
	static uint8_t wire[WIRE_MAX];
	uint32_t len = wire_image(p, mode, wire);
	uint32_t ours = ng_filter_interpret(&t.filter, wire, len, len);

	if (t.reference && bpf_filter(t.reference, wire, len, len) != ours)
		return ~ours;
	return ours;
}

static void run_near(int fd, enum mode mode, unsigned int n, struct tally *tally)
{
	for (unsigned int i = 0; i < n; i++) {
		struct packet p;
		uint32_t want, got;

		if (t.is_expression)
			make_ip6(&p);
		else
			make_near(&p, mode);
		if (run_packet(fd, &p, mode, &got))
			continue;
		want = expected(&p, mode);
		tally->runs++;
		tally->accepted += want != 0 && want != YES;
		if (want != got && tally->wrong++ == 0)
			show_mismatch(mode, &p, want, got);
	}
}

static void run_mode(enum mode mode, unsigned int n, struct tally *tally)
{
	int fd = load_mode(&t.filter, mode);

	if (fd == -2)
		return;
	tally->wrong += fd < 0;
	if (fd < 0)
		return;
	run_near(fd, mode, n, tally);
	close(fd);
}

static void choose_shape(void)
{
	t.set.words = 2 + below(3);
	t.set.mask = below(2) ? ~0u : ~0u << below(32);
	t.at = below(3) ? below(40) : ONE_OF(22, 38, 12, 16, 8, 0, 1400);
}

static void test_shapes(void)
{
	struct tally tally[MODES] = { 0 };

	for (unsigned int i = 0; i < packets_wanted(PROGRAMS); i++) {
		choose_shape();
		make_set(1 + below(KEYS_MAX));
		make_filter();
		make_chain();
		for (enum mode mode = 0; mode < MODES; mode++)
			run_mode(mode, PACKETS, &tally[mode]);
	}
	for (enum mode mode = 0; mode < MODES; mode++)
		ok(!tally[mode].wrong && tally[mode].accepted > tally[mode].runs / 5,
		   "%s: strings as a chain of comparisons (%u runs, %u in the set)",
		   modes[mode].name, tally[mode].runs, tally[mode].accepted);
}

static void test_many(unsigned int words, uint32_t mask)
{
	struct tally tally = { 0 };

	t.set.words = words;
	t.set.mask = mask;
	t.at = 22;
	t.reference = NULL;
	make_set(KEYS_MANY);
	make_filter();
	for (enum mode mode = 0; mode < MODES; mode++)
		run_mode(mode, packets_wanted(300), &tally);
	ok(!tally.wrong && tally.accepted > tally.runs / 5,
	   "%zu strings of %u words, mask %#x: as a search (%u runs, %u in the set)", t.set.n,
	   words, mask, tally.runs, tally.accepted);
}

/* before, then HOSTS times `term` joined by `joint`, then after. %6: an address, %4: its net. */
static const struct {
	const char *before, *joint, *term, *after;
	bool cuts; /* answers as libpcap's also for packets that end early: see lists.c */
} expressions[] = {
	{ "", " or ", "host %6", "", false },
	{ "", " or ", "src host %6", "", true },
	{ "", " or ", "dst host %6", "", true },
	{ "vlan and (", " or ", "host %6", ")", false },
	{ "vlan and (", " or ", "dst host %6", ")", true },
	{ "", " or ", "host %6 or host 10.0.0.1", "", false },
	{ "", " and ", "not host %6", "", false },
	{ "", " or ", "src net %4/48", "", true },
	{ "", " or ", "net %4/33", " or tcp", false },
	{ "vlan and not (", " or ", "net %4/77", ")", false },
};

static char *put_address(char *out, const uint32_t *word, unsigned int bits)
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int part = word[i / 2] >> (i % 2 ? 0 : 16) & 0xffff;
		unsigned int left = bits > 16 * i ? bits - 16 * i : 0;

		if (left < 16)
			part &= 0xffffu << (16 - left);
		out += sprintf(out, "%s%x", i ? ":" : "", part);
	}
	return out;
}

static const char *make_text(const char *before, const char *joint, const char *term,
			     const char *after, size_t n)
{
	static char text[KEYS_MANY * 60];
	char *out = stpcpy(text, before);

	for (size_t i = 0; i < n; i++) {
		if (i)
			out = stpcpy(out, joint);
		for (const char *p = term; *p; p++) {
			if (*p != '%')
				*out++ = *p;
			else if (*++p == '6')
				out = put_address(out, t.key + 4 * i, 128);
			else
				out = put_address(out, t.key + 4 * i,
						  (unsigned int)atoi(strchr(p, '/') + 1));
		}
	}
	strcpy(out, after);
	return text;
}

static void make_addresses(size_t n)
{
	for (size_t i = 0; i < 4 * n; i++)
		t.key[i] = i % 4 == 0 ? 0x20010db8 : below(2) ? rnd() : below(3);
	t.is_expression = true;
}

static void test_expression(pcap_t *pcap, size_t row, unsigned int flags)
{
	const char *text;
	struct bpf_program reference;
	struct ng_error err = { 0 };
	struct tally tally = { 0 };

	make_addresses(HOSTS);
	text = make_text(expressions[row].before, expressions[row].joint, expressions[row].term,
			 expressions[row].after, HOSTS);
	if (ng_filter_compile(text, "e", 1, 262144, flags, &t.filter, &err) ||
	    pcap_compile(pcap, &reference, text, flags == 0, PCAP_NETMASK_UNKNOWN)) {
		ok(false, "compiles %s: %s %s", text, err.what, pcap_geterr(pcap));
		return;
	}
	t.reference = reference.bf_insns;
	t.cuts = expressions[row].cuts;
	for (enum mode mode = 0; mode < MODES; mode++)
		run_mode(mode, packets_wanted(200), &tally);
	ok(!tally.wrong && tally.accepted && tally.accepted < tally.runs && t.filter.n_sets,
	   "%d times '%s' in '%s..%s', %s: as libpcap's own program (%u runs, %u match)", HOSTS,
	   expressions[row].term, expressions[row].before, expressions[row].after,
	   flags ? "plain" : "optimized", tally.runs, tally.accepted);
	pcap_freecode(&reference);
	ng_cbpf_free(&t.filter);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Bounded by a multiple of what it takes, for machines that do other things beside. */
static void test_large(const char *term)
{
	struct ng_error err = { 0 };
	struct tally tally = { 0 };
	const char *text;
	double start;
	int fd;

	make_addresses(KEYS_MANY);
	t.reference = NULL;
	text = make_text("", " or ", term, "", KEYS_MANY);
	start = seconds();
	if (!ok(!ng_filter_compile(text, "e", 1, 262144, 0, &t.filter, &err), "%d times '%s': %s",
		KEYS_MANY, term, err.what))
		return;
	fd = load_mode(&t.filter, XDP_LINEAR);
	ok(fd >= 0 && seconds() - start < 3, "compiled, translated and loaded in %.3f s",
	   seconds() - start);
	if (fd >= 0) {
		run_near(fd, XDP_LINEAR, 1000, &tally);
		close(fd);
	}
	ok(!tally.wrong && tally.accepted > tally.runs / 3,
	   "and answers as the interpreter (%u runs, %u match)", tally.runs, tally.accepted);
	ng_cbpf_free(&t.filter);
}

int main(void)
{
	pcap_t *pcap = pcap_open_dead(1, 262144);

	require_bpf();
	printf("# seed %#llx\n", (unsigned long long)random_state);
	test_shapes();
	test_many(2, ~0u);
	test_many(2, 0xffff0000);
	test_many(3, 0xfffff000);
	test_many(3, ~0u);
	test_many(4, 0xffffff00);
	test_many(4, ~0u);
	for (size_t row = 0; row < N_OF(expressions); row++) {
		test_expression(pcap, row, 0);
		test_expression(pcap, row, NG_FILTER_PLAIN);
	}
	test_large("host %6");
	test_large("host %6 or src host 10.0.0.1");
	test_large("net %4/96");
	pcap_close(pcap);
	return tap_done();
}
