// SPDX-License-Identifier: GPL-2.0-only
/* Packets as lines: local time, direction, verdict, Ethernet addresses, type, length. */
#include "ctl/capture/lines.h"

#include <stdio.h>
#include <time.h>

#define ETHERNET_HEADER 14

static const char *const dir_name[] = {
	[NG_PACKET_DIR_UNKNOWN] = "",
	[NG_PACKET_IN] = " in",
	[NG_PACKET_OUT] = " out",
};
static const char *const verdict_name[] = { [NG_PASS] = " pass", [NG_DROP] = " drop" };
_Static_assert(sizeof(verdict_name) / sizeof(verdict_name[0]) == NG_VERDICT_MAX,
	       "a name for every verdict");

static const char *verdict_of(const struct ng_packet *f)
{
	return f->verdict_kind == NG_VERDICT_NONE || f->verdict >= NG_VERDICT_MAX
		       ? ""
		       : verdict_name[f->verdict];
}

static int put_addresses(char *p, size_t size, const struct ng_packet *f)
{
	const unsigned char *d = f->data;

	if (f->caplen < ETHERNET_HEADER)
		return snprintf(p, size, " [%u bytes of a header]", f->caplen);
	return snprintf(
		p, size,
		" %02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x, ethertype 0x%02x%02x",
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
	p += snprintf(p, (size_t)(end - p), ".%09u%s%s", (unsigned int)(f->wall_ns % 1000000000),
		      dir_name[f->dir], verdict_of(f));
	p += put_addresses(p, (size_t)(end - p), f);
	p += snprintf(p, (size_t)(end - p), ", length %u\n", f->wirelen);
	return (size_t)(p - (char *)buf);
}
