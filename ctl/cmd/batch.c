// SPDX-License-Identifier: GPL-2.0-only
/* Commands from a file, one a line. */
#include "ctl/cmd/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/words.h"

#define WORDS_MAX 256

struct line {
	const char *file;
	unsigned int number;
	const char *text; /* as it was read, before it is cut into words */
	size_t len;
};

static void place(const struct line *l, size_t at, struct ng_error *err)
{
	ng_err_at(err, l->file, l->number, (unsigned int)at + 1, l->text, l->len);
}

static int split_error(const struct line *l, int split, size_t at, struct ng_error *err)
{
	int rc = ng_err(err, NG_EXIT_USAGE, 0, NULL,
			split == NG_SPLIT_QUOTE ? "this quote is not closed" : "more than %d words",
			WORDS_MAX);

	place(l, at, err);
	return rc;
}

static int run_line(const struct line *l, char *cut,
		    int (*run)(int, char **, void *, struct ng_error *), void *arg,
		    struct ng_error *err)
{
	char *word[WORDS_MAX + 1];
	size_t n, at;
	int rc = ng_words_split(cut, word, WORDS_MAX, &n, &at);

	if (rc)
		return split_error(l, rc, at, err);
	if (!n)
		return 0;
	word[n] = NULL;
	rc = run((int)n, word, arg, err);
	if (rc && err->line) /* a filter has its own position; both count */
		ng_err_why(err, "in %s:%u: %.*s", l->file, l->number, (int)l->len, l->text);
	else if (rc)
		place(l, (size_t)(word[0] - cut), err);
	else if (err->exit)
		ng_warn("%s:%u: stopped here with status %d", l->file, l->number, err->exit);
	return rc;
}

static int run_file(FILE *f, const char *name, int (*run)(int, char **, void *, struct ng_error *),
		    void *arg, struct ng_error *err)
{
	struct line l = { .file = name };
	char *text = NULL, *cut = NULL;
	size_t size = 0;
	ssize_t n = 0;
	int rc = 0;

	while (!rc && !err->exit && (n = getline(&text, &size, f)) >= 0) {
		if (n && text[n - 1] == '\n')
			text[--n] = '\0';
		l.number++;
		l.text = text;
		l.len = (size_t)n;
		free(cut);
		cut = strdup(text);
		rc = cut ? run_line(&l, cut, run, arg, err)
			 : ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot read the next line");
	}
	if (n < 0 && ferror(f))
		rc = ng_err(err, NG_EXIT_FAILED, errno, name, "cannot read");
	free(cut);
	free(text);
	return rc;
}

int ng_batch(const char *file, int (*run)(int argc, char **argv, void *arg, struct ng_error *err),
	     void *arg, struct ng_error *err)
{
	FILE *f = stdin;
	int rc;

	if (!strcmp(file, "-"))
		return run_file(f, "stdin", run, arg, err);
	f = fopen(file, "re");
	if (!f)
		return ng_err(err, errno == ENOENT ? NG_EXIT_NOT_FOUND : NG_EXIT_FAILED, errno,
			      file, "cannot open the batch file");
	rc = run_file(f, file, run, arg, err);
	fclose(f);
	return rc;
}
