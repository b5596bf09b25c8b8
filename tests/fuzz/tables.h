/* SPDX-License-Identifier: GPL-2.0-only */
/* ACL tables as text, on random ones: written, read back, changed here and there. */
#ifndef NG_TESTS_FUZZ_TABLES_H
#define NG_TESTS_FUZZ_TABLES_H

#include <stdint.h>

#include "ctl/policy/table.h"

/* The numbers of tests/random.h say which. */
struct tables_tally {
	uint64_t cases, accepted, skipped_bad, written, failed;
};

/* n random items with different keys, such as the format can say (NG_TABLE_AUTO: any);
 * comments point to static memory. Returns how many, at most n. */
size_t tables_items(struct ng_table_item *item, size_t n, enum ng_table_format format);
/* Whether two tables hold the same items, in any order. The verdict: as decided by the words. */
bool tables_same(const struct ng_table_item *a, size_t na, const struct ng_table_item *b,
		 size_t nb);
/* The words of what items that one format can say have in common: the first one's. */
struct ng_acl_words tables_words(const struct ng_table_item *item);
/* Writes and reads back. 0: the same; 1: the format cannot say it; -1: not the same. */
int tables_round(const struct ng_table_item *item, size_t n, enum ng_table_format format);

/* One case: a good text, changed here and there, is read; what is accepted is valid, and
 * is the same when it is written and read again. False: not so, and it has been printed. */
bool tables_case(uint64_t seed, struct tables_tally *tally);

#endif
