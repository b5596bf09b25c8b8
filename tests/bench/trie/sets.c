// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes as tables of routes and blocklists have them, and addresses to look up. */
#include "tests/bench/trie/sets.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random.h"
#include "tests/trie_tables.h"

typedef unsigned __int128 address;

#define CLUSTERS       65536u
#define ZIPF_HOSTS     100000u
#define ZIPF_S	       1.1
#define PER_ALLOCATION 12

/* How many in a thousand have which length. */
struct share {
	unsigned int len, of_1000;
};

static const struct share bgp4[] = {
	{ 24, 600 }, { 23, 100 }, { 22, 110 }, { 21, 50 }, { 20, 45 }, { 19, 30 }, { 18, 15 },
	{ 17, 10 },  { 16, 18 },  { 15, 7 },   { 14, 7 },  { 13, 3 },  { 12, 3 },  { 8, 2 },
};
static const struct share bgp6[] = {
	{ 48, 440 }, { 32, 150 }, { 44, 80 }, { 40, 80 }, { 36, 40 }, { 46, 40 }, { 47, 30 },
	{ 42, 30 },  { 56, 30 },  { 33, 20 }, { 38, 20 }, { 29, 10 }, { 64, 30 },
};

static unsigned int draw_len(const struct share *shares)
{
	uint32_t at = below(1000);

	for (; at >= shares->of_1000; shares++)
		at -= shares->of_1000;
	return shares->len;
}

static uint32_t unicast4(void)
{
	uint32_t a;

	do
		a = rnd();
	while (a >> 24 == 0 || a >> 24 == 10 || a >> 24 == 127 || a >> 24 >= 224);
	return a;
}

static struct ng_prefix draw4(const uint32_t *cluster)
{
	uint32_t a = unicast4();

	if (below(2))
		return trie_prefix(NG_IPV4, (address)a << 96, draw_len(bgp4));
	if (below(2))
		a = (cluster[below(CLUSTERS)] & ~255u) | (a & 255);
	return trie_prefix(NG_IPV4, (address)a << 96, 32);
}

static address in_allocation(const struct set *set)
{
	address a = set->allocation[below((uint32_t)set->allocations)];

	for (int i = 0; i < 3; i++)
		a = a << 32 | rnd();
	return a;
}

static struct ng_prefix draw6(const struct set *set)
{
	address a = in_allocation(set);

	if (below(10) < 6)
		return trie_prefix(NG_IPV6, a, draw_len(bgp6));
	a &= ~((address)0x00fffcff << 64); /* few networks in each, many hosts */
	return trie_prefix(NG_IPV6, a, 128);
}

static int make_allocations(struct set *set)
{
	static const uint32_t registry[] = { 0x20010000, 0x24000000, 0x26000000, 0x28000000,
					     0x2a000000, 0x2a100000, 0x2c000000 };
	uint32_t k;

	set->allocations = set->n / PER_ALLOCATION + 16;
	set->allocation = malloc(set->allocations * sizeof(*set->allocation));
	if (!set->allocation)
		return -ENOMEM;
	for (size_t i = 0; i < set->allocations; i++) {
		k = below(7);
		set->allocation[i] = registry[k] | rnd() >> (k ? 12 : 16);
	}
	return 0;
}

static int compare(const void *x, const void *y)
{
	const struct ng_prefix *a = x, *b = y;
	int d = memcmp(a->addr_be, b->addr_be, sizeof(a->addr_be));

	return d ? d : (int)a->len - (int)b->len;
}

static size_t sort(struct ng_prefix *p, size_t n)
{
	size_t kept = 0;

	qsort(p, n, sizeof(*p), compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || compare(&p[kept - 1], &p[i]))
			p[kept++] = p[i];
	return kept;
}

/* Takes out random ones until n are left; those keep their order. */
static void thin_out(struct set *set, size_t have)
{
	size_t kept = 0;

	for (size_t i = 0; i < have; i++)
		if (below((uint32_t)(have - i)) < set->n - kept)
			set->prefix[kept++] = set->prefix[i];
}

int set_make(struct set *set, enum ng_family family, size_t n)
{
	size_t most = n + n / 8 + 64, have = 0;
	uint32_t *cluster = malloc(CLUSTERS * sizeof(*cluster));

	*set = (struct set){ .family = family, .n = n };
	set->prefix = malloc(most * sizeof(*set->prefix));
	if (!cluster || !set->prefix || make_allocations(set)) {
		free(cluster);
		set_free(set);
		return -ENOMEM;
	}
	for (size_t i = 0; i < CLUSTERS; i++)
		cluster[i] = unicast4();
	while (have < n) {
		for (; have < most; have++)
			set->prefix[have] = family == NG_IPV4 ? draw4(cluster) : draw6(set);
		have = sort(set->prefix, have);
	}
	thin_out(set, have);
	free(cluster);
	return 0;
}

void set_free(struct set *set)
{
	free(set->prefix);
	free(set->allocation);
	*set = (struct set){ 0 };
}

struct ng_prefix set_random_address(const struct set *set)
{
	if (set->family == NG_IPV4)
		return trie_prefix(NG_IPV4, (address)unicast4() << 96, 32);
	return trie_prefix(NG_IPV6, in_allocation(set), 128);
}

static struct ng_prefix hit(const struct set *set)
{
	const struct ng_prefix *p = &set->prefix[below((uint32_t)set->n)];
	address a = 0;

	for (int i = 0; i < 4; i++)
		a = a << 32 | rnd();
	a = p->len == 128 ? 0 : a << p->len >> p->len;
	return trie_prefix(set->family, trie_address(p) | a, set->family == NG_IPV4 ? 32 : 128);
}

static void put(const struct set *set, uint32_t *word_be, size_t i, const struct ng_prefix *p)
{
	if (set->family == NG_IPV4)
		word_be[i] = p->addr_be[0];
	else
		memcpy(&word_be[4 * i], p->addr_be, sizeof(p->addr_be));
}

/* cumulated[i]: how many of the draws go to the hosts up to i. */
static uint32_t draw_host(const double *cumulated)
{
	double at = rnd() / 4294967296.0 * cumulated[ZIPF_HOSTS - 1];
	uint32_t low = 0, high = ZIPF_HOSTS - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (cumulated[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int zipf(const struct set *set, uint32_t *word_be, size_t n)
{
	struct ng_prefix *host = malloc(ZIPF_HOSTS * sizeof(*host));
	double *cumulated = malloc(ZIPF_HOSTS * sizeof(*cumulated)), sum = 0;
	int err = host && cumulated ? 0 : -ENOMEM;

	for (uint32_t i = 0; !err && i < ZIPF_HOSTS; i++) {
		host[i] = hit(set);
		sum += 1 / pow(i + 1, ZIPF_S);
		cumulated[i] = sum;
	}
	for (size_t i = 0; !err && i < n; i++)
		put(set, word_be, i, &host[draw_host(cumulated)]);
	free(host);
	free(cumulated);
	return err;
}

int set_traffic(const struct set *set, enum traffic traffic, uint32_t *word_be, size_t n)
{
	struct ng_prefix p;

	if (traffic == ZIPF)
		return zipf(set, word_be, n);
	for (size_t i = 0; i < n; i++) {
		p = traffic == HITS ? hit(set) : set_random_address(set);
		put(set, word_be, i, &p);
	}
	return 0;
}
