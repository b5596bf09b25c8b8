/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results on stdout: one set of calls, two shapes. As text: "label: value" lines and aligned
 * tables; as JSON: {"schema":1, ...} with snake_case keys. A call with a NULL label is left out of
 * the text, one with a NULL key out of the JSON. Nesting is checked by assert. Write errors are
 * kept and returned by ng_out_end().
 */
#ifndef NG_CTL_BASE_OUT_H
#define NG_CTL_BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/base/err.h"

struct ng_out;

struct ng_out *ng_out_new(bool json, bool pretty); /* NULL: out of memory */
void ng_out_free(struct ng_out *out);

/* The document: begin opens {"schema":1; end closes it, flushes and reports a write error. */
void ng_out_begin(struct ng_out *out);
int ng_out_end(struct ng_out *out, struct ng_error *err);

/* key NULL inside an array */
void ng_out_object(struct ng_out *out, const char *key, const char *label);
void ng_out_object_end(struct ng_out *out);
void ng_out_array(struct ng_out *out, const char *key);
void ng_out_array_end(struct ng_out *out);

/* key NULL inside an array means a bare element; value NULL: null in JSON, "-" in text */
void ng_out_str(struct ng_out *out, const char *key, const char *label, const char *value);
void ng_out_u64(struct ng_out *out, const char *key, const char *label, uint64_t value);
void ng_out_bool(struct ng_out *out, const char *key, const char *label, bool value);
/* Text only: printf to stdout. */
void ng_out_text(struct ng_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A table: as text, aligned columns under headings; as JSON, an array of objects under `key`. A row
 * is the cells in the order of the columns; a column with a NULL heading is JSON only, with a NULL
 * key text only.
 */
enum ng_align { NG_LEFT, NG_RIGHT };
struct ng_column {
	const char *key;
	const char *heading;
	enum ng_align align;
};
void ng_table_begin(struct ng_out *out, const char *key, const struct ng_column *columns, size_t n);
void ng_table_str(struct ng_out *out, const char *value); /* NULL: null, "-" */
void ng_table_u64(struct ng_out *out, uint64_t value);
void ng_table_end(struct ng_out *out); /* prints the text form; nothing for a table without rows */

#endif
