// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl: what its subcommands share: the gates they work on, errors of words, output. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cmd/acl.h"
#include "maps/counters.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int ng_acl_call_bad_word(const struct ng_acl_call *c, int first, const struct ng_bad_word *bad,
			 struct ng_error *err)
{
	char line[sizeof(err->source)] = "";
	size_t used = 0, column = 0;

	for (int i = 0; i < c->argc && used < sizeof(line); i++) {
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", i ? " " : "",
					 c->argv[i]);
		if (i < first + bad->word)
			column = used + 1;
	}
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", bad->what);
	ng_err_at(err, "command line", 1, (unsigned int)(column + bad->at + 1), line, strlen(line));
	if (bad->hint[0])
		ng_err_try(err, "%s", bad->hint);
	return -EINVAL;
}

void ng_acl_warn_masked(const struct ng_acl_words *words)
{
	char text[NG_PREFIX_TEXT];

	if (!words->masked)
		return;
	ng_prefix_format(&words->key.prefix, text);
	ng_warn("the prefix has host bits set; it is read as %s", text);
}

/* Whether there is a gate that is more than a capture's. */
static bool gate_is_there(const struct ng_acl_call *c, enum ng_hook hook)
{
	struct ng_maps m;
	__u32 abi;
	bool there = true;
	int rc = ng_pins_open_maps(&c->pins, c->link.ifindex, hook, &m, &abi);

	if (!rc) {
		there = !m.control->temporary;
		ng_maps_close(&m);
	}
	return there && rc != -ENOENT;
}

static int not_attached(const struct ng_acl_call *c, enum ng_dir dir, struct ng_error *err)
{
	ng_err(err, NG_EXIT_NOT_FOUND, 0, c->link.name, "not attached for %s packets",
	       dir == NG_IN ? "incoming" : "outgoing");
	ng_err_try(err, "nicgate attach %s%s", c->link.name, dir == NG_IN ? "" : " --hook tc-out");
	return -ENOENT;
}

int ng_acl_call_open(struct ng_acl_call *c, enum ng_dir dir, struct ng_error *err)
{
	static const enum ng_hook hooks[NG_DIR_MAX][2] = {
		[NG_IN] = { NG_HOOK_XDP, NG_HOOK_TC_IN },
		[NG_OUT] = { NG_HOOK_TC_OUT, NG_HOOK_TC_OUT },
	};
	struct ng_gate *gate;
	int rc, at = 0;

	if (!gate_is_there(c, hooks[dir][0]))
		at = 1;
	if (at && !gate_is_there(c, hooks[dir][1]))
		return not_attached(c, dir, err);
	rc = ng_gate_open(&c->pins, &c->link, hooks[dir][at], &gate, err);
	if (rc)
		return rc;
	c->gate[dir] = gate;
	if (!gate->maps.control->acl_dirty)
		return 0;
	ng_note("%s: finishing the change of a command that died", c->link.name);
	rc = ng_acl_recover(&gate->maps);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
			   "putting the ACL in order failed")
		  : 0;
}

int ng_acl_call_open_each(struct ng_acl_call *c, bool in, bool out, struct ng_error *err)
{
	int rc = in ? ng_acl_call_open(c, NG_IN, err) : 0;

	if (rc && !(rc == -ENOENT && out))
		return rc;
	if (out)
		rc = ng_acl_call_open(c, NG_OUT, err);
	if (rc == -ENOENT && c->gate[NG_IN])
		rc = 0;
	else if (rc == -ENOENT && in)
		rc = not_attached(c, NG_IN, err);
	return rc;
}

int ng_acl_call_begin(struct ng_acl_call *c, struct ng_error *err)
{
	int rc = ng_link_get(c->argv[2], &c->link, err);

	if (!rc)
		rc = ng_gate_begin(&c->pins, c->global->bpffs, true, err);
	c->begun = !rc;
	return rc;
}

void ng_acl_call_end(struct ng_acl_call *c)
{
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		ng_gate_close(c->gate[dir]);
	if (c->begun)
		ng_pins_close(&c->pins);
}

int ng_acl_call_failed(const struct ng_acl_call *c, const struct ng_gate *gate, int rc,
		       struct ng_error *err)
{
	if (rc == -ENOSPC) {
		ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
		       "the ACL is full; nothing was changed");
		ng_err_why(err, "there is room for %zu prefixes and %u clauses",
			   ng_acl_capacity(&gate->maps), gate->maps.acl_entries - 1);
	} else if (rc == -E2BIG) {
		ng_err(err, NG_EXIT_FAILED, 0, c->link.name,
		       "too many clauses; nothing was changed");
		ng_err_why(err, "a prefix can have %d clauses", NG_ACL_CLAUSES_MAX);
	} else {
		ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "changing the ACL failed");
		ng_err_why(err, "the next nicgate acl command puts the tables in order");
	}
	return rc;
}

static const struct ng_column columns[] = {
	{ "direction", "DIR", NG_LEFT }, { "side", "SIDE", NG_LEFT },
	{ "prefix", "PREFIX", NG_LEFT }, { "proto", "PROTO", NG_LEFT },
	{ "port", "PORT", NG_LEFT },	 { "verdict", "VERDICT", NG_LEFT },
	{ "packets", NULL, NG_RIGHT },	 { "bytes", NULL, NG_RIGHT },
};
static const struct ng_column counted_columns[] = {
	{ "direction", "DIR", NG_LEFT },    { "side", "SIDE", NG_LEFT },
	{ "prefix", "PREFIX", NG_LEFT },    { "proto", "PROTO", NG_LEFT },
	{ "port", "PORT", NG_LEFT },	    { "verdict", "VERDICT", NG_LEFT },
	{ "packets", "PACKETS", NG_RIGHT }, { "bytes", "BYTES", NG_RIGHT },
};
_Static_assert(COUNT(columns) == COUNT(counted_columns), "they differ in what text shows");

void ng_acl_table_begin(struct ng_out *out, bool counted)
{
	ng_table_begin(out, "entries", counted ? counted_columns : columns, COUNT(columns));
}

void ng_acl_table_row(struct ng_out *out, enum ng_dir dir, const struct ng_acl_entry *e)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&e->key.prefix, prefix);
	ng_proto_format(&e->key, proto);
	ng_port_format(&e->key, port);
	ng_table_str(out, ng_dir_name[dir]);
	ng_table_str(out, ng_side_name[e->key.side]);
	ng_table_str(out, prefix);
	ng_table_str(out, proto);
	ng_table_str(out, port);
	ng_table_str(out, ng_verdict_name[e->verdict]);
	ng_table_u64(out, e->packets);
	ng_table_u64(out, e->bytes);
}

struct ng_out *ng_acl_out_begin(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_out *out = ng_out_new(c->global->json, c->global->pretty);

	if (!out) {
		ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "no result");
		return NULL;
	}
	ng_pins_unlock(&c->pins);
	ng_out_begin(out);
	ng_out_str(out, "device", NULL, c->link.name);
	return out;
}

int ng_acl_out_end(struct ng_out *out, struct ng_error *err)
{
	int rc = ng_out_end(out, err);

	ng_out_free(out);
	return rc;
}
