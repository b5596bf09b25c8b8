// SPDX-License-Identifier: GPL-2.0-only
/* Packets as lines of text, where there is no tcpdump. */
#include "ctl/capture/lines.h"

#include <time.h>

#include "tests/tap.h"

static const struct {
	const char *name;
	struct ng_packet pkt;
	const char *want;
} row[] = {
	{ "with direction and verdict",
	  { .wall_ns = 3723000000005ull,
	    .data = (const unsigned char *)"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0",
	    .caplen = 14,
	    .wirelen = 98,
	    .dir = NG_PACKET_IN,
	    .verdict_kind = NG_VERDICT_EBPF_XDP,
	    .verdict = NG_DROP },
	  "01:02:03.000000005 In  drop 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype 0x0800, length 98\n" },
	{ "of a temporary tap",
	  { .wall_ns = 1,
	    .data = (const unsigned char *)"\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd",
	    .caplen = 14,
	    .wirelen = 14,
	    .dir = NG_PACKET_OUT,
	    .verdict_kind = NG_VERDICT_NONE },
	  "00:00:00.000000001 Out 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype 0x86dd, length 14\n" },
	{ "too short for a header",
	  { .data = (const unsigned char *)"",
	    .caplen = 0,
	    .wirelen = 5,
	    .verdict_kind = NG_VERDICT_NONE },
	  "00:00:00.000000000 [0 bytes of a header], length 5\n" },
};

int main(void)
{
	char buf[NG_ENCODE_PACKET(0) + 1];

	setenv("TZ", "UTC0", 1);
	tzset();
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		buf[ng_lines_packet(buf, &row[i].pkt, 0)] = '\0';
		if (!ok(!strcmp(buf, row[i].want), "%s", row[i].name))
			printf("#   got %s", buf);
	}
	return tap_done();
}
