// SPDX-License-Identifier: GPL-2.0-only
/* Programs that follow their taps: sorts the living from the dead, loads, swaps. */
#include "ctl/dataplane/reload.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/dataplane/generation.h"
#include "ctl/dataplane/hooks.h"
#include "ctl/filter/pack.h"
#include "maps/tap.h"

/* -ENOENT: the slot is free; -ESTALE: nobody's, its owner is gone. */
static int read_owner(const struct ng_gate *gate, __u32 slot, int *jiffies_fd,
		      struct ng_tap_conf *conf)
{
	int rc = ng_tap_read(&gate->maps, slot, conf);
	__u64 now;

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

static int sort_tap(const struct ng_gate *gate, __u32 slot, int *jiffies_fd, struct ng_reload *r,
		    struct ng_error *err)
{
	struct ng_tap_conf conf;
	int rc = read_owner(gate, slot, jiffies_fd, &conf);

	if (!rc)
		rc = read_filter(gate, slot, &r->classic[slot]);
	if (rc == -ENOENT)
		return 0;
	if (rc == -ESTALE) {
		r->dead |= 1u << slot;
		return 0;
	}
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "reading tap %u failed",
			      slot);
	r->living |= 1u << slot;
	return ng_tap_code_add(&r->code, slot, gate->hook, &r->classic[slot], conf.flags, err);
}

int ng_reload_begin(const struct ng_gate *gate, struct ng_reload *r, struct ng_error *err)
{
	int jiffies_fd = -1, rc = 0;

	*r = (struct ng_reload){ .prog_fd = -1 };
	for (__u32 slot = 0; !rc && slot < NG_TAPS_MAX; slot++)
		rc = sort_tap(gate, slot, &jiffies_fd, r, err);
	if (jiffies_fd >= 0)
		close(jiffies_fd);
	return rc;
}

void ng_reload_end(struct ng_reload *r)
{
	if (r->prog_fd >= 0)
		close(r->prog_fd);
	ng_tap_code_free(&r->code);
	for (size_t i = 0; i < NG_TAPS_MAX; i++)
		ng_cbpf_free(&r->classic[i]);
}

int ng_reload_load(const struct ng_gate *gate, const struct ng_maps *on, struct ng_reload *r,
		   struct ng_error *err)
{
	struct ng_load load = {
		.object = gate->link.name,
		.hook = gate->hook,
		.frags = gate->maps.control->frags,
		.tap_only = !on->acl.head,
		.taps = r->living,
	};
	struct ng_maps maps = *on;

	ng_tap_code_use(&r->code, &load);
	return ng_load(&load, &maps, &r->prog_fd, err);
}

static int swap_in(struct ng_gate *gate, int fd, struct ng_error *err)
{
	const struct ng_hook_ops *ops = ng_hook_ops_of(gate->mode);
	int rc = ops ? ops->swap(gate, fd) : 0;

	if (!rc)
		return 0;
	return ng_err(err, rc == -ENOENT || rc == -ENOLINK ? NG_EXIT_NOT_FOUND : NG_EXIT_FAILED,
		      -rc, gate->link.name, "%s: putting the new program in place failed",
		      ng_hook_name[gate->hook]);
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

int ng_reload_swap(struct ng_gate *gate, struct ng_reload *r, struct ng_error *err)
{
	int rc = swap_in(gate, r->prog_fd, err);

	if (rc)
		return rc;
	if (gate->prog_fd >= 0)
		close(gate->prog_fd);
	gate->prog_fd = r->prog_fd;
	gate->prog_id = ng_prog_id(r->prog_fd);
	r->prog_fd = -1;
	gate->maps.control->taps = r->living;
	release_dead(gate, r->dead);
	return 0;
}

int ng_gate_reload(struct ng_gate *gate, struct ng_error *err)
{
	struct ng_reload r = { .prog_fd = -1 };
	int rc = ng_generation_follow(gate, true, err);

	if (!rc)
		rc = ng_reload_begin(gate, &r, err);
	if (!rc)
		rc = ng_reload_load(gate, &gate->maps, &r, err);
	if (!rc)
		rc = ng_reload_swap(gate, &r, err);
	ng_reload_end(&r);
	return rc;
}
