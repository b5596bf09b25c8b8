/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of numbers as constant data and the instructions that ask them.
 *
 *	LINEAR	 few keys: a chain of comparisons, no data
 *	BUCKETS	 bucket (key * multiplier) >> (32 - lg), each of `slots` keys of 32 bits. The
 *		 multiplier is found by trial, so that no bucket overflows. An empty slot holds a
 *		 number that belongs to another bucket and so is never looked for here.
 *	BITMAP	 a bit for each number up to 0xffff, in words of 64: many ports
 *	STRINGS	 sets of strings: bucket (p0 * f0 + p1 * f1 ..) >> (64 - lg), of 64 bits, each of
 *		 `slots` strings. The pieces p are what the packet is read in, 8 or 4 bytes each; the
 *		 factors f are found by trial. An empty slot holds the first key: what is equal to
 *		 it is in the set.
 *
 * Numbers lie in host byte order, strings as they lie in the packet.
 */
#ifndef NG_CTL_FILTER_TABLE_H
#define NG_CTL_FILTER_TABLE_H

#include "ctl/filter/emit.h"

/*
 * Keys; below, comparisons are as fast. Measured with addresses of strangers, which predictors
 * learn (make bench BENCH=filter, -s N): 2.5 against 2.7 ns at 8, 3.4 against 3.1 at 12; members in
 * random order are faster by a table from 6 on (11 against 1 ns).
 */
#define NG_TABLE_BREAK_EVEN 8
#define NG_TABLE_ALIGN	    64 /* of offsets and sizes */

enum ng_table_kind { NG_TABLE_LINEAR, NG_TABLE_BUCKETS, NG_TABLE_BITMAP, NG_TABLE_STRINGS };

#define NG_PIECES_MAX 3

struct ng_table {
	enum ng_table_kind kind;
	const struct ng_set *set;
	size_t offset;		     /* in the filter's data, a multiple of NG_TABLE_ALIGN */
	size_t size;		     /* bytes, a multiple of NG_TABLE_ALIGN; 0: LINEAR */
	__u32 multiplier;	     /* BUCKETS */
	__u64 factor[NG_PIECES_MAX]; /* STRINGS */
	unsigned int lg;	     /* 1 << lg buckets */
	unsigned int slots;
};

/*
 * Chooses the kind and the place: *out refers to *set from then on. offset: where in the filter's
 * data the table will lie. 0; -ENOMEM; -E2BIG: the kernel takes no table of this size, or no
 * multiplier was found.
 */
int ng_table_plan(const struct ng_set *set, size_t offset, struct ng_table *out);
/* Writes t->size bytes. */
void ng_table_fill(const struct ng_table *t, void *to);
/*
 * The same for all sets of a filter, one table behind the other; *tables is malloc'ed, *size that
 * of all their data, which ng_table_fill_all() allocates and writes (NULL: none). 0 or as above.
 */
int ng_table_plan_all(const struct ng_set *sets, size_t n, struct ng_table **tables, size_t *size);
int ng_table_fill_all(const struct ng_table *tables, size_t n, size_t size, void **data);
/*
 * Jumps to label `in` when the 32-bit number in register key is in the set (its upper half counts
 * for nothing), else goes on behind. Changes tmp1 and tmp2; the three are different, any of r0..r9.
 */
void ng_table_test(struct ng_emit *e, const struct ng_table *t, unsigned int key, unsigned int tmp1,
		   unsigned int tmp2, size_t in);

/* Where the bytes of a string lie: behind the address in a register. */
struct ng_string_at {
	unsigned int reg;
	int off;
};
/*
 * The same for a set of strings. All its bytes may be read there. Changes the three registers tmp;
 * at.reg is none of them.
 */
void ng_table_test_string(struct ng_emit *e, const struct ng_table *t, struct ng_string_at at,
			  const unsigned int tmp[3], size_t in);

#endif
