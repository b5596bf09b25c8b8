// SPDX-License-Identifier: GPL-2.0-only
/* Puts the filters of a gate's taps into its program. */
#include "ctl/dataplane/insert.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/site.h"

#define STUB_NAME   "ng_tap_filter"
#define STACK_MAX   512
#define STACK_ROUND 32 /* the verifier's, per frame of a chain of calls */

/* The program while it is being changed. */
struct work {
	struct ng_insert *insert;
	struct bpf_prog_load_opts *opts;
	size_t stub; /* its first instruction */
	int stack_limit;
	size_t calls; /* of the stub that are left */
	struct {
		size_t start, end;
	} in_place[NG_TAPS_MAX];
};

/* The stub's first instruction and the one behind its last. */
static int find_stub(const struct ng_insert *s, const struct bpf_prog_load_opts *opts,
		     size_t n_insns, size_t *start, size_t *end)
{
	const struct bpf_func_info *info = opts->func_info;

	if (opts->func_info_rec_size != sizeof(*info))
		return -EPROTO;
	for (__u32 i = 0; i < opts->func_info_cnt; i++) {
		const struct btf_type *t = btf__type_by_id(s->btf, info[i].type_id);
		const char *name = t ? btf__name_by_offset(s->btf, t->name_off) : NULL;

		if (!name || strcmp(name, STUB_NAME))
			continue;
		*start = info[i].insn_off;
		*end = i + 1 < opts->func_info_cnt ? info[i + 1].insn_off : n_insns;
		return 0;
	}
	return -ENOENT;
}

/* Copies that can be changed; libbpf's own describe the program as it was compiled. */
static int copy_infos(struct ng_insert *s, struct bpf_prog_load_opts *opts)
{
	size_t funcs = opts->func_info_cnt * sizeof(*s->func_info);
	size_t lines = opts->line_info_cnt * sizeof(*s->line_info);

	if (lines && opts->line_info_rec_size != sizeof(*s->line_info))
		return -EPROTO;
	s->func_info = malloc(funcs);
	s->line_info = lines ? malloc(lines) : NULL;
	if (!s->func_info || (lines && !s->line_info))
		return -ENOMEM;
	memcpy(s->func_info, opts->func_info, funcs);
	opts->func_info = s->func_info;
	if (!lines)
		return 0;
	memcpy(s->line_info, opts->line_info, lines);
	opts->line_info = s->line_info;
	return 0;
}

/* Of what was replaced only the first line number stays: the kernel wants one per function. */
static void move_infos(struct ng_insert *s, struct bpf_prog_load_opts *opts, size_t start,
		       size_t end, long shift)
{
	struct bpf_line_info *line = s->line_info;
	__u32 n = 0;

	for (__u32 i = 0; i < opts->func_info_cnt; i++)
		if (s->func_info[i].insn_off >= end)
			s->func_info[i].insn_off += (__u32)shift;
	for (__u32 i = 0; i < opts->line_info_cnt; i++) {
		if (line[i].insn_off > start && line[i].insn_off < end)
			continue;
		line[n] = line[i];
		if (line[n].insn_off >= end)
			line[n].insn_off += (__u32)shift;
		n++;
	}
	opts->line_info_cnt = n;
}

/* [start, end) of the program becomes body. On failure all is as before. */
static int replace(struct work *w, size_t start, size_t end, const struct ng_ebpf *body)
{
	struct ng_insert *s = w->insert;
	struct ng_ebpf changed = { 0 };
	long shift;
	int rc = ng_splice_body(s->program.insns, s->program.n, start, end, body, &changed, &shift);

	if (rc)
		return rc;
	ng_ebpf_free(&s->program);
	s->program = changed;
	move_infos(s, w->opts, start, end, shift);
	if (w->stub >= end)
		w->stub += (size_t)shift;
	return 0;
}

/* How far the program's first function may go down without any chain of two breaking the limit. */
static int stack_limit(const struct work *w)
{
	const struct ng_insert *s = w->insert;
	int deepest = 0;

	for (__u32 i = 1; i < w->opts->func_info_cnt; i++) {
		size_t start = s->func_info[i].insn_off;
		size_t end = i + 1 < w->opts->func_info_cnt ? s->func_info[i + 1].insn_off
							    : s->program.n;
		int depth = ng_frame_depth(s->program.insns + start, end - start);

		if (depth < deepest)
			deepest = depth;
	}
	return -(STACK_MAX - (-deepest + STACK_ROUND - 1) / STACK_ROUND * STACK_ROUND);
}

static int put_in_place(struct work *w, size_t nr, const struct ng_site *site)
{
	const struct ng_load *load = w->insert->load;
	struct ng_ebpf body = { 0 };
	size_t calls = 0;
	int rc = load->inline_body(load->inline_arg, site, &body);

	if (!rc)
		rc = ng_tables_bind_in_place(w->insert->tables, load, (__u32)site->slot, &body);
	if (!rc && ng_frame_depth(body.insns, body.n) < w->stack_limit)
		rc = -E2BIG;
	if (!rc)
		calls = ng_site_calls(body.insns, body.n);
	/* A function that nobody calls is none to the verifier, and its func_info one too many. */
	if (!rc && w->calls - 1 + calls == 0)
		rc = -EEXIST;
	if (!rc)
		rc = replace(w, site->call, site->call + 1, &body);
	if (!rc) {
		w->calls += calls - 1;
		w->in_place[nr].start = site->call;
		w->in_place[nr].end = site->call + body.n;
		for (size_t i = nr + 1; i < NG_TAPS_MAX; i++) {
			w->in_place[i].start += body.n - 1;
			w->in_place[i].end += body.n - 1;
		}
	}
	ng_ebpf_free(&body);
	return rc;
}

static bool is_wanted(const struct ng_load *load, const struct ng_site *site)
{
	return ng_site_is_known(site) && site->slot < NG_TAPS_MAX &&
	       load->taps & 1u << site->slot && load->filter[site->slot].n;
}

/* From the last to the first, so that those before stay where they were found. */
static void put_all_in_place(struct work *w, const struct ng_site *site, size_t n)
{
	struct ng_insert *s = w->insert;

	w->stack_limit = stack_limit(w);
	for (size_t i = n; i-- > 0;) {
		int rc;

		if (!is_wanted(s->load, &site[i]))
			continue;
		rc = put_in_place(w, i, &site[i]);
		if (!rc)
			s->in_place++;
		else
			ng_debug("%s: the filter of tap %d stays a call: %s", s->load->object,
				 site[i].slot, strerror(-rc));
	}
	for (size_t i = 0; i < n; i++)
		ng_site_link(s->program.insns, w->in_place[i].start, w->in_place[i].end, w->stub);
}

static int insert_in_place(struct work *w)
{
	struct ng_insert *s = w->insert;
	struct ng_site site[NG_TAPS_MAX];
	long n = ng_sites_find(s->program.insns, s->program.n, w->stub, site, NG_TAPS_MAX);

	if (n < 0)
		return (int)n;
	w->calls = (size_t)n;
	if (n > NG_TAPS_MAX)
		n = NG_TAPS_MAX;
	put_all_in_place(w, site, (size_t)n);
	ng_debug("%s: %s: %u of %d filters in the place of their calls", s->load->object,
		 ng_hook_name[s->load->hook], s->in_place, __builtin_popcount(s->load->taps));
	return 0;
}

int ng_insert(struct ng_insert *s, struct bpf_program *prog, struct bpf_prog_load_opts *opts)
{
	size_t n = bpf_program__insn_cnt(prog), start, end;
	struct work w = { .insert = s, .opts = opts };
	long shift;
	int rc;

	if (!s->body)
		return 0;
	rc = find_stub(s, opts, n, &start, &end);
	if (!rc)
		rc = copy_infos(s, opts);
	if (!rc)
		rc = ng_splice_body(bpf_program__insns(prog), n, start, end, s->body, &s->program,
				    &shift);
	if (rc)
		return rc;
	move_infos(s, opts, start, end, shift);
	w.stub = start;
	if (s->load->inline_body && !s->load->call_only)
		rc = insert_in_place(&w);
	return rc ? rc : bpf_program__set_insns(prog, s->program.insns, s->program.n);
}

void ng_insert_free(struct ng_insert *s)
{
	ng_ebpf_free(&s->program);
	free(s->func_info);
	free(s->line_info);
	s->func_info = NULL;
	s->line_info = NULL;
}
