// SPDX-License-Identifier: GPL-2.0-only
/* nicgate stats: what the gates counted, by verdict and reason, once or as rates. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/base/num.h"
#include "ctl/base/opts.h"
#include "ctl/cmd/choice.h"
#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/gate.h"
#include "maps/counters.h"

#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define INTERVAL_MAX 86400
#define NS	     1000000000ull

enum { OPT_BY = 256 };

enum by { BY_VERDICT, BY_REASON, BY_BOTH };
static const char *const by_words[] = {
	[BY_VERDICT] = "verdict", [BY_REASON] = "reason", [BY_BOTH] = NULL
};

struct request {
	const char *device; /* NULL: all */
	unsigned int by;
	uint32_t interval, count; /* seconds, 0: once; 0: until stopped */
};

struct counted {
	__u32 ifindex;
	enum ng_hook hook;
	char name[IF_NAMESIZE];
	bool unreadable; /* and nothing below is known */
	__u32 default_verdict;
	struct ng_counter sum[NG_COUNTERS];
};

/* All gates at one moment. */
struct snapshot {
	struct counted *gate;
	size_t n;
	uint64_t ns; /* CLOCK_MONOTONIC */
};

struct collect {
	const struct ng_pins *pins;
	__u32 ifindex;		       /* 0: all */
	bool zero;		       /* zero them instead of reading */
	const struct snapshot *before; /* NULL: none */
	struct snapshot *s;
	struct ng_error *err;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static int keep(struct snapshot *s, const struct counted *c)
{
	struct counted *bigger = realloc(s->gate, (s->n + 1) * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	s->gate = bigger;
	s->gate[s->n++] = *c;
	return 0;
}

static int compare_counted(const void *x, const void *y)
{
	const struct counted *a = x, *b = y;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	return (a->hook > b->hook) - (a->hook < b->hook);
}

static const struct counted *find_gate(const struct snapshot *s, const struct counted *g)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (!compare_counted(&s->gate[i], g))
			return &s->gate[i];
	return NULL;
}

/* Of all gates, one that cannot be opened does not hide the others. It is told of once. */
static int leave_out(const struct collect *c, struct counted *g, const struct ng_error *why)
{
	const struct counted *old = find_gate(c->before, g);

	if (!old || !old->unreadable)
		ng_warn("%s: %s; left out (nicgate stats %s says more)", g->name, why->what,
			g->name);
	g->unreadable = true;
	return keep(c->s, g);
}

static int read_gate(const struct collect *c, struct counted *g, const struct ng_maps *m)
{
	int rc;

	if (m->control->temporary)
		return 0;
	g->default_verdict = m->control->default_verdict;
	rc = c->zero ? ng_counters_zero(m) : ng_counters_read(m, g->sum);
	return rc ? rc : keep(c->s, g);
}

static int collect_gate(__u32 ifindex, enum ng_hook hook, void *arg)
{
	const struct collect *c = arg;
	struct counted g = { .ifindex = ifindex, .hook = hook };
	struct ng_gate *gate;
	struct ng_error why;
	struct ng_link link;
	int rc;

	if (c->ifindex && c->ifindex != ifindex)
		return 0;
	if (ng_link_get_index(ifindex, &link, NULL))
		return 0; /* a leftover of an interface that is gone */
	memcpy(g.name, link.name, sizeof(g.name));
	rc = ng_gate_open_any(c->pins, &link, hook, &gate, &why);
	if (rc == -ENOENT)
		return 0;
	if (rc && c->ifindex) {
		*c->err = why;
		return rc;
	}
	if (rc) {
		rc = leave_out(c, &g, &why);
	} else {
		rc = read_gate(c, &g, &gate->maps);
		ng_gate_close(gate);
	}
	return rc ? ng_err(c->err, NG_EXIT_FAILED, -rc, g.name, "%s: reading the counters failed",
			   ng_hook_name[hook])
		  : 0;
}

static int take_snapshot(const struct ng_pins *pins, const struct ng_link *link, bool zero,
			 const struct snapshot *before, struct snapshot *s, struct ng_error *err)
{
	struct collect c = { pins, link ? link->ifindex : 0, zero, before, s, err };
	int rc;

	*s = (struct snapshot){ .ns = now_ns() };
	rc = ng_pins_each(pins, collect_gate, &c);
	if (!rc && s->n)
		qsort(s->gate, s->n, sizeof(*s->gate), compare_counted);
	if (!rc && !s->n && link) {
		rc = ng_err(err, NG_EXIT_NOT_FOUND, 0, link->name, "not attached");
		ng_err_try(err, "nicgate attach %s", link->name);
		rc = -ENOENT;
	}
	if (rc)
		free(s->gate);
	return rc;
}

/* The exit status of a command that showed what it could. */
static void tell_exit(const struct snapshot *s, struct ng_error *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->gate[i].unreadable)
			err->exit = NG_EXIT_FAILED;
}

/* Output */

static const struct ng_column columns[] = {
	{ "device", "DEVICE", NG_LEFT },
	{ "hook", "HOOK", NG_LEFT },
	{ "verdict", "VERDICT", NG_LEFT },
	{ "reason", "REASON", NG_LEFT },
	{ "packets", "PACKETS", NG_RIGHT },
	{ "bytes", "BYTES", NG_RIGHT },
	{ "packets_per_s", "PACKETS/S", NG_RIGHT },
	{ "bytes_per_s", "BYTES/S", NG_RIGHT },
};
enum { COLUMN_VERDICT = 2, COLUMN_REASON = 3, COLUMNS_TOTAL = 6 };

struct table {
	struct ng_out *out;
	enum by by;
	const struct snapshot *before; /* NULL: totals only */
	uint64_t elapsed_ns;
};

/* shown[] must live as long as the table. */
static void table_begin(const struct table *t, struct ng_column shown[COUNT(columns)])
{
	size_t n = 0;

	for (size_t i = 0; i < (t->before ? COUNT(columns) : (size_t)COLUMNS_TOTAL); i++)
		if (!(i == COLUMN_VERDICT && t->by == BY_REASON) &&
		    !(i == COLUMN_REASON && t->by == BY_VERDICT))
			shown[n++] = columns[i];
	ng_table_begin(t->out, "counters", shown, n);
}

static uint64_t per_second(uint64_t now, uint64_t before, uint64_t elapsed_ns)
{
	uint64_t more = now >= before ? now - before : now; /* less: counted from zero again */

	return (uint64_t)((double)more * (double)NS / (double)elapsed_ns + 0.5);
}

static void add_row(const struct table *t, const struct counted *g, int verdict, int reason,
		    const struct ng_counter *now, const struct ng_counter *before)
{
	ng_table_str(t->out, g->name);
	ng_table_str(t->out, ng_hook_name[g->hook]);
	if (t->by != BY_REASON)
		ng_table_str(t->out, ng_verdict_name[verdict]);
	if (t->by != BY_VERDICT)
		ng_table_str(t->out, ng_reason_name[reason]);
	ng_table_u64(t->out, now->packets);
	ng_table_u64(t->out, now->bytes);
	if (!t->before)
		return;
	ng_table_u64(t->out, per_second(now->packets, before->packets, t->elapsed_ns));
	ng_table_u64(t->out, per_second(now->bytes, before->bytes, t->elapsed_ns));
}

/* The sum of the counters that belong to a row. */
static struct ng_counter sum_of(const struct counted *g, enum by by, int verdict, int reason)
{
	struct ng_counter sum = { 0 };

	for (int v = 0; g && v < NG_VERDICT_MAX; v++)
		for (int r = 0; r < NG_REASON_MAX; r++) {
			const struct ng_counter *c = &g->sum[NG_COUNTER_INDEX(v, r)];

			if ((by != BY_REASON && v != verdict) || (by != BY_VERDICT && r != reason))
				continue;
			sum.packets += c->packets;
			sum.bytes += c->bytes;
		}
	return sum;
}

/* Rows that counted something, and those of every verdict or of the default,
 * so that no gate is without a row. */
static void add_gate(const struct table *t, const struct counted *g)
{
	const struct counted *old = find_gate(t->before, g);
	int verdicts = t->by == BY_REASON ? 1 : NG_VERDICT_MAX;
	int reasons = t->by == BY_VERDICT ? 1 : NG_REASON_MAX;

	for (int v = 0; v < verdicts; v++)
		for (int r = 0; r < reasons; r++) {
			struct ng_counter now = sum_of(g, t->by, v, r),
					  before = sum_of(old, t->by, v, r);
			bool always = t->by == BY_VERDICT ||
				      (r == NG_R_DEFAULT &&
				       (t->by == BY_REASON || (__u32)v == g->default_verdict));

			if (always || now.packets)
				add_row(t, g, v, r, &now, &before);
		}
}

static void add_time(struct ng_out *out)
{
	struct timespec t;
	struct tm tm;
	char text[40];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	ng_out_str(out, "time", NULL, text);
	ng_out_u64(out, "time_ns", NULL, (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec);
}

static int show(const struct ng_global *g, const struct request *r, const struct snapshot *now,
		const struct snapshot *before, struct ng_error *err)
{
	struct table t = { .by = r->by, .before = before };
	struct ng_column shown[COUNT(columns)];
	int rc;

	t.out = ng_out_new(g->json, g->pretty && !before);
	if (!t.out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "no result");
	ng_out_begin(t.out);
	if (before) {
		t.elapsed_ns = now->ns - before->ns ? now->ns - before->ns : 1;
		add_time(t.out);
		ng_out_u64(t.out, "interval_ns", NULL, t.elapsed_ns);
	}
	table_begin(&t, shown);
	for (size_t i = 0; i < now->n; i++)
		if (!now->gate[i].unreadable)
			add_gate(&t, &now->gate[i]);
	ng_table_end(t.out);
	rc = ng_out_end(t.out, err);
	ng_out_free(t.out);
	return rc;
}

/* The verb */

static void sleep_until(uint64_t ns)
{
	const struct timespec t = { .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static int watch(const struct ng_global *g, const struct request *r, const struct ng_pins *pins,
		 const struct ng_link *link, struct snapshot *before, struct ng_error *err)
{
	uint64_t next = before->ns;
	int rc = 0;

	for (uint32_t i = 0; !rc && (!r->count || i < r->count); i++) {
		struct snapshot now;

		next += r->interval * NS;
		sleep_until(next);
		rc = take_snapshot(pins, link, false, before, &now, err);
		if (rc)
			break;
		if (i && !g->json)
			putchar('\n');
		rc = show(g, r, &now, before, err);
		free(before->gate);
		*before = now;
	}
	return rc;
}

static int find_device(const struct request *r, struct ng_link *link, struct ng_error *err)
{
	return r->device ? ng_link_get(r->device, link, err) : 0;
}

static int run_show(const struct ng_global *g, const struct request *r, struct ng_error *err)
{
	struct ng_link link;
	struct snapshot s;
	struct ng_pins pins;
	int rc = find_device(r, &link, err);

	if (!rc)
		rc = ng_gate_begin(&pins, g->bpffs, false, err);
	if (rc)
		return rc;
	rc = take_snapshot(&pins, r->device ? &link : NULL, false, NULL, &s, err);
	if (!rc) {
		rc = r->interval ? watch(g, r, &pins, r->device ? &link : NULL, &s, err)
				 : show(g, r, &s, NULL, err);
		if (!rc)
			tell_exit(&s, err);
		free(s.gate);
	}
	ng_pins_close(&pins);
	return rc;
}

static int show_zeroed(const struct ng_global *g, const struct snapshot *s, struct ng_error *err)
{
	static const struct ng_column zeroed[] = { { "device", NULL, NG_LEFT },
						   { "hook", NULL, NG_LEFT } };
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	int rc;

	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "no result");
	ng_out_begin(out);
	ng_table_begin(out, "zeroed", zeroed, COUNT(zeroed));
	for (size_t i = 0; i < s->n; i++) {
		if (s->gate[i].unreadable)
			continue;
		ng_table_str(out, s->gate[i].name);
		ng_table_str(out, ng_hook_name[s->gate[i].hook]);
	}
	ng_table_end(out);
	for (size_t i = 0; i < s->n; i++)
		if (!s->gate[i].unreadable)
			ng_out_text(out, "%s: %s: counters are zero\n", s->gate[i].name,
				    ng_hook_name[s->gate[i].hook]);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

static int run_zero(const struct ng_global *g, const struct request *r, struct ng_error *err)
{
	struct ng_link link;
	struct snapshot s;
	struct ng_pins pins;
	int rc = find_device(r, &link, err);

	if (!rc)
		rc = ng_gate_begin(&pins, g->bpffs, true, err);
	if (rc)
		return rc;
	rc = take_snapshot(&pins, r->device ? &link : NULL, true, NULL, &s, err);
	ng_pins_unlock(&pins);
	if (!rc) {
		rc = show_zeroed(g, &s, err);
		if (!rc)
			tell_exit(&s, err);
		free(s.gate);
	}
	ng_pins_close(&pins);
	return rc;
}

static bool is_number(const char *word)
{
	return *word && word[strspn(word, "0123456789")] == '\0';
}

static int take_word(struct request *r, const char *word, struct ng_error *err)
{
	uint32_t *number = r->interval ? &r->count : &r->interval;

	if (!is_number(word)) {
		if (r->device || r->interval)
			return ng_usage(err, &ng_verb_stats, "unexpected word '%s'", word);
		r->device = word;
		return 0;
	}
	if (r->count)
		return ng_usage(err, &ng_verb_stats, "unexpected word '%s'", word);
	if (ng_parse_u32(word, 1, number == &r->interval ? INTERVAL_MAX : UINT32_MAX, number))
		return ng_usage(err, &ng_verb_stats,
				"'%s': INTERVAL is 1 to %d seconds, COUNT from 1 on", word,
				INTERVAL_MAX);
	return 0;
}

static int parse(struct request *r, int argc, char **argv, int first, struct ng_error *err)
{
	static const struct ng_opt options[] = {
		{ OPT_BY, "by", NG_OPT_VALUE, "verdict|reason", "add up the rest" },
		{ 0, NULL, NG_OPT_NONE, NULL, NULL },
	};
	struct ng_opts o = {
		.table = options, .argc = argc, .argv = argv, .next = first, .words = first
	};
	const char *value;
	int id, rc = 0;

	while (!rc && (id = ng_opts_next_mixed(&o, &value, err)))
		rc = id < 0 ? id : ng_choice("--by", value, by_words, &r->by, err);
	for (int i = first; !rc && i < o.words; i++)
		rc = take_word(r, argv[i], err);
	return rc;
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	bool zero = argc > 1 && !strcmp(argv[1], "zero");
	struct request r = { .by = BY_BOTH };
	int rc = parse(&r, argc, argv, zero ? 2 : 1, err);

	if (rc)
		return rc;
	if (zero && (r.interval || r.by != BY_BOTH))
		return ng_usage(err, &ng_verb_stats, "zero takes a device at most");
	return zero ? run_zero(g, &r, err) : run_show(g, &r, err);
}

const struct ng_verb ng_verb_stats = {
	.name = "stats",
	.run = run,
	.summary = "packets and bytes by interface, hook, verdict and reason",
	.usage =
		"stats [DEV] [--by verdict|reason] [INTERVAL [COUNT]]\n"
		"stats zero [DEV]\n"
		"\n"
		"    INTERVAL: seconds; every INTERVAL the totals and what they grew by a second.\n"
		"    zero: the counters of verdicts; those of ACL entries: nicgate acl zero DEV.\n",
};
