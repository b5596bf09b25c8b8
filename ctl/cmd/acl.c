// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl: clauses of the attached gates of an interface, changed while traffic flows. */
#include <errno.h>
#include <string.h>

#include "ctl/base/opts.h"
#include "ctl/cmd/acl.h"
#include "ctl/cmd/choice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { OPT_FORCE = 256, OPT_MATCH, OPT_FORMAT, OPT_SET, OPT_SKIP_BAD };

static const struct ng_opt no_options[] = { { 0, NULL, NG_OPT_NONE, NULL, NULL } };
#define FORMATS "auto|cidr|words|ipset|nft|nft-json|json|csv"
static const struct ng_opt read_options[] = {
	{ OPT_FORMAT, "format", NG_OPT_VALUE, FORMATS, "of the file" },
	{ OPT_SET, "set", NG_OPT_VALUE, "NAME", "ipset, nft: this set only" },
	{ OPT_SKIP_BAD, "skip-bad", NG_OPT_NONE, NULL, "leave bad lines out" },
	{ OPT_FORCE, "force", NG_OPT_NONE, NULL, "also where it may cut you off" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};
static const struct ng_opt write_options[] = {
	{ OPT_FORMAT, "format", NG_OPT_VALUE, FORMATS, "of the file" },
	{ OPT_FORCE, "force", NG_OPT_NONE, NULL, "leave out timeouts, comments it cannot say" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};
static const struct ng_opt list_options[] = {
	{ 's', "statistics", NG_OPT_NONE, NULL, "with packets and bytes" },
	{ OPT_MATCH, "match", NG_OPT_VALUE, "PREFIX", "entries that cover it or lie in it" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

static const struct {
	const char *name;
	int (*run)(struct ng_acl_call *c, struct ng_error *err);
	const struct ng_opt *options;
} subs[] = {
	{ "add", ng_acl_run_add, read_options },
	{ "del", ng_acl_run_del, no_options },
	{ "get", ng_acl_run_get, no_options },
	{ "test", ng_acl_run_test, no_options },
	{ "list", ng_acl_run_list, list_options },
	{ "import", ng_acl_run_import, read_options },
	{ "replace", ng_acl_run_replace, read_options },
	{ "export", ng_acl_run_export, write_options },
	{ "expire", ng_acl_run_expire, no_options },
	{ "flush", ng_acl_run_flush, no_options },
	{ "zero", ng_acl_run_zero, no_options },
};

static int take_option(struct ng_acl_call *c, int id, const char *value, struct ng_error *err)
{
	unsigned int format = NG_TABLE_AUTO;
	int rc;

	switch (id) {
	case OPT_FORCE:
		c->force = true;
		return 0;
	case OPT_MATCH:
		c->match = value;
		return 0;
	case OPT_FORMAT:
		rc = ng_choice("--format", value, ng_table_format_name, &format, err);
		c->format = format;
		return rc;
	case OPT_SET:
		c->set = value;
		return 0;
	case OPT_SKIP_BAD:
		c->skip_bad = true;
		return 0;
	default:
		c->statistics = true;
		return 0;
	}
}

/* Takes the options, which may stand between the words, out of c->argv. */
static int take_options(struct ng_acl_call *c, const struct ng_opt *table, struct ng_error *err)
{
	struct ng_opts o = {
		.table = table, .argc = c->argc, .argv = c->argv, .next = 2, .words = 2
	};
	const char *value;
	int id;

	while ((id = ng_opts_next_mixed(&o, &value, err))) {
		int rc = id < 0 ? id : take_option(c, id, value, err);

		if (rc)
			return rc;
	}
	c->argc = o.words;
	return 0;
}

static int run_sub(struct ng_acl_call *c, size_t i, struct ng_error *err)
{
	int rc = take_options(c, subs[i].options, err);

	if (rc)
		return rc;
	if (c->argc < 3) {
		ng_err(err, NG_EXIT_USAGE, 0, "acl", "%s: the name of an interface is missing",
		       c->sub);
		ng_err_try(err, "nicgate acl %s DEV ..", c->sub);
		ng_err_try(err, "nicgate help acl");
		return -EINVAL;
	}
	rc = subs[i].run(c, err);
	ng_acl_call_end(c);
	return rc;
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	static const char *const names[] = { "add",    "del",	 "get",	    "test",
					     "list",   "import", "replace", "export",
					     "expire", "flush",	 "zero",    NULL };
	struct ng_acl_call c = { .global = g, .argv = argv, .argc = argc };

	_Static_assert(COUNT(names) == COUNT(subs) + 1, "the same words");
	if (argc < 2)
		return ng_usage(err, &ng_verb_acl, "what to do is missing");
	c.sub = argv[1];
	for (size_t i = 0; i < COUNT(subs); i++)
		if (!strcmp(c.sub, subs[i].name))
			return run_sub(&c, i, err);
	return ng_usage_word(err, "acl", c.sub, names);
}

const struct ng_verb ng_verb_acl = {
	.name = "acl",
	.run = run,
	.summary = "pass, drop or count by source or destination prefix",
	.usage =
		"acl add DEV pass|drop|count [in|out] [src|dst] PREFIX|A-B|@FILE|- [proto P] [port N|N-M]\n"
		"        [timeout T] [comment TEXT] [--force]\n"
		"acl del|get DEV [in|out] [src|dst] PREFIX [proto P] [port N|N-M]\n"
		"acl test DEV [in|out] [src|dst] ADDRESS [proto P] [port N]\n"
		"acl list DEV [in|out] [-s] [--match PREFIX]\n"
		"acl import|replace DEV [VERDICT] [in|out] [src|dst] FILE|- [proto P] .. [--format F] [--set NAME]\n"
		"        [--skip-bad] [--force]\n"
		"acl export DEV [in|out] [--format F]\n"
		"acl expire DEV [in|out] OLDER-THAN\n"
		"acl flush|zero DEV [in|out]\n"
		"\n"
		"    Without in|out: in; without src|dst: src. port: the destination port.\n"
		"    An address is decided by the clauses of its longest matching prefix, then by those of the\n"
		"    covering prefixes; of one prefix, the narrower port range first, then those with a\n"
		"    protocol, then the one for everything. count counts and goes on.\n"
		"    timeout 10m, 1h30m, 2d: from then on it does not hold; adding it again starts anew.\n"
		"    FILE: prefixes or ranges, one a line, # and ; start comments; or what `acl export`, ipset\n"
		"    save, nft [-j] list set print; or CSV. --format: which; auto tells by itself. All or nothing.\n"
		"    import adds. replace: exactly what the file says from then on, in one step for every packet;\n"
		"    a direction that neither FILE nor the words name stays as it is.\n"
		"    test: exit status 0 and the clause that decides, or 1.\n"
		"    expire: deletes what was not hit for so long; what was never hit, added so long ago.\n"
		"    --force: also for what would cut off your own SSH session, the default gateway, or\n"
		"    everything (drop 0.0.0.0/0, ::/0), for prefixes shorter than /8 (IPv6: /16) in a file, and\n"
		"    for a replace that leaves nothing, or less than half.\n",
};
