// SPDX-License-Identifier: GPL-2.0-only
/* Filter expressions to classic BPF: libpcap, with scopes and long lists in front. */
#include "ctl/filter/pcap.h"
#include "ctl/filter/lists.h"
#include "ctl/filter/locate.h"
#include "ctl/filter/scope.h"
#include "ctl/filter/in_set.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Beyond, libpcap would take minutes: the time it needs grows with the square. */
#define TERMS_MAX  1000
/* Bytes of a text with an error that libpcap is asked about again and again. */
#define UNREAD_MAX 4096

#define REJECTS_ALL "expression rejects all packets" /* libpcap's words */

_Static_assert(sizeof(struct sock_filter) == sizeof(struct ng_pcap_insn), "same instruction");

struct job {
	const struct ng_libpcap *lib;
	pcap_t *pcap;
	struct ng_source source;
	const struct ng_filter_names *names;
	unsigned int snaplen;
	bool optimize, has_sets;
	struct ng_expr expr;
	struct ng_lists lists;
};

static bool is_blank(const char *expr)
{
	return !expr || expr[strspn(expr, " \t\r\n")] == '\0';
}

static int no_memory(struct ng_error *err)
{
	return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
}

#define SETS_STAND "a set stands behind 'in': src in {192.0.2.1}, port not in @FILE"

/* What libpcap's words about a misplaced set do not say: it knows none. */
static void explain_sets(struct ng_error *err)
{
	if (err && strstr(err->what, " 'in'"))
		ng_err_why(err, "behind 'in' comes a set, {..} or @NAME, and behind that "
				"'and', 'or' or the end");
	else if (err && (!strncmp(err->why, "'{'", 3) || !strncmp(err->why, "'@'", 3)))
		ng_err_why(err, SETS_STAND);
}

/* written: what text was made by, NULL: it is the source. */
static int ask_libpcap(const struct job *job, const char *text, const struct ng_written *written,
		       bool optimize, struct ng_cbpf *out, struct ng_error *err)
{
	struct ng_source source = job->source;
	struct bpf_program program;
	struct sock_filter *insns;
	size_t n;
	int ret;

	source.written = written;
	if (job->lib->compile(job->pcap, &program, text, optimize, PCAP_NETMASK_UNKNOWN)) {
		ret = ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", job->lib->geterr(job->pcap));
		ng_locate(job->lib, job->pcap, text, &source, err);
		explain_sets(err);
		return ret;
	}
	n = program.bf_len;
	insns = malloc(n * sizeof(*insns));
	if (insns)
		memcpy(insns, program.bf_insns, n * sizeof(*insns));
	job->lib->freecode(&program);
	if (!insns)
		return no_memory(err);
	*out = (struct ng_cbpf){ .insns = insns, .n = n };
	return 0;
}

static int compile_source(const struct job *job, struct ng_cbpf *out, struct ng_error *err)
{
	return ask_libpcap(job, job->source.text, NULL, job->optimize, out, err);
}

/* The expression with placeholders. */
static int compile_variant(const struct job *job, unsigned int variant, bool optimize,
			   struct ng_cbpf *out, struct ng_error *err)
{
	struct ng_written w = { 0 };
	int ret;

	ng_write_expr(&w, &job->expr, job->lists.site, variant);
	ret = w.failed ? no_memory(err) : ask_libpcap(job, w.text, &w, optimize, out, err);
	ng_written_free(&w);
	return ret;
}

/* 1: the two variants differ elsewhere. */
static int compile_lists(struct job *job, bool optimize, struct ng_cbpf *out, struct ng_error *err)
{
	struct ng_cbpf variant[2] = { 0 };
	int ret = compile_variant(job, 0, optimize, &variant[0], err);

	if (!ret)
		ret = compile_variant(job, 1, optimize, &variant[1], err);
	if (!ret && variant[0].n != variant[1].n)
		ret = 1;
	else if (!ret)
		switch (ng_lists_patch(&job->lists, variant[0].insns, variant[1].insns,
				       variant[0].n, out)) {
		case 0:
			break;
		case -ENOMEM:
			ret = no_memory(err);
			break;
		default:
			ret = 1;
		}
	ng_cbpf_free(&variant[0]);
	ng_cbpf_free(&variant[1]);
	return ret;
}

static size_t count_terms(const struct ng_expr *e, __u32 i)
{
	size_t n = e->node[i].kind == NG_NODE_TERM;

	for (__u32 child = e->node[i].first; child; child = e->node[child].next)
		n += count_terms(e, child);
	return n;
}

static int refuse_terms(size_t n, struct ng_error *err)
{
	int ret = ng_err(err, NG_EXIT_USAGE, 0, NULL,
			 "filter too large: %zu terms that are no list, at most %d", n, TERMS_MAX);

	ng_err_why(err, "lists are %d or more hosts, nets or ports with the same words in front",
		   NG_LIST_MIN);
	ng_err_why(err, "IPv6 hosts are one list with those that share their first 96 bits");
	return ret;
}

/* terms: of the expression. What it has of lists cannot be used, for how libpcap reads them. */
static int compile_without_lists(const struct job *job, size_t terms, struct ng_cbpf *out,
				 struct ng_error *err)
{
	if (job->has_sets)
		return ng_err(err, NG_EXIT_UNSUPPORTED, EOPNOTSUPP, NULL, "this set");
	return terms > TERMS_MAX ? refuse_terms(terms, err) : compile_source(job, out, err);
}

/* In libpcap's reading. */
static int compile_expr(struct job *job, struct ng_cbpf *out, struct ng_error *err)
{
	size_t all = count_terms(&job->expr, job->expr.root), terms;
	int ret = ng_lists_extract(&job->expr, &job->lists);

	if (ret)
		return no_memory(err);
	terms = count_terms(&job->expr, job->expr.root);
	if (terms > TERMS_MAX)
		return refuse_terms(terms, err);
	if (!job->lists.n)
		return job->has_sets ? compile_variant(job, 0, job->optimize, out, err)
				     : compile_source(job, out, err);
	ret = compile_lists(job, job->optimize && job->lists.optimizable, out, err);
	if (ret == 1 && job->optimize)
		ret = compile_lists(job, false, out, err);
	return ret == 1 ? compile_without_lists(job, all, out, err) : ret;
}

static void free_job(struct job *job)
{
	ng_expr_free(&job->expr);
	ng_lists_free(&job->lists);
}

/* One text of a scoped expression. *out is empty if it never matches. */
static int compile_step(const struct job *job, const char *text, struct ng_cbpf *out,
			struct ng_error *err)
{
	struct job step = { .lib = job->lib,
			    .pcap = job->pcap,
			    .source = { .text = text, .file = job->source.file },
			    .optimize = job->optimize };
	struct ng_error e = { 0 };
	size_t at;
	int ret = ng_expr_parse(text, &step.expr, &at);

	ret = ret ? no_memory(&e) : compile_expr(&step, out, &e);
	free_job(&step);
	if (ret == -EINVAL && strcmp(e.what, REJECTS_ALL) == 0) {
		*out = (struct ng_cbpf){ 0 };
		return 0;
	}
	e.line = 0; /* the text is none of the user's */
	if (ret && err)
		*err = e;
	return ret;
}

static int compile_steps(const struct job *job, const struct ng_scope *scope, struct ng_cbpf *out,
			 struct ng_error *err)
{
	struct ng_cbpf *program = calloc(scope->n, sizeof(*program));
	size_t matching = 0;
	int ret = program ? 0 : no_memory(err);

	for (size_t i = 0; i < scope->n && !ret; i++) {
		ret = compile_step(job, scope->step[i].text, &program[i], err);
		matching += program[i].n > 0;
	}
	if (!ret && !matching)
		ret = ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", REJECTS_ALL);
	else if (!ret && ng_scope_join(scope, program, job->snaplen, out))
		ret = no_memory(err);
	for (size_t i = 0; program && i < scope->n; i++)
		ng_cbpf_free(&program[i]);
	free(program);
	return ret;
}

static int refuse_scopes(const struct job *job, int ret, size_t at, struct ng_error *err)
{
	if (ret == -ENOMEM)
		return no_memory(err);
	if (ret == -E2BIG) {
		ng_err(err, NG_EXIT_USAGE, 0, NULL, "more than %d alternatives of 'vlan'",
		       NG_SCOPE_STEPS_MAX);
		ng_err_why(err, "each is a filter of its own, with all that 'and' joins to it");
		return -EINVAL;
	}
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "a value whose words stand beyond a 'vlan'");
	ng_source_at(&job->source, at, err);
	ng_err_why(err,
		   "'vlan' holds for what 'and' joins to it, so that these parts are separate");
	return -EINVAL;
}

/* In ours, where it differs. */
static int compile_scoped(struct job *job, struct ng_cbpf *out, struct ng_error *err)
{
	struct ng_scope scope;
	struct ng_cbpf whole = { 0 };
	bool optimize = job->optimize;
	size_t at = 0;
	int ret = ng_scope_read(&job->expr, &scope, &at);

	if (ret) {
		ret = refuse_scopes(job, ret, at, err);
	} else if (!scope.n) {
		ret = compile_expr(job, out, err);
	} else {
		job->optimize = false; /* this is for libpcap's errors, with their positions */
		ret = compile_expr(job, &whole, err);
		job->optimize = optimize;
		ng_cbpf_free(&whole);
		if (!ret)
			ret = compile_steps(job, &scope, out, err);
	}
	ng_scope_free(&scope);
	return ret;
}

static void explain_place(const char *p, struct ng_error *err)
{
	size_t n = strcspn(p, " \t\r\n");

	if (is_blank(p))
		ng_err_why(err, "the expression ends where more has to follow");
	else if (*p == '{' && !strchr(p, '}'))
		ng_err_why(err, "its '}' is missing");
	else if (*p == '{' || *p == '@')
		ng_err_why(err, SETS_STAND);
	else
		ng_err_why(err, "'%.*s' cannot stand here", (int)(n < 40 ? n : 40), p);
}

/*
 * What we cannot read is no filter for libpcap either, or so deep that it is nobody's. libpcap says
 * so itself, unless it would take the text for another one or take minutes.
 */
static int compile_unread(struct job *job, bool deep, size_t at, struct ng_cbpf *out,
			  struct ng_error *err)
{
	int ret;

	if (strlen(job->source.text) <= UNREAD_MAX && !strpbrk(job->source.text, "{@"))
		return compile_source(job, out, err);
	if (deep)
		ret = ng_err(err, NG_EXIT_USAGE, 0, NULL,
			     "more than %d parentheses or 'not' in each other", NG_EXPR_DEPTH_MAX);
	else
		ret = ng_err(err, NG_EXIT_USAGE, 0, NULL,
			     "can't parse filter expression: syntax error");
	ng_source_at(&job->source, at, err);
	if (!deep)
		explain_place(job->source.text + at, err);
	return ret;
}

static int compile_read(struct job *job, struct ng_cbpf *out, struct ng_error *err)
{
	int ret;

	job->has_sets = ng_expr_has(&job->expr, job->expr.root, NG_TERM_SET);
	ret = ng_in_set_resolve(&job->expr, &job->source, job->names, err);
	return ret ? ret : compile_scoped(job, out, err);
}

static int compile(struct job *job, unsigned int flags, struct ng_cbpf *out, struct ng_error *err)
{
	size_t at = 0;
	int ret;

	if (flags & NG_FILTER_STRICT)
		return compile_source(job, out, err);
	ret = ng_expr_parse(job->source.text, &job->expr, &at);
	if (ret == -EINVAL || ret == -E2BIG)
		ret = compile_unread(job, ret == -E2BIG, at, out, err);
	else if (!ret)
		ret = compile_read(job, out, err);
	if (ret == -ENOMEM)
		ret = no_memory(err);
	free_job(job);
	return ret;
}

int ng_filter_compile_named(const char *expr, const char *file, int linktype, unsigned int snaplen,
			    unsigned int flags, const struct ng_filter_names *names,
			    struct ng_cbpf *out, struct ng_error *err)
{
	struct job job = { .source = { .text = expr, .file = file },
			   .names = names,
			   .snaplen = snaplen,
			   .optimize = !(flags & NG_FILTER_PLAIN) };
	int ret;

	if (is_blank(expr)) {
		*out = (struct ng_cbpf){ 0 };
		return 0;
	}
	job.lib = ng_libpcap(err);
	if (!job.lib)
		return -ELIBACC;
	job.pcap = job.lib->open_dead(linktype, (int)snaplen);
	if (!job.pcap)
		return no_memory(err);
	ret = compile(&job, flags, out, err);
	job.lib->close(job.pcap);
	return ret;
}

int ng_filter_compile(const char *expr, const char *file, int linktype, unsigned int snaplen,
		      unsigned int flags, struct ng_cbpf *out, struct ng_error *err)
{
	return ng_filter_compile_named(expr, file, linktype, snaplen, flags, NULL, out, err);
}

void ng_cbpf_free(struct ng_cbpf *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_sets; i++)
		free(p->sets[i].key);
	free(p->sets);
	free(p->insns);
	*p = (struct ng_cbpf){ 0 };
}
