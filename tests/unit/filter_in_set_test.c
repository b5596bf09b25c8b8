// SPDX-License-Identifier: GPL-2.0-only
/* `in {..}` and `in @NAME`: as the terms they stand for, and errors where they are. */
#include "ctl/filter/filter.h"
#include "ctl/filter/pcap.h"
#include "tests/filter_packets.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <errno.h>

#define PACKETS	    4000
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name, *text;
} named[] = {
	{ "bad",
	  "# the usual ones\n10.0.0.1\n10.1.0.0/16 ; and more\n\n192.168.0.1\r\n2001:db8::/32\n" },
	{ "web", "80 443\n8000-8100" },
	{ "empty", "# nothing\n" },
	{ "broken", "10.0.0.1\n  10.0.0.2/24\n" },
	{ "six", "2001:db8::1" },
};

static int find(void *to, const char *name, char **text, struct ng_error *err)
{
	(void)to;
	for (size_t i = 0; i < N_OF(named); i++)
		if (strcmp(named[i].name, name) == 0)
			return (*text = strdup(named[i].text)) ? 0 : -ENOMEM;
	return ng_err(err, NG_EXIT_USAGE, 0, name, "no such set");
}

static const struct ng_filter_names names = { .find = find };

#define LONG_SET                                                                                   \
	"10.0.0.1, 10.1.2.3, 192.168.0.1, 1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5, 1.1.1.6, "  \
	"1.1.1.7, 1.1.1.8, 1.1.1.9, 1.1.1.10, 1.1.1.11, 1.1.1.12, 1.1.1.13, 1.1.1.14, 10.0.0.1"
#define LONG_MEANT                                                                                 \
	"src host 10.0.0.1 or src host 10.1.2.3 or src host 192.168.0.1 or src host 1.1.1.1"

static const struct {
	const char *expr, *meant;
	size_t sets;
} rows[] = {
	{ "src in {10.0.0.1}", "src host 10.0.0.1", 0 },
	{ "src in { 10.0.0.1 , 10.1.0.0/16 }", "src host 10.0.0.1 or src net 10.1.0.0/16", 0 },
	{ "dst in {10.0.0.1\t10.1.2.3}", "dst host 10.0.0.1 or dst host 10.1.2.3", 0 },
	{ "host in {10.0.0.1 2001:db8::1}", "host 10.0.0.1 or host 2001:db8::1", 0 },
	{ "src or dst in {10.0.0.1}", "host 10.0.0.1", 0 },
	{ "src and dst in {10.0.0.1 10.1.2.3 192.168.0.1}",
	  "(src host 10.0.0.1 or src host 10.1.2.3 or src host 192.168.0.1) and (dst host 10.0.0.1 or "
	  "dst host 10.1.2.3 or dst host 192.168.0.1)",
	  0 },
	{ "ip src in {10.0.0.1 2001:db8::1}", "ip src host 10.0.0.1", 0 },
	{ "ip6 host in {10.0.0.1 2001:db8::/33}", "ip6 net 2001:db8::/33", 0 },
	{ "not src in {10.0.0.1} and ip", "not src host 10.0.0.1 and ip", 0 },
	{ "src not in {10.0.0.1} and ip", "not src host 10.0.0.1 and ip", 0 },
	{ "tcp and (src in {10.0.0.1} or dst in {10.0.0.1})", "tcp and host 10.0.0.1", 0 },
	{ "port in {80}", "port 80", 0 },
	{ "tcp dst port in {80, 443,1000-2000}",
	  "tcp dst port 80 or tcp dst port 443 or tcp dst portrange 1000-2000", 0 },
	{ "portrange in {80 8000-9000}", "port 80 or portrange 8000-9000", 0 },
	{ "src in {10.0.0.1-10.0.0.1}", "src host 10.0.0.1", 0 },
	{ "src in {9.255.255.255-10.1.2.3}",
	  "(ip[12:4] >= 0x09ffffff and ip[12:4] <= 0x0a010203) or (arp[14:4] >= 0x09ffffff and "
	  "arp[14:4] <= 0x0a010203) or (rarp[14:4] >= 0x09ffffff and rarp[14:4] <= 0x0a010203)",
	  0 },
	{ "ip src in {0.0.0.0-255.255.255.255}", "ip", 0 },
	{ "ip src in {0.0.0.1-255.255.255.254}", "ip and ip[12:4] != 0 and ip[12:4] != 0xffffffff",
	  0 },
	{ "src in {2001:db8::-2001:db8::1}", "src host 2001:db8:: or src host 2001:db8::1", 0 },
	{ "src in {::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff}", "ip6", 0 },
	{ "src in {" LONG_SET "}", LONG_MEANT, 1 },
	{ "src in @bad",
	  "src host 10.0.0.1 or src net 10.1.0.0/16 or src host 192.168.0.1 or src net 2001:db8::/32",
	  0 },
	{ "host in @six and port in @web",
	  "host 2001:db8::1 and (port 80 or port 443 or portrange 8000-8100)", 0 },
	{ "vlan and src in @bad or tcp port in @web",
	  "(tcp port 80 or tcp port 443 or tcp portrange 8000-8100) or (vlan and (src host 10.0.0.1 or "
	  "src net 10.1.0.0/16 or src host 192.168.0.1 or src net 2001:db8::/32))",
	  0 },
};

static void test_meaning(pcap_t *pcap, size_t i, unsigned int flags)
{
	static struct packet packet;
	struct bpf_program meant;
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };
	unsigned int wrong = 0, yes = 0;

	if (ng_filter_compile_named(rows[i].expr, "expression", 1, 96, flags, &names, &p, &err) ||
	    pcap_compile(pcap, &meant, rows[i].meant, 1, PCAP_NETMASK_UNKNOWN)) {
		ok(false, "compiles %s: %s %s", rows[i].expr, err.what, pcap_geterr(pcap));
		return;
	}
	for (unsigned int k = 0; k < PACKETS; k++) {
		uint32_t got;

		make_packet(&packet);
		pad_packet(&packet, 200);
		got = ng_filter_interpret(&p, packet.data, packet.len, packet.len);
		yes += got != 0;
		wrong += got != bpf_filter(meant.bf_insns, packet.data, packet.len, packet.len);
	}
	ok(wrong == 0 && yes && yes < PACKETS && p.n_sets == rows[i].sets,
	   "%.60s, flags %u: %u match, %u wrong, %zu sets", rows[i].expr, flags, yes, wrong,
	   p.n_sets);
	pcap_freecode(&meant);
	ng_cbpf_free(&p);
}

#define SIXTEEN "src in {" LONG_SET "}"

static const struct {
	const char *expr, *file;
	unsigned int line, column;
	const char *words;
} refused[] = {
	{ "src in {10.0.0.1, 10.0.0.300}", "expression", 1, 19, "bad element '10.0.0.300'" },
	{ "src in {10.0.0.1,\n 10.0.0.1/8}", "expression", 2, 2, "bad element '10.0.0.1/8'" },
	{ "src in {10.0.0.9-10.0.0.1}", "expression", 1, 9, "bad element '10.0.0.9-10.0.0.1'" },
	{ "src in {10.0.0.9-2001:db8::}", "expression", 1, 9, "bad element" },
	{ "src in {10.0.0.0/8-10.0.0.1}", "expression", 1, 9, "bad element" },
	{ "src in {10}", "expression", 1, 9, "bad element '10'" },
	{ "src in {192.0.2}", "expression", 1, 9, "bad element '192.0.2'" },
	{ "src in {192.0.2.1-192.0.3}", "expression", 1, 9, "bad element '192.0.2.1-192.0.3'" },
	{ "tcp and port in {80, http}", "expression", 1, 22, "bad element 'http'" },
	{ "port in {70000}", "expression", 1, 10, "bad element '70000'" },
	{ "port in {80;90}", "expression", 1, 12, "bad element ';'" },
	{ "port in {}", "expression", 1, 9, "the set is empty" },
	{ "host in @empty", "expression", 1, 9, "the set is empty" },
	{ "tcp and host in @unknown", "expression", 1, 17, "no such set" },
	{ "host in @broken", "broken", 2, 3, "bad element '10.0.0.2/24'" },
	{ "tcp host in {10.0.0.1}", "expression", 1, 1, "'tcp' modifier applied to host" },
	{ "src in {10.0.0.1} or 10.0.0.2", "expression", 1, 22, "syntax error" },
	{ "src in {10.0.0.1", "expression", 1, 8, "syntax error" },
	{ "src in @", "expression", 1, 8, "syntax error" },
	{ SIXTEEN " and tcp prot 80", "expression", 1, sizeof(SIXTEEN) + 9, "syntax error" },
	{ "port hostt and " SIXTEEN, "expression", 1, 6, "unknown port 'hostt'" },
	{ "(" SIXTEEN ") and (udp or\n tcp port 70000)", "expression", 2, 11,
	  "illegal port number" },
	{ SIXTEEN " and\n\ttcp andd udp", "expression", 2, 6, "syntax error" },
};

static void test_refused(size_t i)
{
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };
	int ret =
		ng_filter_compile_named(refused[i].expr, "expression", 1, 96, 0, &names, &p, &err);

	if (!ok(ret == -EINVAL && err.exit == NG_EXIT_USAGE && strstr(err.what, refused[i].words) &&
			strcmp(err.file, refused[i].file) == 0 && err.line == refused[i].line &&
			err.column == refused[i].column,
		"refuses row %zu at %s:%u:%u: %s", i, refused[i].file, refused[i].line,
		refused[i].column, refused[i].words))
		printf("#   %d, %s:%u:%u: %s\n", ret, err.file, err.line, err.column, err.what);
	ng_cbpf_free(&p);
}

int main(void)
{
	pcap_t *pcap = pcap_open_dead(1, 96);
	struct ng_error err = { 0 };
	struct ng_cbpf p = { 0 };

	for (size_t i = 0; i < N_OF(rows); i++) {
		test_meaning(pcap, i, 0);
		test_meaning(pcap, i, NG_FILTER_PLAIN);
	}
	for (size_t i = 0; i < N_OF(refused); i++)
		test_refused(i);
	ok(ng_filter_compile("src in {10.0.0.1}", "e", 1, 96, NG_FILTER_STRICT, &p, &err) ==
		   -EINVAL,
	   "libpcap's language has no sets");
	ok(ng_filter_compile("src in @bad", "e", 1, 96, 0, &p, &err) == -EINVAL && err.column == 8,
	   "a name without anybody who knows names");
	ng_cbpf_free(&p);
	pcap_close(pcap);
	return tap_done();
}
