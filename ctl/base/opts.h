/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options, strictly: -x, -xVALUE, -x VALUE, -xyz, --name, --name=VALUE, --name VALUE. Unlike
 * getopt_long() no abbreviations, no global state, and no reordering unless asked for: options end
 * at the first other word or at --.
 */
#ifndef NG_CTL_BASE_OPTS_H
#define NG_CTL_BASE_OPTS_H

#include "ctl/base/err.h"

enum ng_opt_arg { NG_OPT_NONE, NG_OPT_VALUE, NG_OPT_OPTIONAL /* only as --name=VALUE */ };

struct ng_opt {
	int id; /* what ng_opts_next() returns: the letter; from 256 on where there is none */
	const char *name; /* long name without -- */
	enum ng_opt_arg arg;
	const char *value; /* what help calls the value */
	const char *help;
};

struct ng_opts {
	const struct ng_opt *table; /* ends with name NULL */
	int argc;
	char **argv;
	int next;	     /* the word to read next; behind the options when they are over */
	const char *letters; /* what is left of a word like -xyz */
	bool ended;	     /* by "--" */
	int words;	     /* for ng_opts_next_mixed(): starts like next */
};

/*
 * The id of the next option with *value set (NULL: none given), 0 when there are no more, or
 * -EINVAL with *err: exit 2, what is wrong and what would be right. Start with .next = 1.
 */
int ng_opts_next(struct ng_opts *o, const char **value, struct ng_error *err);
/*
 * The same where other words may stand before and between the options: they are gathered in order
 * at the front, and in the end are argv[i] from the initial .words on, below the final one.
 */
int ng_opts_next_mixed(struct ng_opts *o, const char **value, struct ng_error *err);
/* Prints the table to stdout, one option a line. */
void ng_opts_help(const struct ng_opt *table);

#endif
