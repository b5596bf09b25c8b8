// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each kind of packet gets, under each setting, at every hook: the table of docs/packets.md,
 * which must hold the same rows in the same words.
 */
#include "tests/bpf/gate_run.h"

/* clang-format off */
#define P(reason) { NG_PASS, NG_R_##reason }
#define D(reason) { NG_DROP, NG_R_##reason }

/*
 * Columns: no clause, drop A, drop A port 53, drop A proto udp,
 * default drop, default drop and pass A, malformed pass and drop A port 53, malformed drop
 */
#define UDP_53 \
	{ P(DEFAULT), D(ACL_SRC), D(ACL_SRC), D(ACL_SRC), \
	  D(DEFAULT), P(ACL_SRC), D(ACL_SRC), P(DEFAULT) }
#define PORT_53 \
	{ P(DEFAULT), D(ACL_SRC), D(ACL_SRC), P(DEFAULT), \
	  D(DEFAULT), P(ACL_SRC), D(ACL_SRC), P(DEFAULT) }
#define UDP_OTHER \
	{ P(DEFAULT), D(ACL_SRC), P(DEFAULT), D(ACL_SRC), \
	  D(DEFAULT), P(ACL_SRC), P(DEFAULT), P(DEFAULT) }
#define OTHER \
	{ P(DEFAULT), D(ACL_SRC), P(DEFAULT), P(DEFAULT), \
	  D(DEFAULT), P(ACL_SRC), P(DEFAULT), P(DEFAULT) }
#define ND \
	{ P(DEFAULT), D(ACL_SRC), P(DEFAULT), P(DEFAULT), \
	  P(GUARD_ND), P(GUARD_ND), P(DEFAULT), P(DEFAULT) }
#define DHCP \
	{ P(DEFAULT), D(ACL_SRC), P(DEFAULT), D(ACL_SRC), \
	  P(GUARD_DHCP), P(GUARD_DHCP), P(DEFAULT), P(DEFAULT) }
#define ARP \
	{ P(NON_IP), P(NON_IP), P(NON_IP), P(NON_IP), \
	  P(GUARD_ARP), P(GUARD_ARP), P(NON_IP), P(NON_IP) }
#define NOT_IP \
	{ P(NON_IP), P(NON_IP), P(NON_IP), P(NON_IP), \
	  P(NON_IP), P(NON_IP), P(NON_IP), P(NON_IP) }
#define LATER_UDP \
	{ P(DEFAULT), D(ACL_SRC), D(FRAGMENT), D(ACL_SRC), \
	  D(DEFAULT), P(ACL_SRC), P(FRAGMENT), P(DEFAULT) }
#define LATER_TCP \
	{ P(DEFAULT), D(ACL_SRC), D(FRAGMENT), P(DEFAULT), \
	  D(DEFAULT), P(ACL_SRC), P(FRAGMENT), P(DEFAULT) }
#define LATER_ANY \
	{ P(DEFAULT), D(ACL_SRC), D(FRAGMENT), D(FRAGMENT), \
	  D(DEFAULT), P(ACL_SRC), P(FRAGMENT), P(DEFAULT) }
#define NO_UDP \
	{ P(TRUNC_L4), D(ACL_SRC), D(TRUNC_L4), D(ACL_SRC), \
	  D(TRUNC_L4), P(ACL_SRC), P(TRUNC_L4), D(TRUNC_L4) }
#define NO_TCP \
	{ P(TRUNC_L4), D(ACL_SRC), D(TRUNC_L4), P(TRUNC_L4), \
	  D(TRUNC_L4), P(ACL_SRC), P(TRUNC_L4), D(TRUNC_L4) }
#define CHAIN \
	{ P(EXT_HEADERS), D(ACL_SRC), D(EXT_HEADERS), D(EXT_HEADERS), \
	  D(EXT_HEADERS), P(ACL_SRC), P(EXT_HEADERS), D(EXT_HEADERS) }
#define NO_ADDR(r) \
	{ P(r), D(r), D(r), D(r), \
	  D(r), D(r), P(r), D(r) }
#define ON(way)	   (1u << (way))
#define UNTAGGED   (ON(XDP_LINEAR) | ON(XDP_MULTI) | ON(TC_PLAIN))
#define EVERYWHERE (UNTAGGED | ON(TC_TAGGED))

#define Q8100 MACS "8100" "0005"
#define Q88A8 MACS "88a8" "0007"
#define EXT8 EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c")
/* clang-format on */

static const struct row {
	const char *name, *hex;
	unsigned int ways;
	struct {
		int verdict, reason;
	} want[SETTINGS];
} rows[] = {
	/* clang-format off */
	{ "IPv4 UDP to port 53",
	  ETH4 IP4("001c", "0000", "11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv4 UDP to another port",
	  ETH4 IP4("001c", "0000", "11") UDP("0035", "0050"),
	  EVERYWHERE, UDP_OTHER },
	{ "IPv4 TCP to port 53",
	  ETH4 IP4("0028", "0000", "06") TCP("0035"),
	  EVERYWHERE, PORT_53 },
	{ "IPv4 SCTP to port 53",
	  ETH4 IP4("0020", "0000", "84") SCTP("0035"),
	  EVERYWHERE, PORT_53 },
	{ "IPv4 UDP-Lite to port 53",
	  ETH4 IP4("001c", "0000", "88") UDP("c000", "0035"),
	  EVERYWHERE, PORT_53 },
	{ "IPv4 ICMP (no ports)",
	  ETH4 IP4("001c", "0000", "01") "0800000000350035",
	  EVERYWHERE, OTHER },
	{ "IPv4 AH (not looked behind)",
	  ETH4 IP4("002c", "0000", "33") AUTH("06") SCTP("0035"),
	  EVERYWHERE, OTHER },
	{ "IPv4 with options",
	  ETH4 IP4_OPTIONS("0020", "11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv4 with an Ethernet trailer",
	  ETH4 IP4("001c", "0000", "11") UDP("c000", "0035") "003500350035",
	  EVERYWHERE, UDP_53 },
	{ "IPv4 first fragment",
	  ETH4 IP4("001c", "2000", "11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv4 later fragment, UDP",
	  ETH4 IP4("001c", "2001", "11") UDP("c000", "0035"),
	  EVERYWHERE, LATER_UDP },
	{ "IPv4 last fragment, TCP",
	  ETH4 IP4("0028", "0001", "06") TCP("0035"),
	  EVERYWHERE, LATER_TCP },
	{ "IPv4 later fragment, ICMP",
	  ETH4 IP4("001c", "2001", "01") UDP("0035", "0035"),
	  EVERYWHERE, OTHER },
	{ "IPv4 UDP header cut off by total length",
	  ETH4 IP4("001b", "0000", "11") UDP("c000", "0035"),
	  EVERYWHERE, NO_UDP },
	{ "IPv4 TCP ports in the trailer",
	  ETH4 IP4("0014", "0000", "06") TCP("0035"),
	  EVERYWHERE, NO_TCP },
	{ "IPv4 tiny first fragment, TCP",
	  ETH4 IP4("001c", "2000", "06") "c000003500000001",
	  EVERYWHERE, NO_TCP },
	{ "IPv4 header cut off",
	  MACS "0800" "4500001c00010000",
	  ON(XDP_LINEAR) | ON(XDP_MULTI), NO_ADDR(TRUNC_IP) },
	{ "IPv4 options cut off",
	  ETH4 "4f" "00003c00010000401100" "00" A4 B4 "0000",
	  EVERYWHERE, NO_ADDR(TRUNC_IP) },
	{ "IPv4 of another version",
	  ETH4 "6500001c0001000040110000" A4 B4 UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv4 header length below 20",
	  ETH4 "4400001c0001000040110000" A4 B4 UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv4 total length beyond the frame",
	  ETH4 IP4("001d", "0000", "11") UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv4 total length below the header's",
	  ETH4 IP4("0013", "0000", "11") UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv6 UDP to port 53",
	  ETH6 IP6("0008", "11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 TCP to another port",
	  ETH6 IP6("0014", "06") TCP("0050"),
	  EVERYWHERE, OTHER },
	{ "IPv6 ICMPv6 echo",
	  ETH6 IP6_HOPS("0008", "3a", "ff") ICMP6("80"),
	  EVERYWHERE, OTHER },
	{ "IPv6 hop-by-hop and UDP",
	  ETH6 IP6("0010", "00") EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 routing, options and UDP",
	  ETH6 IP6("0028", "2b") EXT_LEN1("3c") EXT("87") EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 AH and UDP",
	  ETH6 IP6("0014", "33") AUTH("11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 with 8 extension headers",
	  ETH6 IP6("0048", "3c") EXT8 EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 with 9 extension headers",
	  ETH6 IP6("0050", "3c") EXT8 EXT("3c") EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, CHAIN },
	{ "IPv6 hop-by-hop not first",
	  ETH6 IP6("0018", "3c") EXT("00") EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, CHAIN },
	{ "IPv6 extension header cut off by the frame",
	  ETH6 IP6("0002", "3c") "1100",
	  EVERYWHERE, CHAIN },
	{ "IPv6 extension header beyond payload length",
	  ETH6 IP6("000a", "3c") EXT("3c") EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, CHAIN },
	{ "IPv6 ESP (encrypted)",
	  ETH6 IP6("0008", "32") UDP("0035", "0035"),
	  EVERYWHERE, OTHER },
	{ "IPv6 no next header",
	  ETH6 IP6("0008", "3b") UDP("0035", "0035"),
	  EVERYWHERE, OTHER },
	{ "IPv6 atomic fragment",
	  ETH6 IP6("0010", "2c") FRAG6("11", "0000") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 first fragment",
	  ETH6 IP6("0010", "2c") FRAG6("11", "0001") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "IPv6 later fragment, UDP",
	  ETH6 IP6("0010", "2c") FRAG6("11", "0009") UDP("c000", "0035"),
	  EVERYWHERE, LATER_UDP },
	{ "IPv6 later fragment, ICMPv6",
	  ETH6 IP6("0010", "2c") FRAG6("3a", "0009") UDP("0035", "0035"),
	  EVERYWHERE, OTHER },
	{ "IPv6 later fragment of more extension headers",
	  ETH6 IP6("0010", "2c") FRAG6("3c", "0009") UDP("c000", "0035"),
	  EVERYWHERE, LATER_ANY },
	{ "IPv6 UDP header cut off by payload length",
	  ETH6 IP6("0007", "11") UDP("c000", "0035"),
	  EVERYWHERE, NO_UDP },
	{ "IPv6 header cut off",
	  ETH6 "6000000000081140" A6,
	  ON(XDP_LINEAR) | ON(XDP_MULTI), NO_ADDR(TRUNC_IP) },
	{ "IPv6 of another version",
	  ETH6 "4000000000081140" A6 B6 UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv6 payload length beyond the frame",
	  ETH6 IP6("0009", "11") UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv6 jumbogram",
	  ETH6 IP6("0000", "00") EXT("11") UDP("c000", "0035"),
	  EVERYWHERE, NO_ADDR(BAD_IP) },
	{ "IPv6 router advertisement",
	  ETH6 IP6_HOPS("0008", "3a", "ff") ICMP6("86"),
	  EVERYWHERE, ND },
	{ "IPv6 redirect",
	  ETH6 IP6_HOPS("0008", "3a", "ff") ICMP6("89"),
	  EVERYWHERE, ND },
	{ "IPv6 neighbour solicitation from beyond the link",
	  ETH6 IP6_HOPS("0008", "3a", "fe") ICMP6("87"),
	  EVERYWHERE, OTHER },
	{ "IPv6 neighbour solicitation in a fragment",
	  ETH6 IP6_HOPS("0010", "2c", "ff") FRAG6("3a", "0000") ICMP6("87"),
	  EVERYWHERE, OTHER },
	{ "DHCP request",
	  ETH4 IP4("001c", "0000", "11") UDP("0044", "0043"),
	  EVERYWHERE, DHCP },
	{ "DHCP answer",
	  ETH4 IP4("001c", "0000", "11") UDP("0043", "0044"),
	  EVERYWHERE, DHCP },
	{ "DHCPv6 request",
	  ETH6 IP6("0008", "11") UDP("0222", "0223"),
	  EVERYWHERE, DHCP },
	{ "UDP to port 67 from another port",
	  ETH4 IP4("001c", "0000", "11") UDP("c000", "0043"),
	  EVERYWHERE, UDP_OTHER },
	{ "ARP",
	  MACS "0806" "0001080006040001",
	  EVERYWHERE, ARP },
	{ "ARP behind a tag",
	  Q8100 "0806" "0001080006040001",
	  EVERYWHERE, ARP },
	{ "other EtherType",
	  MACS "88cc" "0000",
	  EVERYWHERE, NOT_IP },
	{ "802.3 length",
	  MACS "0026" "424203",
	  EVERYWHERE, NOT_IP },
	{ "one VLAN tag, IPv4 UDP to port 53",
	  Q8100 "0800" IP4("001c", "0000", "11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "one service tag (88a8), IPv6 UDP to port 53",
	  Q88A8 "86dd" IP6("0008", "11") UDP("c000", "0035"),
	  EVERYWHERE, UDP_53 },
	{ "two tags, IPv4 UDP to port 53",
	  Q88A8 "81000005" "0800" IP4("001c", "0000", "11") UDP("c000", "0035"),
	  UNTAGGED, UDP_53 },
	{ "two tags (9100), IPv6 UDP to port 53",
	  MACS "91000007" "91000005" "86dd" IP6("0008", "11") UDP("c000", "0035"),
	  UNTAGGED, UDP_53 },
	{ "three tags",
	  Q88A8 "81000005" "81000006" "0800" IP4("001c", "0000", "11"),
	  EVERYWHERE, NO_ADDR(VLAN_DEPTH) },
	{ "two tags in place and one in metadata",
	  Q88A8 "81000005" "0800" IP4("001c", "0000", "11") UDP("c000", "0035"),
	  ON(TC_TAGGED), NO_ADDR(VLAN_DEPTH) },
	{ "one VLAN tag, IPv4 header cut off",
	  Q8100 "0800" "4500001c00010000",
	  EVERYWHERE, NO_ADDR(TRUNC_IP) },
	{ "one VLAN tag, IPv6 header cut off",
	  Q8100 "86dd" "6000000000081140" A6,
	  EVERYWHERE, NO_ADDR(TRUNC_IP) },
	{ "VLAN tag cut off",
	  MACS "8100" "0005",
	  EVERYWHERE, NO_ADDR(TRUNC_ETH) },
	{ "second VLAN tag cut off",
	  Q88A8 "8100" "00",
	  UNTAGGED, NO_ADDR(TRUNC_ETH) },
	/* clang-format on */
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct gates gates;
static bool wrong[ROWS];

static void run_row(const struct row *row, int setting, bool *bad)
{
	const int verdict = row->want[setting].verdict, reason = row->want[setting].reason;
	struct frame f;
	struct outcome o;

	frame_set(&f, row->hex);
	for (int way = 0; way < WAYS; way++) {
		if (!(row->ways & ON(way)))
			continue;
		if (gates_judge(&gates, way, &f, &o)) {
			printf("#   %s: %s: the test run does not take the frame\n", row->name,
			       ways[way].name);
			*bad = true;
		} else if (!o.exact || o.verdict != verdict || o.reason != reason) {
			printf("#   %s: %s: %s: got %d %d%s, want %s %s\n", row->name,
			       settings[setting].name, ways[way].name, o.verdict, o.reason,
			       o.exact ? "" : " (counted wrongly)", ng_verdict_name[verdict],
			       ng_reason_name[reason]);
			*bad = true;
		}
	}
}

static void doc_line(char *line, size_t size, const struct row *row)
{
	size_t n = (size_t)snprintf(line, size, "| %s |", row->name);

	for (int s = 0; s < SETTINGS; s++)
		n += (size_t)snprintf(line + n, size - n, " %s %s |",
				      ng_verdict_name[row->want[s].verdict],
				      ng_reason_name[row->want[s].reason]);
}

static void doc_head(char *line, size_t size)
{
	size_t n = (size_t)snprintf(line, size, "| packet |");

	for (int s = 0; s < SETTINGS; s++)
		n += (size_t)snprintf(line + n, size - n, " %s |", settings[s].name);
}

/* The table in the document: its head, then each row as here, in this order and no other. */
static void check_document(const char *path)
{
	char line[512], want[512];
	size_t row = 0, lines = 0, differ = 0;
	FILE *file = fopen(path, "r");
	bool inside = false;

	doc_head(want, sizeof(want));
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!inside) {
			inside = !strcmp(line, want);
			continue;
		}
		if (line[0] != '|')
			break;
		if (line[1] == '-')
			continue;
		lines++;
		want[0] = '\0';
		if (row < ROWS)
			doc_line(want, sizeof(want), &rows[row++]);
		if (strcmp(line, want)) {
			differ++;
			printf("#   is:     %s\n#   should: %s\n", line, want);
		}
	}
	if (file)
		fclose(file);
	ok(inside && lines == ROWS && !differ, "the table in %s is this one, row by row", path);
}

int main(void)
{
	require_gates(&gates);
	for (int s = 0; s < SETTINGS; s++) {
		gates_set(&gates, &settings[s]);
		for (size_t i = 0; i < ROWS; i++)
			run_row(&rows[i], s, &wrong[i]);
	}
	for (size_t i = 0; i < ROWS; i++)
		ok(!wrong[i], "%s", rows[i].name);
	check_document("docs/packets.md");
	return tap_done();
}
