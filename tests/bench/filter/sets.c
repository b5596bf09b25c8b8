// SPDX-License-Identifier: GPL-2.0-only
/* Filters of many addresses: "host a or host b ..", of which ours makes tables. */
#include "tests/bench/filter/bench.h"
#include "tests/bench/filter/report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DLT_EN10MB  1
#define MODEL	    "192.0.2.1"
#define SOURCE_AT   26	  /* in the packet */
#define KEYS	    16384 /* of random traffic: more than predictors learn */
#define FEW	    16
#define CHAIN	    200 /* comparisons that reach a jump behind them */
#define COLD_ROUNDS ROUNDS_MAX

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t *set_addresses(size_t n)
{
	uint32_t *address = malloc(n * sizeof(*address)), random = 0x20240531;
	size_t have = 0;

	while (address && have < n) {
		size_t kept = 0;

		while (have < n)
			address[have++] = bench_random(&random) | 1;
		qsort(address, n, sizeof(*address), ascending);
		for (size_t i = 0; i < n; i++)
			if (!kept || address[kept - 1] != address[i])
				address[kept++] = address[i];
		have = kept;
	}
	return address;
}

char *set_expression(const uint32_t *address, size_t n)
{
	char *text = malloc(n * sizeof("255.255.255.255 or host ") + 1), *end = text;

	for (size_t i = 0; text && i < n; i++) {
		uint32_t a = address[i];

		end += sprintf(end, "%shost %u.%u.%u.%u", i ? " or " : "", a >> 24, a >> 16 & 255,
			       a >> 8 & 255, a & 255);
	}
	return text;
}

/* The program of "host A" with a test against a set for each comparison with A. */
static int compile_set(const uint32_t *address, size_t n, struct ng_cbpf *out, struct ng_error *err)
{
	int ret = ng_filter_compile("host " MODEL, "expression", DLT_EN10MB, 262144,
				    NG_FILTER_STRICT, out, err);

	if (ret)
		return ret;
	out->sets = calloc(1, sizeof(*out->sets));
	if (!out->sets)
		return -ENOMEM;
	out->n_sets = 1;
	out->sets[0].key = malloc(n * sizeof(*address));
	if (!out->sets[0].key)
		return -ENOMEM;
	memcpy(out->sets[0].key, address, n * sizeof(*address));
	out->sets[0].n = n;
	for (size_t i = 0; i < out->n; i++) {
		struct sock_filter *f = &out->insns[i];

		if (f->code == (BPF_JMP | BPF_JEQ | BPF_K) && f->k == ntohl(inet_addr(MODEL)))
			*f = (struct sock_filter)BPF_JUMP(BPF_JMP | NG_BPF_IN | BPF_K, 0, f->jt,
							  f->jf);
	}
	return 0;
}

/* Classic programs without sets */

static size_t chain_size(const struct ng_set *set)
{
	return set->n + 2 * ((set->n + CHAIN - 1) / CHAIN) + 1;
}

static bool is_choice(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_JMP && BPF_OP(f->code) != BPF_JA;
}

static bool is_in(const struct sock_filter *f)
{
	return is_choice(f) && BPF_OP(f->code) == NG_BPF_IN;
}

static size_t expanded_size(const struct ng_cbpf *in, size_t i)
{
	const struct sock_filter *f = &in->insns[i];

	if (is_in(f))
		return chain_size(&in->sets[f->k]);
	return is_choice(f) ? 3 : 1;
}

struct expansion {
	struct sock_filter *insns;
	size_t n;
	const size_t *at; /* where each old instruction is */
};

static void put(struct expansion *x, unsigned int code, uint32_t k, unsigned int jt,
		unsigned int jf)
{
	x->insns[x->n++] = (struct sock_filter){ .code = (unsigned short)code,
						 .jt = (unsigned char)jt,
						 .jf = (unsigned char)jf,
						 .k = k };
}

static void put_far(struct expansion *x, size_t to)
{
	put(x, BPF_JMP | BPF_JA, (uint32_t)(x->at[to] - x->n - 1), 0, 0);
}

static void put_chain(struct expansion *x, const struct ng_set *set, size_t yes, size_t no)
{
	for (size_t i = 0; i < set->n;) {
		size_t end = i + CHAIN < set->n ? i + CHAIN : set->n;

		for (; i < end; i++)
			put(x, BPF_JMP | BPF_JEQ | BPF_K, set->key[i], (unsigned int)(end - i), 0);
		put(x, BPF_JMP | BPF_JA, 1, 0, 0);
		put_far(x, yes);
	}
	put_far(x, no);
}

static void expand_insn(struct expansion *x, const struct ng_cbpf *in, size_t i)
{
	const struct sock_filter *f = &in->insns[i];

	if (is_in(f)) {
		put_chain(x, &in->sets[f->k], i + 1 + f->jt, i + 1 + f->jf);
	} else if (is_choice(f)) {
		put(x, f->code, f->k, 0, 1);
		put_far(x, i + 1 + f->jt);
		put_far(x, i + 1 + f->jf);
	} else if (f->code == (BPF_JMP | BPF_JA)) {
		put_far(x, i + 1 + f->k);
	} else {
		put(x, f->code, f->k, 0, 0);
	}
}

int set_expand(const struct ng_cbpf *in, struct ng_cbpf *out)
{
	size_t *at = calloc(in->n + 1, sizeof(*at));
	struct expansion x = { .at = at };

	for (size_t i = 0; at && i < in->n; i++)
		at[i + 1] = at[i] + expanded_size(in, i);
	if (at)
		x.insns = calloc(at[in->n], sizeof(*x.insns));
	if (!x.insns) {
		free(at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < in->n; i++)
		expand_insn(&x, in, i);
	free(at);
	*out = (struct ng_cbpf){ .insns = x.insns, .n = x.n };
	return 0;
}

/* Traffic */

enum keys { FEW_KEYS, MEMBERS, STRANGERS };

/* Addresses are odd: an even one is a stranger's. */
static void draw_keys(enum keys kind, const uint32_t *address, size_t n, uint32_t *key,
		      size_t count)
{
	uint32_t random = 0x1234567;

	for (size_t i = 0; i < count; i++) {
		bool member = kind == MEMBERS || (kind == FEW_KEYS && i == 0);

		key[i] = htonl(member ? address[bench_random(&random) % n]
				      : bench_random(&random) & ~1u);
	}
}

static int open_keys(enum keys kind, const uint32_t *address, size_t n, struct deal *deal)
{
	static uint32_t key[3][KEYS];
	static const char *const name[] = { "few keys", "members", "strangers" };
	size_t count = kind == FEW_KEYS ? FEW : KEYS;

	draw_keys(kind, address, n, key[kind], count);
	*deal = (struct deal){ .name = name[kind],
			       .rows = key[kind],
			       .bytes = sizeof(key[kind][0]),
			       .stride = sizeof(key[kind][0]),
			       .count = count,
			       .at = SOURCE_AT,
			       .each_copy = true,
			       .map_fd = -1 };
	packets_plain(deal->packet);
	return deal_open(deal);
}

/* A table that is not in the cache */

#ifdef __x86_64__
static int flush(int map_fd, size_t size)
{
	char *area = mmap(NULL, size, PROT_READ, MAP_SHARED, map_fd, 0);

	if (area == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < size; i += 64)
		__builtin_ia32_clflush(area + i);
	__builtin_ia32_mfence();
	munmap(area, size);
	return 0;
}
#else
static int flush(int map_fd, size_t size)
{
	(void)map_fd;
	(void)size;
	return -EOPNOTSUPP;
}
#endif

/* How much longer a copy takes when no line of the table is in a cache. */
static int measure_cold(int fd, const struct deal *deal, int table_fd, size_t table_size,
			unsigned int copies, double *ns)
{
	double more[COLD_ROUNDS], warm, cold;
	int ret = 0;

	for (size_t i = 0; !ret && i < COLD_ROUNDS; i++) {
		ret = frame_run(fd, deal, 1, &warm, NULL);
		if (!ret)
			ret = frame_run(fd, deal, 1, &warm, NULL);
		if (!ret)
			ret = flush(table_fd, table_size);
		if (!ret)
			ret = frame_run(fd, deal, 1, &cold, NULL);
		more[i] = (cold - warm) / copies;
	}
	if (!ret)
		*ns = median(more, COLD_ROUNDS);
	return ret;
}

static void report_cold(const struct bench_filter *filter, const char *keys, size_t size,
			unsigned int copies, double ns, bool tsv)
{
	if (tsv)
		printf("%s\t%s, cold, %u in a row\tours_xdp\t%.3f\t0\n", filter->name, keys, copies,
		       ns);
	else
		printf("%36s %s, %zu bytes of table out of the cache: %.1f ns more each, %u in a row\n",
		       "", keys, size, ns, copies);
}

static void bench_cold(const struct bench_filter *filter, const struct deal *deal,
		       const struct copy *copy, unsigned int copies, bool tsv)
{
	int table = -1, fd = frame_load(deal, NG_CTX_XDP, copy, copies, &table, NULL);
	double ns;

	if (fd >= 0 && table >= 0 &&
	    !measure_cold(fd, deal, table, copy->body.table_size, copies, &ns))
		report_cold(filter, deal->name, copy->body.table_size, copies, ns, tsv);
	if (fd >= 0)
		close(fd);
	if (table >= 0)
		close(table);
}

static void bench_colds(const struct bench_filter *filter, const struct deal *deal, bool tsv)
{
	struct copy copy = { 0 };

	if (!ng_filter_translate(&filter->ours, NG_CTX_XDP, 0, &copy.body, NULL) &&
	    !ng_filter_inline(&filter->ours, NG_CTX_XDP, &frame_site, &copy.code)) {
		bench_cold(filter, deal, &copy, 64, tsv);
		bench_cold(filter, deal, &copy, 1, tsv);
	}
	copy_free(&copy);
}

static void race_set(const struct bench_filter *filter, const uint32_t *address, size_t n,
		     unsigned int rounds, bool tsv, struct row *row)
{
	static struct deal deal[TRAFFICS];
	const struct deal *deals[TRAFFICS] = { 0 };

	for (int keys = FEW_KEYS; keys <= STRANGERS; keys++)
		if (!open_keys((enum keys)keys, address, n, &deal[keys]))
			deals[keys] = &deal[keys];
	contest(filter, deals, rounds, row);
	report_row(row, tsv);
	if (deals[MEMBERS])
		bench_colds(filter, deals[MEMBERS], tsv);
	for (int keys = FEW_KEYS; keys <= STRANGERS; keys++)
		if (deals[keys])
			deal_close(&deal[keys]);
}

int bench_set(size_t n, unsigned int rounds, bool tsv, struct row *row, struct ng_error *err)
{
	static char name[ROUNDS_MAX][16];
	static size_t names;
	struct bench_filter filter = { .name = name[names % ROUNDS_MAX] };
	uint32_t *address = set_addresses(n);
	int ret = address ? 0 : -ENOMEM;

	snprintf(name[names++ % ROUNDS_MAX], sizeof(name[0]), "%zu hosts", n);
	*row = (struct row){ .name = filter.name, .class = SET };
	if (!ret)
		ret = compile_set(address, n, &filter.ours, err);
	if (!ret)
		ret = set_expand(&filter.ours, &filter.classic);
	if (!ret)
		race_set(&filter, address, n, rounds, tsv, row);
	ng_cbpf_free(&filter.ours);
	ng_cbpf_free(&filter.classic);
	free(address);
	return ret;
}
