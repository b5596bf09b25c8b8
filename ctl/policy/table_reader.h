/* SPDX-License-Identifier: GPL-2.0-only */
/* For ctl/policy/table*.c only: what the readers of the formats share. */
#ifndef NG_CTL_POLICY_TABLE_READER_H
#define NG_CTL_POLICY_TABLE_READER_H

#include "ctl/policy/table.h"

struct ng_reader {
	const struct ng_table_options *options;
	struct ng_table *table;
	const char *text, *end; /* behind an UTF-8 mark */
	size_t room;
	bool no_memory;
	bool broken;		   /* what was reported cannot be skipped */
	struct ng_acl_words words; /* what holds where a line says nothing */
	const char *line_at;	   /* of the last place asked for: */
	const char *seen;	   /* no line ends from there up to here */
	unsigned int line;	   /* its number */
	struct ng_bad_word *last;  /* what was reported last, if it is described */
};

/* One entry, at the place `at` of the text: its words say all but the prefix. */
struct ng_entry {
	const char *at;
	bool has_verdict; /* it was said here */
	struct ng_acl_words words;
};

/* An entry about which nothing was said. */
struct ng_entry ng_reader_entry(const struct ng_reader *r, const char *at);
/* An entry of which *said was. */
struct ng_entry ng_reader_said(const struct ng_reader *r, const char *at,
			       const struct ng_acl_words *said);
/* Adds the prefixes of text[0..len), a part of the text: a prefix, an address or a range.
 * False: it is bad, and has been reported. */
bool ng_reader_add(struct ng_reader *r, const struct ng_entry *e, const char *text, size_t len);
/* Adds the prefixes of the entry's words. At `at` they are reported if they do not fit. */
bool ng_reader_add_words(struct ng_reader *r, const struct ng_entry *e, const char *at, size_t len);

/* Reports *bad, where bad->at counts from a place of the text. */
void ng_reader_bad(struct ng_reader *r, const char *from, const struct ng_bad_word *bad);
/* Fills and reports. */
void ng_reader_refuse(struct ng_reader *r, const char *at, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same for what cannot be skipped: the text is not what it should be as a whole. */
void ng_reader_break(struct ng_reader *r, const char *at, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same for a text without the sets that are asked for. */
void ng_reader_no_set(struct ng_reader *r);
/* More words for what was reported last. */
void ng_reader_hint(struct ng_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void ng_reader_why(struct ng_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ng_reader_choice(struct ng_reader *r, const char *word, size_t len, const char *const *valid);
/* Line and column of a place. Places that come in order cost least. */
void ng_reader_place(struct ng_reader *r, const char *at, unsigned int *line, unsigned int *column);
/* A copy that lives as long as the table; NULL: no memory, which the reader remembers. */
char *ng_reader_keep(struct ng_reader *r, const char *text, size_t len);

/* The next line without its end, and the place behind it; false: there is none.
 * Overlong lines are reported and left out. */
struct ng_span {
	const char *at;
	size_t len;
};
bool ng_reader_line(struct ng_reader *r, const char **next, struct ng_span *line);
/* The next word at *at, before end: up to a blank. False: there is none. */
bool ng_span_word(const char **at, const char *end, struct ng_span *word);
bool ng_span_is(const struct ng_span *s, const char *word);

void ng_read_cidr(struct ng_reader *r);
void ng_read_words(struct ng_reader *r);
void ng_read_ipset(struct ng_reader *r);
void ng_read_nft(struct ng_reader *r);
void ng_read_nft_json(struct ng_reader *r);
void ng_read_json(struct ng_reader *r);
void ng_read_csv(struct ng_reader *r);

/* Folds duplicates and covered items, and counts them. */
void ng_reader_fold(struct ng_reader *r);

/* Memory that is freed at once. NULL: none is left. */
struct ng_arena;
char *ng_arena_copy(struct ng_arena **arena, const char *text, size_t len);
void ng_arena_free(struct ng_arena *arena);

#endif
