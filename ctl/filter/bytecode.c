// SPDX-License-Identifier: GPL-2.0-only
/* Reads classic BPF programs from text, strictly. */
#include "ctl/filter/bytecode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/cfg.h"

#define SHORTEST 8 /* bytes of an instruction with what ends it: "6 0 0 0\n" */
#define FIELDS	 4
#define SHOWN	 24 /* bytes of a word shown in a message */

struct reader {
	const char *text, *file;
	size_t len, at;
	struct ng_error *err;
};

static const struct {
	const char *name;
	uint32_t max;
} field[FIELDS] = {
	{ "code", UINT16_MAX },
	{ "jt", UINT8_MAX },
	{ "jf", UINT8_MAX },
	{ "k", UINT32_MAX },
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct reader *r, size_t at,
							const char *fmt, ...)
{
	const char *line = at ? memrchr(r->text, '\n', at) : NULL, *end;
	char what[sizeof(r->err->what)];
	unsigned int number = 1;
	va_list ap;

	line = line ? line + 1 : r->text;
	end = memchr(line, '\n', r->len - (size_t)(line - r->text));
	end = end ? end : r->text + r->len;
	for (const char *p = r->text; p < line; p++)
		number += *p == '\n';
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ng_err(r->err, NG_EXIT_USAGE, 0, NULL, "%s", what);
	ng_err_at(r->err, r->file, number, (unsigned int)(r->text + at - line) + 1, line,
		  (size_t)(end - line));
	return -EINVAL;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->len && memchr(" \t\r", r->text[r->at], 3))
		r->at++;
}

/* Line ends, and the commas in their place. */
static void skip_lines(struct reader *r)
{
	skip_blanks(r);
	while (r->at < r->len && r->text[r->at] == '\n') {
		r->at++;
		skip_blanks(r);
	}
}

static size_t word_length(const struct reader *r)
{
	size_t n = 0;

	while (r->at + n < r->len && !memchr(" \t\r\n,", r->text[r->at + n], 5))
		n++;
	return n;
}

static int take_number(struct reader *r, const char *name, uint32_t max, uint32_t *out)
{
	size_t n, digits = 0;
	uint64_t value = 0;

	skip_blanks(r);
	n = word_length(r);
	if (!n)
		return refuse(r, r->at, "%s is missing", name);
	while (digits < n && r->text[r->at + digits] >= '0' && r->text[r->at + digits] <= '9') {
		value = value * 10 + (uint64_t)(r->text[r->at + digits++] - '0');
		if (value > max)
			return refuse(r, r->at, "%s is a number from 0 to %u", name, max);
	}
	if (digits < n)
		return refuse(r, r->at, "%s is a decimal number, not '%.*s'", name,
			      n > SHOWN ? SHOWN : (int)n, r->text + r->at);
	r->at += n;
	*out = (uint32_t)value;
	return 0;
}

/* The end of a line, of the text, or a comma. */
static int take_end(struct reader *r, const char *what)
{
	size_t n;

	skip_blanks(r);
	if (r->at < r->len && r->text[r->at] != '\n' && r->text[r->at] != ',') {
		n = word_length(r);
		return refuse(r, r->at, "'%.*s' stands behind %s", n > SHOWN ? SHOWN : (int)n,
			      r->text + r->at, what);
	}
	if (r->at < r->len)
		r->at++;
	return 0;
}

static int take_insn(struct reader *r, struct sock_filter *out)
{
	uint32_t value[FIELDS];
	enum ng_op op;
	size_t start;
	int rc = 0;

	skip_lines(r);
	start = r->at;
	for (int i = 0; !rc && i < FIELDS; i++)
		rc = take_number(r, field[i].name, field[i].max, &value[i]);
	if (!rc)
		rc = take_end(r, "an instruction, which is 'code jt jf k'");
	if (rc)
		return rc;
	*out = (struct sock_filter){ (__u16)value[0], (__u8)value[1], (__u8)value[2], value[3] };
	op = ng_op_of(out);
	if (op == NG_OP_UNKNOWN || op == NG_OP_IN || op == NG_OP_IN6)
		return refuse(r, start, "%u is no opcode of classic BPF", value[0]);
	return 0;
}

/* Behind the last word. */
static size_t text_end(const struct reader *r)
{
	size_t at = r->len;

	while (at && memchr(" \t\r\n", r->text[at - 1], 4))
		at--;
	return at;
}

static int take_insns(struct reader *r, uint32_t count, struct sock_filter *insns)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < count; i++) {
		skip_lines(r);
		if (r->at == r->len)
			return refuse(r, text_end(r), "the end, behind %u of %u instructions", i,
				      count);
		rc = take_insn(r, &insns[i]);
	}
	if (rc)
		return rc;
	skip_lines(r);
	return r->at == r->len ? 0
			       : refuse(r, r->at, "more than the %u instructions announced", count);
}

int ng_bytecode_parse(const char *text, size_t len, const char *file, struct ng_cbpf *out,
		      struct ng_error *err)
{
	struct reader r = { .text = text, .len = len, .file = file, .err = err };
	struct sock_filter *insns;
	uint32_t count;
	int rc;

	skip_lines(&r);
	rc = take_number(&r, "the number of instructions", UINT32_MAX, &count);
	if (!rc && !count)
		rc = refuse(&r, r.at - 1, "a program has one instruction at least");
	if (!rc)
		rc = take_end(&r, "the number of instructions");
	if (rc) {
		ng_err_try(err, "tcpdump -y EN10MB -ddd EXPR >FILE");
		return rc;
	}
	/* A text this short ends before room for so many is used. */
	insns = calloc(count < len / SHORTEST + 1 ? count : len / SHORTEST + 1, sizeof(*insns));
	if (!insns)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	rc = take_insns(&r, count, insns);
	if (rc) {
		free(insns);
		return rc;
	}
	*out = (struct ng_cbpf){ .insns = insns, .n = count };
	return 0;
}
