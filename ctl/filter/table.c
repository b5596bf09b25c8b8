// SPDX-License-Identifier: GPL-2.0-only
/* Constant sets: choosing a table, filling it, asking it. */
#include "ctl/filter/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BITMAP_MAX   0xffff
#define BITMAP_MIN   256 /* keys: from there on buckets would take as much memory */
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

/* What a string is read in, in this order. */
struct piece {
	unsigned int off, size;
	bool masked;
};

/* As few as possible; one that is masked has 4 bytes, for its mask is an immediate operand. */
static unsigned int pieces_of(const struct ng_set *set, struct piece piece[NG_PIECES_MAX])
{
	unsigned int n = 0, word = 0;

	while (word < set->words) {
		unsigned int left = set->words - word;
		bool wide = left > 2 || (left == 2 && set->mask == ~0u);

		piece[n++] =
			(struct piece){ 4 * word, wide ? 8 : 4, left == 1 && set->mask != ~0u };
		word += wide ? 2 : 1;
	}
	return n;
}

/* Of a slot. */
static unsigned int slot_bytes(const struct ng_set *set)
{
	if (!set->words)
		return sizeof(__u32);
	return set->words == 2 ? 8 : 16;
}

/* Key i as it lies in the packet. */
static void string_of(const struct ng_set *set, size_t i, __u32 *to)
{
	for (unsigned int j = 0; j < set->words; j++)
		to[j] = htonl(set->key[i * set->words + j]);
}

static size_t string_bucket(const struct ng_table *t, size_t i)
{
	struct piece piece[NG_PIECES_MAX];
	unsigned int n = pieces_of(t->set, piece);
	__u32 string[NG_SET_WORDS_MAX];
	__u64 sum = 0;

	string_of(t->set, i, string);
	for (unsigned int j = 0; j < n; j++) {
		const __u32 *from = string + piece[j].off / 4;
		__u64 wide;

		if (piece[j].size == 8)
			memcpy(&wide, from, sizeof(wide));
		else
			wide = *from;
		sum += wide * t->factor[j];
	}
	return sum >> (64 - t->lg);
}

static __u32 bucket_of(const struct ng_table *t, __u32 key)
{
	return key * t->multiplier >> (32 - t->lg);
}

/* No key of bucket b: 0 is in bucket 0, and 1 << 31 is not, as the multiplier is odd. */
static __u32 filler(size_t b)
{
	return b ? 0 : 1u << 31;
}

static size_t key_bucket(const struct ng_table *t, size_t i)
{
	return t->set->words ? string_bucket(t, i) : bucket_of(t, t->set->key[i]);
}

/* count: a byte for each bucket. */
static bool fits(const struct ng_table *t, unsigned char *count)
{
	memset(count, 0, (size_t)1 << t->lg);
	for (size_t i = 0; i < t->set->n; i++)
		if (++count[key_bucket(t, i)] > t->slots)
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

static void choose_factors(struct ng_table *t, __u32 *state)
{
	if (!t->set->words)
		t->multiplier = next_random(state) | 1;
	for (unsigned int i = 0; t->set->words && i < NG_PIECES_MAX; i++) {
		t->factor[i] = (__u64)next_random(state) << 32;
		t->factor[i] |= next_random(state) | 1;
	}
}

static int try_shape(struct ng_table *t, const struct shape *shape, __u32 *state)
{
	unsigned char *count;
	bool found = false;

	t->slots = shape->slots;
	t->lg = 1;
	while ((size_t)1 << t->lg < t->set->n * shape->spread)
		t->lg++;
	t->size = (size_t)t->slots * slot_bytes(t->set) << t->lg;
	if (t->offset + t->size > (size_t)1 << SIZE_LG_MAX)
		return -E2BIG;
	count = malloc((size_t)1 << t->lg);
	if (!count)
		return -ENOMEM;
	for (unsigned int i = 0; i < shape->tries && !found; i++) {
		choose_factors(t, state);
		found = fits(t, count);
	}
	free(count);
	return found ? 0 : -E2BIG;
}

static int plan_buckets(struct ng_table *t)
{
	__u32 state = SEED;
	int ret = -E2BIG;

	t->kind = t->set->words ? NG_TABLE_STRINGS : NG_TABLE_BUCKETS;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && ret == -E2BIG; i++)
		if (t->set->n <= shapes[i].max)
			ret = try_shape(t, &shapes[i], &state);
	return ret;
}

int ng_table_plan(const struct ng_set *set, size_t offset, struct ng_table *out)
{
	struct ng_table t = { .kind = NG_TABLE_LINEAR, .set = set, .offset = offset };
	int ret = 0;

	if (set->words) {
		ret = plan_buckets(&t);
	} else if (set->n >= BITMAP_MIN && set->key[set->n - 1] <= BITMAP_MAX) {
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

static void fill_strings(const struct ng_table *t, char *slot)
{
	unsigned int bytes = slot_bytes(t->set);
	__u32 first[NG_SET_WORDS_MAX] = { 0 }, string[NG_SET_WORDS_MAX] = { 0 };

	string_of(t->set, 0, first);
	for (size_t i = 0; i < t->size / bytes; i++)
		memcpy(slot + i * bytes, first, bytes);
	for (size_t i = 1; i < t->set->n; i++) {
		char *to = slot + string_bucket(t, i) * t->slots * bytes;

		string_of(t->set, i, string);
		while (memcmp(to, first, bytes) != 0)
			to += bytes;
		memcpy(to, string, bytes);
	}
}

void ng_table_fill(const struct ng_table *t, void *to)
{
	if (t->kind == NG_TABLE_BITMAP)
		fill_bitmap(t, to);
	else if (t->kind == NG_TABLE_BUCKETS)
		fill_buckets(t, to);
	else if (t->kind == NG_TABLE_STRINGS)
		fill_strings(t, to);
}

static bool are_equal(const struct ng_set *x, const struct ng_set *y)
{
	size_t words = x->n * (x->words ? x->words : 1);

	return x->n == y->n && x->words == y->words && x->mask == y->mask &&
	       !memcmp(x->key, y->key, words * sizeof(*x->key));
}

/* A table that was planned for an equal set. */
static const struct ng_table *find_same(const struct ng_table *t, size_t n,
					const struct ng_set *set)
{
	for (size_t i = 0; i < n; i++)
		if (are_equal(t[i].set, set))
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

static void load_piece(struct ng_emit *e, const struct ng_table *t, const struct piece *piece,
		       struct ng_string_at at, unsigned int to)
{
	ng_emit(e,
		NG_LOAD(piece->size == 8 ? BPF_DW : BPF_W, to, at.reg, at.off + (int)piece->off));
	if (piece->masked)
		ng_emit(e, NG_ALU32_I(BPF_AND, to, htonl(t->set->mask)));
}

static void put_factor(struct ng_emit *e, unsigned int reg, __u64 factor)
{
	ng_emit(e, NG_INSN(BPF_LD | BPF_DW | BPF_IMM, reg, 0, 0, factor & 0xffffffff));
	ng_emit(e, NG_INSN(0, 0, 0, 0, factor >> 32));
}

/* tmp[2] = the address of the bucket. */
static void find_bucket(struct ng_emit *e, const struct ng_table *t, const struct piece *piece,
			unsigned int n, struct ng_string_at at, const unsigned int tmp[3])
{
	for (unsigned int i = 0; i < n; i++) {
		load_piece(e, t, &piece[i], at, tmp[i ? 1 : 0]);
		put_factor(e, tmp[2], t->factor[i]);
		ng_emit(e, NG_ALU(BPF_MUL, tmp[i ? 1 : 0], tmp[2]));
		if (i)
			ng_emit(e, NG_ALU(BPF_ADD, tmp[0], tmp[1]));
	}
	ng_emit(e, NG_ALU_I(BPF_RSH, tmp[0], 64 - t->lg));
	ng_emit(e, NG_ALU_I(BPF_LSH, tmp[0], __builtin_ctz(t->slots * slot_bytes(t->set))));
	add_base(e, t, tmp[2], tmp[0]);
}

/*
 * The last pieces are compared first: addresses of one net differ there. The packet's stays in
 * tmp[1] unless a slot has the same, whose other pieces are compared then.
 */
static void test_slot(struct ng_emit *e, const struct ng_table *t, const struct piece *piece,
		      unsigned int n, unsigned int slot, struct ng_string_at at,
		      const unsigned int tmp[3], size_t in)
{
	const struct ng_string_at there = { tmp[2], (int)(slot * slot_bytes(t->set)) };
	size_t ahead[NG_PIECES_MAX];

	for (unsigned int i = n; i-- > 0;) {
		const struct piece whole = { piece[i].off, piece[i].size, false };

		load_piece(e, t, &whole, there, tmp[0]);
		if (i < n - 1)
			load_piece(e, t, &piece[i], at, tmp[1]);
		if (i == 0)
			ng_emit_jump(e, NG_JUMP(BPF_JEQ, tmp[0], tmp[1], 0), in);
		else
			ahead[i] = ng_emit_ahead(e, NG_JUMP(BPF_JNE, tmp[0], tmp[1], 0));
	}
	for (unsigned int i = 1; i + 1 < n; i++)
		ng_emit_land(e, ahead[i]);
	if (n > 1 && slot + 1 < t->slots)
		load_piece(e, t, &piece[n - 1], at, tmp[1]);
	if (n > 1)
		ng_emit_land(e, ahead[n - 1]);
}

void ng_table_test_string(struct ng_emit *e, const struct ng_table *t, struct ng_string_at at,
			  const unsigned int tmp[3], size_t in)
{
	struct piece piece[NG_PIECES_MAX];
	unsigned int n = pieces_of(t->set, piece);

	find_bucket(e, t, piece, n, at, tmp);
	load_piece(e, t, &piece[n - 1], at, tmp[1]);
	for (unsigned int slot = 0; slot < t->slots; slot++)
		test_slot(e, t, piece, n, slot, at, tmp, in);
}
