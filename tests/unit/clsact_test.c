// SPDX-License-Identifier: GPL-2.0-only
/* Who made clsact: the mark is there before the qdisc is, and only then. libbpf's calls are ours here. */
#include <bpf/libbpf.h>
#include <errno.h>

#include "ctl/dataplane/hooks.h"
#include "tests/tap.h"

#define NO_SUCH_LINK 0x7ffffffe

static struct ng_control control;
static int create_rc, attach_rc, destroyed;
static __u16 mark_at_create;

int bpf_tc_hook_create(struct bpf_tc_hook *hook)
{
	(void)hook;
	mark_at_create = control.made_qdisc;
	return create_rc;
}

int bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	(void)hook, (void)opts;
	return attach_rc;
}

int bpf_tc_hook_destroy(struct bpf_tc_hook *hook)
{
	(void)hook;
	destroyed++;
	return 0;
}

int main(void)
{
	static const struct {
		const char *name;
		int create, attach;
		__u16 before, after;
		int destroyed;
	} row[] = {
		{ "made", 0, 0, 0, 1, 0 },
		{ "somebody's", -EEXIST, 0, 0, 0, 0 },
		{ "ours of before", -EEXIST, 0, 1, 1, 0 },
		{ "not to be had", -ENOMEM, 0, 0, 0, 0 },
		{ "made, no filter", 0, -EPERM, 0, 0, 1 },
		{ "somebody's, no filter", -EEXIST, -EPERM, 0, 0, 0 },
	};
	const struct ng_gate_spec spec = { .hook = NG_HOOK_TC_OUT };
	struct ng_gate gate = {
		.link = { .ifindex = NO_SUCH_LINK, .name = "none" },
		.hook = NG_HOOK_TC_OUT,
		.maps.control = &control,
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ng_error err;
		int rc, fails = row[i].attach || (row[i].create && row[i].create != -EEXIST);

		control.made_qdisc = row[i].before;
		create_rc = row[i].create;
		attach_rc = row[i].attach;
		destroyed = 0;
		rc = ng_clsact_ops.attach(&gate, &spec, &err);
		ok(!rc == !fails, "clsact %s: %s", row[i].name, fails ? "fails" : "attached");
		is_int(mark_at_create, 1, "clsact %s: marked before it is made", row[i].name);
		is_int(control.made_qdisc, row[i].after, "clsact %s: the mark", row[i].name);
		is_int(destroyed, row[i].destroyed, "clsact %s: taken away", row[i].name);
	}
	return tap_done();
}
