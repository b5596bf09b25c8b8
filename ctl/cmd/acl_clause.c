// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl del, get and test: one clause, or the one that decides. */
#include <errno.h>

#include "ctl/cmd/acl.h"
#include "maps/counters.h"
#include "maps/jiffies.h"

#define SIMILAR_MAX 4 /* clauses of the same prefix that an error names */

/* Parses the words of a key and opens its gate. */
static int open_for_key(struct ng_acl_call *c, enum ng_acl_form form, struct ng_acl_words *words,
			struct ng_error *err)
{
	struct ng_bad_word bad;
	int rc = ng_acl_words_parse(form, c->argc - 3, c->argv + 3, words, &bad);

	if (rc)
		return ng_acl_call_bad_word(c, 3, &bad, err);
	ng_acl_warn_masked(words);
	rc = ng_acl_call_begin(c, err);
	return rc ? rc : ng_acl_call_open(c, words->dir, err);
}

/* Names the clauses that the same prefix has, for whoever forgot a word. */
static void name_similar(const struct ng_acl_call *c, const struct ng_prefix *p,
			 struct ng_error *err)
{
	struct ng_acl_entry list[NG_ACL_CLAUSES_MAX];
	size_t shown = 0;

	for (int at = 0; at < NG_DIR_MAX * NG_SIDE_MAX; at++) {
		enum ng_dir dir = at / NG_SIDE_MAX;
		size_t n = c->gate[dir] ? ng_acl_of_prefix(&c->gate[dir]->maps.acl, p,
							   at % NG_SIDE_MAX, list)
					: 0;

		for (size_t i = 0; i < n && shown < SIMILAR_MAX; i++, shown++) {
			char text[NG_ACL_KEY_TEXT];

			ng_acl_key_format(dir, &list[i].key, text);
			ng_err_why(err, "there is: %s %s", ng_verdict_name[list[i].verdict], text);
		}
	}
}

static int no_entry(struct ng_acl_call *c, const struct ng_acl_words *words, struct ng_error *err)
{
	enum ng_dir other = words->dir == NG_IN ? NG_OUT : NG_IN;
	char text[NG_ACL_KEY_TEXT];

	ng_acl_call_open(c, other, NULL);
	ng_acl_key_format(words->dir, &words->key, text);
	ng_err(err, NG_EXIT_NOT_FOUND, 0, c->link.name, "%s: no such entry", text);
	name_similar(c, &words->key.prefix, err);
	ng_err_try(err, "nicgate acl list %s", c->link.name);
	return -ENOENT;
}

int ng_acl_run_del(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_out *out;
	char text[NG_ACL_KEY_TEXT];
	int rc = open_for_key(c, NG_ACL_FORM_KEY, &words, err);

	if (rc)
		return rc;
	rc = ng_gate_acl_del(c->gate[words.dir], &words.key, err);
	if (rc == -ENOENT)
		return no_entry(c, &words, err);
	if (rc)
		return rc;
	out = ng_acl_out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_acl_key_format(words.dir, &words.key, text);
	ng_out_u64(out, "deleted", NULL, 1);
	ng_out_text(out, "%s: %s: deleted\n", c->link.name, text);
	return ng_acl_out_end(out, err);
}

int ng_acl_run_get(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_acl_table table;
	struct ng_acl_entry entry;
	char note[NG_ACL_NOTE_MAX + 1];
	struct ng_out *out;
	__u32 clause;
	int rc = open_for_key(c, NG_ACL_FORM_KEY, &words, err);

	if (rc)
		return rc;
	rc = ng_acl_find(&c->gate[words.dir]->maps.acl, &words.key, &clause);
	if (rc == -ENOENT)
		return no_entry(c, &words, err);
	if (!rc)
		rc = ng_acl_entry_get(&c->gate[words.dir]->maps.acl, clause, &entry);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "reading the ACL failed");
	ng_acl_note(&c->gate[words.dir]->maps.acl, entry.note, note);
	out = ng_acl_out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_acl_table_begin(&table, out, NG_ACL_SHOW_HITS | ng_acl_shows(&entry, 1));
	ng_acl_table_row(&table, words.dir, c->gate[words.dir], &entry, note);
	ng_table_end(out);
	return ng_acl_out_end(out, err);
}

static int show_test(struct ng_acl_call *c, struct ng_gate *gate, const struct ng_acl_words *words,
		     const struct ng_acl_entry *entry, struct ng_error *err)
{
	__u32 fallback = gate->maps.control->default_verdict;
	char note[NG_ACL_NOTE_MAX + 1];
	struct ng_acl_table table;
	struct ng_out *out;

	ng_acl_note(&gate->maps.acl, entry ? entry->note : 0, note);
	out = ng_acl_out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_out_bool(out, "decided", NULL, entry);
	ng_out_str(out, "verdict", NULL, entry ? ng_verdict_name[entry->verdict] : NULL);
	ng_out_str(out, "default", NULL,
		   fallback < NG_VERDICT_MAX ? ng_verdict_name[fallback] : NULL);
	if (entry) {
		ng_acl_table_begin(&table, out, ng_acl_shows(entry, 1));
		ng_acl_table_row(&table, words->dir, gate, entry, note);
		ng_table_end(out);
	} else {
		ng_out_text(out, "no clause decides\n");
	}
	return ng_acl_out_end(out, err);
}

int ng_acl_run_test(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_acl_entry entry;
	struct ng_gate *gate;
	const struct ng_acl_key *k = &words.key;
	__u32 clause;
	__u64 now;
	int rc = open_for_key(c, NG_ACL_FORM_TEST, &words, err);

	if (rc)
		return rc;
	gate = c->gate[words.dir];
	rc = ng_jiffies_once(&now);
	if (!rc)
		rc = ng_acl_test(&gate->maps.acl, &k->prefix, k->side, k->any_proto ? -1 : k->proto,
				 k->any_port ? -1 : k->port_lo, now, &clause);
	if (!rc)
		rc = ng_acl_entry_get(&gate->maps.acl, clause, &entry);
	if (rc && rc != -ENOENT)
		return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "reading the ACL failed");
	if (rc)
		err->exit = NG_EXIT_FAILED;
	return show_test(c, gate, &words, rc ? NULL : &entry, err);
}
