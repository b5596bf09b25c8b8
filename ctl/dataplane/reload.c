// SPDX-License-Identifier: GPL-2.0-only
/* Programs that follow their taps: reload after a change of taps,
 * and putting in order what dead owners left. */
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/dataplane/hooks.h"
#include "ctl/dataplane/tap_code.h"
#include "ctl/filter/pack.h"
#include "maps/tap.h"

/* The taps of a gate, read for a new program. */
struct taps {
	__u32 living, dead; /* bit masks of slots */
	struct ng_cbpf classic[NG_TAPS_MAX];
	struct ng_tap_code code;
};

static void taps_free(struct taps *t)
{
	ng_tap_code_free(&t->code);
	for (size_t i = 0; i < NG_TAPS_MAX; i++)
		ng_cbpf_free(&t->classic[i]);
}

/* -ENOENT: the slot is free; -ESTALE: nobody's, its owner is gone. */
static int read_owner(const struct ng_gate *gate, __u32 slot, int *jiffies_fd,
		      struct ng_tap_conf *conf)
{
	int rc = ng_tap_read(&gate->maps, slot, conf);
	__u32 now;

	if (!rc)
		rc = ng_jiffies(jiffies_fd, &now);
	if (!rc && ng_tap_is_dead(&gate->maps, slot, conf, now))
		rc = -ESTALE;
	return rc;
}

/* Without its code nobody can keep a tap, whoever removed that; the same for one that is damaged. */
static int read_filter(const struct ng_gate *gate, __u32 slot, struct ng_cbpf *out)
{
	size_t size = 0;
	void *code = NULL;
	int rc = ng_tap_read_code(&gate->maps, slot, &code, &size);

	if (!rc)
		rc = ng_filter_unpack(code, size, out);
	free(code);
	if (rc != -ENOENT && rc != -EPROTO)
		return rc;
	ng_warn("%s: %s: tap %u is taken out: its filter cannot be read any more", gate->link.name,
		ng_hook_name[gate->hook], slot);
	return -ESTALE;
}

static int sort_tap(const struct ng_gate *gate, __u32 slot, int *jiffies_fd, struct taps *t,
		    struct ng_error *err)
{
	struct ng_tap_conf conf;
	int rc = read_owner(gate, slot, jiffies_fd, &conf);

	if (!rc)
		rc = read_filter(gate, slot, &t->classic[slot]);
	if (rc == -ENOENT)
		return 0;
	if (rc == -ESTALE) {
		t->dead |= 1u << slot;
		return 0;
	}
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "reading tap %u failed",
			      slot);
	t->living |= 1u << slot;
	return ng_tap_code_add(&t->code, slot, gate->hook, &t->classic[slot], conf.flags, err);
}

static int sort_taps(const struct ng_gate *gate, struct taps *t, struct ng_error *err)
{
	int jiffies_fd = -1, rc = 0;

	for (__u32 slot = 0; !rc && slot < NG_TAPS_MAX; slot++)
		rc = sort_tap(gate, slot, &jiffies_fd, t, err);
	if (jiffies_fd >= 0)
		close(jiffies_fd);
	return rc;
}

static int load_with(struct ng_gate *gate, struct taps *t, int *fd, struct ng_error *err)
{
	struct ng_load load = {
		.object = gate->link.name,
		.hook = gate->hook,
		.frags = gate->maps.control->frags,
		.tap_only = gate->maps.control->temporary,
		.taps = t->living,
	};

	ng_tap_code_use(&t->code, &load);
	return ng_load(&load, &gate->maps, fd, err);
}

/* Takes the descriptor. */
static int swap_in(struct ng_gate *gate, int fd, struct ng_error *err)
{
	int rc = ng_hook_ops_of(gate->mode)->swap(gate, fd);

	if (rc) {
		close(fd);
		return ng_err(err,
			      rc == -ENOENT || rc == -ENOLINK ? NG_EXIT_NOT_FOUND : NG_EXIT_FAILED,
			      -rc, gate->link.name, "%s: putting the new program in place failed",
			      ng_hook_name[gate->hook]);
	}
	if (gate->prog_fd >= 0)
		close(gate->prog_fd);
	gate->prog_fd = fd;
	gate->prog_id = ng_prog_id(fd);
	return 0;
}

static void release_dead(struct ng_gate *gate, __u32 dead)
{
	for (__u32 slot = 0; slot < NG_TAPS_MAX; slot++)
		if (dead & 1u << slot) {
			ng_debug("%s: %s: tap %u released, its owner is gone", gate->link.name,
				 ng_hook_name[gate->hook], slot);
			ng_tap_release(&gate->maps, slot);
		}
}

static int reload_with(struct ng_gate *gate, struct taps *t, struct ng_error *err)
{
	int fd, rc = load_with(gate, t, &fd, err);

	if (!rc)
		rc = swap_in(gate, fd, err);
	if (rc)
		return rc;
	gate->maps.control->taps = t->living;
	release_dead(gate, t->dead);
	return 0;
}

int ng_gate_reload(struct ng_gate *gate, struct ng_error *err)
{
	struct taps t = { 0 };
	int rc = sort_taps(gate, &t, err);

	if (!rc)
		rc = reload_with(gate, &t, err);
	taps_free(&t);
	return rc;
}

/* Taps whose owner died go; a temporary gate goes with its last tap. Takes the gate. */
static int collect_taps(const struct ng_pins *pins, struct ng_gate *gate, struct ng_error *err)
{
	struct taps t = { 0 };
	int rc = sort_taps(gate, &t, err);

	if (!rc && gate->maps.control->temporary && !t.living) {
		ng_debug("%s: %s: temporary gate removed, its capture is gone", gate->link.name,
			 ng_hook_name[gate->hook]);
		rc = ng_gate_detach(pins, gate, err);
		gate = NULL;
	} else if (!rc && (t.dead || gate->maps.control->taps != t.living)) {
		rc = reload_with(gate, &t, err);
	}
	taps_free(&t);
	ng_gate_close(gate);
	return rc;
}

/*
 * An interface that is not in this namespace: deleted, or moved elsewhere, in which case its XDP
 * program still works there and stays.
 */
static int collect_gone(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook)
{
	struct ng_gate *gate;
	bool works_elsewhere;
	int rc = ng_gate_open_any(pins, link, hook, &gate, NULL);

	if (rc && rc != -ENOENT)
		return 0; /* another version's: detach --all removes it */
	works_elsewhere = !rc && gate->link_fd >= 0 && gate->prog_id;
	if (!rc)
		ng_gate_close(gate);
	if (works_elsewhere)
		return 0;
	ng_debug("interface %u is gone: removing its %s gate", link->ifindex, ng_hook_name[hook]);
	return ng_pins_remove(pins, link->ifindex, hook);
}

/* One gate in disorder must not keep commands from the others:
 * it is warned of and left for whoever works with it. */
static int collect_gate(__u32 ifindex, enum ng_hook hook, void *arg)
{
	const struct ng_pins *pins = arg;
	struct ng_link link = { .ifindex = ifindex };
	struct ng_gate *gate;
	struct ng_error err;
	int rc;

	if (!if_indextoname(ifindex, link.name))
		return collect_gone(pins, &link, hook);
	rc = ng_gate_open_any(pins, &link, hook, &gate, NULL);
	if (rc == -ENOENT)
		return ng_pins_remove(pins, ifindex, hook);
	if (rc)
		return 0;
	if (gate->prog_id)
		rc = collect_taps(pins, gate, &err);
	else if (gate->maps.control->temporary)
		rc = ng_gate_detach(pins, gate, &err);
	else
		ng_gate_close(gate);
	if (rc)
		ng_warn("%s: %s", err.object, err.what);
	return 0;
}

/* A namespace that is not ours; inode: as its gates know it. */
struct other {
	const struct ng_pins *pins;
	__u32 inode;
};

/* 1: still works, or cannot be told to have ended; 0: its link is dead. */
static int still_works(__u32 ifindex, enum ng_hook hook, void *arg)
{
	const struct ng_link link = { .ifindex = ifindex };
	struct other *other = arg;
	struct ng_gate *gate;
	bool ended;

	if (ng_gate_open_any(other->pins, &link, hook, &gate, NULL))
		return 1;
	ended = gate->mode != NG_MODE_CLSACT && !gate->prog_id;
	other->inode = gate->maps.control->netns_inode;
	ng_gate_close(gate);
	return !ended;
}

static int remove_pins(__u32 ifindex, enum ng_hook hook, void *arg)
{
	return ng_pins_remove(arg, ifindex, hook);
}

/*
 * A namespace that ended took its interfaces along, so all of its links are without one. So are they
 * where somebody took our programs off: hence the look at who holds the namespace. Filters of
 * cls_bpf do not tell that from outside; theirs stay until `rm -r`.
 */
static int collect_namespace(const struct ng_pins *other, void *arg)
{
	struct other o = { .pins = other };

	(void)arg;
	if (ng_pins_each(other, still_works, &o) || ng_netns_may_live(o.inode, other->netns_cookie))
		return 0;
	ng_debug("network namespace %llu is gone: removing its gates",
		 (unsigned long long)other->netns_cookie);
	return ng_pins_each(other, remove_pins, (void *)other);
}

int ng_gate_collect(const struct ng_pins *pins, struct ng_error *err)
{
	int rc = ng_pins_each(pins, collect_gate, (void *)pins);

	if (!rc)
		rc = ng_pins_each_other(pins, collect_namespace, NULL);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, pins->root,
			   "removing what is left over failed")
		  : 0;
}
