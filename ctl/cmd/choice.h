/* SPDX-License-Identifier: GPL-2.0-only */
/* Option values that are one word of a fixed list. */
#ifndef NG_CTL_CMD_CHOICE_H
#define NG_CTL_CMD_CHOICE_H

#include "ctl/base/err.h"

/* *out = index of word in the NULL-terminated list;
 * else -EINVAL and exit 2: the option, the word, the valid ones. */
int ng_choice(const char *option, const char *word, const char *const *valid, unsigned int *out,
	      struct ng_error *err);

/* The names of hooks as such a list. */
extern const char *const ng_hook_words[];

#endif
