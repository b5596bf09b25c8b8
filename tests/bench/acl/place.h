/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the bench of the ACL takes place: processes with a network and a mount namespace of their
 * own, in which pairs of veth devices, pins and files are; all of it goes with the process.
 */
#ifndef NG_TESTS_BENCH_ACL_PLACE_H
#define NG_TESTS_BENCH_ACL_PLACE_H

#include <stdarg.h>
#include "ctl/dataplane/acl.h"
#include "tests/bench/acl/sets.h"

#define PLACE_FILES "/mnt" /* a directory of the process's own */

struct place {
	struct ng_pins pins; /* the lock is held */
};

/*
 * Runs fn in a child, in namespaces of its own, as the only one wanting to run on its CPU; *result is
 * what fn left there. -ETIMEDOUT when that took longer than `limit` seconds.
 */
int place_run(int (*fn)(struct place *place, const void *arg, void *result), const void *arg,
	      void *result, size_t size, unsigned int limit);

/* A veth pair: frames sent out of `from` come in at `to`. */
struct pair {
	char name[16];	       /* of the end `to` */
	unsigned int from, to; /* interface indices */
};
/* without_xdp: frames have to arrive although no XDP program is there. 0 or -errno. */
int pair_make(const char *name, bool without_xdp, struct pair *pair);
/* Packets that came in at `to`. */
uint64_t pair_received(const struct pair *pair);

/* A gate at XDP, native, with these clauses; stripes 0: without counters for each, else as usual. */
int gate_make(struct place *place, const struct pair *pair, enum ng_acl_engine engine, bool counted,
	      const struct net *net, size_t n, struct ng_gate **out);

/*
 * Runs a command and waits: 0 if its status is 0, else -errno or -EREMOTEIO; -ETIMEDOUT after `limit`
 * seconds. *seconds (NULL ok) from fork to end. Its output goes to `output`, cut (NULL: nowhere).
 */
int command_run(const char *const argv[], unsigned int limit, double *seconds, char *output,
		size_t size);
/* The nicgate beside this program. */
const char *command_nicgate(void);

double seconds_now(void);
/* Sorts the values. 0 of none. */
double median(double *value, size_t n);
double percentile(double *value, size_t n, double percent);

#endif
