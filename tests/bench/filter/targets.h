/* SPDX-License-Identifier: GPL-2.0-only */
/* The figures the filter compiler is to reach, each beside what was measured. */
#ifndef NG_TESTS_BENCH_FILTER_TARGETS_H
#define NG_TESTS_BENCH_FILTER_TARGETS_H

#include "tests/bench/filter/report.h"

/* Measures what is about no single filter, and prints all targets. */
void targets(const struct row *rows, size_t n, const struct deal *deal, unsigned int rounds,
	     bool tsv);

#endif
