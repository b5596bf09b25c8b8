// SPDX-License-Identifier: GPL-2.0-only
/* ACL tables as text: what each format reads, what it refuses and where, what is counted. */
#include "ctl/policy/table.h"

#include <errno.h>

#include "tests/tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define AUTO  NG_TABLE_AUTO
#define CIDR  NG_TABLE_CIDR
#define WORDS NG_TABLE_WORDS
#define IPSET NG_TABLE_IPSET
#define NFT   NG_TABLE_NFT
#define NFTJ  NG_TABLE_NFT_JSON
#define JSON  NG_TABLE_JSON
#define CSV   NG_TABLE_CSV

#define SET(type, elements)                                                                        \
	"table inet f {\n set s {\n type " type "\n elements = " elements "\n }\n}\n"
#define NFT_SET(type, elements)                                                                    \
	"{\"nftables\": [{\"set\": {\"name\": \"s\", \"type\": \"" type "\", \"elem\": [" elements \
	"]}}]}"
#define NET4 "create s hash:net family inet\n"

static const struct {
	enum ng_table_format asked, found;
	const char *text, *items; /* as words, one a line */
} good[] = {
	{ AUTO, CIDR, "", "" },
	{ AUTO, CIDR, "\n # nothing\r\n;\n", "" },
	{ AUTO, CIDR, "192.0.2.0/24\n2001:db8::/32",
	  "in src 192.0.2.0/24\nin src 2001:db8::/32\n" },
	{ AUTO, CIDR, "\xef\xbb\xbf 192.0.2.7\t; a host\r\n", "in src 192.0.2.7/32\n" },
	{ AUTO, CIDR, "192.0.2.7 seen twice # x\n", "in src 192.0.2.7/32\n" },
	{ AUTO, CIDR, "192.0.2.1-192.0.2.2\n", "in src 192.0.2.1/32\nin src 192.0.2.2/32\n" },
	{ AUTO, CIDR, "dead::/16\n", "in src dead::/16\n" },
	{ CIDR, CIDR, "192.0.2.7 proto tcp\n", "in src 192.0.2.7/32\n" },
	{ AUTO, WORDS, "drop 192.0.2.0/24\n", "drop in src 192.0.2.0/24\n" },
	{ AUTO, WORDS, "192.0.2.0/24\ncount out dst ::1 # it\n",
	  "in src 192.0.2.0/24\ncount out dst ::1/128\n" },
	{ AUTO, WORDS, "192.0.2.0/24 proto tcp port 22\n",
	  "in src 192.0.2.0/24 proto tcp port 22\n" },
	{ AUTO, WORDS, "dst 192.0.2.0/24 ; to us\n", "in dst 192.0.2.0/24\n" },
	{ AUTO, WORDS,
	  "drop in src 192.0.2.0/24 proto tcp port 22 timeout 10m comment \"a \\\"b\\\" ; # c\"\r\n",
	  "drop in src 192.0.2.0/24 proto tcp port 22 timeout 10m comment \"a \\\"b\\\" ; # c\"\n" },
	{ AUTO, WORDS, "pass 10.0.0.0-10.0.0.3 comment 'x y' timeout 90\n",
	  "pass in src 10.0.0.0/30 timeout 1m30s comment \"x y\"\n" },
	{ AUTO, WORDS, "drop 2001:db8::/32 proto icmp\ndrop 10.0.0.0/8 proto any\n",
	  "drop in src 2001:db8::/32 proto icmp6\ndrop in src 10.0.0.0/8\n" },
	{ AUTO, IPSET, NET4 "add s 192.0.2.0/24\nadd s 192.0.2.1-192.0.2.2\n",
	  "in src 192.0.2.0/24\nin src 192.0.2.1/32\nin src 192.0.2.2/32\n" },
	{ AUTO, IPSET, "create s hash:ip timeout 60\nadd s 192.0.2.1\nadd s 192.0.2.2 timeout 0\n",
	  "in src 192.0.2.1/32 timeout 1m\nin src 192.0.2.2/32\n" },
	{ AUTO, IPSET, "create s hash:ip netmask 24 family inet\nadd s 10.1.2.0\n",
	  "in src 10.1.2.0/24\n" },
	{ AUTO, IPSET, "create s hash:net family inet6\nadd s 2001:db8::/32 comment \"a # b\"\n",
	  "in src 2001:db8::/32 comment \"a # b\"\n" },
	{ AUTO, IPSET,
	  "# saved\n" NET4 "create p hash:net,port\nadd p 10.0.0.0/8,80\nadd s 10.0.0.1\n",
	  "in src 10.0.0.1/32\n" },
	{ AUTO, NFT, SET("ipv4_addr", "{ 192.0.2.0/24, 192.0.2.1-192.0.2.2 timeout 1h }"),
	  "in src 192.0.2.0/24\nin src 192.0.2.1/32 timeout 1h\nin src 192.0.2.2/32 timeout 1h\n" },
	{ AUTO, NFT, SET("ipv4_addr", "{ 10.0.0.1 timeout 1h expires 59m58s992ms comment \"x\" }"),
	  "in src 10.0.0.1/32 timeout 59m59s comment \"x\"\n" },
	{ AUTO, NFT, SET("ipv4_addr", "{ 10.0.0.1 counter packets 3 bytes 4,\n10.0.0.2, }"),
	  "in src 10.0.0.1/32\nin src 10.0.0.2/32\n" },
	{ AUTO, NFT, SET("ipv6_addr", "{ 2001:db8::/32 }"), "in src 2001:db8::/32\n" },
	{ AUTO, NFT,
	  "table ip f { set s { typeof ip daddr; timeout 2h; elements = { 10.0.0.1 } } }",
	  "in src 10.0.0.1/32 timeout 2h\n" },
	{ AUTO, NFT, "#!/usr/sbin/nft -f\nflush ruleset\ntable ip f { set s { type ipv4_addr; } }",
	  "" },
	{ AUTO, NFTJ, NFT_SET("ipv4_addr", "{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}"),
	  "in src 10.0.0.0/8\n" },
	{ NFT, NFTJ,
	  NFT_SET("ipv4_addr", "\"10.0.0.1\", {\"range\": [\"10.0.0.2\", \"10.0.0.3\"]}"),
	  "in src 10.0.0.1/32\nin src 10.0.0.2/31\n" },
	{ JSON, NFTJ,
	  NFT_SET("ipv6_addr", "{\"elem\": {\"val\": \"::1\", \"timeout\": 60, \"expires\": 50, "
			       "\"comment\": \"a\\\"b\", \"counter\": {\"packets\": 1}}}"),
	  "in src ::1/128 timeout 50s comment \"a\\\"b\"\n" },
	{ AUTO, JSON, "[\"10.0.0.0/8\", {\"prefix\": \"::/0\", \"verdict\": \"count\"}]\n",
	  "in src 10.0.0.0/8\ncount in src ::/0\n" },
	{ AUTO, JSON,
	  "{\"schema\":1,\"device\":\"ng0\",\"entries\":[{\"direction\":\"out\",\"side\":\"dst\","
	  "\"prefix\":\"10.0.0.0/8\",\"proto\":\"tcp\",\"port\":\"22\",\"verdict\":\"drop\","
	  "\"packets\":0,\"bytes\":0}]}",
	  "drop out dst 10.0.0.0/8 proto tcp port 22\n" },
	{ AUTO, JSON,
	  "[{\"prefix\":\"10.0.0.1-10.0.0.2\",\"proto\":6,\"port\":53,\"timeout\":\"10m\","
	  "\"comment\":\"\\u00e4\"}, {\"prefix\":\"::1\",\"port\":\"any\",\"timeout\":null}]",
	  "in src 10.0.0.1/32 proto tcp port 53 timeout 10m comment \"\xc3\xa4\"\n"
	  "in src 10.0.0.2/32 proto tcp port 53 timeout 10m comment \"\xc3\xa4\"\nin src ::1/128\n" },
	{ AUTO, JSON, "[]", "" },
	{ AUTO, CSV, "prefix\n10.0.0.0/8\n\n::1\n", "in src 10.0.0.0/8\nin src ::1/128\n" },
	{ AUTO, CSV,
	  "comment,\"prefix\",verdict,dir,side,proto,port,timeout\r\n"
	  "\"a, \"\"b\"\"\",10.0.0.0/8,drop,out,dst,udp,1-9,2d\r\n,::1,,,,,,\r\n",
	  "drop out dst 10.0.0.0/8 proto udp port 1-9 timeout 2d comment \"a, \\\"b\\\"\"\n"
	  "in src ::1/128\n" },
};

static const struct {
	enum ng_table_format format;
	const char *text;
	unsigned int line, column;
	const char *what, *hint; /* parts of the message */
} bad[] = {
	{ CIDR, "192.0.2.0/24\n  010.0.0.1\n", 2, 3, "leading zero", "" },
	{ CIDR, "10.0.0.0/33\n", 1, 10, "above 32", "" },
	{ CIDR, "::/129\n", 1, 4, "above 128", "" },
	{ CIDR, "10.0.0.9-10.0.0.1\n", 1, 10, "backwards", "10.0.0.1-10.0.0.9" },
	{ CIDR, "10.0.0.9-::1\n", 1, 10, "IPv4 to IPv6", "" },
	{ CIDR, "::ffff:192.0.2.1\n", 1, 1, "mapped", "192.0.2.1/32" },
	{ CIDR,
	  "\xef\xbb\xbf"
	  "eth0\n",
	  1, 1, "neither", "" },
	{ CIDR, "10.0.0.1\r\n10/8\r\n", 2, 3, "four numbers", "10.0.0.0/8" },
	{ CIDR, "10.0.0.1 10.0.0.9 24\n", 1, 10, "second prefix", "A-B" },
	{ WORDS, "dorp 10.0.0.0/8\n", 1, 1, "'dorp'", "drop" },
	{ WORDS, "drop 10.0.0.0/8\ndrop inn 10.0.0.0/8\n", 2, 6, "'inn'", "in" },
	{ WORDS, "drop 10.0.0.0/8 prot tcp\n", 1, 17, "unknown word 'prot'", "proto" },
	{ WORDS, "drop 10.0.0.0/8 because\n", 1, 17, "unknown word",
	  "proto, port, timeout, comment" },
	{ WORDS, "drop\n", 1, 5, "a prefix is missing", "192.0.2.0/24" },
	{ WORDS, "drop 10.0.0.0/8 proto tcp port 65536\n", 1, 32, "0 to 65535", "" },
	{ WORDS, "drop 10.0.0.0/8 proto icmp port 1\n", 1, 28, "have ports", "proto tcp" },
	{ WORDS, "drop 10.0.0.0/8 port 1\n", 1, 17, "have ports", "proto tcp" },
	{ WORDS, "drop 10.0.0.0/8 proto icmp6\n", 1, 23, "ICMPv6", "proto icmp" },
	{ WORDS, "drop 10.0.0.0/8 timeout 0\n", 1, 25, "longer than nothing", "10m" },
	{ WORDS, "drop 10.0.0.0/8 timeout -5m\n", 1, 25, "longer than nothing", "10m" },
	{ WORDS, "drop 10.0.0.0/8 timeout 49711d\n", 1, 25, "at most 4294967295", "" },
	{ WORDS, "drop 10.0.0.0/8 timeout soon\n", 1, 25, "not a duration", "1h30m" },
	{ WORDS, "drop 10.0.0.0/8 timeout\n", 1, 24, "a duration is missing", "10m" },
	{ WORDS, "drop 10.0.0.0/8 comment \"a b\n", 1, 25, "not closed", "" },
	{ WORDS,
	  "drop 10.0.0.0/8 comment a\x01"
	  "b\n",
	  1, 26, "control character", "" },
	{ WORDS,
	  "drop 10.0.0.0/8 comment a\xff"
	  "b\n",
	  1, 26, "not UTF-8", "" },
	{ WORDS, "drop 10.0.0.0/8 comment a comment b\n", 1, 27, "given twice", "" },
	{ WORDS, "drop 10.0.0.0/8\npass 10.0.0.0/8\n", 2, 1, "line 1 has another verdict", "" },
	{ WORDS, "drop 10.0.0.0/8 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3\n", 1, 61,
	  "too many words", "" },
	{ IPSET, NET4 "add s 10.0.0.0/24 nomatch\n", 2, 19, "nomatch", "pass 10.0.0.0/24" },
	{ IPSET, NET4 "add t 10.0.0.0/24\n", 2, 5, "no line creates the set 't'", "" },
	{ IPSET, NET4 "add s ::1\n", 2, 7, "is of IPv4", "" },
	{ IPSET, NET4 "add s 10.0.0.0/33\n", 2, 16, "above 32", "" },
	{ IPSET, NET4 "add s 10.0.0.1 timeot 5\n", 2, 16, "unknown option", "timeout" },
	{ IPSET, NET4 "add s 10.0.0.1 timeout -5\n", 2, 24, "a number from 0", "" },
	{ IPSET, NET4 "add s 10.0.0.1 timeout\n", 2, 23, "missing behind 'timeout'", "" },
	{ IPSET, NET4 "add s 10.0.0.1 comment \"a\n", 2, 24, "not closed", "" },
	{ IPSET, NET4 "add s 10.0.0.1 comment a\n", 2, 24, "in quotes", "" },
	{ IPSET, NET4 "add s\n", 2, 6, "the member is missing", "" },
	{ IPSET, NET4 NET4, 2, 8, "created twice", "" },
	{ IPSET, "create s hash:net family inet4\n", 1, 26, "not a family", "inet or inet6" },
	{ IPSET, "create s hash:net netmaks 24\n", 1, 19, "unknown option", "netmask" },
	{ IPSET, NET4 "ad s 10.0.0.1\n", 2, 1, "'ad'", "add" },
	{ IPSET, NET4 "add s 10.0.0.0/2", 2, 17, "ends within a line", "" },
	{ IPSET, "create p hash:net,port\nadd p 10.0.0.0/8,80\n", 1, 1, "no set of addresses", "" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.0/33 }"), 4, 24, "above 32", "" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.1, ::1 }"), 4, 25, "is of IPv4", "" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.1 timeot 5s }"), 4, 24, "unknown word 'timeot'",
	  "timeout" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.1 timeout soon }"), 4, 32, "not a duration", "" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.1 comment \"x }"), 4, 32, "not closed", "" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.1 { } }"), 4, 24, "a comma or '}'", "" },
	{ NFT, SET("ipv4_addr", "{ 10.0.0.9-10.0.0.1 }"), 4, 24, "backwards", "" },
	{ NFT, "table ip f {\n set s {\n type ipv4_addr\n elements = { 10.0.0.1,\n", 5, 1,
	  "ends inside the set 's'", "" },
	{ NFT, "table ip f {\n set s {\n elements = { 10.0.0.1 } } }", 3, 2, "the type of the set",
	  "" },
	{ NFT, "table ip f {\n set s { type inet_service; elements = { 22 } }\n}\n", 1, 1,
	  "no set of addresses", "" },
	{ NFT, "table ip f {\n", 2, 1, "text ends", "" },
	{ NFT, "192.0.2.0/24\n", 1, 1, "'table'", "" },
	{ NFTJ, NFT_SET("ipv4_addr", "\"10.0.0.0/33\""), 1, 67, "above 32", "" },
	{ NFTJ, NFT_SET("ipv4_addr", "\"10.0.0.1\", \"::1\""), 1, 79, "is of IPv4", "" },
	{ NFTJ, NFT_SET("ipv4_addr", "{\"range\": [\"10.0.0.1\"]}"), 1, 67, "neither an address",
	  "" },
	{ NFTJ, NFT_SET("inet_service", "22"), 1, 1, "no set of addresses", "" },
	{ NFTJ, "{\"nftables\": [{\"set\": {\"name\": \"s\", \"elem\": [", 1, 46, "too early", "" },
	{ JSON, "[\"10.0.0.0/8\", \"10.0.0.0/33\"]", 1, 26, "above 32", "" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\n\"verdict\":\"dorp\"}]", 2, 12, "not a verdict",
	  "drop" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"prot\":\"tcp\"}]", 1, 32, "unknown key 'prot'",
	  "proto" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"proto\":\"tcp\",\"port\":65536}]", 1, 46,
	  "0 to 65535", "" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"port\":22}]", 1, 2, "have ports", "" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"timeout\":0}]", 1, 35, "longer than nothing", "" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"timeout\":-1}]", 1, 35, "longer than nothing", "" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"timeout\":1.5}]", 1, 35, "whole number", "" },
	{ JSON, "[{\"prefix\":\"10.0.0.0/8\",\"comment\":\"a\\nb\"}]", 1, 37, "control character",
	  "" },
	{ JSON, "[{\"prefix\":\"::1\",\"prefix\":\"::2\"}]", 1, 25, "duplicate", "" },
	{ JSON, "[{\"verdict\":\"drop\"}]", 1, 2, "no 'prefix'", "" },
	{ JSON, "[22]", 1, 2, "an object, or a prefix", "" },
	{ JSON, "[\"::1\" \"::2\"]", 1, 8, "a comma or ]", "" },
	{ JSON, "[\"::1\"", 1, 7, "too early", "" },
	{ JSON, "[\"::", 1, 5, "too early", "" },
	{ JSON, "[\"::1\"] x", 1, 9, "behind the end", "" },
	{ JSON, "{\"schema\":2,\"entries\":[]}", 1, 11, "another schema", "" },
	{ JSON, "{\"schema\":1}", 1, 1, "no 'entries'", "" },
	{ JSON, "[\"a\xff\"]", 1, 4, "UTF-8", "" },
	{ CSV, "prefix,verdct\n10.0.0.0/8,drop\n", 1, 8, "unknown column 'verdct'", "verdict" },
	{ CSV, "verdict,dir\n", 1, 1, "no column is named 'prefix'", "verdict,dir" },
	{ CSV, "prefix,prefix\n", 1, 8, "there twice", "" },
	{ CSV, "", 1, 1, "names the columns", "" },
	{ CSV, "prefix,proto,port\n10.0.0.0/8,tcp,65536\n", 2, 16, "0 to 65535", "" },
	{ CSV, "prefix,proto,port\n10.0.0.0/8,gre,1\n", 2, 1, "have ports", "" },
	{ CSV, "prefix,comment\n10.0.0.0/8,\"a\n", 2, 12, "not closed", "" },
	{ CSV, "prefix,comment\n10.0.0.0/8,a\"b\n", 2, 13, "none around it", "" },
	{ CSV, "prefix,comment\n10.0.0.0/8,\"a\"b\n", 2, 15, "comma is missing", "written twice" },
	{ CSV, "prefix,comment\n10.0.0.0/8\n", 2, 11, "cells are missing", "" },
	{ CSV, "prefix\n10.0.0.0/8,x\n", 2, 12, "too many cells", "" },
	{ CSV, "prefix,dir\n,in\n", 2, 1, "prefix is missing", "" },
	{ CSV, "prefix,timeout\n10.0.0.0/8,0s\n", 2, 12, "longer than nothing", "" },
};

static int read_text(enum ng_table_format format, const char *text, size_t len, struct ng_table *t)
{
	struct ng_table_options options = { .format = format };

	return ng_table_read(text, len, &options, t);
}

static void reading(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct ng_table_write_options as = { .format = WORDS };
		struct ng_table t;
		struct ng_bad_word b = { 0 };
		char *text = NULL;
		size_t len, which;

		if (!ok(!read_text(good[i].asked, good[i].text, strlen(good[i].text), &t),
			"%s %zu is read", ng_table_format_name[good[i].found], i))
			printf("#   %u:%zu: %s (%s)\n", t.bad[0].line, t.bad[0].bad.at + 1,
			       t.bad[0].bad.what, t.bad[0].bad.hint);
		ok(t.format == good[i].found, "  as %s", ng_table_format_name[good[i].found]);
		if (!ok(!ng_table_write(t.item, t.n, &as, &text, &len, &which, &b) &&
				!strcmp(text, good[i].items),
			"  and is what it says"))
			printf("#   %s\n", text ? text : b.what);
		free(text);
		ng_table_free(&t);
	}
}

static void refusing(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ng_table t;
		const struct ng_bad_line *l = &t.bad[0];
		int err = read_text(bad[i].format, bad[i].text, strlen(bad[i].text), &t);

		if (!ok(err == -EINVAL && t.bad_lines == 1 && !t.n && l->line == bad[i].line &&
				l->bad.at + 1 == bad[i].column &&
				strstr(l->bad.what, bad[i].what) &&
				strstr(l->bad.hint, bad[i].hint),
			"%s %zu is refused at %u:%u: %s", ng_table_format_name[bad[i].format], i,
			bad[i].line, bad[i].column, bad[i].what))
			printf("#   %d, %zu bad, %u:%zu: %s (%s)\n", err, t.bad_lines, l->line,
			       l->bad.at + 1, l->bad.what, l->bad.hint);
		ng_table_free(&t);
	}
}

static void nul_bytes(void)
{
	static const char text[] = "192.0.2.1\n10.0.0\0.1\n";
	struct ng_table t;

	for (enum ng_table_format f = 0; f < NG_TABLE_FORMATS; f++) {
		ok(read_text(f, text, sizeof(text) - 1, &t) == -EINVAL && t.bad[0].line == 2 &&
			   t.bad[0].bad.at == 6 && strstr(t.bad[0].bad.what, "NUL"),
		   "%s: a NUL byte is refused", ng_table_format_name[f]);
		ng_table_free(&t);
	}
}

static void long_lines(void)
{
	static char text[3 * NG_TABLE_LINE_MAX];
	struct ng_table t;

	memset(text, ' ', sizeof(text));
	memcpy(text, "192.0.2.1\n192.0.2.2", 19);
	text[NG_TABLE_LINE_MAX + 10] = '\n';
	is_int(read_text(CIDR, text, NG_TABLE_LINE_MAX + 11, &t), 0, "the longest line is read");
	is_int(t.n, 2, "  with what is in it");
	ng_table_free(&t);
	text[NG_TABLE_LINE_MAX + 10] = ' ';
	is_int(read_text(CIDR, text, NG_TABLE_LINE_MAX + 11, &t), -EINVAL, "a longer one is not");
	ok(t.bad[0].line == 2 && t.bad[0].bad.at == NG_TABLE_LINE_MAX,
	   "  and where it is too long");
	ng_table_free(&t);
}

static void comments(void)
{
	char text[400];
	struct ng_table t;
	size_t n = (size_t)snprintf(text, sizeof(text), "drop ::1 comment ");

	memset(text + n, 'x', 256);
	is_int(read_text(WORDS, text, n + 255, &t), 0, "a comment of 255 bytes");
	ok(t.n == 1 && t.item->comment_len == 255, "  is kept");
	ng_table_free(&t);
	ok(read_text(WORDS, text, n + 256, &t) == -EINVAL && t.bad[0].bad.at == n + 255,
	   "one of 256 is refused");
	ng_table_free(&t);
}

static void many_bad_lines(void)
{
	struct ng_table_options options = { .format = CIDR };
	struct ng_table t;
	char text[300];
	int err;

	for (size_t i = 0; i < sizeof(text); i += 3)
		memcpy(text + i, i == 150 ? "::\n" : "x1\n", 3);
	is_int(ng_table_read(text, sizeof(text), &options, &t), -EINVAL, "many bad lines");
	is_int(t.bad_lines, 99, "all are counted");
	is_int(t.bad[NG_BAD_LINES_MAX - 1].line, NG_BAD_LINES_MAX, "the first are described");
	ok(t.bad[3].len == 2 && t.bad[3].text == text + 9 && t.bad[3].bad.len == 2,
	   "in their lines");
	is_int(t.n, 0, "and nothing is good");
	ng_table_free(&t);
	options.skip_bad = true;
	err = ng_table_read(text, sizeof(text), &options, &t);
	ok(!err && t.n == 1 && t.count.skipped == 99 && t.item[0].line == 51,
	   "or they are skipped");
	ng_table_free(&t);
}

static void broken_is_not_skipped(void)
{
	static const struct {
		enum ng_table_format format;
		const char *text;
	} row[] = {
		{ IPSET, NET4 "add s 10.0.0.0/2" },
		{ NFT, "table ip f { set s { type ipv4_addr; elements = { 10.0.0.1," },
		{ NFTJ,
		  "{\"nftables\": [{\"set\": {\"type\": \"ipv4_addr\", \"elem\": [\"10.0.0.1\"" },
		{ JSON, "[\"::1\", \"::2\"," },
		{ CSV, "prefix,x\n::1,\n" },
	};
	struct ng_table_options options = { .skip_bad = true };
	struct ng_table t;

	for (size_t i = 0; i < COUNT(row); i++) {
		options.format = row[i].format;
		ok(ng_table_read(row[i].text, strlen(row[i].text), &options, &t) == -EINVAL && !t.n,
		   "%s: half a file is not taken for one with a bad line",
		   ng_table_format_name[row[i].format]);
		ng_table_free(&t);
	}
}

static void counting(void)
{
	static const char text[] = "10.1.2.3/8 feed\n"
				   "192.0.2.1-192.0.2.4\n"
				   "10.0.0.0/8\n"
				   "10.2.0.0/16 more words\n";
	struct ng_table_options options = { .format = CIDR };
	struct ng_table t;

	is_int(ng_table_read(text, sizeof(text) - 1, &options, &t), 0, "a feed");
	is_int(t.n, 5, "its items");
	is_int(t.count.masked, 1, "one had host bits");
	is_int(t.count.trailing, 2, "two lines with more words");
	ok(t.count.ranges == 1 && t.count.range_prefixes == 3, "a range of three prefixes");
	is_int(t.count.duplicates, 1, "one is there twice");
	is_int(t.count.covered, 1, "one is covered");
	ok(t.item[1].line == 2 && t.item[1].column == 1 && t.item[4].line == 4,
	   "each has its line");
	ng_table_free(&t);
	options.fold_covered = true;
	is_int(ng_table_read(text, sizeof(text) - 1, &options, &t), 0,
	       "covered ones can be left out");
	is_int(t.n, 4, "  then");
	ng_table_free(&t);
}

/* Only what always decides the same is covered. */
static void covered(void)
{
	static const struct {
		const char *text;
		size_t covered;
	} row[] = {
		{ "drop 10.0.0.0/8\ndrop 10.0.0.0/9\n", 1 },
		{ "drop 10.0.0.0/9\ndrop 10.0.0.0/8\n", 1 },
		{ "drop ::/0\ndrop 10.0.0.0/9\n", 0 },
		{ "drop 10.0.0.0/8\npass 10.0.0.0/9\n", 0 },
		{ "drop 10.0.0.0/8\npass 10.0.0.0/9\ndrop 10.0.0.0/10\n", 0 },
		{ "drop 10.0.0.0/8\npass 10.0.0.0/9 proto tcp\ndrop 10.0.0.0/10\n", 0 },
		{ "drop 10.0.0.0/8\npass 10.0.0.0/8 proto tcp\ndrop 10.0.0.0/10\n", 0 },
		{ "drop 10.0.0.0/8\ndrop 10.0.0.0/9\npass 10.0.0.0/9 proto tcp\n", 1 },
		{ "drop 10.0.0.0/8\ndrop 10.0.0.0/9 proto tcp\n", 0 },
		{ "drop 10.0.0.0/8\ndrop dst 10.0.0.0/9\n", 0 },
		{ "drop 10.0.0.0/8\ndrop out 10.0.0.0/9\n", 0 },
		{ "count 10.0.0.0/8\ncount 10.0.0.0/9\n", 0 },
		{ "drop 10.0.0.0/8 timeout 5m\ndrop 10.0.0.0/9\n", 0 },
		{ "drop 10.0.0.0/8 timeout 5m\ndrop 10.0.0.0/9 timeout 6m\n", 0 },
		{ "drop 10.0.0.0/8 timeout 5m\ndrop 10.0.0.0/9 timeout 5m\n", 1 },
		{ "drop 10.0.0.0/8\ndrop 10.0.0.0/9 timeout 5m\n", 1 },
		{ "drop 2001:db8::/32\ndrop 2001:db8::1\ndrop 2001:db8:0:0:1::/80\n", 2 },
		{ "drop 2001:db8::1\ndrop 2001:db8::1\ndrop 2001:db8::2\n", 0 },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct ng_table t;

		if (!ok(!read_text(WORDS, row[i].text, strlen(row[i].text), &t) &&
				t.count.covered == row[i].covered,
			"covered: row %zu", i))
			printf("#   %zu covered\n", t.count.covered);
		ng_table_free(&t);
	}
}

static void sets(void)
{
	static const char text[] = "create a hash:net\ncreate b hash:net\ncreate c bitmap:port\n"
				   "add a 10.0.0.0/8\nadd b 192.0.2.0/24\nadd c 22\n";
	struct ng_table_options options = { .set = "b" };
	struct ng_table t;

	is_int(ng_table_read(text, sizeof(text) - 1, &options, &t), 0, "one set of several");
	ok(t.n == 1 && t.item->key.prefix.len == 24, "  is the one asked for");
	ok(t.count.sets == 1 && t.count.sets_left == 2, "  and the others are counted");
	ng_table_free(&t);
	options.set = "d";
	is_int(ng_table_read(text, sizeof(text) - 1, &options, &t), -EINVAL,
	       "one that is not there");
	ng_table_free(&t);
}

static void words_beside(void)
{
	static const char text[] = "10.0.0.0/8\npass in src ::/64\n10.0.0.0/9 proto udp\n";
	struct ng_acl_words words = ng_acl_words_none();
	struct ng_table_options options = { .words = &words };
	struct ng_bad_word b;
	struct ng_table t;

	ng_acl_field_read(&words, NG_ACL_VERDICT, "drop", 4, &b);
	ng_acl_field_read(&words, NG_ACL_DIR, "out", 3, &b);
	ng_acl_field_read(&words, NG_ACL_SIDE, "dst", 3, &b);
	ng_acl_field_read(&words, NG_ACL_PROTO, "tcp", 3, &b);
	ng_acl_field_read(&words, NG_ACL_PORT, "22", 2, &b);
	if (!ok(!ng_table_read(text, sizeof(text) - 1, &options, &t) && t.n == 3,
		"a file with words beside it"))
		return;
	ok(!t.item[0].has_verdict && t.item[0].verdict == NG_DROP && t.item[0].dir == NG_OUT &&
		   t.item[0].key.side == NG_DST && t.item[0].key.port_lo == 22,
	   "a plain prefix has them all");
	ok(t.item[1].has_verdict && t.item[1].verdict == NG_PASS && t.item[1].dir == NG_IN &&
		   t.item[1].key.side == NG_SRC,
	   "what a line says goes first");
	ok(t.item[2].key.proto == 17 && t.item[2].key.any_port, "protocol and port go together");
	ng_table_free(&t);
}

static void guards(void)
{
	static const char text[] = "10.0.0.0/8\n10.0.0.0/7\n2000::/15\n2001::/16\n";
	const struct ng_table_item *wide;
	struct ng_table t;
	size_t n;

	is_int(ng_feed_check(10, 0), NG_FEED_EMPTY, "a feed that is empty");
	is_int(ng_feed_check(0, 0), NG_FEED_EMPTY, "even the first time");
	is_int(ng_feed_check(0, 1), NG_FEED_GOOD, "a first one");
	is_int(ng_feed_check(10, 5), NG_FEED_GOOD, "half of it is left");
	is_int(ng_feed_check(10, 4), NG_FEED_SHRUNK, "less than half");
	is_int(ng_feed_check(5, 2), NG_FEED_SHRUNK, "less than half of an odd number");
	is_int(ng_feed_check(5, 3), NG_FEED_GOOD, "more than half of it");
	read_text(CIDR, text, sizeof(text) - 1, &t);
	wide = ng_table_wide(t.item, t.n, &n);
	ok(wide && wide->line == 2 && n == 2, "prefixes shorter than /8 and /16 are named");
	ok(!ng_table_wide(t.item, 1, &n) && !n, "a /8 is none");
	ng_table_free(&t);
}

int main(void)
{
	reading();
	refusing();
	nul_bytes();
	long_lines();
	comments();
	many_bad_lines();
	broken_is_not_skipped();
	counting();
	covered();
	sets();
	words_beside();
	guards();
	return tap_done();
}
