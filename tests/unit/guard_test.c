// SPDX-License-Identifier: GPL-2.0-only
/* Which ACL entries and defaults may lock their author out, and how sshd's variables are read. */
#include <netinet/in.h>

#include "ctl/policy/acl_words.h"
#include "ctl/policy/guard.h"
#include "tests/tap.h"

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 16

#define V4     "192.0.2.7 5000 198.51.100.1 22"
#define MAPPED "::ffff:192.0.2.7 5000 ::FFFF:198.51.100.1 22"
#define V6     "fe80::7%eth0 5000 fe80::1%eth0 2222"

static const struct {
	const char *session;
	const char *words;
	enum ng_guarded want;
} rows[] = {
	{ "", "drop 0.0.0.0/0", NG_GUARDED_ALL },
	{ "", "drop out dst ::/0", NG_GUARDED_ALL },
	{ "", "drop 0.0.0.0/0 proto udp", NG_GUARDED_NOT },
	{ "", "pass 0.0.0.0/0", NG_GUARDED_NOT },
	{ "", "count 0.0.0.0/0", NG_GUARDED_NOT },
	{ "", "drop 192.0.2.0/24", NG_GUARDED_NOT },
	{ "", "drop 128.0.0.0/1", NG_GUARDED_GATEWAY },
	{ "", "drop 203.0.113.1", NG_GUARDED_GATEWAY },
	{ "", "drop out dst 203.0.113.1", NG_GUARDED_GATEWAY },
	{ "", "drop out src 203.0.113.1", NG_GUARDED_NOT },
	{ "", "drop dst 203.0.113.1", NG_GUARDED_NOT },
	{ "", "drop 203.0.113.1 proto tcp", NG_GUARDED_NOT },
	{ "", "drop fe80::/10", NG_GUARDED_GATEWAY },
	{ V4, "drop 192.0.2.7", NG_GUARDED_SESSION },
	{ V4, "drop 192.0.2.6/31", NG_GUARDED_SESSION },
	{ V4, "drop 192.0.2.8", NG_GUARDED_NOT },
	{ V4, "pass 192.0.2.7", NG_GUARDED_NOT },
	{ V4, "drop 192.0.2.7 proto tcp", NG_GUARDED_SESSION },
	{ V4, "drop 192.0.2.7 proto udp", NG_GUARDED_NOT },
	{ V4, "drop 192.0.2.7 proto tcp port 20-30", NG_GUARDED_SESSION },
	{ V4, "drop 192.0.2.7 proto tcp port 5000", NG_GUARDED_NOT },
	{ V4, "drop out dst 192.0.2.7 proto tcp port 5000", NG_GUARDED_SESSION },
	{ V4, "drop out dst 192.0.2.7 proto tcp port 22", NG_GUARDED_NOT },
	{ V4, "drop out src 192.0.2.7", NG_GUARDED_NOT },
	{ V4, "drop dst 198.51.100.1", NG_GUARDED_SESSION },
	{ V4, "drop out src 198.51.100.1", NG_GUARDED_SESSION },
	{ V4, "drop src 198.51.100.1", NG_GUARDED_NOT },
	{ V6, "drop fe80::/64", NG_GUARDED_SESSION },
	{ V6, "drop fe80::7 proto tcp port 2222", NG_GUARDED_SESSION },
	{ MAPPED, "drop 192.0.2.0/24", NG_GUARDED_SESSION },
	{ MAPPED, "drop dst 198.51.100.1", NG_GUARDED_SESSION },
	{ "192.0.2.7 5000 22", "drop 192.0.2.7", NG_GUARDED_SESSION },
	{ "192.0.2.7 5000 22", "drop dst 198.51.100.1", NG_GUARDED_NOT },
};

static bool parse(const char *words, struct ng_acl_words *w)
{
	char copy[128], *argv[WORDS_MAX], *save = NULL;
	struct ng_bad_word bad;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	return !ng_acl_words_parse(NG_ACL_FORM_ADD, argc, argv, w, &bad);
}

static void checks(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ng_guard guard = { .gateways = 2 };
		struct ng_prefix whom = { .len = 1 };
		struct ng_bad_word bad;
		struct ng_acl_words w;
		enum ng_guarded got;

		ng_address_parse("203.0.113.1", 11, &guard.gateway[0], &bad);
		ng_address_parse("fe80::99", 8, &guard.gateway[1], &bad);
		if (!ok(parse(rows[i].words, &w), "words: %s", rows[i].words))
			continue;
		if (rows[i].session[0])
			ok(ng_guard_session(&guard, rows[i].session), "session: %s",
			   rows[i].session);
		got = ng_guard_check(&guard, &w.key, w.dir, w.verdict, &whom);
		is_int(got, rows[i].want, "  guarded as it should be");
		if (got == NG_GUARDED_SESSION || got == NG_GUARDED_GATEWAY)
			ok(ng_prefix_covers(&w.key.prefix, &whom),
			   "  and the address named is in the prefix");
	}
}

static void bad_sessions(void)
{
	static const char *const bad[] = {
		"",
		"192.0.2.7",
		"192.0.2.7 5000",
		"192.0.2.7 x 198.51.100.1 22",
		"x 5000 y 22",
		"192.0.2.7 5000 198.51.100.1 99999",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ng_guard guard = { 0 };

		ok(!ng_guard_session(&guard, bad[i]) && !guard.session, "no session: '%s'", bad[i]);
	}
}

/* Clauses of one side each; the first that fits decides. */
static const struct {
	const char *session;
	enum ng_dir dir;
	const char *clauses; /* of both directions, cut at commas */
	bool passes;
} sessions[] = {
	{ V4, NG_IN, "", false },
	{ V4, NG_IN, "pass 192.0.2.7 proto tcp port 22", true },
	{ V4, NG_IN, "pass 192.0.2.7 proto tcp port 5000", false },
	{ V4, NG_IN, "pass 192.0.2.7 proto udp", false },
	{ V4, NG_IN, "pass 192.0.2.8", false },
	{ V4, NG_IN, "pass 198.51.100.1", false },
	{ V4, NG_IN, "pass dst 198.51.100.1", true },
	{ V4, NG_IN, "pass dst 192.0.2.7", false },
	{ V4, NG_IN, "drop 192.0.2.7", false },
	{ V4, NG_IN, "drop 192.0.2.7,pass dst 198.51.100.1", false },
	{ V4, NG_IN, "drop dst 198.51.100.1,pass 192.0.2.7", true },
	{ V4, NG_OUT, "", false },
	{ V4, NG_OUT, "pass out dst 192.0.2.7 proto tcp port 5000", true },
	{ V4, NG_OUT, "pass out dst 192.0.2.7 proto tcp port 22", false },
	{ V4, NG_OUT, "pass out src 198.51.100.1", true },
	{ V4, NG_OUT, "drop out src 198.51.100.1,pass out dst 192.0.2.7", false },
	{ V6, NG_IN, "pass fe80::7 proto tcp port 2222", true },
	{ V6, NG_IN, "pass 0.0.0.0/0", false },
	{ V6, NG_OUT, "pass out fe80::1", true },
};

struct clauses {
	struct ng_acl_words words[4];
	size_t n;
};

static bool ask(void *arg, enum ng_side side, const struct ng_prefix *addr, __u16 port,
		__u8 *verdict)
{
	const struct clauses *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		const struct ng_acl_key *k = &c->words[i].key;

		if (k->side != side || !ng_prefix_covers(&k->prefix, addr) ||
		    (!k->any_proto && k->proto != IPPROTO_TCP) ||
		    (!k->any_port && (port < k->port_lo || port > k->port_hi)))
			continue;
		*verdict = c->words[i].verdict;
		return true;
	}
	return false;
}

static bool parse_clauses(const char *text, struct clauses *c)
{
	char copy[128], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save))
		if (!parse(p, &c->words[c->n++]))
			return false;
	return true;
}

static void defaults(void)
{
	for (size_t i = 0; i < COUNT(sessions); i++) {
		struct ng_guard guard = { 0 };
		struct clauses c = { 0 };

		if (!ok(parse_clauses(sessions[i].clauses, &c) &&
				ng_guard_session(&guard, sessions[i].session),
			"words: %s", sessions[i].clauses))
			continue;
		is_int(ng_guard_session_passes(&guard, sessions[i].dir, ask, &c),
		       sessions[i].passes, "  '%s' %s %s", sessions[i].clauses,
		       sessions[i].passes ? "passes" : "does not pass", sessions[i].session);
	}
}

int main(void)
{
	checks();
	defaults();
	bad_sessions();
	return tap_done();
}
