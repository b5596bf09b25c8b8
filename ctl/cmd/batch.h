/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands from a file, one a line. */
#ifndef NG_CTL_CMD_BATCH_H
#define NG_CTL_CMD_BATCH_H

#include "ctl/base/err.h"

/*
 * Runs each line of file ("-": stdin) through run(), as soon as it is read; stops at the first that
 * fails, whose error then carries FILE:LINE, or that sets another exit status (a test that says
 * no). Words are quoted as in a shell, # begins a comment, blank lines are skipped.
 */
int ng_batch(const char *file, int (*run)(int argc, char **argv, void *arg, struct ng_error *err),
	     void *arg, struct ng_error *err);

#endif
