// SPDX-License-Identifier: GPL-2.0-only
/* Replaces of whole policies under traffic, and which of them each packet met. */
#include "tests/bench/acl/swap.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/acl/frame.h"
#include "tests/bench/acl/place.h"
#include "tests/random.h"

#define LIMIT	  60	 /* seconds */
#define SETTLE_US 200000 /* of traffic before and after */

enum policy { DROP_EVEN, DROP_ODD };

struct traffic_thread {
	struct blast blast;
	struct pair pair;
	unsigned int per_second;
	double seconds;
	int ret;
};

/* Every other prefix is of S, the others are of T. */
static struct ng_acl_item *policy_items(const struct set *set, enum policy policy)
{
	struct ng_acl_item *item = set_items(set->net, set->n, NG_PASS);

	for (size_t i = policy == DROP_EVEN ? 0 : 1; item && i < set->n; i += 2)
		item[i].verdict = NG_DROP;
	return item;
}

/* Hosts, because no other prefix decides for them: from S and T by turns. */
static void fill_sources(const struct set *set, struct source *source)
{
	for (size_t i = 0; i < SOURCES; i++) {
		size_t at;

		do
			at = below((uint32_t)set->n / 2) * 2 + i % 2;
		while (at >= set->n || set->net[at].len != 32);
		source[i] = set_source(set->net[at].addr);
	}
}

static int attach_watch(const struct traffic_thread *t)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)t->pair.to, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = blast_watch_prog(&t->blast));
	int ret = bpf_tc_hook_create(&hook);

	return ret ? ret : bpf_tc_attach(&hook, &opts);
}

static void *send_packets(void *arg)
{
	struct traffic_thread *t = arg;
	double start = seconds_now();

	t->ret = blast_until_signal(&t->blast, t->pair.from, t->per_second);
	t->seconds = seconds_now() - start;
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

/* Which policy packet i met: the packets that passed were seen. */
static enum policy met(const struct blast *b, uint64_t i)
{
	bool passed = b->seen[i], even = i % 2 == 0;

	return even == passed ? DROP_ODD : DROP_EVEN;
}

static void judge(const struct traffic_thread *t, unsigned int swaps, struct swap *out)
{
	enum policy now = DROP_EVEN;

	for (uint64_t i = 0; i < out->packets; i++) {
		enum policy next = met(&t->blast, i);

		out->changes += next != now;
		now = next;
	}
	if (out->changes > swaps)
		out->wrong = (out->changes - swaps + 1) / 2;
	if (out->packets >= SEEN_MAX)
		snprintf(out->note, sizeof(out->note), "traffic ended before the last replace");
	else if (out->lost)
		snprintf(out->note, sizeof(out->note), "the device lost packets");
	else if (out->changes < swaps)
		snprintf(out->note, sizeof(out->note), "a policy was never in force");
}

/* The other processor, the first, is for the writer. */
static void leave_last_cpu(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
}

static int replace(struct ng_gate *gate, const struct set *set, enum policy policy, double *seconds)
{
	struct ng_acl_item *item = policy_items(set, policy);
	struct ng_acl_change change = { 0 };
	struct ng_acl_tables built;
	double start = seconds_now();
	int ret =
		item ? ng_gate_acl_make(gate, item, set->n, false, &built, &change, NULL) : -ENOMEM;

	if (!ret)
		ret = ng_gate_acl_swap(gate, &built, NULL);
	*seconds = seconds_now() - start;
	free(item);
	return ret || change.changed == set->n || change.added == set->n ? ret : -EDOM;
}

static int run_swaps(struct ng_gate *gate, const struct set *set, const struct swap_question *q,
		     struct swap *out)
{
	int ret = 0;

	usleep(SETTLE_US);
	for (unsigned int i = 0; !ret && i < q->swaps; i++)
		ret = replace(gate, set, i % 2 ? DROP_EVEN : DROP_ODD, &out->seconds[i]);
	usleep(SETTLE_US);
	return ret;
}

static int run(struct ng_gate *gate, const struct set *set, const struct swap_question *q,
	       struct traffic_thread *t, struct swap *out)
{
	const struct sigaction action = { .sa_handler = on_signal };
	uint64_t before = pair_received(&t->pair);
	pthread_t thread;
	int ret;

	sigaction(SIGUSR1, &action, NULL);
	ret = pthread_create(&thread, NULL, send_packets, t);
	if (ret)
		return -ret;
	leave_last_cpu();
	ret = run_swaps(gate, set, q, out);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	out->packets = t->blast.state->next;
	out->lost = out->packets - (pair_received(&t->pair) - before);
	out->mpps = (double)out->packets / t->seconds / 1e6;
	judge(t, q->swaps, out);
	return ret ? ret : t->ret;
}

static int measure(struct place *place, const void *arg, void *result)
{
	static struct traffic_thread t;
	const struct swap_question *q = arg;
	struct ng_gate *gate;
	struct set set;
	double seconds;
	int ret = set_make(&set, q->n);

	t.per_second = q->per_second;
	if (!ret)
		ret = pair_make("swap0", false, &t.pair);
	if (!ret)
		ret = gate_make(place, &t.pair, NG_ENGINE_TRIE, true, set.net, 1, &gate);
	if (!ret)
		ret = replace(gate, &set, DROP_EVEN, &seconds);
	if (ret == -EDOM) /* the one that was there is not new */
		ret = 0;
	if (!ret)
		ret = blast_open(&t.blast, true);
	if (!ret)
		ret = attach_watch(&t);
	if (ret)
		return ret;
	fill_sources(&set, t.blast.source);
	return run(gate, &set, q, &t, result);
}

int swap_measure(const struct swap_question *question, struct swap *out)
{
	*out = (struct swap){ 0 };
	return place_run(measure, question, out, sizeof(*out), LIMIT);
}
