// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folds items with the same key, and those that a covering prefix makes needless.
 *
 * Items are visited in the order of direction, side, address, length: a prefix comes behind those
 * that cover it, which are kept on a stack. The order is by a 64-bit number, radix sorted, since a
 * feed may have millions of lines; only items with the same number are compared. An IPv4 prefix is
 * all in it, of an IPv6 address the first 61 bits are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/policy/table_reader.h"

#define DIGIT_BITS 11
#define DIGITS	   (1u << DIGIT_BITS)
#define DEPTH_MAX  129 /* prefixes that cover each other */
#define AHEAD	   16  /* items to fetch before they are visited: they lie all over memory */

struct rank {
	__u64 number;
	size_t index;
};

/* A prefix that covers the next ones. */
struct cover {
	const struct ng_table_item *item; /* any of its clauses */
	const struct ng_table_item *sole; /* without protocol and port, if it is the only one */
};

struct fold {
	struct ng_reader *r;
	struct ng_table_item *item;
	struct rank *rank;
	bool *gone;
	struct cover stack[DEPTH_MAX];
	size_t depth;
};

static __u64 number_of(const struct ng_table_item *item)
{
	const struct ng_prefix *p = &item->key.prefix;
	const __u8 *byte = (const __u8 *)p->addr_be;
	__u64 place = (__u64)item->dir << 1 | item->key.side, head = 0;

	for (int i = 0; i < 8; i++)
		head = head << 8 | byte[i];
	if (p->family == NG_IPV4)
		return place << 38 | head >> 32 << 6 | p->len;
	return 1ull << 63 | place << 61 | head >> 3;
}

/* Where clauses of one prefix differ. */
static __u64 match_of(const struct ng_acl_key *k)
{
	return (__u64)k->any_proto << 48 | (__u64)k->any_port << 40 | (__u64)k->proto << 32 |
	       (__u32)k->port_lo << 16 | k->port_hi;
}

static int compare_keys(const struct ng_acl_key *a, const struct ng_acl_key *b)
{
	__u64 ma = match_of(a), mb = match_of(b);
	int c = memcmp(a->prefix.addr_be, b->prefix.addr_be, sizeof(a->prefix.addr_be));

	if (!c)
		c = a->prefix.len - b->prefix.len;
	return c ? c : (ma > mb) - (ma < mb);
}

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct rank *a = pa, *b = pb;
	const struct ng_table_item *item = arg;
	int c = compare_keys(&item[a->index].key, &item[b->index].key);

	return c ? c : (a->index > b->index) - (a->index < b->index);
}

static bool is_sorted(const struct rank *rank, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (rank[i - 1].number > rank[i].number)
			return false;
	return true;
}

/* One digit, from one array to the other; false when all have the same and nothing was moved. */
static bool sort_digit(const struct rank *from, struct rank *to, size_t n, int shift)
{
	size_t start[DIGITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		start[from[i].number >> shift & (DIGITS - 1)]++;
	if (start[from[0].number >> shift & (DIGITS - 1)] == n)
		return false;
	for (size_t d = 0; d < DIGITS; d++) {
		size_t count = start[d];

		start[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[start[from[i].number >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

static int sort_numbers(struct rank *rank, size_t n)
{
	struct rank *from = rank, *to, *spare;

	if (is_sorted(rank, n))
		return 0;
	spare = malloc(n * sizeof(*spare));
	if (!spare)
		return -ENOMEM;
	to = spare;
	for (int shift = 0; shift < 64; shift += DIGIT_BITS)
		if (sort_digit(from, to, n, shift)) {
			struct rank *t = from;

			from = to;
			to = t;
		}
	if (from != rank)
		memcpy(rank, from, n * sizeof(*rank));
	free(spare);
	return 0;
}

static void sort_equals(struct fold *f, size_t n)
{
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && f->rank[j].number == f->rank[i].number; j++)
			;
		if (j - i > 1)
			qsort_r(f->rank + i, j - i, sizeof(*f->rank), compare, f->item);
	}
}

static bool same_prefix(const struct ng_table_item *a, const struct ng_table_item *b)
{
	return a->dir == b->dir && a->key.side == b->key.side &&
	       a->key.prefix.family == b->key.prefix.family &&
	       a->key.prefix.len == b->key.prefix.len &&
	       ng_prefix_covers(&a->key.prefix, &b->key.prefix);
}

static bool covers(const struct ng_table_item *a, const struct ng_table_item *b)
{
	return a->dir == b->dir && a->key.side == b->key.side &&
	       a->key.prefix.family == b->key.prefix.family &&
	       ng_prefix_covers(&a->key.prefix, &b->key.prefix);
}

/* b has the key of a, which stands before it. */
static void fold_equal(struct fold *f, struct ng_table_item *a, const struct ng_table_item *b)
{
	struct ng_reader *r = f->r;
	const char *line = r->text;
	unsigned int at = 1, column;

	f->gone[b - f->item] = true;
	if (a->verdict == b->verdict) {
		r->table->count.duplicates++;
		a->timeout_s = b->timeout_s;
		a->comment = b->comment;
		a->comment_len = b->comment_len;
		return;
	}
	if (r->table->bad_lines < NG_BAD_LINES_MAX) {
		ng_reader_place(r, line, &at, &column);
		for (; at < b->line; at++)
			line = (const char *)memchr(line, '\n', (size_t)(r->end - line)) + 1;
		line += b->column - 1;
	}
	ng_reader_refuse(r, line, 0, "line %u has another verdict for the same", a->line);
}

static bool is_plain(const struct ng_table_item *item)
{
	return item->key.any_proto && item->key.any_port;
}

static bool outlives(const struct ng_table_item *a, const struct ng_table_item *b)
{
	return !a->timeout_s || (b->timeout_s && a->timeout_s >= b->timeout_s);
}

/* The clauses of one prefix: rank[from..to). */
static void visit(struct fold *f, size_t from, size_t to)
{
	struct ng_table_item *first = &f->item[f->rank[from].index], *last = first, *plain = NULL;
	const struct ng_table_item *over;
	size_t clauses = 0;

	for (size_t i = from; i < to; i++) {
		struct ng_table_item *item = &f->item[f->rank[i].index];

		if (i > from && !compare_keys(&last->key, &item->key)) {
			fold_equal(f, last, item);
			continue;
		}
		last = item;
		clauses++;
		if (is_plain(item))
			plain = item;
	}
	while (f->depth && !covers(f->stack[f->depth - 1].item, first))
		f->depth--;
	over = f->depth ? f->stack[f->depth - 1].sole : NULL;
	if (plain && over && over->verdict == plain->verdict && plain->verdict != NG_COUNT &&
	    outlives(over, plain)) {
		f->r->table->count.covered++;
		f->gone[plain - f->item] = f->r->options->fold_covered;
	}
	f->stack[f->depth++] = (struct cover){ first, clauses == 1 ? plain : NULL };
}

static void visit_all(struct fold *f, size_t n)
{
	for (size_t i = 0, j; i < n; i = j) {
		const struct ng_table_item *first = &f->item[f->rank[i].index];

		for (j = i + 1; j < n && same_prefix(first, &f->item[f->rank[j].index]); j++)
			;
		__builtin_prefetch(&f->item[f->rank[i + AHEAD < n ? i + AHEAD : n - 1].index]);
		visit(f, i, j);
	}
}

static void compact(struct fold *f, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!f->gone[i])
			f->item[kept++] = f->item[i];
	f->r->table->n = kept;
}

void ng_reader_fold(struct ng_reader *r)
{
	size_t n = r->table->n;
	struct fold f = { .r = r, .item = r->table->item };

	if (n < 2)
		return;
	f.rank = malloc(n * sizeof(*f.rank));
	f.gone = calloc(n, sizeof(*f.gone));
	for (size_t i = 0; f.rank && i < n; i++)
		f.rank[i] = (struct rank){ number_of(&f.item[i]), i };
	if (!f.rank || !f.gone || sort_numbers(f.rank, n)) {
		r->no_memory = true;
	} else {
		sort_equals(&f, n);
		visit_all(&f, n);
		compact(&f, n);
	}
	free(f.rank);
	free(f.gone);
}
