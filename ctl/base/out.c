// SPDX-License-Identifier: GPL-2.0-only
/* The one place that writes results: JSON while it goes, text tables when they are complete. */
#include "ctl/base/out.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/text.h"

#define DEPTH_MAX 16

struct ng_out {
	bool json, pretty, oom;
	int depth;
	bool filled[DEPTH_MAX]; /* something was written at this depth: a comma comes first */
	const struct ng_column *columns;
	size_t n_columns, column, cells, cells_max;
	char **cell; /* of the text table, row after row */
};

struct ng_out *ng_out_new(bool json, bool pretty)
{
	struct ng_out *out = calloc(1, sizeof(*out));

	if (out) {
		out->json = json;
		out->pretty = pretty;
	}
	return out;
}

void ng_out_free(struct ng_out *out)
{
	if (!out)
		return;
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i]);
	free(out->cell);
	free(out);
}

/* What is not UTF-8 (an interface name can be any bytes) becomes U+FFFD:
 * the document stays valid. */
static void json_string(const char *string)
{
	putchar('"');
	for (const char *s = string; *s;) {
		const unsigned char c = (unsigned char)*s;
		size_t n = ng_utf8_length(s);

		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", stdout);
		else if (*s == '\t')
			fputs("\\t", stdout);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else if (n == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0)
			printf("\\u%04x", (unsigned char)s[1]);
		else if (!n)
			fputs("\\ufffd", stdout);
		else
			fwrite(s, 1, n, stdout);
		s += n ? n : 1;
	}
	putchar('"');
}

static void json_newline(const struct ng_out *out)
{
	if (out->pretty)
		printf("\n%*s", out->depth * 2, "");
}

/* What comes before a value: comma, line break, key. */
static void json_lead(struct ng_out *out, const char *key)
{
	if (out->filled[out->depth])
		putchar(',');
	out->filled[out->depth] = true;
	json_newline(out);
	if (key) {
		json_string(key);
		fputs(out->pretty ? ": " : ":", stdout);
	}
}

static void json_open(struct ng_out *out, const char *key, char bracket)
{
	if (out->depth)
		json_lead(out, key);
	putchar(bracket);
	assert(out->depth + 1 < DEPTH_MAX);
	out->filled[++out->depth] = false;
}

static void json_close(struct ng_out *out, char bracket)
{
	bool filled = out->filled[out->depth];

	assert(out->depth > 0);
	out->depth--;
	if (filled)
		json_newline(out);
	putchar(bracket);
}

void ng_out_begin(struct ng_out *out)
{
	if (!out->json)
		return;
	json_open(out, NULL, '{');
	ng_out_u64(out, "schema", NULL, 1);
}

int ng_out_end(struct ng_out *out, struct ng_error *err)
{
	if (out->json) {
		json_close(out, '}');
		assert(out->depth == 0);
		putchar('\n');
	}
	if (out->oom)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "the result is not complete");
	if (fflush(stdout) || ferror(stdout))
		return ng_err(err, NG_EXIT_FAILED, errno ? errno : EIO, "stdout",
			      "write failed, the result is not complete");
	return 0;
}

void ng_out_object(struct ng_out *out, const char *key, const char *label)
{
	if (out->json)
		json_open(out, key, '{');
	else if (label)
		printf("%s\n", label);
}

void ng_out_object_end(struct ng_out *out)
{
	if (out->json)
		json_close(out, '}');
}

void ng_out_array(struct ng_out *out, const char *key)
{
	if (out->json)
		json_open(out, key, '[');
}

void ng_out_array_end(struct ng_out *out)
{
	if (out->json)
		json_close(out, ']');
}

void ng_out_str(struct ng_out *out, const char *key, const char *label, const char *value)
{
	if (!out->json) {
		if (label)
			ng_out_text(out, "%s: %s\n", label, value ? value : "-");
		return;
	}
	if (!key && label)
		return;
	json_lead(out, key);
	if (value)
		json_string(value);
	else
		fputs("null", stdout);
}

void ng_out_u64(struct ng_out *out, const char *key, const char *label, uint64_t value)
{
	if (!out->json) {
		if (label)
			printf("%s: %" PRIu64 "\n", label, value);
		return;
	}
	if (!key && label)
		return;
	json_lead(out, key);
	printf("%" PRIu64, value);
}

void ng_out_bool(struct ng_out *out, const char *key, const char *label, bool value)
{
	if (!out->json) {
		if (label)
			printf("%s: %s\n", label, value ? "yes" : "no");
		return;
	}
	if (!key && label)
		return;
	json_lead(out, key);
	fputs(value ? "true" : "false", stdout);
}

void ng_out_text(struct ng_out *out, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	if (out->json)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		out->oom = true;
		return;
	}
	fputs(ng_text_tame(text, true), stdout);
	free(text);
}

void ng_table_begin(struct ng_out *out, const char *key, const struct ng_column *columns, size_t n)
{
	assert(!out->columns && n);
	out->columns = columns;
	out->n_columns = n;
	out->column = 0;
	if (out->json)
		json_open(out, key, '[');
}

static void keep_cell(struct ng_out *out, const char *text)
{
	if (out->cells == out->cells_max) {
		size_t max = out->cells_max ? out->cells_max * 2 : 256;
		char **cell = realloc(out->cell, max * sizeof(*cell));

		if (!cell) {
			out->oom = true;
			return;
		}
		out->cell = cell;
		out->cells_max = max;
	}
	out->cell[out->cells] = strdup(text);
	if (!out->cell[out->cells])
		out->oom = true;
	else
		ng_text_tame(out->cell[out->cells++], false);
}

static void add_cell(struct ng_out *out, const char *text, bool quote, bool null)
{
	const struct ng_column *c = &out->columns[out->column];

	if (out->json && out->column == 0)
		json_open(out, NULL, '{');
	if (out->json && c->key) {
		json_lead(out, c->key);
		if (null)
			fputs("null", stdout);
		else if (quote)
			json_string(text);
		else
			fputs(text, stdout);
	}
	if (!out->json && c->heading)
		keep_cell(out, null ? "-" : text);
	if (++out->column == out->n_columns) {
		out->column = 0;
		if (out->json)
			json_close(out, '}');
	}
}

void ng_table_str(struct ng_out *out, const char *value)
{
	add_cell(out, value, true, !value);
}

void ng_table_u64(struct ng_out *out, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	add_cell(out, text, false, false);
}

/* Width of text column number `shown`, heading included. */
static int column_width(const struct ng_out *out, const char *heading, size_t shown, size_t n_shown)
{
	size_t width = strlen(heading);

	for (size_t i = shown; i < out->cells; i += n_shown) {
		size_t n = strlen(out->cell[i]);

		width = n > width ? n : width;
	}
	return (int)width;
}

static void print_cell(const char *text, int width, enum ng_align align, bool last)
{
	if (last && align == NG_LEFT)
		printf("%s\n", text);
	else
		printf("%*s%s", align == NG_LEFT ? -width : width, text, last ? "\n" : "  ");
}

static void print_table(const struct ng_out *out)
{
	const struct ng_column *shown[32];
	int width[32];
	size_t n = 0;

	for (size_t i = 0; i < out->n_columns; i++)
		if (out->columns[i].heading) {
			assert(n < 32);
			shown[n++] = &out->columns[i];
		}
	for (size_t i = 0; i < n; i++)
		width[i] = column_width(out, shown[i]->heading, i, n);
	for (size_t i = 0; i < n; i++)
		print_cell(shown[i]->heading, width[i], shown[i]->align, i + 1 == n);
	for (size_t i = 0; i < out->cells; i++)
		print_cell(out->cell[i], width[i % n], shown[i % n]->align, i % n + 1 == n);
}

void ng_table_end(struct ng_out *out)
{
	assert(out->columns && out->column == 0);
	if (out->json)
		json_close(out, ']');
	else if (out->cells)
		print_table(out);
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i]);
	out->cells = 0;
	out->columns = NULL;
}
