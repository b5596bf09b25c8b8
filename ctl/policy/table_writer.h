/* SPDX-License-Identifier: GPL-2.0-only */
/* For ctl/policy/table*.c only: the writers of the formats. What they are given, they can say. */
#ifndef NG_CTL_POLICY_TABLE_WRITER_H
#define NG_CTL_POLICY_TABLE_WRITER_H

#include <stdio.h>

#include "ctl/policy/table.h"

struct ng_writer {
	FILE *to; /* memory: its errors are looked at in the end */
	const struct ng_table_item *item;
	size_t n;
	bool timeouts, comments; /* to be written */
	bool say_any; /* what is read with a protocol beside the file must say that it has none */
};

void ng_table_write_cidr(const struct ng_writer *w);
void ng_table_write_words(const struct ng_writer *w);
void ng_table_write_ipset(const struct ng_writer *w);
void ng_table_write_nft(const struct ng_writer *w);
void ng_table_write_nft_json(const struct ng_writer *w);
void ng_table_write_json(const struct ng_writer *w);
void ng_table_write_csv(const struct ng_writer *w);

/* A comment in quotes; each of the special characters gets the escape before it. */
void ng_table_write_quoted(FILE *to, const struct ng_table_item *item, char escape,
			   const char *special);

#endif
