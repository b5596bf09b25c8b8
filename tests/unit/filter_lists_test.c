// SPDX-License-Identifier: GPL-2.0-only
/* Long lists in filter expressions: sets that answer what libpcap's chains of comparisons do. */
#include "ctl/filter/filter.h"
#include "ctl/filter/lists.h"
#include "ctl/filter/pcap.h"
#include "tests/filter_packets.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <time.h>

#define PACKETS	    3000
#define TEXT_MAX    (1 << 20)
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * before, then n times `term` joined by `joint`, then after. In `term`: %A an IPv4 address, %N a
 * net of 24 bits, %S a short one of 8, %P a port, %R a range of ports, %6 an IPv6 address, %7 one
 * of few nets of 64 bits, %8 such a net.
 */
struct row {
	const char *before;
	unsigned int n;
	const char *joint, *term, *after;
	unsigned int sets;
};

static const struct row rows[] = {
	{ "", 16, " or ", "host %A", "", 1 },
	{ "", 15, " or ", "host %A", "", 0 },
	{ "", 60, " or ", "src host %A", "", 1 },
	{ "", 60, " or ", "dst host %A", "", 1 },
	{ "", 60, " or ", "src or dst host %A", "", 1 },
	{ "", 30, " or ", "src and dst host %A", "", 0 },
	{ "", 60, " or ", "ip host %A", "", 1 },
	{ "", 60, " or ", "arp host %A", "", 1 },
	{ "", 60, " || ", "net %N", "", 1 },
	{ "", 40, " or ", "src net %S", "", 1 },
	{ "", 60, " or ", "port %P", "", 1 },
	{ "", 60, " or ", "tcp dst port %P", "", 1 },
	{ "", 60, " or ", "udp src or dst port %P", "", 1 },
	{ "", 20, " or ", "sctp port %P", "", 1 },
	{ "", 40, " or ", "portrange %R", "", 1 },
	{ "", 20, " or ", "port %P or portrange %R", "", 1 },
	{ "", 20, " or ", "host %A or port %P", "", 2 },
	{ "", 20, " or ", "src host %A or dst host %A", "", 2 },
	{ "", 20, " or ", "src host %A or host %A", "", 2 },
	{ "", 20, " or ", "net %N or host %A or tcp port %P", "", 3 },
	{ "tcp and (", 40, " or ", "host %A", ")", 1 },
	{ "(", 40, " or ", "host %A", ") and tcp port 80", 1 },
	{ "not (", 40, " or ", "host %A", ")", 1 },
	{ "host ", 40, " or ", "%A", "", 1 },
	{ "host (", 40, " or ", "%A", ")", 1 },
	{ "tcp port (", 40, " or ", "%P", ") and ip6", 1 },
	{ "net ", 40, " or ", "%N", " or host 10.0.0.1", 1 },
	{ "ip6 and ", 40, " or ", "port %P", "", 1 },
	{ "tcp and ", 16, " or ", "host %A", "", 0 },
	{ "tcp and ", 17, " or ", "host %A", " and ip", 1 },
	{ "", 40, " and ", "not host %A", "", 1 },
	{ "tcp and ", 40, " and ", "not port %P", "", 1 },
	{ "", 40, " and ", "! src net %N", " or udp", 1 },
	{ "arp or ", 30, " and ", "not host %A", "", 1 },
	{ "arp or host 10.0.0.1 and not ", 30, " and not ", "host %A", "", 1 },
	{ "", 20, " or ", "host %A", " and tcp or tcp[13] & 2 != 0", 1 },
	{ "vlan and (", 30, " or ", "host %A", ")", 1 },
	{ "mpls and (", 30, " or ", "host %A", ") and (tcp or port 53)", 1 },
	{ "", 40, " or ", "ip6 host %6", "", 1 },
	{ "", 40, " or ", "host %7", "", 2 },
	{ "", 40, " or ", "dst host %7", "", 2 },
	{ "", 40, " and ", "not src host %7", "", 2 },
	{ "", 24, " or ", "host %7 or host %A", "", 3 },
	{ "", 40, " or ", "net %8", "", 1 },
	{ "tcp[0:2] = 80 and not host 10.0.0.1 or icmp or ", 24, " or ", "host %A", " or less 60",
	  1 },
	{ "", 24, " or ", "host %A", " or localhost or 10.1.2.3 or greater 100 and tcp", 1 },
};

static const uint32_t known[] = { 0x0a000001, 0x0a010203, 0xc0a80001, 0xac100001, 0xe0000001 };
static const uint32_t ports[] = { 53, 80, 443, 8080, 22, 1500, 6081, 4789 };

static char *put_dotted(char *out, uint32_t a)
{
	return out + sprintf(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static char *put_value(char *out, char kind)
{
	uint32_t address = below(4) ? rnd() : known[below(N_OF(known))];
	uint32_t port = below(2) ? below(65536) : ports[below(N_OF(ports))];

	switch (kind) {
	case 'A':
		return put_dotted(out, address);
	case 'N':
		return stpcpy(put_dotted(out, address & 0xffffff00), "/24");
	case 'S':
		return stpcpy(put_dotted(out, address & 0xff000000), "/8");
	case 'P':
		return out + sprintf(out, "%u", port);
	case 'R':
		return out + sprintf(out, "%u-%u", port,
				     below(2) ? port + below(65536 - port) % 500 : port / 2);
	case '6':
		return out + sprintf(out, "2001:db8::%x:%x", below(2), 1 + below(9) % 8);
	case '7':
		return out +
		       sprintf(out, "2001:db8:0:%x::%x", below(2), below(4) ? below(65536) : 1);
	default:
		return out + sprintf(out, "2001:db8:0:%x::/64", below(65536) * below(2));
	}
}

static const char *make_text(const struct row *row)
{
	static char text[TEXT_MAX];
	char *out = stpcpy(text, row->before);

	for (unsigned int i = 0; i < row->n; i++) {
		if (i)
			out = stpcpy(out, row->joint);
		for (const char *p = row->term; *p; p++) {
			if (*p == '%')
				out = put_value(out, *++p);
			else
				*out++ = *p;
		}
	}
	strcpy(out, row->after);
	return text;
}

/* Packets that do not end early answer as libpcap's; one that does, the same or nothing. */
static unsigned int count_wrong(const struct ng_cbpf *p, const struct bpf_program *reference,
				unsigned int *yes)
{
	static struct packet packet;
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < PACKETS; i++) {
		uint32_t cut, got, want, got_cut;

		make_packet(&packet);
		cut = packet.len;
		if (packet.len < 200)
			pad_packet(&packet, 200);
		got_cut = ng_filter_interpret(p, packet.data, packet.len, cut);
		got = ng_filter_interpret(p, packet.data, packet.len, packet.len);
		want = bpf_filter(reference->bf_insns, packet.data, packet.len, packet.len);
		*yes += want != 0;
		wrong += got != want || (got_cut && got_cut != got);
	}
	return wrong;
}

static void test_row(pcap_t *pcap, const struct row *row, unsigned int flags)
{
	const char *text = make_text(row);
	struct bpf_program reference;
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };
	unsigned int wrong, yes = 0;

	if (ng_filter_compile(text, "expression", 1, 262144, flags, &p, &err) ||
	    pcap_compile(pcap, &reference, text, 0, PCAP_NETMASK_UNKNOWN)) {
		ok(false, "compiles %s%s%s..: %s %s", row->before, row->term, row->joint, err.what,
		   pcap_geterr(pcap));
		return;
	}
	wrong = count_wrong(&p, &reference, &yes);
	if (!ok(wrong == 0 && yes && yes < PACKETS && p.n_sets == row->sets,
		"%u times '%s' in '%s..%s', %s, %zu sets, %zu instructions: %u of %u match", row->n,
		row->term, row->before, row->after, flags ? "plain" : "optimized", p.n_sets, p.n,
		yes, PACKETS))
		printf("#   %u wrong, %u sets wanted: %s\n", wrong, row->sets, text);
	pcap_freecode(&reference);
	ng_cbpf_free(&p);
}

/* What libpcap would need minutes for, or for ever. */
static void test_large(void)
{
	static const struct row lists[] = {
		{ "", 10000, " or ", "host %A", "", 1 },
		{ "", 10000, " or ", "src net %N", " and tcp", 1 },
		{ "", 10000, " or ", "portrange %R", "", 1 },
		{ "tcp and not (", 10000, " or ", "host %7", ")", 2 },
	};
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };

	for (size_t i = 0; i < N_OF(lists); i++) {
		clock_t start = clock();
		int ret = ng_filter_compile(make_text(&lists[i]), "e", 1, 96, 0, &p, &err);

		ok(ret == 0 && p.n_sets == lists[i].sets && p.n < 100 &&
			   clock() - start < 2 * CLOCKS_PER_SEC,
		   "10000 times '%s': %zu sets, %zu numbers, %zu instructions, under 2 s",
		   lists[i].term, p.n_sets, p.n_sets ? p.sets[0].n : 0, p.n);
		ng_cbpf_free(&p);
	}
	ok(ng_filter_compile(make_text(&(struct row){ "", 2000, " or ", "tcp[2:2] = %P", "", 0 }),
			     "e", 1, 96, 0, &p, &err) < 0 &&
		   strstr(err.what, "too large"),
	   "what is no list is refused before libpcap sees it: %s", err.what);
	ng_cbpf_free(&p);
}

int main(void)
{
	pcap_t *pcap = pcap_open_dead(1, 262144);

	for (size_t i = 0; i < N_OF(rows); i++) {
		test_row(pcap, &rows[i], 0);
		test_row(pcap, &rows[i], NG_FILTER_PLAIN);
	}
	test_large();
	pcap_close(pcap);
	return tap_done();
}
