// SPDX-License-Identifier: GPL-2.0-only
/* Constant sets: choosing a table, filling it, asking it. */
#include "ctl/filter/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BITMAP_MAX   0xffff
#define BITMAP_WORDS ((BITMAP_MAX + 1) / 64)
#define SEED	     0x9e3779b9
#define SIZE_LG_MAX  29 /* verifier: BPF_MAX_VAR_OFF */

/*
 * What is tried for buckets, in this order: slots of a bucket, buckets for a key at least, how many
 * multipliers. Four slots are one comparison chain in a quarter of a cache line; by the Poisson
 * distribution they suffice up to some thousand keys, eight with one bucket for a key up to
 * millions. What follows is for keys that lie unluckily.
 */
static const struct shape {
	unsigned int slots, spread, tries;
	size_t max;
} shapes[] = {
	{ 4, 2, 32, 16384 },
	{ 8, 1, 16, SIZE_MAX },
	{ 8, 2, 32, SIZE_MAX },
	{ 8, 4, 64, SIZE_MAX },
};

static __u32 bucket_of(const struct ng_table *t, __u32 key)
{
	return key * t->multiplier >> (32 - t->lg);
}

/* No key of bucket b: 0 is in bucket 0, and 1 << 31 is not, as the multiplier is odd. */
static __u32 filler(size_t b)
{
	return b ? 0 : 1u << 31;
}

/* count: a byte for each bucket. */
static bool fits(const struct ng_table *t, unsigned char *count)
{
	memset(count, 0, (size_t)1 << t->lg);
	for (size_t i = 0; i < t->set->n; i++)
		if (++count[bucket_of(t, t->set->key[i])] > t->slots)
			return false;
	return true;
}

static __u32 next_random(__u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int try_shape(struct ng_table *t, const struct shape *shape, __u32 *state)
{
	unsigned char *count;
	bool found = false;

	t->slots = shape->slots;
	t->lg = 1;
	while ((size_t)1 << t->lg < t->set->n * shape->spread)
		t->lg++;
	t->size = t->slots * sizeof(__u32) << t->lg;
	if (t->offset + t->size > (size_t)1 << SIZE_LG_MAX)
		return -E2BIG;
	count = malloc((size_t)1 << t->lg);
	if (!count)
		return -ENOMEM;
	for (unsigned int i = 0; i < shape->tries && !found; i++) {
		t->multiplier = next_random(state) | 1;
		found = fits(t, count);
	}
	free(count);
	return found ? 0 : -E2BIG;
}

static int plan_buckets(struct ng_table *t)
{
	__u32 state = SEED;
	int ret = -E2BIG;

	t->kind = NG_TABLE_BUCKETS;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && ret == -E2BIG; i++)
		if (t->set->n <= shapes[i].max)
			ret = try_shape(t, &shapes[i], &state);
	return ret;
}

int ng_table_plan(const struct ng_set *set, size_t offset, struct ng_table *out)
{
	struct ng_table t = { .kind = NG_TABLE_LINEAR, .set = set, .offset = offset };
	int ret = 0;

	if (set->n >= NG_TABLE_BREAK_EVEN && set->key[set->n - 1] <= BITMAP_MAX) {
		t.kind = NG_TABLE_BITMAP;
		t.size = BITMAP_WORDS * sizeof(__u64);
	} else if (set->n >= NG_TABLE_BREAK_EVEN) {
		ret = plan_buckets(&t);
	}
	if (!ret)
		*out = t;
	return ret;
}

static void fill_bitmap(const struct ng_table *t, __u64 *word)
{
	memset(word, 0, t->size);
	for (size_t i = 0; i < t->set->n; i++)
		word[t->set->key[i] / 64] |= 1ull << t->set->key[i] % 64;
}

static void fill_buckets(const struct ng_table *t, __u32 *slot)
{
	for (size_t i = 0; i < t->size / sizeof(*slot); i++)
		slot[i] = filler(i / t->slots);
	for (size_t i = 0; i < t->set->n; i++) {
		__u32 b = bucket_of(t, t->set->key[i]);
		__u32 *to = slot + (size_t)b * t->slots;

		while (*to != filler(b))
			to++;
		*to = t->set->key[i];
	}
}

void ng_table_fill(const struct ng_table *t, void *to)
{
	if (t->kind == NG_TABLE_BITMAP)
		fill_bitmap(t, to);
	else if (t->kind == NG_TABLE_BUCKETS)
		fill_buckets(t, to);
}

/* A table that was planned for the same keys. */
static const struct ng_table *find_same(const struct ng_table *t, size_t n,
					const struct ng_set *set)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].set->n == set->n &&
		    !memcmp(t[i].set->key, set->key, set->n * sizeof(*set->key)))
			return &t[i];
	return NULL;
}

int ng_table_plan_all(const struct ng_set *sets, size_t n, struct ng_table **tables, size_t *size)
{
	struct ng_table *t = calloc(n + 1, sizeof(*t));
	size_t sum = 0;
	int ret = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !ret; i++) {
		const struct ng_table *same = find_same(t, i, &sets[i]);

		if (same)
			t[i] = *same;
		else
			ret = ng_table_plan(&sets[i], sum, &t[i]);
		if (!ret && !same)
			sum += t[i].size;
	}
	if (ret) {
		free(t);
		return ret;
	}
	*tables = t;
	*size = sum;
	return 0;
}

int ng_table_fill_all(const struct ng_table *tables, size_t n, size_t size, void **data)
{
	char *bytes = size ? malloc(size) : NULL;

	if (size && !bytes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (tables[i].size)
			ng_table_fill(&tables[i], bytes + tables[i].offset);
	*data = bytes;
	return 0;
}

static void test_linear(struct ng_emit *e, const struct ng_table *t, unsigned int key, size_t in)
{
	for (size_t i = 0; i < t->set->n; i++)
		ng_emit_jump(e, NG_JUMP32_I(BPF_JEQ, key, t->set->key[i], 0), in);
}

/* to = where the table begins, plus the offset in reg. */
static void add_base(struct ng_emit *e, const struct ng_table *t, unsigned int to, unsigned int reg)
{
	ng_emit(e, NG_INSN(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_VALUE, 0, 0));
	ng_emit(e, NG_INSN(0, 0, 0, 0, t->offset));
	ng_emit(e, NG_ALU(BPF_ADD, to, reg));
}

static void test_bitmap(struct ng_emit *e, const struct ng_table *t, unsigned int key,
			unsigned int tmp1, unsigned int tmp2, size_t in)
{
	size_t above;

	ng_emit(e, NG_MOV32(tmp1, key));
	ng_emit(e, NG_ALU32_I(BPF_RSH, tmp1, 6));
	above = ng_emit_ahead(e, NG_JUMP_I(BPF_JGT, tmp1, BITMAP_WORDS - 1, 0));
	ng_emit(e, NG_ALU_I(BPF_LSH, tmp1, 3));
	add_base(e, t, tmp2, tmp1);
	ng_emit(e, NG_LOAD(BPF_DW, tmp2, tmp2, 0));
	ng_emit(e, NG_MOV32(tmp1, key));
	ng_emit(e, NG_ALU32_I(BPF_AND, tmp1, 63));
	ng_emit(e, NG_ALU(BPF_RSH, tmp2, tmp1));
	ng_emit_jump(e, NG_JUMP_I(BPF_JSET, tmp2, 1, 0), in);
	ng_emit_land(e, above);
}

/* A shift by a constant on half a register bounds the index for all verifiers. */
static void test_buckets(struct ng_emit *e, const struct ng_table *t, unsigned int key,
			 unsigned int tmp1, unsigned int tmp2, size_t in)
{
	ng_emit(e, NG_MOV32(tmp1, key));
	ng_emit(e, NG_ALU32_I(BPF_MUL, tmp1, t->multiplier));
	ng_emit(e, NG_ALU32_I(BPF_RSH, tmp1, 32 - t->lg));
	ng_emit(e, NG_ALU_I(BPF_LSH, tmp1, t->slots == 4 ? 4 : 5));
	add_base(e, t, tmp2, tmp1);
	for (unsigned int i = 0; i < t->slots; i++) {
		ng_emit(e, NG_LOAD(BPF_W, tmp1, tmp2, (int)(i * sizeof(__u32))));
		ng_emit_jump(e, NG_JUMP32(BPF_JEQ, tmp1, key, 0), in);
	}
}

void ng_table_test(struct ng_emit *e, const struct ng_table *t, unsigned int key, unsigned int tmp1,
		   unsigned int tmp2, size_t in)
{
	if (t->kind == NG_TABLE_LINEAR)
		test_linear(e, t, key, in);
	else if (t->kind == NG_TABLE_BITMAP)
		test_bitmap(e, t, key, tmp1, tmp2, in);
	else
		test_buckets(e, t, key, tmp1, tmp2, in);
}
