/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of a fast copy as a cache of values; see lower.h. */
#ifndef NG_CTL_FILTER_REGS_H
#define NG_CTL_FILTER_REGS_H

#include "ctl/filter/lower.h"

/* What holds at one point of the code. */
struct ng_regs {
	ng_val val[NG_POOL_MAX];  /* by place in the pool; 0: nothing known */
	__u32 guard[NG_POOL_MAX]; /* a PTR's: bytes behind it that are there */
	__u32 bytes;		  /* of the packet's start that are there */
	bool reached;
};

/* What both leave: for the start of a block that both lead to. */
void ng_regs_meet(struct ng_regs *at, const struct ng_regs *coming);
/* The place in the pool that holds v, or -1. */
int ng_regs_find(const struct ng_regs *r, size_t pool_size, ng_val v);

/*
 * Which values are wanted: in a block (how often there), and in what comes behind it.
 */
struct ng_wants {
	const struct ng_ir *ir;
	__u64 *later; /* bit sets by block */
	size_t words;
	__u16 *uses;  /* by value, in the block at hand */
	__u16 *users; /* by value: operations, tests and answers it goes into, at all */
};

int ng_wants_init(struct ng_wants *w, const struct ng_ir *ir); /* 0 or -ENOMEM */
void ng_wants_free(struct ng_wants *w);
void ng_wants_block(struct ng_wants *w, size_t block); /* makes it the block at hand */
bool ng_wants_later(const struct ng_wants *w, size_t block, ng_val v);

#endif
