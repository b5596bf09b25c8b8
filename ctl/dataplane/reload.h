/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate's program anew: made for the taps that live, on the gate's maps or on those it is to have,
 * and put in the place of the old one. For this directory only.
 */
#ifndef NG_CTL_DATAPLANE_RELOAD_H
#define NG_CTL_DATAPLANE_RELOAD_H

#include "ctl/dataplane/gate.h"
#include "ctl/dataplane/tap_code.h"

struct ng_reload {
	__u32 living, dead; /* taps: bit masks of slots */
	struct ng_cbpf classic[NG_TAPS_MAX];
	struct ng_tap_code code;
	int prog_fd; /* loaded and not in force; -1: none */
};

/* Reads the taps. ng_reload_end() when done, in any case. */
int ng_reload_begin(const struct ng_gate *gate, struct ng_reload *r, struct ng_error *err);
/* Without ACL tables in *on it is the program of a temporary gate. */
int ng_reload_load(const struct ng_gate *gate, const struct ng_maps *on, struct ng_reload *r,
		   struct ng_error *err);
/* The loaded program is the gate's; dead taps are released. */
int ng_reload_swap(struct ng_gate *gate, struct ng_reload *r, struct ng_error *err);
void ng_reload_end(struct ng_reload *r);

#endif
