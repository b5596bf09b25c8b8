/* SPDX-License-Identifier: GPL-2.0-only */
/* For ctl/cmd/acl*.c only: what the subcommands of `nicgate acl` share. */
#ifndef NG_CTL_CMD_ACL_H
#define NG_CTL_CMD_ACL_H

#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/gate.h"
#include "ctl/policy/acl_words.h"
#include "maps/acl.h"

/* One `nicgate acl SUBCOMMAND DEV ..`. */
struct ng_acl_call {
	const struct ng_global *global;
	const char *sub;
	char **argv; /* all words, from "acl" on; options are taken out */
	int argc;
	bool force, statistics;
	const char *match;
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
int ng_acl_run_flush(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_run_zero(struct ng_acl_call *c, struct ng_error *err);

/* Finds the interface and takes the lock. */
int ng_acl_call_begin(struct ng_acl_call *c, struct ng_error *err);
void ng_acl_call_end(struct ng_acl_call *c);
/* Opens the gate that decides in this direction, its tables in order. -ENOENT: not attached. */
int ng_acl_call_open(struct ng_acl_call *c, enum ng_dir dir, struct ng_error *err);
/* In both directions where only one is attached: that one. */
int ng_acl_call_open_each(struct ng_acl_call *c, bool in, bool out, struct ng_error *err);

/* The error of a word, with the whole command as the line it stands in.
 * bad->word counts from argv[first] on. -EINVAL. */
int ng_acl_call_bad_word(const struct ng_acl_call *c, int first, const struct ng_bad_word *bad,
			 struct ng_error *err);
/* The error of a change that failed with rc, which it returns. */
int ng_acl_call_failed(const struct ng_acl_call *c, const struct ng_gate *gate, int rc,
		       struct ng_error *err);
void ng_acl_warn_masked(const struct ng_acl_words *words);

/* Lets go of the lock and begins the result. All has been read and changed by then:
 * a reader of stdout that is slow keeps nobody else waiting. NULL: *err is filled. */
struct ng_out *ng_acl_out_begin(struct ng_acl_call *c, struct ng_error *err);
int ng_acl_out_end(struct ng_out *out, struct ng_error *err);
/* The table of entries; text shows the counters only if asked. Ended by ng_table_end(). */
void ng_acl_table_begin(struct ng_out *out, bool counted);
void ng_acl_table_row(struct ng_out *out, enum ng_dir dir, const struct ng_acl_entry *e);

/* What `acl add` adds: one key, or one for each prefix of a file. */
struct ng_acl_keys {
	struct ng_acl_key *key;
	size_t n;
};

/* Reads the file that the words name. *keys is empty before; the caller frees keys->key. */
int ng_acl_keys_read(const struct ng_acl_call *c, const struct ng_acl_words *words,
		     struct ng_acl_keys *keys, struct ng_error *err);
/* -EPERM: one of them would cut off the user or the default gateway, and --force is not given. */
int ng_acl_check_guards(const struct ng_acl_call *c, const struct ng_acl_words *words,
			const struct ng_acl_keys *keys, struct ng_error *err);

#endif
