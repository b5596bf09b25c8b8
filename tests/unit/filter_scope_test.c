// SPDX-License-Identifier: GPL-2.0-only
/* `vlan` holds for what `and` joins to it: against expressions that libpcap reads as meant. */
#include "ctl/filter/filter.h"
#include "ctl/filter/pcap.h"
#include "tests/filter_packets.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <errno.h>

#define PACKETS	    20000
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define HOSTS                                                                                      \
	"host 10.0.0.1 or host 10.1.2.3 or host 192.168.0.1 or host 10.0.0.2 or host 10.0.0.3 or " \
	"host 10.0.0.4 or host 10.0.0.5 or host 10.0.0.6 or host 10.0.0.7 or host 10.0.0.8 or "    \
	"host 10.0.0.9 or host 10.0.0.10 or host 10.0.0.11 or host 10.0.0.12 or host 10.0.0.13 "   \
	"or host 10.0.0.14"

/*
 * meant: texts in libpcap's language, ',' is and, ';' is or between them, '!' in front is not.
 * NULL: libpcap's reading is ours, and the program is its own.
 */
static const struct {
	const char *expr, *meant;
} rows[] = {
	{ "vlan 5", NULL },
	{ "vlan and tcp", NULL },
	{ "vlan 5 and vlan 5 and port 80", NULL },
	{ "vlan 5 and (tcp or udp) and not host 10.0.0.1", NULL },
	{ "not vlan", NULL },
	{ "not (vlan 5 and tcp)", NULL },
	{ "tcp or vlan 5", NULL },
	{ "tcp or udp or (vlan and port 80)", NULL },
	{ "ether src 02:00:00:00:00:01 and vlan 5 and tcp", NULL },
	{ "less 100 and vlan", NULL },
	{ "tcp port 80", NULL },
	{ "vlan 5 or vlan 6 or mpls", NULL },
	{ "vlan 5 or vlan 6", "vlan 5; vlan 6" },
	{ "vlan 6 or vlan 5", "vlan 5; vlan 6" },
	{ "vlan 5 or tcp", "vlan 5; tcp" },
	{ "vlan 5 or tcp or host 10.0.0.1", "vlan 5; tcp; host 10.0.0.1" },
	{ "tcp and vlan 5", "vlan 5 and tcp" },
	{ "port 80 and vlan 5 and ip", "vlan 5 and port 80 and ip" },
	{ "ip and vlan and not host 10.0.0.1 and vlan",
	  "vlan and vlan and ip and not host 10.0.0.1" },
	{ "(vlan 6 or vlan 5) and tcp", "vlan 6 and tcp; vlan 5 and tcp" },
	{ "tcp and (vlan 6 or vlan 5)", "vlan 6 and tcp; vlan 5 and tcp" },
	{ "(tcp or udp) and (vlan 6 or vlan 5)",
	  "vlan 6 and (tcp or udp); vlan 5 and (tcp or udp)" },
	{ "(vlan 5 or tcp) and host 10.0.0.1", "vlan 5 and host 10.0.0.1; tcp and host 10.0.0.1" },
	{ "(vlan 5 or arp) and udp", "vlan 5 and udp" },
	{ "vlan and (vlan 5 or tcp)", "vlan and vlan 5; vlan and tcp" },
	{ "(vlan 5 or vlan 6) and (vlan 5 or vlan 7)",
	  "vlan 5 and vlan 5; vlan 5 and vlan 7; vlan 6 and vlan 5; vlan 6 and vlan 7" },
	{ "not vlan and tcp", "!vlan, tcp" },
	{ "not vlan 5 and not vlan 6", "!vlan 5, !vlan 6" },
	{ "not (vlan 5 or vlan 6)", "!vlan 5, !vlan 6" },
	{ "tcp or not vlan 5", NULL },
	{ "not vlan 5 or tcp", "!vlan 5; tcp" },
	{ "vlan 5 and not vlan 6 and tcp", "vlan 5 and tcp, !vlan 5 and vlan 6" },
	{ "vlan and not (vlan 5 or arp) and ip", "vlan and ip, !vlan and vlan 5, !vlan and arp" },
	{ "not (vlan 5 and not (vlan 5 or tcp)) and ip",
	  "!vlan 5, ip; vlan 5 and vlan 5, ip; vlan 5 and tcp, ip" },
	{ "not (not vlan 5) and not tcp", "vlan 5, !tcp" },
	{ "vlan 5 or tcp and host 10.0.0.1", "vlan 5 and host 10.0.0.1; tcp and host 10.0.0.1" },
	{ "host 10.0.0.1 or 10.1.2.3 and vlan 5", "vlan 5 and (host 10.0.0.1 or host 10.1.2.3)" },
	{ "vlan 5 and host 10.0.0.1 or 10.1.2.3", "vlan 5 and host 10.0.0.1; host 10.1.2.3" },
	{ "vlan 5 and ip proto 6 or 17 or icmp", "vlan 5 and ip proto 6; ip proto 17; icmp" },
	{ "vlan 5 and src host 10.0.0.1 or localhost",
	  "vlan 5 and src host 10.0.0.1; src host 127.0.0.1" },
	{ "(vlan 5 or ip) and (" HOSTS ")", "vlan 5 and (" HOSTS "); ip and (" HOSTS ")" },
	{ HOSTS " or host 10.0.0.99 and vlan 5 or tcp",
	  "vlan 5 and (" HOSTS " or host 10.0.0.99); tcp" },
	{ "vlan 5 and tcp[0:2] = 80 or tcp[2:2] = 80", "vlan 5 and tcp[0:2] = 80; tcp[2:2] = 80" },
	{ "udp and vlan 5 or ip6 protochain 17", "vlan 5 and udp; ip6 protochain 17" },
};

static pcap_t *pcap;

/* The parts of a row's meaning. */
static struct part {
	struct bpf_program program;
	bool is_not, ends_conjunction;
} parts[16];

static size_t read_meaning(const char *meant)
{
	size_t n_parts = 0;

	while (*meant) {
		struct part *part = &parts[n_parts++];
		size_t n = strcspn(meant, ",;");
		char text[2048];

		part->is_not = *meant == '!';
		snprintf(text, sizeof(text), "%.*s", (int)(n - part->is_not), meant + part->is_not);
		meant += n;
		part->ends_conjunction = *meant != ',';
		meant += strspn(meant, ",; ");
		if (pcap_compile(pcap, &part->program, text, 0, PCAP_NETMASK_UNKNOWN)) {
			printf("Bail out! %s: %s\n", text, pcap_geterr(pcap));
			exit(1);
		}
	}
	return n_parts;
}

static bool is_meant(size_t n_parts, const struct packet *packet)
{
	bool any = false, all = true;

	for (const struct part *part = parts; part < parts + n_parts; part++) {
		const struct ng_cbpf p = { .insns = (struct sock_filter *)part->program.bf_insns,
					   .n = part->program.bf_len };
		/* libpcap's interpreter may never come back from protochain */
		bool yes = ng_filter_interpret(&p, packet->data, packet->len, packet->len);

		all = all && yes != part->is_not;
		if (part->ends_conjunction) {
			any = any || all;
			all = true;
		}
	}
	return any;
}

static void make_whole_packet(struct packet *packet)
{
	if (below(2))
		make_packet(packet);
	else
		make_tagged_packet(packet);
	pad_packet(packet, 200);
}

static void test_meaning(const char *expr, const char *meant, unsigned int flags)
{
	static struct packet packet;
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };
	unsigned int wrong = 0, yes = 0;
	size_t n_parts = read_meaning(meant);

	if (ng_filter_compile(expr, "expression", 1, 96, flags, &p, &err)) {
		ok(false, "compiles %s: %s", expr, err.what);
		return;
	}
	for (unsigned int i = 0; i < PACKETS; i++) {
		uint32_t got;

		make_whole_packet(&packet);
		got = ng_filter_interpret(&p, packet.data, packet.len, packet.len);
		yes += got != 0;
		wrong += got != (is_meant(n_parts, &packet) ? 96 : 0);
	}
	ok(wrong == 0 && yes && yes < PACKETS,
	   "%.70s%s: %u of %u match, %u wrong, %zu instructions", expr, flags ? " (plain)" : "",
	   yes, PACKETS, wrong, p.n);
	while (n_parts)
		pcap_freecode(&parts[--n_parts].program);
	ng_cbpf_free(&p);
}

static void test_is_libpcaps(const char *expr, unsigned int flags)
{
	struct bpf_program program;
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };
	int ret = ng_filter_compile(expr, "expression", 1, 96, flags, &p, &err);

	if (pcap_compile(pcap, &program, expr, !(flags & NG_FILTER_PLAIN), PCAP_NETMASK_UNKNOWN)) {
		ok(ret == -EINVAL && strcmp(err.what, pcap_geterr(pcap)) == 0,
		   "%.70s: refused as libpcap does, flags %u", expr, flags);
		return;
	}
	ok(!ret && p.n == program.bf_len &&
		   memcmp(p.insns, program.bf_insns, p.n * sizeof(*p.insns)) == 0,
	   "%.70s: libpcap's own program, flags %u", expr, flags);
	pcap_freecode(&program);
	ng_cbpf_free(&p);
}

static const struct {
	const char *expr, *ours, *libpcap;
} notes[] = {
	{ "tcp port 80", NULL, NULL },
	{ "vlan 5 and tcp", NULL, NULL },
	{ "vlan 5 or vlan 6", "vlan 5\nvlan 6\n", "vlan 6: behind 1 tag\n" },
	{ "port 80 and vlan 5", "vlan 5 and port 80\n", "port 80: behind no tag\n" },
	{ "(vlan 5 or vlan 6) and (tcp or udp)",
	  "vlan 5 and (tcp or udp)\nvlan 6 and (tcp or udp)\n",
	  "tcp or udp: behind 2 tags\nvlan 6: behind 1 tag\n" },
	{ "not vlan and tcp", "tcp and not vlan\n", "tcp: behind 1 tag\n" },
	{ "src in @list or vlan 5 or arp", "src in @list\nvlan 5\narp\n", "arp: behind 1 tag\n" },
};

static void test_note(size_t i)
{
	struct ng_scope_note note = { 0 };
	int ret = ng_filter_explain_scope(notes[i].expr, &note);
	bool differs = notes[i].ours;

	if (!ok(ret == 0 && note.differs == differs &&
			(!differs || (strcmp(note.ours, notes[i].ours) == 0 &&
				      strcmp(note.libpcap, notes[i].libpcap) == 0)),
		"explains %s", notes[i].expr))
		printf("#   %d, %s, %s\n", ret, note.ours, note.libpcap);
	ng_scope_note_free(&note);
}

/* 4^4 alternatives and one more. */
static void test_limit(void)
{
	const char *expr = "(vlan 1 or vlan 2 or vlan 3 or vlan 4) and (vlan 1 or vlan 2 or vlan 3 "
			   "or vlan 4) and (vlan 1 or vlan 2 or vlan 3 or vlan 4) and (vlan 1 or "
			   "vlan 2 or vlan 3 or vlan 4) or vlan 9";
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };

	ok(ng_filter_compile(expr, "expression", 1, 96, 0, &p, &err) == -EINVAL &&
		   strstr(err.what, "alternatives"),
	   "too many alternatives are refused: %s", err.what);
	memset(&err, 0, sizeof(err));
	ok(ng_filter_compile("vlan 5 and gateway host 1.1.1.1 or\n tcp or vlan 6 and proto chaos",
			     "expression", 1, 96, 0, &p, &err) == -EINVAL &&
		   err.line > 0,
	   "what libpcap refuses keeps its position: %u:%u: %s", err.line, err.column, err.what);
	ng_cbpf_free(&p);
}

int main(void)
{
	pcap = pcap_open_dead(1, 96);
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (rows[i].meant) {
			test_meaning(rows[i].expr, rows[i].meant, 0);
			test_meaning(rows[i].expr, rows[i].meant, NG_FILTER_PLAIN);
		} else {
			test_is_libpcaps(rows[i].expr, 0);
		}
		test_is_libpcaps(rows[i].expr, NG_FILTER_STRICT);
	}
	for (size_t i = 0; i < N_OF(notes); i++)
		test_note(i);
	test_limit();
	pcap_close(pcap);
	return tap_done();
}
