// SPDX-License-Identifier: GPL-2.0-only
/* nicgate: global options, the table of verbs, the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/base/opts.h"
#include "ctl/base/out.h"
#include "ctl/base/words.h"
#include "ctl/cmd/batch.h"
#include "ctl/cmd/cmd.h"
#include "ctl/cmd/help.h"
#include "ctl/dataplane/libbpf_log.h"
#include "ctl/net/net.h"

static const struct ng_verb *const verbs[] = {
	&ng_verb_status,  &ng_verb_attach, &ng_verb_detach,
	&ng_verb_capture, &ng_verb_acl,	   &ng_verb_stats,
	&ng_verb_filter,  &ng_verb_demo,   NULL,
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]) - 1)

enum { OPT_COLOR = 256, OPT_BPFFS };

static const struct ng_opt options[] = {
	{ 'j', "json", NG_OPT_NONE, NULL, "results and errors as JSON" },
	{ 'p', "pretty", NG_OPT_NONE, NULL, "JSON with line breaks (implies -j)" },
	{ 'n', "netns", NG_OPT_VALUE, "NAME|PATH|PID",
	  "enter this network namespace, and only that" },
	{ 'b', "batch", NG_OPT_VALUE, "FILE|-",
	  "one command a line; stops at the first that fails" },
	{ 'q', "quiet", NG_OPT_NONE, NULL, "no notes on stderr, only warnings and errors" },
	{ 'v', "verbose", NG_OPT_NONE, NULL,
	  "say what is done; -vv: every bpf and netlink operation" },
	{ OPT_COLOR, "color", NG_OPT_OPTIONAL, "auto|always|never", "coloured messages on stderr" },
	{ OPT_BPFFS, "bpffs", NG_OPT_VALUE, "DIR", "the bpffs to use instead of /sys/fs/bpf" },
	{ 'V', "version", NG_OPT_NONE, NULL, "versions of nicgate, its libraries and the kernel" },
	{ 'h', "help", NG_OPT_NONE, NULL, "this text" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

struct request {
	struct ng_global g;
	const char *batch, *color;
	bool version, help;
};

static const struct ng_verb *find_verb(const char *name)
{
	for (const struct ng_verb *const *v = verbs; *v; v++)
		if (!strcmp((*v)->name, name))
			return *v;
	return NULL;
}

static int unknown_verb(const char *name, struct ng_error *err)
{
	const char *names[VERBS + 2] = { NULL };
	const char *close;
	char list[256];
	size_t n = 0;

	while (verbs[n]) {
		names[n] = verbs[n]->name;
		n++;
	}
	names[n] = "help";
	close = ng_words_closest(name, names);
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "unknown verb '%s'", name);
	if (close)
		ng_err_why(err, "did you mean '%s'?", close);
	ng_err_why(err, "verbs: %s", ng_words_join(names, list, sizeof(list)));
	ng_err_try(err, "nicgate help");
	return -EINVAL;
}

static int run_help(int argc, char **argv, struct ng_error *err)
{
	const struct ng_verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;

	if (argc > 1 && strcmp(argv[1], "help") && !verb)
		return unknown_verb(argv[1], err);
	if (verb)
		ng_help_verb(verb);
	else
		ng_help_all(verbs, options);
	return 0;
}

static bool wants_help(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "-h"))
		return true;
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

/* A global option behind the verb is unknown to that. */
static void hint_global(int argc, char **argv, struct ng_error *err)
{
	struct ng_opts o = { .table = options, .argc = argc, .argv = argv };
	char words[80];

	for (int i = 1; i < argc && err->exit == NG_EXIT_USAGE; i++) {
		const char *value;

		snprintf(words, sizeof(words), "unknown option '%s'", argv[i]);
		o.next = i;
		if (strcmp(words, err->what) || ng_opts_next(&o, &value, NULL) <= 0)
			continue;
		ng_err_try(err, "nicgate %s%s%s %s ..    (global options come first)", argv[i],
			   value ? " " : "", value ? value : "", argv[0]);
		return;
	}
}

static int run_verb(int argc, char **argv, void *arg, struct ng_error *err)
{
	const struct ng_verb *verb = find_verb(argv[0]);
	const struct ng_global *g = arg;
	int rc;

	if (!strcmp(argv[0], "help"))
		return run_help(argc, argv, err);
	if (!verb)
		return unknown_verb(argv[0], err);
	if (wants_help(argc, argv)) {
		ng_help_verb(verb);
		return 0;
	}
	rc = verb->run(g, argc, argv, err);
	if (rc)
		hint_global(argc, argv, err);
	return rc;
}

static int set_color(const char *when, struct ng_error *err)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!strcmp(when, "always") || !strcmp(when, "never"))
		ng_log_color = !strcmp(when, "always");
	else if (!strcmp(when, "auto"))
		ng_log_color = isatty(STDERR_FILENO) && !(no_color && *no_color) && term &&
			       strcmp(term, "dumb");
	else
		return ng_err(err, NG_EXIT_USAGE, 0, NULL,
			      "--color is auto, always or never, not '%s'", when);
	return 0;
}

static int apply_option(struct request *r, int id, const char *value, struct ng_error *err)
{
	switch (id) {
	case 'p':
		r->g.pretty = true;
		/* fall through */
	case 'j':
		r->g.json = true;
		return 0;
	case 'n':
		r->g.netns = value;
		return 0;
	case 'b':
		r->batch = value;
		return 0;
	case 'q':
		r->g.quiet = true;
		return 0;
	case 'v':
		r->g.verbose++;
		return 0;
	case 'V':
		r->version = true;
		return 0;
	case 'h':
		r->help = true;
		return 0;
	case OPT_BPFFS:
		r->g.bpffs = value;
		return 0;
	default:
		return set_color(value ? value : "always", err);
	}
}

/* *first: the word behind the options. */
static int parse_options(struct request *r, int argc, char **argv, int *first, struct ng_error *err)
{
	struct ng_opts o = { .table = options, .argc = argc, .argv = argv, .next = 1 };
	const char *value;
	int id, rc = set_color("auto", err);

	while (!rc && (id = ng_opts_next(&o, &value, err)))
		rc = id < 0 ? id : apply_option(r, id, value, err);
	*first = o.next < argc ? o.next : argc;
	ng_log_level = r->g.quiet ? -1 : r->g.verbose;
	return rc;
}

static int run(struct request *r, int argc, char **argv, struct ng_error *err)
{
	static char word[] = "status";
	char *status[] = { word, NULL };

	if (r->help)
		return run_help(1, argv, err);
	if (r->version)
		return ng_help_version(&r->g, err);
	if (r->batch && argc)
		return ng_err(err, NG_EXIT_USAGE, 0, argv[0], "with -b the verbs come from '%s'",
			      r->batch);
	if (!r->batch && argc && strcmp(argv[0], "help") && !find_verb(argv[0]))
		return unknown_verb(argv[0], err); /* before anything is entered or opened */
	if (r->g.netns) {
		int rc = ng_netns_enter(r->g.netns, err);

		if (rc)
			return rc;
	}
	if (r->batch)
		return ng_batch(r->batch, run_verb, &r->g, err);
	return argc ? run_verb(argc, argv, &r->g, err) : run_verb(1, status, &r->g, err);
}

/*
 * A closed standard descriptor would be given to the next map or socket, and results written into
 * it. Stdout and stderr become unwritable instead, so that a result that goes nowhere is an error.
 */
static void keep_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int finish(int rc, const struct request *r, struct ng_error *err)
{
	if (rc) {
		err->exit = err->exit ? err->exit : NG_EXIT_FAILED;
		fflush(stdout);
		ng_err_show(err, r->g.json, r->g.pretty);
	}
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		if (!rc)
			ng_err(err, NG_EXIT_FAILED, errno ? errno : EIO, "stdout",
			       "cannot write the result");
		if (!rc || r->g.json)
			ng_err_show(err, false, false);
		return err->exit ? (int)err->exit : NG_EXIT_FAILED;
	}
	return err->exit;
}

/* nicgatedump: `nicgate capture` under a name of its own. */
static bool is_dump(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path && !strcmp(slash ? slash + 1 : path, "nicgatedump");
}

int main(int argc, char **argv)
{
	static char capture[] = "capture";
	struct request r = { .batch = NULL };
	struct ng_error err = { .exit = NG_EXIT_OK };
	int first = 0, rc = 0;

	keep_standard_descriptors();
	ng_libbpf_log_init();
	if (is_dump(argv[0]))
		argv[0] = capture;
	else
		rc = parse_options(&r, argc, argv, &first, &err);
	if (!rc)
		rc = run(&r, argc - first, argv + first, &err);
	return finish(rc, &r, &err);
}
