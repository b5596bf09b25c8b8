/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel memory of ACL tables. */
#ifndef NG_TESTS_BENCH_ACL_MEMORY_H
#define NG_TESTS_BENCH_ACL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include "maps/acl_abi.h"

struct memory_question {
	enum ng_acl_engine engine;
	bool counted;
	size_t n; /* prefixes */
};

struct memory {
	double said;	  /* by ng_acl_size_bytes() */
	double charged;	  /* by the kernel, to each map */
	double available; /* that the machine has less; what others do is in it */
};

/* Bytes. 0 or -errno. */
int memory_measure(const struct memory_question *question, struct memory *out);

#endif
