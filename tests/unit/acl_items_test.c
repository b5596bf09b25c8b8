// SPDX-License-Identifier: GPL-2.0-only
/* Lists of clauses: sorted, as qsort() would; merged, as one does by hand. */
#include <arpa/inet.h>

#include "maps/acl.h"
#include "maps/acl_key.h"
#include "tests/random.h"
#include "tests/tap.h"

/* Sorting. `added` tells items with equal keys apart. */

static struct ng_acl_key random_key(void)
{
	struct ng_acl_key k = {
		.side = (enum ng_side)below(NG_SIDE_MAX),
		.any_proto = below(2),
		.any_port = below(2),
		.proto = (__u8)below(4),
		.port_lo = (__u16)below(4),
	};

	k.prefix.family = (enum ng_family)below(NG_FAMILY_MAX);
	k.prefix.len = (__u8)ONE_OF(8, 16, 24);
	k.prefix.addr_be[0] = htonl(below(2) << 31 | below(3) << 24 | below(3) << 8);
	if (k.prefix.family == NG_IPV6) {
		k.prefix.len = (__u8)ONE_OF(63, 64, 128);
		k.prefix.addr_be[1] = htonl(below(5));
		k.prefix.addr_be[3] = htonl(below(2));
	}
	k.port_hi = (__u16)(k.port_lo + below(3));
	return k;
}

static int compare_items(const void *x, const void *y)
{
	const struct ng_acl_item *a = x, *b = y;
	int d = ng_acl_compare_key(&a->key, &b->key);

	return d ? d : ng_acl_compare(a->added, b->added);
}

/* What is to come out, by qsort(): the last of those with equal keys. */
static size_t sorted_by_hand(struct ng_acl_item *item, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		item[i].key = ng_acl_key_normal(&item[i].key);
	qsort(item, n, sizeof(*item), compare_items);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || ng_acl_compare_key(&item[i].key, &item[i + 1].key))
			item[kept++] = item[i];
	return kept;
}

static bool same_list(const struct ng_acl_item *a, const struct ng_acl_item *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ng_acl_compare_key(&a[i].key, &b[i].key) || a[i].added != b[i].added ||
		    a[i].verdict != b[i].verdict || a[i].note != b[i].note)
			return false;
	return true;
}

static bool sorts(struct ng_acl_item *item, size_t n)
{
	struct ng_acl_item *want = malloc((n + 1) * sizeof(*want));
	size_t kept;
	bool good;

	memcpy(want, item, n * sizeof(*want));
	kept = sorted_by_hand(want, n);
	good = ng_acl_items_sort(item, n) == (long)kept && same_list(item, want, kept);
	free(want);
	return good;
}

static void test_sort(size_t n, size_t different, const char *what)
{
	struct ng_acl_item *item = calloc(n + 1, sizeof(*item));
	struct ng_acl_key *key = calloc(different + 1, sizeof(*key));
	char notes[8];
	bool good = true;

	for (int round = 0; round < 20 && good; round++) {
		for (size_t i = 0; i < different; i++)
			key[i] = random_key();
		for (size_t i = 0; i < n; i++)
			item[i] = (struct ng_acl_item){
				.key = key[below((uint32_t)different)],
				.verdict = (__u8)below(3),
				.added = (__u32)i,
				.note = &notes[below(8)],
			};
		good = sorts(item, n);
	}
	ok(good, "sorted: %zu clauses%s", n, what);
	free(item);
	free(key);
}

static void test_sorted(void)
{
	struct ng_acl_item item[300];
	size_t n = sizeof(item) / sizeof(item[0]);
	long kept;

	for (size_t i = 0; i < n; i++)
		item[i] = (struct ng_acl_item){ .key = random_key(), .added = (__u32)i };
	kept = ng_acl_items_sort(item, n);
	ok(kept > 0 && sorts(item, (size_t)kept), "sorted: what is sorted already");
	for (long i = 0; i < kept / 2; i++) {
		struct ng_acl_item swap = item[i];

		item[i] = item[kept - 1 - i];
		item[kept - 1 - i] = swap;
	}
	ok(sorts(item, (size_t)kept), "sorted: what is the wrong way round");
}

/* Merging */

#define OLD_TIME 111
#define NEW_TIME 222

struct row {
	const char *name;
	int net; /* of 10.net.0.0/16, the key; 0: none */
	__u8 verdict;
	__u64 deadline;
	const char *note;
};

static const char same_note[] = "h";

/* What each clause of old and new comes to, and what it counts as where new ones are added. In the
 * place of old ones, new ones without a note have none. */
static const struct {
	struct row old, new, out;
	struct ng_acl_change change;
} merged[] = {
	{ { "only old", 1, NG_DROP, 0, "a" }, { 0 }, { "", 1, NG_DROP, 0, "a" }, { 0 } },
	{ { 0 }, { "only new", 2, NG_PASS, 7, "b" }, { "", 2, NG_PASS, 7, "b" }, { .added = 1 } },
	{ { "the same", 3, NG_DROP, 0, "c" },
	  { "", 3, NG_DROP, 0, NULL },
	  { "", 3, NG_DROP, 0, "c" },
	  { .unchanged = 1 } },
	{ { "another verdict", 4, NG_DROP, 0, "d" },
	  { "", 4, NG_COUNT, 0, NULL },
	  { "", 4, NG_COUNT, 0, "d" },
	  { .changed = 1 } },
	{ { "another note", 5, NG_DROP, 0, "e" },
	  { "", 5, NG_DROP, 0, "f" },
	  { "", 5, NG_DROP, 0, "f" },
	  { .changed = 1 } },
	{ { "a time", 6, NG_DROP, 0, NULL },
	  { "", 6, NG_DROP, 9, NULL },
	  { "", 6, NG_DROP, 9, NULL },
	  { .changed = 1 } },
	{ { "no time any more", 7, NG_DROP, 9, "g" },
	  { "", 7, NG_DROP, 0, NULL },
	  { "", 7, NG_DROP, 0, "g" },
	  { .changed = 1 } },
	{ { "the same time, from now on", 8, NG_DROP, 9, NULL },
	  { "", 8, NG_DROP, 9, NULL },
	  { "", 8, NG_DROP, 9, NULL },
	  { .changed = 1 } },
	{ { "the same without a note", 9, NG_DROP, 0, NULL },
	  { "", 9, NG_DROP, 0, NULL },
	  { "", 9, NG_DROP, 0, NULL },
	  { .unchanged = 1 } },
	{ { "the same with its note", 10, NG_DROP, 0, "h" },
	  { "", 10, NG_DROP, 0, same_note },
	  { "", 10, NG_DROP, 0, same_note },
	  { .unchanged = 1 } },
	{ { 0 },
	  { "only new, at the end", 11, NG_DROP, 0, NULL },
	  { "", 11, NG_DROP, 0, NULL },
	  { .added = 1 } },
};
#define ROWS (sizeof(merged) / sizeof(merged[0]))

static struct ng_acl_item item_of(const struct row *r, __u32 added)
{
	return (struct ng_acl_item){
		.key = { .prefix = { .family = NG_IPV4,
				     .len = 16,
				     .addr_be[0] = htonl(10u << 24 | (__u32)r->net << 16) },
			 .any_proto = true,
			 .any_port = true,
			 .port_hi = 0xffff },
		.verdict = r->verdict,
		.deadline = r->deadline,
		.timeout = (__u32)r->deadline,
		.added = added,
		.note = r->note,
	};
}

static bool is_item(const struct ng_acl_item *got, const struct row *want, __u32 added)
{
	struct ng_acl_item w = item_of(want, added);

	return !ng_acl_compare_key(&got->key, &w.key) && got->verdict == w.verdict &&
	       got->deadline == w.deadline && got->timeout == w.timeout && got->added == w.added &&
	       got->note == w.note;
}

static bool same_change(const struct ng_acl_change *a, const struct ng_acl_change *b)
{
	return a->added == b->added && a->changed == b->changed && a->unchanged == b->unchanged &&
	       a->deleted == b->deleted;
}

static void test_row(size_t i, bool keep)
{
	const struct row *old = &merged[i].old, *new = &merged[i].new;
	struct ng_acl_item a = item_of(old, OLD_TIME), b = item_of(new, NEW_TIME), out[2];
	struct ng_acl_change done = { 1, 1, 1, 1 }, want = merged[i].change;
	bool stays = keep || new->net;
	struct row expected = merged[i].out;
	size_t n = ng_acl_merge(&a, old->net != 0, &b, new->net != 0, keep, out, &done);

	want.added++, want.changed++, want.unchanged++;
	want.deleted = stays ? 1 : 2;
	if (!keep && old->note && !new->note &&merged[i].change.unchanged)
		want.changed++, want.unchanged--;
	if (!keep)
		expected.note = new->note;
	ok(n == stays && same_change(&done, &want) &&
		   (!stays || is_item(out, &expected, old->net ? OLD_TIME : NEW_TIME)),
	   "%s: %s", keep ? "added" : "in their place", old->name ? old->name : new->name);
}

static void test_all(bool keep)
{
	struct ng_acl_item old[ROWS], new[ROWS], out[2 * ROWS];
	struct ng_acl_change done = { 0 }, want = { 2, keep ? 5 : 6, keep ? 3 : 2, keep ? 0 : 1 };
	size_t n_old = 0, n_new = 0, n, at = 0;
	bool good = true;

	for (size_t i = 0; i < ROWS; i++) {
		if (merged[i].old.net)
			old[n_old++] = item_of(&merged[i].old, OLD_TIME);
		if (merged[i].new.net)
			new[n_new++] = item_of(&merged[i].new, NEW_TIME);
	}
	n = ng_acl_merge(old, n_old, new, n_new, keep, out, &done);
	for (size_t i = 0; i < ROWS; i++) {
		struct row expected = merged[i].out;

		if (!keep)
			expected.note = merged[i].new.note;
		if (keep || merged[i].new.net)
			good = good && is_item(&out[at++], &expected,
					       merged[i].old.net ? OLD_TIME : NEW_TIME);
	}
	ok(good && n == at, "%s: all of them at once", keep ? "added" : "in their place");
	ok(same_change(&done, &want), "%s: and counted", keep ? "added" : "in their place");
}

int main(void)
{
	random_seed(7);
	test_sort(0, 1, "");
	test_sort(1, 1, "");
	test_sort(2, 2, "");
	test_sort(500, 1, ", all the same");
	test_sort(500, 20, " with 20 keys");
	test_sort(5000, 3000, "");
	test_sorted();
	for (size_t i = 0; i < ROWS; i++) {
		test_row(i, true);
		test_row(i, false);
	}
	test_all(true);
	test_all(false);
	return tap_done();
}
