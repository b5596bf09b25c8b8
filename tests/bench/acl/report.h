/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of the bench of the ACL, and the figures it is to reach. */
#ifndef NG_TESTS_BENCH_ACL_REPORT_H
#define NG_TESTS_BENCH_ACL_REPORT_H

#include "tests/bench/acl/commands.h"
#include "tests/bench/acl/drops.h"
#include "tests/bench/acl/memory.h"
#include "tests/bench/acl/swap.h"

void report_drops(const struct drops *d);
void report_commands(const struct commands *c, const struct drops *large,
		     const struct drops *small);
void report_swap(const struct swap *s, const struct swap_question *q, bool known);
void report_memory_head(void);
void report_memory(const struct memory_question *q, const struct memory *m, int ret);

/* of: of which the rates are. */
void report_targets(const struct drops *of, const struct commands *c, const struct swap *s,
		    const struct swap_question *q, bool swap_known);

#endif
