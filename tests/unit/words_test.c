// SPDX-License-Identifier: GPL-2.0-only
/* Words: what was meant, lists, splitting a line; options by exact words. */
#include <errno.h>

#include "ctl/base/opts.h"
#include "ctl/base/words.h"
#include "tests/unit/printed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS	 4

static const char *const verbs[] = { "status", "attach", "detach", "capture",
				     "acl",    "stats",	 "demo",   NULL };

static const struct {
	const char *word, *meant;
} closest[] = {
	{ "atach", "attach" },
	{ "atatch", "attach" },
	{ "ATTACH", "attach" },
	{ "dettach", "detach" },
	{ "capure", "capture" },
	{ "cpature", "capture" },
	{ "statsu", "status" },
	{ "stat", "stats" },
	{ "ac", "acl" },
	{ "alc", "acl" },
	{ "demp", "demo" },
	{ "rule", NULL },
	{ "x", NULL },
	{ "", NULL },
	{ "acapturecapturecapturecapturecapture", NULL },
};

static const struct {
	const char *line;
	int rc;
	size_t n, at;
	const char *word[WORDS];
} split[] = {
	{ "", 0, 0, 0, { NULL } },
	{ " \t\r", 0, 0, 0, { NULL } },
	{ "# all of it", 0, 0, 0, { NULL } },
	{ "acl list ng0", 0, 3, 0, { "acl", "list", "ng0" } },
	{ "  acl\tlist  ng0 ", 0, 3, 0, { "acl", "list", "ng0" } },
	{ "acl # list", 0, 1, 0, { "acl" } },
	{ "a#b", 0, 1, 0, { "a#b" } },
	{ "'a # b'", 0, 1, 0, { "a # b" } },
	{ "-i ng0 'udp port 53'", 0, 3, 0, { "-i", "ng0", "udp port 53" } },
	{ "\"a 'b' c\"", 0, 1, 0, { "a 'b' c" } },
	{ "a'b c'd", 0, 1, 0, { "ab cd" } },
	{ "'' \"\"", 0, 2, 0, { "", "" } },
	{ "a\\ b \\# \\\\", 0, 3, 0, { "a b", "#", "\\" } },
	{ "\"a\\\"b\"", 0, 1, 0, { "a\"b" } },
	{ "'a\\b'", 0, 1, 0, { "a\\b" } },
	{ "a\\", 0, 1, 0, { "a\\" } },
	{ "a b c d", 0, 4, 0, { "a", "b", "c", "d" } },
	{ "a b c d e", NG_SPLIT_TOO_MANY, 0, 8, { NULL } },
	{ "a 'b c", NG_SPLIT_QUOTE, 0, 2, { NULL } },
	{ "a b\"c", NG_SPLIT_QUOTE, 0, 3, { NULL } },
};

static void test_split(size_t i)
{
	char line[64], *word[WORDS];
	size_t n = 0, at = 0;

	snprintf(line, sizeof(line), "%s", split[i].line);
	is_int(ng_words_split(line, word, WORDS, &n, &at), split[i].rc, "split [%s]: status",
	       split[i].line);
	if (split[i].rc) {
		is_int(at, split[i].at, "split [%s]: place of the error", split[i].line);
		return;
	}
	is_int(n, split[i].n, "split [%s]: number of words", split[i].line);
	for (size_t w = 0; w < n && w < WORDS; w++)
		ok(!strcmp(word[w], split[i].word[w] ? split[i].word[w] : "(none)"),
		   "split [%s]: word %zu is [%s]", split[i].line, w, word[w]);
}

static void test_join(void)
{
	static const char *const none[] = { NULL };
	char buf[24];

	is_text(ng_words_join(verbs, buf, sizeof(buf)), "status, attach, ..",
		"join: cut where the room ends");
	is_text(ng_words_join(verbs + 4, buf, sizeof(buf)), "acl, stats, demo",
		"join: all that fit");
	is_text(ng_words_join(verbs + 4, buf, 17), "acl, stats, demo", "join: to the last byte");
	is_text(ng_words_join(verbs + 4, buf, 16), "acl, stats, ..", "join: one byte less");
	is_text(ng_words_join(none, buf, sizeof(buf)), "", "join: nothing");
	is_text(ng_words_join_by(verbs + 4, "|", buf, sizeof(buf)), "acl|stats|demo",
		"join: another separator");
}

static const struct ng_opt table[] = {
	{ 'j', "json", NG_OPT_NONE, NULL, "" },	   { 'n', "netns", NG_OPT_VALUE, "NAME", "" },
	{ 'v', "verbose", NG_OPT_NONE, NULL, "" }, { 300, "color", NG_OPT_OPTIONAL, "WHEN", "" },
	{ 301, "bpffs", NG_OPT_VALUE, "DIR", "" }, { 0, NULL, NG_OPT_NONE, NULL, NULL },
};

/* seen: every option as "id=value ", then "| " and the first word behind them;
 * or "error: " and its text */
static const struct {
	const char *line, *seen;
} opts[] = {
	{ "", "| -" },
	{ "status", "| status" },
	{ "-j status -v", "j | status" },
	{ "-jv", "j v | -" },
	{ "-vvj status", "v v j | status" },
	{ "-n x status", "n=x | status" },
	{ "-nx status", "n=x | status" },
	{ "-jnx status", "j n=x | status" },
	{ "-jn x status", "j n=x | status" },
	{ "--json --netns x status", "j n=x | status" },
	{ "--netns=x", "n=x | -" },
	{ "--netns= x", "n= | x" },
	{ "--color always", "300 | always" },
	{ "--color=always", "300=always | -" },
	{ "--bpffs /x y", "301=/x | y" },
	{ "-j -- -v", "j | -v" },
	{ "-j - -v", "j | -" },
	{ "-n -j x", "n=-j | x" },
	{ "-x", "error: unknown option '-x'" },
	{ "-jx", "j error: unknown option '-x'" },
	{ "--js", "error: unknown option '--js'" },
	{ "--verb", "error: unknown option '--verb'" },
	{ "--Json", "error: unknown option '--Json'" },
	{ "--json=1", "error: option '--json' takes no value" },
	{ "-n", "error: option '-n' needs a value: NAME" },
	{ "-j --netns", "j error: option '--netns' needs a value: NAME" },
};

static void append(char *buf, size_t size, const char *text)
{
	size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%s", text);
}

static void test_opts(size_t i)
{
	char line[64], seen[1024] = "", one[64], *argv[8] = { line };
	struct ng_opts o = { .table = table, .argv = argv, .next = 1 };
	struct ng_error err;
	const char *value;
	size_t n = 0, at;
	int id;

	snprintf(line, sizeof(line), "%s", opts[i].line);
	ng_words_split(line, argv + 1, COUNT(argv) - 1, &n, &at);
	o.argc = (int)n + 1;
	while ((id = ng_opts_next(&o, &value, &err)) > 0) {
		if (id < 256)
			snprintf(one, sizeof(one), "%c%s%s ", id, value ? "=" : "",
				 value ? value : "");
		else
			snprintf(one, sizeof(one), "%d%s%s ", id, value ? "=" : "",
				 value ? value : "");
		append(seen, sizeof(seen), one);
	}
	append(seen, sizeof(seen), id ? "error: " : "| ");
	append(seen, sizeof(seen), id ? err.what : o.next < o.argc ? argv[o.next] : "-");
	ok(!strcmp(seen, opts[i].seen), "options [%s]: %s", opts[i].line, seen);
	if (id)
		is_int(err.exit, NG_EXIT_USAGE, "options [%s]: a usage error", opts[i].line);
}

/* seen: the ids of one letter, then "| " and the words between the options */
static const struct {
	const char *line, *seen;
} mixed[] = {
	{ "", "| " },
	{ "-j", "j | " },
	{ "a b", "| a b " },
	{ "a -j b -n x c", "j n | a b c " },
	{ "-jv a --netns=x", "j v n | a " },
	{ "a -n b", "n | a " },
	{ "a -x b", "error: unknown option '-x'" },
};

static void test_mixed(size_t i)
{
	char line[64], seen[1024] = "", *argv[8] = { line };
	struct ng_opts o = { .table = table, .argv = argv, .next = 1, .words = 1 };
	struct ng_error err;
	const char *value;
	size_t n = 0, at;
	int id;

	snprintf(line, sizeof(line), "%s", mixed[i].line);
	ng_words_split(line, argv + 1, COUNT(argv) - 1, &n, &at);
	o.argc = (int)n + 1;
	while ((id = ng_opts_next_mixed(&o, &value, &err)) > 0)
		append(seen, sizeof(seen), (const char[]){ (char)id, ' ', '\0' });
	append(seen, sizeof(seen), id ? "error: " : "| ");
	if (id)
		append(seen, sizeof(seen), err.what);
	for (int word = 1; !id && word < o.words; word++) {
		append(seen, sizeof(seen), argv[word]);
		append(seen, sizeof(seen), " ");
	}
	ok(!strcmp(seen, mixed[i].seen), "options between words [%s]: %s", mixed[i].line, seen);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(closest); i++) {
		const char *c = ng_words_closest(closest[i].word, verbs);

		ok(closest[i].meant ? c && !strcmp(c, closest[i].meant) : !c,
		   "closest to '%s' is %s", closest[i].word, c ? c : "none");
	}
	for (size_t i = 0; i < COUNT(split); i++)
		test_split(i);
	test_join();
	for (size_t i = 0; i < COUNT(opts); i++)
		test_opts(i);
	for (size_t i = 0; i < COUNT(mixed); i++)
		test_mixed(i);
	return tap_done();
}
