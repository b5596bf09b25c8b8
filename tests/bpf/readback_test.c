// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taps from both sides: what the program writes into the rings is what it was shown, every packet
 * it wanted is counted as captured or lost, and a slot tells whether its owner lives.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/capture/rings.h"
#include "ctl/dataplane/gate.h"
#include "maps/tap.h"
#include "tests/tap.h"

#define LEN_MAX	  9214
#define SLOT	  0
#define RING_RUNS 2000 /* of 1500 bytes: more than a ring of the least size holds */

struct bench {
	enum ng_hook hook;
	struct ng_gate *gate;
	struct ng_rings *rings;
	struct ng_order *order;
	int jiffies_fd;
	unsigned char frame[LEN_MAX];
};

/* What came out of the rings. */
struct seen {
	const struct bench *b;
	__u32 len, snaplen;
	unsigned int records, wrong;
};

static __u64 tai_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_TAI, &t);
	return (__u64)t.tv_sec * 1000000000 + (__u64)t.tv_nsec;
}

static int check_record(const void *data, size_t size, void *arg)
{
	const struct ng_tap_record *rec = data;
	struct seen *s = arg;
	const struct bench *b = s->b;
	__u32 want = s->len < s->snaplen ? s->len : s->snaplen;
	__u8 action = b->hook == NG_HOOK_XDP ? XDP_PASS : (__u8)TC_ACT_UNSPEC;

	s->records++;
	s->wrong += size != sizeof(*rec) + want || rec->caplen != want || rec->wirelen != s->len;
	s->wrong += memcmp(rec + 1, b->frame, want) != 0;
	s->wrong += rec->hook != b->hook || rec->verdict != NG_PASS || rec->action != action;
	s->wrong += rec->clause || rec->vlan_tpid || rec->snaplen < want;
	s->wrong += tai_now() - rec->tai_ns > 10000000000ull;
	return 0;
}

static int renew(struct bench *b)
{
	__u64 now;
	int rc = ng_jiffies(&b->jiffies_fd, &now);

	b->gate->maps.control->tap[SLOT].lease_jiffies = (now + NG_TAP_LEASE_TICKS) | 1;
	return rc;
}

static int run(const struct bench *b, __u32 len, int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = b->frame, .data_size_in = len,
		    .repeat = times);

	return bpf_prog_test_run_opts(b->gate->prog_fd, &opts) ? -errno : 0;
}

static void drain(struct bench *b, struct seen *s)
{
	uint64_t horizon;
	bool more = true;

	while (more && ng_rings_drain(b->rings, b->order, &horizon, &more) >= 0)
		;
	ng_order_take(b->order, UINT64_MAX, check_record, s);
}

static struct ng_tap_stats stats(const struct bench *b)
{
	struct ng_tap_stats s = { 0 };

	ng_tap_stats_read(&b->gate->maps, SLOT, &s);
	return s;
}

static int open_bench(struct bench *b, enum ng_hook hook)
{
	const struct ng_gate_spec spec = { .tap_only = true };
	const struct ng_cbpf every = { .n = 0 };
	struct ng_error err = { 0 };
	const int *fds;
	int cpus, rc;

	*b = (struct bench){ .hook = hook, .jiffies_fd = -1 };
	for (size_t i = 0; i < sizeof(b->frame); i++)
		b->frame[i] = (unsigned char)(i * 7 + i / 256);
	memcpy(b->frame + 12, "\x88\xb5", 2); /* a type of no protocol */
	rc = ng_gate_load(hook, &every, &spec, &b->gate, &err);
	if (!rc)
		rc = ng_rings_new(1, &b->rings, &err);
	if (rc) {
		printf("# %s: %s\n", err.object, err.what);
		return rc;
	}
	fds = ng_rings_fds(b->rings, &cpus);
	rc = ng_tap_set_rings(&b->gate->maps, SLOT, fds, cpus);
	if (!rc)
		rc = ng_order_new(&b->order);
	b->gate->maps.control->tap[SLOT].snaplen = 262144;
	b->gate->maps.control->tap[SLOT].wakeup_bytes = ~0u;
	return rc ? rc : renew(b);
}

static void close_bench(struct bench *b)
{
	ng_gate_close(b->gate);
	ng_rings_free(b->rings);
	ng_order_free(b->order);
	if (b->jiffies_fd >= 0)
		close(b->jiffies_fd);
}

/* Every length up to 300, around size classes, and the longest that the hook's test runs take. */
static void test_lengths(struct bench *b)
{
	static const __u32 edge[] = { 640, 1514, 1536, 3518, 4096, 9212 };
	const size_t edges = b->hook == NG_HOOK_XDP ? 6 : 4;
	struct seen s = { .b = b, .snaplen = 262144 };
	unsigned int runs = 0, refused = 0;

	for (__u32 len = 14; len <= 300; len++) {
		s.len = len;
		refused += run(b, len, 1) != 0;
		runs++;
		drain(b, &s);
	}
	for (size_t i = 0; i < edges; i++)
		for (__u32 len = edge[i] - 2; len <= edge[i] + 2; len++) {
			s.len = len;
			refused += run(b, len, 1) != 0;
			runs++;
			drain(b, &s);
		}
	is_int(refused, 0, "%s: test runs take frames of all lengths", ng_hook_name[b->hook]);
	is_int(s.records, runs, "%s: each makes one record", ng_hook_name[b->hook]);
	is_int(s.wrong, 0, "%s: that says and holds what the frame was", ng_hook_name[b->hook]);
}

static void test_snaplen(struct bench *b)
{
	static const __u32 snaplen[] = { 1, 13, 14, 60, 96, 97, 1499, 1500, 1501 };
	struct seen s = { .b = b, .len = 1500 };
	size_t n = sizeof(snaplen) / sizeof(snaplen[0]);

	for (size_t i = 0; i < n; i++) {
		s.snaplen = b->gate->maps.control->tap[SLOT].snaplen = snaplen[i];
		run(b, 1500, 1);
		drain(b, &s);
	}
	b->gate->maps.control->tap[SLOT].snaplen = 262144;
	is_int(s.records, (long long)n, "%s: one record for each snapshot length",
	       ng_hook_name[b->hook]);
	is_int(s.wrong, 0, "%s: cut where it says, the length on the wire kept",
	       ng_hook_name[b->hook]);
}

static void test_sample(struct bench *b)
{
	struct seen s = { .b = b, .len = 60, .snaplen = 262144 };
	struct ng_tap_stats before, after;

	ng_tap_stats_zero(&b->gate->maps, SLOT);
	before = stats(b);
	b->gate->maps.control->tap[SLOT].sample_every = 4;
	run(b, 60, 100);
	b->gate->maps.control->tap[SLOT].sample_every = 0;
	drain(b, &s);
	after = stats(b);
	is_int((long long)before.seen, 0, "%s: counters start at zero", ng_hook_name[b->hook]);
	is_int(s.records, 25, "%s: one in four of 100", ng_hook_name[b->hook]);
	ok(after.seen == 100 && after.matched == 100 && after.sampled_out == 75 &&
		   after.captured == 25,
	   "%s: counted as such", ng_hook_name[b->hook]);
}

/* Nobody reads: what does not fit is counted, and what fits is whole. */
static void test_ring_full(struct bench *b)
{
	struct seen s = { .b = b, .len = 1500, .snaplen = 262144 };
	struct ng_tap_stats after;

	ng_tap_stats_zero(&b->gate->maps, SLOT);
	run(b, 1500, RING_RUNS);
	drain(b, &s);
	after = stats(b);
	ok(after.ring_full > 0 && after.captured > 0, "%s: a ring that is not read gets full",
	   ng_hook_name[b->hook]);
	is_int((long long)(after.captured + after.ring_full), RING_RUNS,
	       "%s: captured and lost are all", ng_hook_name[b->hook]);
	is_int(s.records, (long long)after.captured, "%s: what is captured can be read",
	       ng_hook_name[b->hook]);
	is_int(s.wrong, 0, "%s: and is whole", ng_hook_name[b->hook]);
}

static void test_lease(struct bench *b)
{
	struct seen s = { .b = b, .len = 60, .snaplen = 262144 };
	__u32 *lease = &b->gate->maps.control->tap[SLOT].lease_jiffies;
	__u64 now = 0;

	ng_tap_stats_zero(&b->gate->maps, SLOT);
	*lease = 0;
	run(b, 60, 10);
	ng_jiffies(&b->jiffies_fd, &now);
	*lease = now - 1;
	run(b, 60, 10);
	drain(b, &s);
	ok(!s.records && !stats(b).seen, "%s: without a lease, or behind its end, a tap is inert",
	   ng_hook_name[b->hook]);
	renew(b);
	run(b, 60, 10);
	drain(b, &s);
	is_int(s.records, 10, "%s: a renewed one goes on", ng_hook_name[b->hook]);
}

static void test_slots(struct ng_maps *m)
{
	static const __u64 code[3] = { 1, 2, 3 };
	struct ng_tap_conf conf = { .expression = "udp" }, back;
	int jiffies_fd = -1;
	void *words = NULL;
	size_t size = 0;
	__u64 now = 0;
	pid_t child;

	ok(!ng_jiffies(&jiffies_fd, &now), "jiffies can be read");
	close(jiffies_fd);
	for (int i = 0; i < NG_TAPS_MAX; i++)
		is_int(ng_tap_claim(m, &conf, code, sizeof(code)), i, "slot %d is claimed", i);
	is_int(ng_tap_claim(m, &conf, code, sizeof(code)), -ENOSPC, "and no other");
	ok(!ng_tap_read_code(m, 5, &words, &size) && size == sizeof(code) &&
		   !memcmp(words, code, size),
	   "its code can be read");
	free(words);
	is_int(ng_tap_release(m, 5), 0, "one is released");
	is_int(ng_tap_read(m, 5, &back), -ENOENT, "and free");
	is_int(ng_tap_read_code(m, 5, &words, &size), -ENOENT, "its code forgotten");
	is_int(ng_tap_claim(m, &conf, code, 7), -EINVAL, "code comes in words");
	is_int(ng_tap_claim(m, &conf, code, NG_TAP_CODE_MAX + 8), -E2BIG, "and has a limit");
	is_int(ng_tap_read(m, 5, &back), -ENOENT, "a claim that fails takes no slot");

	child = fork();
	if (!child)
		_exit(ng_tap_claim(m, &conf, code, sizeof(code)) == 5 ? 0 : 1);
	siginfo_t info;
	int status = -1;
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	ok(!ng_tap_read(m, 5, &back) && !strcmp(back.expression, "udp"), "with its expression");
	ok(!ng_tap_is_ours(&back), "it is not ours");
	m->control->tap[5].lease_jiffies = now + NG_TAP_LEASE_TICKS;
	is_int(ng_tap_is_dead(m, 5, &back, now), 1, "an owner not yet waited for is dead");
	waitpid(child, &status, 0);
	is_int(status, 0, "another process claimed it");
	is_int(ng_tap_is_dead(m, 5, &back, now), 1, "an owner that ended is dead, lease or not");
	ok(!ng_tap_read(m, 4, &back), "another slot");
	ok(ng_tap_is_ours(&back), "it is ours");
	m->control->tap[4].lease_jiffies = now - 1;
	is_int(ng_tap_is_dead(m, 4, &back, now), 0, "an owner that lives is not, lease or not");
	back.owner_start--;
	ok(!ng_tap_is_ours(&back), "a process of another time with our number is not us");
	is_int(ng_tap_is_dead(m, 4, &back, now), 1, "its number given to a later process: dead");
	back.owner_pidns++;
	is_int(ng_tap_is_dead(m, 4, &back, now), 1, "out of sight: dead when the lease is over");
	m->control->tap[4].lease_jiffies = now + NG_TAP_LEASE_TICKS;
	is_int(ng_tap_is_dead(m, 4, &back, now), 0, "and alive until then");
	m->control->tap[4].lease_jiffies = 5;
	is_int(ng_tap_is_dead(m, 4, &back, 0xfffffff0), 0, "also where jiffies wrap");
}

int main(void)
{
	static const enum ng_hook hook[] = { NG_HOOK_XDP, NG_HOOK_TC_IN, NG_HOOK_TC_OUT };
	static struct bench b;

	if (geteuid())
		tap_skip_all("needs root");
	for (size_t i = 0; i < sizeof(hook) / sizeof(hook[0]); i++) {
		if (!ok(!open_bench(&b, hook[i]), "%s: program, rings and lease",
			ng_hook_name[hook[i]]))
			continue;
		test_lengths(&b);
		test_snaplen(&b);
		test_sample(&b);
		test_ring_full(&b);
		test_lease(&b);
		if (hook[i] == NG_HOOK_XDP)
			test_slots(&b.gate->maps);
		close_bench(&b);
	}
	return tap_done();
}
