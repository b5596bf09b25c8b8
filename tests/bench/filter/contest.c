// SPDX-License-Identifier: GPL-2.0-only
/* One filter's race: ours, the plain translation, the kernel's two ways, libpcap's interpreter. */
#include "tests/bench/filter/bench.h"
#include "tests/bench/filter/report.h"

#include <stdio.h>
#include <string.h>

/* One copy of a filter, for frame_load(). */
typedef int translate_fn(const struct bench_filter *filter, enum ng_filter_ctx ctx,
			 struct ng_ebpf *out, struct ng_error *err);

static int ours(const struct bench_filter *filter, enum ng_filter_ctx ctx, struct ng_ebpf *out,
		struct ng_error *err)
{
	return ng_filter_translate(&filter->ours, ctx, 0, out, err);
}

static int plain(const struct bench_filter *filter, enum ng_filter_ctx ctx, struct ng_ebpf *out,
		 struct ng_error *err)
{
	return ng_filter_translate(&filter->classic, ctx, NG_FILTER_PLAIN, out, err);
}

static int kernel(const struct bench_filter *filter, enum ng_filter_ctx ctx, struct ng_ebpf *out,
		  struct ng_error *err)
{
	(void)ctx;
	return kernel_translate(&filter->classic, out, err);
}

static const struct {
	translate_fn *translate; /* NULL: no program of ours */
	enum ng_filter_ctx ctx;
} contestants[CONTESTANTS] = {
	[OURS_XDP] = { ours, NG_CTX_XDP },   [OURS_TC] = { ours, NG_CTX_TC },
	[PLAIN_XDP] = { plain, NG_CTX_XDP }, [PLAIN_TC] = { plain, NG_CTX_TC },
	[KERNEL_TC] = { kernel, NG_CTX_TC },
};

static struct lap *enter_program(const struct bench_filter *filter, enum contestant who,
				 const struct deal *deal, struct race *race, struct figure *figure,
				 struct ng_error *err)
{
	enum ng_filter_ctx ctx = contestants[who].ctx;
	struct lap *lap = NULL;
	struct ng_ebpf copy;

	if (contestants[who].translate(filter, ctx, &copy, err))
		return NULL;
	figure->insns = copy.n;
	if (!frame_check(deal, ctx, &copy, &filter->classic, err))
		lap = race_program(race, deal, ctx, &copy, NULL, err);
	ng_ebpf_free(&copy);
	return lap;
}

static struct lap *enter(const struct bench_filter *filter, enum contestant who,
			 const struct deal *deal, struct race *race, struct figure *figure)
{
	struct ng_error err = { 0 };
	struct lap *lap;

	if (who == SOCKET)
		lap = race_socket(race, deal, &filter->classic, &err);
	else if (who == LIBPCAP)
		lap = race_libpcap(race, deal, &filter->classic);
	else
		lap = enter_program(filter, who, deal, race, figure, &err);
	if (!lap)
		snprintf(figure->note, sizeof(figure->note), "%.255s", err.what);
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
