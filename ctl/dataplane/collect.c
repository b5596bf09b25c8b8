// SPDX-License-Identifier: GPL-2.0-only
/* Clears away what the dead left: taps, temporary gates, gates of interfaces and namespaces that are gone. */
#include <errno.h>
#include <net/if.h>

#include "ctl/dataplane/hooks.h"
#include "ctl/dataplane/reload.h"

/* Taps whose owner died go; a temporary gate goes with its last tap. Takes the gate. */
static int collect_taps(const struct ng_pins *pins, struct ng_gate *gate, struct ng_error *err)
{
	struct ng_reload r;
	int rc = ng_reload_begin(gate, &r, err);

	if (!rc && gate->maps.control->temporary && !r.living) {
		ng_debug("%s: %s: temporary gate removed, its capture is gone", gate->link.name,
			 ng_hook_name[gate->hook]);
		rc = ng_gate_detach(pins, gate, err);
		gate = NULL;
	} else if (!rc && (r.dead || gate->maps.control->taps != r.living)) {
		rc = ng_reload_load(gate, &gate->maps, &r, err);
		if (!rc)
			rc = ng_reload_swap(gate, &r, err);
	}
	ng_reload_end(&r);
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
