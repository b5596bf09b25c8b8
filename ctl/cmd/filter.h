/* SPDX-License-Identifier: GPL-2.0-only */
/* For ctl/cmd/filter*.c only: what the subcommands of `nicgate filter` share. */
#ifndef NG_CTL_CMD_FILTER_H
#define NG_CTL_CMD_FILTER_H

#include <stdio.h>

#include "ctl/cmd/cmd.h"
#include "ctl/cmd/expression.h"
#include "ctl/dataplane/load.h"
#include "maps/abi.h"

/* One `nicgate filter SUBCOMMAND ..`. */
struct ng_filter_call {
	const struct ng_global *global;
	const char *sub;
	struct ng_expression expression;
	struct ng_cbpf cbpf;		    /* what it compiles to */
	unsigned int hook;		    /* enum ng_hook */
	const char *form;		    /* of what is printed; NULL: the default */
	unsigned int match;		    /* enum ng_match */
	const char *hook_word, *match_word; /* as given, NULL: not */
	const char *output, *savefile;	    /* NULL: stdout, none */
};

/* The subcommands; the filter is compiled, the caller frees. */
int ng_filter_run_dump(struct ng_filter_call *c, struct ng_error *err);
int ng_filter_run_explain(struct ng_filter_call *c, struct ng_error *err);
int ng_filter_run_compile(struct ng_filter_call *c, struct ng_error *err);
int ng_filter_run_run(struct ng_filter_call *c, struct ng_error *err);

/* The forms that dump and compile know, as lists for ng_choice() and usage. */
extern const char *const ng_filter_dump_forms[], *const ng_filter_compile_forms[];

/* Writes to stdout what is more than its buffer holds: main.c would not know why that failed. */
int ng_filter_put(const char *data, size_t size, struct ng_error *err);

/* The subprogram body for a hook. The caller frees *out. */
int ng_filter_body(const struct ng_filter_call *c, enum ng_hook hook, struct ng_ebpf *out,
		   struct ng_error *err);

#endif
