/* SPDX-License-Identifier: GPL-2.0-only */
/* The results of the bench of the filter compiler: who takes part, tables, targets. */
#ifndef NG_TESTS_BENCH_FILTER_REPORT_H
#define NG_TESTS_BENCH_FILTER_REPORT_H

#include "tests/bench/filter/bench.h"

enum contestant { OURS_XDP, OURS_TC, PLAIN_XDP, PLAIN_TC, KERNEL_TC, SOCKET, LIBPCAP, CONTESTANTS };

struct figure {
	bool known, wrong;	/* wrong: it answered otherwise than libpcap */
	double ns;		/* median over the rounds */
	double net[ROUNDS_MAX]; /* of each round */
	size_t insns;		/* of one copy; 0: none */
	char note[256];		/* why it is not known */
};

enum row_class { TYPICAL = 1, INDIRECT = 2, SET = 4 };

struct row {
	const char *name;
	unsigned int class; /* of enum row_class */
	const char *traffic[TRAFFICS];
	unsigned int rounds;
	double busy; /* how many times its fastest round the empty program took, as a median */
	struct figure of[TRAFFICS][CONTESTANTS];
};

/* One figure against its limit. */
struct target {
	const char *what, *unit;
	double limit, measured;
	bool at_least; /* else at most */
	bool known;
};

void report_head(bool tsv);
void report_row(const struct row *row, bool tsv);
/* Why figures are missing, and how busy the machine was. false: somebody answered wrongly. */
bool report_end(const struct row *rows, size_t n, bool tsv);
void report_target(const struct target *target, bool tsv);

/* Which rows count: those whose class, masked, is as wanted. */
struct choice {
	const struct row *rows;
	size_t n;
	unsigned int mask, class;
	enum traffic traffic;
};

/* Geometric mean of how many times as long as `fast` `slow` takes. 0: no row has both. */
double report_ratio(const struct choice *c, enum contestant slow, enum contestant fast);
/* The slowest figure of `who`. 0: none. */
double report_worst(const struct choice *c, enum contestant who);

#endif
