// SPDX-License-Identifier: GPL-2.0-only
/* Link events: tells a capture that its interface went away. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>

#include "ctl/net/net.h"

struct ng_link_events {
	struct nl_sock *sk;
	unsigned int ifindex; /* asked about in the read under way */
	bool gone;
};

/* A bridge port that leaves its bridge is a RTM_DELLINK too, with family AF_BRIDGE. */
static int take_event(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *h = nlmsg_hdr(msg);
	const struct ifinfomsg *info = nlmsg_data(h);
	struct ng_link_events *ev = arg;

	if (!nlmsg_valid_hdr(h, sizeof(*info)) || (unsigned int)info->ifi_index != ev->ifindex)
		return NL_OK;
	if (h->nlmsg_type == RTM_DELLINK && info->ifi_family == AF_UNSPEC)
		ev->gone = true;
	return NL_OK;
}

int ng_link_events_open(struct ng_link_events **out, struct ng_error *err)
{
	struct ng_link_events *ev = calloc(1, sizeof(*ev));
	int rc = -NLE_NOMEM;

	if (ev)
		ev->sk = nl_socket_alloc();
	if (ev && ev->sk) {
		nl_socket_disable_seq_check(ev->sk);
		nl_socket_modify_cb(ev->sk, NL_CB_VALID, NL_CB_CUSTOM, take_event, ev);
		rc = nl_connect(ev->sk, NETLINK_ROUTE);
	}
	if (!rc)
		rc = nl_socket_add_memberships(ev->sk, RTNLGRP_LINK, RTNLGRP_NONE);
	if (!rc)
		rc = nl_socket_set_nonblocking(ev->sk);
	if (rc) {
		ng_link_events_close(ev);
		return ng_err(err, NG_EXIT_FAILED, EIO, "rtnetlink",
			      "cannot listen for link events: %s", nl_geterror(rc));
	}
	*out = ev;
	return 0;
}

int ng_link_events_fd(const struct ng_link_events *ev)
{
	return nl_socket_get_fd(ev->sk);
}

int ng_link_events_read(struct ng_link_events *ev, unsigned int ifindex, bool *gone)
{
	char name[IF_NAMESIZE];
	int rc;

	ev->ifindex = ifindex;
	ev->gone = false;
	do
		rc = nl_recvmsgs_default(ev->sk);
	while (!rc);
	/* An overrun lost events (libnl turns ENOBUFS into this): look for ourselves. */
	if (rc == -NLE_NOMEM && !if_indextoname(ifindex, name))
		ev->gone = true;
	if (rc != -NLE_AGAIN && rc != -NLE_NOMEM && rc != -NLE_INTR)
		return -EIO;
	if (ev->gone)
		*gone = true;
	return 0;
}

void ng_link_events_close(struct ng_link_events *ev)
{
	if (!ev)
		return;
	nl_socket_free(ev->sk);
	free(ev);
}
