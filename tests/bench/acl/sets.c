// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes and traffic of the bench of the ACL. */
#include "tests/bench/acl/sets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/acl/frame.h"
#include "tests/random.h"

#define SEED	    20260504
#define HOT_SOURCES 4000
#define CLUSTERS    5000
#define SPARE	    0xc6120000u /* 198.18.0.0/15 */

const char *const traffic_name[TRAFFICS] = { "uniform hits", "4,000 hot", "misses" };

static uint32_t mask_of(uint32_t len)
{
	return len ? ~0u << (32 - len) : 0;
}

static uint32_t random_address(void)
{
	uint32_t a;

	do
		a = rnd();
	while (a >> 24 == 0 || a >> 24 == 10 || a >> 24 == 127 || a >> 24 >= 224 ||
	       a >> 17 == SPARE >> 17);
	return a;
}

/* As many per cent of routes are that long. */
static uint32_t random_len(void)
{
	static const struct {
		uint32_t percent, len;
	} lens[] = { { 60, 24 }, { 11, 22 }, { 10, 23 }, { 5, 21 }, { 5, 20 },
		     { 4, 19 },	 { 2, 18 },  { 1, 17 },	 { 2, 16 } };
	uint32_t at = below(100), i = 0;

	while (at >= lens[i].percent)
		at -= lens[i++].percent;
	return lens[i].len;
}

static struct net random_net(size_t i, const uint32_t *cluster)
{
	struct net net = { .len = i % 2 ? 32 : random_len() };

	if (i % 4 == 1)
		net.addr = cluster[below(CLUSTERS)] | (rnd() & ~mask_of(20));
	else
		net.addr = random_address() & mask_of(net.len);
	return net;
}

static int compare(const void *a, const void *b)
{
	const struct net *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

/* Sorts; returns how many different ones there are. */
static size_t sort_unique(struct net *net, size_t n)
{
	size_t kept = 0;

	qsort(net, n, sizeof(*net), compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || compare(&net[kept - 1], &net[i]))
			net[kept++] = net[i];
	return kept;
}

static void shuffle(struct net *net, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = below((uint32_t)i);
		struct net swap = net[i - 1];

		net[i - 1] = net[k];
		net[k] = swap;
	}
}

/* net is sorted. */
static void keep_outer(struct set *set)
{
	const struct net *last = NULL;

	for (size_t i = 0; i < set->n; i++) {
		const struct net *net = &set->net[i];

		if (last && (net->addr & mask_of(last->len)) == last->addr)
			continue;
		set->outer[set->n_outer] = *net;
		last = &set->outer[set->n_outer++];
	}
}

int set_make(struct set *set, size_t n)
{
	uint32_t cluster[CLUSTERS];
	size_t drawn = 0;

	random_seed(SEED + n);
	*set = (struct set){ .net = calloc(n, sizeof(*set->net)),
			     .outer = calloc(n, sizeof(*set->outer)) };
	if (!set->net || !set->outer) {
		set_free(set);
		return -ENOMEM;
	}
	for (size_t i = 0; i < CLUSTERS; i++)
		cluster[i] = random_address() & mask_of(20);
	while (set->n < n) {
		while (set->n < n)
			set->net[set->n++] = random_net(drawn++, cluster);
		set->n = sort_unique(set->net, n);
	}
	keep_outer(set);
	shuffle(set->net, set->n);
	return 0;
}

void set_free(struct set *set)
{
	free(set->net);
	free(set->outer);
	*set = (struct set){ 0 };
}

static bool is_covered(const struct set *set, uint32_t addr)
{
	size_t lo = 0, hi = set->n_outer;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (set->outer[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && (addr & mask_of(set->outer[lo - 1].len)) == set->outer[lo - 1].addr;
}

static uint32_t random_hit(const struct set *set)
{
	const struct net *net = &set->net[below((uint32_t)set->n)];

	return net->addr | (rnd() & ~mask_of(net->len));
}

static uint32_t random_miss(const struct set *set)
{
	uint32_t a;

	do
		a = random_address();
	while (is_covered(set, a));
	return a;
}

void set_traffic(const struct set *set, enum traffic traffic, struct source *source)
{
	uint32_t hot[HOT_SOURCES];

	random_seed(SEED + traffic);
	for (size_t i = 0; i < HOT_SOURCES; i++)
		hot[i] = random_hit(set);
	for (size_t i = 0; i < SOURCES; i++) {
		if (traffic == HOT)
			source[i] = set_source(hot[below(HOT_SOURCES)]);
		else
			source[i] =
				set_source(traffic == HITS ? random_hit(set) : random_miss(set));
	}
}

struct source set_source(uint32_t addr)
{
	uint8_t frame[FRAME_LEN];
	struct iphdr *ip = (struct iphdr *)(frame + FRAME_IP);

	frame_make(addr, frame);
	return (struct source){ .addr_be = ip->saddr, .sum = ip->check };
}

struct ng_acl_item set_item(const struct net *net, __u8 verdict)
{
	return (struct ng_acl_item){
		.key = { .prefix = { .family = NG_IPV4,
				     .len = (__u8)net->len,
				     .addr_be = { htonl(net->addr) } },
			 .side = NG_SRC,
			 .any_proto = true,
			 .any_port = true },
		.verdict = verdict,
	};
}

struct ng_acl_item *set_items(const struct net *net, size_t n, __u8 verdict)
{
	struct ng_acl_item *item = malloc(n * sizeof(*item));

	for (size_t i = 0; item && i < n; i++)
		item[i] = set_item(&net[i], verdict);
	return item;
}

struct net set_spare(size_t i)
{
	return (struct net){ .addr = SPARE + (uint32_t)i, .len = 32 };
}
