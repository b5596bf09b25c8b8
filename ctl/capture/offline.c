// SPDX-License-Identifier: GPL-2.0-only
/* nicgate capture -r: what the filter keeps of a savefile goes where captured packets go. */
#include "ctl/capture/capture.h"

#include <errno.h>
#include <stdio.h>

#include "ctl/capture/replay.h"
#include "ctl/capture/signals.h"

struct offline {
	const struct ng_capture_spec *spec;
	struct ng_replay *replay;
	struct ng_output *out;
	__u64 matched, sampled_out, handed;
};

static bool sampled(struct offline *o)
{
	bool chosen = o->spec->sample_every <= 1 || o->matched % o->spec->sample_every == 0;

	o->matched++;
	o->sampled_out += !chosen;
	return chosen;
}

static int take_packet(struct offline *o, const struct ng_replayed *p)
{
	struct ng_packet pkt = {
		.wall_ns = p->wall_ns,
		.data = p->data,
		.caplen = p->caplen,
		.wirelen = p->wirelen,
		.verdict_kind = NG_VERDICT_NONE,
	};
	__u32 keep = p->keep;

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
	struct ng_replayed p;
	int got = 1, rc = 0;

	while (!rc && !enough(o) && (got = ng_replay_next(o->replay, &p, err)) == 1)
		rc = take_packet(o, &p);
	return got < 0 ? got : rc;
}

static int open_all(struct offline *o, struct ng_error *err)
{
	char description[320];
	const struct ng_file_iface iface = {
		.name = "savefile",
		.description = description,
		.filter = o->spec->expression,
	};
	enum ng_hook hook = o->spec->hook == NG_HOOK_WISH_TC ? NG_HOOK_TC_IN : NG_HOOK_XDP;
	int rc = ng_replay_open(o->spec->savefile, o->spec->filter, o->spec->filter_flags, hook,
				&o->replay, err);

	snprintf(description, sizeof(description), "from %s", o->spec->savefile);
	if (!rc)
		rc = ng_output_open(&o->spec->output, &iface, 1, ng_signals_abandon, &o->out, err);
	return rc;
}

static void close_all(struct offline *o)
{
	ng_output_close(o->out, NULL, NULL);
	ng_replay_close(o->replay);
	ng_signals_end();
}

static int finish(struct offline *o, int rc, struct ng_capture_counts *counts, struct ng_error *err)
{
	const char *path = o->spec->output.path ? o->spec->output.path : "stdout";
	__u64 runs, interpreted;
	int write_error;

	ng_replay_counts(o->replay, &runs, &interpreted);
	ng_debug("%s: %llu packets by the program, %llu by libpcap's interpreter",
		 o->spec->savefile, runs, interpreted);
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
	struct offline o = { .spec = spec };
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
