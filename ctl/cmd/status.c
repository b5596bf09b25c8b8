// SPDX-License-Identifier: GPL-2.0-only
/* nicgate status: every XDP and tc program on the interfaces,
 * ours with what it does, and the taps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/base/opts.h"
#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/gate.h"
#include "ctl/dataplane/programs.h"
#include "maps/counters.h"
#include "maps/tap.h"

static const struct ng_opt options[] = {
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

static const char *const malformed_name[] = {
	[NG_MALFORMED_AUTO] = "auto",
	[NG_MALFORMED_PASS] = "pass",
	[NG_MALFORMED_DROP] = "drop",
};

static const struct ng_column program_columns[] = {
	{ "device", "DEVICE", NG_LEFT },
	{ "ifindex", NULL, NG_LEFT },
	{ "hook", "HOOK", NG_LEFT },
	{ "mode", "MODE", NG_LEFT },
	{ "state", "STATE", NG_LEFT },
	{ "program", "PROGRAM", NG_LEFT },
	{ "id", "ID", NG_RIGHT },
	{ "link_id", NULL, NG_RIGHT },
	{ "prio", NULL, NG_RIGHT },
	{ "default", "DEFAULT", NG_LEFT },
	{ "malformed", NULL, NG_LEFT },
	{ "frags", NULL, NG_LEFT },
	{ "acl_entries", "ENTRIES", NG_RIGHT },
	{ "pass_packets", "PASSED", NG_RIGHT },
	{ "pass_bytes", NULL, NG_RIGHT },
	{ "drop_packets", "DROPPED", NG_RIGHT },
	{ "drop_bytes", NULL, NG_RIGHT },
	{ "owner", "OWNER", NG_LEFT },
};

static const struct ng_column tap_columns[] = {
	{ "device", "DEVICE", NG_LEFT },
	{ "hook", "HOOK", NG_LEFT },
	{ "slot", "TAP", NG_RIGHT },
	{ "owner_pid", "PID", NG_RIGHT },
	{ "state", "STATE", NG_LEFT },
	{ "matched", "MATCHED", NG_RIGHT },
	{ "captured", "CAPTURED", NG_RIGHT },
	{ "ring_full", "LOST", NG_RIGHT },
	{ "expression", "EXPRESSION", NG_LEFT },
};

#define COLUMNS(t) (t), sizeof(t) / sizeof((t)[0])

/* Column groups of a program's row that stay empty together. */
#define PROGRAM_CELLS  4 /* program .. prio */
#define SETTINGS_CELLS 8 /* default .. drop_bytes; then the owner */

struct status {
	const struct ng_pins *pins;
	struct ng_out *out;
	struct ng_error *err;
	size_t rows, taps;
	int jiffies_fd;
};

#define LOOKS_MAX 20 /* a swap takes longer than a look */

/* The gates of one link by hook; NULL where there is none. */
struct gates {
	struct ng_gate *gate[NG_HOOK_MAX];
	const char *unreadable[NG_HOOK_MAX]; /* pinned, but in this state */
};

static void open_gates(const struct status *s, const struct ng_link *link, struct gates *g)
{
	*g = (struct gates){ 0 };
	for (int hook = 0; hook < NG_HOOK_MAX; hook++) {
		int rc = ng_gate_open_any(s->pins, link, hook, &g->gate[hook], NULL);

		g->unreadable[hook] = rc == -EPROTO    ? "other version"
				      : rc == -EUCLEAN ? "pins missing"
						       : NULL;
	}
}

static void close_gates(struct gates *g)
{
	for (int hook = 0; hook < NG_HOOK_MAX; hook++)
		ng_gate_close(g->gate[hook]);
}

static void cell_id(struct ng_out *out, __u32 id)
{
	if (id)
		ng_table_u64(out, id);
	else
		ng_table_str(out, NULL);
}

static void cells_empty(struct ng_out *out, int n)
{
	while (n--)
		ng_table_str(out, NULL);
}

static struct ng_counter total(const struct ng_counter *sum, int verdict)
{
	struct ng_counter t = { 0 };

	for (int reason = 0; reason < NG_REASON_MAX; reason++) {
		t.packets += sum[NG_COUNTER_INDEX(verdict, reason)].packets;
		t.bytes += sum[NG_COUNTER_INDEX(verdict, reason)].bytes;
	}
	return t;
}

/* The columns from "default" on. */
static void cells_of_gate(struct ng_out *out, const struct ng_gate *gate)
{
	const struct ng_control *c = gate->maps.control;
	struct ng_counter sum[NG_COUNTERS] = { 0 };

	if (c->temporary) {
		cells_empty(out, SETTINGS_CELLS);
		ng_table_str(out, "nicgate");
		return;
	}
	ng_table_str(out, c->default_verdict < NG_VERDICT_MAX ? ng_verdict_name[c->default_verdict]
							      : NULL);
	ng_table_str(out, c->malformed <= NG_MALFORMED_DROP ? malformed_name[c->malformed] : NULL);
	ng_table_str(out, gate->hook != NG_HOOK_XDP ? NULL : c->frags ? "on" : "off");
	ng_table_u64(out, gate->maps.acl.head ? gate->maps.acl.head->clause.used : 0);
	ng_counters_read(&gate->maps, sum);
	for (int verdict = NG_PASS; verdict <= NG_DROP; verdict++) {
		struct ng_counter t = total(sum, verdict);

		ng_table_u64(out, t.packets);
		ng_table_u64(out, t.bytes);
	}
	ng_table_str(out, "nicgate");
}

static void head_cells(struct status *s, const struct ng_link *link, enum ng_hook hook,
		       const char *mode, const char *state)
{
	s->rows++;
	ng_table_str(s->out, link->name);
	ng_table_u64(s->out, link->ifindex);
	ng_table_str(s->out, ng_hook_name[hook]);
	ng_table_str(s->out, mode);
	ng_table_str(s->out, state);
}

/*
 * State of a program that belongs to no gate we have open. By its name, and by the link that ip and
 * tc never make, it is ours; a capture's temporary gate has no pins, and pins in another place are
 * those of an interface that moved.
 */
static const char *state_of_other(const struct ng_program *p, const struct gates *gates)
{
	if (!ng_prog_has_our_name(&p->prog))
		return "foreign";
	if (strncmp(p->prog.owner, "pinned", strlen("pinned")))
		return "temporary";
	return gates->unreadable[p->hook] ? gates->unreadable[p->hook] : "moved";
}

static void show_program(struct status *s, const struct ng_link *link, const struct ng_program *p,
			 const struct gates *gates)
{
	const struct ng_gate *gate = gates->gate[p->hook];
	bool ours = gate && gate->prog_id == p->prog.id && strcmp(p->mode, "component");
	const char *state = state_of_other(p, gates);

	if (ours)
		state = gate->maps.control->temporary ? "temporary" : "attached";
	head_cells(s, link, p->hook, p->mode, state);
	ng_table_str(s->out, p->kind[0] ? p->kind : p->prog.name);
	cell_id(s->out, p->prog.id);
	cell_id(s->out, p->prog.link_id);
	cell_id(s->out, p->prio);
	if (ours) {
		cells_of_gate(s->out, gate);
		return;
	}
	cells_empty(s->out, SETTINGS_CELLS);
	ng_table_str(s->out, p->prog.owner[0] ? p->prog.owner : NULL);
}

/* Gates whose program is not on its hook, and those that we cannot read. */
static void show_rest(struct status *s, const struct ng_link *link, const struct gates *gates)
{
	for (int hook = 0; hook < NG_HOOK_MAX; hook++) {
		const struct ng_gate *gate = gates->gate[hook];

		if ((!gate || gate->prog_id) && !gates->unreadable[hook])
			continue;
		head_cells(s, link, hook, gate ? ng_mode_name[gate->mode] : NULL,
			   gate ? "taken off" : gates->unreadable[hook]);
		cells_empty(s->out, PROGRAM_CELLS);
		if (gate) {
			cells_of_gate(s->out, gate);
			continue;
		}
		cells_empty(s->out, SETTINGS_CELLS);
		ng_table_str(s->out, "nicgate");
	}
}

/* Whether the programs of all gates are among those listed. */
static bool agree(const struct ng_program *list, size_t n, const struct gates *gates)
{
	for (int hook = 0; hook < NG_HOOK_MAX; hook++) {
		const struct ng_gate *gate = gates->gate[hook];
		size_t i = 0;

		if (!gate || !gate->prog_id)
			continue;
		while (i < n && list[i].prog.id != gate->prog_id)
			i++;
		if (i == n)
			return false;
	}
	return true;
}

/* The programs on an interface and its gates. Both change by a swap of the ACL or the taps, and no
 * lock is held: taken again until they agree. */
static int look(struct status *s, const struct ng_link *link, struct ng_program **list, size_t *n,
		struct gates *gates)
{
	for (int i = 0;; i++) {
		int rc = ng_programs_list(link, list, n, s->err);

		if (rc)
			return rc;
		open_gates(s, link, gates);
		if (i == LOOKS_MAX || agree(*list, *n, gates))
			return 0;
		close_gates(gates);
		free(*list);
		*list = NULL;
		*n = 0;
	}
}

static int show_link(const struct ng_link *link, void *arg)
{
	struct status *s = arg;
	struct ng_program *list = NULL;
	struct gates gates;
	size_t n = 0;
	int rc = look(s, link, &list, &n, &gates);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		show_program(s, link, &list[i], &gates);
	show_rest(s, link, &gates);
	close_gates(&gates);
	free(list);
	return 0;
}

/* Pins of an interface that is not here any more; whoever takes the lock next removes them. */
static int show_orphan(__u32 ifindex, enum ng_hook hook, void *arg)
{
	struct ng_link link = { .ifindex = ifindex };
	struct status *s = arg;

	if (if_indextoname(ifindex, link.name))
		return 0;
	snprintf(link.name, sizeof(link.name), "if%u", ifindex);
	head_cells(s, &link, hook, NULL, "no interface");
	cells_empty(s->out, PROGRAM_CELLS + SETTINGS_CELLS);
	ng_table_str(s->out, "nicgate");
	return 0;
}

static void show_tap(struct status *s, const struct ng_gate *gate, __u32 slot,
		     struct ng_tap_conf *conf)
{
	struct ng_tap_stats stats = { 0 };
	const char *state = "no program";
	__u64 now;

	if (ng_tap_read(&gate->maps, slot, conf))
		return;
	if (!s->taps++)
		ng_out_text(s->out, "\n");
	ng_tap_stats_read(&gate->maps, slot, &stats);
	if (gate->prog_id && gate->maps.control->taps & 1u << slot)
		state = ng_jiffies(&s->jiffies_fd, &now) ||
					!ng_tap_is_dead(&gate->maps, slot, conf, now)
				? "running"
				: "dead";
	ng_table_str(s->out, gate->link.name);
	ng_table_str(s->out, ng_hook_name[gate->hook]);
	ng_table_u64(s->out, slot);
	ng_table_u64(s->out, conf->owner_pid);
	ng_table_str(s->out, state);
	ng_table_u64(s->out, stats.matched);
	ng_table_u64(s->out, stats.captured);
	ng_table_u64(s->out, stats.ring_full);
	conf->expression[sizeof(conf->expression) - 1] = '\0';
	ng_table_str(s->out, conf->expression);
}

static int show_taps(const struct ng_link *link, void *arg)
{
	struct ng_tap_conf *conf = malloc(sizeof(*conf));
	struct status *s = arg;
	struct gates gates;

	if (!conf)
		return ng_err(s->err, NG_EXIT_FAILED, ENOMEM, link->name, "out of memory");
	open_gates(s, link, &gates);
	for (int hook = 0; hook < NG_HOOK_MAX; hook++)
		for (__u32 slot = 0; gates.gate[hook] && slot < NG_TAPS_MAX; slot++)
			show_tap(s, gates.gate[hook], slot, conf);
	close_gates(&gates);
	free(conf);
	return 0;
}

/* link NULL: all of them. */
static int each_link(const struct ng_link *link, int (*fn)(const struct ng_link *link, void *arg),
		     struct status *s)
{
	return link ? fn(link, s) : ng_link_each(fn, s, s->err);
}

static int show(struct status *s, const struct ng_link *link)
{
	int rc;

	ng_out_begin(s->out);
	ng_table_begin(s->out, "programs", COLUMNS(program_columns));
	rc = each_link(link, show_link, s);
	if (!rc && !link)
		rc = ng_pins_each(s->pins, show_orphan, s);
	if (rc)
		return rc;
	ng_table_end(s->out);
	if (!s->rows)
		ng_out_text(s->out, "no XDP or tc program on %s\n",
			    link ? link->name : "any interface");
	ng_table_begin(s->out, "taps", COLUMNS(tap_columns));
	rc = each_link(link, show_taps, s);
	if (rc)
		return rc;
	ng_table_end(s->out);
	return ng_out_end(s->out, s->err);
}

/* *name: the device, NULL for all. */
static int parse(int argc, char **argv, const char **name, struct ng_error *err)
{
	struct ng_opts o = { .table = options, .argc = argc, .argv = argv, .next = 1 };
	const char *value;
	int id = ng_opts_next(&o, &value, err);

	if (id < 0)
		return id;
	if (argc - o.next > 1)
		return ng_usage(err, &ng_verb_status, "one device or none, not %d", argc - o.next);
	*name = argc > o.next ? argv[o.next] : NULL;
	return 0;
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	struct status s = { .err = err, .jiffies_fd = -1 };
	const char *name = NULL;
	struct ng_pins pins;
	struct ng_link link;
	int rc = parse(argc, argv, &name, err);

	if (!rc)
		rc = ng_gate_begin(&pins, g->bpffs, false, err);
	if (rc)
		return rc;
	s.pins = &pins;
	s.out = ng_out_new(g->json, g->pretty);
	if (!s.out)
		rc = ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "out of memory");
	if (!rc && name)
		rc = ng_link_get(name, &link, err);
	if (!rc)
		rc = show(&s, name ? &link : NULL);
	ng_out_free(s.out);
	if (s.jiffies_fd >= 0)
		close(s.jiffies_fd);
	ng_pins_close(&pins);
	return rc;
}

const struct ng_verb ng_verb_status = {
	.name = "status",
	.run = run,
	.summary = "show what is attached",
	.usage =
		"status [DEV]\n"
		"\n"
		"    Every XDP and tc program on the interfaces, ours and foreign with its owner, as "
		"the kernel reports it;\n"
		"    for ours: default, ACL entries, packets passed and dropped, and the taps of "
		"captures.\n"
		"    STATE: attached, temporary (of a capture), foreign, taken off (its program was "
		"removed by somebody else),\n"
		"    other version (made by a nicgate with another map layout), pins missing (somebody "
		"removed some),\n"
		"    no interface (it was deleted, or moved to another namespace), moved (from there: pinned "
		"for the other one).\n",
};
