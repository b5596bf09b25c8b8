// SPDX-License-Identifier: GPL-2.0-only
/* Driver name and speed by ethtool ioctls, XDP features by the netdev generic netlink family. */
#include "ctl/net/features.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* include/uapi/linux/netdev.h, which the kernel headers of Debian 12 do not have yet. */
#define NETDEV_FAMILY	       "netdev"
#define NETDEV_VERSION	       1
#define NETDEV_CMD_DEV_GET     1
#define NETDEV_A_IFINDEX       1
#define NETDEV_A_XDP_FEATURES  3
#define ETHTOOL_MASK_WORDS_MAX 127

void ng_features_open(struct ng_features *f)
{
	f->ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	f->family = -1;
	f->genl = nl_socket_alloc();
	if (f->genl && !genl_connect(f->genl))
		f->family = genl_ctrl_resolve(f->genl, NETDEV_FAMILY);
	if (f->genl && f->family < 0) {
		nl_socket_free(f->genl);
		f->genl = NULL;
	}
}

void ng_features_close(struct ng_features *f)
{
	if (f->ioctl_fd >= 0)
		close(f->ioctl_fd);
	nl_socket_free(f->genl);
	*f = (struct ng_features){ .ioctl_fd = -1 };
}

static bool ethtool(const struct ng_features *f, const struct ng_link *link, void *request)
{
	struct ifreq ifr = { .ifr_data = request };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", link->name);
	return !ioctl(f->ioctl_fd, SIOCETHTOOL, &ifr);
}

static void fill_driver(const struct ng_features *f, struct ng_link *link)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (ethtool(f, link, &info))
		snprintf(link->driver, sizeof(link->driver), "%s", info.driver);
}

/* The first call agrees on the size of the three link mode masks; the second fills the rest. */
static void fill_speed(const struct ng_features *f, struct ng_link *link)
{
	union {
		struct ethtool_link_settings s;
		char room[sizeof(struct ethtool_link_settings) +
			  3 * sizeof(__u32) * ETHTOOL_MASK_WORDS_MAX];
	} req = { .s = { .cmd = ETHTOOL_GLINKSETTINGS } };

	if (!ethtool(f, link, &req) || req.s.link_mode_masks_nwords >= 0)
		return;
	req.s.cmd = ETHTOOL_GLINKSETTINGS;
	req.s.link_mode_masks_nwords = (__s8)-req.s.link_mode_masks_nwords;
	if (ethtool(f, link, &req) && req.s.speed != (__u32)SPEED_UNKNOWN)
		link->speed = req.s.speed * 1000000ull;
}

static int take_features(struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[NETDEV_A_XDP_FEATURES + 1];
	struct ng_link *link = arg;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, tb, NETDEV_A_XDP_FEATURES, NULL) < 0)
		return NL_SKIP;
	if (!tb[NETDEV_A_IFINDEX] || nla_get_u32(tb[NETDEV_A_IFINDEX]) != link->ifindex)
		return NL_SKIP;
	if (tb[NETDEV_A_XDP_FEATURES]) {
		link->xdp_features = nla_get_u64(tb[NETDEV_A_XDP_FEATURES]);
		link->has_xdp_features = true;
	}
	return NL_OK;
}

static void fill_xdp_features(const struct ng_features *f, struct ng_link *link)
{
	struct nl_msg *msg = nlmsg_alloc();
	int rc = -NLE_NOMEM;

	if (msg && genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, f->family, 0, 0, NETDEV_CMD_DEV_GET,
			       NETDEV_VERSION))
		rc = nla_put_u32(msg, NETDEV_A_IFINDEX, link->ifindex);
	if (!rc) {
		nl_socket_modify_cb(f->genl, NL_CB_VALID, NL_CB_CUSTOM, take_features, link);
		rc = nl_send_auto(f->genl, msg);
	}
	if (rc >= 0)
		rc = nl_recvmsgs_default(f->genl);
	if (rc >= 0)
		rc = nl_wait_for_ack(f->genl);
	ng_trace("netlink netdev dev-get %s: %s", link->name, rc < 0 ? nl_geterror(rc) : "ok");
	nlmsg_free(msg);
}

void ng_features_fill(const struct ng_features *f, struct ng_link *link)
{
	if (f->ioctl_fd >= 0) {
		fill_driver(f, link);
		fill_speed(f, link);
	}
	if (f->genl)
		fill_xdp_features(f, link);
}
