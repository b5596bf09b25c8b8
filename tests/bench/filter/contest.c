// SPDX-License-Identifier: GPL-2.0-only
/* One filter's race: ours, the plain translation, the kernel's two ways, libpcap's interpreter. */
#include "tests/bench/filter/bench.h"
#include "tests/bench/filter/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef int translate_fn(const struct bench_filter *filter, enum ng_filter_ctx ctx,
			 struct copy *out, struct ng_error *err);

/* As a gate has it: in the place of a call, with the body for what it cannot answer. */
static int ours(const struct bench_filter *filter, enum ng_filter_ctx ctx, struct copy *out,
		struct ng_error *err)
{
	int ret = ng_filter_translate(&filter->ours, ctx, 0, &out->body, err);

	if (ret)
		return ret;
	ret = ng_filter_inline(&filter->ours, ctx, &frame_site, &out->code);
	return ret ? ng_err(err, NG_EXIT_FAILED, -ret, NULL, "inlining") : 0;
}

/* Of a program too large without sets: with them. */
static int plain(const struct bench_filter *filter, enum ng_filter_ctx ctx, struct copy *out,
		 struct ng_error *err)
{
	const struct ng_cbpf *in =
		filter->classic.n > BPF_MAXINSNS ? &filter->ours : &filter->classic;

	return ng_filter_translate(in, ctx, NG_FILTER_PLAIN, &out->code, err);
}

static int kernel(const struct bench_filter *filter, enum ng_filter_ctx ctx, struct copy *out,
		  struct ng_error *err)
{
	(void)ctx;
	return kernel_translate(&filter->classic, &out->code, err);
}

static const struct {
	translate_fn *translate; /* NULL: no program of ours */
	enum ng_filter_ctx ctx;
	bool sees_tag; /* one in metadata; libpcap's programs for live sockets would be others */
} contestants[CONTESTANTS] = {
	[OURS_XDP] = { ours, NG_CTX_XDP, false },   [OURS_TC] = { ours, NG_CTX_TC, true },
	[PLAIN_XDP] = { plain, NG_CTX_XDP, false }, [PLAIN_TC] = { plain, NG_CTX_TC, true },
	[KERNEL_TC] = { kernel, NG_CTX_TC, false },
};

static struct lap *enter_program(const struct bench_filter *filter, enum contestant who,
				 const struct deal *deal, struct race *race, struct figure *figure,
				 struct ng_error *err)
{
	enum ng_filter_ctx ctx = contestants[who].ctx;
	struct lap *lap = NULL;
	struct copy copy = { 0 };

	if (!contestants[who].translate(filter, ctx, &copy, err)) {
		figure->insns = copy.code.n;
		if (!frame_check(deal, ctx, &copy, &filter->classic, err))
			lap = race_program(race, deal, ctx, &copy, NULL, err);
	}
	copy_free(&copy);
	return lap;
}

static struct lap *enter(const struct bench_filter *filter, enum contestant who,
			 const struct deal *deal, struct race *race, struct figure *figure)
{
	struct ng_error err = { 0 };
	struct lap *lap;

	if (deal->tagged && !contestants[who].sees_tag)
		return NULL;
	if (who == SOCKET)
		lap = race_socket(race, deal, &filter->classic, &err);
	else if (who == LIBPCAP)
		lap = race_libpcap(race, deal, &filter->classic);
	else
		lap = enter_program(filter, who, deal, race, figure, &err);
	/* The kernel's code shifts and wraps otherwise than libpcap. */
	figure->wrong = err.errnum == EDOM && who != KERNEL_TC;
	if (!lap)
		snprintf(figure->note, sizeof(figure->note), "%.180s%s%s", err.what,
			 err.errnum ? ": " : "", err.errnum ? strerror(err.errnum) : "");
	return lap;
}

static void take_figure(const struct lap *lap, unsigned int rounds, struct figure *figure)
{
	double sorted[ROUNDS_MAX];

	figure->known = lap && !lap->failed;
	if (!figure->known)
		return;
	for (unsigned int i = 0; i < rounds; i++)
		sorted[i] = figure->net[i] = lap_net(lap, i);
	figure->ns = median(sorted, rounds);
}

static double how_busy(const struct race *race)
{
	double sorted[ROUNDS_MAX], middle;

	for (size_t i = 0; i < race->n; i++) {
		if (!race->lap[i].is_empty)
			continue;
		memcpy(sorted, race->lap[i].sample, sizeof(sorted));
		middle = median(sorted, race->rounds);
		return sorted[0] > 0 ? middle / sorted[0] : 1;
	}
	return 1;
}

void contest(const struct bench_filter *filter, const struct deal *const *deals,
	     unsigned int rounds, struct row *row)
{
	static struct race race;
	struct lap *lap[TRAFFICS][CONTESTANTS] = { 0 };

	race.rounds = row->rounds = rounds;
	for (int traffic = 0; traffic < TRAFFICS; traffic++) {
		row->traffic[traffic] = deals[traffic] ? deals[traffic]->name : NULL;
		for (int who = 0; deals[traffic] && who < CONTESTANTS; who++)
			lap[traffic][who] = enter(filter, (enum contestant)who, deals[traffic],
						  &race, &row->of[traffic][who]);
	}
	race_run(&race);
	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		for (int who = 0; who < CONTESTANTS; who++)
			take_figure(lap[traffic][who], rounds, &row->of[traffic][who]);
	row->busy = how_busy(&race);
	race_close(&race);
}
