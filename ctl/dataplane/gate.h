/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate: our program at one hook of one interface, with its maps. Building, verifying, attaching,
 * swapping and removing it; XDP link, TCX link and clsact + cls_bpf behind one table (hooks.h).
 *
 * Every change is build, verify, swap: a new program is loaded on the gate's own maps and takes the
 * place of the old one in one step. Callers hold the pins lock around everything but ng_gate_open()
 * for reading.
 */
#ifndef NG_CTL_DATAPLANE_GATE_H
#define NG_CTL_DATAPLANE_GATE_H

#include <stdbool.h>
#include "ctl/base/err.h"
#include "ctl/filter/filter.h"
#include "ctl/net/net.h"
#include "maps/pins.h"

/* "none", "native", "generic", "tcx", "clsact" */
extern const char *const ng_mode_name[NG_MODE_MAX];

struct ng_gate {
	struct ng_link link;
	enum ng_hook hook;
	enum ng_mode mode;
	bool pinned; /* else it lives as long as this process holds it */
	struct ng_maps maps;
	int prog_fd, link_fd; /* link_fd -1 with cls_bpf */
	__u32 prog_id;
};

enum ng_mode_wish { NG_WISH_AUTO, NG_WISH_NATIVE, NG_WISH_GENERIC };
enum ng_frags { NG_FRAGS_AUTO, NG_FRAGS_ON, NG_FRAGS_OFF };

struct ng_gate_spec {
	enum ng_hook hook;
	enum ng_mode_wish mode;	       /* XDP only */
	enum ng_frags frags;	       /* XDP only */
	__u32 default_verdict;	       /* enum ng_verdict */
	__u32 malformed;	       /* enum ng_malformed */
	const struct ng_acl_size *acl; /* of the ACL's first tables; NULL: ng_acl_size_default() */
	bool tap_only; /* no ACL, no counting, verdict left to others: for a temporary capture */
	unsigned int filter_flags; /* enum ng_filter_flags, for ng_gate_load() */
	bool pin; /* false: pinned all the same (control->temporary) where the hook has no links */
};

/*
 * Whether this process has the capabilities to load programs, and to attach them. -EPERM, and *err
 * names what is missing. What needs no pins asks before it makes anything.
 */
int ng_gate_may_load(struct ng_error *err);
int ng_gate_may_attach(struct ng_error *err);

/*
 * Every command's way to the pins: checks capabilities, finds bpffs (mounts it when missing and
 * allowed); with `write` also takes the lock and clears away what the dead left. Errors say what to
 * do. ng_pins_close() ends it.
 */
int ng_gate_begin(struct ng_pins *pins, const char *bpffs, bool write, struct ng_error *err);

/*
 * Creates, attaches and (spec->pin) pins a gate. Says each fallback by ng_warn() (native ->
 * generic, TCX -> clsact, frags -> none). A foreign XDP program is refused, named (id, name, owner;
 * dispatcher components by libxdp). On failure nothing stays.
 */
int ng_gate_attach(const struct ng_pins *pins, const struct ng_link *link,
		   const struct ng_gate_spec *spec, struct ng_gate **out, struct ng_error *err);
/*
 * Undoes ng_gate_attach() of a gate that was a capture's temporary one: it is that again, its taps
 * go on, and it goes with the last.
 */
int ng_gate_give_back(struct ng_gate *gate, struct ng_error *err);
/* Opens a pinned gate. -ENOENT (NG_EXIT_NOT_FOUND): not attached; another ABI version (-EPROTO) or
 * missing pins (-EUCLEAN): refused, with the way out. */
int ng_gate_open(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		 struct ng_gate **out, struct ng_error *err);
/* The same whether or not its program is still on its hook: prog_id is 0 when it is not. */
int ng_gate_open_any(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		     struct ng_gate **out, struct ng_error *err);
/* Detaches, unpins, removes the clsact qdisc if we made it and it is empty. Frees *gate. */
int ng_gate_detach(const struct ng_pins *pins, struct ng_gate *gate, struct ng_error *err);
/*
 * Detaches and unpins what of ours is pinned for a link (its name is for messages) and hook, also
 * when its program or the interface is gone, or when another ABI version made it. Missing is no
 * error.
 */
int ng_gate_remove(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		   struct ng_error *err);
/* Is its program, or the one that took its place, still on the hook? True when that cannot be told. */
bool ng_gate_is_in_force(struct ng_gate *gate);
void ng_gate_close(struct ng_gate *gate); /* NULL ok; unpinned links go with it */

/*
 * Makes the attached program agree with ng_tap_conf: drops the taps of dead owners, translates and
 * splices the filters of the living, loads, swaps. A temporary gate without a tap left is the
 * caller's to detach.
 */
int ng_gate_reload(struct ng_gate *gate, struct ng_error *err);
/*
 * Puts other ACL tables in the place of the gate's: every packet meets either the old or the new. What
 * clauses had counted goes on in those with the same key. Takes *built; the gate's tables are then
 * those, under the next number. On failure the old ones are in force, and *built is closed.
 */
int ng_gate_acl_swap(struct ng_gate *gate, struct ng_acl_tables *built, struct ng_error *err);
/*
 * For who keeps a gate open without the lock: its tables are those in force now, should another
 * process have swapped them. Otherwise nothing happens, and pointers into them stay good.
 */
int ng_gate_follow(struct ng_gate *gate, struct ng_error *err);
/*
 * Clears away what the dead left: slots of dead captures (by a reload; temporary gates are
 * detached), pins of interfaces and namespaces that are gone. Part of ng_gate_begin() with `write`.
 */
int ng_gate_collect(const struct ng_pins *pins, struct ng_error *err);

/*
 * Loads a program for BPF_PROG_TEST_RUN: hook's template with one filter in slot 0, maps of its
 * own, not attached. For `capture -r` and tests. The caller closes it.
 */
int ng_gate_load(enum ng_hook hook, const struct ng_cbpf *filter, const struct ng_gate_spec *spec,
		 struct ng_gate **out, struct ng_error *err);

#endif
