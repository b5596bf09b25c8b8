// SPDX-License-Identifier: GPL-2.0-only
/* Filter expressions: what libpcap refuses is refused with its words and a position. */
#include "ctl/filter/filter.h"
#include "tests/tap.h"

#include <errno.h>

#define ETHERNET 1

static const struct {
	const char *expr;
	unsigned int line, column; /* line 0: none */
	const char *words;
} refused[] = {
	{ "hostt 10.0.0.1", 1, 1, "syntax error" },
	{ "foo", 1, 1, "syntax error" },
	{ "port hostt", 1, 6, "unknown port 'hostt'" },
	{ "tcp prot 80", 1, 5, "syntax error" },
	{ "tcp andd udp", 1, 5, "syntax error" },
	{ "tcp and", 1, 8, "syntax error" },
	{ "tcp and  ", 1, 8, "syntax error" },
	{ "(tcp", 1, 5, "syntax error" },
	{ "tcp)", 1, 4, "syntax error" },
	{ "()", 1, 2, "syntax error" },
	{ "tcp[0", 1, 6, "syntax error" },
	{ "tcp[0]", 1, 7, "syntax error" },
	{ "ip[0] = = 1", 1, 9, "syntax error" },
	{ "ip[x] = 1", 1, 4, "syntax error" },
	{ "tcp ? udp", 1, 5, "syntax error" },
	{ "tcp & udp", 1, 5, "syntax error" },
	{ "tcp && && udp", 1, 8, "syntax error" },
	{ "host 10.0.0.1 or or tcp", 1, 18, "syntax error" },
	{ "ether[len-4:4] = 1", 1, 7, "syntax error" },
	{ "dst host", 1, 9, "syntax error" },
	{ "tcp dst port 80 ip", 1, 17, "syntax error" },
	{ "mpls foo", 1, 6, "syntax error" },
	{ "ip6 host ::1::", 1, 10, "syntax error" },
	{ "tcp port 70000", 1, 10, "illegal port number 70000 > 65535" },
	{ "udp or tcp port 70000 or host 10.0.0.1", 1, 17, "illegal port number 70000 > 65535" },
	{ "port 80-90", 1, 6, "unknown port '80-90'" },
	{ "net 10.0.0.1/8", 1, 5, "non-network bits set in \"10.0.0.1/8\"" },
	{ "net 10.0.0.0/33", 1, 14, "mask length must be <= 32" },
	{ "tcp or ip broadcast", 1, 8, "netmask not known, so 'ip broadcast' not supported" },
	{ "vlan 5000 and tcp", 1, 6, "VLAN tag 5000 greater than maximum 4095" },
	{ "ip proto foo", 1, 10, "unknown ip proto 'foo'" },
	{ "tcp host 1.2.3.4", 1, 1, "'tcp' modifier applied to host" },
	{ "tcp[0:3] = 1", 1, 7, "data size must be 1, 2, or 4" },
	{ "tcp or ip[0]/0 = 1", 1, 14, "division by zero" },
	{ "ip[0] << 33 = 1", 1, 10, "shift by more than 31 bits" },
	{ "port 99999999999", 1, 6, "number 99999999999 overflows 32 bits" },
	{ "type foo", 1, 6, "unknown 802.11 type name \"foo\"" },
	{ "tcp and udp", 0, 0, "expression rejects all packets" },
	{ "tcp\nand port hostt\n", 2, 10, "unknown port 'hostt'" },
	{ "tcp and\n\n\t(udp port 53\n", 3, 14, "syntax error" },
	{ "tcp or\r\nudp prot 53", 2, 5, "syntax error" },
	{ "\ttcp andd udp", 1, 6, "syntax error" },
};

static void test_refused(size_t i)
{
	const char *expr = refused[i].expr, *line = expr;
	struct ng_error err = { 0 };
	struct ng_cbpf filter = { 0 };
	int ret = ng_filter_compile(expr, "expression", ETHERNET, 262144, 0, &filter, &err);

	if (!ok(ret == -EINVAL && err.exit == NG_EXIT_USAGE && err.errnum == 0 &&
			strstr(err.what, refused[i].words) && err.line == refused[i].line &&
			err.column == refused[i].column,
		"refuses row %zu at %u:%u: %s", i, refused[i].line, refused[i].column,
		refused[i].words))
		printf("#   %s: %d, %u:%u, %s\n", expr, ret, err.line, err.column, err.what);
	for (unsigned int n = 1; n < refused[i].line; n++)
		line = strchr(line, '\n') + 1;
	if (err.line)
		ok(strcmp(err.file, "expression") == 0 &&
			   strncmp(err.source, line, strlen(err.source)) == 0,
		   "the error of row %zu shows its line", i);
	ng_cbpf_free(&filter);
}

static const struct {
	const char *typed, *proposed;
} slips[] = {
	{ "hostt 10.0.0.1", "host 10.0.0.1\n" }, { "tcp prot 80", "tcp port 80\n" },
	{ "tcp andd udp", "tcp and udp\n" },	 { "udp ort 53", "udp port 53\n" },
	{ "tcp poxt 80", "tcp port 80\n" },	 { "tcp quux 80", "" },
};

static void test_slip(size_t i)
{
	struct ng_error err = { 0 };
	struct ng_cbpf filter = { 0 };
	int ret =
		ng_filter_compile(slips[i].typed, "expression", ETHERNET, 262144, 0, &filter, &err);

	if (!ok(ret && strcmp(err.try_this, slips[i].proposed) == 0, "what to type instead of '%s'",
		slips[i].typed))
		printf("#   %s\n", err.try_this);
	ng_cbpf_free(&filter);
}

static void test_accepted(void)
{
	static const char *const blank[] = { NULL, "", " \t\r\n" };
	struct ng_cbpf filter;
	struct ng_error err = { 0 };

	for (size_t i = 0; i < sizeof(blank) / sizeof(blank[0]); i++) {
		memset(&filter, 0xff, sizeof(filter));
		ok(ng_filter_compile(blank[i], "expression", ETHERNET, 96, 0, &filter, &err) == 0 &&
			   filter.n == 0,
		   "a blank expression is the empty filter (%zu)", i);
		is_int(ng_filter_interpret(&filter, "", 0, 0), 262144,
		       "the empty filter takes all (%zu)", i);
	}
	is_int(ng_filter_compile("tcp\n\tor\r\nudp\n", "f", ETHERNET, 96, 0, &filter, &err), 0,
	       "an expression may have lines");
	is_int(ng_filter_interpret(&filter,
				   "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0"
				   "E\0\0\0\0\0\0\0\0\x11",
				   60, 24),
	       96, "a packet that matches gets the snapshot length");
	is_int(ng_filter_interpret(&filter,
				   "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0"
				   "E\0\0\0\0\0\0\0\0\x11",
				   60, 23),
	       0, "what was not captured cannot match");
	ng_cbpf_free(&filter);
	ok(!filter.insns && filter.n == 0, "a freed filter is empty");
}

/* Good filters, to be broken behind each of their words. */
static const char *const good[] = {
	"tcp port 80 and host 10.0.0.1",
	"( src or dst host 10.0.0.1 ) and not ( ip6 or arp )",
	"src net 192.168.0.0 mask 255.255.0.0 and dst port 443 or portrange 1-2",
	"ether host 02:00:00:00:00:01 and ! ip multicast",
	"tcp [ ( ( tcp [ 12 : 1 ] & 0xf0 ) >> 2 ) : 4 ] = 0x47455420",
	"( ip [ 2 : 2 ] - ( ( ip [ 0 ] & 0xf ) << 2 ) ) != 0 and udp",
	"( ( tcp [ tcpflags ] & ( tcp-syn | tcp-fin ) ) != 0 || len > 100 )",
	"vlan 5 and mpls 1024 and ( less 100 or greater 200 ) && ip proto 17",
	"ether proto 0x88cc or ether [ len - 4 : 4 ] = 1 or - ip [ 8 ] = 5",
	"ip6 net 2001:db8::/32 and icmp6 and byte 3 = 5",
	"ether src 02:00:00:00:00:01 or ether multicast or pppoes 5 or geneve 7",
	"tcp src port 1 or udp dst portrange 5-9 or sctp and not ( host 10.0.0.1 or 10.0.0.2 )",
};

/* A bad word is found wherever it stands: all that precedes it can go on. */
static void test_bad_word_everywhere(const char *expr)
{
	unsigned int wrong = 0, tried = 0;

	for (const char *p = expr; p; p = strchr(p + 1, ' ')) {
		struct ng_error err = { 0 };
		struct ng_cbpf filter = { 0 };
		unsigned int at = p == expr ? 0 : (unsigned int)(p - expr) + 1;
		char text[256];

		snprintf(text, sizeof(text), "%.*s? %s", (int)at, expr, p);
		tried++;
		if (!ng_filter_compile(text, "expression", ETHERNET, 262144, 0, &filter, &err) ||
		    err.column != at + 1) {
			wrong++;
			printf("#   '%s': column %u, not %u: %s\n", text, err.column, at + 1,
			       err.what);
		}
		ng_cbpf_free(&filter);
	}
	ok(wrong == 0 && tried > 1, "finds a bad word anywhere in '%s' (%u places)", expr, tried);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		test_refused(i);
	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++)
		test_slip(i);
	test_accepted();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		test_bad_word_everywhere(good[i]);
	return tap_done();
}
