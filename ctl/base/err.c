// SPDX-License-Identifier: GPL-2.0-only
/* Error struct, its text and JSON form, and the log lines on stderr. */
#include "ctl/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/out.h"
#include "ctl/base/text.h"

int ng_log_level;
bool ng_log_color;

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN  "\033[0m"

#define LINE_MAX_SHOWN 160 /* bytes: longer lines are shown around their mark */
#define LINE_PART      72

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

int ng_err(struct ng_error *err, enum ng_exit exit, int errnum, const char *object, const char *fmt,
	   ...)
{
	struct ng_error e = { .exit = exit, .errnum = errnum }; /* the words may be those of *err */
	va_list ap;

	if (err) {
		snprintf(e.object, sizeof(e.object), "%s", object ? object : "");
		va_start(ap, fmt);
		vsnprintf(e.what, sizeof(e.what), fmt, ap);
		va_end(ap);
		*err = e;
	}
	return errnum ? -errnum : -EINVAL;
}

__attribute__((format(printf, 3, 0))) static void add_line(char *buf, size_t size, const char *fmt,
							   va_list ap)
{
	size_t used = strlen(buf);

	if (size - used < 2)
		return;
	vsnprintf(buf + used, size - used - 1, fmt, ap);
	used = strlen(buf);
	buf[used] = '\n'; /* fits: one byte was kept back */
	buf[used + 1] = '\0';
}

void ng_err_why(struct ng_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	add_line(err->why, sizeof(err->why), fmt, ap);
	va_end(ap);
}

void ng_err_try(struct ng_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	add_line(err->try_this, sizeof(err->try_this), fmt, ap);
	va_end(ap);
}

/* Where the UTF-8 character begins that byte i belongs to. */
static size_t char_start(const char *text, size_t i)
{
	while (i && is_continuation(text[i]))
		i--;
	return i;
}

void ng_err_at(struct ng_error *err, const char *file, unsigned int line, unsigned int column,
	       const char *source, size_t len)
{
	if (!err)
		return;
	snprintf(err->file, sizeof(err->file), "%s", file);
	err->line = line;
	err->column = column;
	err->source_at = 0;
	if (column > sizeof(err->source) / 2 && len >= sizeof(err->source) && column <= len + 1) {
		size_t skip = char_start(source, column - sizeof(err->source) / 2);

		err->source_at = (unsigned int)skip;
		source += skip;
		len -= skip;
	}
	if (len >= sizeof(err->source))
		len = sizeof(err->source) - 1;
	memcpy(err->source, source, len);
	err->source[len] = '\0';
}

/* Prints each line of a block with a label before
 * the first and an indent of its width before the others. */
static void show_lines(const char *label, const char *lines)
{
	for (const char *p = lines; *p;) {
		size_t n = strcspn(p, "\n");

		fprintf(stderr, "  %-5s %.*s\n", p == lines ? label : "", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

#define KERNEL_ENOTSUPP 524 /* include/linux/errno.h: not for user space, yet BPF returns it */

static const char *errno_words(int errnum)
{
	return errnum == KERNEL_ENOTSUPP ? "Operation is not supported" : strerror(errnum);
}

static const char *errno_name(int errnum)
{
	const char *name = errnum == KERNEL_ENOTSUPP ? "ENOTSUPP" : strerrorname_np(errnum);

	return name ? name : "?";
}

/* The line, or a part of it with the mark in its middle, and dots for what is left out. */
static void show_source(const struct ng_error *err)
{
	size_t len = strlen(err->source), from = 0, to = len;
	size_t mark = (size_t)err->column - 1 - err->source_at;

	if (mark > len)
		mark = len + 1; /* not there */
	if (len > LINE_MAX_SHOWN) {
		from = mark > len || mark < LINE_PART / 2 ? 0 : mark - LINE_PART / 2;
		from = char_start(err->source, from);
		to = from + LINE_PART < len ? char_start(err->source, from + LINE_PART) : len;
	}
	fprintf(stderr, "  %s%.*s%s\n", from ? ".." : "", (int)(to - from), err->source + from,
		to < len ? ".." : "");
	if (mark > len)
		return;
	fputs(from ? "    " : "  ", stderr);
	for (size_t i = from; i < mark; i++)
		if (!is_continuation(err->source[i]))
			fputc(err->source[i] == '\t' ? '\t' : ' ', stderr);
	fputs("^\n", stderr);
}

static void show_text(struct ng_error *err)
{
	char *const part[] = { err->file,   err->object, err->what,
			       err->source, err->why,	 err->try_this };

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		ng_text_tame(part[i], true);
	fprintf(stderr, "nicgate: %serror:%s ", ng_log_color ? RED : "", ng_log_color ? PLAIN : "");
	if (err->line)
		fprintf(stderr, "%s:%u:%u: ", err->file, err->line, err->column);
	if (err->object[0])
		fprintf(stderr, "%s: ", err->object);
	fprintf(stderr, "%s", err->what);
	if (err->errnum)
		fprintf(stderr, ": %s [%s]", errno_words(err->errnum), errno_name(err->errnum));
	fputc('\n', stderr);
	if (err->line)
		show_source(err);
	show_lines("why:", err->why);
	show_lines("try:", err->try_this);
}

static void show_json_lines(struct ng_out *out, const char *key, const char *lines)
{
	char line[sizeof(((struct ng_error *)0)->why)];

	ng_out_array(out, key);
	for (const char *p = lines; *p;) {
		size_t n = strcspn(p, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, p);
		ng_out_str(out, NULL, NULL, line);
		p += n + (p[n] == '\n');
	}
	ng_out_array_end(out);
}

static void show_json(const struct ng_error *err, bool pretty)
{
	struct ng_out *out = ng_out_new(true, pretty);

	if (!out)
		return;
	ng_out_begin(out);
	ng_out_object(out, "error", NULL);
	ng_out_u64(out, "exit", NULL, err->exit);
	if (err->errnum)
		ng_out_str(out, "errno", NULL, errno_name(err->errnum));
	ng_out_str(out, "object", NULL, err->object);
	ng_out_str(out, "what", NULL, err->what);
	show_json_lines(out, "why", err->why);
	show_json_lines(out, "try", err->try_this);
	if (err->line) {
		ng_out_str(out, "file", NULL, err->file);
		ng_out_u64(out, "line", NULL, err->line);
		ng_out_u64(out, "column", NULL, err->column);
		ng_out_str(out, "source", NULL, err->source);
		if (err->source_at)
			ng_out_u64(out, "source_column", NULL, err->source_at + 1);
	}
	ng_out_object_end(out);
	ng_out_end(out, NULL);
	ng_out_free(out);
}

void ng_err_show(const struct ng_error *err, bool json, bool pretty)
{
	struct ng_error e = *err;

	if (json)
		show_json(&e, pretty);
	else
		show_text(&e);
}

__attribute__((format(printf, 3, 0))) static void log_line(int level, const char *kind,
							   const char *fmt, va_list ap)
{
	bool color = ng_log_color && level < 0;
	char *text;

	if (ng_log_level < level || vasprintf(&text, fmt, ap) < 0)
		return;
	fprintf(stderr, "nicgate: %s%s%s%s\n", color ? YELLOW : "", kind, color ? PLAIN : "",
		ng_text_tame(text, true));
	free(text);
}

#define LOG_FUNCTION(name, level, kind)                                                            \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		log_line(level, kind, fmt, ap);                                                    \
		va_end(ap);                                                                        \
	}

LOG_FUNCTION(ng_warn, -1, "warning: ")
LOG_FUNCTION(ng_note, 0, "")
LOG_FUNCTION(ng_debug, 1, "")
LOG_FUNCTION(ng_trace, 2, "trace: ")
