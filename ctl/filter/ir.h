/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The intermediate representation of a filter that the optimizer works on.
 *
 * A packet does not change while a filter looks at it, so an expression over it has one value
 * wherever it is computed. Expressions are therefore kept apart from control flow: `value` is a
 * table in which equal expressions share an entry (value numbering), and blocks only test values.
 * A, X and the memory cells of classic BPF are gone; where two ways bring different values for one
 * of them, a PHI stands for it, the only kind of value that depends on the way.
 *
 * What is left to do in a block are its checks, the values whose computation may reject the packet
 * (a load beyond its end, a division by zero), and the test or return that ends it. A rejected
 * packet is answered 0 wherever that happens, so checks may be made in any order, and earlier than
 * where they stand on every way that could still accept.
 *
 * The graph has no cycles: filters with loops are left to the plain translation (translate.c).
 * Successors of a block stand behind it.
 */
#ifndef NG_CTL_FILTER_IR_H
#define NG_CTL_FILTER_IR_H

#include <stdio.h>
#include "ctl/filter/cfg.h"

typedef __u32 ng_val; /* index in ng_ir.value; 0: none */

#define NG_HEIGHT_MAX 100 /* passes follow expressions by recursion */

enum ng_vop {
	NG_V_NONE,
	NG_V_CONST, /* k */
	NG_V_LEN,   /* length on the wire */
	NG_V_META,  /* the kernel's metadata of number k: SKF_AD_* */
	NG_V_LOAD,  /* `size` bytes k behind address a (0: the packet's start), as a number */
	NG_V_RAW,   /* the same, not brought into host order */
	NG_V_PTR,   /* address of the packet's byte number a */
	NG_V_ALU,   /* a alu b, on 32 bits; division by zero does not happen behind its check */
	NG_V_NEG,   /* -a */
	NG_V_PHI,   /* number k */
};

struct ng_value {
	__u8 op;  /* enum ng_vop */
	__u8 alu; /* BPF_ADD .. */
	__u8 size;
	__u8 height; /* of the expression: 1 without operands */
	ng_val a, b;
	__u32 k;
	__u32 max; /* no larger number is possible */
};

enum ng_test {
	NG_T_RETURN,
	NG_T_ALWAYS,
	NG_T_EQ,
	NG_T_GT,
	NG_T_GE,
	NG_T_SET,
	NG_T_IN,  /* a number in a set of them */
	NG_T_IN6, /* words of the packet, checked, in a set of strings; left: load of the first */
	NG_T_MAX
};

struct ng_phi {
	ng_val value; /* of NG_V_PHI */
	struct ng_phi_arg {
		size_t from; /* block */
		ng_val value;
	} * arg;
	size_t n_args;
};

struct ng_ir_block {
	ng_val *check;
	size_t n_checks;
	struct ng_phi *phi;
	size_t n_phis;
	enum ng_test test;
	ng_val left;	/* tested or returned */
	ng_val right;	/* NG_T_EQ .. NG_T_SET */
	size_t set;	/* NG_T_IN, NG_T_IN6: which of ng_ir.sets */
	size_t succ[2]; /* NG_T_ALWAYS: both the same */
	bool reached;	/* from the first block */
};

struct ng_ir {
	struct ng_value *value;
	size_t n_values, values_room;
	ng_val *bucket; /* open hash of value[] */
	size_t n_buckets;
	struct ng_ir_block *block;
	size_t n_blocks;
	struct ng_set *set; /* keys are owned where own_from <= index */
	size_t n_sets, own_from;
	size_t n_phis;
	bool failed; /* out of memory; sticks */
	bool deep;   /* some expression is higher than NG_HEIGHT_MAX; sticks */
};

/*
 * The value of an expression, simplified; equal expressions get equal numbers. Out of memory: 0 and
 * ir->failed; value[0] is there all the same, but for the first value of all.
 */
ng_val ng_ir_const(struct ng_ir *ir, __u32 k);
ng_val ng_ir_alu(struct ng_ir *ir, unsigned int op, ng_val a, ng_val b);
ng_val ng_ir_value(struct ng_ir *ir, struct ng_value v);
/* The largest `a op b` of numbers up to a and b; b_const: b is one number. */
__u32 ng_ir_alu_max(unsigned int op, __u32 a, __u32 b, bool b_const);
/* A new value; the caller gives it its arguments. max: of all of them. */
ng_val ng_ir_phi(struct ng_ir *ir, __u32 max);
bool ng_ir_is_const(const struct ng_ir *ir, ng_val v, __u32 *k);
/* Can computing v itself, not what it is made of, reject the packet? */
bool ng_ir_may_reject(const struct ng_ir *ir, ng_val v);
/* 1 or 0 when numbers alone settle the test, -1 when it takes the packet. */
int ng_ir_settled(const struct ng_ir *ir, enum ng_test test, ng_val left, ng_val right);

/*
 * -ENOMEM, or -EOPNOTSUPP: the program has loops, or expressions too deep. *cfg and its sets must
 * outlive *ir.
 */
int ng_ir_build(const struct ng_cfg *cfg, struct ng_ir *ir);
void ng_ir_free(struct ng_ir *ir);

/*
 * Passes. Each takes a whole graph to a whole graph with the same answers and sets ir->failed when
 * out of memory.
 *
 *	thread	leads edges past tests whose outcome is known on the way; drops checks made before
 *	prune	drops what cannot be reached, and what cannot accept any more; one block per answer
 *	sets	chains of comparisons with constants become sets
 *	usual	where an IPv4 header's length is asked for, headers without options get a way of their own
 *	likely	IPv4's type is compared first, and what holds stands behind its test
 *	merge	tests of bytes that lie together become one
 *	order	compares in network order where no number is needed, with constants turned around
 */
void ng_ir_thread(struct ng_ir *ir);
void ng_ir_prune(struct ng_ir *ir);
void ng_ir_sets(struct ng_ir *ir);
void ng_ir_usual(struct ng_ir *ir);
void ng_ir_likely(struct ng_ir *ir);
void ng_ir_merge(struct ng_ir *ir);
void ng_ir_order(struct ng_ir *ir);
void ng_ir_optimize(struct ng_ir *ir); /* all of them */

/* 0, or -EIO. */
int ng_ir_print(FILE *to, const struct ng_ir *ir);
int ng_ir_print_dot(FILE *to, const struct ng_ir *ir);

#endif
