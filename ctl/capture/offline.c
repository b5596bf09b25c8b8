// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets of a savefile through the very program that an interface would run: BPF_PROG_TEST_RUN for
 * each, and the tap's record says whether, and how much of it, the filter kept.
 *
 * What a test run cannot be given is answered by libpcap's interpreter: records that hold less than
 * the frame (the program would see a shorter frame), frames without a whole Ethernet header, and
 * what the kernel refuses for its size. ng_debug() tells how many.
 */
#include "ctl/filter/pcap.h"
#include "ctl/capture/capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <stdint.h>
#include <unistd.h>

#include "ctl/capture/rings.h"
#include "ctl/capture/signals.h"
#include "ctl/dataplane/gate.h"
#include "maps/tap.h"

#define RING_BYTES	 (4ull << 20)	 /* holds one record at a time */
#define LEASE_TICKS	 (INT32_MAX / 2) /* 12 days and more: the reader of our output may stall */
#define LEASE_RENEW_RUNS 100000
#define DLT_ETHERNET	 1

struct offline {
	const struct ng_capture_spec *spec;
	pcap_t *pcap;
	struct ng_gate *gate;
	struct ng_rings *rings;
	struct ng_order *order;
	struct ng_output *out;
	int jiffies_fd;
	__u64 runs, interpreted, matched, sampled_out, handed;
};

static int open_savefile(struct offline *o, struct ng_error *err)
{
	const char *path = o->spec->savefile;
	char why[PCAP_ERRBUF_SIZE];

	o->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!o->pcap)
		return ng_err(err, NG_EXIT_FAILED, 0, path, "cannot be read: %s", why);
	if (pcap_datalink(o->pcap) != DLT_ETHERNET) {
		const char *name = pcap_datalink_val_to_name(pcap_datalink(o->pcap));

		ng_err(err, NG_EXIT_UNSUPPORTED, 0, path,
		       "its link type is %s, not EN10MB (Ethernet)", name ? name : "unknown");
		ng_err_why(err, "the program filters Ethernet frames");
		ng_err_try(err, "tcpdump -r %s", path);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int renew_lease(struct offline *o)
{
	__u32 now;
	int rc = ng_jiffies(&o->jiffies_fd, &now);

	if (!rc)
		o->gate->maps.control->tap[0].lease_jiffies = (now + LEASE_TICKS) | 1;
	return rc;
}

/* The program with the filter in slot 0, and rings for it. */
static int load_program(struct offline *o, struct ng_error *err)
{
	const struct ng_gate_spec spec = { .tap_only = true,
					   .filter_flags = o->spec->filter_flags };
	enum ng_hook hook = o->spec->hook == NG_HOOK_WISH_TC ? NG_HOOK_TC_IN : NG_HOOK_XDP;
	int cpus, rc = ng_gate_load(hook, o->spec->filter, &spec, &o->gate, err);
	const int *fds;

	if (rc)
		return rc;
	rc = ng_rings_new(RING_BYTES, &o->rings, err);
	if (rc)
		return rc;
	fds = ng_rings_fds(o->rings, &cpus);
	o->gate->maps.control->tap[0].snaplen = NG_SNAPLEN_MAX;
	o->gate->maps.control->tap[0].wakeup_bytes = ~0u;
	rc = ng_tap_set_rings(&o->gate->maps, 0, fds, cpus);
	if (!rc)
		rc = ng_order_new(&o->order);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, o->spec->savefile, "cannot set up a tap") : 0;
}

static int take_snaplen(const void *data, size_t size, void *arg)
{
	const struct ng_tap_record *rec = data;
	__u32 *snaplen = arg;

	(void)size;
	*snaplen = rec->snaplen;
	return 0;
}

/* *keep: 0, or the snapshot length. -errno: a test run is not possible with this packet. */
static int ask_program(struct offline *o, const void *data, __u32 len, __u32 *keep)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = data, .data_size_in = len, .repeat = 1);
	uint64_t horizon;
	bool more;
	int rc;

	*keep = 0;
	if (o->runs++ % LEASE_RENEW_RUNS == 0) {
		rc = renew_lease(o);
		if (rc)
			return rc;
	}
	if (bpf_prog_test_run_opts(o->gate->prog_fd, &run))
		return -errno;
	if (ng_rings_drain(o->rings, o->order, &horizon, &more) <= 0)
		return 0;
	return ng_order_take(o->order, UINT64_MAX, take_snaplen, keep);
}

static __u32 ask_for(struct offline *o, const struct pcap_pkthdr *h, const unsigned char *data)
{
	__u32 keep;

	if (h->caplen == h->len && h->len >= ETHER_HDR_LEN && !ask_program(o, data, h->len, &keep))
		return keep;
	o->interpreted++;
	return ng_filter_interpret(o->spec->filter, data, h->len, h->caplen);
}

static bool sampled(struct offline *o)
{
	bool chosen = o->spec->sample_every <= 1 || o->matched % o->spec->sample_every == 0;

	o->matched++;
	o->sampled_out += !chosen;
	return chosen;
}

static int take_packet(struct offline *o, const struct pcap_pkthdr *h, const unsigned char *data)
{
	struct ng_packet pkt = {
		.wall_ns = (__u64)h->ts.tv_sec * 1000000000 + (__u64)h->ts.tv_usec,
		.data = data,
		.caplen = h->caplen,
		.wirelen = h->len,
		.verdict_kind = NG_VERDICT_NONE,
	};
	__u32 keep = ask_for(o, h, data);

	if (!keep || !sampled(o))
		return 0;
	if (keep > o->spec->output.snaplen)
		keep = o->spec->output.snaplen;
	if (pkt.caplen > keep)
		pkt.caplen = keep;
	o->handed++;
	return ng_output_packet(o->out, &pkt);
}

static bool enough(const struct offline *o)
{
	return ng_signals_stop() || (o->spec->count && o->handed >= o->spec->count);
}

/* -errno of a write, or of reading with *err filled. */
static int read_packets(struct offline *o, struct ng_error *err)
{
	const unsigned char *data;
	struct pcap_pkthdr *h;
	int got = 1, rc = 0;

	while (!rc && !enough(o) && (got = pcap_next_ex(o->pcap, &h, &data)) == 1)
		rc = take_packet(o, h, data);
	if (got == PCAP_ERROR)
		return ng_err(err, NG_EXIT_FAILED, 0, o->spec->savefile, "%s",
			      pcap_geterr(o->pcap));
	return rc;
}

static int open_all(struct offline *o, struct ng_error *err)
{
	char description[320];
	const struct ng_file_iface iface = {
		.name = "savefile",
		.description = description,
		.filter = o->spec->expression,
	};
	int rc = open_savefile(o, err);

	snprintf(description, sizeof(description), "from %s", o->spec->savefile);
	if (!rc)
		rc = load_program(o, err);
	if (!rc)
		rc = ng_output_open(&o->spec->output, &iface, 1, ng_signals_abandon, &o->out, err);
	return rc;
}

static void close_all(struct offline *o)
{
	ng_output_close(o->out, NULL, NULL);
	ng_order_free(o->order);
	ng_rings_free(o->rings);
	ng_gate_close(o->gate);
	if (o->pcap)
		pcap_close(o->pcap);
	if (o->jiffies_fd >= 0)
		close(o->jiffies_fd);
	ng_signals_end();
}

static int finish(struct offline *o, int rc, struct ng_capture_counts *counts, struct ng_error *err)
{
	const char *path = o->spec->output.path ? o->spec->output.path : "stdout";
	int write_error;

	ng_debug("%s: %llu packets by the program, %llu by libpcap's interpreter",
		 o->spec->savefile, o->runs, o->interpreted);
	write_error = ng_output_close(o->out, &counts->captured, err);
	o->out = NULL;
	counts->valid = true;
	counts->accepted = o->matched;
	counts->sampled_out = o->sampled_out;
	counts->unwritten = o->handed - counts->captured;
	if (write_error == -ECHILD)
		return write_error;
	if (write_error == -EPIPE || write_error == -EINTR)
		return 0;
	if (!write_error)
		return rc;
	return ng_err(err, NG_EXIT_FAILED, -write_error, path,
		      "write failed after %llu whole packets", counts->captured);
}

int ng_capture_offline(const struct ng_capture_spec *spec, struct ng_capture_counts *counts,
		       struct ng_error *err)
{
	struct offline o = { .spec = spec, .jiffies_fd = -1 };
	int rc;

	*counts = (struct ng_capture_counts){ .valid = false };
	if (ng_signals_begin() < 0)
		return ng_err(err, NG_EXIT_FAILED, errno, spec->savefile, "cannot be read");
	rc = open_all(&o, err);
	if (!rc)
		rc = finish(&o, read_packets(&o, err), counts, err);
	close_all(&o);
	return rc;
}
