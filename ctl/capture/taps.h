/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places where one capture taps an interface: a slot of an attached gate, or a temporary gate
 * of its own, for each direction; and the thread that renews their leases.
 */
#ifndef NG_CTL_CAPTURE_TAPS_H
#define NG_CTL_CAPTURE_TAPS_H

#include "ctl/capture/capture.h"
#include "ctl/capture/rings.h"
#include "ctl/dataplane/gate.h"
#include "maps/tap.h"

struct ng_tap_point {
	enum ng_dir dir;
	struct ng_gate *gate;
	bool temporary; /* made by a capture, decides nothing */
	bool claimed;	/* slot is ours */
	__u32 slot;
	struct ng_tap_stats stats; /* as last read */
};

struct ng_taps;

/*
 * Claims a tap point for each direction asked for and sets it to work. Takes and releases the pins
 * lock. On failure nothing stays.
 */
int ng_taps_open(const struct ng_capture_spec *spec, const struct ng_link *link,
		 const struct ng_rings *rings, struct ng_taps **out, struct ng_error *err);
struct ng_tap_point *ng_taps_points(struct ng_taps *t, size_t *n);
/* Reads the counters of all points. */
int ng_taps_read_stats(struct ng_taps *t);
/* Has a gate that we tap been detached (and perhaps attached anew), or its program taken off? */
bool ng_taps_detached(const struct ng_taps *t);
/* From its return on, no program writes into the rings any more. */
void ng_taps_stop(struct ng_taps *t);
/* Gives the slots back, takes temporary gates away, frees *t (NULL allowed). Failures
 * are warned about: a tap that is stopped costs nothing and the next command removes it. */
void ng_taps_close(struct ng_taps *t);

#endif
