/* SPDX-License-Identifier: GPL-2.0-only */
/* Help and version texts. */
#ifndef NG_CTL_CMD_HELP_H
#define NG_CTL_CMD_HELP_H

#include "ctl/base/opts.h"
#include "ctl/cmd/cmd.h"

/* To stdout. verbs is NULL-terminated. */
void ng_help_all(const struct ng_verb *const *verbs, const struct ng_opt *options);
void ng_help_verb(const struct ng_verb *verb);
/* Versions of nicgate, the libraries it runs with, and the kernel. */
int ng_help_version(const struct ng_global *g, struct ng_error *err);

#endif
