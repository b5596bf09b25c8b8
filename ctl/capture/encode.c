// SPDX-License-Identifier: GPL-2.0-only
/* The table of savefile formats. */
#include "ctl/capture/encode.h"

#include "ctl/capture/lines.h"
#include "ctl/capture/pcap.h"
#include "ctl/capture/pcapng.h"

const struct ng_encoder ng_encoder[] = {
    [NG_FORMAT_PCAP] = {.header = ng_pcap_header, .packet = ng_pcap_packet},
    [NG_FORMAT_PCAPNG] =
	{
	    .header = ng_pcapng_header,
	    .iface = ng_pcapng_iface,
	    .packet = ng_pcapng_packet,
	    .stats = ng_pcapng_stats,
	},
    [NG_FORMAT_LINES] = {.packet = ng_lines_packet},
};
_Static_assert(sizeof(ng_encoder) / sizeof(ng_encoder[0]) == NG_FORMAT_MAX,
	       "an encoder for every format");
