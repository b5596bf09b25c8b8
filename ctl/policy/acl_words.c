// SPDX-License-Identifier: GPL-2.0-only
/* ACL clauses: words to keys and back. */
#include "ctl/policy/acl_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/base/words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const leading[] = { "pass", "drop",	"count", "in",	   "out",    "src", "dst",
				       "deny", "block", "allow", "permit", "accept", NULL };

/* What may follow the prefix. */
static const struct {
	const char *word;
	enum ng_acl_field field;
	const char *missing, *hint;
} match[] = {
	{ "proto", NG_ACL_PROTO, "a protocol",
	  "tcp, udp, sctp, icmp, icmp6, gre, esp or a number from 0 to 255" },
	{ "port", NG_ACL_PORT, "a port", "443 or 8000-8099" },
	{ "timeout", NG_ACL_TIMEOUT, "a duration", "10m, 1h30m, 2d or a number of seconds" },
	{ "comment", NG_ACL_COMMENT, "the text", "comment \"what it is for\"" },
};

/* Reads words from left to right. */
struct reader {
	enum ng_acl_form form;
	int argc, at;
	char **argv;
	struct ng_acl_words w;
	struct ng_bad_word *bad;
};

static const char *word_at(const struct reader *r)
{
	return r->at < r->argc ? r->argv[r->at] : NULL;
}

/* The word here is this field, and is taken. */
static int take(struct reader *r, enum ng_acl_field field)
{
	const char *word = word_at(r);
	int err = ng_acl_field_read(&r->w, field, word, strlen(word), r->bad);

	if (!err)
		r->at++;
	return err;
}

static int read_verdict(struct reader *r)
{
	if (r->form == NG_ACL_FORM_LINE || r->form == NG_ACL_FORM_FILE) {
		if (word_at(r))
			take(r, NG_ACL_VERDICT); /* or it is something else */
		return 0;
	}
	if (r->form != NG_ACL_FORM_ADD)
		return 0;
	if (word_at(r))
		return take(r, NG_ACL_VERDICT);
	ng_bad_word(r->bad, 0, "a verdict is missing");
	return ng_bad_hint(r->bad, "pass, drop or count");
}

static void read_place(struct reader *r)
{
	static const enum ng_acl_field place[] = { NG_ACL_DIR, NG_ACL_SIDE };
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < COUNT(place); i++)
			more |= word_at(r) && !ng_acl_has(&r->w, place[i]) && !take(r, place[i]);
	}
}

static int missing_prefix(struct reader *r)
{
	bool one = r->form == NG_ACL_FORM_TEST;

	if (r->form == NG_ACL_FORM_FILE)
		return ng_bad_word(r->bad, 0, "the name of a file is missing (-: standard input)");
	ng_bad_word(r->bad, 0, "%s is missing", one ? "an address" : "a prefix");
	return ng_bad_hint(r->bad,
			   one ? "192.0.2.1 or 2001:db8::1" : "192.0.2.0/24 or 2001:db8::/32");
}

static int read_list(struct reader *r, const char *name)
{
	if (!name[0])
		return word_at(r)[0]
			       ? ng_bad_word(r->bad, 1, "the name of a file is missing behind @")
			       : ng_bad_word(r->bad, 0, "the name of the file is empty");
	r->w.list = name;
	r->at++;
	return 0;
}

/* A word where the prefix should be, and that may be a mistyped word of those before it. */
static int read_line_prefix(struct reader *r)
{
	const char *word = word_at(r);
	int err = take(r, NG_ACL_PREFIX);

	if (!err || !isalpha((unsigned char)word[0]) || strpbrk(word, ":./"))
		return err;
	ng_bad_word(r->bad, 0, "'%s' is neither a prefix nor a word before one", word);
	return ng_bad_choice(r->bad, word, leading);
}

static int read_prefix(struct reader *r)
{
	const char *word = word_at(r);
	int err;

	if (!word)
		return missing_prefix(r);
	if (r->form == NG_ACL_FORM_LINE)
		return read_line_prefix(r);
	if (r->form == NG_ACL_FORM_FILE || (r->form == NG_ACL_FORM_ADD && word[0] == '@') ||
	    (r->form == NG_ACL_FORM_ADD && !strcmp(word, "-")))
		return read_list(r, word[0] == '@' ? word + 1 : word);
	if (r->form == NG_ACL_FORM_ADD)
		return take(r, NG_ACL_PREFIX);
	err = r->form == NG_ACL_FORM_TEST
		      ? ng_address_parse(word, strlen(word), &r->w.key.prefix, r->bad)
		      : ng_prefix_parse(word, strlen(word), &r->w.key.prefix, &r->w.masked, r->bad);
	if (!err)
		r->at++;
	return err;
}

static size_t matches(const struct reader *r)
{
	return r->form == NG_ACL_FORM_KEY || r->form == NG_ACL_FORM_TEST ? 2 : COUNT(match);
}

static int unknown_word(struct reader *r, const char *word)
{
	const char *valid[COUNT(match) + 1] = { NULL };
	char list[64];

	ng_bad_word(r->bad, 0, "unknown word '%s'", word);
	for (size_t i = 0; i < matches(r); i++)
		valid[i] = match[i].word;
	if (r->form == NG_ACL_FORM_LINE)
		return ng_bad_choice(r->bad, word, valid);
	return ng_bad_hint(r->bad, "valid here: %s", ng_words_join(valid, list, sizeof(list)));
}

static int one_port(struct reader *r)
{
	const char *word = r->argv[r->at - 1], *dash = strchr(word, '-');

	if (r->form != NG_ACL_FORM_TEST || !dash)
		return 0;
	r->at--;
	return ng_bad_word(r->bad, (size_t)(dash - word), "unexpected character behind a port");
}

static int read_match(struct reader *r)
{
	const char *word = word_at(r);
	int err;

	for (size_t i = 0; i < matches(r); i++) {
		if (strcmp(word, match[i].word))
			continue;
		if (ng_acl_has(&r->w, match[i].field))
			return ng_bad_word(r->bad, 0, "'%s' is given twice", word);
		r->at++;
		if (!word_at(r)) {
			ng_bad_word(r->bad, 0, "%s is missing behind '%s'", match[i].missing, word);
			return ng_bad_hint(r->bad, "%s", match[i].hint);
		}
		err = take(r, match[i].field);
		return !err && match[i].field == NG_ACL_PORT ? one_port(r) : err;
	}
	return unknown_word(r, word);
}

/* Where a word stands that the user typed. */
static int find_word(const struct reader *r, const char *word)
{
	int i = 0;

	while (i < r->argc && strcmp(r->argv[i], word))
		i++;
	return i;
}

static int check(struct reader *r)
{
	const struct ng_acl_words *w = &r->w;
	enum ng_family family = w->list	      ? NG_FAMILY_MAX
				: w->is_range ? w->range.family
					      : w->key.prefix.family;
	enum ng_acl_field field;

	if (!ng_acl_fields_check(w, family, &field, r->bad))
		return 0;
	r->at = field == NG_ACL_PORT ? find_word(r, "port") : find_word(r, "proto") + 1;
	return -EINVAL;
}

int ng_acl_words_parse(enum ng_acl_form form, int argc, char **argv, struct ng_acl_words *out,
		       struct ng_bad_word *bad)
{
	struct reader r = {
		.form = form, .argc = argc, .argv = argv, .w = ng_acl_words_none(), .bad = bad
	};
	int err = read_verdict(&r);

	if (!err) {
		read_place(&r);
		err = read_prefix(&r);
	}
	while (!err && r.at < argc)
		err = read_match(&r);
	if (!err)
		err = check(&r);
	if (err) {
		bad->word = r.at;
		return err;
	}
	if (!r.w.list && !r.w.is_range)
		r.w.key = ng_acl_words_key(&r.w, &r.w.key.prefix);
	*out = r.w;
	return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words))
		words++;
	return *words;
}

bool ng_acl_word_leads(const char *word)
{
	return is_one_of(word, leading);
}

bool ng_acl_word_follows(const char *word)
{
	for (size_t i = 0; i < COUNT(match); i++)
		if (!strcmp(word, match[i].word))
			return true;
	return false;
}

void ng_acl_key_format(enum ng_dir dir, const struct ng_acl_key *key, char text[NG_ACL_KEY_TEXT])
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&key->prefix, prefix);
	ng_proto_format(key, proto);
	ng_port_format(key, port);
	snprintf(text, NG_ACL_KEY_TEXT, "%s %s %s%s%s%s%s", ng_dir_name[dir],
		 ng_side_name[key->side], prefix, key->any_proto ? "" : " proto ",
		 key->any_proto ? "" : proto, key->any_port ? "" : " port ",
		 key->any_port ? "" : port);
}
