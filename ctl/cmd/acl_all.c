// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl list, expire, flush and zero: all clauses of one direction or of both. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/base/duration.h"
#include "ctl/cmd/acl.h"
#include "maps/jiffies.h"

int ng_acl_call_open_all(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_bad_word bad = { 0 };
	bool in = c->argc == 3 || !strcmp(c->argv[3], ng_dir_name[NG_IN]);
	bool out = c->argc == 3 || !strcmp(c->argv[3], ng_dir_name[NG_OUT]);
	int rc;

	if (!in && !out) {
		snprintf(bad.what, sizeof(bad.what), "unknown word '%s'", c->argv[3]);
		snprintf(bad.hint, sizeof(bad.hint), "valid here: in, out");
		return ng_acl_call_bad_word(c, 3, &bad, err);
	}
	if (c->argc > 4) {
		snprintf(bad.what, sizeof(bad.what), "nothing more is expected here");
		return ng_acl_call_bad_word(c, 4, &bad, err);
	}
	rc = ng_acl_call_begin(c, err);
	return rc ? rc : ng_acl_call_open_each(c, in, out, err);
}

struct listing {
	struct ng_acl_entry *entry[NG_DIR_MAX];
	size_t n[NG_DIR_MAX];
	char *notes[NG_DIR_MAX]; /* of those that have one, one behind the other */
};

static int read_notes(struct ng_gate *gate, const struct ng_acl_entry *e, size_t n, char **notes)
{
	size_t noted = 1;
	char *at;

	for (size_t i = 0; i < n; i++)
		noted += e[i].note != 0;
	at = *notes = malloc(noted * (NG_ACL_NOTE_MAX + 1)); /* what is not touched is not there */
	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!e[i].note)
			continue;
		ng_acl_note(&gate->maps.acl, e[i].note, at);
		at += strlen(at) + 1;
	}
	return 0;
}

static int read_listing(const struct ng_acl_call *c, struct listing *l, struct ng_error *err)
{
	int rc = 0;

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		struct ng_gate *gate = c->gate[dir];

		if (!gate)
			continue;
		rc = ng_acl_list(&gate->maps.acl, &l->entry[dir], &l->n[dir]);
		if (!rc)
			rc = read_notes(gate, l->entry[dir], l->n[dir], &l->notes[dir]);
	}
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "reading the ACL failed") : 0;
}

static void show_direction(struct ng_acl_table *table, const struct ng_acl_call *c,
			   const struct listing *l, int dir, const struct ng_prefix *match)
{
	const char *note = l->notes[dir];

	for (size_t i = 0; i < l->n[dir]; i++) {
		const struct ng_acl_entry *e = &l->entry[dir][i];
		const struct ng_prefix *p = &e->key.prefix;

		if (!match || ng_prefix_covers(p, match) || ng_prefix_covers(match, p))
			ng_acl_table_row(table, dir, c->gate[dir], e, e->note ? note : "");
		if (e->note)
			note += strlen(note) + 1;
	}
}

static int show_listing(struct ng_acl_call *c, const struct listing *l,
			const struct ng_prefix *match, struct ng_error *err)
{
	unsigned int show = c->statistics ? NG_ACL_SHOW_HITS : 0;
	struct ng_out *out = ng_acl_out_begin(c, err);
	struct ng_acl_table table;

	if (!out)
		return -ENOMEM;
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		show |= ng_acl_shows(l->entry[dir], l->n[dir]);
	ng_acl_table_begin(&table, out, show);
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		show_direction(&table, c, l, dir, match);
	ng_table_end(out);
	return ng_acl_out_end(out, err);
}

int ng_acl_run_list(struct ng_acl_call *c, struct ng_error *err)
{
	struct listing l = { 0 };
	struct ng_bad_word bad;
	struct ng_prefix match;
	bool masked;
	int rc;

	if (c->match && ng_prefix_parse(c->match, strlen(c->match), &match, &masked, &bad)) {
		ng_err(err, NG_EXIT_USAGE, 0, c->match, "%s", bad.what);
		if (bad.hint[0])
			ng_err_try(err, "%s", bad.hint);
		return -EINVAL;
	}
	rc = ng_acl_call_open_all(c, err);
	if (!rc)
		rc = read_listing(c, &l, err);
	if (!rc)
		rc = show_listing(c, &l, c->match ? &match : NULL, err);
	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		free(l.entry[dir]);
		free(l.notes[dir]);
	}
	return rc;
}

static int uncounted(const struct ng_acl_call *c, struct ng_error *err)
{
	ng_err(err, NG_EXIT_FAILED, 0, c->link.name,
	       "nobody knows when an entry was hit: they are not counted");
	ng_err_try(err, "nicgate attach %s --acl-counters on", c->link.name);
	return -EINVAL;
}

/* Hit last so long ago, or never and added so long ago. */
static bool is_idle(const struct ng_acl_entry *e, __u64 now_jiffies, __u64 older_than, __u64 now)
{
	if (e->last)
		return e->last + older_than * ng_hz() <= now_jiffies;
	return e->added + older_than <= now;
}

static int expire_gate(struct ng_gate *gate, __u32 older_than, struct ng_acl_change *done,
		       struct ng_error *err)
{
	struct ng_acl_entry *list = NULL;
	__u64 now = 0;
	size_t n = 0;
	int rc = ng_jiffies_once(&now);

	if (!rc)
		rc = ng_acl_list(&gate->maps.acl, &list, &n);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "reading the ACL failed");
	for (size_t i = 0; i < n && !rc; i++) {
		if (!is_idle(&list[i], now, older_than, (__u64)time(NULL)))
			continue;
		rc = ng_gate_acl_del(gate, &list[i].key, err);
		done->deleted += !rc;
	}
	free(list);
	return rc;
}

static int show_deleted(struct ng_acl_call *c, const struct ng_acl_change *done,
			struct ng_error *err)
{
	struct ng_out *out = ng_acl_out_begin(c, err);

	if (!out)
		return -ENOMEM;
	ng_out_u64(out, "deleted", NULL, done->deleted);
	ng_out_text(out, "%s: %zu deleted\n", c->link.name, done->deleted);
	return ng_acl_out_end(out, err);
}

/* The duration is the last word; what stands before it is [in|out]. */
static int take_age(struct ng_acl_call *c, uint32_t *seconds, struct ng_error *err)
{
	const char *word = c->argc > 3 ? c->argv[c->argc - 1] : ng_dir_name[NG_IN];
	struct ng_bad_word bad = { .hint = "30m, 12h, 7d or a number of seconds" };

	if (!ng_duration_parse(word, strlen(word), seconds) && *seconds) {
		c->argc--;
		return 0;
	}
	if (strcmp(word, ng_dir_name[NG_IN]) && strcmp(word, ng_dir_name[NG_OUT])) {
		snprintf(bad.what, sizeof(bad.what), "'%s' is not how long entries were idle",
			 word);
		return ng_acl_call_bad_word(c, c->argc - 1, &bad, err);
	}
	snprintf(bad.what, sizeof(bad.what), "how long entries were idle is missing");
	return ng_acl_call_bad_word(c, c->argc, &bad, err);
}

int ng_acl_run_expire(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_acl_change done = { 0 };
	uint32_t older_than;
	int rc = take_age(c, &older_than, err);

	if (rc)
		return rc;
	rc = ng_acl_call_open_all(c, err);
	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++)
		if (c->gate[dir] && !c->gate[dir]->maps.acl.head->stripes)
			rc = uncounted(c, err);
	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++)
		if (c->gate[dir])
			rc = expire_gate(c->gate[dir], older_than, &done, err);
	return rc ? rc : show_deleted(c, &done, err);
}

int ng_acl_run_flush(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_acl_change done = { 0 };
	struct ng_acl_items none = { 0 };
	int rc = ng_acl_call_open_all(c, err);

	if (!rc)
		rc = ng_acl_call_remake(c, &none, false, &done, err);
	return rc ? rc : show_deleted(c, &done, err);
}

int ng_acl_run_zero(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_out *out;
	int rc = ng_acl_call_open_all(c, err);

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		if (!c->gate[dir])
			continue;
		rc = ng_acl_zero(&c->gate[dir]->maps.acl);
		if (rc)
			ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
			       "zeroing the counters failed");
	}
	if (rc)
		return rc;
	out = ng_acl_out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_out_text(out, "%s: counters of the ACL are zero\n", c->link.name);
	return ng_acl_out_end(out, err);
}
