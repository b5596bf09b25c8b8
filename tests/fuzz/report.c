// SPDX-License-Identifier: GPL-2.0-only
/* Makes a failing filter and packet small, and prints them as a row of a test. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/program.h"

#define ETHER_LEN    14
#define ATTEMPTS_MAX 3000 /* loads of a smaller filter */
#define ZEROED_MAX   512  /* bytes that are tried as 0 */

struct reduction {
	enum { WRONG, REFUSED, FRONT } kind;
	uint64_t seed;
	struct subject subject;
	enum ways_hook hook;	/* not of FRONT */
	struct failure failure; /* not of REFUSED */
	struct ng_cbpf own;	/* the second opinion, of FRONT */
	int attempts;
};

/* The loaded subject still answers this packet wrongly. */
static bool answers_wrongly(const struct subject *s, struct failure *f)
{
	uint32_t answer[WAYS_FILTERS];

	if (f->run.linear >= f->packet.len)
		f->run.linear = f->packet.len - 1;
	if (!ways_fit(&f->packet, &f->run) || ways_run(&f->packet, &f->run, answer))
		return false;
	f->want = ng_filter_interpret(&s->program, f->packet.data, f->packet.len, f->packet.len);
	f->got = answer[0];
	return f->want != f->got;
}

static bool is_understood_wrongly(const struct reduction *r, const struct subject *s,
				  struct failure *f)
{
	const struct packet *p = &f->packet;

	if (!r->own.n)
		return false;
	f->want = answer_of_libpcap(&r->own, p);
	f->got = ng_filter_interpret(&s->program, p->data, p->len, p->len);
	return f->want != f->got && !is_excused(s, &r->own, p);
}

/* Loads it to see. */
static bool still_fails(struct reduction *r, const struct subject *s, struct failure *f)
{
	const struct ways_filter filter = { &s->program, s->flags, s->in_place };
	static struct ways_state state[WAYS_FILTERS];

	if (r->kind == FRONT) {
		ng_cbpf_free(&r->own);
		second_opinion(s, &r->own);
		return is_understood_wrongly(r, s, f);
	}
	if (r->kind == WRONG && !s->is_expr && !is_runnable(&s->program))
		return false;
	ways_load(r->hook, &filter, 1, state);
	if (r->kind == REFUSED)
		return state[0].status == WAYS_UNVERIFIED;
	return state[0].status == WAYS_LOADED && answers_wrongly(s, f);
}

static bool try_packet(struct reduction *r, const struct failure *f)
{
	static struct failure smaller;

	smaller = *f;
	if (r->kind == FRONT ? !is_understood_wrongly(r, &r->subject, &smaller)
			     : !answers_wrongly(&r->subject, &smaller))
		return false;
	r->failure = smaller;
	return true;
}

/* The subject is loaded. */
static void reduce_packet(struct reduction *r)
{
	static struct failure f;

	for (uint32_t step = r->failure.packet.len; step; step /= 2) {
		do {
			f = r->failure;
			if (f.packet.len < step + ETHER_LEN)
				break;
			f.packet.len -= step;
		} while (try_packet(r, &f));
	}
	for (uint32_t i = 0; i < r->failure.packet.len && i < ZEROED_MAX; i++) {
		if (!r->failure.packet.data[i])
			continue;
		f = r->failure;
		f.packet.data[i] = 0;
		try_packet(r, &f);
	}
}

static bool next_program(const struct reduction *r, size_t number, struct subject *s)
{
	*s = r->subject;
	return shrink_program(&r->subject.program, number, &s->program);
}

static bool next_expr(const struct reduction *r, size_t number, struct subject *s)
{
	*s = r->subject;
	s->program = (struct ng_cbpf){ 0 };
	if (!shrink_expr(&r->subject.expr, number, &s->expr))
		return false;
	print_expr(&s->expr, s->text);
	compile_subject(s);
	return true;
}

static size_t number_of_keys(const struct ng_cbpf *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_sets; i++)
		n += p->sets[i].n;
	return n;
}

static bool is_smaller(const struct subject *s, const struct subject *than)
{
	if (s->is_expr)
		return s->program.n && strlen(s->text) < strlen(than->text);
	return s->program.n < than->program.n ||
	       number_of_keys(&s->program) < number_of_keys(&than->program) ||
	       memcmp(s->program.insns, than->program.insns,
		      s->program.n * sizeof(*s->program.insns)) != 0;
}

/* One step; false: the candidate is no better. */
static bool try_subject(struct reduction *r, struct subject *s)
{
	static struct failure f;

	f = r->failure;
	if (!is_smaller(s, &r->subject) || r->attempts++ > ATTEMPTS_MAX || !still_fails(r, s, &f)) {
		ng_cbpf_free(&s->program);
		return false;
	}
	ng_cbpf_free(&r->subject.program);
	r->subject = *s;
	r->failure = f;
	return true;
}

/* Through all candidates, again and again until none is better. */
static void reduce_subject(struct reduction *r)
{
	static struct subject s;
	bool better;

	do {
		size_t number = 0;

		better = false;
		while (r->subject.is_expr ? next_expr(r, number, &s) : next_program(r, number, &s))
			if (try_subject(r, &s))
				better = true;
			else
				number++;
	} while (better);
}

static void print_sets(const struct ng_cbpf *p)
{
	printf("#     .sets = (const struct ng_set[]){");
	for (size_t i = 0; i < p->n_sets; i++) {
		printf("%s{ (uint32_t[]){", i ? ", " : " ");
		for (size_t j = 0; j < p->sets[i].n; j++)
			printf("%s%u", j ? ", " : " ", p->sets[i].key[j]);
		printf(" }, %zu }", p->sets[i].n);
	}
	printf(" }, .n_sets = %zu,\n", p->n_sets);
}

static void print_program(const struct ng_cbpf *p)
{
	printf("#     .insns = (const struct sock_filter[]){");
	for (size_t i = 0; i < p->n; i++)
		printf("%s{ %#x, %u, %u, %#x }", i ? ", " : " ", p->insns[i].code, p->insns[i].jt,
		       p->insns[i].jf, p->insns[i].k);
	printf(" }, .n = %zu,\n", p->n);
	if (p->n_sets)
		print_sets(p);
}

static void print_filter(const struct subject *s)
{
	if (s->is_expr)
		printf("#     .expr = \"%s\", .compile_flags = %u,\n", s->text, s->compile_flags);
	else
		print_program(&s->program);
	printf("#     .flags = %u,\n", s->flags);
}

static void print_failure(const struct failure *f)
{
	printf("#     .packet = \"");
	for (uint32_t i = 0; i < f->packet.len; i++)
		printf("%02x", f->packet.data[i]);
	printf("\",\n#     .want = %u,\n", f->want);
}

static void print_what(const struct reduction *r)
{
	const struct run *run = &r->failure.run;

	printf("#     .what = \"seed %#" PRIx64 ": ", r->seed);
	if (r->kind == FRONT)
		printf("libpcap answers otherwise");
	else if (r->kind == REFUSED)
		printf("refused by the verifier at %s", r->hook == WAYS_TC ? "tc" : "XDP");
	else if (run->way == WAY_XDP_FRAGS || run->way == WAY_TC_PAGED ||
		 run->way == WAY_TC_PAGED_TAG)
		printf("%s, %u bytes linear", way_names[run->way], run->linear);
	else
		printf("%s", way_names[run->way]);
	printf("%s\",\n", r->subject.in_place && r->kind != FRONT ? ", in place" : "");
}

static void print_row(const struct reduction *r)
{
	printf("#   {\n");
	print_what(r);
	print_filter(&r->subject);
	if (r->kind != REFUSED)
		print_failure(&r->failure);
	printf("#   },\n");
}

static void reduce(struct reduction *r)
{
	struct subject subject = r->subject;

	copy_program(&subject.program, &r->subject.program);
	if (!still_fails(r, &r->subject, &r->failure)) {
		printf("# FAILED, but not alone\n");
		return;
	}
	printf("# FAILED\n");
	if (r->kind != REFUSED)
		reduce_packet(r);
	reduce_subject(r);
	if (still_fails(r, &r->subject, &r->failure) && r->kind != REFUSED)
		reduce_packet(r);
}

void report_failure(uint64_t seed, const struct subject *s, const struct failure *f)
{
	static struct reduction r;

	r = (struct reduction){
		.seed = seed, .subject = *s, .failure = *f, .hook = way_hook(f->run.way)
	};
	reduce(&r);
	print_row(&r);
	printf("#   got %u\n", r.failure.got);
	fflush(stdout);
	ng_cbpf_free(&r.subject.program);
}

void report_refusal(uint64_t seed, const struct subject *s, enum ways_hook hook)
{
	static struct ways_state state[WAYS_FILTERS];
	static struct reduction r;
	struct ways_filter filter = { &r.subject.program, s->flags, s->in_place };

	r = (struct reduction){ .seed = seed, .subject = *s, .kind = REFUSED, .hook = hook };
	reduce(&r);
	print_row(&r);
	ways_load(hook, &filter, 1, state);
	printf("#   the verifier: ..%s\n", state[0].text);
	fflush(stdout);
	ng_cbpf_free(&r.subject.program);
}

void report_front(uint64_t seed, const struct subject *s, const struct packet *p)
{
	static struct reduction r;

	r = (struct reduction){
		.kind = FRONT, .seed = seed, .subject = *s, .failure = { .packet = *p }
	};
	reduce(&r);
	print_row(&r);
	printf("#   got %u\n", r.failure.got);
	fflush(stdout);
	ng_cbpf_free(&r.subject.program);
	ng_cbpf_free(&r.own);
}
