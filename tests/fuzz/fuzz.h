/* SPDX-License-Identifier: GPL-2.0-only */
/* Differential fuzzing of filters: batches of random filters over random packets in all ways. */
#ifndef NG_TESTS_FUZZ_FUZZ_H
#define NG_TESTS_FUZZ_FUZZ_H

#include "tests/fuzz/expr.h"
#include "tests/fuzz/ways.h"

/* One filter under test. */
struct subject {
	bool is_expr;
	struct expr expr;
	char text[EXPR_TEXT];	    /* of the expression */
	unsigned int compile_flags; /* for ng_filter_compile() */
	unsigned int flags;	    /* for ng_filter_translate() */
	bool in_place;
	struct ng_cbpf program;
};

struct tally {
	uint64_t cases[WAYS]; /* a filter, a packet, a way */
	uint64_t accepted[WAYS];
	uint64_t failed[WAYS];
	uint64_t untaken;      /* packets that the kernel did not take in some way */
	uint64_t filters;      /* translated, for both hooks */
	uint64_t refused;      /* by the translator, in words */
	uint64_t unexplained;  /* by the translator, without */
	uint64_t unverified;   /* by the verifier */
	uint64_t crowded;      /* not run, because the others filled the program */
	uint64_t compared;     /* answers of ng_filter_interpret() with libpcap's */
	uint64_t front_failed; /* .. that differ, and programs */
};

/*
 * What one seed leads to. Failures are made small and printed, as lines that begin with # and end
 * in a row for tests/bpf/filter_rows.h. Behind ways_open().
 */
void fuzz_batch(uint64_t seed, struct tally *sum);
/*
 * Batches `first`, first + step, .. until `cases` are done. A batch that takes a minute ends the
 * process, with its seed printed.
 */
void fuzz_batches(uint64_t first, uint64_t step, uint64_t cases, struct tally *sum);
uint64_t fuzz_cases(const struct tally *t);
uint64_t fuzz_failures(const struct tally *t);

/* A packet that a subject answers wrongly. */
struct failure {
	struct run run;
	struct packet packet;
	uint32_t want, got;
};
/*
 * The program whose answers by libpcap's interpreter have to be ours; n = 0: there is none.
 * Of an expression that means the same to nicgate and libpcap, it is the one of pcap_compile().
 */
void second_opinion(const struct subject *s, struct ng_cbpf *out);
uint32_t answer_of_libpcap(const struct ng_cbpf *own, const struct packet *p);

/* own: the second opinion. Whether the two may answer this packet differently. */
bool is_excused(const struct subject *s, const struct ng_cbpf *own, const struct packet *p);

/* Make subject and packet as small as they go and print them; what was loaded is lost. */
void report_failure(uint64_t seed, const struct subject *s, const struct failure *f);
void report_refusal(uint64_t seed, const struct subject *s, enum ways_hook hook); /* verifier */
/* ng_filter_interpret() answers a packet not as libpcap would. */
void report_front(uint64_t seed, const struct subject *s, const struct packet *p);
/* Compiles s->text; false: refused. */
bool compile_subject(struct subject *s);

#endif
