/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs: one file each (a large one has more, VERB_*.c,
 * which share VERB.h), found through the table in main.c. */
#ifndef NG_CTL_CMD_CMD_H
#define NG_CTL_CMD_CMD_H

#include <stdbool.h>
#include "ctl/base/err.h"
#include "ctl/base/out.h"

struct ng_global {
	bool json, pretty, quiet;
	int verbose;
	const char *bpffs; /* NULL: default */
	const char *netns; /* already entered; for messages */
};

/*
 * argv[0] is the verb. Returns 0 or -errno with *err filled (err->exit is the exit status). A verb
 * that wants another status without an error message (`acl test`: 1) sets err->exit and returns 0.
 */
typedef int (*ng_verb_fn)(const struct ng_global *g, int argc, char **argv, struct ng_error *err);

struct ng_verb {
	const char *name;
	ng_verb_fn run;
	const char *summary; /* one line, for help */
	/*
	 * What follows "nicgate ", one form a line; lines that begin with a blank explain them. For
	 * --help and, the forms only, for usage errors.
	 */
	const char *usage;
};

extern const struct ng_verb ng_verb_attach, ng_verb_detach, ng_verb_status, ng_verb_capture,
	ng_verb_acl, ng_verb_stats, ng_verb_filter, ng_verb_demo;

/* "unknown word 'x'": exit 2, with "did you mean" and the valid words (NULL-terminated list). */
int ng_usage_word(struct ng_error *err, const char *verb, const char *word,
		  const char *const *valid);
/* Any other usage error: exit 2, with the verb's usage as what to try. */
int ng_usage(struct ng_error *err, const struct ng_verb *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
