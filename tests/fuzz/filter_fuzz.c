// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the filter compiler on all processors; `make fuzz`.
 *
 *	filter_fuzz [CASES [SEED]]
 *
 * A case is a filter, a packet, and a way for it to lie in memory. Without SEED: the time. A batch
 * that failed is run alone by `filter_fuzz 1 SEED`, with the seed printed for it. The last line is
 * "N passed, N failed, N skipped"; exit 1 when anything failed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define CASES	    10000000
#define WORKERS_MAX 64

struct worker {
	struct tally tally;
	const char *closed[WAYS]; /* literals: the same in all processes */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void work(struct worker *w, uint64_t first, uint64_t step, uint64_t cases)
{
	if (ways_open()) {
		printf("# BPF_PROG_LOAD is not permitted\n");
		exit(1);
	}
	for (enum way way = 0; way < WAYS; way++)
		w->closed[way] = way_closed(way);
	fuzz_batches(first, step, cases, &w->tally);
	exit(0);
}

/* The number of workers that did not end well. */
static unsigned int run_workers(struct worker *w, unsigned int n, uint64_t cases, uint64_t seed)
{
	unsigned int bad = 0;

	fflush(stdout);
	for (unsigned int i = 0; i < n; i++)
		if (fork() == 0)
			work(&w[i], seed + i, n, cases / n + 1);
	for (unsigned int i = 0; i < n; i++) {
		int status;

		if (wait(&status) < 0 || status)
			bad++;
	}
	return bad;
}

static void add(struct tally *sum, const struct tally *t)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)t;

	for (size_t i = 0; i < sizeof(*t) / sizeof(*to); i++)
		to[i] += from[i];
}

/* The number of ways that were closed. */
static unsigned int print_sums(const struct worker *w, const struct tally *t)
{
	unsigned int skipped = 0;

	for (enum way way = 0; way < WAYS; way++) {
		if (w->closed[way]) {
			printf("skipped %s: %s\n", way_names[way], w->closed[way]);
			skipped++;
			continue;
		}
		printf("%-34s %12" PRIu64 " cases, %4.1f %% accepted, %" PRIu64 " failed\n",
		       way_names[way], t->cases[way],
		       100. * (double)t->accepted[way] / (double)(t->cases[way] + !t->cases[way]),
		       t->failed[way]);
	}
	printf("%" PRIu64 " filters loaded, %" PRIu64 " refused in words, %" PRIu64
	       " without; %" PRIu64 " refused by the verifier, %" PRIu64 " not together\n",
	       t->filters, t->refused, t->unexplained, t->unverified, t->crowded);
	printf("%" PRIu64 " answers compared with libpcap's, %" PRIu64 " failed; %" PRIu64
	       " packets not taken\n",
	       t->compared, t->front_failed, t->untaken);
	return skipped;
}

static int number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	return end == text || *end ? -1 : 0;
}

int main(int argc, char **argv)
{
	uint64_t cases = CASES, seed = (uint64_t)time(NULL) << 20, failed;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int n = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (unsigned int)cpus, bad;
	struct worker *w = mmap(NULL, sizeof(*w) * WORKERS_MAX, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tally sum = { 0 };
	double start = now();

	if (w == MAP_FAILED || argc > 3 || (argc > 1 && number(argv[1], &cases)) ||
	    (argc > 2 && number(argv[2], &seed))) {
		fprintf(stderr, "usage: filter_fuzz [CASES [SEED]]\n");
		return 2;
	}
	n = cases < n ? 1 : n;
	printf("seed %#" PRIx64 ", %" PRIu64 " cases, %u workers\n", seed, cases, n);
	bad = run_workers(w, n, cases, seed);
	for (unsigned int i = 0; i < n; i++)
		add(&sum, &w[i].tally);
	failed = fuzz_failures(&sum) + bad;
	printf("seed %#" PRIx64 ", %.0f s\n", seed, now() - start);
	bad = print_sums(w, &sum);
	printf("%" PRIu64 " passed, %" PRIu64 " failed, %u skipped\n",
	       fuzz_cases(&sum) + sum.compared - failed, failed, bad);
	return failed != 0;
}
