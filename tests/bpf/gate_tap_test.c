// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taps: a record holds the frame, byte for byte, and what was decided, at every size class, hook
 * and snapshot length; what a tap wanted and did not get is counted.
 */
#include <sched.h>
#include <sys/epoll.h>

#include "ctl/filter/emit.h"
#include "ctl/filter/site.h"
#include "maps/tap.h"
#include "tests/bpf/gate_wire.h"

#define ALL  0 /* slots, by what their filter answers */
#define SOME 1
#define NONE 2
#define LONG 3 /* answers the length that the filter is told */
#define LEFT 5 /* has a lease and rings, but is not compiled in */
#define TAPS (1u << ALL | 1u << SOME | 1u << NONE | 1u << LONG)

#define KEEP_ALL  262144
#define KEEP_SOME 100
#define RING_SIZE (1u << 20)
#define RECORD_16 16 /* what a record's data is aligned to */

static struct gates gates;
static struct ring_buffer *reader;
static int ring_fd = -1, jiffies_fd = -1;

/* The record taken last. */
static struct {
	struct ng_tap_record head;
	uint8_t data[FRAME_MAX];
	unsigned int records;
	bool whole; /* the record is long enough for its caplen, its data aligned */
} last;

static int take(void *arg, void *data, size_t size)
{
	const struct ng_tap_record *r = data;

	(void)arg;
	last.records++;
	last.head = *r;
	last.whole = size >= sizeof(*r) + r->caplen && (uintptr_t)(r + 1) % RECORD_16 == 0;
	if (last.whole)
		memcpy(last.data, r + 1, r->caplen);
	return 0;
}

/* A ring of its own for each test, for all CPUs. */
static bool new_ring(__u32 size)
{
	static const __u32 used[] = { ALL, SOME, NONE, LONG,
				      LEFT }; /* each update is a grace period */
	int cpus = libbpf_num_possible_cpus(), rc = 0;
	int *fds = calloc((size_t)cpus, sizeof(*fds));

	ring_buffer__free(reader);
	if (ring_fd >= 0)
		close(ring_fd);
	ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ng_test", 0, 0, size, NULL);
	reader = ring_buffer__new(ring_fd, take, NULL, NULL);
	for (int i = 0; i < cpus; i++)
		fds[i] = ring_fd;
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]) && !rc; i++) {
		rc = ng_tap_set_rings(&gates.maps, used[i], fds, cpus);
		if (!rc)
			rc = ng_tap_stats_zero(&gates.maps, used[i]);
	}
	free(fds);
	last.records = 0;
	return reader && !rc;
}

static __u32 jiffies(void)
{
	__u64 now = 0;

	ng_jiffies(&jiffies_fd, &now);
	return now;
}

static void open_tap(__u32 slot, __u32 snaplen)
{
	gates.maps.control->tap[slot] = (struct ng_tap_control){
		.lease_jiffies = (jiffies() + 100 * NG_TAP_LEASE_TICKS) | 1,
		.snaplen = snaplen,
		.wakeup_bytes = RING_SIZE,
	};
}

static void close_taps(void)
{
	memset(gates.maps.control->tap, 0, sizeof(gates.maps.control->tap));
}

static struct ng_tap_stats stats(__u32 slot)
{
	struct ng_tap_stats sum = { 0 };

	ng_tap_stats_read(&gates.maps, slot, &sum);
	return sum;
}

/* An IPv4 UDP frame of this length with a pattern behind the headers. */
static void make_frame(struct frame *f, uint32_t len)
{
	frame_set(f, ETH4 IP4("001c", "0000", "11") UDP("c000", "0035"));
	while (f->len < len) {
		f->data[f->len] = (uint8_t)(f->len * 7 + (f->len >> 8));
		f->len++;
	}
}

static bool run_and_drain(enum way way, const struct frame *f)
{
	int action;

	last.records = 0;
	if (gates_run(&gates, way, f, &action))
		return false;
	ring_buffer__consume(reader);
	return true;
}

/* The last record is this frame's, cut to caplen. */
static bool record_is(enum way way, const struct frame *f, uint32_t caplen, uint32_t snaplen)
{
	const struct ng_tap_record *r = &last.head;
	bool xdp = ways[way].hook == NG_HOOK_XDP;

	return last.records == 1 && last.whole && r->caplen == caplen && r->wirelen == f->len &&
	       r->snaplen == snaplen && r->hook == ways[way].hook && r->verdict == NG_PASS &&
	       r->reason == NG_R_DEFAULT && r->clause == 0 &&
	       r->action == (xdp ? XDP_PASS : (TC_ACT_UNSPEC & 0xff)) &&
	       r->vlan_tpid == (ways[way].tagged ? TAG_TPID : 0) &&
	       r->vlan_tci == (ways[way].tagged ? TAG_TCI : 0) &&
	       !memcmp(last.data, f->data, caplen);
}

static void show_record(enum way way, const struct frame *f)
{
	const struct ng_tap_record *r = &last.head;

	printf("#   %s, %u bytes: %u records; caplen %u wirelen %u snaplen %u verdict %u reason %u "
	       "tag %04x %04x\n",
	       ways[way].name, f->len, last.records, r->caplen, r->wirelen, r->snaplen, r->verdict,
	       r->reason, r->vlan_tpid, r->vlan_tci);
}

static void test_sizes(void)
{
	static const uint32_t border[] = { 96,	 256,	640,   1536,  4096, 9000,
					   9216, 16384, 60000, 65536, 65548 };
	unsigned int runs[WAYS] = { 0 }, wrong[WAYS] = { 0 };
	struct frame f;

	for (size_t i = 0; i < sizeof(border) / sizeof(border[0]); i++)
		for (uint32_t len = border[i] - 1; len <= border[i] + 1; len++)
			for (int way = 0; way < WAYS; way++) {
				make_frame(&f, len);
				if (!run_and_drain(way, &f))
					continue;
				runs[way]++;
				if (record_is(way, &f, len, KEEP_ALL))
					continue;
				if (wrong[way]++ == 0)
					show_record(way, &f);
			}
	for (int way = 0; way < WAYS; way++)
		ok(runs[way] >= 12 && !wrong[way],
		   "%s: whole frames around the size classes: %u of %u wrong", ways[way].name,
		   wrong[way], runs[way]);
	ok(runs[XDP_MULTI] == 33, "xdp: up to 65549 bytes in many buffers");
}

static void test_snaplen(void)
{
	/* snapshot length; bytes of a frame of 60, untagged and with a tag in metadata */
	static const struct {
		__u32 snaplen, plain, tagged;
	} row[] = {
		{ 0, 0, 0 },	{ 1, 1, 1 },	{ 12, 12, 12 }, { 13, 13, 12 },
		{ 15, 15, 12 }, { 16, 16, 12 }, { 17, 17, 13 }, { 59, 59, 55 },
		{ 60, 60, 56 }, { 63, 60, 59 }, { 64, 60, 60 }, { 65, 60, 60 },
	};
	struct frame f;

	make_frame(&f, 60);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		bool good = true;

		open_tap(ALL, row[i].snaplen);
		for (int way = 0; way < WAYS; way++) {
			__u32 want = ways[way].tagged ? row[i].tagged : row[i].plain;

			if (run_and_drain(way, &f) && record_is(way, &f, want, row[i].snaplen))
				continue;
			show_record(way, &f);
			good = false;
		}
		ok(good, "snapshot length %u", row[i].snaplen);
	}
	open_tap(ALL, KEEP_ALL);
}

static void test_filters(void)
{
	struct ng_tap_stats all, some, none, left;
	struct frame f;

	new_ring(RING_SIZE);
	make_frame(&f, 300);
	open_tap(SOME, KEEP_ALL);
	open_tap(NONE, KEEP_ALL);
	open_tap(LEFT, KEEP_ALL);
	run_and_drain(TC_PLAIN, &f);
	all = stats(ALL), some = stats(SOME), none = stats(NONE), left = stats(LEFT);
	is_int(last.records, 2, "a record for each tap whose filter matches");
	is_int(last.head.caplen, KEEP_SOME, "the filter's answer is how much is kept");
	ok(all.seen == 1 && all.matched == 1 && all.captured == 1, "matching tap: counted");
	ok(some.seen == 1 && some.matched == 1 && some.captured == 1, "second tap: counted");
	ok(none.seen == 1 && !none.matched && !none.captured, "filter answers 0: seen only");
	ok(!left.seen, "a slot not compiled in sees nothing");
	close_taps();
}

static void test_length(void)
{
	static const uint32_t lengths[] = { 60, 61, 1514, 9000 };
	struct frame f;

	new_ring(RING_SIZE);
	open_tap(LONG, KEEP_ALL);
	for (int way = 0; way < WAYS; way++) {
		uint32_t tag = ways[way].tagged ? 4 : 0;
		bool good = true;
		unsigned int runs = 0;

		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			make_frame(&f, lengths[i]);
			if (!run_and_drain(way, &f))
				continue;
			runs++;
			good &= last.records == 1 && last.head.snaplen == f.len + tag;
		}
		ok(good && runs >= 3, "%s: a filter is told the length on the wire",
		   ways[way].name);
	}
	close_taps();
}

static void test_verdict(void)
{
	static const struct {
		const char *name;
		int setting, verdict, reason;
	} row[] = {
		{ "dropped by a clause", ON_PORT, NG_DROP, NG_R_ACL_SRC },
		{ "passed by a clause", DEFAULT_DROP_PASS, NG_PASS, NG_R_ACL_SRC },
		{ "dropped by default", DEFAULT_DROP, NG_DROP, NG_R_DEFAULT },
	};
	struct frame f;

	open_tap(ALL, KEEP_ALL);
	make_frame(&f, 60);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		bool good = true;

		gates_set(&gates, &settings[row[i].setting]);
		for (int way = 0; way < WAYS; way++) {
			bool xdp = ways[way].hook == NG_HOOK_XDP, drop = row[i].verdict == NG_DROP;
			int action = xdp ? (drop ? XDP_DROP : XDP_PASS)
					 : (drop ? TC_ACT_SHOT : TC_ACT_UNSPEC);
			struct ng_acl_entry clause = { 0 };

			good = good && run_and_drain(way, &f) && last.records == 1 &&
			       last.head.verdict == row[i].verdict &&
			       last.head.reason == row[i].reason &&
			       last.head.action == (action & 0xff);
			if (row[i].reason == NG_R_ACL_SRC)
				good = good &&
				       !ng_acl_entry_get(&gates.maps.acl,
							 NG_DECIDER_CLAUSE(last.head.clause),
							 &clause) &&
				       clause.verdict == row[i].verdict &&
				       clause.key.prefix.family == NG_IPV4;
			else
				good = good && last.head.clause == 0;
		}
		ok(good, "the record of a packet %s says so", row[i].name);
	}
	gates_set(&gates, &settings[NO_CLAUSE]);
}

static void test_ring_full(void)
{
	const unsigned int sent = 100, room = 4096 / (8 + 40 + 96);
	struct ng_tap_stats s;
	struct frame f;
	int action;

	new_ring(4096);
	make_frame(&f, 60);
	for (unsigned int i = 0; i < sent; i++)
		gates_run(&gates, XDP_LINEAR, &f, &action);
	ring_buffer__consume(reader);
	s = stats(ALL);
	is_int(last.records, room, "a full ring: what fits is there");
	ok(s.captured == room && s.ring_full == sent - room && s.matched == sent,
	   "a full ring: the others are counted");
	is_int(run_and_drain(XDP_LINEAR, &f) && last.records == 1, 1, "drained, it takes more");
}

static void test_sampling(void)
{
	static const unsigned int every[] = { 0, 1, 2, 7, 1000 };
	const unsigned int sent = 100;
	struct frame f;
	int action;

	make_frame(&f, 60);
	for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
		unsigned int n = every[i] ? every[i] : 1, want = (sent + n - 1) / n;
		struct ng_tap_stats s;

		new_ring(RING_SIZE);
		gates.maps.control->tap[ALL].sample_every = every[i];
		for (unsigned int k = 0; k < sent; k++)
			gates_run(&gates, TC_PLAIN, &f, &action);
		ring_buffer__consume(reader);
		s = stats(ALL);
		ok(last.records == want && s.captured == want && s.sampled_out == sent - want,
		   "one in %u of %u packets: %u", every[i], sent, last.records);
	}
	gates.maps.control->tap[ALL].sample_every = 0;
}

static void test_lease(void)
{
	struct ng_tap_control *tap = &gates.maps.control->tap[ALL];
	struct frame f;

	new_ring(RING_SIZE);
	make_frame(&f, 60);
	tap->lease_jiffies = (jiffies() - 1) ?: 1;
	run_and_drain(TC_PLAIN, &f);
	is_int(stats(ALL).seen, 0, "a tap whose lease has ended is inert");
	tap->lease_jiffies = 0;
	run_and_drain(TC_PLAIN, &f);
	is_int(stats(ALL).seen, 0, "a tap without a lease is inert");
	open_tap(ALL, KEEP_ALL);
	run_and_drain(TC_PLAIN, &f);
	is_int(stats(ALL).captured, 1, "a renewed one captures");
}

static void test_wakeup(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), action;
	struct frame f;

	new_ring(RING_SIZE);
	make_frame(&f, 60);
	epoll_ctl(epoll, EPOLL_CTL_ADD, ring_fd, &event);
	gates.maps.control->tap[ALL].wakeup_bytes = 2 * (8 + 40 + 96);
	gates_run(&gates, TC_PLAIN, &f, &action);
	is_int(epoll_wait(epoll, &event, 1, 0), 0, "a backlog below the mark wakes nobody");
	gates_run(&gates, TC_PLAIN, &f, &action);
	is_int(epoll_wait(epoll, &event, 1, 2000), 1, "at the mark the reader is woken");
	close(epoll);
	open_tap(ALL, KEEP_ALL);
}

static void test_paged(void)
{
	struct wire wire;
	struct frame f;

	new_ring(RING_SIZE);
	if (!ok(wire_open(&wire, gates.prog_fd[TC_PLAIN]), "attached to lo"))
		return;
	make_frame(&f, 65000);
	last.records = 0;
	ok(wire_send(&wire, &f), "sent");
	ring_buffer__consume(reader);
	is_int(wire_linear(&wire), ETH_HLEN, "tc: only the Ethernet header was linear");
	ok(record_is(TC_PLAIN, &f, f.len, KEEP_ALL), "tc: 65000 bytes in pages, whole");
}

/* *bytes: of the first function, the only one that every packet passes through. */
static __u32 functions(int prog_fd, __u32 *bytes)
{
	__u32 size[16] = { 0 }, len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_jited_func_lens = 16,
				      .jited_func_lens = (__u64)(unsigned long)size };

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return 0;
	*bytes = size[0];
	return info.nr_jited_func_lens;
}

/* Main program and extension headers; with taps also the filters and what writes records. */
static void test_no_taps(void)
{
	struct gates none;
	__u32 bytes_with = 0, bytes_without = 0;
	__u32 with = functions(gates.prog_fd[TC_PLAIN], &bytes_with), without;

	if (!with) {
		tap_skip("the JIT is off: functions are not told");
		return;
	}
	ok(gates_load(&none, 0, NULL), "programs without taps load");
	without = functions(none.prog_fd[TC_PLAIN], &bytes_without);
	ok(bytes_without && bytes_without < bytes_with, "without taps nothing asks for them (%u)",
	   bytes_without);
	if (without == with)
		tap_skip("before Linux 6.8 functions stay though nothing reaches them");
	else
		is_int(with - without, 2, "neither filters nor the ring code are there");
}

/* A temporary capture's program only looks. */
static void test_tap_only(const struct ng_ebpf filter[NG_TAPS_MAX])
{
	struct ng_load spec = { .object = "test",
				.hook = NG_HOOK_TC_IN,
				.tap_only = true,
				.taps = TAPS,
				.filter = filter };
	struct ng_error err = { 0 };
	struct frame f;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f.data);
	int fd = -1;

	gates_set(&gates, &settings[DEFAULT_DROP]);
	new_ring(RING_SIZE);
	make_frame(&f, 60);
	opts.data_size_in = f.len;
	ok(!ng_load(&spec, &gates.maps, &fd, &err), "tap-only program loads");
	ok(!bpf_prog_test_run_opts(fd, &opts) && (int)opts.retval == TC_ACT_UNSPEC,
	   "tap-only: passes under default drop");
	ring_buffer__consume(reader);
	ok(last.records == 1 && last.head.verdict == NG_PASS && last.head.reason == NG_R_DEFAULT,
	   "tap-only: captures");
	ok(!gates_counted(&gates, f.len).exact, "tap-only: counts nothing");
	gates_set(&gates, &settings[NO_CLAUSE]);
}

static bool translate(struct ng_ebpf filter[NG_HOOK_MAX][NG_TAPS_MAX], __u32 slot,
		      struct sock_filter *insns, size_t n)
{
	const struct ng_cbpf program = { .insns = insns, .n = n };
	struct ng_error err = { 0 };

	return !ng_filter_translate(&program, NG_CTX_XDP, 0, &filter[NG_HOOK_XDP][slot], &err) &&
	       !ng_filter_translate(&program, NG_CTX_TC, 0, &filter[NG_HOOK_TC_IN][slot], &err);
}

static bool translate_all(struct ng_ebpf filter[NG_HOOK_MAX][NG_TAPS_MAX])
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, KEEP_ALL);
	struct sock_filter some = BPF_STMT(BPF_RET | BPF_K, KEEP_SOME);
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_filter length[] = { BPF_STMT(BPF_LD | BPF_LEN, 0),
					BPF_STMT(BPF_RET | BPF_A, 0) };

	return translate(filter, ALL, &all, 1) && translate(filter, SOME, &some, 1) &&
	       translate(filter, NONE, &none, 1) && translate(filter, LONG, length, 2);
}

/* In the place of a call: takes all it may from the host, then calls. */
static int call_in_place(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	const struct ng_place *ctx = &site->ctx, *len = &site->len;
	const struct bpf_insn insns[] = {
		NG_STORE_I(BPF_DW, BPF_REG_10, site->stack_free - 8, -1),
		NG_MOV_I(BPF_REG_0, -1),
		NG_MOV_I(BPF_REG_4, -1),
		NG_MOV_I(BPF_REG_5, -1),
		ctx->kind == NG_PLACE_REG ? NG_MOV(BPF_REG_1, ctx->reg)
					  : NG_LOAD(BPF_DW, BPF_REG_1, BPF_REG_10, ctx->off),
		NG_MOV_I(BPF_REG_2, site->slot),
		len->kind == NG_PLACE_REG ? NG_MOV(BPF_REG_3, len->reg)
					  : NG_LOAD(BPF_DW, BPF_REG_3, BPF_REG_10, len->off),
		NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, NG_CALL_STUB),
	};

	(void)arg;
	out->insns = malloc(sizeof(insns));
	if (!out->insns)
		return -ENOMEM;
	memcpy(out->insns, insns, sizeof(insns));
	out->n = sizeof(insns) / sizeof(insns[0]);
	return 0;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void test_all(const struct ng_ebpf filter[NG_HOOK_MAX][NG_TAPS_MAX])
{
	if (!ok(gates_load(&gates, TAPS, filter) && new_ring(RING_SIZE), "all programs load"))
		return;
	gates_set(&gates, &settings[NO_CLAUSE]);
	open_tap(ALL, KEEP_ALL);
	test_sizes();
	test_snaplen();
	test_filters();
	test_length();
	test_verdict();
	test_ring_full();
	test_sampling();
	test_lease();
	test_wakeup();
	test_tap_only(filter[NG_HOOK_TC_IN]);
	test_paged();
}

int main(void)
{
	static struct ng_ebpf filter[NG_HOOK_MAX][NG_TAPS_MAX];

	if (geteuid())
		tap_skip_all("loading BPF programs needs root");
	stay_on_one_cpu();
	ok(translate_all(filter), "filters translate");
	test_all(filter);
	test_no_taps();
	printf("# the same with filters in the place of calls\n");
	gates_inline = call_in_place;
	test_all(filter);
	return tap_done();
}
