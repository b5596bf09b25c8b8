// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the readers and writers of ACL tables on all processors; `make fuzz FUZZ=table`.
 *
 *	table_fuzz [CASES [SEED]]
 *
 * A case is a text in one of the formats, changed here and there. Without SEED: the time. A case
 * that failed is run alone by `table_fuzz 1 SEED`, with the seed printed for it. The last line is
 * "N passed, N failed, N skipped"; exit 1 when anything failed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/tables.h"

#define CASES	    10000000
#define WORKERS_MAX 64

static void work(struct tables_tally *tally, uint64_t first, uint64_t step, uint64_t end)
{
	for (uint64_t seed = first; seed < end; seed += step)
		tables_case(seed, tally);
	exit(0);
}

/* The number of workers that did not end well. */
static unsigned int run_workers(struct tables_tally *tally, unsigned int n, uint64_t cases,
				uint64_t seed)
{
	unsigned int bad = 0;

	fflush(stdout);
	for (unsigned int i = 0; i < n; i++)
		if (fork() == 0)
			work(&tally[i], seed + i, n, seed + cases);
	for (unsigned int i = 0; i < n; i++) {
		int status;

		if (wait(&status) < 0 || status)
			bad++;
	}
	return bad;
}

static int number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	return end == text || *end ? -1 : 0;
}

int main(int argc, char **argv)
{
	uint64_t cases = CASES, seed = (uint64_t)time(NULL) << 20;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int n = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (unsigned int)cpus, bad;
	struct tables_tally sum = { 0 };
	struct tables_tally *tally =
		mmap(NULL, sizeof(*tally) * WORKERS_MAX, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (tally == MAP_FAILED || argc > 3 || (argc > 1 && number(argv[1], &cases)) ||
	    (argc > 2 && number(argv[2], &seed))) {
		fprintf(stderr, "usage: table_fuzz [CASES [SEED]]\n");
		return 2;
	}
	n = cases < n ? 1 : n;
	printf("seed %#" PRIx64 ", %" PRIu64 " cases, %u workers\n", seed, cases, n);
	bad = run_workers(tally, n, cases, seed);
	for (unsigned int i = 0; i < n; i++) {
		sum.cases += tally[i].cases;
		sum.accepted += tally[i].accepted;
		sum.skipped_bad += tally[i].skipped_bad;
		sum.written += tally[i].written;
		sum.failed += tally[i].failed;
	}
	printf("%" PRIu64 " texts read, %" PRIu64 " of them but for bad lines; %" PRIu64
	       " tables written and read again\n",
	       sum.accepted, sum.skipped_bad, sum.written);
	printf("%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", sum.cases - sum.failed,
	       sum.failed + bad);
	return sum.failed + bad != 0;
}
