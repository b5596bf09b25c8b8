// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench of the ACL: whole gates at native XDP with up to a million prefixes, beside an empty
 * program, the kernel's trie, nft and ipset; whole commands; replaces under traffic; memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "ctl/base/num.h"
#include "tests/bench/acl/report.h"

#define LARGE	    1000000
#define ROUNDS	    7
#define DROPS_LIMIT 120 /* seconds, for one size */
#define NFT_LIMIT   45

enum part { DROPS = 1, COMMANDS = 2, SWAP = 4, MEMORY = 8, ALL = 15 };

struct bench {
	bool quick, ours_only;
	unsigned int rounds, parts, size; /* size: only this many prefixes; 0: all sizes */
	struct drops small, medium, large;
	struct commands commands;
	struct swap swap;
	bool swap_known;
};

static bool bench_drops(const struct bench *b, size_t n, struct drops *out)
{
	bool large = n > 200000;
	const struct drops_question q = {
		.n = n,
		.rounds = large ? b->rounds : b->rounds / 2 + 1,
		.limit = DROPS_LIMIT,
		.patience = large ? 40 : 12,
		.nft_limit = large && b->quick ? 0 : NFT_LIMIT,
		.quick = b->quick || !large,
		.ours_only = b->ours_only,
		.add = true,
	};
	int ret = drops_measure(&q, out);

	if (ret) {
		printf("no figure: drops at %zu prefixes: %s\n\n", n, strerror(-ret));
		*out = (struct drops){ .n = n };
		return true;
	}
	report_drops(out);
	return !out->wrong;
}

static void bench_memory(void)
{
	static const size_t sizes[] = { 1000, 100000, LARGE };

	report_memory_head();
	for (int engine = 0; engine < NG_ENGINE_MAX; engine++) {
		for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
			const struct memory_question q = { .engine = (enum ng_acl_engine)engine,
							   .counted = i % 2,
							   .n = sizes[i / 2] };
			struct memory m;
			int ret = memory_measure(&q, &m);

			report_memory(&q, &m, ret);
		}
	}
}

static bool bench_swap(struct bench *b)
{
	const struct swap_question q = { .n = LARGE,
					 .swaps = b->quick ? 3 : 8,
					 .per_second = 1000000 };
	int ret = swap_measure(&q, &b->swap);

	if (ret && !b->swap.note[0])
		snprintf(b->swap.note, sizeof(b->swap.note), "%s", strerror(-ret));
	b->swap_known = !ret && !b->swap.note[0];
	report_swap(&b->swap, &q, b->swap_known);
	return !b->swap.wrong;
}

static bool bench_all_drops(struct bench *b)
{
	bool right = true;

	if (b->size)
		return bench_drops(b, b->size, &b->large);
	right &= bench_drops(b, 1000, &b->small);
	right &= bench_drops(b, 100000, &b->medium);
	return bench_drops(b, LARGE, &b->large) && right;
}

static bool run(struct bench *b)
{
	const struct commands_question commands = {
		.n = LARGE, .files = b->quick ? 3 : 7, .adds = b->quick ? 50 : 200, .puts = 50000
	};
	const struct swap_question swap = { .swaps = SWAPS_MAX };
	bool right = true;

	if (b->parts & DROPS)
		right &= bench_all_drops(b);
	if (b->parts & COMMANDS) {
		commands_measure(&commands, &b->commands);
		report_commands(&b->commands, &b->large, &b->medium);
	}
	if (b->parts & SWAP)
		right &= bench_swap(b);
	if (b->parts & MEMORY)
		bench_memory();
	report_targets(&b->large, &b->commands, &b->swap, &swap, b->swap_known);
	return right;
}

static const char usage[] =
	"usage: acl_bench [-oq] [-n ROUNDS] [-s N] [-p drops|commands|swap|memory]...\n"
	"  -p PART    only this (may be repeated)\n"
	"  -s N       drops only with so many prefixes\n"
	"  -o         drops without nft and ipset\n"
	"  -n ROUNDS  rounds of which a rate is the median: 3 to 25 (BENCH_ROUNDS); 7\n"
	"  -q         quick: fewer of everything, nft only up to 100,000 prefixes (BENCH_QUICK=1)\n";

/* Not given is no error. */
static bool take_rounds(struct bench *b, const char *text)
{
	return !text || !*text || !ng_parse_u32(text, 3, ROUNDS_MAX, &b->rounds);
}

static bool take_part(struct bench *b, const char *text)
{
	static const char *const names[] = { "drops", "commands", "swap", "memory" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			b->parts |= 1u << i;
			return true;
		}
	return false;
}

/* false: not understood. */
static bool take_options(struct bench *b, int argc, char **argv)
{
	const char *quick = getenv("BENCH_QUICK");
	int option;

	if (!take_rounds(b, getenv("BENCH_ROUNDS")))
		return false;
	b->quick = quick && *quick && strcmp(quick, "0") != 0;
	while ((option = getopt(argc, argv, "n:op:qs:")) != -1) {
		if (option == 'q')
			b->quick = true;
		else if (option == 'o')
			b->ours_only = true;
		else if (option == 'p' && take_part(b, optarg))
			continue;
		else if (option == 's' && !ng_parse_u32(optarg, 1, 2 * LARGE, &b->size))
			continue;
		else if (option != 'n' || !take_rounds(b, optarg))
			return false;
	}
	if (!b->parts)
		b->parts = ALL;
	return optind == argc;
}

int main(int argc, char **argv)
{
	static struct bench b = { .rounds = ROUNDS };

	if (!take_options(&b, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	if (geteuid()) {
		fputs("acl_bench: needs root\n", stderr);
		return 1;
	}
	if (b.quick && b.rounds > 3)
		b.rounds = 3;
	libbpf_set_print(NULL);
	return run(&b) ? 0 : 1;
}
