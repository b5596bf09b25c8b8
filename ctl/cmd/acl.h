/* SPDX-License-Identifier: GPL-2.0-only */
/* For ctl/cmd/acl*.c only: what the subcommands of `nicgate acl` share. */
#ifndef NG_CTL_CMD_ACL_H
#define NG_CTL_CMD_ACL_H

#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/acl.h"
#include "ctl/policy/acl_words.h"
#include "ctl/policy/table.h"
#include "maps/acl.h"

/* One `nicgate acl SUBCOMMAND DEV ..`. */
struct ng_acl_call {
	const struct ng_global *global;
	const char *sub;
	char **argv; /* all words, from "acl" on; options are taken out */
	int argc;
	bool force, statistics, skip_bad;
	bool file_decides, replaces; /* import and replace; replace */
	const char *match, *set;
	enum ng_table_format format;
	struct ng_pins pins;
	bool begun;
	struct ng_link link;
	struct ng_gate *gate[NG_DIR_MAX]; /* those opened */
};

/* The subcommands; the caller ends the call. */
int ng_acl_run_add(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_del(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_get(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_test(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_list(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_import(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_replace(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_export(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_expire(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_flush(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_zero(struct ng_acl_call *c, struct ng_error *err);

/* Finds the interface and takes the lock. */
int ng_acl_call_begin(struct ng_acl_call *c, struct ng_error *err);
void ng_acl_call_end(struct ng_acl_call *c);
/* Opens the gate that decides in this direction, its tables in order. -ENOENT: not attached. */
int ng_acl_call_open(struct ng_acl_call *c, enum ng_dir dir, struct ng_error *err);
/* Begins, and opens the gates of [in|out] behind DEV, or of both. */
int ng_acl_call_open_all(struct ng_acl_call *c, struct ng_error *err);
/* In both directions where only one is attached: that one. */
int ng_acl_call_open_each(struct ng_acl_call *c, bool in, bool out, struct ng_error *err);

/* The error of a word, with the whole command as the line it stands in.
 * bad->word counts from argv[first] on. -EINVAL. */
int ng_acl_call_bad_word(const struct ng_acl_call *c, int first, const struct ng_bad_word *bad,
			 struct ng_error *err);
void ng_acl_warn_masked(const struct ng_acl_words *words);

/* Lets go of the lock and begins the result. All has been read and changed by then:
 * a reader of stdout that is slow keeps nobody else waiting. NULL: *err is filled. */
struct ng_out *ng_acl_out_begin(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_out_end(struct ng_out *out, struct ng_error *err);
/*
 * The table of entries, read before the lock is let go: notes are used again at once. What `show` does
 * not name is in JSON only. Ended by ng_table_end(). note: the entry's; "": none.
 */
#define NG_ACL_COLUMNS 14
enum ng_acl_show { NG_ACL_SHOW_HITS = 1, NG_ACL_SHOW_TIMES = 2, NG_ACL_SHOW_NOTES = 4 };
struct ng_acl_table {
	struct ng_out *out;
	struct ng_column column[NG_ACL_COLUMNS];
	__u64 now; /* jiffies64 */
};
void ng_acl_table_begin(struct ng_acl_table *t, struct ng_out *out, unsigned int show);
void ng_acl_table_row(struct ng_acl_table *t, enum ng_dir dir, struct ng_gate *gate,
		      const struct ng_acl_entry *e, const char *note);
/* What of times and comments these entries have. */
unsigned int ng_acl_shows(const struct ng_acl_entry *e, size_t n);

/* Clauses to be. notes: what comments point into. All zero: none. */
struct ng_acl_items {
	struct ng_acl_item *item[NG_DIR_MAX];
	size_t n[NG_DIR_MAX];
	char *notes;
	__u64 now; /* jiffies64 that timeouts count from; 0: not asked for yet */
};

/* What the words mean: one clause, or one for each prefix of a range. */
int ng_acl_items_of(const struct ng_acl_words *words, struct ng_acl_items *items,
		    struct ng_error *err);
/* Reads the file that the words name (list), by c->format. */
int ng_acl_items_read(const struct ng_acl_call *c, const struct ng_acl_words *words,
		      struct ng_acl_items *items, struct ng_error *err);
void ng_acl_items_free(struct ng_acl_items *items);
/*
 * New tables for all gates that are open, with these clauses; keep: and those that are there. All of
 * them are made before the first is put in force, so that one that cannot be changes nothing.
 */
int ng_acl_call_remake(struct ng_acl_call *c, struct ng_acl_items *items, bool keep,
		       struct ng_acl_change *done, struct ng_error *err);
/* -EPERM: one of a direction would cut off the user or the default gateway, and --force is not given. */
int ng_acl_check_guards(const struct ng_acl_call *c, const struct ng_acl_items *items,
			enum ng_dir dir, struct ng_error *err);

#endif
