// SPDX-License-Identifier: GPL-2.0-only
/*
 * Islands: every EVERY instructions there may be one, its site. A jump farther than that goes by all
 * sites on its way, from each to the next, in jumps that all who lead to the same label share. So no
 * jump is longer than two distances between sites and the islands in them.
 */
#include "ctl/filter/island.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#define EVERY	10000
#define NOWHERE SIZE_MAX

struct islands {
	struct ng_emit *e;
	size_t *site; /* places in the old code, ascending */
	size_t n_sites;
	size_t *hop;   /* [site * n_labels + label]: where that jump is; 0: there is none */
	size_t *place; /* where each old instruction is in the new code */
	struct bpf_insn *insns;
	size_t n;
};

static bool is_jump(const struct bpf_insn *insn)
{
	unsigned int class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static bool falls_through(const struct bpf_insn *insn)
{
	return insn->code != (BPF_JMP | BPF_JA) && insn->code != (BPF_JMP | BPF_EXIT);
}

/* step[i] becomes positive where nothing may be put before instruction i. */
static void find_blocked(const struct ng_emit *e, const bool *labelled, int *step)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct bpf_insn *insn = &e->insns[i];
		size_t target = (size_t)((long)i + 1 + insn->off), first = i + 1, last = i + 1;

		if (is_jump(insn) && !labelled[i]) {
			first = insn->off < 0 ? target + 1 : i + 1;
			last = insn->off < 0 ? i : target;
		} else if (insn->code != (BPF_LD | BPF_DW | BPF_IMM)) {
			continue;
		}
		step[first]++;
		step[last + 1]--;
	}
	for (size_t i = 1; i <= e->n; i++)
		step[i] += step[i - 1];
}

static int find_sites(struct islands *is)
{
	const struct ng_emit *e = is->e;
	bool *labelled = calloc(e->n + 1, sizeof(*labelled));
	int *blocked = calloc(e->n + 3, sizeof(*blocked));

	is->site = calloc(e->n / EVERY + 1, sizeof(*is->site));
	if (labelled && blocked && is->site) {
		for (size_t i = 0; i < e->n_jumps; i++)
			labelled[e->jumps[i].from] = true;
		find_blocked(e, labelled, blocked);
		for (size_t at = EVERY; at < e->n; at += EVERY) {
			while (at < e->n && blocked[at] > 0)
				at++;
			if (at < e->n)
				is->site[is->n_sites++] = at;
		}
	}
	free(labelled);
	free(blocked);
	return labelled && blocked && is->site ? 0 : -ENOMEM;
}

/* The site behind, or on the way back before, site s, if `to` lies beyond. */
static size_t next_site(const struct islands *is, size_t s, size_t to)
{
	if (is->site[s] < to)
		return s + 1 < is->n_sites && is->site[s + 1] < to ? s + 1 : NOWHERE;
	return s > 0 && is->site[s - 1] > to ? s - 1 : NOWHERE;
}

static size_t first_site(const struct islands *is, size_t from, size_t to)
{
	size_t s = 0;

	if ((from < to ? to - from : from - to) <= EVERY)
		return NOWHERE;
	while (s < is->n_sites && is->site[s] <= from)
		s++; /* the first one behind */
	if (from < to)
		return s < is->n_sites && is->site[s] < to ? s : NOWHERE;
	return s > 0 && is->site[s - 1] > to ? s - 1 : NOWHERE;
}

static int find_hops(struct islands *is)
{
	const struct ng_emit *e = is->e;

	is->hop = calloc(is->n_sites * e->n_labels + 1, sizeof(*is->hop));
	is->place = calloc(e->n + 1, sizeof(*is->place));
	if (!is->hop || !is->place)
		return -ENOMEM;
	is->n = e->n + is->n_sites;
	for (size_t i = 0; i < e->n_jumps; i++) {
		size_t label = e->jumps[i].label, to = e->label[label];
		size_t s = first_site(is, e->jumps[i].from, to);

		for (; s != NOWHERE; s = next_site(is, s, to)) {
			size_t *hop = &is->hop[s * e->n_labels + label];

			is->n += !*hop;
			*hop = 1;
		}
	}
	return 0;
}

/* Behind is->n instructions that are there already. */
static void put_island(struct islands *is, size_t s)
{
	const struct ng_emit *e = is->e;
	size_t *hop = &is->hop[s * e->n_labels], begin = is->n;

	if (falls_through(&e->insns[is->site[s] - 1]))
		is->n++;
	for (size_t label = 0; label < e->n_labels; label++)
		if (hop[label])
			hop[label] = is->n++;
	if (is->n == begin + 1 && falls_through(&e->insns[is->site[s] - 1]))
		is->n = begin;
	else if (falls_through(&e->insns[is->site[s] - 1]))
		is->insns[begin] = NG_JA(is->n - begin - 1);
}

static int lay_out(struct islands *is)
{
	const struct ng_emit *e = is->e;
	size_t s = 0;

	is->insns = calloc(is->n, sizeof(*is->insns));
	if (!is->insns)
		return -ENOMEM;
	is->n = 0;
	for (size_t i = 0; i < e->n; i++) {
		if (s < is->n_sites && is->site[s] == i)
			put_island(is, s++);
		is->place[i] = is->n;
		is->insns[is->n++] = e->insns[i];
	}
	is->place[e->n] = is->n;
	return 0;
}

/* insn: a jump at `at` in the new code, by site s or straight. */
static int lead(struct islands *is, size_t at, struct bpf_insn insn, size_t s, size_t label)
{
	const struct ng_emit *e = is->e;
	size_t to = s == NOWHERE ? is->place[e->label[label]] : is->hop[s * e->n_labels + label];
	long off = (long)to - (long)at - 1;

	if (off > INT16_MAX || off < INT16_MIN)
		return -E2BIG;
	insn.off = (short)off;
	is->insns[at] = insn;
	return 0;
}

static int lead_all(struct islands *is)
{
	const struct ng_emit *e = is->e;
	int ret = 0;

	for (size_t i = 0; i < e->n_jumps && !ret; i++) {
		size_t from = e->jumps[i].from, label = e->jumps[i].label;

		ret = lead(is, is->place[from], e->insns[from],
			   first_site(is, from, e->label[label]), label);
	}
	for (size_t s = 0; s < is->n_sites; s++)
		for (size_t label = 0; label < e->n_labels && !ret; label++)
			if (is->hop[s * e->n_labels + label])
				ret = lead(is, is->hop[s * e->n_labels + label], NG_JA(0),
					   next_site(is, s, e->label[label]), label);
	return ret;
}

int ng_islands(struct ng_emit *e)
{
	struct islands is = { .e = e };
	int ret = find_sites(&is);

	if (!ret)
		ret = find_hops(&is);
	if (!ret)
		ret = lay_out(&is);
	if (!ret)
		ret = lead_all(&is);
	if (!ret) {
		free(e->insns);
		e->insns = is.insns;
		e->n = e->room = is.n;
		is.insns = NULL;
	}
	free(is.site);
	free(is.hop);
	free(is.place);
	free(is.insns);
	return ret;
}
