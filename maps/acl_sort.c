// SPDX-License-Identifier: GPL-2.0-only
/* Items in the order of ng_acl_compare_key(): by radix, as tables may have millions. Pure. */
#include "maps/acl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "maps/acl_key.h"

/* The first bits of the order, and whose they are. */
struct rank {
	__u64 first;
	__u32 item;
};

static __u64 first_bits(const struct ng_acl_key *k)
{
	const __be32 *a = k->prefix.addr_be;
	__u64 hi = (__u64)ntohl(a[0]) << 32 | ntohl(a[1]);

	return (__u64)(k->prefix.family == NG_IPV6) << 63 | (__u64)(k->side == NG_DST) << 62 |
	       hi >> 2;
}

/* Least significant byte first; a byte that is the same in all is passed over. */
static struct rank *radix_sort(struct rank *from, struct rank *to, size_t n)
{
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t count[256] = { 0 }, at = 0;
		struct rank *swap = from;

		for (size_t i = 0; i < n; i++)
			count[from[i].first >> shift & 0xff]++;
		if (count[from[0].first >> shift & 0xff] == n)
			continue;
		for (size_t b = 0; b < 256; b++) {
			size_t here = count[b];

			count[b] = at;
			at += here;
		}
		for (size_t i = 0; i < n; i++)
			to[count[from[i].first >> shift & 0xff]++] = from[i];
		from = to;
		to = swap;
	}
	return from;
}

/* Equal keys in the order in which they were given. */
static int compare_ranks(const void *x, const void *y, void *items)
{
	const struct rank *a = x, *b = y;
	const struct ng_acl_item *item = items;
	int d = ng_acl_compare_key(&item[a->item].key, &item[b->item].key);

	return d ? d : ng_acl_compare(a->item, b->item);
}

static void sort_equal_ranks(struct rank *rank, size_t n, struct ng_acl_item *item)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && rank[end].first == rank[i].first; end++)
			;
		if (end > i + 1)
			qsort_r(&rank[i], end - i, sizeof(*rank), compare_ranks, item);
	}
}

static bool is_sorted(const struct ng_acl_item *item, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (ng_acl_compare_key(&item[i - 1].key, &item[i].key) > 0)
			return false;
	return true;
}

/* Memory in few large pieces, where the system has them: most of its cost is being touched first. */
static void *map_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static int sort(struct ng_acl_item *item, size_t n)
{
	size_t rank_bytes = 2 * n * sizeof(struct rank), copy_bytes = n * sizeof(*item);
	struct rank *rank = map_memory(rank_bytes), *sorted;
	struct ng_acl_item *copy = rank ? map_memory(copy_bytes) : NULL;

	if (!copy) {
		if (rank)
			munmap(rank, rank_bytes);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		rank[i] = (struct rank){ first_bits(&item[i].key), (__u32)i };
	sorted = radix_sort(rank, rank + n, n);
	sort_equal_ranks(sorted, n, item);
	for (size_t i = 0; i < n; i++)
		copy[i] = item[sorted[i].item];
	memcpy(item, copy, copy_bytes);
	munmap(rank, rank_bytes);
	munmap(copy, copy_bytes);
	return 0;
}

long ng_acl_items_sort(struct ng_acl_item *item, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		item[i].key = ng_acl_key_normal(&item[i].key);
	if (!is_sorted(item, n) && sort(item, n))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		kept += !kept || ng_acl_compare_key(&item[kept - 1].key, &item[i].key);
		item[kept - 1] = item[i];
	}
	return (long)kept;
}
