/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of prefixes: one a line, blanks around it, # and ; start comments,
 * LF or CRLF, an UTF-8 mark at the start. */
#ifndef NG_CTL_POLICY_PREFIX_LIST_H
#define NG_CTL_POLICY_PREFIX_LIST_H

#include "ctl/policy/prefix.h"

#define NG_BAD_LINES_MAX 20

struct ng_line {
	struct ng_prefix prefix;
	unsigned int line; /* from 1 */
};

struct ng_bad_line {
	unsigned int line;
	const char *text; /* in the caller's buffer, len bytes */
	size_t len;
	struct ng_bad_word bad; /* at: offset in the line */
};

struct ng_prefix_list {
	struct ng_line *entry;
	size_t n;
	size_t masked;	  /* entries that had host bits set */
	size_t bad_lines; /* the first NG_BAD_LINES_MAX are described */
	struct ng_bad_line bad[NG_BAD_LINES_MAX];
};

/* Reads all of text. 0, -EINVAL when any line is bad (the list then describes them), -ENOMEM. */
int ng_prefix_list_parse(const char *text, size_t len, struct ng_prefix_list *list);
void ng_prefix_list_free(struct ng_prefix_list *list);

#endif
