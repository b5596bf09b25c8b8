// SPDX-License-Identifier: GPL-2.0-only
/* Tables and targets of the bench of the filter compiler. */
#include "tests/bench/filter/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_WIDTH  36
#define NS_SMALLEST 0.02 /* below, a figure cannot be told from 0 and makes no ratio */

static const char *const contestant_name[] = {
	[OURS_XDP] = "ours_xdp", [OURS_TC] = "ours_tc",	    [PLAIN_XDP] = "plain_xdp",
	[PLAIN_TC] = "plain_tc", [KERNEL_TC] = "kernel_tc", [SOCKET] = "socket",
	[LIBPCAP] = "libpcap",
};
_Static_assert(sizeof(contestant_name) / sizeof(contestant_name[0]) == CONTESTANTS, "all named");

/* Columns of ratios: how many times as long the one takes as the other. */
static const struct {
	enum contestant slow, fast;
} ratios[] = { { PLAIN_XDP, OURS_XDP }, { KERNEL_TC, OURS_TC }, { LIBPCAP, OURS_XDP } };
#define RATIOS (sizeof(ratios) / sizeof(ratios[0]))

/* Median of the rounds' ratios: what slows a round down slows both. 0: none. */
static double ratio(const struct row *row, int traffic, enum contestant slow, enum contestant fast)
{
	const struct figure *a = &row->of[traffic][slow], *b = &row->of[traffic][fast];
	double each[ROUNDS_MAX];

	if (!a->known || !b->known || a->ns < NS_SMALLEST || b->ns < NS_SMALLEST)
		return 0;
	for (unsigned int i = 0; i < row->rounds; i++)
		each[i] = b->net[i] > NS_SMALLEST ? a->net[i] / b->net[i] : 1;
	return median(each, row->rounds);
}

void report_head(bool tsv)
{
	if (tsv) {
		printf("filter\ttraffic\twho\tns\tinsns\n");
		return;
	}
	printf("ns per packet, net of the same program with an empty filter; insns: of one copy\n\n");
	printf("%-*s %-9s %15s %15s %7s %7s %7s | %8s %8s %8s | %14s\n", NAME_WIDTH, "", "",
	       "--- ours ---", "--- plain ---", "kernel", "kernel", "", "plain/", "kernel/",
	       "libpcap/", "insns: ours");
	printf("%-*s %-9s %7s %7s %7s %7s %7s %7s %7s | %8s %8s %8s | %6s %7s\n", NAME_WIDTH,
	       "filter", "packets", "xdp", "tc", "xdp", "tc", "tc", "socket", "libpcap", "ours xdp",
	       "ours tc", "ours xdp", "xdp", "tc");
}

static void print_tsv(const struct row *row, int traffic)
{
	for (int who = 0; who < CONTESTANTS; who++) {
		const struct figure *f = &row->of[traffic][who];

		if (f->known)
			printf("%s\t%s\t%s\t%.3f\t%zu\n", row->name, row->traffic[traffic],
			       contestant_name[who], f->ns, f->insns);
	}
}

static void print_line(const struct row *row, int traffic, bool first)
{
	const struct figure *of = row->of[traffic];

	printf("%-*.*s %-9s", NAME_WIDTH, NAME_WIDTH, first ? row->name : "",
	       row->traffic[traffic]);
	for (int who = 0; who < CONTESTANTS; who++) {
		if (of[who].known)
			printf(" %7.*f", of[who].ns < 1000 ? 2 : 0, of[who].ns);
		else
			printf(" %7s", "-");
	}
	printf(" |");
	for (size_t i = 0; i < RATIOS; i++) {
		double r = ratio(row, traffic, ratios[i].slow, ratios[i].fast);

		if (r > 0)
			printf(" %8.*f", r < 100 ? 1 : 0, r);
		else
			printf(" %8s", "-");
	}
	printf(" |");
	if (first)
		printf(" %6zu %7zu", of[OURS_XDP].insns, of[OURS_TC].insns);
	printf("\n");
}

void report_row(const struct row *row, bool tsv)
{
	bool first = true;

	for (int traffic = 0; traffic < TRAFFICS; traffic++) {
		if (!row->traffic[traffic])
			continue;
		if (tsv)
			print_tsv(row, traffic);
		else
			print_line(row, traffic, first);
		first = false;
	}
	fflush(stdout);
}

/* Once for each contestant, however many kinds of traffic. */
static void report_missing(const struct row *row)
{
	for (int who = 0; who < CONTESTANTS; who++) {
		const char *last = "";

		for (int traffic = 0; traffic < TRAFFICS; traffic++) {
			const char *note = row->of[traffic][who].note;

			if (note[0] && strcmp(note, last))
				printf("no figure: %.60s, %s: %s\n", row->name,
				       contestant_name[who], note);
			last = note;
		}
	}
}

static bool is_right(const struct row *row)
{
	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		for (int who = 0; who < CONTESTANTS; who++)
			if (row->of[traffic][who].wrong)
				return false;
	return true;
}

bool report_end(const struct row *rows, size_t n, bool tsv)
{
	bool right = true;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += rows[i].busy;
		right &= is_right(&rows[i]);
	}
	if (tsv) {
		printf("busy\t%.2f\n", n ? sum / (double)n : 1);
		return right;
	}
	printf("\n");
	for (size_t i = 0; i < n; i++)
		report_missing(&rows[i]);
	printf("An empty program took %.2f times its fastest round: so much too high are the ns, "
	       "not the ratios.\n",
	       n ? sum / (double)n : 1);
	return right;
}

double report_ratio(const struct choice *c, enum contestant slow, enum contestant fast)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < c->n; i++) {
		double r = ratio(&c->rows[i], (int)c->traffic, slow, fast);

		if ((c->rows[i].class & c->mask) != c->class || r == 0)
			continue;
		sum += log(r);
		count++;
	}
	return count ? exp(sum / (double)count) : 0;
}

double report_worst(const struct choice *c, enum contestant who)
{
	double worst = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct figure *f = &c->rows[i].of[c->traffic][who];

		if ((c->rows[i].class & c->mask) == c->class && f->known && f->ns > worst)
			worst = f->ns;
	}
	return worst;
}

static const char *verdict(const struct target *t)
{
	if (!t->known)
		return "not measured";
	return (t->at_least ? t->measured >= t->limit : t->measured <= t->limit) ? "met"
										 : "not met";
}

void report_target(const struct target *t, bool tsv)
{
	if (tsv)
		printf("target\t%s\t%g\t%.3f\t%s\n", t->what, t->limit, t->measured, verdict(t));
	else
		printf("%-70s %s %6.4g %-6s %8.2f  %s\n", t->what,
		       t->at_least ? ">=" : "<=", t->limit, t->unit, t->measured, verdict(t));
	fflush(stdout);
}
