// SPDX-License-Identifier: GPL-2.0-only
/* Strict option parsing over a table, and the table as help. */
#include "ctl/base/opts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/base/words.h"

#define OPTS_MAX 64

static int unknown(const struct ng_opts *o, const char *word, const char *name,
		   struct ng_error *err)
{
	const char *names[OPTS_MAX + 1] = { NULL };
	const char *close;
	char list[512];
	size_t n = 0;

	for (const struct ng_opt *t = o->table; t->name && n < OPTS_MAX; t++)
		names[n++] = t->name;
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "unknown option '%s'", word);
	close = name ? ng_words_closest(name, names) : NULL;
	if (close)
		ng_err_why(err, "did you mean '--%s'?", close);
	if (n)
		ng_err_why(err, "options here: --%s",
			   ng_words_join_by(names, ", --", list, sizeof(list)));
	else
		ng_err_why(err, "there are no options here");
	return -EINVAL;
}

static int take_value(struct ng_opts *o, const char *option, const struct ng_opt *t,
		      const char **value, struct ng_error *err)
{
	if (o->next >= o->argc)
		return ng_err(err, NG_EXIT_USAGE, 0, NULL, "option '%s' needs a value: %s", option,
			      t->value);
	*value = o->argv[o->next++];
	return t->id;
}

static int next_long(struct ng_opts *o, const char *word, const char **value, struct ng_error *err)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct ng_opt *t = o->table;
	char copy[64];

	while (t->name && (strlen(t->name) != len || strncmp(t->name, name, len)))
		t++;
	snprintf(copy, sizeof(copy), "%.*s", (int)len, name);
	if (!t->name)
		return unknown(o, word, copy, err);
	o->next++;
	if (name[len]) {
		if (t->arg == NG_OPT_NONE)
			return ng_err(err, NG_EXIT_USAGE, 0, NULL, "option '--%s' takes no value",
				      t->name);
		*value = name + len + 1;
		return t->id;
	}
	return t->arg == NG_OPT_VALUE ? take_value(o, word, t, value, err) : t->id;
}

static int next_letter(struct ng_opts *o, const char **value, struct ng_error *err)
{
	const char option[] = { '-', *o->letters, '\0' };
	const struct ng_opt *t = o->table;

	while (t->name && t->id != *o->letters)
		t++;
	if (!t->name)
		return unknown(o, option, NULL, err);
	o->letters++;
	if (*o->letters && t->arg != NG_OPT_VALUE)
		return t->id;
	o->next++;
	if (*o->letters)
		*value = o->letters;
	o->letters = NULL;
	return t->arg == NG_OPT_VALUE && !*value ? take_value(o, option, t, value, err) : t->id;
}

int ng_opts_next(struct ng_opts *o, const char **value, struct ng_error *err)
{
	const char *word;

	*value = NULL;
	if (o->letters)
		return next_letter(o, value, err);
	word = o->next < o->argc && !o->ended ? o->argv[o->next] : NULL;
	if (!word || word[0] != '-' || !word[1])
		return 0;
	if (!strcmp(word, "--")) {
		o->next++;
		o->ended = true;
		return 0;
	}
	if (word[1] == '-')
		return next_long(o, word, value, err);
	o->letters = word + 1;
	return next_letter(o, value, err);
}

int ng_opts_next_mixed(struct ng_opts *o, const char **value, struct ng_error *err)
{
	int id = ng_opts_next(o, value, err);

	while (!id && o->next < o->argc) {
		o->argv[o->words++] = o->argv[o->next++];
		id = ng_opts_next(o, value, err);
	}
	return id;
}

void ng_opts_help(const struct ng_opt *table)
{
	char left[64];

	for (const struct ng_opt *t = table; t->name; t++) {
		bool letter = t->id < 256, optional = t->arg == NG_OPT_OPTIONAL;

		snprintf(left, sizeof(left), "%c%c%s--%s%s%s%s", letter ? '-' : ' ',
			 letter ? t->id : ' ', letter ? ", " : "  ", t->name,
			 optional ? "[="
			 : t->arg ? " "
				  : "",
			 t->arg ? t->value : "", optional ? "]" : "");
		printf("  %-32s %s\n", left, t->help);
	}
}
