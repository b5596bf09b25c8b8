/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole files that the user names. */
#ifndef NG_CTL_BASE_FILE_H
#define NG_CTL_BASE_FILE_H

#include "ctl/base/err.h"

/*
 * *text = all of a file ("-": stdin), NUL-terminated, the caller's to free; *len without the NUL.
 * -errno with *err (exit 2): cannot be read, or -EFBIG: longer than max.
 */
int ng_read_file(const char *name, size_t max, char **text, size_t *len, struct ng_error *err);

#endif
