// SPDX-License-Identifier: GPL-2.0-only
/* ACL clauses: words to keys and back. */
#include "ctl/policy/acl_words.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/base/num.h"

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

/* Reads words from left to right. */
struct reader {
	enum ng_acl_form form;
	int argc, at;
	char **argv;
	struct ng_acl_words w;
	bool have_dir, have_side, have_proto, have_port;
	struct ng_bad_word *bad;
};

__attribute__((format(printf, 4, 5))) static int refuse(struct reader *r, int word, size_t at,
							const char *fmt, ...)
{
	va_list ap;

	r->bad->word = word;
	r->bad->at = at;
	r->bad->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(r->bad->what, sizeof(r->bad->what), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int hint(struct reader *r, const char *text)
{
	snprintf(r->bad->hint, sizeof(r->bad->hint), "%s", text);
	return -EINVAL;
}

static const char *word_at(const struct reader *r)
{
	return r->at < r->argc ? r->argv[r->at] : NULL;
}

static int read_verdict(struct reader *r)
{
	const char *word = word_at(r);

	for (size_t i = 0; word && i < COUNT(verdicts); i++) {
		if (strcmp(word, verdicts[i].word))
			continue;
		r->w.verdict = verdicts[i].verdict;
		r->at++;
		return 0;
	}
	if (word)
		refuse(r, r->at, 0, "'%s' is not a verdict", word);
	else
		refuse(r, r->at, 0, "a verdict is missing");
	return hint(r, "pass, drop or count");
}

/* One of two words, at most once. True: it was one of them. */
static bool read_choice(struct reader *r, const char *const names[2], bool *have,
			unsigned int *choice)
{
	const char *word = word_at(r);

	for (unsigned int i = 0; word && !*have && i < 2; i++) {
		if (strcmp(word, names[i]))
			continue;
		*choice = i;
		*have = true;
		r->at++;
		return true;
	}
	return false;
}

static void read_place(struct reader *r)
{
	unsigned int dir = NG_IN, side = NG_SRC;

	while (read_choice(r, ng_dir_name, &r->have_dir, &dir) ||
	       read_choice(r, ng_side_name, &r->have_side, &side))
		;
	r->w.dir = dir;
	r->w.key.side = side;
}

static int missing_prefix(struct reader *r, const char *what)
{
	refuse(r, r->at, 0, "%s is missing", what);
	return hint(r, r->form == NG_ACL_FORM_TEST ? "192.0.2.1 or 2001:db8::1"
						   : "192.0.2.0/24 or 2001:db8::/32");
}

static int read_prefix(struct reader *r)
{
	const char *word = word_at(r);
	int err;

	if (!word)
		return missing_prefix(r, r->form == NG_ACL_FORM_TEST ? "an address" : "a prefix");
	if (r->form == NG_ACL_FORM_ADD && !strcmp(word, "-")) {
		r->w.list = word;
	} else if (r->form == NG_ACL_FORM_ADD && word[0] == '@') {
		if (!word[1])
			return refuse(r, r->at, 1, "the name of a file is missing behind @");
		r->w.list = word + 1;
	} else {
		r->bad->word = r->at;
		err = r->form == NG_ACL_FORM_TEST
			      ? ng_address_parse(word, strlen(word), &r->w.key.prefix, r->bad)
			      : ng_prefix_parse(word, strlen(word), &r->w.key.prefix, &r->w.masked,
						r->bad);
		if (err)
			return err;
	}
	r->at++;
	return 0;
}

static int read_proto(struct reader *r)
{
	const char *word = word_at(r);
	uint32_t number;

	if (!word) {
		refuse(r, r->at, 0, "a protocol is missing behind 'proto'");
		return hint(r, "tcp, udp, sctp, icmp, icmp6, gre, esp or a number from 0 to 255");
	}
	r->w.key.any_proto = false;
	for (size_t i = 0; i < COUNT(protos); i++) {
		if (strcmp(word, protos[i].word))
			continue;
		r->w.key.proto = protos[i].proto;
		r->w.icmp = protos[i].proto == IPPROTO_ICMP;
		return 0;
	}
	if (ng_parse_u32(word, 0, 255, &number)) {
		refuse(r, r->at, 0, "'%s' is not a protocol", word);
		return hint(r, "tcp, udp, sctp, icmp, icmp6, gre, esp or a number from 0 to 255");
	}
	r->w.key.proto = (__u8)number;
	return 0;
}

/* A decimal port at word + *at, which moves behind it. */
static int read_port_number(struct reader *r, const char *word, size_t *at, __u16 *port)
{
	size_t digits = strspn(word + *at, "0123456789");
	unsigned int v = 0;

	for (size_t i = 0; i < digits && v <= 65535; i++)
		v = v * 10 + (unsigned int)(word[*at + i] - '0');
	if (!digits || v > 65535)
		return refuse(r, r->at, *at, "a port is a number from 0 to 65535");
	*port = (__u16)v;
	*at += digits;
	return 0;
}

static int read_port(struct reader *r)
{
	const char *word = word_at(r);
	struct ng_acl_key *k = &r->w.key;
	size_t at = 0, second = 0;

	if (!word) {
		refuse(r, r->at, 0, "a port is missing behind 'port'");
		return hint(r, "443 or 8000-8099");
	}
	if (read_port_number(r, word, &at, &k->port_lo))
		return -EINVAL;
	k->port_hi = k->port_lo;
	k->any_port = false;
	if (word[at] == '-' && r->form != NG_ACL_FORM_TEST) {
		second = ++at;
		if (read_port_number(r, word, &at, &k->port_hi))
			return -EINVAL;
	}
	if (word[at])
		return refuse(r, r->at, at, "unexpected character behind a port");
	if (k->port_hi < k->port_lo) {
		char turned[NG_MATCH_TEXT];

		snprintf(turned, sizeof(turned), "%u-%u", k->port_hi, k->port_lo);
		refuse(r, r->at, second, "the range runs backwards");
		return hint(r, turned);
	}
	return 0;
}

static int read_match(struct reader *r)
{
	static const struct {
		const char *word;
		int (*read)(struct reader *r);
		size_t have;
	} match[] = {
		{ "proto", read_proto, offsetof(struct reader, have_proto) },
		{ "port", read_port, offsetof(struct reader, have_port) },
	};
	const char *word = word_at(r);

	for (size_t i = 0; i < COUNT(match); i++) {
		bool *have = (bool *)((char *)r + match[i].have);
		int err;

		if (strcmp(word, match[i].word))
			continue;
		if (*have)
			return refuse(r, r->at, 0, "'%s' is given twice", word);
		*have = true;
		r->at++;
		err = match[i].read(r);
		r->at++;
		return err;
	}
	refuse(r, r->at, 0, "unknown word '%s'", word);
	return hint(r, "valid here: proto, port");
}

/* Where a word stands that the user typed. */
static int find_word(const struct reader *r, const char *word)
{
	int i = 0;

	while (i < r->argc && strcmp(r->argv[i], word))
		i++;
	return i;
}

static int check_match(struct reader *r)
{
	const struct ng_acl_key *k = &r->w.key;

	for (size_t i = 0; r->have_port && r->have_proto && i < COUNT(protos); i++)
		if (protos[i].ports && protos[i].proto == k->proto)
			return 0;
	if (r->have_port) {
		refuse(r, find_word(r, "port"), 0, "only tcp, udp and sctp have ports");
		return hint(r, "proto tcp port ..");
	}
	if (k->proto == IPPROTO_ICMPV6 && !r->w.list && k->prefix.family == NG_IPV4) {
		refuse(r, find_word(r, "proto") + 1, 0, "ICMPv6 is not in IPv4 packets");
		return hint(r, "proto icmp");
	}
	return 0;
}

int ng_acl_words_parse(enum ng_acl_form form, int argc, char **argv, struct ng_acl_words *out,
		       struct ng_bad_word *bad)
{
	struct reader r = {
		.form = form,
		.argc = argc,
		.argv = argv,
		.w.key = { .any_proto = true, .any_port = true, .port_hi = 65535 },
		.bad = bad,
	};
	int err = form == NG_ACL_FORM_ADD ? read_verdict(&r) : 0;

	if (err)
		return err;
	read_place(&r);
	err = read_prefix(&r);
	while (!err && r.at < argc)
		err = read_match(&r);
	if (!err)
		err = check_match(&r);
	if (err)
		return err;
	if (!r.w.list)
		r.w.key = ng_acl_words_key(&r.w, &r.w.key.prefix);
	*out = r.w;
	return 0;
}

struct ng_acl_key ng_acl_words_key(const struct ng_acl_words *words, const struct ng_prefix *prefix)
{
	struct ng_acl_key key = words->key;

	key.prefix = *prefix;
	if (words->icmp)
		key.proto = prefix->family == NG_IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return key;
}

void ng_proto_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT])
{
	const char *name = key->any_proto ? "any" : NULL;

	for (size_t i = 0; !name && i < COUNT(protos); i++)
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

void ng_acl_key_format(enum ng_dir dir, const struct ng_acl_key *key, char text[NG_ACL_KEY_TEXT])
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&key->prefix, prefix);
	ng_proto_format(key, proto);
	ng_port_format(key, port);
	snprintf(text, NG_ACL_KEY_TEXT, "%s %s %s%s%s%s%s", ng_dir_name[dir],
		 ng_side_name[key->side], prefix, key->any_proto ? "" : " proto ",
		 key->any_proto ? "" : proto, key->any_port ? "" : " port ",
		 key->any_port ? "" : port);
}
