// SPDX-License-Identifier: GPL-2.0-only
/* ACL clauses as words: which are read and as what, which are refused and where. */
#include "ctl/policy/acl_words.h"
#include "tests/tap.h"

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 16

#define ADD  NG_ACL_FORM_ADD
#define KEY  NG_ACL_FORM_KEY
#define TEST NG_ACL_FORM_TEST

/* Cuts a copy of text at blanks. */
static int cut(const char *text, char *copy, size_t size, char **argv)
{
	int argc = 0;
	char *save = NULL;

	snprintf(copy, size, "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	return argc;
}

static const struct {
	enum ng_acl_form form;
	const char *words;
	__u8 verdict;
	const char *read; /* direction side prefix proto port */
} good[] = {
	{ ADD, "drop 192.0.2.0/24", NG_DROP, "in src 192.0.2.0/24 any any" },
	{ ADD, "pass out 192.0.2.1", NG_PASS, "out src 192.0.2.1/32 any any" },
	{ ADD, "count dst in 2001:db8::/32", NG_COUNT, "in dst 2001:db8::/32 any any" },
	{ ADD, "accept 10.0.0.0/8", NG_PASS, "in src 10.0.0.0/8 any any" },
	{ ADD, "allow 10.0.0.0/8", NG_PASS, "in src 10.0.0.0/8 any any" },
	{ ADD, "permit 10.0.0.0/8", NG_PASS, "in src 10.0.0.0/8 any any" },
	{ ADD, "deny 10.0.0.0/8", NG_DROP, "in src 10.0.0.0/8 any any" },
	{ ADD, "block 10.0.0.0/8", NG_DROP, "in src 10.0.0.0/8 any any" },
	{ ADD, "drop out dst 10.1.2.3/8 proto tcp port 443", NG_DROP,
	  "out dst 10.0.0.0/8 tcp 443" },
	{ ADD, "drop 10.0.0.0/8 port 1000-2000 proto udp", NG_DROP,
	  "in src 10.0.0.0/8 udp 1000-2000" },
	{ ADD, "drop 10.0.0.0/8 proto sctp port 0-65535", NG_DROP,
	  "in src 10.0.0.0/8 sctp 0-65535" },
	{ ADD, "drop 10.0.0.0/8 proto 6 port 0", NG_DROP, "in src 10.0.0.0/8 tcp 0" },
	{ ADD, "drop 10.0.0.0/8 proto icmp", NG_DROP, "in src 10.0.0.0/8 icmp any" },
	{ ADD, "drop 2001:db8::/32 proto icmp", NG_DROP, "in src 2001:db8::/32 icmp6 any" },
	{ ADD, "drop 2001:db8::/32 proto icmpv6", NG_DROP, "in src 2001:db8::/32 icmp6 any" },
	{ ADD, "drop 2001:db8::/32 proto 1", NG_DROP, "in src 2001:db8::/32 1 any" },
	{ ADD, "drop 10.0.0.0/8 proto 255", NG_DROP, "in src 10.0.0.0/8 255 any" },
	{ KEY, "10.0.0.0/8", 0, "in src 10.0.0.0/8 any any" },
	{ KEY, "out dst ::/0 proto tcp port 22", 0, "out dst ::/0 tcp 22" },
	{ TEST, "192.0.2.1 proto udp port 53", 0, "in src 192.0.2.1/32 udp 53" },
	{ TEST, "src 2001:db8::1", 0, "in src 2001:db8::1/128 any any" },
};

static const struct {
	enum ng_acl_form form;
	const char *words;
	int word;
	size_t at;
	const char *what, *hint; /* parts of the message */
} bad[] = {
	{ ADD, "", 0, 0, "verdict is missing", "pass, drop or count" },
	{ ADD, "dorp 10.0.0.0/8", 0, 0, "'dorp' is not a verdict", "drop" },
	{ ADD, "10.0.0.0/8 drop", 0, 0, "not a verdict", "drop" },
	{ ADD, "DROP 10.0.0.0/8", 0, 0, "not a verdict", "drop" },
	{ ADD, "drop", 1, 0, "a prefix is missing", "192.0.2.0/24" },
	{ ADD, "drop in", 2, 0, "a prefix is missing", "" },
	{ ADD, "drop in out 10.0.0.0/8", 2, 0, "neither", "" },
	{ ADD, "drop inn 10.0.0.0/8", 1, 0, "neither", "" },
	{ ADD, "drop 10.0.0.256/32", 1, 7, "above 255", "" },
	{ ADD, "drop in 10/8", 2, 2, "four numbers", "10.0.0.0/8" },
	{ ADD, "drop 10.0.0.0/8 tcp", 2, 0, "unknown word 'tcp'", "proto, port" },
	{ ADD, "drop 10.0.0.0/8 10.0.0.0/9", 2, 0, "unknown word", "" },
	{ ADD, "drop 10.0.0.0/8 proto", 3, 0, "protocol is missing", "tcp" },
	{ ADD, "drop 10.0.0.0/8 proto tpc", 3, 0, "'tpc' is not a protocol", "tcp" },
	{ ADD, "drop 10.0.0.0/8 proto 256", 3, 0, "not a protocol", "" },
	{ ADD, "drop 10.0.0.0/8 proto 6x", 3, 0, "not a protocol", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp proto udp", 4, 0, "given twice", "" },
	{ ADD, "drop 10.0.0.0/8 port 80", 2, 0, "have ports", "proto tcp" },
	{ ADD, "drop 10.0.0.0/8 proto icmp port 80", 4, 0, "have ports", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port", 5, 0, "port is missing", "443" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port 65536", 5, 0, "0 to 65535", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port http", 5, 0, "0 to 65535", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port 80-", 5, 3, "0 to 65535", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port 80-90x", 5, 5, "unexpected", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port 80-79", 5, 3, "backwards", "79-80" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port 80,81", 5, 2, "unexpected", "" },
	{ ADD, "drop 10.0.0.0/8 proto tcp port 99999999999999999999", 5, 0, "0 to 65535", "" },
	{ ADD, "drop 10.0.0.0/8 proto icmp6", 3, 0, "ICMPv6", "proto icmp" },
	{ ADD, "drop @", 1, 1, "name of a file", "" },
	{ KEY, "drop 10.0.0.0/8", 0, 0, "neither", "" },
	{ KEY, "@feed", 0, 0, "neither", "" },
	{ KEY, "-", 0, 0, "neither", "" },
	{ KEY, "", 0, 0, "a prefix is missing", "" },
	{ TEST, "", 0, 0, "an address is missing", "192.0.2.1" },
	{ TEST, "192.0.2.0/24", 0, 9, "one address", "" },
	{ TEST, "192.0.2.1 proto tcp port 1-2", 4, 1, "unexpected", "" },
};

static void print_words(const struct ng_acl_words *w, char *text, size_t size)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&w->key.prefix, prefix);
	ng_proto_format(&w->key, proto);
	ng_port_format(&w->key, port);
	snprintf(text, size, "%s %s %s %s %s", ng_dir_name[w->dir], ng_side_name[w->key.side],
		 prefix, proto, port);
}

static void reading(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct ng_acl_words w;
		struct ng_bad_word b;
		char copy[128], text[128], *argv[WORDS_MAX];
		int argc = cut(good[i].words, copy, sizeof(copy), argv);

		if (!ok(!ng_acl_words_parse(good[i].form, argc, argv, &w, &b), "read: %s",
			good[i].words)) {
			printf("#   word %d, %zu: %s\n", b.word, b.at, b.what);
			continue;
		}
		print_words(&w, text, sizeof(text));
		ok(!strcmp(text, good[i].read) && !w.list, "  as %s", good[i].read);
		ok(good[i].form != ADD || w.verdict == good[i].verdict, "  with its verdict");
	}
}

static void refusing(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ng_acl_words w;
		struct ng_bad_word b = { .word = -1 };
		char copy[128], *argv[WORDS_MAX];
		int argc = cut(bad[i].words, copy, sizeof(copy), argv);
		int err = ng_acl_words_parse(bad[i].form, argc, argv, &w, &b);

		if (!ok(err && b.word == bad[i].word && b.at == bad[i].at &&
				strstr(b.what, bad[i].what) && strstr(b.hint, bad[i].hint),
			"refused: '%s': %s", bad[i].words, bad[i].what))
			printf("#   %d, word %d, %zu: %s (%s)\n", err, b.word, b.at, b.what,
			       b.hint);
	}
}

static void lists(void)
{
	static const struct {
		const char *words, *list;
	} row[] = { { "drop @feed.txt", "feed.txt" }, { "drop out dst -", "-" } };
	static const struct ng_prefix six = { .family = NG_IPV6, .len = 64 };
	char copy[128], *argv[WORDS_MAX];
	struct ng_acl_words w;
	struct ng_bad_word b;
	struct ng_acl_key key;
	int argc;

	for (size_t i = 0; i < COUNT(row); i++) {
		argc = cut(row[i].words, copy, sizeof(copy), argv);
		ok(!ng_acl_words_parse(ADD, argc, argv, &w, &b) && w.list &&
			   !strcmp(w.list, row[i].list),
		   "'%s' names a list", row[i].words);
	}
	argc = cut("drop @feed proto icmp", copy, sizeof(copy), argv);
	ok(!ng_acl_words_parse(ADD, argc, argv, &w, &b), "a list with a protocol");
	key = ng_acl_words_key(&w, &six);
	ok(key.proto == 58 && key.prefix.len == 64,
	   "icmp means ICMPv6 for an IPv6 prefix of a list");
}

int main(void)
{
	reading();
	refusing();
	lists();
	return tap_done();
}
