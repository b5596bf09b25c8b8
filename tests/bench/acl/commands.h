/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole commands at an ACL of a million entries, and single changes inside a process. */
#ifndef NG_TESTS_BENCH_ACL_COMMANDS_H
#define NG_TESTS_BENCH_ACL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct commands {
	bool file_known, add_known, put_known;
	char note[160];			    /* why not */
	double file_s;			    /* nicgate acl add DEV drop @FILE */
	double add_ms, version_ms, true_ms; /* nicgate acl add DEV drop ADDRESS; .. --version */
	double open_ms;			    /* nicgate acl get DEV ADDRESS: all but the change */
	double put_p50_us, put_p99_us;	    /* ng_acl_put() */
};

struct commands_question {
	size_t n;			/* prefixes */
	unsigned int files, adds, puts; /* how often */
};

/* 0 or -errno. */
int commands_measure(const struct commands_question *question, struct commands *out);

#endif
