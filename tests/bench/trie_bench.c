// SPDX-License-Identifier: GPL-2.0-only
/* The bench of the ACL's tries: ours beside the kernel's LPM trie, in one run. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "ctl/base/num.h"
#include "tests/bench/trie/race.h"
#include "tests/random.h"

#define ROUNDS	     5
#define ROUNDS_QUICK 3
#define SETTINGS     6

/* A set, and what was measured of it. */
struct setting {
	enum ng_family family;
	uint32_t n;
	unsigned int root_bits;
	bool known, wrong; /* wrong: not the kernel's leaves */
	struct load_figures load;
	struct lookup_figures lookup[TRAFFICS];
	struct insert_figures insert;
};

static const char *const traffic_name[] = { "uniform", "random", "zipf" };
_Static_assert(sizeof(traffic_name) / sizeof(traffic_name[0]) == TRAFFICS, "all named");

static int family_number(const struct setting *s)
{
	return s->family == NG_IPV4 ? 4 : 6;
}

static int measure(struct setting *s, unsigned int rounds)
{
	struct race race;
	struct set set;
	int err = set_make(&set, s->family, s->n);

	if (err)
		return err;
	err = race_open(&race, &set, s->root_bits);
	err = err ? err : race_load(&race, &s->load);
	for (int traffic = 0; !err && traffic < TRAFFICS; traffic++)
		err = race_lookups(&race, (enum traffic)traffic, rounds, &s->lookup[traffic]);
	err = err ? err : race_inserts(&race, &s->insert);
	race_close(&race);
	set_free(&set);
	s->known = !err;
	if (err)
		fprintf(stderr, "trie_bench: IPv%d, %u prefixes: %s\n", family_number(s), s->n,
			strerror(-err));
	return err;
}

static void print_head(void)
{
	printf("ns per lookup, net of the empty loop; ours / kernel's LPM trie = ratio\n"
	       "load: ns of CPU per prefix, sorted; insert: ns, median and 99th percentile\n\n"
	       "%-5s %8s %4s | %-24s | %-24s | %-24s | %11s %4s | %6s %6s | %13s | %13s\n",
	       "", "prefixes", "root", traffic_name[HITS], traffic_name[RANDOM], traffic_name[ZIPF],
	       "bytes each", "dead", "load", "kernel", "insert", "kernel's");
}

static void print(struct setting *s)
{
	printf("IPv%d  %8u %4u |", family_number(s), s->n, s->root_bits);
	for (int i = 0; i < TRAFFICS; i++) {
		const struct lookup_figures *f = &s->lookup[i];

		printf(" %6.1f / %6.1f = %4.1f |", f->ours, f->kernel, f->ratio);
		s->wrong = s->wrong || !f->alike;
	}
	printf(" %11.1f %4.2f | %6.1f %6.1f | %6.0f %6.0f | %6.0f %6.0f%s\n", s->load.bytes,
	       s->load.dead, s->load.ours_ns, s->load.kernel_ns, s->insert.ours_p50,
	       s->insert.ours_p99, s->insert.kernel_p50, s->insert.kernel_p99,
	       s->wrong ? "  OTHER LEAVES THAN THE KERNEL'S" : "");
	fflush(stdout);
}

static bool print_target(const char *what, const char *unit, bool at_least, double limit,
			 double measured)
{
	bool met = at_least ? measured >= limit : measured <= limit;

	printf("%-50s %s %6.4g %-6s %8.2f  %s\n", what, at_least ? ">=" : "<=", limit, unit,
	       measured, met ? "met" : "not met");
	return met;
}

static void print_targets(const struct setting *s)
{
	const struct setting *small4 = &s[0], *big4 = &s[2], *big6 = &s[5];

	printf("\n");
	if (small4->known)
		print_target("IPv4, 1,000 prefixes, uniform", "ns", false, 15,
			     small4->lookup[HITS].ours);
	if (big4->known) {
		print_target("IPv4, 1,000,000 prefixes, uniform", "ns", false, 75,
			     big4->lookup[HITS].ours);
		print_target("IPv4, 1,000,000 prefixes, zipf", "ns", false, 35,
			     big4->lookup[ZIPF].ours);
		print_target("IPv4, 1,000,000 prefixes, uniform: than the kernel's", "times", true,
			     12, big4->lookup[HITS].ratio);
		print_target("IPv4, 1,000,000 prefixes: memory for one", "bytes", false, 130,
			     big4->load.bytes);
		print_target("IPv4, 1,000,000 prefixes: load of one", "ns", false, 100,
			     big4->load.ours_ns);
		print_target("IPv4, 1,000,000 prefixes: median insert", "ns", false, 1000,
			     big4->insert.ours_p50);
	}
	if (big6->known) {
		print_target("IPv6, 1,000,000 prefixes, uniform", "ns", false, 265,
			     big6->lookup[HITS].ours);
		print_target("IPv6, 1,000,000 prefixes, uniform: than the kernel's", "times", true,
			     4, big6->lookup[HITS].ratio);
		print_target("IPv6, 1,000,000 prefixes: load of one", "ns", false, 100,
			     big6->load.ours_ns);
		print_target("IPv6, 1,000,000 prefixes: median insert", "ns", false, 1000,
			     big6->insert.ours_p50);
	}
}

static const char usage[] =
	"usage: trie_bench [-q] [-n ROUNDS] [-s NUMBER]\n"
	"  -n ROUNDS  rounds of which a figure is the median: 3 to 99 (BENCH_ROUNDS); 5\n"
	"  -q         quick: 3 rounds (BENCH_QUICK=1)\n"
	"  -s NUMBER  only that line of the table: 1 to 6\n";

static bool take_rounds(unsigned int *rounds, const char *text)
{
	return !text || !*text || !ng_parse_u32(text, 3, ROUNDS_MAX, rounds);
}

static bool take_options(int argc, char **argv, unsigned int *rounds, unsigned int *only)
{
	const char *quick = getenv("BENCH_QUICK");
	int option;

	if (quick && *quick && strcmp(quick, "0") != 0)
		*rounds = ROUNDS_QUICK;
	if (!take_rounds(rounds, getenv("BENCH_ROUNDS")))
		return false;
	while ((option = getopt(argc, argv, "n:qs:")) != -1) {
		if (option == 'q')
			*rounds = ROUNDS_QUICK;
		else if (option == 's' && !ng_parse_u32(optarg, 1, SETTINGS, only))
			continue;
		else if (option != 'n' || !take_rounds(rounds, optarg))
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	static struct setting setting[SETTINGS] = {
		{ .family = NG_IPV4, .n = 1000, .root_bits = 16 },
		{ .family = NG_IPV4, .n = 100000, .root_bits = 20 },
		{ .family = NG_IPV4, .n = 1000000, .root_bits = 24 },
		{ .family = NG_IPV6, .n = 1000, .root_bits = 16 },
		{ .family = NG_IPV6, .n = 100000, .root_bits = 16 },
		{ .family = NG_IPV6, .n = 1000000, .root_bits = 16 },
	};
	unsigned int rounds = ROUNDS, only = 0;
	int err = 0;

	if (!take_options(argc, argv, &rounds, &only)) {
		fputs(usage, stderr);
		return 2;
	}
	libbpf_set_print(NULL);
	print_head();
	for (unsigned int i = 0; i < SETTINGS; i++) {
		random_seed(i);
		if (only && only != i + 1)
			continue;
		err |= measure(&setting[i], rounds);
		if (setting[i].known)
			print(&setting[i]);
		err |= setting[i].wrong;
	}
	print_targets(setting);
	return err != 0;
}
