// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench of the filter compiler: filters as we compile them beside the plain translation, the
 * kernel's own code, its socket filter and libpcap's interpreter, in one run.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "ctl/base/num.h"
#include "ctl/filter/cfg.h"
#include "tests/bench/filter/bench.h"
#include "tests/bench/filter/targets.h"

#define DLT_EN10MB   1
#define ROWS_MAX     64
#define HOSTS_MAX    1000000
#define ROUNDS	     21
#define ROUNDS_QUICK 9

static const struct {
	const char *expr;
	bool typical;
} filters[] = {
	{ "tcp", true },
	{ "udp port 53", true },
	{ "tcp port 80", true },
	{ "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", true },
	{ "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", true },
	{ "net 10.0.0.0/8", true },
	{ "vlan and tcp port 80", true },
	{ "ip", false },
	{ "ip6", false },
	{ "arp", false },
	{ "icmp", false },
	{ "not (tcp or udp or arp)", false },
	{ "ether host 02:00:00:00:00:02", false },
	{ "vlan", false },
	{ "ip6 host 2001:db8::1", false },
	{ "host 10.0.0.1", false },
	{ "src net 192.168.0.0/16", false },
	{ "src net 10.0.0.0/8 and dst net 192.168.0.0/16", false },
	{ "src net 192.168.0.0/16 and dst port 443", false },
	{ "portrange 1000-2000", false },
	{ "udp port 53 and udp[10] & 0x80 = 0", false },
	{ "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", false },
};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

struct bench {
	struct deal mix[TRAFFICS]; /* but MATCHING */
	unsigned int rounds;
	bool quick, tsv;
	const char *expr[ROWS_MAX]; /* asked for */
	size_t n_exprs;
	unsigned int hosts; /* asked for; 0: none */
	struct row row[ROWS_MAX];
	size_t n;
};

static bool answer_alike(const struct deal *deal, const struct ng_cbpf *a, const struct ng_cbpf *b)
{
	uint8_t packet[PACKET_LEN];

	for (size_t i = 0; i < deal->count; i++) {
		deal_packet(deal, i, packet);
		if (ng_filter_interpret(a, packet, PACKET_LEN, PACKET_LEN) !=
		    ng_filter_interpret(b, packet, PACKET_LEN, PACKET_LEN))
			return false;
	}
	return true;
}

/*
 * What all but ours get: libpcap's own program. Where that is another filter (`vlan` has a scope in
 * ours) or takes minutes to compile (long lists): our classic program, with chains for sets.
 */
static int choose_classic(const struct bench *b, const char *expr, struct bench_filter *filter,
			  struct ng_error *err)
{
	int ret;

	if (filter->ours.n_sets)
		return set_expand(&filter->ours, &filter->classic);
	ret = ng_filter_compile(expr, "expression", DLT_EN10MB, 262144, NG_FILTER_STRICT,
				&filter->classic, err);
	if (ret || answer_alike(&b->mix[SHUFFLED], &filter->ours, &filter->classic))
		return ret;
	ng_cbpf_free(&filter->classic);
	return set_expand(&filter->ours, &filter->classic);
}

/* The class of the filter is told by what it loads. */
static int compile(const struct bench *b, const char *expr, struct bench_filter *out,
		   struct row *row, struct ng_error *err)
{
	int ret;

	*out = (struct bench_filter){ .name = expr };
	row->name = expr;
	ret = ng_filter_compile(expr, "expression", DLT_EN10MB, 262144, 0, &out->ours, err);
	if (!ret)
		ret = choose_classic(b, expr, out, err);
	for (size_t i = 0; !ret && i < out->classic.n; i++)
		if (ng_op_of(&out->classic.insns[i]) == NG_OP_IND)
			row->class |= INDIRECT;
	return ret;
}

static void run_contest(struct bench *b, const struct bench_filter *filter, struct row *row)
{
	const struct deal *deals[TRAFFICS] = { 0 };
	struct deal matching;

	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		if (traffic != MATCHING)
			deals[traffic] = &b->mix[traffic];
	if (!packets_mix(MATCHING, &filter->classic, &matching) && !deal_open(&matching))
		deals[MATCHING] = &matching;
	contest(filter, deals, b->rounds, row);
	if (deals[MATCHING])
		deal_close(&matching);
}

static int bench_expression(struct bench *b, const char *expr, unsigned int class)
{
	struct row *row = &b->row[b->n];
	struct bench_filter filter;
	struct ng_error err = { 0 };
	int ret;

	*row = (struct row){ .class = class };
	ret = compile(b, expr, &filter, row, &err);
	if (ret) {
		ng_err_show(&err, false, false);
	} else {
		run_contest(b, &filter, row);
		report_row(row, b->tsv);
		b->n++;
	}
	ng_cbpf_free(&filter.ours);
	ng_cbpf_free(&filter.classic);
	return ret;
}

static int bench_filters(struct bench *b)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < FILTERS; i++)
		if (filters[i].typical || !b->quick)
			ret = bench_expression(b, filters[i].expr,
					       filters[i].typical ? TYPICAL : 0);
	return ret;
}

static int bench_hosts(struct bench *b, size_t n)
{
	struct ng_error err = { 0 };
	int ret = bench_set(n, b->rounds, b->tsv, &b->row[b->n], &err);

	if (ret)
		ng_err_show(&err, false, false);
	else
		b->n++;
	return ret;
}

static int bench_sets(struct bench *b)
{
	static const size_t hosts[] = { 100, 1000, 10000 };
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(hosts) / sizeof(hosts[0]); i++)
		ret = bench_hosts(b, hosts[i]);
	return ret;
}

static int open_traffic(struct bench *b)
{
	int ret = 0;

	for (int traffic = 0; !ret && traffic < TRAFFICS; traffic++) {
		if (traffic == MATCHING)
			continue;
		packets_mix((enum traffic)traffic, NULL, &b->mix[traffic]);
		ret = deal_open(&b->mix[traffic]);
	}
	if (ret)
		fprintf(stderr, "filter_bench: making a map: %s\n", strerror(-ret));
	return ret;
}

static const char usage[] =
	"usage: filter_bench [-qt] [-n ROUNDS] [-e EXPR]... [-s N]\n"
	"  -e EXPR    only this filter (may be repeated), without targets\n"
	"  -s N       only N hosts: a, b, .. of \"host a or host b or ..\"\n"
	"  -n ROUNDS  rounds of which a figure is the median: 3 to 99 (BENCH_ROUNDS); 21\n"
	"  -q         quick: 9 rounds, typical filters (BENCH_QUICK=1)\n"
	"  -t, --tsv  for programs: a line per figure, tabs between\n";

/* Not given is no error. */
static bool take_rounds(struct bench *b, const char *text)
{
	return !text || !*text || !ng_parse_u32(text, 3, ROUNDS_MAX, &b->rounds);
}

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value && strcmp(value, "0") != 0;
}

static void be_quick(struct bench *b)
{
	b->quick = true;
	b->rounds = ROUNDS_QUICK;
}

/* false: not understood. */
static bool take_options(struct bench *b, int argc, char **argv)
{
	static const struct option options[] = { { "tsv", no_argument, NULL, 't' }, { 0 } };
	int option;

	if (is_set("BENCH_QUICK"))
		be_quick(b);
	if (!take_rounds(b, getenv("BENCH_ROUNDS")))
		return false;
	while ((option = getopt_long(argc, argv, "e:n:qs:t", options, NULL)) != -1) {
		if (option == 'e' && b->n_exprs < ROWS_MAX)
			b->expr[b->n_exprs++] = optarg;
		else if (option == 'q')
			be_quick(b);
		else if (option == 't')
			b->tsv = true;
		else if (option == 's' && !ng_parse_u32(optarg, 1, HOSTS_MAX, &b->hosts))
			continue;
		else if (option != 'n' || !take_rounds(b, optarg))
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	static struct bench b = { .rounds = ROUNDS };
	int ret;

	if (!take_options(&b, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	libbpf_set_print(NULL);
	ret = open_traffic(&b);
	if (ret)
		return 1;
	report_head(b.tsv);
	for (size_t i = 0; i < b.n_exprs; i++)
		ret |= bench_expression(&b, b.expr[i], 0);
	if (b.hosts)
		ret |= bench_hosts(&b, b.hosts);
	if (!b.n_exprs && !b.hosts)
		ret = bench_filters(&b) | bench_sets(&b);
	if (!report_end(b.row, b.n, b.tsv))
		ret = -EDOM;
	if (!b.n_exprs && !b.hosts)
		targets(b.row, b.n, &b.mix[IN_TURN], b.rounds, b.tsv);
	return ret != 0;
}
