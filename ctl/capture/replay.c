// SPDX-License-Identifier: GPL-2.0-only
/* A savefile run through the program of an interface, packet by packet. */
#include "ctl/filter/pcap.h"
#include "ctl/capture/replay.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/capture/packet.h"
#include "ctl/capture/rings.h"
#include "ctl/dataplane/gate.h"
#include "maps/tap.h"

#define RING_BYTES	 (4ull << 20)	 /* holds one record at a time */
#define LEASE_TICKS	 (INT32_MAX / 2) /* 12 days and more: the reader of our output may stall */
#define LEASE_RENEW_RUNS 100000
#define DLT_ETHERNET	 1

struct ng_replay {
	const char *path;
	const struct ng_cbpf *filter;
	const struct ng_libpcap *lib;
	pcap_t *pcap;
	struct ng_gate *gate;
	struct ng_rings *rings;
	struct ng_order *order;
	int jiffies_fd;
	__u64 runs, interpreted;
};

static int open_savefile(struct ng_replay *r, struct ng_error *err)
{
	const char *path = r->path;
	char why[PCAP_ERRBUF_SIZE];

	r->lib = ng_libpcap(err);
	if (!r->lib)
		return -ELIBACC;
	r->pcap = r->lib->open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!r->pcap) {
		size_t n = strlen(path); /* some of libpcap's words begin with it */
		bool named = !strncmp(why, path, n) && !strncmp(why + n, ": ", 2);

		return ng_err(err, NG_EXIT_FAILED, 0, path, "cannot be read: %s",
			      named ? why + n + 2 : why);
	}
	if (r->lib->datalink(r->pcap) != DLT_ETHERNET) {
		const char *name = r->lib->datalink_val_to_name(r->lib->datalink(r->pcap));

		ng_err(err, NG_EXIT_UNSUPPORTED, 0, path,
		       "its link type is %s, not EN10MB (Ethernet)", name ? name : "unknown");
		ng_err_why(err, "the program filters Ethernet frames");
		ng_err_try(err, "tcpdump -r %s", path);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* A savefile holds bytes. */
static int check_filter(const struct ng_replay *r, struct ng_error *err)
{
	const char *what = ng_cbpf_uses_metadata(r->filter);

	if (!what)
		return 0;
	ng_err(err, NG_EXIT_USAGE, 0, r->path, "the filter asks for %s", what);
	ng_err_why(err,
		   "a savefile does not tell: only a packet on its way through an interface does");
	return -EINVAL;
}

static int renew_lease(struct ng_replay *r)
{
	__u64 now;
	int rc = ng_jiffies(&r->jiffies_fd, &now);

	if (!rc)
		r->gate->maps.control->tap[0].lease_jiffies = (now + LEASE_TICKS) | 1;
	return rc;
}

/* The program with the filter in slot 0, and rings for it. */
static int load_program(struct ng_replay *r, unsigned int flags, enum ng_hook hook,
			struct ng_error *err)
{
	const struct ng_gate_spec spec = { .tap_only = true, .filter_flags = flags };
	int cpus, rc = ng_gate_load(hook, r->filter, &spec, &r->gate, err);
	const int *fds;

	if (rc)
		return rc;
	rc = ng_rings_new(RING_BYTES, &r->rings, err);
	if (rc)
		return rc;
	fds = ng_rings_fds(r->rings, &cpus);
	r->gate->maps.control->tap[0].snaplen = NG_SNAPLEN_MAX;
	r->gate->maps.control->tap[0].wakeup_bytes = ~0u;
	rc = ng_tap_set_rings(&r->gate->maps, 0, fds, cpus);
	if (!rc)
		rc = ng_order_new(&r->order);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, r->path, "cannot set up a tap") : 0;
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
static int ask_program(struct ng_replay *r, const void *data, __u32 len, __u32 *keep)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = data, .data_size_in = len, .repeat = 1);
	uint64_t horizon;
	bool more;
	int rc;

	*keep = 0;
	if (r->runs++ % LEASE_RENEW_RUNS == 0) {
		rc = renew_lease(r);
		if (rc)
			return rc;
	}
	if (bpf_prog_test_run_opts(r->gate->prog_fd, &run))
		return -errno;
	if (ng_rings_drain(r->rings, r->order, &horizon, &more) <= 0)
		return 0;
	return ng_order_take(r->order, UINT64_MAX, take_snaplen, keep);
}

static __u32 ask_for(struct ng_replay *r, const struct pcap_pkthdr *h, const unsigned char *data)
{
	__u32 keep;

	if (h->caplen == h->len && h->len >= ETHER_HDR_LEN && !ask_program(r, data, h->len, &keep))
		return keep;
	r->interpreted++;
	return ng_filter_interpret(r->filter, data, h->len, h->caplen);
}

int ng_replay_open(const char *path, const struct ng_cbpf *filter, unsigned int flags,
		   enum ng_hook hook, struct ng_replay **out, struct ng_error *err)
{
	struct ng_replay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, path, "cannot be read");
	r->path = path;
	r->filter = filter;
	r->jiffies_fd = -1;
	rc = check_filter(r, err);
	if (!rc)
		rc = open_savefile(r, err);
	if (!rc)
		rc = load_program(r, flags, hook, err);
	if (rc)
		ng_replay_close(r);
	else
		*out = r;
	return rc;
}

int ng_replay_next(struct ng_replay *r, struct ng_replayed *p, struct ng_error *err)
{
	const unsigned char *data;
	struct pcap_pkthdr *h;
	int got = r->lib->next_ex(r->pcap, &h, &data);

	if (got == PCAP_ERROR)
		return ng_err(err, NG_EXIT_FAILED, 0, r->path, "%s", r->lib->geterr(r->pcap));
	if (got != 1)
		return 0;
	*p = (struct ng_replayed){
		.wall_ns = (__u64)h->ts.tv_sec * 1000000000 + (__u64)h->ts.tv_usec,
		.data = data,
		.caplen = h->caplen,
		.wirelen = h->len,
		.keep = ask_for(r, h, data),
	};
	return 1;
}

void ng_replay_counts(const struct ng_replay *r, __u64 *runs, __u64 *interpreted)
{
	*runs = r->runs;
	*interpreted = r->interpreted;
}

void ng_replay_close(struct ng_replay *r)
{
	if (!r)
		return;
	ng_order_free(r->order);
	ng_rings_free(r->rings);
	ng_gate_close(r->gate);
	if (r->pcap)
		r->lib->close(r->pcap);
	if (r->jiffies_fd >= 0)
		close(r->jiffies_fd);
	free(r);
}
