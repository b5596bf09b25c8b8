// SPDX-License-Identifier: GPL-2.0-only
/* From the words and options of a verb to classic BPF. */
#include "ctl/cmd/expression.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/file.h"
#include "ctl/filter/bytecode.h"
#include "ctl/filter/cfg.h"

#define DLT_ETHERNET 1
#define FILE_MAX     (16u << 20)

bool ng_expression_option(struct ng_expression *e, int id, const char *value)
{
	switch (id) {
	case 'F':
		e->file = value;
		return true;
	case NG_OPT_BYTECODE:
		e->bytecode = value;
		return true;
	case NG_OPT_STRICT_PCAP:
		e->flags |= NG_FILTER_STRICT;
		return true;
	case NG_OPT_NO_OPTIMIZE:
		e->flags |= NG_FILTER_PLAIN;
		return true;
	default:
		return false;
	}
}

static int join(struct ng_expression *e, char **word, int words, struct ng_error *err)
{
	size_t size = 1, used = 0;

	for (int i = 0; i < words; i++)
		size += strlen(word[i]) + 1;
	e->text = malloc(size);
	if (!e->text)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "expression", "cannot be read");
	for (int i = 0; i < words; i++)
		used += (size_t)snprintf(e->text + used, size - used, "%s%s", i ? " " : "",
					 word[i]);
	e->len = used;
	return 0;
}

/* Comments from # to the end of the line become blanks, so that positions stay. */
static void blank_comments(char *text)
{
	for (char *p = strchr(text, '#'); p; p = strchr(p, '#'))
		while (*p && *p != '\n')
			*p++ = ' ';
}

static const char *file_name(const struct ng_expression *e)
{
	const char *name = e->bytecode ? e->bytecode : e->file;

	if (!name)
		return "expression";
	return strcmp(name, "-") ? name : "stdin";
}

/* What some editors put in front of UTF-8 becomes blanks, too. */
static void blank_byte_order_mark(char *text)
{
	if (!strncmp(text, "\xef\xbb\xbf", 3))
		memset(text, ' ', 3);
}

static int read_text(struct ng_expression *e, struct ng_error *err)
{
	int rc =
		ng_read_file(e->bytecode ? e->bytecode : e->file, FILE_MAX, &e->text, &e->len, err);

	if (rc)
		return rc;
	if (memchr(e->text, '\0', e->len))
		return ng_err(err, NG_EXIT_USAGE, 0, file_name(e), "it is no text");
	blank_byte_order_mark(e->text);
	if (!e->bytecode)
		blank_comments(e->text);
	return 0;
}

int ng_expression_read(struct ng_expression *e, const struct ng_verb *verb, int words, char **word,
		       struct ng_error *err)
{
	const char *option = e->bytecode ? "--bytecode" : "-F";

	if (e->file && e->bytecode)
		return ng_usage(err, verb, "the filter comes from -F %s or from --bytecode %s",
				e->file, e->bytecode);
	if ((e->file || e->bytecode) && words)
		return ng_usage(err, verb, "the expression comes from %s %s or from '%s', not both",
				option, e->bytecode ? e->bytecode : e->file, word[0]);
	if (e->file || e->bytecode)
		return read_text(e, err);
	return words ? join(e, word, words, err) : 0;
}

static int compile_bytecode(const struct ng_expression *e, struct ng_cbpf *out,
			    struct ng_error *err)
{
	struct ng_cbpf filter;
	struct ng_cfg cfg;
	int rc = ng_bytecode_parse(e->text, e->len, file_name(e), &filter, err);

	if (rc)
		return rc;
	rc = ng_cfg_build(&filter, &cfg, err);
	if (rc) {
		snprintf(err->object, sizeof(err->object), "%s", file_name(e));
		ng_cbpf_free(&filter);
		return rc;
	}
	ng_cfg_free(&cfg);
	*out = filter;
	return 0;
}

/* An option behind the expression would be taken for a part of it. */
static void hint_late_option(const struct ng_expression *e, struct ng_error *err)
{
	const char *p = !e->file && e->text ? strstr(e->text, " -") : NULL;

	if (p && p[2] != ' ')
		ng_err_try(err, "options before the expression: %.*s .. EXPR",
			   (int)strcspn(p + 1, " "), p + 1);
}

/*
 * "src in @FILE": the sets of expressions are files. Each is read once, however often it is named:
 * a pipe has nothing more to say, and a file could have changed.
 */
struct sets {
	const struct ng_expression *e;
	struct set {
		struct set *next;
		char *text, name[];
	} * first;
};

/* *text: malloc'ed. */
static int read_set(const struct sets *s, const char *name, char **text, struct ng_error *err)
{
	bool is_stdin = !strcmp(name, "-");
	size_t len;
	int rc;

	if (is_stdin && s->e->file && !strcmp(s->e->file, "-"))
		return ng_err(err, NG_EXIT_USAGE, 0, "stdin", "it is the expression already");
	rc = ng_read_file(name, FILE_MAX, text, &len, err);
	if (rc)
		return rc;
	if (memchr(*text, '\0', len)) {
		free(*text);
		return ng_err(err, NG_EXIT_USAGE, 0, is_stdin ? "stdin" : name, "it is no text");
	}
	blank_byte_order_mark(*text);
	return 0;
}

static int find_set(void *to, const char *name, char **text, struct ng_error *err)
{
	struct sets *s = to;
	struct set *set = s->first;
	int rc;

	while (set && strcmp(set->name, name))
		set = set->next;
	if (!set) {
		set = malloc(sizeof(*set) + strlen(name) + 1);
		if (!set)
			return ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot be read");
		rc = read_set(s, name, &set->text, err);
		if (rc) {
			free(set);
			return rc;
		}
		memcpy(set->name, name, strlen(name) + 1);
		set->next = s->first;
		s->first = set;
	}
	*text = strdup(set->text);
	return *text ? 0 : ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot be read");
}

static void free_sets(struct sets *s)
{
	for (struct set *set = s->first, *next; set; set = next) {
		next = set->next;
		free(set->text);
		free(set);
	}
}

int ng_expression_compile(const struct ng_expression *e, unsigned int snaplen, struct ng_cbpf *out,
			  struct ng_error *err)
{
	struct sets sets = { .e = e };
	const struct ng_filter_names names = { .find = find_set, .to = &sets };
	int rc;

	if (e->bytecode)
		return compile_bytecode(e, out, err);
	rc = ng_filter_compile_named(e->text, file_name(e), DLT_ETHERNET, snaplen, e->flags, &names,
				     out, err);
	free_sets(&sets);
	if (rc)
		hint_late_option(e, err);
	return rc;
}

const char *ng_expression_words(const struct ng_expression *e, char *buf, size_t size)
{
	if (!e->bytecode)
		return e->text;
	snprintf(buf, size, "bytecode %s", file_name(e));
	return buf;
}

void ng_expression_free(struct ng_expression *e)
{
	free(e->text);
	e->text = NULL;
}
