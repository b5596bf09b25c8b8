// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tc hook where the kernel has no TCX: a direct-action cls_bpf filter on clsact, handle 0x6e67.
 * On the way in it takes the lowest free priority from 1 up, on the way out the highest free one
 * from 65535 down, so that it is first and last in the chain like its TCX brother. It stays when
 * the process goes, hence "filter" is pinned beside the maps.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "ctl/dataplane/filters.h"
#include "ctl/dataplane/hooks.h"
#include "ctl/dataplane/libbpf_log.h"

#define PRIO_FIRST 1u
#define PRIO_LAST  65535u
#define PRIO_TRIES 16u
#define PROG_NAME  "ng_tc"

static enum bpf_tc_attach_point point_of(enum ng_hook hook)
{
	return hook == NG_HOOK_TC_OUT ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

/* Makes clsact where there is none. The mark comes first:
 * whenever we die, whoever takes the gate away takes the qdisc along. */
static int make_qdisc(struct ng_gate *gate)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)gate->link.ifindex,
		    .attach_point = point_of(gate->hook));
	__u16 was_made = gate->maps.control->made_qdisc;
	int rc;

	gate->maps.control->made_qdisc = 1;
	rc = bpf_tc_hook_create(&hook);
	ng_trace("clsact: create on %s = %d", gate->link.name, rc);
	if (rc)
		gate->maps.control->made_qdisc = was_made;
	return rc == -EEXIST ? 0 : rc;
}

static int put_filter(const struct ng_gate *gate, int prog_fd, __u32 prio, __u32 flags)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)gate->link.ifindex,
		    .attach_point = point_of(gate->hook));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NG_TC_HANDLE, .priority = prio, .prog_fd = prog_fd,
		    .flags = flags);
	int rc = bpf_tc_attach(&hook, &opts);

	ng_trace("clsact: filter on %s %s, priority %u = %d", gate->link.name,
		 ng_hook_name[gate->hook], prio, rc);
	return rc;
}

/* A priority held by a filter of another kind or protocol is refused as EINVAL or EEXIST:
 * the next one is tried. */
static int put_at_free_priority(const struct ng_gate *gate)
{
	int rc = -EEXIST;

	for (__u32 i = 0; i < PRIO_TRIES; i++) {
		__u32 prio = gate->hook == NG_HOOK_TC_OUT ? PRIO_LAST - i : PRIO_FIRST + i;

		rc = put_filter(gate, gate->prog_fd, prio, 0);
		if (rc != -EEXIST && rc != -EINVAL)
			break;
	}
	return rc;
}

static int is_ours(const struct ng_tc_filter *f, void *arg)
{
	if (strcmp(f->kind, "bpf") || f->handle != NG_TC_HANDLE ||
	    strncmp(f->name, PROG_NAME, strlen(PROG_NAME)))
		return 0;
	*(struct ng_tc_filter *)arg = *f;
	return 1;
}

/* 1 and *f: our filter; 0: there is none. */
static int find_ours(const struct ng_gate *gate, struct ng_tc_filter *f)
{
	return ng_tc_filters_each(gate->link.ifindex, gate->hook, is_ours, f);
}

static int clsact_attach(struct ng_gate *gate, const struct ng_gate_spec *spec,
			 struct ng_error *err)
{
	int rc;

	(void)spec;
	ng_libbpf_words_clear();
	rc = make_qdisc(gate);
	if (!rc)
		rc = put_at_free_priority(gate);
	if (!rc) {
		gate->mode = NG_MODE_CLSACT;
		return 0;
	}
	ng_clsact_clean(gate);
	ng_err(err, NG_EXIT_UNSUPPORTED, -rc, gate->link.name, "%s: attaching by clsact failed",
	       ng_hook_name[gate->hook]);
	if (*ng_libbpf_words())
		ng_err_why(err, "%s", ng_libbpf_words());
	if (gate->hook == NG_HOOK_TC_OUT)
		ng_err_try(err, "tc qdisc show dev %s    (an \"ingress\" qdisc excludes clsact)",
			   gate->link.name);
	return rc;
}

static int clsact_swap(struct ng_gate *gate, int prog_fd)
{
	struct ng_tc_filter f;
	int rc = find_ours(gate, &f);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	return put_filter(gate, prog_fd, f.prio, BPF_TC_F_REPLACE);
}

static int clsact_detach(struct ng_gate *gate)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)gate->link.ifindex,
		    .attach_point = point_of(gate->hook));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NG_TC_HANDLE);
	struct ng_tc_filter f;
	int rc = find_ours(gate, &f);

	if (rc <= 0)
		return rc;
	opts.priority = f.prio;
	rc = bpf_tc_detach(&hook, &opts);
	return rc == -ENOENT ? 0 : rc;
}

static int clsact_query(struct ng_gate *gate)
{
	struct ng_tc_filter f;
	int rc = find_ours(gate, &f);

	gate->prog_id = rc > 0 ? f.prog_id : 0;
	return rc < 0 ? rc : 0;
}

static int any_filter(const struct ng_tc_filter *f, void *arg)
{
	(void)f, (void)arg;
	return 1;
}

int ng_clsact_clean(struct ng_gate *gate)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)gate->link.ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int rc;

	if (!gate->maps.control->made_qdisc)
		return 0;
	if (ng_tc_filters_each(gate->link.ifindex, NG_HOOK_TC_IN, any_filter, NULL) ||
	    ng_tc_filters_each(gate->link.ifindex, NG_HOOK_TC_OUT, any_filter, NULL))
		return 0;
	gate->maps.control->made_qdisc = 0;
	rc = bpf_tc_hook_destroy(&hook);
	/* Somebody took it away already, and may have put another kind in its place. */
	return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

const struct ng_hook_ops ng_clsact_ops = {
	.attach = clsact_attach,
	.swap = clsact_swap,
	.detach = clsact_detach,
	.query = clsact_query,
};
