// SPDX-License-Identifier: GPL-2.0-only
/* Reads what `ipset save` prints: create and add lines, see ipset(8). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/policy/table_reader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct set {
	struct ng_span name;
	bool taken; /* of addresses, and asked for */
	bool v6;
	int netmask;	 /* bits of an address without length; -1: all */
	__u32 timeout_s; /* of members without */
};

struct ipset {
	struct ng_reader *r;
	struct set *set;
	size_t n, room, last;
	struct ng_span line;
	const char *at; /* behind the words taken */
};

static const char *line_end(const struct ipset *s)
{
	return s->line.at + s->line.len;
}

static bool next_word(struct ipset *s, struct ng_span *word)
{
	return ng_span_word(&s->at, line_end(s), word);
}

/* The word behind an option. */
static bool next_value(struct ipset *s, const struct ng_span *option, struct ng_span *value)
{
	if (next_word(s, value))
		return true;
	ng_reader_refuse(s->r, line_end(s), 0, "a value is missing behind '%.*s'", (int)option->len,
			 option->at);
	return false;
}

static bool read_number(struct ipset *s, const struct ng_span *option, unsigned long max,
			unsigned long *out)
{
	struct ng_span value;
	unsigned long v = 0;
	size_t i = 0;

	if (!next_value(s, option, &value))
		return false;
	for (; i < value.len && value.at[i] >= '0' && value.at[i] <= '9' && v <= max; i++)
		v = v * 10 + (unsigned long)(value.at[i] - '0');
	if (i < value.len || v > max) {
		ng_reader_refuse(s->r, value.at, value.len, "%.*s: a number from 0 to %lu",
				 (int)option->len, option->at, max);
		return false;
	}
	*out = v;
	return true;
}

static bool find_set(struct ipset *s, const struct ng_span *name)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t k = (s->last + i) % s->n;

		if (s->set[k].name.len != name->len ||
		    memcmp(s->set[k].name.at, name->at, name->len))
			continue;
		s->last = k;
		return true;
	}
	return false;
}

static bool add_set(struct ipset *s, const struct set *set)
{
	if (s->n == s->room) {
		size_t more = s->room ? s->room * 2 : 16;
		struct set *bigger = realloc(s->set, more * sizeof(*bigger));

		if (!bigger) {
			s->r->no_memory = true;
			return false;
		}
		s->set = bigger;
		s->room = more;
	}
	s->last = s->n;
	s->set[s->n++] = *set;
	s->r->table->count.sets += set->taken;
	s->r->table->count.sets_left += !set->taken;
	return true;
}

static bool read_family(struct ipset *s, const struct ng_span *option, struct set *set)
{
	struct ng_span value;

	if (!next_value(s, option, &value))
		return false;
	set->v6 = ng_span_is(&value, "inet6");
	if (set->v6 || ng_span_is(&value, "inet"))
		return true;
	ng_reader_refuse(s->r, value.at, value.len, "'%.*s' is not a family", (int)value.len,
			 value.at);
	ng_reader_hint(s->r, "inet or inet6");
	return false;
}

static bool refuse_option(struct ipset *s, const struct ng_span *word, const char *const *valid)
{
	ng_reader_refuse(s->r, word->at, word->len, "unknown option '%.*s'", (int)word->len,
			 word->at);
	ng_reader_choice(s->r, word->at, word->len, valid);
	return false;
}

/* The options of a set of addresses. */
static bool read_set_options(struct ipset *s, struct set *set)
{
	static const char *const valid[] = { "family",	   "hashsize", "maxelem",  "timeout",
					     "netmask",	   "counters", "comment",  "skbinfo",
					     "bucketsize", "initval",  "forceadd", NULL };
	static const char *const flag[] = { "counters", "comment", "skbinfo",
					    "forceadd", "-exist",  "-!" };
	struct ng_span word, value;

	while (next_word(s, &word)) {
		unsigned long number;
		size_t i = 0;

		while (i < COUNT(flag) && !ng_span_is(&word, flag[i]))
			i++;
		if (i < COUNT(flag))
			continue;
		if (ng_span_is(&word, "family")) {
			if (!read_family(s, &word, set))
				return false;
		} else if (ng_span_is(&word, "timeout")) {
			if (!read_number(s, &word, UINT32_MAX, &number))
				return false;
			set->timeout_s = (__u32)number;
		} else if (ng_span_is(&word, "netmask")) {
			if (!read_number(s, &word, set->v6 ? 128 : 32, &number))
				return false;
			set->netmask = (int)number;
		} else if (ng_span_is(&word, "hashsize") || ng_span_is(&word, "maxelem") ||
			   ng_span_is(&word, "bucketsize") || ng_span_is(&word, "initval")) {
			if (!next_value(s, &word, &value))
				return false;
		} else {
			return refuse_option(s, &word, valid);
		}
	}
	return true;
}

static void read_create(struct ipset *s)
{
	struct set set = { .netmask = -1 };
	struct ng_span type;
	const char *only = s->r->options->set;

	if (!next_word(s, &set.name) || !next_word(s, &type)) {
		ng_reader_refuse(s->r, line_end(s), 0, "%s is missing behind 'create'",
				 set.name.len ? "the type of the set" : "the name of the set");
		return;
	}
	if (find_set(s, &set.name)) {
		ng_reader_refuse(s->r, set.name.at, set.name.len, "set '%.*s' is created twice",
				 (int)set.name.len, set.name.at);
		return;
	}
	set.taken = (ng_span_is(&type, "hash:net") || ng_span_is(&type, "hash:ip")) &&
		    (!only || ng_span_is(&set.name, only));
	if (!set.taken || read_set_options(s, &set))
		add_set(s, &set);
}

/* comment "text": up to the next quote, which ipset does not let be escaped. */
static bool read_comment(struct ipset *s, struct ng_acl_words *w)
{
	const char *at = s->at, *end = line_end(s), *close;
	struct ng_bad_word bad = { 0 };

	while (at < end && *at == ' ')
		at++;
	if (at == end || *at != '"') {
		ng_reader_refuse(s->r, at, 0, "a comment stands in quotes");
		return false;
	}
	close = memchr(at + 1, '"', (size_t)(end - at - 1));
	if (!close) {
		ng_reader_refuse(s->r, at, 1, "this quote is not closed");
		return false;
	}
	s->at = close + 1;
	if (!ng_acl_field_read(w, NG_ACL_COMMENT, at + 1, (size_t)(close - at - 1), &bad))
		return true;
	ng_reader_bad(s->r, at + 1, &bad);
	return false;
}

static bool refuse_nomatch(struct ipset *s, const struct ng_span *word,
			   const struct ng_span *member)
{
	ng_reader_refuse(s->r, word->at, word->len, "'nomatch': an exception from the set");
	ng_reader_why(s->r, "here, a longer prefix with another verdict is the exception");
	ng_reader_hint(s->r, "a line of words: pass %.*s", (int)member->len, member->at);
	return false;
}

static bool read_member_options(struct ipset *s, const struct ng_span *member,
				struct ng_acl_words *w)
{
	static const char *const valid[] = { "timeout", "comment", "packets",  "bytes", "nomatch",
					     "skbmark", "skbprio", "skbqueue", NULL };
	static const char *const value_of[] = { "skbmark", "skbprio", "skbqueue" };
	struct ng_span word, value;
	unsigned long number;

	while (next_word(s, &word)) {
		bool known = ng_span_is(&word, "-exist") || ng_span_is(&word, "-!");

		if (ng_span_is(&word, "timeout")) {
			known = read_number(s, &word, UINT32_MAX, &number);
			if (!known)
				return false;
			w->timeout_s = (__u32)number;
		} else if (ng_span_is(&word, "packets") || ng_span_is(&word, "bytes")) {
			known = read_number(s, &word, ~0ul / 16, &number);
			if (!known)
				return false;
		} else if (ng_span_is(&word, "comment")) {
			known = read_comment(s, w);
			if (!known)
				return false;
		} else if (ng_span_is(&word, "nomatch")) {
			return refuse_nomatch(s, &word, member);
		}
		for (size_t i = 0; !known && i < COUNT(value_of); i++)
			known = ng_span_is(&word, value_of[i]) && next_value(s, &word, &value);
		if (!known)
			return refuse_option(s, &word, valid);
	}
	return true;
}

/* A member of a set with `netmask` is a network of that length. */
static bool has_netmask(const struct set *set, const struct ng_span *member)
{
	return set->netmask >= 0 && !memchr(member->at, '-', member->len) &&
	       !memchr(member->at, '/', member->len);
}

static void add_network(struct ipset *s, const struct ng_entry *e, const struct set *set,
			const struct ng_span *member)
{
	struct ng_bad_word bad = { 0 };
	struct ng_entry net = *e;
	struct ng_prefix *p = &net.words.key.prefix;
	__u8 *byte = (__u8 *)p->addr_be;

	net.words.is_range = net.words.masked = false;
	if (ng_address_parse(member->at, member->len, p, &bad)) {
		ng_reader_bad(s->r, member->at, &bad);
		return;
	}
	for (int i = set->netmask; i < p->len; i++)
		byte[i / 8] &= (__u8) ~(0x80 >> i % 8);
	p->len = (__u8)set->netmask;
	ng_reader_add_words(s->r, &net, member->at, member->len);
}

static void read_add(struct ipset *s)
{
	struct ng_span name, member;
	struct ng_entry e;
	const struct set *set;

	if (!next_word(s, &name) || !next_word(s, &member)) {
		ng_reader_refuse(s->r, line_end(s), 0, "%s is missing behind 'add'",
				 name.len ? "the member" : "the name of the set");
		return;
	}
	if (!find_set(s, &name)) {
		ng_reader_refuse(s->r, name.at, name.len, "no line creates the set '%.*s'",
				 (int)name.len, name.at);
		return;
	}
	set = &s->set[s->last];
	if (!set->taken)
		return;
	e = ng_reader_entry(s->r, member.at);
	if (set->timeout_s)
		e.words.timeout_s = set->timeout_s;
	if (!read_member_options(s, &member, &e.words))
		return;
	if (!memchr(member.at, ':', member.len) == set->v6)
		ng_reader_refuse(s->r, member.at, member.len, "the set '%.*s' is of IPv%c",
				 (int)name.len, name.at, set->v6 ? '6' : '4');
	else if (has_netmask(set, &member))
		add_network(s, &e, set, &member);
	else
		ng_reader_add(s->r, &e, member.at, member.len);
}

static void read_line(struct ipset *s)
{
	static const char *const valid[] = { "create", "add", NULL };
	struct ng_span word;

	s->at = s->line.at;
	if (!next_word(s, &word) || *word.at == '#' || ng_span_is(&word, "COMMIT"))
		return;
	if (ng_span_is(&word, "create")) {
		read_create(s);
	} else if (ng_span_is(&word, "add")) {
		read_add(s);
	} else {
		ng_reader_refuse(s->r, word.at, word.len, "'%.*s' is not what ipset save prints",
				 (int)word.len, word.at);
		ng_reader_choice(s->r, word.at, word.len, valid);
	}
}

void ng_read_ipset(struct ng_reader *r)
{
	struct ipset s = { .r = r };
	const char *next = r->text;

	if (r->end > r->text && r->end[-1] != '\n') {
		ng_reader_break(r, r->end, 0, "the file ends within a line");
		ng_reader_why(r, "ipset save ends each line; the rest of the file is missing");
		return;
	}
	while (!r->no_memory && ng_reader_line(r, &next, &s.line))
		read_line(&s);
	if (!r->table->count.sets && !r->table->bad_lines)
		ng_reader_no_set(r);
	free(s.set);
}
