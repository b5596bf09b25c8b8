// SPDX-License-Identifier: GPL-2.0-only
/* Dump of the tc filters at clsact. */
#include "ctl/dataplane/filters.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>

struct walk {
	int (*fn)(const struct ng_tc_filter *filter, void *arg);
	void *arg;
	int rc;
};

static void read_bpf(struct nlattr *options, struct ng_tc_filter *f)
{
	struct nlattr *tb[TCA_BPF_MAX + 1];

	if (!options || nla_parse_nested(tb, TCA_BPF_MAX, options, NULL))
		return;
	if (tb[TCA_BPF_ID])
		f->prog_id = nla_get_u32(tb[TCA_BPF_ID]);
	if (tb[TCA_BPF_NAME])
		snprintf(f->name, sizeof(f->name), "%s", nla_get_string(tb[TCA_BPF_NAME]));
}

static int take_filter(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	const struct tcmsg *tc = nlmsg_data(nlh);
	struct nlattr *tb[TCA_MAX + 1];
	struct ng_tc_filter f = { 0 };
	struct walk *w = arg;

	if (w->rc || nlh->nlmsg_type != RTM_NEWTFILTER ||
	    nlmsg_parse(nlh, sizeof(*tc), tb, TCA_MAX, NULL) || !tb[TCA_KIND])
		return NL_OK;
	/* Each priority has a heading message without handle before its filters. */
	if (!tc->tcm_handle)
		return NL_OK;
	snprintf(f.kind, sizeof(f.kind), "%s", nla_get_string(tb[TCA_KIND]));
	f.handle = tc->tcm_handle;
	f.prio = TC_H_MAJ(tc->tcm_info) >> 16;
	if (!strcmp(f.kind, "bpf"))
		read_bpf(tb[TCA_OPTIONS], &f);
	w->rc = w->fn(&f, w->arg);
	return NL_OK;
}

static int dump(struct nl_sock *sk, unsigned int ifindex, enum ng_hook hook)
{
	struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, hook == NG_HOOK_TC_OUT ? TC_H_MIN_EGRESS
									    : TC_H_MIN_INGRESS),
	};
	int rc = nl_send_simple(sk, RTM_GETTFILTER, NLM_F_DUMP, &tc, sizeof(tc));

	return rc < 0 ? rc : nl_recvmsgs_default(sk);
}

int ng_tc_filters_each(unsigned int ifindex, enum ng_hook hook,
		       int (*fn)(const struct ng_tc_filter *filter, void *arg), void *arg)
{
	struct walk w = { .fn = fn, .arg = arg };
	struct nl_sock *sk = nl_socket_alloc();
	int rc;

	if (!sk)
		return -ENOMEM;
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, take_filter, &w);
	rc = nl_connect(sk, NETLINK_ROUTE);
	if (rc >= 0)
		rc = dump(sk, ifindex, hook);
	nl_socket_free(sk);
	/* Without clsact there is nothing to dump; old kernels call that an error. */
	return rc < 0 && rc != -NLE_INVAL && rc != -NLE_OBJ_NOTFOUND && rc != -NLE_NODEV ? -EIO
											 : w.rc;
}
