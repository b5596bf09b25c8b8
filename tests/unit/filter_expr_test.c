// SPDX-License-Identifier: GPL-2.0-only
/* What is read and written back is the same filter for libpcap, and refused if it was. */
#include "ctl/filter/expr.h"
#include "ctl/filter/pcap.h"
#include "ctl/filter/write.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <errno.h>

#define TEXTS	    20000
#define TEXT_MAX    4096
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static pcap_t *pcap;

/* libpcap's program, n instructions; 0: refused. */
static size_t compile(const char *text, struct ng_pcap_insn *out)
{
	struct bpf_program program;
	size_t n;

	if (pcap_compile(pcap, &program, text, 0, PCAP_NETMASK_UNKNOWN))
		return 0;
	n = program.bf_len;
	memcpy(out, program.bf_insns, n * sizeof(*out));
	pcap_freecode(&program);
	return n;
}

/*
 * Whether the text written back is the same filter, or must not be written back. What could not be
 * read is given to libpcap as it is.
 */
static bool survives(const char *text, bool *accepted, bool *read)
{
	static struct ng_pcap_insn before[8192], after[8192];
	size_t n = compile(text, before), at, again = 0;
	struct ng_written w = { 0 };
	struct ng_expr e;
	int ret = ng_expr_parse(text, &e, &at);

	*accepted = n;
	*read = !ret;
	if (!ret && ng_expr_leans(&e, e.root)) {
		ng_expr_free(&e);
		return true;
	}
	if (!ret) {
		ng_write_expr(&w, &e, NULL, 0);
		again = compile(w.text, after);
	}
	ng_expr_free(&e);
	if (ret || (again == n && memcmp(before, after, n * sizeof(*before)) == 0)) {
		ng_written_free(&w);
		return true;
	}
	printf("#   '%s' (%zu instructions), read: %d, back: '%s' (%zu)\n", text, n, ret,
	       w.text ? w.text : "", again);
	ng_written_free(&w);
	return false;
}

static const char *const texts[] = {
	"tcp[(tcp[12:1] & 0xf0) >> 2:4] = 0x47455420",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8",
	"(ip[0] & 0xf) != 5 && (tcp or udp)",
	"((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0",
	"not (tcp[13] & 2 != 0) or !udp",
	"-ip[8] = 5 or 1 = ip[9]",
	"host 10.0.0.1 or 10.0.0.2 and not 10.0.0.3 or (10.0.0.4 or 10.0.0.5)",
	"host (10.0.0.1 or 10.0.0.2) or 10.0.0.3",
	"tcp src or dst port (80 or (443 and not 8080)) or 22",
	"port 80 or (443 or 22) or tcp",
	"src host 10.0.0.1 or (tcp port 80) or 10.0.0.2",
	"net 10.1 or 10.2.3 or 10.0.0.0/8 or 192.168.0.0 mask 255.255.0.0",
	"ip proto 6 or 17 or \\icmp",
	"ether proto \\ip or \\arp or 0x86dd",
	"ip proto \\tcp&&udp",
	"ether host 02:00:00:00:00:01 or 02-00-00-00-00-02 or 0200.0000.0003",
	"ether src 02:00:00:00:00:01 or ip6 host ::1",
	"host ::1 or 2001:db8::/32 or ::ffff:10.0.0.1 or fe80::1",
	"net 2001:db8::/32 or 2001:db8:1::/48 or 10.0.0.0/8",
	"portrange 1-5 or 7 or 9-8",
	"less 100 or greater 60 and ip broadcast or ether multicast or ip6 multicast",
	"vlan 5 and vlan and mpls 5 and pppoes 1",
	"inbound or ifindex 5 or outbound",
	"ip protochain 6 or ip6 protochain \\tcp",
	"llc or llc u or stp or ipx or iso or atalk",
	"host 10.0.0.1or host 10.0.0.2",
	"port 80||443&&22",
	"!tcp&&!udp||!!icmp",
	"host 10.0.0.1 or less 60 or 10.0.0.2",
	"host 10.0.0.1 or localhost or 10.0.0.2",
	"port http or 443 or domain",
	"host 10.0.0.1 or 5",
	"port (80)",
	"port (http)",
	"port (not 80)",
	"host 10.0.0.1 or (10.0.0.2)",
	"port 80 or (443 or tcp)",
	"port 80 or (tcp or 443)",
	"tcp or 80",
	"host",
	"src",
	"src or tcp",
	"tcp src or udp",
	"src or dst",
	"src or dst host 10.0.0.1 or dst or src port 5 and src and dst 10.0.0.2",
	"src and src host 10.0.0.1",
	"in",
	"host in or in",
	"src in",
	"host \\in or \\or",
	"host and-or",
	"host a- b",
	"tcp host 10.0.0.1 or 10.0.0.2",
	"arp host 10.0.0.1 or rarp src 10.0.0.2 or ip 10.0.0.3",
	"ip6 10.0.0.1",
	"net 10.0.0.1/8 or host 10.0.0.1",
	"net 10.0.0.0/33",
	"host 10.0.0.256",
	"port 65536 or 00080 or 0x50",
	"( tcp",
	"tcp )",
	"tcp and",
	"and tcp",
	"tcp tcp",
	"()",
	"tcp [ 13 ] = 2 and ether [ 0 : 4 ] = 5",
	"ether[0:2]=5 or ip[6:2]&0x1fff!=0",
	"host 10.0.0.1\n\tor\r\n10.0.0.2",
};

/* Random texts: most are filters. */

static char *one_text(char *out, const char *const *words, size_t n)
{
	return stpcpy(out, words[below((uint32_t)n)]);
}
#define A_TEXT(out, ...)                                                                           \
	one_text(out, (const char *const[]){ __VA_ARGS__ },                                        \
		 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static char *add_id(char *out, unsigned int kind)
{
	if (kind == 0)
		return A_TEXT(out, "10.0.0.1", "10.0.0.2", "192.168.1.1", "::1", "2001:db8::1");
	if (kind == 1)
		return A_TEXT(out, "80", "443", "22", "65535");
	return A_TEXT(out, "10.0.0.0/8", "192.168.1.0/24", "10.1", "2001:db8::/32",
		      "10.0.0.0 mask 255.0.0.0");
}

static char *add_joint(char *out)
{
	return A_TEXT(out, " and ", " or ", " or ", " && ", "||");
}

static char *add_ids(char *out, unsigned int kind, unsigned int depth)
{
	if (depth && below(4) == 0) {
		out = add_ids(stpcpy(out, "("), kind, depth - 1);
		out = add_ids(add_joint(out), kind, depth - 1);
		return stpcpy(out, ")");
	}
	return add_id(below(6) ? out : stpcpy(out, "not "), kind);
}

/* A term and perhaps some values that take its words. */
static char *add_value_term(char *out, unsigned int depth)
{
	unsigned int kind = below(3);

	if (kind == 0)
		out = A_TEXT(out, "host ", "src host ", "dst ", "src or dst host ", "ip host ",
			     "src and dst ");
	else if (kind == 1)
		out = A_TEXT(out, "port ", "tcp port ", "udp dst port ", "src port ");
	else
		out = A_TEXT(out, "net ", "src net ", "dst or src net ");
	out = add_ids(out, kind, depth);
	while (below(3) == 0)
		out = add_ids(add_joint(out), kind, depth);
	return out;
}

static char *add_expr(char *out, unsigned int depth)
{
	unsigned int terms = 1 + below(3);

	for (unsigned int i = 0; i < terms; i++) {
		if (i)
			out = add_joint(out);
		if (below(5) == 0)
			out = A_TEXT(out, "not ", "! ", "!");
		if (depth && below(3) == 0)
			out = stpcpy(add_expr(stpcpy(out, "("), depth - 1), ")");
		else if (below(3))
			out = add_value_term(out, depth);
		else
			out = A_TEXT(out, "tcp", "ip6", "arp", "vlan 5", "tcp[13] & 2 != 0",
				     "(ip[0] & 15) > 5", "less 100", "ether src 02:00:00:00:00:01",
				     "ip proto 6", "5", "10.0.0.1", "mpls", "in");
	}
	return out;
}

static void test_random_texts(void)
{
	static char text[1 << 16];
	unsigned int wrong = 0, filters = 0, unread = 0;

	for (unsigned int i = 0; i < TEXTS && wrong < 5; i++) {
		bool accepted, read;

		*add_expr(text, 3) = '\0';
		if (strlen(text) > TEXT_MAX)
			continue;
		wrong += !survives(text, &accepted, &read);
		filters += accepted;
		unread += accepted && !read;
	}
	ok(wrong == 0 && filters > TEXTS / 3 && unread < filters / 500,
	   "random texts come back the same (%u filters, %u left to libpcap)", filters, unread);
}

static void test_depth(void)
{
	char text[2 * 250 + 4] = "";
	struct ng_expr e;
	size_t at;

	memset(text, '(', 250);
	memcpy(text + 250, "tcp", 3);
	memset(text + 253, ')', 250);
	is_int(ng_expr_parse(text, &e, &at), -E2BIG, "too many parentheses in each other");
	ng_expr_free(&e);
}

int main(void)
{
	bool accepted, read;

	pcap = pcap_open_dead(1, 96);
	for (size_t i = 0; i < N_OF(texts); i++)
		ok(survives(texts[i], &accepted, &read), "text %zu comes back: %s", i,
		   accepted ? "a filter" : "refused");
	test_random_texts();
	test_depth();
	pcap_close(pcap);
	return tap_done();
}
