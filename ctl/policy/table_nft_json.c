// SPDX-License-Identifier: GPL-2.0-only
/* Reads what `nft -j list set` and `nft -j list ruleset` print, see libnftables-json(5). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/policy/json_cursor.h"

#define ELEMENT_TEXT 128 /* ADDRESS-ADDRESS */

struct set {
	char name[64];
	bool v6, of_addresses;
	json_int_t timeout_s;
	const char *elements; /* NULL: none */
};

/* One element while it is read. */
struct element {
	struct ng_reader *r;
	struct ng_span at;
	struct ng_acl_words words;
};

static bool refuse(const struct element *e, const char *what)
{
	ng_reader_refuse(e->r, e->at.at, e->at.len, "%s", what);
	return false;
}

/* An address, {"prefix": {"addr": A, "len": N}}, {"range": [A, B]}. */
static bool value_text(const json_t *v, char text[ELEMENT_TEXT])
{
	const json_t *prefix = json_object_get(v, "prefix"), *range = json_object_get(v, "range");
	const char *a, *b;
	int n = -1;

	if (json_is_string(v)) {
		n = snprintf(text, ELEMENT_TEXT, "%s", json_string_value(v));
	} else if (prefix && json_is_integer(json_object_get(prefix, "len"))) {
		a = json_string_value(json_object_get(prefix, "addr"));
		if (a)
			n = snprintf(text, ELEMENT_TEXT, "%s/%" JSON_INTEGER_FORMAT, a,
				     json_integer_value(json_object_get(prefix, "len")));
	} else if (json_array_size(range) == 2) {
		a = json_string_value(json_array_get(range, 0));
		b = json_string_value(json_array_get(range, 1));
		if (a && b)
			n = snprintf(text, ELEMENT_TEXT, "%s-%s", a, b);
	}
	return n > 0 && n < ELEMENT_TEXT;
}

static bool read_seconds(const struct element *e, const json_t *v, json_int_t *seconds)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return refuse(e, "a timeout is a number of seconds");
	*seconds = json_integer_value(v);
	return true;
}

static bool read_comment(struct element *e, const json_t *v)
{
	struct ng_bad_word bad = { 0 };
	size_t len = json_string_length(v);

	if (!json_is_string(v))
		return refuse(e, "a comment is a string");
	if (ng_acl_field_read(&e->words, NG_ACL_COMMENT, json_string_value(v), len, &bad))
		return refuse(e, bad.what);
	if (len)
		e->words.comment = ng_reader_keep(e->r, json_string_value(v), len);
	return true;
}

/* {"elem": {"val": VALUE, "timeout": N, "expires": N, "comment": "..", "counter": {..}}} */
static bool read_elem(struct element *e, json_t *elem, json_int_t *timeout_s)
{
	json_int_t expires_s = 0;
	const char *key;
	json_t *v;

	json_object_foreach(elem, key, v)
	{
		bool good = true;

		if (!strcmp(key, "timeout"))
			good = read_seconds(e, v, timeout_s);
		else if (!strcmp(key, "expires"))
			good = read_seconds(e, v, &expires_s);
		else if (!strcmp(key, "comment"))
			good = read_comment(e, v);
		else if (strcmp(key, "val") && strcmp(key, "counter") && strcmp(key, "last"))
			good = refuse(e, "the element has a key that is not known");
		if (!good)
			return false;
	}
	if (expires_s)
		*timeout_s = expires_s;
	return true;
}

static bool read_element_value(struct element *e, const struct set *set, json_t *v)
{
	json_t *elem = json_object_get(v, "elem");
	struct ng_bad_word bad = { 0 };
	json_int_t timeout_s = set->timeout_s;
	char text[ELEMENT_TEXT];

	if (elem && !read_elem(e, elem, &timeout_s))
		return false;
	if (timeout_s)
		e->words.timeout_s = (__u32)timeout_s;
	if (!value_text(elem ? json_object_get(elem, "val") : v, text))
		return refuse(e, "neither an address, nor a prefix, nor a range");
	if (!strchr(text, ':') == set->v6) {
		ng_reader_refuse(e->r, e->at.at, e->at.len, "the set '%s' is of IPv%c", set->name,
				 set->v6 ? '6' : '4');
		return false;
	}
	if (!ng_acl_field_read(&e->words, NG_ACL_PREFIX, text, strlen(text), &bad))
		return true;
	bad.at = 0;
	bad.len = e->at.len;
	ng_reader_bad(e->r, e->at.at, &bad);
	return false;
}

static void read_element(struct ng_json *j, const struct set *set)
{
	struct ng_entry entry = ng_reader_entry(j->r, (ng_json_peek(j), j->at));
	struct element e = { j->r, { j->at, 0 }, entry.words };
	json_t *v = ng_json_value(j);
	bool good;

	if (!v)
		return;
	e.at.len = (size_t)(j->at - e.at.at);
	good = read_element_value(&e, set, v);
	json_decref(v);
	if (!good)
		return;
	entry.words = e.words;
	ng_reader_add_words(j->r, &entry, e.at.at, e.at.len);
}

static void read_elements(struct ng_reader *r, const struct set *set)
{
	struct ng_json j = { r, set->elements };
	bool first = true;

	if (!ng_json_enter(&j, '['))
		return;
	while (!r->broken && !r->no_memory && ng_json_more(&j, ']', &first))
		read_element(&j, set);
}

static void read_set_field(struct ng_json *j, struct set *set, const char *key)
{
	json_t *v = ng_json_value(j);

	if (!strcmp(key, "name") && json_is_string(v))
		snprintf(set->name, sizeof(set->name), "%s", json_string_value(v));
	if (!strcmp(key, "timeout") && json_is_integer(v) && json_integer_value(v) > 0 &&
	    json_integer_value(v) <= UINT32_MAX)
		set->timeout_s = json_integer_value(v);
	if (!strcmp(key, "type") && json_is_string(v)) {
		set->v6 = !strcmp(json_string_value(v), "ipv6_addr");
		set->of_addresses = set->v6 || !strcmp(json_string_value(v), "ipv4_addr");
	}
	json_decref(v);
}

/* The elements wait until all of the set is known. */
static void read_set(struct ng_json *j)
{
	const char *only = j->r->options->set;
	struct set set = { 0 };
	char key[NG_JSON_KEY_MAX];
	bool first = true;

	if (!ng_json_enter(j, '{'))
		return;
	while (!j->r->broken && ng_json_more(j, '}', &first) && ng_json_key(j, key)) {
		if (strcmp(key, "elem")) {
			read_set_field(j, &set, key);
			continue;
		}
		ng_json_peek(j);
		set.elements = j->at;
		if (!ng_json_skip(j))
			return;
	}
	set.of_addresses &= !only || !strcmp(only, set.name);
	j->r->table->count.sets += set.of_addresses;
	j->r->table->count.sets_left += !set.of_addresses;
	if (!j->r->broken && set.of_addresses && set.elements)
		read_elements(j->r, &set);
}

/* {"set": {..}}, {"chain": {..}} .. */
static void read_object(struct ng_json *j)
{
	char key[NG_JSON_KEY_MAX];
	bool first = true;

	if (!ng_json_enter(j, '{'))
		return;
	while (!j->r->broken && !j->r->no_memory && ng_json_more(j, '}', &first) &&
	       ng_json_key(j, key)) {
		if (strcmp(key, "set"))
			json_decref(ng_json_value(j));
		else
			read_set(j);
	}
}

void ng_read_nft_json(struct ng_reader *r)
{
	struct ng_json j = { r, r->text };
	char key[NG_JSON_KEY_MAX];
	bool first = true, first_key = true;

	if (!ng_json_enter(&j, '{'))
		return;
	while (!r->broken && !r->no_memory && ng_json_more(&j, '}', &first_key) &&
	       ng_json_key(&j, key)) {
		if (strcmp(key, "nftables")) {
			json_decref(ng_json_value(&j));
			continue;
		}
		if (!ng_json_enter(&j, '['))
			return;
		while (!r->broken && !r->no_memory && ng_json_more(&j, ']', &first))
			read_object(&j);
	}
	if (r->no_memory)
		return;
	ng_json_end(&j);
	if (!r->table->count.sets && !r->table->bad_lines)
		ng_reader_no_set(r);
}
