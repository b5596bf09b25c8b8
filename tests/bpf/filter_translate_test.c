// SPDX-License-Identifier: GPL-2.0-only
/* Translated filter expressions answer as libpcap's interpreter does,
 * wherever the bytes of the packet lie. */
#include "tests/bpf/filter_run.h"

#define PACKETS	 1500
#define ETHERNET 1

static const char *const expressions[] = {
	"ip",
	"ip6",
	"tcp",
	"arp or icmp",
	"ether proto 0x88cc",
	"ether host 02:00:00:00:00:01",
	"ether multicast",
	"ether broadcast",
	"udp port 53",
	"tcp port 80",
	"port 443",
	"host 10.0.0.1",
	"net 10.0.0.0/8",
	"src net 192.168.0.0/16 and dst port 443",
	"not (tcp or udp or arp)",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"tcp[tcpflags] == tcp-syn",
	"tcp dst port 80 and tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
	"vlan",
	"vlan 5",
	"vlan and ip",
	"vlan 5 and tcp port 80",
	"vlan and vlan and ip",
	"vlan 5 or vlan 7",
	"vlan and host 10.0.0.1",
	"mpls",
	"mpls 1024 and host 10.0.0.1",
	"pppoes",
	"pppoes and ip",
	"llc",
	"stp",
	"iso proto 131",
	"portrange 1000-2000",
	"less 100",
	"greater 200 and udp",
	"len = 64",
	"ip6 host 2001:db8::1",
	"ip6 net 2001:db8::/32 and tcp port 443",
	"icmp6 and ip6[40] = 135",
	"ip6 proto 17 and port 53",
	"icmp[icmptype] = icmp-echo",
	"udp port 53 and udp[10] & 0x80 = 0",
	"(ip multicast or ip6 multicast) and not sctp",
	"udp port 4789 and udp[8:4] & 0x08000000 != 0",
	"geneve",
	"ip[6:2] & 0x1fff != 0",
	"ip[0] & 0xf > 5 and ip[20:4] > 0x80000000",
	"ip[2:2] / ip[8] > 10 or ip[4:2] % (ip[9] - 6) = 1",
	"(ip[4:4] << ip[8]) & 0xff00 != 0 or (ip[4:4] >> ip[9]) = 7",
	"(ip[2:2] + ip[4:2]) * (ip[8] + tcp[0:2]) > 100000",
	"-ip[8] = -64",
	"(-ip[8]) & 0xffffffff = 0xffffffc0",
	"-ip[8] > 0xffffffb0",
	"ip[2:2] % (ip[8] - 64) = 0",
	"ip[2:2] ^ ip[4:2] > 30000",
	"ether[len - 4:4] > 0x80000000",
	"ether[len - 1] & 1 = 1",
	"ether[ip[8] & 31:4] > 0x40000000",
	"ether[ip[8] & 15:2] > 0x4000",
	"ether[ip[8] & 31:1] > 0x40",
	"ip[ip[8] - 70:1] > 1",
	"ip[ip[12:4]:1] = 3",
	"ether[9:4] > 0x80000000 or ether[10:2] = 1 or ether[11:2] > 3",
	"ether[12:4] > 0x81000000 or ether[13:1] = 0",
	"ether[13:4] > 0x10000000 or ether[14:4] & 1 = 1 or ether[15:2] > 7",
	"ether[5000:2] > 7",
	"ether[40000:2] > 7 or ip",
	"ether[3600:4] > 0x10000000 and ether[3800:2] > 100",
	"(tcp port 80 or tcp port 443 or tcp port 8080 or tcp port 8443) and "
	"(net 10.0.0.0/8 or net 192.168.0.0/16 or net 172.16.0.0/12) and not host 10.0.0.1",
	"tcp and (port 1 or port 2 or port 3 or port 5 or port 7 or port 11 or port 13 or port 17 or port 19 or "
	"port 23 or port 29 or port 31 or port 37 or port 41 or port 43 or port 47 or port 53 or port 59)",
};
#define N_EXPRESSIONS (sizeof(expressions) / sizeof(expressions[0]))

static void test_expression(const char *expr, bool optimize, unsigned int packets,
			    struct tally *sum)
{
	struct ng_error err = { 0 };
	struct ng_cbpf filter;
	struct tally tally = { 0 };
	unsigned int refused = 0;

	if (!ok(ng_filter_compile(expr, "expression", ETHERNET, 262144,
				  optimize ? 0 : NG_FILTER_PLAIN, &filter, &err) == 0,
		"%s: compiles", expr)) {
		printf("#   %s\n", err.what);
		return;
	}
	for (enum mode mode = 0; mode < MODES; mode++) {
		int fd = load_mode(&filter, mode);

		refused += fd == -1;
		if (fd < 0)
			continue;
		run_packets(fd, &filter, mode, packets, &tally);
		close(fd);
	}
	ok(refused == 0 && tally.wrong == 0 && tally.runs > 0,
	   "%s%s: as the interpreter (%u runs, %u accepted)", expr,
	   optimize ? "" : " (not optimized)", tally.runs, tally.accepted);
	if (tally.wrong)
		printf("#   %u answers differ\n", tally.wrong);
	sum->runs += tally.runs;
	sum->accepted += tally.accepted;
	ng_cbpf_free(&filter);
}

int main(void)
{
	struct tally sum = { 0 };

	require_bpf();
	printf("# seed %#llx\n", (unsigned long long)random_state);
	for (size_t i = 0; i < N_EXPRESSIONS; i++) {
		test_expression(expressions[i], true, packets_wanted(PACKETS), &sum);
		test_expression(expressions[i], false, packets_wanted(PACKETS / 5), &sum);
	}
	printf("# %u runs, %u accepted\n", sum.runs, sum.accepted);
	ok(sum.accepted > sum.runs / 20,
	   "enough packets match for the comparison to mean something");
	return tap_done();
}
