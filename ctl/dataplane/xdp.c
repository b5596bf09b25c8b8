// SPDX-License-Identifier: GPL-2.0-only
/* The XDP hook: links in native and generic mode, and what is said when a mode is refused. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "ctl/dataplane/foreign.h"
#include "ctl/dataplane/hooks.h"
#include "ctl/dataplane/libbpf_log.h"

static const __u32 mode_flag[NG_MODE_MAX] = {
	[NG_MODE_NATIVE] = XDP_FLAGS_DRV_MODE,
	[NG_MODE_GENERIC] = XDP_FLAGS_SKB_MODE,
};

/* What an error number means here, for kernels that say nothing more. */
static const struct {
	int error;
	const char *meaning;
} known_cause[] = {
	{ EOPNOTSUPP, "the driver has no native XDP in its present configuration" },
	{ ERANGE, "the MTU is too large for this driver's XDP" },
	{ ENOMEM, "not enough memory for the driver's XDP queues" },
	{ ENOSPC, "not enough queues: XDP wants its own transmit queues" },
	{ EINVAL,
	  "the driver does not take XDP in its present configuration (MTU, LRO, ring size)" },
};

static const char *cause_of(int error)
{
	for (size_t i = 0; i < sizeof(known_cause) / sizeof(known_cause[0]); i++)
		if (known_cause[i].error == error)
			return known_cause[i].meaning;
	return strerror(error);
}

/*
 * A link attach returns an error number only; the older netlink way returns the driver's words too.
 * So what was refused is asked for again that way, and taken off at once should it succeed now.
 */
static void ask_why(const struct ng_gate *gate, __u32 flags, int error, char *words, size_t size)
{
	int ifindex = (int)gate->link.ifindex;
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = gate->prog_fd);

	ng_libbpf_words_clear();
	if (!bpf_xdp_attach(ifindex, gate->prog_fd, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
		bpf_xdp_detach(ifindex, flags | XDP_FLAGS_REPLACE, &opts);
	snprintf(words, size, "%s", *ng_libbpf_words() ? ng_libbpf_words() : cause_of(error));
}

struct attempt {
	enum ng_mode mode;
	bool frags;
};

/* One try: 0 with gate->link_fd and gate->mode set, else -errno and the reason in words. */
static int try_attach(struct ng_gate *gate, const struct attempt *a, char *words, size_t size)
{
	int fd = ng_bpf_link_create(gate->prog_fd, gate->link.ifindex, BPF_XDP, mode_flag[a->mode]);

	if (fd < 0) {
		ask_why(gate, mode_flag[a->mode], -fd, words, size);
		return fd;
	}
	gate->link_fd = fd;
	gate->mode = a->mode;
	return 0;
}

static size_t plan(const struct ng_gate_spec *spec, struct attempt *list)
{
	size_t n = 0;

	for (int mode = NG_MODE_NATIVE; mode <= NG_MODE_GENERIC; mode++) {
		if (spec->mode == (mode == NG_MODE_NATIVE ? NG_WISH_GENERIC : NG_WISH_NATIVE))
			continue;
		if (spec->frags != NG_FRAGS_OFF)
			list[n++] = (struct attempt){ mode, true };
		if (spec->frags != NG_FRAGS_ON)
			list[n++] = (struct attempt){ mode, false };
	}
	return n;
}

static void say_what_differs(const struct ng_gate *gate, const struct ng_gate_spec *spec,
			     const struct attempt *got, const char *words)
{
	if (spec->mode == NG_WISH_AUTO && got->mode == NG_MODE_GENERIC)
		ng_warn("%s: native XDP was refused (%s); attached in generic mode, which is slower",
			gate->link.name, words);
	else if (spec->frags == NG_FRAGS_AUTO && !got->frags)
		ng_warn("%s: multi-buffer frames were refused (%s); attached without them",
			gate->link.name, words);
	if (got->mode == NG_MODE_NATIVE && !strcmp(gate->link.kind, "veth"))
		ng_warn("%s: native XDP on a veth turns TSO off at its peer: TCP through it gets "
			"slower; %s leaves it on",
			gate->link.name, spec->tap_only ? "--hook tc" : "--mode generic");
}

static int refused(const struct ng_gate *gate, const struct ng_gate_spec *spec, int error,
		   const char *words, struct ng_error *err)
{
	static const char *const wish[] = {
		[NG_WISH_AUTO] = "native nor generic",
		[NG_WISH_NATIVE] = "native",
		[NG_WISH_GENERIC] = "generic",
	};
	enum ng_exit status = error == EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_UNSUPPORTED;

	ng_err(err, status, error, gate->link.name, "%s XDP was refused", wish[spec->mode]);
	ng_err_why(err, "%s", words);
	if (error == ERANGE || (error == EINVAL && gate->link.mtu > 1500))
		ng_err_try(err, "ip link set dev %s mtu 1500%s", gate->link.name,
			   strcmp(gate->link.kind, "veth") ? "" : "    (and at its peer)");
	if (spec->frags == NG_FRAGS_OFF && error == ERANGE)
		ng_err_try(err, "nicgate attach %s --frags auto", gate->link.name);
	if (spec->mode == NG_WISH_NATIVE)
		ng_err_try(err, "nicgate attach %s --mode generic", gate->link.name);
	else
		ng_err_try(err, "nicgate attach %s --hook tc-in", gate->link.name);
	return -error;
}

/* Is the attempt worth making after `error` of the one before?
 * Frags make no difference to a driver without XDP. */
static bool worth_trying(const struct attempt *a, const struct attempt *before, int error)
{
	return error != -EOPNOTSUPP || a->mode != before->mode;
}

/*
 * Works through the plan. 0, or the last try's -errno with its reason in words, or -ECANCELED with
 * *err filled when the program itself was refused. *got is the last that was tried; first: why the
 * first try failed.
 */
static int try_all(struct ng_gate *gate, const struct ng_gate_spec *spec, struct attempt *got,
		   char *words, char *first, size_t size, struct ng_error *err)
{
	struct attempt list[4];
	size_t n = plan(spec, list);
	bool built = false;
	int rc = -EINVAL;

	for (size_t i = 0; i < n; i++) {
		if (i && !worth_trying(&list[i], got, rc))
			continue;
		if ((!built || got->frags != list[i].frags) &&
		    ng_gate_build(gate, spec, list[i].frags, err))
			return -ECANCELED;
		built = true;
		*got = list[i];
		rc = try_attach(gate, got, words, size);
		if (!rc)
			return 0;
		ng_debug("%s: %s XDP%s: %s [%s]", gate->link.name, ng_mode_name[got->mode],
			 got->frags ? " with frags" : "", words, strerrorname_np(-rc));
		if (!i)
			snprintf(first, size, "%s", words);
		if (rc == -EBUSY || rc == -EEXIST)
			break;
	}
	return rc;
}

static int xdp_attach(struct ng_gate *gate, const struct ng_gate_spec *spec, struct ng_error *err)
{
	char words[256] = "", first[256] = "";
	struct attempt got = { 0 };
	int rc = try_all(gate, spec, &got, words, first, sizeof(words), err);

	if (!rc) {
		gate->maps.control->frags = got.frags;
		say_what_differs(gate, spec, &got, first);
		return 0;
	}
	if (rc == -ECANCELED)
		return rc;
	if (rc == -EBUSY || rc == -EEXIST) {
		int busy = ng_foreign_xdp_check(&gate->link, err);

		if (busy)
			return busy;
	}
	return refused(gate, spec, -rc, words, err);
}

const struct ng_hook_ops ng_xdp_ops = {
	.attach = xdp_attach,
	.swap = ng_bpf_link_swap,
	.detach = ng_bpf_link_detach,
	.query = ng_bpf_link_query,
};
