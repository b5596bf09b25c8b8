// SPDX-License-Identifier: GPL-2.0-only
/* nicgate detach: takes away what is ours, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/opts.h"
#include "ctl/cmd/choice.h"
#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/foreign.h"
#include "ctl/dataplane/gate.h"

enum { OPT_ALL = 256, OPT_HOOK };

static const struct ng_opt options[] = {
	{ OPT_ALL, "all", NG_OPT_NONE, NULL, "every gate of this network namespace" },
	{ OPT_HOOK, "hook", NG_OPT_VALUE, "xdp|tc-in|tc-out", "only there; repeatable" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

struct request {
	char **device;
	size_t devices;
	bool all, hooks_given;
	bool hook[NG_HOOK_MAX];
};

struct item {
	struct ng_link link; /* name "if7" when the interface is gone */
	enum ng_hook hook;
};

struct plan {
	const struct request *request;
	unsigned int ifindex; /* of what is being collected; 0: any */
	struct item *item;
	size_t n, max;
};

static int take_option(struct request *r, int id, const char *value, struct ng_error *err)
{
	unsigned int hook = 0;
	int rc;

	if (id == OPT_ALL) {
		r->all = true;
		return 0;
	}
	r->hooks_given = true;
	rc = ng_choice("--hook", value, ng_hook_words, &hook, err);
	r->hook[hook] |= !rc;
	return rc;
}

static int parse(struct request *r, int argc, char **argv, struct ng_error *err)
{
	struct ng_opts o = { .table = options, .argc = argc, .argv = argv, .next = 1, .words = 1 };
	const char *value;
	int id, rc = 0;

	while (!rc && (id = ng_opts_next_mixed(&o, &value, err)))
		rc = id < 0 ? id : take_option(r, id, value, err);
	if (rc)
		return rc;
	r->device = argv + 1;
	r->devices = (size_t)o.words - 1;
	if (r->all == (r->devices > 0))
		return ng_usage(err, &ng_verb_detach,
				r->all ? "--all and devices exclude each other"
				       : "no device given");
	return 0;
}

static int add_gate(__u32 ifindex, enum ng_hook hook, void *arg)
{
	struct plan *p = arg;
	struct item *it;

	if ((p->ifindex && ifindex != p->ifindex) ||
	    (p->request->hooks_given && !p->request->hook[hook]))
		return 0;
	if (p->n == p->max) {
		size_t max = p->max ? p->max * 2 : 16;
		struct item *more = realloc(p->item, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->item = more;
		p->max = max;
	}
	it = &p->item[p->n++];
	*it = (struct item){ .link = { .ifindex = ifindex }, .hook = hook };
	if (!if_indextoname(ifindex, it->link.name))
		snprintf(it->link.name, sizeof(it->link.name), "if%u", ifindex);
	return 0;
}

/* Says what is at the device instead of ours. */
static int not_attached(const struct request *r, const struct ng_link *link, struct ng_error *err)
{
	struct ng_error foreign;
	char hooks[64] = "";

	for (int hook = 0; hook < NG_HOOK_MAX; hook++)
		if (r->hook[hook])
			snprintf(hooks + strlen(hooks), sizeof(hooks) - strlen(hooks), "%s%s",
				 hooks[0] ? ", " : " (", ng_hook_name[hook]);
	ng_err(err, NG_EXIT_NOT_FOUND, 0, link->name, "not attached%s%s", hooks,
	       hooks[0] ? ")" : "");
	if ((!r->hooks_given || r->hook[NG_HOOK_XDP]) && ng_foreign_xdp_check(link, &foreign)) {
		ng_err_why(err, "%s, and is left alone:", foreign.what);
		ng_err_why(err, "%.*s", (int)strcspn(foreign.why, "\n"), foreign.why);
	}
	return -ENOENT;
}

static int make_plan(const struct request *r, const struct ng_pins *pins, struct plan *p,
		     struct ng_error *err)
{
	struct ng_link link;
	int rc = 0;

	p->request = r;
	if (r->all)
		rc = ng_pins_each(pins, add_gate, p);
	for (size_t i = 0; !rc && i < r->devices; i++) {
		size_t before = p->n;

		rc = ng_link_get(r->device[i], &link, err);
		if (rc)
			return rc;
		p->ifindex = link.ifindex;
		rc = ng_pins_each(pins, add_gate, p);
		if (!rc && p->n == before)
			return not_attached(r, &link, err);
	}
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, pins->root, "listing the gates failed") : 0;
}

static int carry_out(const struct ng_pins *pins, const struct plan *p, size_t *done,
		     struct ng_error *err)
{
	for (*done = 0; *done < p->n; ++*done) {
		const struct item *it = &p->item[*done];
		int rc = ng_gate_remove(pins, &it->link, it->hook, err);

		if (rc)
			return rc;
	}
	return 0;
}

static int show(const struct ng_global *g, const struct plan *p, size_t done, struct ng_error *err)
{
	static const struct ng_column columns[] = {
		{ "device", "DEVICE", NG_LEFT },
		{ "hook", "HOOK", NG_LEFT },
		{ "result", "RESULT", NG_LEFT },
	};
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	int rc;

	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "out of memory");
	ng_out_begin(out);
	ng_table_begin(out, "gates", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < done; i++) {
		ng_table_str(out, p->item[i].link.name);
		ng_table_str(out, ng_hook_name[p->item[i].hook]);
		ng_table_str(out, "detached");
	}
	ng_table_end(out);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	struct request r = { 0 };
	struct plan p = { 0 };
	struct ng_pins pins;
	size_t done = 0;
	int rc = parse(&r, argc, argv, err);

	if (!rc)
		rc = ng_gate_begin(&pins, g->bpffs, true, err);
	if (rc)
		return rc;
	rc = make_plan(&r, &pins, &p, err);
	if (!rc)
		rc = carry_out(&pins, &p, &done, err);
	ng_pins_close(&pins);
	if (!rc)
		rc = show(g, &p, done, err);
	free(p.item);
	return rc;
}

const struct ng_verb ng_verb_detach = {
	.name = "detach",
	.run = run,
	.summary = "take gates away",
	.usage = "detach DEV... [--hook xdp|tc-in|tc-out]...\n"
		 "detach --all [--hook xdp|tc-in|tc-out]...\n"
		 "\n"
		 "    Only what is ours goes, with its maps: ACL entries and counters are lost.\n",
};
