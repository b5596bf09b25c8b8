// SPDX-License-Identifier: GPL-2.0-only
/* Reads what `nicgate -j acl list` prints: its entries as objects, or prefixes as strings. */
#include <stdio.h>
#include <string.h>

#include "ctl/policy/json_cursor.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	int field; /* enum ng_acl_field; -1: not read */
} names[] = {
	{ "direction", NG_ACL_DIR },
	{ "dir", NG_ACL_DIR },
	{ "side", NG_ACL_SIDE },
	{ "prefix", NG_ACL_PREFIX },
	{ "proto", NG_ACL_PROTO },
	{ "port", NG_ACL_PORT },
	{ "verdict", NG_ACL_VERDICT },
	{ "timeout", NG_ACL_TIMEOUT },
	{ "comment", NG_ACL_COMMENT },
	{ "packets", -1 },
	{ "bytes", -1 },
	{ "idle_seconds", -1 },
	{ "expires_seconds", -1 },
};

/* One entry while it is read. */
struct entry {
	struct ng_reader *r;
	const char *at; /* of the object, or of the string */
	struct ng_acl_words said;
};

static bool refuse_field(struct entry *e, const char *key, struct ng_bad_word *bad)
{
	struct ng_span v = ng_json_find(e->r, e->at, key);
	bool string = v.len && *v.at == '"';

	if (bad->at + string >= v.len)
		bad->at = 0;
	if (!bad->len)
		bad->len = v.len - bad->at - (string ? 2 : 0);
	ng_reader_bad(e->r, v.at + string, bad);
	return false;
}

static bool refuse_key(struct entry *e, const char *key)
{
	static const char *const valid[] = { "direction", "side",    "prefix",	"proto", "port",
					     "verdict",	  "timeout", "comment", NULL };
	struct ng_span v = ng_json_find(e->r, e->at, key);

	ng_reader_refuse(e->r, v.at, v.len, "unknown key '%s'", key);
	ng_reader_choice(e->r, key, strlen(key), valid);
	return false;
}

/* A string or a whole number as text; NULL: it is neither. */
static const char *text_of(const json_t *v, char number[24], size_t *len)
{
	if (json_is_string(v)) {
		*len = json_string_length(v);
		return json_string_value(v);
	}
	if (!json_is_integer(v))
		return NULL;
	*len = (size_t)snprintf(number, 24, "%lld", (long long)json_integer_value(v));
	return number;
}

static bool read_value(struct entry *e, const char *key, int field, const json_t *v)
{
	struct ng_bad_word bad = { 0 };
	char number[24];
	size_t len = 0;
	const char *text = text_of(v, number, &len);

	if (field < 0 || json_is_null(v))
		return true;
	if (!text) {
		ng_bad_word(&bad, 0, "'%s' is a string or a whole number", key);
		return refuse_field(e, key, &bad);
	}
	if (ng_acl_has(&e->said, field)) {
		ng_bad_word(&bad, 0, "'%s' is given twice", key);
		return refuse_field(e, key, &bad);
	}
	if (ng_acl_field_read(&e->said, field, text, len, &bad))
		return refuse_field(e, key, &bad);
	if (field == NG_ACL_COMMENT && len)
		e->said.comment = ng_reader_keep(e->r, text, len);
	return true;
}

static bool read_object(struct entry *e, json_t *object)
{
	const char *key;
	json_t *v;

	json_object_foreach(object, key, v)
	{
		size_t i = 0;

		while (i < COUNT(names) && strcmp(key, names[i].name))
			i++;
		if (i == COUNT(names))
			return refuse_key(e, key);
		if (!read_value(e, key, names[i].field, v))
			return false;
	}
	if (ng_acl_has(&e->said, NG_ACL_PREFIX))
		return true;
	ng_reader_refuse(e->r, e->at, 1, "the entry has no 'prefix'");
	return false;
}

static void read_entry(struct ng_json *j)
{
	struct entry e = { .r = j->r, .said = ng_acl_words_none() };
	struct ng_entry entry;
	struct ng_span prefix;
	json_t *v;
	bool good = false;

	ng_json_peek(j);
	e.at = j->at;
	v = ng_json_value(j);
	if (!v)
		return;
	if (json_is_string(v))
		good = read_value(&e, "prefix", NG_ACL_PREFIX, v);
	else if (json_is_object(v))
		good = read_object(&e, v);
	else
		ng_reader_refuse(j->r, e.at, (size_t)(j->at - e.at),
				 "an entry is an object, or a prefix in quotes");
	json_decref(v);
	if (!good)
		return;
	entry = ng_reader_said(j->r, e.at, &e.said);
	prefix = (struct ng_span){ e.at, (size_t)(j->at - e.at) };
	ng_reader_add_words(j->r, &entry, prefix.at, prefix.len);
}

static void read_entries(struct ng_json *j)
{
	bool first = true;

	if (!ng_json_enter(j, '['))
		return;
	while (!j->r->broken && !j->r->no_memory && ng_json_more(j, ']', &first))
		read_entry(j);
}

static void read_schema(struct ng_json *j)
{
	const char *at = (ng_json_peek(j), j->at);
	json_t *v = ng_json_value(j);

	if (v && json_integer_value(v) != 1) {
		ng_reader_break(j->r, at, (size_t)(j->at - at), "another schema than 1");
		ng_reader_why(j->r, "the text is of a nicgate that this one does not know");
	}
	json_decref(v);
}

static void read_top(struct ng_json *j)
{
	char key[NG_JSON_KEY_MAX];
	bool first = true, found = false;

	if (!ng_json_enter(j, '{'))
		return;
	while (!j->r->broken && !j->r->no_memory && ng_json_more(j, '}', &first) &&
	       ng_json_key(j, key)) {
		if (!strcmp(key, "entries")) {
			read_entries(j);
			found = true;
		} else if (!strcmp(key, "schema")) {
			read_schema(j);
		} else {
			json_decref(ng_json_value(j));
		}
	}
	if (!found && !j->r->broken)
		ng_reader_break(j->r, j->r->text, 0, "no 'entries' are in this object");
}

void ng_read_json(struct ng_reader *r)
{
	struct ng_json j = { r, r->text };

	if (ng_json_peek(&j) == '[')
		read_entries(&j);
	else
		read_top(&j);
	if (!r->no_memory)
		ng_json_end(&j);
}
