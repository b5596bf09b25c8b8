/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of a gate's ACL: one clause in place, more of them and whole tables as a new generation
 * that is built beside and swapped in with a program of its own, in one step. Callers hold the pins
 * lock. What fails has changed nothing, or is finished by ng_gate_acl_mend(), the first thing a
 * writer calls.
 */
#ifndef NG_CTL_DATAPLANE_ACL_H
#define NG_CTL_DATAPLANE_ACL_H

#include "ctl/dataplane/gate.h"
#include "maps/acl.h"

/* Finishes what a writer that died has begun, and takes out clauses whose time is over. */
int ng_gate_acl_mend(struct ng_gate *gate, struct ng_error *err);

/*
 * Adds clauses, or gives those with the same keys new words. All or none; item is sorted and keys are
 * made normal in place. What was done is added to *change.
 */
int ng_gate_acl_add(struct ng_gate *gate, struct ng_acl_item *item, size_t n,
		    struct ng_acl_change *change, struct ng_error *err);
/*
 * New tables for ng_gate_acl_swap(), which the caller closes if they are not swapped in: exactly these
 * clauses; keep: and those that are there. Counters of clauses that were there go on. So a change of
 * several gates is refused before one of them has changed.
 */
int ng_gate_acl_make(struct ng_gate *gate, struct ng_acl_item *item, size_t n, bool keep,
		     struct ng_acl_tables *built, struct ng_acl_change *change,
		     struct ng_error *err);
/* The same clauses with another engine, with counters or without. What was counted is lost with them. */
int ng_gate_acl_remake(struct ng_gate *gate, enum ng_acl_engine engine, bool counted,
		       struct ng_error *err);
/* -ENOENT without an error message: no such clause. */
int ng_gate_acl_del(struct ng_gate *gate, const struct ng_acl_key *key, struct ng_error *err);

#endif
