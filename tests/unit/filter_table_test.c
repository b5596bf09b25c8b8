// SPDX-License-Identifier: GPL-2.0-only
/* Tables of constant sets: the kind chosen, and that the data hold the members and nothing else. */
#include "ctl/filter/table.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS_MAX    1000000

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

static int compare(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return (x > y) - (x < y);
}

/* Ascending, each once. */
static void tidy(struct ng_set *set)
{
	size_t n = 0;

	qsort(set->key, set->n, sizeof(*set->key), compare);
	for (size_t i = 0; i < set->n; i++)
		if (n == 0 || set->key[n - 1] != set->key[i])
			set->key[n++] = set->key[i];
	set->n = n;
}

static bool is_member(const struct ng_set *set, __u32 key)
{
	return bsearch(&key, set->key, set->n, sizeof(key), compare) != NULL;
}

/* What the program does, by the words of table.h. */
static bool look_up(const struct ng_table *t, const void *data, __u32 key)
{
	const __u32 *slot = data;
	const __u64 *word = data;

	if (t->kind == NG_TABLE_BITMAP)
		return key <= 0xffff && word[key / 64] >> key % 64 & 1;
	slot += (size_t)(key * t->multiplier >> (32 - t->lg)) * t->slots;
	for (unsigned int i = 0; i < t->slots; i++)
		if (slot[i] == key)
			return true;
	return false;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Members, their neighbours, numbers from the table itself and random ones. */
static bool holds_exactly(const struct ng_table *t, const __u32 *data)
{
	for (size_t i = 0; i < t->set->n; i++) {
		__u32 key = t->set->key[i];

		if (!look_up(t, data, key) ||
		    look_up(t, data, key + 1) != is_member(t->set, key + 1) ||
		    look_up(t, data, key ^ 1u << 31) != is_member(t->set, key ^ 1u << 31))
			return false;
	}
	for (size_t i = 0; i < 20000; i++) {
		__u32 key = i % 2 ? rnd() : data[rnd() % (t->size / sizeof(*data))];

		if (look_up(t, data, key) != is_member(t->set, key))
			return false;
	}
	return look_up(t, data, 0) == is_member(t->set, 0) &&
	       look_up(t, data, 1u << 31) == is_member(t->set, 1u << 31);
}

static void test_set(const char *what, const struct ng_set *set, enum ng_table_kind kind)
{
	struct ng_table t = { 0 };
	double begun = seconds(), planned;
	int ret = ng_table_plan(set, 128, &t);
	void *data;
	bool good;

	planned = seconds() - begun;
	data = calloc(t.size + 1, 1);
	good = !ret && data && t.kind == kind && t.offset == 128 && t.size % NG_TABLE_ALIGN == 0;
	if (good && t.kind != NG_TABLE_LINEAR) {
		ng_table_fill(&t, data);
		good = holds_exactly(&t, data);
	}
	if (!ok(good && planned < 0.5, "%s: holds its %zu members and no others", what, set->n))
		printf("#   %d, kind %d\n", ret, t.kind);
	printf("#   %zu bytes, %u slots, found in %.1f ms\n", t.size, t.slots, planned * 1e3);
	free(data);
}

static void test_sizes(struct ng_set *set)
{
	static const size_t sizes[] = { 16, 17, 64, 1000, 3000, 16384, 16385, 100000, KEYS_MAX };

	for (size_t i = 0; i < N_OF(sizes); i++) {
		set->n = sizes[i];
		for (size_t k = 0; k < set->n; k++)
			set->key[k] = rnd();
		tidy(set);
		test_set("random numbers", set, NG_TABLE_BUCKETS);
	}
}

/* Sets as address plans make them: key i is first + i * step, in runs of `run` that lie `gap` apart. */
static void test_structured(struct ng_set *set)
{
	static const struct {
		const char *what;
		size_t n;
		__u32 first, step, run, gap;
	} plans[] = {
		{ "consecutive addresses", 65536, 0x0a000000, 1, -1u, 0 },
		{ "every second address", 10000, 0xc0a80000, 2, -1u, 0 },
		{ "nets of 24 bits", 65536, 0x0a000000, 1 << 8, -1u, 0 },
		{ "nets of 16 bits", 4096, 0, 1 << 16, -1u, 0 },
		{ "nets of 12 bits", 4096, 0, 1 << 20, -1u, 0 },
		{ "nets of 4 bits", 16, 0, 1 << 28, -1u, 0 },
		{ "ten addresses in each net of 16 bits", 100000, 0x0a000005, 1, 10, 1 << 16 },
		{ "the same host in nets of 24 bits", 200000, 0x0a000001, 1 << 8, 256, 1 << 20 },
		{ "around the end of the range", 32, -16u, 1, -1u, 0 },
	};

	for (size_t i = 0; i < N_OF(plans); i++) {
		set->n = plans[i].n;
		for (__u32 k = 0; k < set->n; k++)
			set->key[k] = plans[i].first + k % plans[i].run * plans[i].step +
				      k / plans[i].run * plans[i].gap;
		tidy(set);
		test_set(plans[i].what, set, NG_TABLE_BUCKETS);
	}
}

static void test_kinds(struct ng_set *set)
{
	for (__u32 k = 0; k < 0x10001; k++)
		set->key[k] = k;
	set->n = NG_TABLE_BREAK_EVEN - 1;
	test_set("below the break-even", set, NG_TABLE_LINEAR);
	set->n = NG_TABLE_BREAK_EVEN;
	test_set("small numbers at the break-even", set, NG_TABLE_BUCKETS);
	set->n = 255;
	test_set("small numbers that take less than a bit map", set, NG_TABLE_BUCKETS);
	set->n = 256;
	test_set("small numbers that take as much", set, NG_TABLE_BITMAP);
	set->key[255] = 0xffff;
	test_set("up to 65535", set, NG_TABLE_BITMAP);
	set->key[255] = 0x10000;
	test_set("up to 65536", set, NG_TABLE_BUCKETS);
	set->key[255] = 255;
	set->n = 0x10000;
	test_set("all of 16 bits", set, NG_TABLE_BITMAP);
	set->n = 0x10001;
	test_set("one more", set, NG_TABLE_BUCKETS);
}

static void test_too_large(struct ng_set *set)
{
	struct ng_table t = { .size = 77 };

	set->n = KEYS_MAX;
	is_int(ng_table_plan(set, (1u << 29) - 64, &t), -E2BIG, "refuses data out of reach");
	is_int(t.size, 77, "and leaves the result alone");
}

int main(void)
{
	struct ng_set set = { .key = calloc(KEYS_MAX, sizeof(*set.key)) };

	if (!set.key)
		return 1;
	test_sizes(&set);
	test_structured(&set);
	test_kinds(&set);
	test_too_large(&set);
	free(set.key);
	return tap_done();
}
