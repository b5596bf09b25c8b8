/* SPDX-License-Identifier: GPL-2.0-only */
/* The constant data of translated filters as maps, for as long as a program is being loaded. */
#ifndef NG_CTL_DATAPLANE_TABLES_H
#define NG_CTL_DATAPLANE_TABLES_H

#include "ctl/dataplane/load.h"

/* filter[i]: instructions of spec->filter[i] with its map's descriptor in place; no table of its own. */
struct ng_tables {
	struct ng_ebpf filter[NG_TAPS_MAX];
	int fd[NG_TAPS_MAX];	/* -1: it has no table */
	int other[NG_TAPS_MAX]; /* of a table that only the code in the place of the call has */
};

/* For all slots of spec->taps. On failure *t is empty. The program holds the maps once loaded. */
int ng_tables_bind(const struct ng_load *spec, struct ng_tables *t, struct ng_error *err);
/*
 * For code in the place of a call: to the slot's map if body has the same table or none, else to one
 * of its own.
 */
int ng_tables_bind_in_place(struct ng_tables *t, const struct ng_load *spec, __u32 slot,
			    struct ng_ebpf *body);
void ng_tables_free(struct ng_tables *t);

#endif
