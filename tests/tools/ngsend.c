// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends frames for the tests by AF_PACKET: described ones, raw ones from hex lines, or those of a savefile.
 *
 *	ngsend -i DEV [-c COUNT] [-r PPS] [frame options]	COUNT described frames (default 1)
 *	ngsend -i DEV [-c COUNT] [-r PPS] -x HEX [-x HEX ..]	these bytes, in turn
 *	ngsend -i DEV [-c COUNT] [-r PPS] -x -			lines of hex from standard input (# comments)
 *	ngsend -i DEV [-c COUNT] [-r PPS] -f FILE		a savefile's packets
 *	ngsend -w FILE ..					writes them to a savefile instead
 *
 * Frame options:
 *	-S ADDR -D ADDR   addresses; default 192.0.2.9 to 198.51.100.1 (2001:db8:bad::9 to 2001:db8:6e67::1)
 *	-k N              N sources in turn, counting up from ADDR
 *	-p udp|tcp|icmp   default udp; icmp is ICMPv6 between IPv6 addresses
 *	-P [SPORT:]DPORT  default 40000:53
 *	-V VID[:TPID]     a VLAN tag, outermost first, TPID in hex (default 8100)
 *	-e MAC -E MAC     destination (default 02:00:5e:10:00:01), source (02:00:5e:10:00:02)
 *	-s SIZE           frame length without FCS (default: just enough)
 *	-n                the frame's number, 32 bits big endian, at the start of the payload
 * -c counts frames sent in all: more than there are starts again. -d: what DEV's own egress drops counts as sent
 * (else it is taken for a full queue and sent again). Prints "N sent"; exit 0 only if all were.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl/base/num.h"
#include "ctl/net/frames.h"

#define COUNT_MAX    10000000
#define FRAMES_MAX   65536
#define SEND_SECONDS 50 /* within a test's budget */

struct raw {
	uint8_t *data;
	size_t len;
};

static struct {
	const char *dev, *save, *src, *dst;
	uint64_t count, rate;
	uint32_t size, sources;
	bool counted, numbered, droppable;
	struct ng_frame frame;
	struct raw *raw;
	size_t raws;
} o = { .count = 1, .sources = 1 };

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("ngsend: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void add_raw(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!o.raw)
		o.raw = calloc(FRAMES_MAX, sizeof(*o.raw));
	if (!copy || !o.raw || o.raws == FRAMES_MAX)
		die("too many frames");
	memcpy(copy, data, len);
	o.raw[o.raws++] = (struct raw){ copy, len };
}

static void add_hex(const char *text)
{
	uint8_t buf[NG_FRAME_MAX];
	unsigned int byte;
	size_t len = 0;
	int used;

	for (text += strspn(text, " \t\n"); *text && *text != '#'; text += strspn(text, " \t\n:")) {
		if (len == sizeof(buf) || sscanf(text, "%2x%n", &byte, &used) != 1 || used != 2)
			die("'%.20s': not bytes in hex", text);
		buf[len++] = (uint8_t)byte;
		text += used;
	}
	if (len)
		add_raw(buf, len);
}

static void add_hex_option(const char *text)
{
	char line[3 * NG_FRAME_MAX];

	if (strcmp(text, "-")) {
		add_hex(text);
		return;
	}
	while (fgets(line, sizeof(line), stdin))
		add_hex(line);
}

static void add_savefile(const char *path)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, err);
	struct pcap_pkthdr *h;
	const u_char *data;

	if (!pcap)
		die("%s", err);
	while (pcap_next_ex(pcap, &h, &data) == 1)
		add_raw(data, h->caplen);
	pcap_close(pcap);
}

static void parse_mac(const char *text, uint8_t mac[6])
{
	unsigned int b[6];
	char end;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &end) != 6)
		die("'%s': not a MAC address", text);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

static void parse_vlan(const char *text)
{
	unsigned int tci, tpid = ETH_P_8021Q;

	if (o.frame.vlans == NG_FRAME_VLANS_MAX)
		die("more than %d tags: use -x", NG_FRAME_VLANS_MAX);
	if (sscanf(text, "%u:%x", &tci, &tpid) < 1 || tci > 0xffff || tpid > 0xffff)
		die("'%s': not a VLAN tag", text);
	o.frame.vlan[o.frame.vlans].tci = (uint16_t)tci;
	o.frame.vlan[o.frame.vlans++].tpid = (uint16_t)tpid;
}

static void parse_ports(const char *text)
{
	unsigned int a, b;

	switch (sscanf(text, "%u:%u", &a, &b)) {
	case 2:
		o.frame.sport = (uint16_t)a;
		o.frame.dport = (uint16_t)b;
		break;
	case 1:
		o.frame.dport = (uint16_t)a;
		break;
	default:
		die("'%s': not ports", text);
	}
}

static void parse_proto(const char *text)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} known[] = { { "udp", IPPROTO_UDP }, { "tcp", IPPROTO_TCP }, { "icmp", IPPROTO_ICMP } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(known[i].name, text)) {
			o.frame.proto = known[i].proto;
			return;
		}
	}
	die("'%s': not udp, tcp or icmp", text);
}

static uint64_t parse_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;

	if (ng_parse_u64(text, min, max, &value))
		die("'%s': not a number from %llu to %llu", text, (unsigned long long)min,
		    (unsigned long long)max);
	return value;
}

static void parse_option(int c)
{
	switch (c) {
	case 'i':
		o.dev = optarg;
		break;
	case 'w':
		o.save = optarg;
		break;
	case 'c':
		o.count = parse_number(optarg, 0, COUNT_MAX);
		o.counted = true;
		break;
	case 'r':
		o.rate = parse_number(optarg, 1, COUNT_MAX);
		break;
	case 'x':
		add_hex_option(optarg);
		break;
	case 'f':
		add_savefile(optarg);
		break;
	case 'S':
		o.src = optarg;
		break;
	case 'D':
		o.dst = optarg;
		break;
	case 'k':
		o.sources = (uint32_t)parse_number(optarg, 1, UINT32_MAX);
		break;
	case 'p':
		parse_proto(optarg);
		break;
	case 'P':
		parse_ports(optarg);
		break;
	case 'V':
		parse_vlan(optarg);
		break;
	case 'e':
		parse_mac(optarg, o.frame.dst_mac);
		break;
	case 'E':
		parse_mac(optarg, o.frame.src_mac);
		break;
	case 's':
		o.size = (uint32_t)parse_number(optarg, 14, NG_FRAME_MAX);
		break;
	case 'd':
		o.droppable = true;
		break;
	case 'n':
		o.numbered = true;
		break;
	default:
		exit(2);
	}
}

static void parse_options(int argc, char **argv)
{
	int c;

	parse_mac("02:00:5e:10:00:01", o.frame.dst_mac);
	parse_mac("02:00:5e:10:00:02", o.frame.src_mac);
	o.frame.proto = IPPROTO_UDP;
	o.frame.tcp_flags = TH_SYN;
	o.frame.sport = 40000;
	o.frame.dport = 53;
	while ((c = getopt(argc, argv, "i:w:c:r:x:f:S:D:k:p:P:V:e:E:s:nd")) != -1)
		parse_option(c);
	if (optind != argc || !o.dev == !o.save)
		die("usage: ngsend -i DEV | -w FILE [options]; see the head of its source");
	if (o.raws && !o.counted)
		o.count = o.raws;
}

static void parse_addresses(void)
{
	bool v6 = (o.src && strchr(o.src, ':')) || (o.dst && strchr(o.dst, ':'));
	int family;

	if (!o.src)
		o.src = v6 ? "2001:db8:bad::9" : "192.0.2.9";
	if (!o.dst)
		o.dst = v6 ? "2001:db8:6e67::1" : "198.51.100.1";
	if (ng_frame_addr(o.src, &o.frame.family, o.frame.src) ||
	    ng_frame_addr(o.dst, &family, o.frame.dst) || family != o.frame.family)
		die("'%s' to '%s': not two addresses of one family", o.src, o.dst);
	if (v6 && o.frame.proto == IPPROTO_ICMP)
		o.frame.proto = IPPROTO_ICMPV6;
}

static size_t describe(uint64_t n, uint8_t *buf)
{
	static uint8_t payload[NG_FRAME_MAX];
	struct ng_frame f = o.frame;
	uint8_t *low = f.src + (f.family == AF_INET ? 0 : 12);
	uint32_t addr_be, number_be = htonl((uint32_t)n);
	ssize_t len;

	memcpy(&addr_be, low, 4);
	addr_be = htonl(ntohl(addr_be) + (uint32_t)(n % o.sources));
	memcpy(low, &addr_be, 4);
	f.payload = payload;
	if (o.numbered) {
		memcpy(payload, &number_be, sizeof(number_be));
		f.payload_len = sizeof(number_be);
	}
	len = ng_frame_build(&f, buf, NG_FRAME_MAX);
	if (len >= 0 && o.size) {
		if (o.size < (size_t)len)
			die("-s %u: needs at least %zd bytes", o.size, len);
		f.payload_len += o.size - (size_t)len;
		len = ng_frame_build(&f, buf, NG_FRAME_MAX);
	}
	if (len < 0)
		die("cannot make such a frame: %s", strerror((int)-len));
	return (size_t)len;
}

static struct raw frame_number(uint64_t n)
{
	static uint8_t buf[NG_FRAME_MAX];

	if (o.raws)
		return o.raw[n % o.raws];
	return (struct raw){ buf, describe(n, buf) };
}

static int open_device(void)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET,
				   .sll_ifindex = (int)if_nametoindex(o.dev) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (!sll.sll_ifindex)
		die("%s: no such device", o.dev);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		die("%s: %s", o.dev, strerror(errno));
	return fd;
}

static void wait_until(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000),
			      .tv_nsec = (long)(ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static uint64_t send_frames(void)
{
	uint64_t start = now_ns(), end = start + SEND_SECONDS * 1000000000ull;
	int fd = open_device();

	for (uint64_t n = 0; n < o.count; n++) {
		struct raw frame = frame_number(n);

		if (o.rate)
			wait_until(start + n * 1000000000 / o.rate);
		while (send(fd, frame.data, frame.len, 0) < 0) {
			if (errno == ENOBUFS && o.droppable)
				break;
			if (errno != ENOBUFS && errno != EINTR)
				die("frame %llu of %zu bytes: %s", (unsigned long long)n, frame.len,
				    strerror(errno));
			wait_until(now_ns() + 100000);
		}
		if (now_ns() > end)
			return n + 1;
	}
	return o.count;
}

static uint64_t save_frames(void)
{
	pcap_t *pcap =
		pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *out = pcap_dump_open(pcap, o.save);

	if (!out)
		die("%s", pcap_geterr(pcap));
	for (uint64_t n = 0; n < o.count; n++) {
		struct raw frame = frame_number(n);
		struct pcap_pkthdr h = { .caplen = (bpf_u_int32)frame.len,
					 .len = (bpf_u_int32)frame.len };

		h.ts.tv_sec = (time_t)n;
		pcap_dump((u_char *)out, &h, frame.data);
	}
	if (pcap_dump_flush(out))
		die("%s: %s", o.save, strerror(errno));
	pcap_dump_close(out);
	pcap_close(pcap);
	return o.count;
}

int main(int argc, char **argv)
{
	uint64_t sent;

	parse_options(argc, argv);
	if (!o.raws)
		parse_addresses();
	sent = o.save ? save_frames() : send_frames();
	printf("%llu sent\n", (unsigned long long)sent);
	return sent != o.count;
}
