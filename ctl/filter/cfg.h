/* SPDX-License-Identifier: GPL-2.0-only */
/* Classic BPF programs: what instructions do, whether a program is sound, its basic blocks. */
#ifndef NG_CTL_FILTER_CFG_H
#define NG_CTL_FILTER_CFG_H

#include "ctl/filter/filter.h"

enum ng_op {
	NG_OP_UNKNOWN,
	NG_OP_ABS,   /* A <- packet[k] */
	NG_OP_IND,   /* A <- packet[X + k] */
	NG_OP_MSH,   /* X <- 4 * (packet[k] & 15) */
	NG_OP_LEN,   /* A or X <- length on the wire */
	NG_OP_IMM,   /* A or X <- k */
	NG_OP_MEM,   /* A or X <- M[k] */
	NG_OP_STORE, /* M[k] <- A or X */
	NG_OP_ALU,   /* A <- A op k or X */
	NG_OP_NEG,
	NG_OP_TAX,
	NG_OP_TXA,
	NG_OP_JA,
	NG_OP_JUMP, /* compares A with k or X */
	NG_OP_IN,   /* is A in sets[k]? */
	NG_OP_IN6,  /* are words of the packet in a set? */
	NG_OP_META, /* A <- metadata, see meta.h */
	NG_OP_RET,
};

enum ng_op ng_op_of(const struct sock_filter *f);
/* Bytes of the packet that NG_OP_ABS, NG_OP_IND and NG_OP_MSH read; 0 for all others. */
unsigned int ng_op_size(const struct sock_filter *f);
/* f: NG_OP_IN or NG_OP_IN6. The set it names, if there is one of its kind; else NULL. */
const struct ng_set *ng_op_set(const struct sock_filter *f, const struct ng_set *sets, size_t n);

/* Only blocks that end in JA lead back, to blocks before them or themselves. */
struct ng_block {
	size_t start, end; /* [start, end): with the jump or return that ends it, if one does */
	size_t succ[2];	   /* where true and false lead, the same twice without a choice */
	bool is_final;	   /* ends in a return: no successors */
};

/*
 * Jumps back after which a filter answers 0. A loop of libpcap's (`protochain`) has at most two
 * states for each byte that X can be at: beyond, it would never end.
 */
#define NG_LOOP_ROUNDS(wirelen) (2ull * (wirelen) + 2)
#define NG_LOOP_ROUNDS_FIXED	16 /* on kernels whose verifier has to follow each of them */

struct ng_cfg {
	const struct sock_filter *insns;
	struct ng_block *blocks;
	size_t n_blocks;
	bool uses_bytes; /* of the packet */
	bool uses_len;
	bool uses_meta;
	bool has_loops;
	const struct ng_set *sets;
	size_t n_sets;
	unsigned int mem_read; /* bit mask of the M[] cells that are read anywhere */
};

/* in->n > 0. -EINVAL: not a program; -EOPNOTSUPP: uses what the translator cannot do. */
int ng_cfg_build(const struct ng_cbpf *in, struct ng_cfg *out, struct ng_error *err);
void ng_cfg_free(struct ng_cfg *cfg);

#endif
