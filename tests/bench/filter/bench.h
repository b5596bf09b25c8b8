/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench of the filter compiler: what its parts share.
 *
 * A filter takes one or two nanoseconds, so a contestant's code is laid out many times in one
 * program, and the same frame with an empty filter is taken off ("net"). Contestants are measured
 * in turn within each round, and a figure is the median over the rounds, so that a machine that is
 * busy for a while is busy for all of them.
 *
 *	frame.c		programs: a frame that deals out packets, with copies of a filter in it
 *	laps.c		what is measured, round by round
 *	contest.c	a filter's race: ours, the plain translation, the kernel's, libpcap's
 *	packets.c	the traffic
 *	kernel.c	what the kernel makes of classic BPF: its code at tc, its real socket filter
 *	sets.c		filters of many addresses
 *	machine.c	calls, taps that are not there, changes of a filter
 *	report.c	tables and targets
 */
#ifndef NG_TESTS_BENCH_FILTER_BENCH_H
#define NG_TESTS_BENCH_FILTER_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include "ctl/filter/filter.h"
#include "ctl/filter/site.h"

#define PACKET_LEN  102 /* of every packet: 14 and 11 words of 8, see frame.c */
#define WIRE_MAX    (PACKET_LEN + 4)
#define PACKETS	    64 /* in the mix */
#define SAME_PACKET 64 /* times that a filter runs on a packet in turn before the next */
#define ROUNDS_MAX  99

/* Traffic: a packet, and rows that replace a part of it in turn. */
struct deal {
	const char *name;
	uint8_t packet[PACKET_LEN];
	const void *rows;
	size_t bytes, stride, count; /* of a row; from one to the next; how many, a power of two */
	unsigned int at;	     /* where in the packet a row goes */
	bool each_copy; /* another row for each copy of the filter, from a random one on; else the
			   next when SAME_PACKET copies had this one */
	bool tagged;	/* tc: a VLAN tag in metadata */
	int map_fd;
	void *area; /* the map's memory: a counter, then the rows */
};

/* Puts the rows where programs find them. 0 or -errno. */
int deal_open(struct deal *deal);
void deal_close(struct deal *deal);
/* The packet with row i in it. */
void deal_packet(const struct deal *deal, size_t i, uint8_t *packet);
/* The same as it was on the wire: its length, at most WIRE_MAX. */
unsigned int deal_wire(const struct deal *deal, size_t i, uint8_t *wire);
/* What the next run counts as: a row lasts for SAME_PACKET copies, in as many runs as they take. */
void deal_rewind(const struct deal *deal, uint64_t run);

enum traffic {
	IN_TURN,  /* the mix, a packet for all copies of a run, then the next */
	MATCHING, /* those of the mix that the filter is after, likewise */
	SHUFFLED, /* the mix, a packet for each copy */
	TAGGED,	  /* the mix in turn at tc, each packet with a VLAN tag in metadata */
	TRAFFICS
};
/* matching: the filter of MATCHING. -ENOENT: no packet matches. Not open yet. */
int packets_mix(enum traffic traffic, const struct ng_cbpf *matching, struct deal *deal);
/* A TCP segment that is none of anybody's. */
void packets_plain(uint8_t *packet);

/*
 * A filter to be laid out many times. Without `body`: a subprogram's body, whose exits become jumps
 * to its end. With: ng_filter_inline()'s code, and the body that it calls, which is there once.
 */
struct copy {
	struct ng_ebpf code, body;
};
void copy_free(struct copy *copy);
/* Where code that has a body finds the context and the length. */
extern const struct ng_site frame_site;

/*
 * A program at ctx: the frame with `copies` copies. *table_fd (NULL: not wanted): the map of its
 * table, the caller's to close; -1: it has none. Descriptor, or -errno with *err.
 */
int frame_load(const struct deal *deal, enum ng_filter_ctx ctx, const struct copy *copy,
	       unsigned int copies, int *table_fd, struct ng_error *err);
/* A program as it is. */
int frame_load_raw(enum ng_filter_ctx ctx, const struct bpf_insn *insns, size_t n,
		   struct ng_error *err);
/* ns per run on average; 0 or -errno. *answer (NULL: not wanted): of the last. */
int frame_run(int prog_fd, const struct deal *deal, unsigned int runs, double *ns,
	      uint32_t *answer);
/*
 * Does one copy answer as libpcap's interpreter does, for each row (at most 1024 are tried)? Else
 * -EDOM, or why it did not run, with *err.
 */
int frame_check(const struct deal *deal, enum ng_filter_ctx ctx, const struct copy *copy,
		const struct ng_cbpf *classic, struct ng_error *err);
/* How many copies go into one program: at most SAME_PACKET, a power of two. */
unsigned int frame_copies(const struct deal *deal, const struct copy *copy);

/* One that is measured. */
struct lap {
	int (*measure)(const struct lap *lap, double *ns); /* of one run */
	const struct deal *deal;
	enum ng_filter_ctx ctx;	       /* of a program */
	const struct ng_cbpf *classic; /* of the interpreter */
	const struct lap *empty;       /* what is taken off; NULL: nothing */
	bool is_empty, failed;
	int fd, fd2;
	unsigned int copies, runs;
	double sample[ROUNDS_MAX];
};

#define LAPS_MAX 48
struct race {
	struct lap lap[LAPS_MAX];
	size_t n;
	unsigned int rounds;
};

/*
 * These add a lap and what it is compared with, if that is not there yet. NULL with *err. Laps,
 * programs and sockets go with race_close().
 */
struct lap *race_program(struct race *race, const struct deal *deal, enum ng_filter_ctx ctx,
			 const struct copy *copy, int *table_fd, struct ng_error *err);
struct lap *race_socket(struct race *race, const struct deal *deal, const struct ng_cbpf *classic,
			struct ng_error *err);
struct lap *race_libpcap(struct race *race, const struct deal *deal, const struct ng_cbpf *classic);
struct lap *race_add(struct race *race, struct lap lap);
void race_run(struct race *race);
void race_close(struct race *race);
/* ns of one copy without the frame in a round. */
double lap_net(const struct lap *lap, unsigned int round);
/* Sorts the values. */
double median(double *values, size_t n);

/*
 * The code that the kernel makes of a classic program for its socket filters, as an eBPF program at
 * tc can hold it. -E2BIG: the kernel takes no such program.
 */
int kernel_translate(const struct ng_cbpf *in, struct ng_ebpf *out, struct ng_error *err);

/* A filter in a race: as we compile it, and the classic program all others have. */
struct bench_filter {
	const char *name;
	struct ng_cbpf ours, classic;
};
struct row;
/* All who take part, on up to TRAFFICS kinds of traffic (NULL: not on that). Fills row->of. */
void contest(const struct bench_filter *filter, const struct deal *const *deals,
	     unsigned int rounds, struct row *row);

/*
 * The filter of n hosts, on packets with few source addresses, of members only, and of strangers
 * only. Prints its figures, and how long a lookup takes when the table is out of the cache.
 */
int bench_set(size_t n, unsigned int rounds, bool tsv, struct row *row, struct ng_error *err);
/* Sets become chains of comparisons, which all but ours can do. 0 or -ENOMEM. */
int set_expand(const struct ng_cbpf *in, struct ng_cbpf *out);
/* The expression "host a or host b ..". malloc'ed. */
char *set_expression(const uint32_t *address, size_t n);
/* n different addresses, ascending. malloc'ed. */
uint32_t *set_addresses(size_t n);

uint32_t bench_random(uint32_t *state);
uint64_t now_ns(void);

#endif
