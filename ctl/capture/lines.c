// SPDX-License-Identifier: GPL-2.0-only
/* Packets as lines: local time, direction, verdict, Ethernet addresses, type, length. */
#include "ctl/capture/lines.h"

#include <stdio.h>
#include <time.h>

#define ETHERNET_HEADER 14

static int put_addresses(char *p, size_t size, const struct ng_packet *f)
{
	const unsigned char *d = f->data;

	if (f->caplen < ETHERNET_HEADER)
		return snprintf(p, size, "[%u bytes of a header]", f->caplen);
	return snprintf(
		p, size,
		"%02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x, ethertype 0x%02x%02x",
		d[6], d[7], d[8], d[9], d[10], d[11], d[0], d[1], d[2], d[3], d[4], d[5], d[12],
		d[13]);
}

size_t ng_lines_packet(void *buf, const struct ng_packet *f, __u64 id)
{
	const time_t seconds = (time_t)(f->wall_ns / 1000000000);
	char *p = buf, *end = p + NG_ENCODE_FIXED;
	struct tm tm = {};

	(void)id;
	localtime_r(&seconds, &tm);
	p += strftime(p, (size_t)(end - p), "%H:%M:%S", &tm);
	p += snprintf(p, (size_t)(end - p), ".%09u %s", (unsigned int)(f->wall_ns % 1000000000),
		      ng_packet_words(f));
	p += put_addresses(p, (size_t)(end - p), f);
	p += snprintf(p, (size_t)(end - p), ", length %u\n", f->wirelen);
	return (size_t)(p - (char *)buf);
}
