// SPDX-License-Identifier: GPL-2.0-only
/* Usage errors of all verbs: exit 2, what is wrong, what would be right. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/base/words.h"
#include "ctl/cmd/cmd.h"

#define FORMS_SHOWN 4 /* of a verb's usage; more would bury the message */

int ng_usage_word(struct ng_error *err, const char *verb, const char *word,
		  const char *const *valid)
{
	const char *close = ng_words_closest(word, valid);
	char list[512];

	ng_err(err, NG_EXIT_USAGE, 0, verb, "unknown word '%s'", word);
	if (close)
		ng_err_why(err, "did you mean '%s'?", close);
	ng_err_why(err, "valid here: %s", ng_words_join(valid, list, sizeof(list)));
	return -EINVAL;
}

int ng_usage(struct ng_error *err, const struct ng_verb *verb, const char *fmt, ...)
{
	const char *form = verb->usage;
	char what[sizeof(err->what)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ng_err(err, NG_EXIT_USAGE, 0, verb->name, "%s", what);
	for (int shown = 0; shown < FORMS_SHOWN && *form;) {
		size_t n = strcspn(form, "\n");

		if (*form != ' ' && *form != '\t' && n) {
			ng_err_try(err, "nicgate %.*s", (int)n, form);
			shown++;
		}
		form += n + (form[n] == '\n');
	}
	ng_err_try(err, "nicgate help %s", verb->name);
	return -EINVAL;
}
