// SPDX-License-Identifier: GPL-2.0-only
/* How fast an interface is, by an ethtool ioctl. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <net/if.h>

#include "ctl/net/net.h"

#define MASK_WORDS_MAX 127

/* The first call agrees on the size of the three link mode masks; the second fills the rest. */
static uint64_t ask(int fd, const struct ng_link *link)
{
	union {
		struct ethtool_link_settings s;
		char room[sizeof(struct ethtool_link_settings) +
			  3 * sizeof(__u32) * MASK_WORDS_MAX];
	} req = { .s = { .cmd = ETHTOOL_GLINKSETTINGS } };
	struct ifreq ifr = { .ifr_data = (char *)&req };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", link->name);
	if (ioctl(fd, SIOCETHTOOL, &ifr) || req.s.link_mode_masks_nwords >= 0)
		return 0;
	req.s.cmd = ETHTOOL_GLINKSETTINGS;
	req.s.link_mode_masks_nwords = (__s8)-req.s.link_mode_masks_nwords;
	if (ioctl(fd, SIOCETHTOOL, &ifr) || req.s.speed == (__u32)SPEED_UNKNOWN)
		return 0;
	return req.s.speed * 1000000ull;
}

uint64_t ng_link_speed(const struct ng_link *link)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t speed;

	if (fd < 0)
		return 0;
	speed = ask(fd, link);
	close(fd);
	return speed;
}
