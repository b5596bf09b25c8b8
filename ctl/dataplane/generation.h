/* SPDX-License-Identifier: GPL-2.0-only */
/* Which generation of ACL tables is a gate's, and how another takes its place. For this directory only;
 * how it works is at the top of generation.c. */
#ifndef NG_CTL_DATAPLANE_GENERATION_H
#define NG_CTL_DATAPLANE_GENERATION_H

#include "ctl/dataplane/gate.h"

/*
 * The gate's tables are those of the generation in force, as of gate->prog_id. `locked`: what a dead
 * writer left is finished or taken away. -ENOENT, -EUCLEAN as ng_pins_open_maps(), of gates with
 * their maps only.
 */
int ng_generation_open(const struct ng_pins *pins, struct ng_gate *gate, bool locked);
/* The same for a gate that has been open for a while, should another process have changed it. */
int ng_generation_follow(struct ng_gate *gate, bool locked, struct ng_error *err);
/* ng_gate_acl_swap() (gate.h); built NULL: the gate becomes a temporary one, without tables. */
int ng_generation_swap(struct ng_gate *gate, struct ng_acl_tables *built, struct ng_error *err);

#endif
