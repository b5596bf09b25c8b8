// SPDX-License-Identifier: GPL-2.0-only
/* nicgate attach: gates on interfaces, all or none; what is already so stays as it is. */
#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/opts.h"
#include "ctl/cmd/attach.h"
#include "ctl/cmd/choice.h"
#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/foreign.h"
#include "ctl/dataplane/acl.h"
#include "ctl/dataplane/gate.h"
#include "maps/counters.h"

enum {
	OPT_MODE = 256,
	OPT_HOOK,
	OPT_FRAGS,
	OPT_DEFAULT,
	OPT_MALFORMED,
	OPT_ENGINE,
	OPT_COUNTERS,
	OPT_DRY_RUN,
	OPT_FORCE,
};

static const struct ng_opt options[] = {
	{ OPT_MODE, "mode", NG_OPT_VALUE, "auto|native|generic", "XDP mode" },
	{ OPT_HOOK, "hook", NG_OPT_VALUE, "xdp|tc-in|tc-out", "repeatable" },
	{ OPT_FRAGS, "frags", NG_OPT_VALUE, "auto|on|off", "multi-buffer XDP frames" },
	{ OPT_DEFAULT, "default", NG_OPT_VALUE, "pass|drop", "where nothing decides" },
	{ OPT_MALFORMED, "malformed", NG_OPT_VALUE, "auto|pass|drop", "undecidable packets" },
	{ OPT_ENGINE, "engine", NG_OPT_VALUE, "trie|lpm", "where the ACL's prefixes are kept" },
	{ OPT_COUNTERS, "acl-counters", NG_OPT_VALUE, "on|off", "count packets of each ACL entry" },
	{ OPT_DRY_RUN, "dry-run", NG_OPT_NONE, NULL, "check and verify, attach nothing" },
	{ OPT_FORCE, "force", NG_OPT_NONE, NULL, "also where it may cut you off" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

static const char *const mode_words[] = { "auto", "native", "generic", NULL };
static const char *const frags_words[] = { "auto", "on", "off", NULL };
static const char *const default_words[] = { "pass", "drop", NULL };
static const char *const malformed_words[] = { "auto", "pass", "drop", NULL };
static const char *const engine_words[] = { "trie", "lpm", NULL };
static const char *const counters_words[] = { "off", "on", NULL };

struct request {
	char **device;
	size_t devices;
	bool hook[NG_HOOK_MAX];
	bool hooks_given, xdp_words, set_default, set_malformed, set_engine, set_counters;
	bool dry_run, force;
	unsigned int mode, frags, default_verdict, malformed, engine, counters;
	struct ng_acl_size acl; /* of tables made new */
};

enum result { ATTACHED, CHANGED, UNCHANGED, VERIFIED };
static const char *const result_name[] = { "attached", "changed", "unchanged", "verified" };

/* One gate to be. gate: the one in force, or made by us. */
struct item {
	struct ng_link link;
	enum ng_hook hook;
	struct ng_gate *gate;
	enum result result;
	bool was_temporary; /* a capture's */
	bool was_there;	    /* its program had been taken off */
};

struct plan {
	struct item *item;
	size_t n;
};

static int take_option(struct request *r, int id, const char *value, struct ng_error *err)
{
	unsigned int hook = 0;
	int rc = 0;

	switch (id) {
	case OPT_MODE:
		r->xdp_words = true;
		return ng_choice("--mode", value, mode_words, &r->mode, err);
	case OPT_FRAGS:
		r->xdp_words = true;
		return ng_choice("--frags", value, frags_words, &r->frags, err);
	case OPT_DEFAULT:
		r->set_default = true;
		return ng_choice("--default", value, default_words, &r->default_verdict, err);
	case OPT_MALFORMED:
		r->set_malformed = true;
		return ng_choice("--malformed", value, malformed_words, &r->malformed, err);
	case OPT_ENGINE:
		r->set_engine = true;
		return ng_choice("--engine", value, engine_words, &r->engine, err);
	case OPT_COUNTERS:
		r->set_counters = true;
		return ng_choice("--acl-counters", value, counters_words, &r->counters, err);
	case OPT_HOOK:
		r->hooks_given = true;
		rc = ng_choice("--hook", value, ng_hook_words, &hook, err);
		r->hook[hook] |= !rc;
		return rc;
	case OPT_FORCE:
		r->force = true;
		return 0;
	default:
		r->dry_run = true;
		return 0;
	}
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
	if (!r->devices)
		return ng_usage(err, &ng_verb_attach, "no device given");
	if (!r->hooks_given)
		r->hook[NG_HOOK_XDP] = r->hook[NG_HOOK_TC_OUT] = true;
	if (r->hook[NG_HOOK_XDP] && r->hook[NG_HOOK_TC_IN])
		return ng_usage(err, &ng_verb_attach,
				"xdp and tc-in would decide the same packets twice");
	if (r->xdp_words && !r->hook[NG_HOOK_XDP])
		return ng_usage(err, &ng_verb_attach, "--mode and --frags belong to --hook xdp");
	ng_acl_size_default(&r->acl);
	r->acl.engine = r->engine;
	if (r->set_counters && !r->counters)
		r->acl.stripes = 0;
	return 0;
}

/* The gate in force; NULL: none, or one that attach makes a whole one again, or for the first time. */
static int open_existing(const struct ng_pins *pins, struct item *it, struct ng_error *err)
{
	struct ng_error why;
	struct ng_gate *gate;
	int rc = ng_gate_open_any(pins, &it->link, it->hook, &gate, &why);

	if (rc == -ENOENT)
		return 0;
	if (rc) {
		*err = why;
		return rc;
	}
	it->was_temporary = gate->maps.control->temporary;
	it->was_there = !gate->prog_id;
	if (it->was_temporary || it->was_there)
		ng_gate_close(gate);
	else
		it->gate = gate;
	return 0;
}

static int check_other_hook(const struct ng_pins *pins, const struct item *it, struct ng_error *err)
{
	enum ng_hook other = it->hook == NG_HOOK_XDP ? NG_HOOK_TC_IN : NG_HOOK_XDP;
	struct ng_gate *gate;
	bool temporary;

	if (it->hook == NG_HOOK_TC_OUT || ng_gate_open(pins, &it->link, other, &gate, NULL))
		return 0;
	temporary = gate->maps.control->temporary;
	ng_gate_close(gate);
	if (temporary)
		return 0;
	ng_err(err, NG_EXIT_FAILED, 0, it->link.name, "%s: not while %s is attached",
	       ng_hook_name[it->hook], ng_hook_name[other]);
	ng_err_why(err, "both would decide the same incoming packets");
	ng_err_try(err, "nicgate detach %s --hook %s    (its ACL entries are lost)", it->link.name,
		   ng_hook_name[other]);
	return -EBUSY;
}

static int mode_in_force(const struct item *it, const char *is, const char *option,
			 const char *asked, struct ng_error *err)
{
	ng_err(err, NG_EXIT_FAILED, 0, it->link.name, "xdp: attached %s, not %s", is, asked);
	ng_err_why(err, "this cannot be changed without a gap in which packets pass unseen");
	ng_err_try(err, "nicgate detach %s --hook xdp    (its ACL entries are lost)",
		   it->link.name);
	ng_err_try(err, "nicgate attach %s --hook xdp --%s %s", it->link.name, option, asked);
	return -EBUSY;
}

static int check_mode(const struct request *r, const struct item *it, struct ng_error *err)
{
	bool native = it->gate->mode == NG_MODE_NATIVE;
	bool frags = it->gate->maps.control->frags;

	if (r->mode != NG_WISH_AUTO && native != (r->mode == NG_WISH_NATIVE))
		return mode_in_force(it, native ? "native" : "generic", "mode", mode_words[r->mode],
				     err);
	if (r->frags != NG_FRAGS_AUTO && frags != (r->frags == NG_FRAGS_ON))
		return mode_in_force(it, frags ? "with frags on" : "with frags off", "frags",
				     frags_words[r->frags], err);
	return 0;
}

static int check_item(const struct request *r, const struct ng_pins *pins, struct item *it,
		      struct ng_error *err)
{
	int rc;

	if (it->link.arptype != ARPHRD_ETHER && it->link.arptype != ARPHRD_LOOPBACK) {
		ng_err(err, NG_EXIT_UNSUPPORTED, 0, it->link.name, "not an Ethernet interface");
		ng_err_why(err, "its frames have no Ethernet header (link type %u)",
			   it->link.arptype);
		return -EOPNOTSUPP;
	}
	rc = open_existing(pins, it, err);
	if (!rc)
		rc = check_other_hook(pins, it, err);
	if (!rc && it->hook == NG_HOOK_XDP)
		rc = it->gate ? check_mode(r, it, err) : ng_foreign_xdp_check(&it->link, err);
	return rc;
}

static bool is_planned(const struct plan *p, unsigned int ifindex)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->item[i].link.ifindex == ifindex)
			return true;
	return false;
}

/* Every device and hook looked at before anything is changed. */
static int make_plan(const struct request *r, const struct ng_pins *pins, struct plan *p,
		     struct ng_error *err)
{
	struct ng_link link;

	p->item = calloc(r->devices * NG_HOOK_MAX, sizeof(*p->item));
	if (!p->item)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "out of memory");
	for (size_t i = 0; i < r->devices; i++) {
		int rc = ng_link_get(r->device[i], &link, err);

		if (rc)
			return rc;
		if (is_planned(p, link.ifindex))
			continue;
		for (int hook = 0; !rc && hook < NG_HOOK_MAX; hook++) {
			if (!r->hook[hook])
				continue;
			p->item[p->n] = (struct item){ .link = link, .hook = hook };
			rc = check_item(r, pins, &p->item[p->n++], err);
		}
		if (rc)
			return rc;
	}
	return 0;
}

/* The options that ask for the same gates, to be pasted. */
static void gates_in_words(const struct request *r, char *text, size_t size)
{
	const struct {
		bool given;
		const char *option, *value;
	} word[] = {
		{ r->hooks_given && r->hook[NG_HOOK_XDP], "hook", "xdp" },
		{ r->hooks_given && r->hook[NG_HOOK_TC_IN], "hook", "tc-in" },
		{ r->hooks_given && r->hook[NG_HOOK_TC_OUT], "hook", "tc-out" },
		{ r->mode != NG_WISH_AUTO, "mode", mode_words[r->mode] },
		{ r->frags != NG_FRAGS_AUTO, "frags", frags_words[r->frags] },
		{ r->set_malformed, "malformed", malformed_words[r->malformed] },
		{ r->set_engine, "engine", engine_words[r->engine] },
		{ r->set_counters, "acl-counters", counters_words[r->counters] },
	};

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		size_t len = strlen(text);

		if (word[i].given)
			snprintf(text + len, size - len, " --%s %s", word[i].option, word[i].value);
	}
}

static int check_session(const struct request *r, const struct ng_pins *pins, const struct plan *p,
			 struct ng_error *err)
{
	struct ng_attach_guard guard;
	char words[160];
	int rc = 0;

	if (r->force || !ng_attach_guard_begin(&guard))
		return 0;
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = ng_attach_guard_look(&guard, pins, &p->item[i].link, p->item[i].hook,
					  r->set_default ? (int)r->default_verdict : -1, err);
	if (rc)
		return rc;
	gates_in_words(r, words, sizeof(words));
	return ng_attach_guard_end(&guard, words, err);
}

static struct ng_gate_spec spec_of(const struct request *r, const struct item *it)
{
	return (struct ng_gate_spec){
		.hook = it->hook,
		.mode = r->mode,
		.frags = r->frags,
		.default_verdict = r->default_verdict,
		.malformed = r->malformed,
		.acl = &r->acl,
		.pin = true,
	};
}

static int verify_item(const struct request *r, struct item *it, struct ng_error *err)
{
	struct ng_gate_spec spec = spec_of(r, it);
	struct ng_gate *gate;
	int rc;

	if (it->gate) {
		it->result = UNCHANGED;
		return 0;
	}
	it->result = VERIFIED;
	rc = ng_gate_load(it->hook, NULL, &spec, &gate, err);
	if (!rc)
		ng_gate_close(gate);
	return rc;
}

/* Another engine, or none of the counters: the same clauses in a new generation. */
static int change_tables(const struct request *r, struct item *it, struct ng_error *err)
{
	const struct ng_acl_head *h = it->gate->maps.acl.head;
	enum ng_acl_engine engine = r->set_engine ? r->engine : h->engine;
	bool counted = r->set_counters ? r->counters : h->stripes;

	if (engine == h->engine && counted == !!h->stripes)
		return 0;
	it->result = CHANGED;
	return ng_gate_acl_remake(it->gate, engine, counted, err);
}

static int attach_item(const struct request *r, const struct ng_pins *pins, struct item *it,
		       struct ng_error *err)
{
	struct ng_gate_spec spec = spec_of(r, it);

	it->result = UNCHANGED;
	if (it->gate)
		return change_tables(r, it, err);
	it->result = ATTACHED;
	return ng_gate_attach(pins, &it->link, &spec, &it->gate, err);
}

/* Map writes, which cannot fail: so they come when all gates are there. */
static void change_settings(const struct request *r, struct item *it)
{
	struct ng_control *c = it->gate->maps.control;
	__u32 verdict = r->set_default ? r->default_verdict : c->default_verdict;
	__u32 malformed = r->set_malformed ? r->malformed : c->malformed;

	if (it->result == UNCHANGED && (verdict != c->default_verdict || malformed != c->malformed))
		it->result = CHANGED;
	c->default_verdict = verdict;
	c->malformed = malformed;
}

/* What had been taken off stays attached: that was asked for, and shuts what was open. */
static void undo(const struct ng_pins *pins, struct plan *p, size_t done)
{
	while (done--) {
		struct item *it = &p->item[done];

		if (it->result != ATTACHED || it->was_there)
			continue;
		if (it->was_temporary) {
			ng_gate_give_back(it->gate, NULL);
			continue;
		}
		ng_gate_detach(pins, it->gate, NULL);
		it->gate = NULL;
	}
}

static int carry_out(const struct request *r, const struct ng_pins *pins, struct plan *p,
		     struct ng_error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		int rc = r->dry_run ? verify_item(r, &p->item[i], err)
				    : attach_item(r, pins, &p->item[i], err);

		if (rc) {
			undo(pins, p, i);
			return rc;
		}
	}
	for (size_t i = 0; !r->dry_run && i < p->n; i++)
		change_settings(r, &p->item[i]);
	return 0;
}

static void show_item(struct ng_out *out, const struct item *it)
{
	const struct ng_control *c = it->gate ? it->gate->maps.control : NULL;

	ng_table_str(out, it->link.name);
	ng_table_str(out, ng_hook_name[it->hook]);
	ng_table_str(out, result_name[it->result]);
	ng_table_str(out, it->gate ? ng_mode_name[it->gate->mode] : NULL);
	ng_table_str(out, c && it->hook == NG_HOOK_XDP ? (c->frags ? "on" : "off") : NULL);
	ng_table_str(out, c ? ng_verdict_name[c->default_verdict] : NULL);
	ng_table_str(out, c ? malformed_words[c->malformed] : NULL);
}

static int show(const struct ng_global *g, const struct plan *p, struct ng_error *err)
{
	static const struct ng_column columns[] = {
		{ "device", "DEVICE", NG_LEFT },       { "hook", "HOOK", NG_LEFT },
		{ "result", "RESULT", NG_LEFT },       { "mode", "MODE", NG_LEFT },
		{ "frags", "FRAGS", NG_LEFT },	       { "default", "DEFAULT", NG_LEFT },
		{ "malformed", "MALFORMED", NG_LEFT },
	};
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	int rc;

	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "out of memory");
	ng_out_begin(out);
	ng_table_begin(out, "gates", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < p->n; i++)
		show_item(out, &p->item[i]);
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
	int rc = parse(&r, argc, argv, err);

	if (!rc)
		rc = ng_gate_begin(&pins, g->bpffs, !r.dry_run, err);
	if (rc)
		return rc;
	rc = make_plan(&r, &pins, &p, err);
	if (!rc)
		rc = check_session(&r, &pins, &p, err);
	if (!rc)
		rc = carry_out(&r, &pins, &p, err);
	ng_pins_unlock(&pins);
	if (!rc)
		rc = show(g, &p, err);
	for (size_t i = 0; i < p.n; i++)
		ng_gate_close(p.item[i].gate);
	free(p.item);
	ng_pins_close(&pins);
	return rc;
}

const struct ng_verb ng_verb_attach = {
	.name = "attach",
	.run = run,
	.summary = "put gates on interfaces",
	.usage =
		"attach DEV... [--hook xdp|tc-in|tc-out]... [--mode auto|native|generic] "
		"[--frags auto|on|off] [--default pass|drop] [--malformed auto|pass|drop] "
		"[--engine trie|lpm] [--acl-counters on|off] [--dry-run] [--force]\n"
		"\n"
		"    Without --hook: xdp for what comes in, tc-out for what goes out.\n"
		"    --mode auto: native, else generic with a warning that says why.\n"
		"    --default drop: at each hook given, so without --hook also for what goes out; ARP,\n"
		"    neighbour discovery and DHCP still pass. Refused where it would cut off your own SSH\n"
		"    session; --force: all the same.\n"
		"    --engine: nicgate's own tries, or the kernel's LPM maps (slower, and readable by\n"
		"    bpftool). --acl-counters off: entries are not counted, large tables get faster.\n"
		"    --default, --malformed, --engine, --acl-counters on an attached interface: changed\n"
		"    at once, while packets flow.\n"
		"    Already attached: \"unchanged\". Several devices: all or none.\n",
};
