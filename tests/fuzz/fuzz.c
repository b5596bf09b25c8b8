// SPDX-License-Identifier: GPL-2.0-only
/*
 * A batch: 32 filters, twenty packets for each way, every answer against the oracle.
 *
 * The oracle is ng_filter_interpret(). Behind it stands libpcap's interpreter, for programs that it
 * can run; and where an expression means to nicgate what it means to libpcap, it runs the program
 * that pcap_compile() makes of it. Except, with sets, over packets that end early: which load reaches
 * behind the end first depends on the order of the terms.
 */
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/filter/pcap.h"
#include "tests/fuzz/program.h"
#include "tests/fuzz/steer.h"
#include "tests/random.h"

#define PACKETS	      20 /* in a batch, for each way */
#define REPORTS_MAX   12 /* failures that a process makes small and prints */
#define BATCH_SECONDS 60
#define ETHERNET      1
#define SNAPLEN	      262144

static struct batch {
	struct subject subject[WAYS_FILTERS];
	size_t n;
	struct ng_cbpf pcap[WAYS_FILTERS]; /* second opinions */
	struct ways_state state[WAYS_HOOKS][WAYS_FILTERS];
	/* The first of each. */
	struct failure *failed[WAYS_FILTERS];
	struct packet *front_failed[WAYS_FILTERS];
} b;

static uint64_t seed_now;
static unsigned int reports;

uint64_t fuzz_cases(const struct tally *t)
{
	uint64_t sum = 0;

	for (enum way way = 0; way < WAYS; way++)
		sum += t->cases[way];
	return sum;
}

uint64_t fuzz_failures(const struct tally *t)
{
	uint64_t sum = t->unexplained + t->unverified + t->front_failed;

	for (enum way way = 0; way < WAYS; way++)
		sum += t->failed[way];
	return sum;
}

bool compile_subject(struct subject *s)
{
	static struct ng_error err;

	return ng_filter_compile(s->text, "expression", ETHERNET, SNAPLEN, s->compile_flags,
				 &s->program, &err) == 0;
}

/* nothing: refused because no packet would match. */
static void compile_by_libpcap(const struct subject *s, struct ng_cbpf *out, bool *nothing)
{
	pcap_t *pcap = pcap_open_dead(ETHERNET, SNAPLEN);
	struct bpf_program program = { 0 };

	*out = (struct ng_cbpf){ 0 };
	*nothing = false;
	if (!pcap)
		abort();
	if (pcap_compile(pcap, &program, s->text, !(s->compile_flags & NG_FILTER_PLAIN),
			 PCAP_NETMASK_UNKNOWN)) {
		*nothing = strstr(pcap_geterr(pcap), "rejects all packets") != NULL;
	} else {
		copy_program(&(struct ng_cbpf){ .insns = (struct sock_filter *)program.bf_insns,
						.n = program.bf_len },
			     out);
		pcap_freecode(&program);
	}
	pcap_close(pcap);
}

uint32_t answer_of_libpcap(const struct ng_cbpf *own, const struct packet *p)
{
	return bpf_filter((const struct ng_pcap_insn *)own->insns, p->data, p->len, p->len);
}

static bool has_loop(const struct ng_cbpf *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->insns[i].code == (BPF_JMP | BPF_JA) && (int)p->insns[i].k < 0)
			return true;
	return false;
}

static void front_failure(const struct subject *s, struct tally *sum, const char *what)
{
	sum->front_failed++;
	if (reports++ < REPORTS_MAX)
		printf("# FAILED, seed %#" PRIx64 ": %s: '%s', flags %u\n", seed_now, what, s->text,
		       s->compile_flags);
}

static bool means_the_same(const struct subject *s)
{
	return s->is_expr && (s->compile_flags & NG_FILTER_STRICT || !has_scope(s->text));
}

void second_opinion(const struct subject *s, struct ng_cbpf *out)
{
	struct ng_cbpf own = { 0 };
	bool nothing;

	*out = (struct ng_cbpf){ 0 };
	if (means_the_same(s))
		compile_by_libpcap(s, &own, &nothing);
	else if (is_runnable(&s->program) && !s->program.n_sets)
		copy_program(&s->program, &own);
	if (own.n && !has_loop(&own))
		clear_cells(&own, out);
	ng_cbpf_free(&own);
}

/* Whether libpcap accepts what we accept, and under --strict-pcap makes the same of it. */
static void check_front(const struct subject *s, bool compiled, struct tally *sum)
{
	bool strict = s->compile_flags & NG_FILTER_STRICT, nothing;
	struct ng_cbpf own;

	if (!means_the_same(s))
		return;
	compile_by_libpcap(s, &own, &nothing);
	if (compiled != (own.n > 0) && !(compiled && nothing && !strict))
		front_failure(s, sum, compiled ? "only nicgate accepts it" : "only libpcap does");
	else if (compiled && strict &&
		 (own.n != s->program.n ||
		  memcmp(own.insns, s->program.insns, own.n * sizeof(*own.insns)) != 0))
		front_failure(s, sum, "--strict-pcap, but not libpcap's program");
	ng_cbpf_free(&own);
}

/* Adds the expression, compiled in this way; false: refused. */
static bool add_expr(const struct expr *e, unsigned int compile_flags, struct tally *sum)
{
	struct subject *s = &b.subject[b.n];
	bool compiled;

	s->is_expr = true;
	s->expr = *e;
	s->compile_flags = compile_flags;
	s->flags = compile_flags & NG_FILTER_PLAIN;
	s->in_place = !s->flags && below(2);
	s->program = (struct ng_cbpf){ 0 };
	print_expr(e, s->text);
	compiled = compile_subject(s);
	check_front(s, compiled, sum);
	b.n += compiled;
	return compiled;
}

static void add_exprs(struct tally *sum)
{
	static struct expr e;

	while (b.n + 2 <= WAYS_FILTERS) {
		make_expr(&e);
		if (!add_expr(&e, 0, sum))
			continue;
		add_expr(&e,
			 ONE_OF(NG_FILTER_PLAIN, NG_FILTER_STRICT,
				NG_FILTER_PLAIN | NG_FILTER_STRICT),
			 sum);
	}
}

static void add_programs(bool sets)
{
	for (; b.n < WAYS_FILTERS; b.n++) {
		struct subject *s = &b.subject[b.n];
		size_t most = below(12) ? ONE_OF(12, 48) : 300;

		s->is_expr = false;
		s->flags = below(4) ? 0 : NG_FILTER_PLAIN;
		s->in_place = !s->flags && below(2);
		if (sets)
			make_set_program(&s->program, most);
		else
			make_program(&s->program, most);
	}
}

/* What is there already, with a few instructions changed; what then means nothing has to be refused
 * or to load, but is not run. */
static void mutate_subjects(void)
{
	for (size_t i = 0; i < b.n; i++) {
		struct subject *s = &b.subject[i];
		struct ng_cbpf changed;

		mutate_program(&s->program, &changed);
		ng_cbpf_free(&s->program);
		s->program = changed;
		s->is_expr = false;
	}
}

static void make_subjects(struct tally *sum)
{
	uint32_t kind = below(12);

	b.n = 0;
	if (kind < 5)
		add_exprs(sum);
	else if (kind < 9)
		add_programs(false);
	else if (kind == 9)
		add_programs(true);
	else if (below(2))
		add_exprs(sum);
	else
		add_programs(false);
	if (kind > 9)
		mutate_subjects();
	for (size_t i = 0; i < b.n; i++)
		second_opinion(&b.subject[i], &b.pcap[i]);
}

static void count_states(struct tally *sum)
{
	for (size_t i = 0; i < b.n; i++)
		for (int hook = 0; hook < WAYS_HOOKS; hook++) {
			enum ways_status status = b.state[hook][i].status;

			sum->filters += status == WAYS_LOADED;
			sum->refused += status == WAYS_UNTRANSLATED;
			sum->unexplained += status == WAYS_UNEXPLAINED;
			sum->unverified += status == WAYS_UNVERIFIED;
			sum->crowded += status == WAYS_CROWDED;
		}
}

static void report_states(void)
{
	for (size_t i = 0; i < b.n; i++)
		for (enum ways_hook hook = 0; hook < WAYS_HOOKS; hook++) {
			enum ways_status status = b.state[hook][i].status;

			if (status == WAYS_UNVERIFIED && reports++ < REPORTS_MAX)
				report_refusal(seed_now, &b.subject[i], hook);
			if (status == WAYS_UNEXPLAINED && reports++ < REPORTS_MAX)
				printf("# FAILED, seed %#" PRIx64
				       ": filter %zu is refused without words\n",
				       seed_now, i);
		}
}

/* A packet for this way, half of the time one that a filter of the batch has formed. */
static void make_for_way(enum way way, struct packet *p)
{
	bool tagged = way == WAY_TC_TAG || way == WAY_TC_PAGED_TAG;
	const struct ng_cbpf *program = &b.subject[below((uint32_t)b.n)].program;

	if (tagged)
		make_tagged_packet(p);
	else
		make_packet(p);
	if (below(3) && is_runnable(program))
		steer_packet(program, p);
	if (tagged) {
		uint32_t type = ONE_OF(0x8100, 0x88a8);

		p->data[12] = (uint8_t)(type >> 8);
		p->data[13] = (uint8_t)type;
	}
}

static void note_failure(size_t i, const struct run *run, const struct packet *p, uint32_t want,
			 uint32_t got)
{
	if (b.failed[i])
		return;
	b.failed[i] = malloc(sizeof(*b.failed[i]));
	if (!b.failed[i])
		abort();
	*b.failed[i] = (struct failure){ *run, *p, want, got };
}

bool is_excused(const struct subject *s, const struct ng_cbpf *own, const struct packet *p)
{
	return s->program.n_sets && (leaves_packet(own, p) || leaves_packet(&s->program, p));
}

static void compare_front(size_t i, const struct packet *p, uint32_t answer, struct tally *sum)
{
	const struct ng_cbpf *own = &b.pcap[i];

	if (!own->n)
		return;
	sum->compared++;
	if (answer_of_libpcap(own, p) == answer || is_excused(&b.subject[i], own, p))
		return;
	sum->front_failed++;
	if (!b.front_failed[i]) {
		b.front_failed[i] = malloc(sizeof(*p));
		if (!b.front_failed[i])
			abort();
		*b.front_failed[i] = *p;
	}
}

static void compare(const struct run *run, const struct packet *p, const uint32_t *answer,
		    const bool *runnable, struct tally *sum)
{
	for (size_t i = 0; i < b.n; i++) {
		uint32_t want;

		if (!runnable[i] || b.state[way_hook(run->way)][i].status != WAYS_LOADED)
			continue;
		want = ng_filter_interpret(&b.subject[i].program, p->data, p->len, p->len);
		compare_front(i, p, want, sum);
		sum->cases[run->way]++;
		sum->accepted[run->way] += want != 0;
		if (want == answer[i])
			continue;
		sum->failed[run->way]++;
		note_failure(i, run, p, want, answer[i]);
	}
}

static void run_packets(struct tally *sum)
{
	static struct packet p;
	bool runnable[WAYS_FILTERS];
	uint32_t answer[WAYS_FILTERS];
	struct run run;

	for (size_t i = 0; i < b.n; i++)
		runnable[i] = b.subject[i].is_expr || is_runnable(&b.subject[i].program);
	for (enum way way = 0; way < WAYS; way++)
		for (int i = 0; i < PACKETS && !way_closed(way); i++) {
			make_for_way(way, &p);
			if (ways_choose(&p, way, &run) && ways_run(&p, &run, answer) == 0)
				compare(&run, &p, answer, runnable, sum);
			else
				sum->untaken++;
		}
}

static void finish(void)
{
	for (size_t i = 0; i < b.n; i++) {
		if (b.failed[i] && reports++ < REPORTS_MAX)
			report_failure(seed_now, &b.subject[i], b.failed[i]);
		free(b.failed[i]);
		b.failed[i] = NULL;
		if (b.front_failed[i] && reports++ < REPORTS_MAX)
			report_front(seed_now, &b.subject[i], b.front_failed[i]);
		free(b.front_failed[i]);
		b.front_failed[i] = NULL;
		ng_cbpf_free(&b.subject[i].program);
		ng_cbpf_free(&b.pcap[i]);
	}
}

void fuzz_batch(uint64_t seed, struct tally *sum)
{
	struct ways_filter filter[WAYS_FILTERS];

	seed_now = seed;
	random_seed(seed);
	make_subjects(sum);
	for (size_t i = 0; i < b.n; i++)
		filter[i] = (struct ways_filter){ &b.subject[i].program, b.subject[i].flags,
						  b.subject[i].in_place };
	ways_load(WAYS_XDP, filter, b.n, b.state[WAYS_XDP]);
	ways_load(WAYS_TC, filter, b.n, b.state[WAYS_TC]);
	count_states(sum);
	run_packets(sum);
	report_states();
	finish();
}

static void say_hang(int sig)
{
	static char text[64];
	int n = snprintf(text, sizeof(text), "# FAILED, seed %#" PRIx64 ": hangs\n", seed_now);

	(void)sig;
	if (write(STDOUT_FILENO, text, (size_t)n) == n)
		_exit(1);
	_exit(2);
}

void fuzz_batches(uint64_t first, uint64_t step, uint64_t cases, struct tally *sum)
{
	signal(SIGALRM, say_hang);
	for (uint64_t seed = first; fuzz_cases(sum) < cases; seed += step) {
		alarm(BATCH_SECONDS);
		fuzz_batch(seed, sum);
	}
	alarm(0);
}
