// SPDX-License-Identifier: GPL-2.0-only
/* Natural merge sort over an arena of copied records. */
#include "ctl/capture/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t time;
	size_t offset, size; /* in the arena */
};

struct ng_order {
	unsigned char *arena, *spare; /* spare: where the kept ones move to */
	size_t used, room, spare_room;
	struct entry *entry, *scratch;
	size_t n, max;
};

int ng_order_new(struct ng_order **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void ng_order_free(struct ng_order *o)
{
	if (!o)
		return;
	free(o->arena);
	free(o->spare);
	free(o->entry);
	free(o->scratch);
	free(o);
}

static int grow_arena(unsigned char **arena, size_t *room, size_t need)
{
	size_t size = *room ? *room : 1 << 16;
	unsigned char *p;

	if (need <= *room)
		return 0;
	while (size < need)
		size *= 2;
	p = realloc(*arena, size);
	if (!p)
		return -ENOMEM;
	*arena = p;
	*room = size;
	return 0;
}

static int grow_entries(struct ng_order *o)
{
	size_t max = o->max ? o->max * 2 : 1024;
	struct entry *p;

	if (o->n < o->max)
		return 0;
	p = reallocarray(o->entry, max, sizeof(*p));
	if (!p)
		return -ENOMEM;
	o->entry = p;
	p = reallocarray(o->scratch, max, sizeof(*p));
	if (!p)
		return -ENOMEM;
	o->scratch = p;
	o->max = max;
	return 0;
}

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

int ng_order_add(struct ng_order *o, uint64_t time, const void *data, size_t size)
{
	if (grow_arena(&o->arena, &o->room, o->used + aligned(size)) || grow_entries(o))
		return -ENOMEM;
	memcpy(o->arena + o->used, data, size);
	o->entry[o->n++] = (struct entry){ time, o->used, size };
	o->used += aligned(size);
	return 0;
}

size_t ng_order_held(const struct ng_order *o)
{
	return o->used;
}

/* One past the end of the sorted run that begins at i. */
static size_t run_end(const struct entry *e, size_t i, size_t n)
{
	for (i++; i < n && e[i - 1].time <= e[i].time; i++)
		;
	return i;
}

static void merge_runs(const struct entry *a, size_t na, const struct entry *b, size_t nb,
		       struct entry *out)
{
	const struct entry *a_end = a + na, *b_end = b + nb;

	while (a < a_end && b < b_end)
		*out++ = b->time < a->time ? *b++ : *a++;
	memcpy(out, a, (size_t)(a_end - a) * sizeof(*a));
	memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof(*b));
}

/* Merges each two neighbouring runs into scratch, which becomes the list. True: one is left. */
static bool merge_pass(struct ng_order *o)
{
	size_t from = 0, mid = run_end(o->entry, 0, o->n);
	struct entry *swap = o->entry;

	if (mid >= o->n)
		return true;
	while (from < o->n) {
		size_t to = mid < o->n ? run_end(o->entry, mid, o->n) : o->n;

		merge_runs(o->entry + from, mid - from, o->entry + mid, to - mid,
			   o->scratch + from);
		from = to;
		mid = from < o->n ? run_end(o->entry, from, o->n) : o->n;
	}
	o->entry = o->scratch;
	o->scratch = swap;
	return false;
}

/* Forgets the first `taken` entries and moves the data of the others together. */
static int keep_from(struct ng_order *o, size_t taken)
{
	unsigned char *swap = o->arena;
	size_t used = 0, room = o->room;

	if (taken == o->n) {
		o->n = o->used = 0;
		return 0;
	}
	if (!taken)
		return 0;
	if (grow_arena(&o->spare, &o->spare_room, o->used))
		return -ENOMEM;
	for (size_t i = taken; i < o->n; i++) {
		struct entry *e = &o->entry[i];

		memcpy(o->spare + used, o->arena + e->offset, e->size);
		e->offset = used;
		used += aligned(e->size);
	}
	memmove(o->entry, o->entry + taken, (o->n - taken) * sizeof(*o->entry));
	o->n -= taken;
	o->used = used;
	o->arena = o->spare;
	o->room = o->spare_room;
	o->spare = swap;
	o->spare_room = room;
	return 0;
}

int ng_order_take(struct ng_order *o, uint64_t horizon,
		  int (*fn)(const void *data, size_t size, void *arg), void *arg)
{
	size_t i;
	int stop = 0, err;

	while (o->n && !merge_pass(o))
		;
	for (i = 0; i < o->n && o->entry[i].time <= horizon && !stop; i++)
		stop = fn(o->arena + o->entry[i].offset, o->entry[i].size, arg);
	err = keep_from(o, i);
	return stop ? stop : err;
}
