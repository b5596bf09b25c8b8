// SPDX-License-Identifier: GPL-2.0-only
/* A live capture: taps in place, drain passes in a loop, counters, and a clean end in any case. */
#include <errno.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "ctl/capture/capture.h"
#include "ctl/capture/clause.h"
#include "ctl/capture/signals.h"
#include "ctl/capture/taps.h"
#include "ctl/dataplane/gate.h"

#define BUSY_WAIT_MS   20
#define IDLE_WAIT_MS   100
#define FLUSH_NS       1000000000ull
#define STATS_NS       10000000000ull
#define FINAL_PASS_MAX 1000 /* passes of the final drain: a bound, not an expectation */
#define WAKES_AT_ONCE  8

struct live {
	const struct ng_capture_spec *spec;
	struct ng_link link;
	struct ng_rings *rings;
	struct ng_order *order;
	struct ng_taps *taps;
	struct ng_output *out;
	struct ng_link_events *events;
	int promiscuous_fd, epoll_fd;
	int point_of_hook[NG_HOOK_MAX]; /* index of the tap point, -1: none */
	__u64 written[NG_DIR_MAX];	/* per tap point */
	__u64 lost_told[NG_DIR_MAX];	/* ring_full that the file knows of */
	struct ng_clause_cache clauses[NG_DIR_MAX];
	unsigned char scratch[NG_SNAPLEN_MAX + NG_VLAN_TAG];
	int tai_offset;		      /* seconds */
	__u64 start_ns, handed;	      /* wall clock; packets given to the output */
	__u64 next_flush, next_stats; /* monotonic */
	bool gone, detached, full;    /* interface, gate; count reached */
	int write_error;
};

static __u64 now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (__u64)t.tv_sec * 1000000000 + (__u64)t.tv_nsec;
}

static int tai_offset_now(void)
{
	struct timex t = { .modes = 0 };

	return adjtimex(&t) < 0 ? 0 : t.tai;
}

static int check_link(const struct ng_link *link, struct ng_error *err)
{
	if (link->arptype == ARPHRD_ETHER || link->arptype == ARPHRD_LOOPBACK)
		return 0;
	ng_err(err, NG_EXIT_UNSUPPORTED, 0, link->name,
	       "its frames have no Ethernet header (link type %u)", link->arptype);
	ng_err_why(err, "filters and files are made for Ethernet frames");
	return -EOPNOTSUPP;
}

/* A membership of a packet socket that receives nothing:
 * it ends with the descriptor, however the process does. */
static int open_promiscuous(unsigned int ifindex)
{
	const struct packet_mreq mreq = { .mr_ifindex = (int)ifindex,
					  .mr_type = PACKET_MR_PROMISC };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)))
		return fd;
	ng_warn("promiscuous mode: %m%s", errno == EPERM ? ": missing: CAP_NET_RAW" : "");
	if (fd >= 0)
		close(fd);
	return -1;
}

static int watch(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_epoll(struct live *l, int signal_fd, struct ng_error *err)
{
	int rc;

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	rc = l->epoll_fd < 0 ? -errno : watch(l->epoll_fd, signal_fd);
	if (!rc)
		rc = watch(l->epoll_fd, ng_link_events_fd(l->events));
	if (!rc)
		rc = ng_rings_watch(l->rings, l->epoll_fd);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, l->link.name, "cannot wait for packets") : 0;
}

static const char *const hook_word[] = {
	[NG_HOOK_XDP] = "xdp",
	[NG_HOOK_TC_IN] = "tc",
	[NG_HOOK_TC_OUT] = "tc",
};
static const char *const hook_description[] = {
	[NG_HOOK_XDP] = "XDP, in",
	[NG_HOOK_TC_IN] = "tc, in",
	[NG_HOOK_TC_OUT] = "tc, out",
};
static const char *const dir_word[] = { [NG_IN] = "in", [NG_OUT] = "out" };
_Static_assert(sizeof(hook_word) / sizeof(hook_word[0]) == NG_HOOK_MAX, "a word for every hook");

static const char *state_of(const struct ng_tap_point *p)
{
	return p->temporary ? "temporary" : "attached";
}

/* "tc in+out, temporary"; "xdp in, attached; tc out, temporary" */
static void describe_points(const struct live *l, char *buf, size_t size)
{
	size_t n;
	const struct ng_tap_point *p = ng_taps_points(l->taps, &n);

	if (n == 2 && hook_word[p[0].gate->hook] == hook_word[p[1].gate->hook] &&
	    p[0].temporary == p[1].temporary)
		snprintf(buf, size, "%s in+out, %s", hook_word[p[0].gate->hook], state_of(&p[0]));
	else if (n == 2 && p[0].temporary == p[1].temporary)
		snprintf(buf, size, "%s in + %s out, %s", hook_word[p[0].gate->hook],
			 hook_word[p[1].gate->hook], state_of(&p[0]));
	else if (n == 2)
		snprintf(buf, size, "%s in, %s; %s out, %s", hook_word[p[0].gate->hook],
			 state_of(&p[0]), hook_word[p[1].gate->hook], state_of(&p[1]));
	else
		snprintf(buf, size, "%s %s, %s", hook_word[p[0].gate->hook], dir_word[p[0].dir],
			 state_of(&p[0]));
}

static void say_listening(const struct live *l)
{
	char where[128];

	if (ng_log_level < 0)
		return;
	describe_points(l, where, sizeof(where));
	fprintf(stderr,
		"listening on %s (%s), link-type EN10MB (Ethernet), snapshot length %u bytes\n",
		l->link.name, where, l->spec->output.snaplen);
}

static int open_output(struct live *l, struct ng_error *err)
{
	struct ng_file_iface iface[NG_DIR_MAX];
	char description[NG_DIR_MAX][64];
	size_t n;
	const struct ng_tap_point *p = ng_taps_points(l->taps, &n);

	for (size_t i = 0; i < n; i++) {
		snprintf(description[i], sizeof(description[i]), "%s, %s",
			 hook_description[p[i].gate->hook], state_of(&p[i]));
		iface[i] = (struct ng_file_iface){
			.name = l->link.name,
			.description = description[i],
			.filter = l->spec->expression,
			.speed = ng_link_speed(&l->link),
		};
		l->point_of_hook[p[i].gate->hook] = (int)i;
	}
	return ng_output_open(&l->spec->output, iface, n, ng_signals_abandon, &l->out, err);
}

static void describe_verdict(struct live *l, const struct ng_tap_point *p, int point,
			     const struct ng_tap_record *rec, struct ng_packet *pkt)
{
	if (p->gate->maps.control->temporary) {
		pkt->verdict_kind = NG_VERDICT_NONE;
		return;
	}
	if (!rec->clause || (rec->reason != NG_R_ACL_SRC && rec->reason != NG_R_ACL_DST))
		return;
	if (NG_DECIDER_GEN(rec->clause) != (p->gate->maps.acl_gen & 15))
		ng_gate_follow(p->gate, NULL);
	pkt->comment = ng_clause_cached(&l->clauses[point], &p->gate->maps, p->dir, rec->clause,
					rec->verdict);
}

/* One record in the order of time. Non-zero ends the pass. */
static int write_record(const void *data, size_t size, void *arg)
{
	const struct ng_tap_record *rec = data;
	struct live *l = arg;
	struct ng_packet pkt;
	size_t n;
	const struct ng_tap_point *points = ng_taps_points(l->taps, &n);
	int point = rec->hook < NG_HOOK_MAX ? l->point_of_hook[rec->hook] : -1;

	(void)size;
	if (point < 0 || rec->caplen > NG_SNAPLEN_MAX)
		return 0;
	ng_packet_from_record(rec, l->tai_offset, l->scratch, &pkt);
	pkt.iface = (__u32)point;
	pkt.lost = points[point].stats.ring_full - l->lost_told[point];
	l->lost_told[point] = points[point].stats.ring_full;
	describe_verdict(l, &points[point], point, rec, &pkt);
	l->write_error = ng_output_packet(l->out, &pkt);
	if (l->write_error)
		return l->write_error;
	l->written[point]++;
	l->full = l->spec->count && ng_output_packets(l->out) >= l->spec->count;
	return l->full;
}

/* One drain pass. all: hold nothing back. Number of records that came, or -errno. */
static int64_t pass(struct live *l, bool all, bool *more)
{
	uint64_t horizon;
	int64_t n = ng_rings_drain(l->rings, l->order, &horizon, more);
	int rc;

	if (n < 0)
		return n;
	if (!ng_order_held(l->order))
		return n;
	l->tai_offset = tai_offset_now();
	ng_taps_read_stats(l->taps);
	/* Clauses change in place, and others take their ids. */
	for (size_t i = 0; i < NG_DIR_MAX; i++)
		ng_clause_forget(&l->clauses[i]);
	rc = ng_order_take(l->order, all ? UINT64_MAX : horizon, write_record, l);
	if (rc < 0 && !l->write_error)
		return rc;
	if (!l->write_error && ng_output_unbuffered(l->out))
		l->write_error = ng_output_flush(l->out);
	return n;
}

static void write_stats(struct live *l)
{
	size_t n;
	const struct ng_tap_point *p = ng_taps_points(l->taps, &n);

	ng_taps_read_stats(l->taps);
	for (size_t i = 0; i < n && !l->write_error; i++) {
		const struct ng_file_stats s = {
			.wall_ns = now_ns(CLOCK_REALTIME),
			.start_ns = l->start_ns,
			.received = p[i].stats.seen,
			.accepted = p[i].stats.matched,
			.dropped = p[i].stats.ring_full,
			.delivered = l->written[i],
		};

		l->write_error = ng_output_stats(l->out, (__u32)i, &s);
	}
}

/* A program also goes with its interface, whose event may still be on its way. */
/* Tables that were swapped out are let go here, should no record come that asks for the new ones. */
static void look_at_gates(struct live *l)
{
	char name[IF_NAMESIZE];
	size_t n;
	const struct ng_tap_point *point = ng_taps_points(l->taps, &n);

	for (size_t i = 0; i < n; i++)
		ng_gate_follow(point[i].gate, NULL);
	l->detached = ng_taps_detached(l->taps);
	if (l->detached && !if_indextoname(l->link.ifindex, name))
		l->gone = true;
}

/* What is due by the clock: a flush and a look at the gates each second, statistics each ten. */
static void housekeeping(struct live *l)
{
	__u64 now = now_ns(CLOCK_MONOTONIC);

	if (now >= l->next_stats) {
		l->next_stats = now + STATS_NS;
		write_stats(l);
	}
	if (now >= l->next_flush) {
		l->next_flush = now + FLUSH_NS;
		look_at_gates(l);
		if (!l->write_error)
			l->write_error = ng_output_flush(l->out);
	}
}

static void count(struct live *l, struct ng_capture_counts *c)
{
	size_t n;
	const struct ng_tap_point *p = ng_taps_points(l->taps, &n);

	ng_taps_read_stats(l->taps);
	*c = (struct ng_capture_counts){ .captured = ng_output_packets(l->out), .valid = true };
	for (size_t i = 0; i < n; i++) {
		c->accepted += p[i].stats.matched;
		c->ring_full += p[i].stats.ring_full;
		c->sampled_out += p[i].stats.sampled_out;
	}
}

static void say_counts(struct live *l)
{
	struct ng_capture_counts c;

	count(l, &c);
	fprintf(stderr,
		"%llu packets captured, %llu packets received by filter, %llu packets dropped by kernel\n",
		c.captured, c.accepted, c.ring_full);
}

/* Waits for a doorbell, a signal, a link event or the time. */
static void wait_for_more(struct live *l, bool busy)
{
	struct epoll_event ev[WAKES_AT_ONCE];
	int n = epoll_wait(l->epoll_fd, ev, WAKES_AT_ONCE, busy ? BUSY_WAIT_MS : IDLE_WAIT_MS);

	for (int i = 0; i < n; i++)
		if (ev[i].data.fd == ng_link_events_fd(l->events))
			ng_link_events_read(l->events, l->link.ifindex, &l->gone);
	ng_signals_drain();
	if (ng_signals_counts())
		say_counts(l);
}

static bool ended(const struct live *l)
{
	return l->gone || l->detached || l->full || l->write_error || ng_signals_stop();
}

static int run(struct live *l, struct ng_error *err)
{
	bool more = false;
	int64_t n = 0;

	while (!ended(l)) {
		if (!more)
			wait_for_more(l, n > 0);
		n = pass(l, false, &more);
		if (n < 0)
			return ng_err(err, NG_EXIT_FAILED, (int)-n, l->link.name,
				      "reading captured packets failed");
		housekeeping(l);
	}
	return 0;
}

/* The taps are stopped: what the rings still hold is all there will be. */
static void drain_rest(struct live *l)
{
	bool more = true;

	for (int i = 0; i < FINAL_PASS_MAX && more && !l->full && !l->write_error; i++)
		if (pass(l, true, &more) < 0)
			return;
}

/* Packets that the program put into the rings. */
static __u64 taken(struct live *l)
{
	size_t n;
	const struct ng_tap_point *p = ng_taps_points(l->taps, &n);
	__u64 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i].stats.captured;
	return sum;
}

/* Ends the capture in an order that loses nothing: taps, rings, counters, output, taps' places. */
static int finish(struct live *l, struct ng_capture_counts *counts, struct ng_error *err)
{
	int rc;

	ng_taps_stop(l->taps);
	drain_rest(l);
	write_stats(l);
	count(l, counts);
	rc = ng_output_close(l->out, &counts->captured, err);
	l->out = NULL;
	if (l->write_error && rc != -ECHILD)
		rc = l->write_error;
	counts->unwritten = rc ? taken(l) - counts->captured : 0;
	return rc;
}

static int report_end(const struct live *l, int write_error, const struct ng_capture_counts *counts,
		      struct ng_error *err)
{
	const char *path = l->spec->output.path ? l->spec->output.path : "stdout";

	if (write_error == -ECHILD)
		return write_error;
	if (write_error == -EPIPE || write_error == -EINTR)
		return 0;
	if (write_error) {
		ng_err(err, NG_EXIT_FAILED, -write_error, path, "write failed, the capture ended");
		ng_err_why(err, "%llu packets are in it, whole; %llu more had been captured",
			   counts->captured, counts->unwritten);
		return write_error;
	}
	if (l->gone)
		return ng_err(err, NG_EXIT_FAILED, 0, l->link.name,
			      "the interface went away, the capture ended");
	if (l->detached)
		return ng_err(err, NG_EXIT_FAILED, 0, l->link.name,
			      "nicgate was detached from it, the capture ended");
	return 0;
}

static void close_live(struct live *l)
{
	ng_output_close(l->out, NULL, NULL);
	ng_taps_close(l->taps);
	ng_link_events_close(l->events);
	ng_order_free(l->order);
	ng_rings_free(l->rings);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->promiscuous_fd >= 0)
		close(l->promiscuous_fd);
	ng_signals_end();
	free(l);
}

static int open_live(struct live *l, struct ng_error *err)
{
	int signal_fd, rc = ng_link_get(l->spec->device, &l->link, err);

	if (!rc)
		rc = check_link(&l->link, err);
	if (!rc)
		rc = ng_gate_may_attach(err);
	if (!rc)
		rc = ng_link_events_open(&l->events, err);
	if (rc)
		return rc;
	signal_fd = ng_signals_begin();
	if (signal_fd < 0 || ng_order_new(&l->order))
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, l->link.name, "cannot start a capture");
	rc = ng_rings_new(l->spec->buffer, &l->rings, err);
	if (!rc)
		rc = open_epoll(l, signal_fd, err);
	if (!rc)
		rc = ng_taps_open(l->spec, &l->link, l->rings, &l->taps, err);
	if (!rc)
		rc = open_output(l, err);
	if (!rc && l->spec->promiscuous)
		l->promiscuous_fd = open_promiscuous(l->link.ifindex);
	return rc;
}

int ng_capture_live(const struct ng_capture_spec *spec, struct ng_capture_counts *counts,
		    struct ng_error *err)
{
	struct live *l = calloc(1, sizeof(*l));
	int rc, write_error;

	*counts = (struct ng_capture_counts){ .valid = false };
	if (!l)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, spec->device, "cannot start a capture");
	l->spec = spec;
	l->promiscuous_fd = l->epoll_fd = -1;
	for (size_t i = 0; i < NG_HOOK_MAX; i++)
		l->point_of_hook[i] = -1;
	l->start_ns = now_ns(CLOCK_REALTIME);
	l->next_stats = now_ns(CLOCK_MONOTONIC) + STATS_NS;
	rc = open_live(l, err);
	if (!rc) {
		say_listening(l);
		rc = run(l, err);
		write_error = finish(l, counts, rc ? NULL : err);
		if (!rc)
			rc = report_end(l, write_error, counts, err);
	}
	close_live(l);
	return rc;
}
