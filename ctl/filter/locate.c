// SPDX-License-Identifier: GPL-2.0-only
/* Where in a filter expression libpcap stumbled. */
#include "ctl/filter/pcap.h"
#include "ctl/filter/locate.h"
void ng_locate(struct pcap *pcap, const char *expr, const char *file, struct ng_error *err)
{
	(void)pcap;
	(void)expr;
	(void)file;
	(void)err;
}
