// SPDX-License-Identifier: GPL-2.0-only
/* nicgate filter run: the filter's answer to each packet of a savefile. */
#include <errno.h>

#include "ctl/capture/replay.h"
#include "ctl/cmd/filter.h"

struct tally {
	__u64 packets, matched;
};

static void show_packet(struct ng_out *out, __u64 number, __u32 keep)
{
	ng_out_text(out, "%llu %u\n", number, keep);
	ng_out_object(out, NULL, NULL);
	ng_out_u64(out, "number", NULL, number);
	ng_out_u64(out, "answer", NULL, keep);
	ng_out_object_end(out);
}

static int run_packets(struct ng_replay *replay, struct ng_out *out, struct tally *t,
		       struct ng_error *err)
{
	struct ng_replayed p;
	int got;

	ng_out_array(out, "packets");
	while ((got = ng_replay_next(replay, &p, err)) == 1) {
		show_packet(out, ++t->packets, p.keep);
		t->matched += p.keep != 0;
	}
	ng_out_array_end(out);
	return got;
}

static int run_file(struct ng_filter_call *c, struct ng_replay *replay, struct ng_error *err)
{
	struct ng_out *out = ng_out_new(c->global->json, c->global->pretty);
	__u64 runs, interpreted;
	struct tally t = { 0 };
	int rc, failed;

	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "cannot print");
	ng_out_begin(out);
	failed = run_packets(replay, out, &t, err);
	ng_out_text(out, "%llu packet%s, %llu match%s\n", t.packets, t.packets == 1 ? "" : "s",
		    t.matched, t.matched == 1 ? "es" : "");
	ng_out_u64(out, "total", NULL, t.packets);
	ng_out_u64(out, "matched", NULL, t.matched);
	rc = ng_out_end(out, failed ? NULL : err);
	ng_out_free(out);
	ng_replay_counts(replay, &runs, &interpreted);
	ng_debug("%s: %llu packets by the program, %llu by libpcap's interpreter", c->savefile,
		 runs, interpreted);
	return failed ? failed : rc;
}

int ng_filter_run_run(struct ng_filter_call *c, struct ng_error *err)
{
	struct ng_replay *replay;
	int rc;

	if (!c->savefile)
		return ng_usage(err, &ng_verb_filter, "run: -r FILE is missing");
	rc = ng_replay_open(c->savefile, &c->cbpf, c->expression.flags, c->hook, &replay, err);
	if (rc)
		return rc;
	rc = run_file(c, replay, err);
	ng_replay_close(replay);
	return rc;
}
