// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl: what its subcommands share: the gates they work on, errors of words, output. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cmd/acl.h"
#include "ctl/base/duration.h"
#include "maps/counters.h"
#include "maps/jiffies.h"

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

/* The hook that decides in this direction; false: there is none. */
static bool find_hook(const struct ng_acl_call *c, enum ng_dir dir, enum ng_hook *hook)
{
	static const enum ng_hook hooks[NG_DIR_MAX][2] = {
		[NG_IN] = { NG_HOOK_XDP, NG_HOOK_TC_IN },
		[NG_OUT] = { NG_HOOK_TC_OUT, NG_HOOK_TC_OUT },
	};

	for (int i = 0; i < 2; i++) {
		*hook = hooks[dir][i];
		if (gate_is_there(c, *hook))
			return true;
	}
	return false;
}

int ng_acl_call_open(struct ng_acl_call *c, enum ng_dir dir, struct ng_error *err)
{
	struct ng_gate *gate;
	enum ng_hook hook;
	int rc;

	if (!find_hook(c, dir, &hook))
		return not_attached(c, dir, err);
	rc = ng_gate_open(&c->pins, &c->link, hook, &gate, err);
	if (rc)
		return rc;
	c->gate[dir] = gate;
	return ng_gate_acl_mend(gate, err);
}

int ng_acl_call_open_each(struct ng_acl_call *c, bool in, bool out, struct ng_error *err)
{
	const bool asked[NG_DIR_MAX] = { [NG_IN] = in, [NG_OUT] = out };
	enum ng_hook hook;
	int rc = 0;

	if (in && out && !find_hook(c, NG_IN, &hook) && !find_hook(c, NG_OUT, &hook))
		return not_attached(c, NG_IN, err);
	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++)
		if (asked[dir] && (!(in && out) || find_hook(c, dir, &hook)))
			rc = ng_acl_call_open(c, dir, err);
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

static int put_in_force(struct ng_acl_call *c, struct ng_acl_tables *built, struct ng_error *err)
{
	int rc = 0, dir = 0;

	for (; dir < NG_DIR_MAX && !rc; dir++)
		rc = c->gate[dir] ? ng_gate_acl_swap(c->gate[dir], &built[dir], err) : 0;
	if (rc && dir > NG_OUT && c->gate[NG_IN])
		ng_err_why(err,
			   "incoming packets meet the new table already, outgoing ones the old");
	return rc;
}

int ng_acl_call_remake(struct ng_acl_call *c, struct ng_acl_items *items, bool keep,
		       struct ng_acl_change *done, struct ng_error *err)
{
	struct ng_acl_tables built[NG_DIR_MAX] = { NG_ACL_TABLES_INIT, NG_ACL_TABLES_INIT };
	int rc = 0;

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++)
		rc = c->gate[dir] ? ng_gate_acl_make(c->gate[dir], items->item[dir], items->n[dir],
						     keep, &built[dir], done, err)
				  : 0;
	if (!rc)
		rc = put_in_force(c, built, err);
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		ng_acl_tables_close(&built[dir]);
	return rc;
}

void ng_acl_call_end(struct ng_acl_call *c)
{
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		ng_gate_close(c->gate[dir]);
	if (c->begun)
		ng_pins_close(&c->pins);
}

static const struct ng_column columns[] = {
	{ "direction", "DIR", NG_LEFT },
	{ "side", "SIDE", NG_LEFT },
	{ "prefix", "PREFIX", NG_LEFT },
	{ "proto", "PROTO", NG_LEFT },
	{ "port", "PORT", NG_LEFT },
	{ "verdict", "VERDICT", NG_LEFT },
	{ "packets", "PACKETS", NG_RIGHT },
	{ "bytes", "BYTES", NG_RIGHT },
	{ NULL, "LAST", NG_RIGHT },
	{ "idle_seconds", NULL, NG_RIGHT },
	{ "timeout", NULL, NG_RIGHT },
	{ NULL, "EXPIRES", NG_RIGHT },
	{ "expires_seconds", NULL, NG_RIGHT },
	{ "comment", "COMMENT", NG_LEFT },
};
_Static_assert(COUNT(columns) == NG_ACL_COLUMNS, "room for them");

/* The columns of text that not every table shows. */
static const struct {
	const char *heading;
	unsigned int shown; /* enum ng_acl_show */
} optional[] = {
	{ "PACKETS", NG_ACL_SHOW_HITS },  { "BYTES", NG_ACL_SHOW_HITS },
	{ "LAST", NG_ACL_SHOW_HITS },	  { "EXPIRES", NG_ACL_SHOW_TIMES },
	{ "COMMENT", NG_ACL_SHOW_NOTES },
};

static void hide(struct ng_column *column, unsigned int show)
{
	for (size_t i = 0; i < COUNT(optional) && column->heading; i++)
		if (!strcmp(column->heading, optional[i].heading) && !(show & optional[i].shown))
			column->heading = NULL;
}

void ng_acl_table_begin(struct ng_acl_table *t, struct ng_out *out, unsigned int show)
{
	*t = (struct ng_acl_table){ .out = out };
	memcpy(t->column, columns, sizeof(columns));
	for (size_t i = 0; i < COUNT(columns); i++)
		hide(&t->column[i], show);
	if (ng_jiffies_once(&t->now))
		t->now = 0;
	ng_table_begin(out, "entries", t->column, COUNT(columns));
}

/* As words for text, and in seconds for JSON. */
static void time_cells(struct ng_out *out, bool known, __u64 ticks)
{
	__u64 seconds = ticks / ng_hz();
	char text[NG_DURATION_TEXT];

	if (!known) {
		ng_table_str(out, NULL);
		ng_table_str(out, NULL);
		return;
	}
	ng_duration_format((uint32_t)seconds, text);
	ng_table_str(out, text);
	ng_table_u64(out, seconds);
}

static void hit_cells(struct ng_acl_table *t, bool counted, const struct ng_acl_entry *e)
{
	if (counted) {
		ng_table_u64(t->out, e->packets);
		ng_table_u64(t->out, e->bytes);
	} else {
		ng_table_str(t->out, NULL);
		ng_table_str(t->out, NULL);
	}
	time_cells(t->out, e->last && t->now >= e->last, t->now - e->last);
}

static void life_cells(struct ng_acl_table *t, const struct ng_acl_entry *e)
{
	char text[NG_DURATION_TEXT];

	ng_duration_format(e->timeout, text);
	ng_table_str(t->out, e->timeout ? text : NULL);
	time_cells(t->out, e->deadline, e->deadline > t->now ? e->deadline - t->now : 0);
}

void ng_acl_table_row(struct ng_acl_table *t, enum ng_dir dir, struct ng_gate *gate,
		      const struct ng_acl_entry *e, const char *note)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];
	struct ng_out *out = t->out;

	ng_prefix_format(&e->key.prefix, prefix);
	ng_proto_format(&e->key, proto);
	ng_port_format(&e->key, port);
	ng_table_str(out, ng_dir_name[dir]);
	ng_table_str(out, ng_side_name[e->key.side]);
	ng_table_str(out, prefix);
	ng_table_str(out, proto);
	ng_table_str(out, port);
	ng_table_str(out, ng_verdict_name[e->verdict]);
	hit_cells(t, gate->maps.acl.head->stripes, e);
	life_cells(t, e);
	ng_table_str(out, *note ? note : NULL);
}

unsigned int ng_acl_shows(const struct ng_acl_entry *e, size_t n)
{
	unsigned int show = 0;

	for (size_t i = 0; i < n; i++)
		show |= (e[i].deadline ? NG_ACL_SHOW_TIMES : 0u) |
			(e[i].note ? NG_ACL_SHOW_NOTES : 0u);
	return show;
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
