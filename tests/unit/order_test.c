// SPDX-License-Identifier: GPL-2.0-only
/* Merging by timestamp: shuffled rings come out sorted, ties in order of coming,
 * the window holds what may still be overtaken. */
#include "ctl/capture/order.h"

#include <errno.h>

#include "tests/tap.h"

struct item {
	uint64_t time, seq;
	unsigned char tail[40]; /* (seq % 40) bytes of it are there */
};

struct taken {
	uint64_t last_time, last_seq, n, bad, stop_after;
};

static size_t item_size(uint64_t seq)
{
	return sizeof(struct item) - 40 + seq % 40;
}

static int add(struct ng_order *o, uint64_t time, uint64_t seq)
{
	struct item it = { .time = time, .seq = seq };

	memset(it.tail, (int)(seq & 0xff), sizeof(it.tail));
	return ng_order_add(o, time, &it, item_size(seq));
}

static int take(const void *data, size_t size, void *arg)
{
	const struct item *it = data;
	struct taken *t = arg;

	t->bad += size != item_size(it->seq);
	for (uint64_t i = 0; i < it->seq % 40; i++)
		t->bad += it->tail[i] != (it->seq & 0xff);
	t->bad += t->n &&
		  (it->time < t->last_time || (it->time == t->last_time && it->seq < t->last_seq));
	t->last_time = it->time;
	t->last_seq = it->seq;
	return ++t->n == t->stop_after ? -ECANCELED : 0;
}

static uint32_t lcg(uint32_t *state)
{
	return *state = *state * 1664525 + 1013904223;
}

/* Random times in a small range: many ties, many short runs. */
static void test_random_input(void)
{
	struct ng_order *o;
	struct taken t = { 0 };
	uint32_t state = 42;

	ok(ng_order_new(&o) == 0, "made");
	for (uint64_t i = 0; i < 20000; i++)
		add(o, (lcg(&state) >> 8) % 1000, i);
	is_int(ng_order_take(o, UINT64_MAX, take, &t), 0, "random input: all taken");
	is_int((long long)t.n, 20000, "random input: every record once");
	is_int((long long)t.bad, 0, "random input: sorted, ties in order of coming, bytes kept");
	is_int((long long)ng_order_held(o), 0, "nothing is held");
	ng_order_free(o);
}

/* Four rings, each sorted, drained one after the other in many passes;
 * the horizon is where each pass began. */
static void test_window(void)
{
	struct ng_order *o;
	struct taken t = { 0 };
	uint64_t clock = 1000, seq = 0;
	uint32_t state = 7;
	int rc = 0;

	ng_order_new(&o);
	for (int pass = 0; pass < 200; pass++) {
		for (int ring = 0; ring < 4; ring++)
			for (uint64_t i = 0; i < 20; i++)
				rc |= add(o, clock + i * 10 + lcg(&state) % 10, seq++);
		clock += 150; /* the last 50 ticks of a pass overlap the next */
		rc |= ng_order_take(o, clock - 1, take, &t);
	}
	ok(ng_order_held(o) > 0, "what may be overtaken is held");
	rc |= ng_order_take(o, UINT64_MAX, take, &t);
	is_int(rc, 0, "no failure");
	is_int((long long)t.n, 200 * 4 * 20, "window: every record once");
	is_int((long long)t.bad, 0, "window: sorted over passes");
	ng_order_free(o);
}

static void test_stop(void)
{
	struct ng_order *o;
	struct taken t = { .stop_after = 3 };

	ng_order_new(&o);
	for (uint64_t i = 10; i > 0; i--)
		add(o, i, i);
	is_int(ng_order_take(o, UINT64_MAX, take, &t), -ECANCELED,
	       "the callback's stop is returned");
	t.stop_after = 0;
	is_int(ng_order_take(o, UINT64_MAX, take, &t), 0, "going on");
	is_int((long long)t.n, 10, "what was handed over is not handed over again, the rest is");
	is_int((long long)t.bad, 0, "in order");
	is_int(ng_order_take(o, UINT64_MAX, take, &t), 0, "an empty one has nothing to give");
	is_int((long long)t.n, 10, "and gives nothing");
	ng_order_free(o);
}

int main(void)
{
	test_random_input();
	test_window();
	test_stop();
	return tap_done();
}
