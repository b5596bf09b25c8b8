// SPDX-License-Identifier: GPL-2.0-only
/* Errors: their text with why, try and caret, their JSON, and what the log levels let through. */
#include <errno.h>

#include "ctl/base/err.h"
#include "ctl/cmd/cmd.h"
#include "tests/unit/printed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int plain(struct ng_error *err)
{
	return ng_err(err, NG_EXIT_USAGE, 0, NULL, "nothing to do with '%s'", "x");
}

static int with_errno(struct ng_error *err)
{
	return ng_err(err, NG_EXIT_NOT_FOUND, ENODEV, "ng7", "no such interface");
}

static int kernel_errno(struct ng_error *err)
{
	return ng_err(err, NG_EXIT_UNSUPPORTED, 524, "ng0", "cannot attach");
}

static int with_lines(struct ng_error *err)
{
	int rc = ng_err(err, NG_EXIT_FAILED, EBUSY, "ng0", "cannot attach");

	ng_err_why(err, "program %d is there", 7);
	ng_err_why(err, "it is not ours");
	ng_err_try(err, "ip link set ng0 xdp off");
	return rc;
}

static int replaced(struct ng_error *err)
{
	with_lines(err);
	return ng_err(err, NG_EXIT_FAILED, 0, err->object, "%s, again", err->what);
}

static int caret(struct ng_error *err)
{
	int rc = ng_err(err, NG_EXIT_USAGE, 0, NULL, "bad word");

	ng_err_at(err, "list.txt", 3, 5, "ab\tcde and more", 6);
	return rc;
}

static int caret_behind_end(struct ng_error *err)
{
	int rc = ng_err(err, NG_EXIT_USAGE, 0, NULL, "ends too early");

	ng_err_at(err, "expression", 1, 4, "tcp", 3);
	return rc;
}

static int caret_cut_off(struct ng_error *err)
{
	int rc = ng_err(err, NG_EXIT_USAGE, 0, NULL, "bad word");

	ng_err_at(err, "list", 1, 70000, "a", 1);
	return rc;
}

static int long_line(unsigned int column, size_t len, const char *fill, struct ng_error *err)
{
	static char line[70001];
	int rc = ng_err(err, NG_EXIT_USAGE, 0, NULL, "bad word");

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = fill[i % strlen(fill)];
	ng_err_at(err, "list", 1, column, line, len);
	return rc;
}

static int long_start(struct ng_error *err)
{
	return long_line(3, 200, "0123456789", err);
}

static int long_middle(struct ng_error *err)
{
	return long_line(101, 200, "0123456789", err);
}

static int long_end(struct ng_error *err)
{
	return long_line(70001, 70000, "0123456789", err);
}

static int long_utf8(struct ng_error *err)
{
	return long_line(30001, 70000, "\xc3\xa4z", err);
}

#define Z4 "\xc3\xa4z\xc3\xa4z\xc3\xa4z\xc3\xa4z"

static const struct {
	const char *name;
	int (*fill)(struct ng_error *err);
	int rc;
	const char *text, *json;
} errors[] = {
	{ "a plain error", plain, -EINVAL, "nicgate: error: nothing to do with 'x'\n",
	  "{\"schema\":1,\"error\":{\"exit\":2,\"object\":\"\",\"what\":\"nothing to do with 'x'\",\"why\":[],"
	  "\"try\":[]}}\n" },
	{ "an error with errno", with_errno, -ENODEV,
	  "nicgate: error: ng7: no such interface: No such device [ENODEV]\n",
	  "{\"schema\":1,\"error\":{\"exit\":3,\"errno\":\"ENODEV\",\"object\":\"ng7\","
	  "\"what\":\"no such interface\",\"why\":[],\"try\":[]}}\n" },
	{ "an errno that is the kernel's own", kernel_errno, -524,
	  "nicgate: error: ng0: cannot attach: Operation is not supported [ENOTSUPP]\n", NULL },
	{ "why and try", with_lines, -EBUSY,
	  "nicgate: error: ng0: cannot attach: Device or resource busy [EBUSY]\n"
	  "  why:  program 7 is there\n        it is not ours\n  try:  ip link set ng0 xdp off\n",
	  "{\"schema\":1,\"error\":{\"exit\":1,\"errno\":\"EBUSY\",\"object\":\"ng0\",\"what\":\"cannot attach\","
	  "\"why\":[\"program 7 is there\",\"it is not ours\"],\"try\":[\"ip link set ng0 xdp off\"]}}\n" },
	{ "a second error replaces the first", replaced, -EINVAL,
	  "nicgate: error: ng0: cannot attach, again\n", NULL },
	{ "a caret under tabs", caret, -EINVAL,
	  "nicgate: error: list.txt:3:5: bad word\n  ab\tcde\n    \t ^\n",
	  "{\"schema\":1,\"error\":{\"exit\":2,\"object\":\"\",\"what\":\"bad word\",\"why\":[],\"try\":[],"
	  "\"file\":\"list.txt\",\"line\":3,\"column\":5,\"source\":\"ab\\tcde\"}}\n" },
	{ "a caret behind the end", caret_behind_end, -EINVAL,
	  "nicgate: error: expression:1:4: ends too early\n  tcp\n     ^\n", NULL },
	{ "a position behind what is shown of a line has no mark", caret_cut_off, -EINVAL,
	  "nicgate: error: list:1:70000: bad word\n  a\n", NULL },
	{ "a long line is shown from its start", long_start, -EINVAL,
	  "nicgate: error: list:1:3: bad word\n"
	  "  012345678901234567890123456789012345678901234567890123456789012345678901..\n    ^\n",
	  NULL },
	{ "or around the mark", long_middle, -EINVAL,
	  "nicgate: error: list:1:101: bad word\n"
	  "  ..456789012345678901234567890123456789012345678901234567890123456789012345..\n"
	  "                                        ^\n",
	  NULL },
	{ "or its end, however long it is", long_end, -EINVAL,
	  "nicgate: error: list:1:70001: bad word\n"
	  "  ..456789012345678901234567890123456789\n"
	  "                                        ^\n",
	  NULL },
	{ "in whole characters", long_utf8, -EINVAL,
	  "nicgate: error: list:1:30001: bad word\n"
	  "  .." Z4 Z4 Z4 Z4 Z4 Z4 "..\n"
	  "                            ^\n",
	  NULL },
};

static void show_text(const void *err)
{
	ng_err_show(err, false, false);
}

static void show_json(const void *err)
{
	ng_err_show(err, true, false);
}

static void test_limits(void)
{
	static char line[2000];
	struct ng_error err;

	memset(line, 'x', sizeof(line) - 1);
	ng_err(&err, NG_EXIT_FAILED, 0, line, "%s", line);
	is_int(strlen(err.object), sizeof(err.object) - 1, "an object too long is cut");
	is_int(strlen(err.what), sizeof(err.what) - 1, "a text too long is cut");
	for (int i = 0; i < 3; i++)
		ng_err_why(&err, "%s", line);
	is_int(strlen(err.why), sizeof(err.why) - 1, "a reason too long is cut");
	ok(err.why[sizeof(err.why) - 2] == '\n', "and still ends its line");
	ng_err_at(&err, line, 1, 1, line, sizeof(line) - 1);
	is_int(strlen(err.source), sizeof(err.source) - 1, "a source line too long is cut");
	is_int(ng_err(NULL, NG_EXIT_FAILED, EIO, "x", "y"), -EIO,
	       "nobody wants the error: only its code");
	ng_err_why(NULL, "x");
	ng_err_try(NULL, "x");
	ng_err_at(NULL, "x", 1, 1, "x", 1);
}

static void log_all(const void *arg)
{
	(void)arg;
	ng_warn("w %d", 1);
	ng_note("n");
	ng_debug("d");
	ng_trace("t");
}

static void warn(const void *text)
{
	ng_warn("%s", (const char *)text);
}

static const struct {
	int level;
	const char *text;
} levels[] = {
	{ -1, "nicgate: warning: w 1\n" },
	{ 0, "nicgate: warning: w 1\nnicgate: n\n" },
	{ 1, "nicgate: warning: w 1\nnicgate: n\nnicgate: d\n" },
	{ 2, "nicgate: warning: w 1\nnicgate: n\nnicgate: d\nnicgate: trace: t\n" },
};

static void test_log(void)
{
	struct ng_error err;

	for (size_t i = 0; i < COUNT(levels); i++) {
		ng_log_level = levels[i].level;
		is_text(printed(stderr, log_all, NULL), levels[i].text, "log level %d",
			levels[i].level);
	}
	ng_log_level = -1;
	ng_log_color = true;
	plain(&err);
	is_text(printed(stderr, log_all, NULL), "nicgate: \033[1;33mwarning: \033[0mw 1\n",
		"a warning in colour");
	is_text(printed(stderr, show_text, &err),
		"nicgate: \033[1;31merror:\033[0m nothing to do with 'x'\n", "an error in colour");
	ng_log_color = false;
}

/* Names and words that would command a terminal. */
static void test_commands(void)
{
	struct ng_error err;

	ng_err(&err, NG_EXIT_FAILED, 0, "ng\033[2J", "held by %s", "x\rnicgate: done");
	ng_err_why(&err, "%s",
		   "\xc2\x9b"
		   "2J\tg\xc3\xbcltig");
	is_text(printed(stderr, show_text, &err),
		"nicgate: error: ng?[2J: held by x?nicgate: done\n  why:  ??2J\tg\xc3\xbcltig\n",
		"an error with control characters");
	ng_log_level = -1;
	is_text(printed(stderr, warn, "a\033c"), "nicgate: warning: a?c\n",
		"a warning with control characters");
}

static void test_usage(void)
{
	static const char *const valid[] = { "add", "del", "list", NULL };
	static const struct ng_verb verb = { "acl", NULL, "prefixes",
					     "acl add DEV\n  more words\nacl del DEV" };
	struct ng_error err;

	is_int(ng_usage_word(&err, "acl", "ad", valid), -EINVAL, "an unknown word: code");
	is_text(printed(stderr, show_text, &err),
		"nicgate: error: acl: unknown word 'ad'\n  why:  did you mean 'add'?\n        valid here: add, del, list\n",
		"an unknown word: text");
	is_int(ng_usage(&err, &verb, "what about %s?", "DEV"), -EINVAL, "a usage error: code");
	is_int(err.exit, NG_EXIT_USAGE, "a usage error: exit status");
	is_text(printed(stderr, show_text, &err),
		"nicgate: error: acl: what about DEV?\n  try:  nicgate acl add DEV\n        nicgate acl del DEV\n"
		"        nicgate help acl\n",
		"a usage error: the forms, then where to read more");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct ng_error err;

		is_int(errors[i].fill(&err), errors[i].rc, "%s: code", errors[i].name);
		is_text(printed(stderr, show_text, &err), errors[i].text, "%s: text",
			errors[i].name);
		if (errors[i].json)
			is_text(printed(stdout, show_json, &err), errors[i].json, "%s: JSON",
				errors[i].name);
	}
	test_limits();
	test_log();
	test_commands();
	test_usage();
	return tap_done();
}
