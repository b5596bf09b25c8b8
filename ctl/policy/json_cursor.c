// SPDX-License-Identifier: GPL-2.0-only
/* A walk over JSON text, its members decoded by jansson. */
#include "ctl/policy/json_cursor.h"

#include <stdio.h>
#include <string.h>

char ng_json_peek(struct ng_json *j)
{
	while (j->at < j->r->end && strchr(" \t\r\n", *j->at))
		j->at++;
	return j->at < j->r->end ? *j->at : '\0';
}

static bool cut_short(struct ng_json *j)
{
	ng_reader_break(j->r, j->r->end, 0, "the text ends too early");
	ng_reader_why(j->r, "the rest of the file is missing");
	return false;
}

static bool unexpected(struct ng_json *j, const char *wanted)
{
	if (j->at == j->r->end)
		return cut_short(j);
	ng_reader_break(j->r, j->at, 1, "'%c': here should be %s", *j->at, wanted);
	return false;
}

bool ng_json_enter(struct ng_json *j, char bracket)
{
	if (ng_json_peek(j) != bracket)
		return unexpected(j, bracket == '{' ? "an object, { .. }" : "an array, [ .. ]");
	j->at++;
	return true;
}

bool ng_json_more(struct ng_json *j, char closing, bool *first)
{
	char c = ng_json_peek(j);

	if (c == closing) {
		j->at++;
		return false;
	}
	if (!*first) {
		if (c != ',')
			return unexpected(j, closing == '}' ? "a comma or }" : "a comma or ]");
		j->at++;
		ng_json_peek(j);
	}
	*first = false;
	return true;
}

json_t *ng_json_value(struct ng_json *j)
{
	size_t left = (ng_json_peek(j), (size_t)(j->r->end - j->at)), at;
	json_error_t error;
	json_t *v = json_loadb(j->at, left,
			       JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES,
			       &error);

	at = error.position > 0 ? (size_t)error.position : 0;
	if (v) {
		j->at += at;
		return v;
	}
	if (json_error_code(&error) == json_error_out_of_memory)
		j->r->no_memory = true;
	else if (json_error_code(&error) == json_error_premature_end_of_input)
		cut_short(j);
	else if (json_error_code(&error) == json_error_invalid_utf8)
		ng_reader_break(j->r, j->at + (at < left ? at : 0), 1, "this is not UTF-8");
	else
		ng_reader_break(j->r, j->at + (at && at <= left ? at - 1 : 0), 1, "JSON: %s",
				error.text);
	return NULL;
}

bool ng_json_key(struct ng_json *j, char key[NG_JSON_KEY_MAX])
{
	json_t *k;

	if (ng_json_peek(j) != '"')
		return unexpected(j, "a key in quotes");
	k = ng_json_value(j);
	if (!k)
		return false;
	snprintf(key, NG_JSON_KEY_MAX, "%s", json_string_value(k));
	json_decref(k);
	if (ng_json_peek(j) != ':')
		return unexpected(j, "a colon");
	j->at++;
	return true;
}

static bool skip_string(struct ng_json *j)
{
	for (j->at++; j->at < j->r->end && *j->at != '"'; j->at++)
		j->at += *j->at == '\\' && j->at + 1 < j->r->end;
	if (j->at == j->r->end)
		return cut_short(j);
	j->at++;
	return true;
}

bool ng_json_skip(struct ng_json *j)
{
	size_t depth = 0;

	do {
		char c = ng_json_peek(j);

		if (!c)
			return cut_short(j);
		if (c == '"') {
			if (!skip_string(j))
				return false;
			continue;
		}
		if ((c == '}' || c == ']') && !depth)
			return unexpected(j, "a value");
		depth += (c == '{' || c == '[');
		depth -= (c == '}' || c == ']');
		j->at++;
		/* The rest of a number or of a word. */
		while (!strchr("{}[]", c) && j->at < j->r->end &&
		       !strchr(" \t\r\n{}[],:\"", *j->at))
			j->at++;
	} while (depth);
	return true;
}

void ng_json_end(struct ng_json *j)
{
	if (!j->r->broken && ng_json_peek(j)) {
		ng_reader_break(j->r, j->at, 1, "'%c' behind the end of the JSON text", *j->at);
		ng_reader_why(j->r, "the table is one object or one array");
	}
}

struct ng_span ng_json_find(struct ng_reader *r, const char *at, const char *key)
{
	struct ng_json j = { r, at };
	char name[NG_JSON_KEY_MAX];
	bool first = true;

	if (ng_json_peek(&j) == '{') {
		ng_json_enter(&j, '{');
		while (ng_json_more(&j, '}', &first) && ng_json_key(&j, name)) {
			const char *value = (ng_json_peek(&j), j.at);

			if (!ng_json_skip(&j))
				break;
			if (!strcmp(name, key))
				return (struct ng_span){ value, (size_t)(j.at - value) };
		}
	}
	j.at = at;
	ng_json_skip(&j);
	return (struct ng_span){ at, (size_t)(j.at - at) };
}
