// SPDX-License-Identifier: GPL-2.0-only
/* Classic pcap with nanoseconds. */
#include "ctl/capture/pcap.h"

#include <string.h>

#define NANOSECOND_MAGIC  0xa1b23c4d
#define LINKTYPE_ETHERNET 1

struct file_header {
	__u32 magic;
	__u16 major, minor;
	__s32 zone;
	__u32 accuracy, snaplen, linktype;
};
struct packet_header {
	__u32 seconds, nanoseconds, caplen, wirelen;
};
_Static_assert(sizeof(struct file_header) == 24 && sizeof(struct packet_header) == 16,
	       "pcap-savefile(5)");

size_t ng_pcap_header(void *buf, __u32 snaplen)
{
	const struct file_header h = {
		.magic = NANOSECOND_MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = snaplen,
		.linktype = LINKTYPE_ETHERNET,
	};

	memcpy(buf, &h, sizeof(h));
	return sizeof(h);
}

size_t ng_pcap_packet(void *buf, const struct ng_packet *f, __u64 id)
{
	const struct packet_header h = {
		.seconds = (__u32)(f->wall_ns / 1000000000),
		.nanoseconds = (__u32)(f->wall_ns % 1000000000),
		.caplen = f->caplen,
		.wirelen = f->wirelen,
	};

	(void)id;
	memcpy(buf, &h, sizeof(h));
	memcpy((char *)buf + sizeof(h), f->data, f->caplen);
	return sizeof(h) + f->caplen;
}
