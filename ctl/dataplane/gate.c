// SPDX-License-Identifier: GPL-2.0-only
/* The life of a gate: made, opened, swapped, taken away. */
#include "ctl/dataplane/gate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/dataplane/foreign.h"
#include "ctl/dataplane/generation.h"
#include "ctl/dataplane/hooks.h"
#include "ctl/dataplane/load.h"
#include "ctl/dataplane/tap_code.h"
#include "maps/tap.h"

const char *const ng_mode_name[NG_MODE_MAX] = {
	[NG_MODE_NONE] = "none", [NG_MODE_NATIVE] = "native", [NG_MODE_GENERIC] = "generic",
	[NG_MODE_TCX] = "tcx",	 [NG_MODE_CLSACT] = "clsact",
};
_Static_assert(sizeof(ng_mode_name) / sizeof(ng_mode_name[0]) == NG_MODE_MAX, "names");

static const struct ng_hook_ops *const ops_by_mode[NG_MODE_MAX] = {
	[NG_MODE_NATIVE] = &ng_xdp_ops,
	[NG_MODE_GENERIC] = &ng_xdp_ops,
	[NG_MODE_TCX] = &ng_tcx_ops,
	[NG_MODE_CLSACT] = &ng_clsact_ops,
};

const struct ng_hook_ops *ng_hook_ops_of(enum ng_mode mode)
{
	return mode < NG_MODE_MAX ? ops_by_mode[mode] : NULL;
}

static struct ng_gate *gate_new(const struct ng_link *link, enum ng_hook hook, struct ng_error *err)
{
	struct ng_gate *g = calloc(1, sizeof(*g));

	if (!g) {
		ng_err(err, NG_EXIT_FAILED, ENOMEM, link->name, "out of memory");
		return NULL;
	}
	g->link = *link;
	g->hook = hook;
	g->maps = (struct ng_maps)NG_MAPS_INIT;
	g->prog_fd = g->link_fd = -1;
	return g;
}

void ng_gate_close(struct ng_gate *gate)
{
	if (!gate)
		return;
	if (gate->link_fd >= 0)
		close(gate->link_fd);
	if (gate->prog_fd >= 0)
		close(gate->prog_fd);
	ng_maps_close(&gate->maps);
	free(gate);
}

bool ng_gate_is_in_force(struct ng_gate *gate)
{
	const struct ng_hook_ops *ops = ng_hook_ops_of(gate->mode);

	return !ops || ops->query(gate) || gate->prog_id;
}

__u32 ng_prog_id(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &size) ? 0 : info.id;
}

/* Everything but what the program reads from the maps themselves; the maps are new and zero. */
static void init_control(struct ng_gate *gate, const struct ng_gate_spec *spec)
{
	struct ng_control *c = gate->maps.control;

	c->magic = NG_ABI_MAGIC;
	c->abi = NG_ABI_VERSION;
	c->hook = gate->hook;
	c->ifindex = gate->link.ifindex;
	c->temporary = spec->tap_only;
	c->default_verdict = spec->default_verdict;
	c->malformed = spec->malformed;
	c->acl_gen = gate->maps.acl_gen;
	if (ng_netns_inode(&c->netns_inode))
		c->netns_inode = 0;
}

static int load_into(struct ng_gate *gate, const struct ng_gate_spec *spec,
		     const struct ng_load *load, struct ng_error *err)
{
	bool fresh = gate->maps.fd[NG_MAP_CONTROL] < 0;
	int fd, rc = ng_load(load, &gate->maps, &fd, err);

	if (rc)
		return rc;
	if (gate->prog_fd >= 0)
		close(gate->prog_fd);
	gate->prog_fd = fd;
	gate->prog_id = ng_prog_id(fd);
	if (!fresh)
		return 0;
	rc = ng_maps_mmap(&gate->maps);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "mapping the maps failed");
	init_control(gate, spec);
	return 0;
}

int ng_gate_build(struct ng_gate *gate, const struct ng_gate_spec *spec, bool frags,
		  struct ng_error *err)
{
	const struct ng_load load = {
		.object = gate->link.name,
		.hook = gate->hook,
		.frags = frags,
		.tap_only = spec->tap_only,
		.acl = spec->acl,
	};

	return load_into(gate, spec, &load, err);
}

static int pin_as(const struct ng_pins *pins, const struct ng_gate *gate, int fd, const char *name)
{
	char path[PATH_MAX];
	int rc = ng_pins_path(pins, gate->link.ifindex, gate->hook, name, path, sizeof(path));

	if (rc)
		return rc;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

/* Maps first, then what holds the program: a link, or the word that a cls_bpf filter may do so. */
static int pin_gate(const struct ng_pins *pins, struct ng_gate *gate, bool has_maps,
		    struct ng_error *err)
{
	int rc = ng_pins_make_dir(pins, gate->link.ifindex, gate->hook);

	if (!rc && !has_maps)
		rc = ng_pins_pin_maps(pins, gate->link.ifindex, gate->hook, &gate->maps);
	if (!rc)
		rc = gate->link_fd >= 0
			     ? pin_as(pins, gate, gate->link_fd, "link")
			     : pin_as(pins, gate, gate->maps.fd[NG_MAP_CONTROL], "filter");
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "pinning under %s failed",
			      pins->root);
	gate->pinned = true;
	return 0;
}

/* A filter outlives us, so it is pinned before it is attached:
 * whenever we die, the next command finds it. */
static int attach_clsact(const struct ng_pins *pins, struct ng_gate *gate,
			 const struct ng_gate_spec *spec, bool has_maps, struct ng_error *err)
{
	int rc;

	ng_note("%s: %s: no TCX in this kernel (it came with Linux 6.6); attached by clsact and "
		"cls_bpf",
		gate->link.name, ng_hook_name[gate->hook]);
	gate->maps.control->mode = NG_MODE_CLSACT;
	rc = pin_gate(pins, gate, has_maps, err);
	return rc ? rc : ng_clsact_ops.attach(gate, spec, err);
}

static int attach_tc(const struct ng_pins *pins, struct ng_gate *gate,
		     const struct ng_gate_spec *spec, bool has_maps, struct ng_error *err)
{
	int rc = ng_gate_build(gate, spec, false, err);

	if (!rc) {
		rc = ng_tcx_ops.attach(gate, spec, err);
		if (rc == -EOPNOTSUPP)
			return attach_clsact(pins, gate, spec, has_maps, err);
	}
	if (!rc && spec->pin) {
		gate->maps.control->mode = gate->mode;
		rc = pin_gate(pins, gate, has_maps, err);
	}
	return rc;
}

static int attach_xdp(const struct ng_pins *pins, struct ng_gate *gate,
		      const struct ng_gate_spec *spec, bool has_maps, struct ng_error *err)
{
	int rc = ng_foreign_xdp_check(&gate->link, err);

	if (!rc)
		rc = ng_xdp_ops.attach(gate, spec, err);
	if (!rc) {
		gate->maps.control->mode = gate->mode;
		if (spec->pin)
			rc = pin_gate(pins, gate, has_maps, err);
	}
	return rc;
}

static int attach_at_hook(const struct ng_pins *pins, struct ng_gate *gate,
			  const struct ng_gate_spec *spec, struct ng_error *err)
{
	bool has_maps = gate->maps.fd[NG_MAP_CONTROL] >= 0;
	int rc;

	if (gate->hook == NG_HOOK_XDP)
		rc = attach_xdp(pins, gate, spec, has_maps, err);
	else
		rc = attach_tc(pins, gate, spec, has_maps, err);
	if (rc) {
		if ((spec->pin || gate->pinned) && !has_maps)
			ng_pins_remove(pins, gate->link.ifindex, gate->hook);
		return rc;
	}
	gate->maps.control->mode = gate->mode;
	return 0;
}

/* A temporary gate under a running capture becomes a whole one; its tap goes on. */
static int adopt(struct ng_gate *gate, const struct ng_gate_spec *spec, struct ng_error *err)
{
	struct ng_control *c = gate->maps.control;
	struct ng_acl_tables tables;
	int rc = ng_load_make_acl(gate->link.name, spec->acl, &tables, err);

	if (rc)
		return rc;
	/* The program that is there looks at neither. */
	c->default_verdict = spec->default_verdict;
	c->malformed = spec->malformed;
	return ng_generation_swap(gate, &tables, err);
}

/* Its program, which looks at nothing, goes before what it would look at. */
int ng_gate_give_back(struct ng_gate *gate, struct ng_error *err)
{
	struct ng_control *c = gate->maps.control;
	int rc = ng_generation_swap(gate, NULL, err);

	if (rc)
		return rc;
	c->default_verdict = NG_PASS;
	c->malformed = NG_MALFORMED_AUTO;
	return 0;
}

static int taken_off(const struct ng_link *link, enum ng_hook hook, struct ng_error *err)
{
	ng_err(err, NG_EXIT_NOT_FOUND, 0, link->name,
	       "%s: not attached any more: somebody took our program off", ng_hook_name[hook]);
	ng_err_try(err, "nicgate attach %s --hook %s    (its ACL entries are still there)",
		   link->name, ng_hook_name[hook]);
	ng_err_try(err, "nicgate detach %s --hook %s    (forgets them)", link->name,
		   ng_hook_name[hook]);
	return -ENOENT;
}

/* What was taken off comes back with the settings that it had; a capture does not put it back. */
static int attach_existing(const struct ng_pins *pins, struct ng_gate *gate,
			   const struct ng_gate_spec *spec, struct ng_error *err)
{
	int rc;

	if (gate->prog_id && gate->maps.control->temporary && !spec->tap_only)
		return adopt(gate, spec, err);
	if (gate->prog_id)
		return ng_err(err, NG_EXIT_FAILED, EEXIST, gate->link.name, "%s: already attached",
			      ng_hook_name[gate->hook]);
	if (spec->tap_only)
		return taken_off(&gate->link, gate->hook, err);
	ng_warn("%s: %s: somebody took our program off; attaching it again, settings, ACL entries "
		"and counters are kept",
		gate->link.name, ng_hook_name[gate->hook]);
	if (gate->link_fd >= 0)
		close(gate->link_fd);
	gate->link_fd = -1;
	rc = attach_at_hook(pins, gate, spec, err);
	return !rc && gate->maps.control->taps ? ng_gate_reload(gate, err) : rc;
}

static int attach_new(const struct ng_pins *pins, const struct ng_link *link,
		      const struct ng_gate_spec *spec, struct ng_gate **out, struct ng_error *err)
{
	struct ng_gate *gate = gate_new(link, spec->hook, err);
	int rc;

	if (!gate)
		return -ENOMEM;
	rc = attach_at_hook(pins, gate, spec, err);
	if (rc)
		ng_gate_close(gate);
	else
		*out = gate;
	return rc;
}

int ng_gate_attach(const struct ng_pins *pins, const struct ng_link *link,
		   const struct ng_gate_spec *spec, struct ng_gate **out, struct ng_error *err)
{
	struct ng_error why;
	struct ng_gate *gate;
	int rc;

	if (!spec->pin && spec->hook == NG_HOOK_XDP)
		return attach_new(pins, link, spec, out, err);
	rc = ng_gate_open_any(pins, link, spec->hook, &gate, &why);
	if (rc == -ENOENT) {
		/* Should there be a directory, it is one that was never finished. */
		ng_pins_remove(pins, link->ifindex, spec->hook);
		return attach_new(pins, link, spec, out, err);
	}
	if (rc) {
		if (err)
			*err = why;
		return rc;
	}
	if (!gate->prog_id && gate->maps.control->temporary && !spec->tap_only) {
		rc = ng_gate_detach(pins, gate, err);
		return rc ? rc : attach_new(pins, link, spec, out, err);
	}
	rc = attach_existing(pins, gate, spec, err);
	if (rc)
		ng_gate_close(gate);
	else
		*out = gate;
	return rc;
}

static int open_link(const struct ng_pins *pins, struct ng_gate *gate)
{
	char path[PATH_MAX];
	int rc = ng_pins_path(pins, gate->link.ifindex, gate->hook, "link", path, sizeof(path));

	if (rc)
		return rc;
	gate->link_fd = bpf_obj_get(path);
	return gate->link_fd < 0 && errno != ENOENT ? -errno : 0;
}

static int other_abi(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		     __u32 abi, struct ng_error *err)
{
	char dir[PATH_MAX] = "";

	ng_pins_dir(pins, link->ifindex, hook, dir, sizeof(dir));
	ng_err(err, NG_EXIT_FAILED, 0, link->name,
	       "%s: attached by another version of nicgate (map layout %u, ours is %u)",
	       ng_hook_name[hook], abi, NG_ABI_VERSION);
	ng_err_why(err, "its maps lie in %s", dir);
	ng_err_try(err, "nicgate detach %s    (with either version; ACL entries are lost)",
		   link->name);
	return -EPROTO;
}

static int incomplete(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		      struct ng_error *err)
{
	char dir[PATH_MAX] = "";

	ng_pins_dir(pins, link->ifindex, hook, dir, sizeof(dir));
	ng_err(err, NG_EXIT_FAILED, 0, link->name,
	       "%s: its maps cannot be reached, though its program may still be at work",
	       ng_hook_name[hook]);
	ng_err_why(err, "somebody removed pins from %s", dir);
	ng_err_try(err,
		   "nicgate detach %s --hook %s    (then attach it again; ACL entries are lost)",
		   link->name, ng_hook_name[hook]);
	return -EUCLEAN;
}

int ng_gate_open_any(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		     struct ng_gate **out, struct ng_error *err)
{
	struct ng_gate *gate = gate_new(link, hook, err);
	__u32 abi = 0;
	int rc;

	if (!gate)
		return -ENOMEM;
	rc = ng_pins_open_maps(pins, link->ifindex, hook, &gate->maps, &abi);
	if (!rc)
		rc = open_link(pins, gate);
	if (!rc) {
		gate->pinned = true;
		gate->mode = gate->maps.control->mode;
		rc = ng_hook_ops_of(gate->mode) ? ng_hook_ops_of(gate->mode)->query(gate) : 0;
	}
	if (!rc)
		rc = ng_generation_open(pins, gate, pins->lock_fd >= 0);
	if (!rc) {
		*out = gate;
		return 0;
	}
	ng_gate_close(gate);
	if (rc == -ENOENT) {
		ng_err(err, NG_EXIT_NOT_FOUND, 0, link->name, "not attached (%s)",
		       ng_hook_name[hook]);
		ng_err_try(err, "nicgate attach %s --hook %s", link->name, ng_hook_name[hook]);
		return rc;
	}
	if (rc == -EPROTO)
		return other_abi(pins, link, hook, abi, err);
	if (rc == -EUCLEAN)
		return incomplete(pins, link, hook, err);
	return ng_err(err, NG_EXIT_FAILED, -rc, link->name, "%s: opening the pinned maps failed",
		      ng_hook_name[hook]);
}

int ng_gate_open(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		 struct ng_gate **out, struct ng_error *err)
{
	struct ng_gate *gate;
	int rc = ng_gate_open_any(pins, link, hook, &gate, err);

	if (rc)
		return rc;
	if (gate->prog_id) {
		*out = gate;
		return 0;
	}
	ng_gate_close(gate);
	return taken_off(link, hook, err);
}

/* The other tc hook's gate takes over the duty to remove clsact. */
static void hand_qdisc_over(const struct ng_pins *pins, const struct ng_gate *gate)
{
	enum ng_hook other = gate->hook == NG_HOOK_TC_IN ? NG_HOOK_TC_OUT : NG_HOOK_TC_IN;
	struct ng_maps maps;
	__u32 abi;

	if (!gate->maps.control->made_qdisc)
		return;
	if (ng_pins_open_maps(pins, gate->link.ifindex, other, &maps, &abi))
		return;
	if (maps.control->mode == NG_MODE_CLSACT)
		maps.control->made_qdisc = 1;
	ng_maps_close(&maps);
}

int ng_gate_detach(const struct ng_pins *pins, struct ng_gate *gate, struct ng_error *err)
{
	const struct ng_hook_ops *ops = ng_hook_ops_of(gate->mode);
	int rc = ops ? ops->detach(gate) : 0;

	if (!rc && gate->mode == NG_MODE_CLSACT) {
		rc = ng_clsact_clean(gate);
		if (!rc)
			hand_qdisc_over(pins, gate);
	}
	if (!rc && gate->pinned)
		rc = ng_pins_remove(pins, gate->link.ifindex, gate->hook);
	if (rc)
		rc = ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "%s: detaching failed",
			    ng_hook_name[gate->hook]);
	ng_gate_close(gate);
	return rc;
}

/* A gate whose maps we cannot read: what holds its program tells the way it is attached. */
static int remove_unread(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
			 struct ng_error *err)
{
	struct ng_gate *gate = gate_new(link, hook, err);
	int rc;

	if (!gate)
		return -ENOMEM;
	rc = open_link(pins, gate);
	if (!rc)
		rc = gate->link_fd >= 0	   ? ng_bpf_link_detach(gate)
		     : hook != NG_HOOK_XDP ? ng_clsact_ops.detach(gate)
					   : 0;
	if (!rc)
		rc = ng_pins_remove(pins, link->ifindex, hook);
	ng_gate_close(gate);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, link->name, "%s: detaching failed",
			   ng_hook_name[hook])
		  : 0;
}

int ng_gate_remove(const struct ng_pins *pins, const struct ng_link *link, enum ng_hook hook,
		   struct ng_error *err)
{
	struct ng_gate *gate;

	if (ng_gate_open_any(pins, link, hook, &gate, NULL))
		return remove_unread(pins, link, hook, err);
	return ng_gate_detach(pins, gate, err);
}

static int load_test_filter(struct ng_gate *gate, const struct ng_cbpf *cbpf,
			    const struct ng_gate_spec *spec, struct ng_error *err)
{
	struct ng_tap_code code = { 0 };
	struct ng_load load = {
		.object = cbpf ? "filter" : "gate",
		.hook = gate->hook,
		.frags = gate->hook == NG_HOOK_XDP && spec->frags != NG_FRAGS_OFF,
		.tap_only = spec->tap_only,
		.acl = spec->acl,
		.taps = cbpf ? 1 : 0,
	};
	int rc = 0;

	ng_tap_code_use(&code, &load);
	if (cbpf)
		rc = ng_tap_code_add(&code, 0, gate->hook, cbpf, spec->filter_flags, err);
	if (!rc)
		rc = load_into(gate, spec, &load, err);
	if (!rc)
		gate->maps.control->taps = load.taps;
	ng_tap_code_free(&code);
	return rc;
}

int ng_gate_load(enum ng_hook hook, const struct ng_cbpf *filter, const struct ng_gate_spec *spec,
		 struct ng_gate **out, struct ng_error *err)
{
	const struct ng_link nowhere = { 0 };
	int rc = ng_gate_may_load(err);
	struct ng_gate *gate;

	if (rc)
		return rc;
	gate = gate_new(&nowhere, hook, err);
	if (!gate)
		return -ENOMEM;
	rc = load_test_filter(gate, filter, spec, err);
	if (rc)
		ng_gate_close(gate);
	else
		*out = gate;
	return rc;
}
