// SPDX-License-Identifier: GPL-2.0-only
/* Fields of ACL clauses: words to values and back. */
#include "ctl/policy/acl_fields.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ctl/base/duration.h"
#include "ctl/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const ng_dir_name[] = { [NG_IN] = "in", [NG_OUT] = "out" };
_Static_assert(COUNT(ng_dir_name) == NG_DIR_MAX, "a name for each direction");

const char *const ng_side_name[] = { [NG_SRC] = "src", [NG_DST] = "dst" };
_Static_assert(COUNT(ng_side_name) == NG_SIDE_MAX, "a name for each side");

static const struct {
	const char *word;
	__u8 verdict;
} verdicts[] = {
	{ "pass", NG_PASS },  { "drop", NG_DROP },   { "count", NG_COUNT }, { "accept", NG_PASS },
	{ "allow", NG_PASS }, { "permit", NG_PASS }, { "deny", NG_DROP },   { "block", NG_DROP },
};

/* The first name of a number is the one printed. */
static const struct {
	const char *word;
	__u8 proto;
	bool ports;
} protos[] = {
	{ "tcp", IPPROTO_TCP, true },	    { "udp", IPPROTO_UDP, true },
	{ "sctp", IPPROTO_SCTP, true },	    { "icmp", IPPROTO_ICMP, false },
	{ "icmp6", IPPROTO_ICMPV6, false }, { "icmpv6", IPPROTO_ICMPV6, false },
	{ "gre", IPPROTO_GRE, false },	    { "esp", IPPROTO_ESP, false },
};

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(text, word, len);
}

static int read_verdict(struct ng_acl_words *w, const char *text, size_t len,
			struct ng_bad_word *bad)
{
	for (size_t i = 0; i < COUNT(verdicts); i++)
		if (is(text, len, verdicts[i].word)) {
			w->verdict = verdicts[i].verdict;
			return 0;
		}
	ng_bad_word(bad, 0, "'%.*s' is not a verdict", (int)len, text);
	return ng_bad_hint(bad, "pass, drop or count");
}

static int read_dir(struct ng_acl_words *w, const char *text, size_t len, struct ng_bad_word *bad)
{
	for (unsigned int i = 0; i < NG_DIR_MAX; i++)
		if (is(text, len, ng_dir_name[i])) {
			w->dir = i;
			return 0;
		}
	ng_bad_word(bad, 0, "'%.*s' is not a direction", (int)len, text);
	return ng_bad_hint(bad, "in or out");
}

static int read_side(struct ng_acl_words *w, const char *text, size_t len, struct ng_bad_word *bad)
{
	for (unsigned int i = 0; i < NG_SIDE_MAX; i++)
		if (is(text, len, ng_side_name[i])) {
			w->key.side = i;
			return 0;
		}
	ng_bad_word(bad, 0, "'%.*s' is neither side of a packet", (int)len, text);
	return ng_bad_hint(bad, "src or dst");
}

static int read_prefix(struct ng_acl_words *w, const char *text, size_t len,
		       struct ng_bad_word *bad)
{
	w->is_range = memchr(text, '-', len);
	if (w->is_range)
		return ng_range_parse(text, len, &w->range, bad);
	return ng_prefix_parse(text, len, &w->key.prefix, &w->masked, bad);
}

static int read_proto(struct ng_acl_words *w, const char *text, size_t len, struct ng_bad_word *bad)
{
	unsigned int number = 0;
	size_t digits = 0;

	w->key.any_proto = is(text, len, "any");
	w->key.proto = 0;
	w->icmp = false;
	if (w->key.any_proto)
		return 0;
	for (size_t i = 0; i < COUNT(protos); i++) {
		if (!is(text, len, protos[i].word))
			continue;
		w->key.proto = protos[i].proto;
		w->icmp = protos[i].proto == IPPROTO_ICMP;
		return 0;
	}
	for (; digits < len && text[digits] >= '0' && text[digits] <= '9' && number < 256; digits++)
		number = number * 10 + (unsigned int)(text[digits] - '0');
	if (!digits || digits < len || number > 255) {
		ng_bad_word(bad, 0, "'%.*s' is not a protocol", (int)len, text);
		return ng_bad_hint(
			bad, "tcp, udp, sctp, icmp, icmp6, gre, esp or a number from 0 to 255");
	}
	w->key.proto = (__u8)number;
	return 0;
}

/* A decimal port at text[*at], which moves behind it. */
static int read_port_number(const char *text, size_t len, size_t *at, __u16 *port,
			    struct ng_bad_word *bad)
{
	size_t end = *at;
	unsigned int v = 0;

	for (; end < len && text[end] >= '0' && text[end] <= '9'; end++)
		if (v <= 65535)
			v = v * 10 + (unsigned int)(text[end] - '0');
	if (end == *at || v > 65535) {
		ng_bad_word(bad, *at, "a port is a number from 0 to 65535");
		bad->len = end - *at;
		return -EINVAL;
	}
	*port = (__u16)v;
	*at = end;
	return 0;
}

static int read_port(struct ng_acl_words *w, const char *text, size_t len, struct ng_bad_word *bad)
{
	struct ng_acl_key *k = &w->key;
	size_t at = 0, second = 0;

	k->any_port = is(text, len, "any");
	k->port_lo = 0;
	k->port_hi = 65535;
	if (k->any_port)
		return 0;
	if (read_port_number(text, len, &at, &k->port_lo, bad))
		return -EINVAL;
	k->port_hi = k->port_lo;
	if (at < len && text[at] == '-') {
		second = ++at;
		if (read_port_number(text, len, &at, &k->port_hi, bad))
			return -EINVAL;
	}
	if (at < len)
		return ng_bad_word(bad, at, "unexpected character behind a port");
	if (k->port_hi < k->port_lo) {
		ng_bad_word(bad, second, "the range runs backwards");
		return ng_bad_hint(bad, "%u-%u", k->port_hi, k->port_lo);
	}
	return 0;
}

static int read_timeout(struct ng_acl_words *w, const char *text, size_t len,
			struct ng_bad_word *bad)
{
	int err = ng_duration_parse(text, len, &w->timeout_s);

	if (!err && w->timeout_s)
		return 0;
	if (err == -ERANGE)
		ng_bad_word(bad, 0, "a timeout is at most %u seconds", UINT32_MAX);
	else if (!err || (len && text[0] == '-'))
		ng_bad_word(bad, 0, "a timeout is longer than nothing");
	else
		ng_bad_word(bad, 0, "'%.*s' is not a duration", (int)len, text);
	return ng_bad_hint(bad, "10m, 1h30m, 2d or a number of seconds");
}

int ng_comment_check(const char *text, size_t len, struct ng_bad_word *bad)
{
	if (len > NG_COMMENT_MAX)
		return ng_bad_word(bad, NG_COMMENT_MAX, "a comment has at most %d bytes",
				   NG_COMMENT_MAX);
	for (size_t i = 0; i < len;) {
		char s[5] = { 0 };
		size_t n;

		memcpy(s, text + i, len - i < 4 ? len - i : 4);
		n = ng_utf8_length(s);
		if (!n)
			return ng_bad_word(bad, i, "this is not UTF-8");
		if ((unsigned char)s[0] < 0x20 || s[0] == 0x7f ||
		    ((unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0))
			return ng_bad_word(bad, i, "a control character in a comment");
		i += n;
	}
	return 0;
}

static int read_comment(struct ng_acl_words *w, const char *text, size_t len,
			struct ng_bad_word *bad)
{
	w->comment = len ? text : NULL;
	w->comment_len = len;
	return ng_comment_check(text, len, bad);
}

int ng_acl_field_read(struct ng_acl_words *words, enum ng_acl_field field, const char *text,
		      size_t len, struct ng_bad_word *bad)
{
	static int (*const read[])(struct ng_acl_words * w, const char *text, size_t len,
				   struct ng_bad_word *bad) = {
		[NG_ACL_VERDICT] = read_verdict, [NG_ACL_DIR] = read_dir,
		[NG_ACL_SIDE] = read_side,	 [NG_ACL_PREFIX] = read_prefix,
		[NG_ACL_PROTO] = read_proto,	 [NG_ACL_PORT] = read_port,
		[NG_ACL_TIMEOUT] = read_timeout, [NG_ACL_COMMENT] = read_comment,
	};
	struct ng_acl_words w = *words;
	int err = read[field](&w, text, len, bad);

	_Static_assert(COUNT(read) == NG_ACL_FIELD_MAX, "a reader for each field");
	if (err)
		return err;
	w.has |= 1u << field;
	*words = w;
	return 0;
}

int ng_acl_fields_check(const struct ng_acl_words *words, enum ng_family family,
			enum ng_acl_field *field, struct ng_bad_word *bad)
{
	const struct ng_acl_key *k = &words->key;
	bool ports = k->any_port;

	for (size_t i = 0; !ports && !k->any_proto && i < COUNT(protos); i++)
		ports = protos[i].ports && protos[i].proto == k->proto;
	if (!ports) {
		*field = NG_ACL_PORT;
		ng_bad_word(bad, 0, "only tcp, udp and sctp have ports");
		return ng_bad_hint(bad, "proto tcp port ..");
	}
	if (!k->any_proto && k->proto == IPPROTO_ICMPV6 && family == NG_IPV4) {
		*field = NG_ACL_PROTO;
		ng_bad_word(bad, 0, "ICMPv6 is not in IPv4 packets");
		return ng_bad_hint(bad, "proto icmp");
	}
	return 0;
}

struct ng_acl_words ng_acl_words_none(void)
{
	return (struct ng_acl_words){
		.key = { .any_proto = true, .any_port = true, .port_hi = 65535 },
	};
}

struct ng_acl_key ng_acl_words_key(const struct ng_acl_words *words, const struct ng_prefix *prefix)
{
	struct ng_acl_key key = words->key;

	key.prefix = *prefix;
	if (words->icmp)
		key.proto = prefix->family == NG_IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return key;
}

/* Read back, "icmp" is the ICMP of the prefix's family. */
static bool name_misleads(const struct ng_acl_key *key)
{
	return key->proto == IPPROTO_ICMP && key->prefix.family == NG_IPV6;
}

void ng_proto_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT])
{
	const char *name = key->any_proto ? "any" : NULL;

	for (size_t i = 0; !name && !name_misleads(key) && i < COUNT(protos); i++)
		if (protos[i].proto == key->proto)
			name = protos[i].word;
	if (name)
		snprintf(text, NG_MATCH_TEXT, "%s", name);
	else
		snprintf(text, NG_MATCH_TEXT, "%u", key->proto);
}

void ng_port_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT])
{
	if (key->any_port)
		snprintf(text, NG_MATCH_TEXT, "any");
	else if (key->port_lo == key->port_hi)
		snprintf(text, NG_MATCH_TEXT, "%u", key->port_lo);
	else
		snprintf(text, NG_MATCH_TEXT, "%u-%u", key->port_lo, key->port_hi);
}
