// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in a filter expression libpcap stumbled.
 *
 * A word that the message quotes is looked up in the text. Else the text is cut behind its tokens,
 * each piece is completed in all the ways a filter can go on, and libpcap is asked about each:
 *
 * - "syntax error": a piece can still become a filter if some completion draws anything else than
 *   a syntax error. All pieces up to the token that libpcap stumbled over can; none that holds it
 *   can.
 * - any other words: they come as soon as the token they are about has been read, thus from the
 *   first piece that holds it on.
 *
 * Both divide the pieces in two, so a binary search finds the token.
 */
#include "ctl/filter/pcap.h"
#include "ctl/filter/locate.h"
#include "ctl/base/text.h"
#include "ctl/filter/write.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SYNTAX_ERROR  "syntax error"
#define NESTING_TRIED 8

struct token {
	size_t start, end;
};

struct search {
	const struct ng_libpcap *lib;
	pcap_t *pcap;
	const char *expr;
	const struct ng_source *source;
	struct token *tokens;
	size_t n_tokens;
	const char *words; /* libpcap's, about the whole text */
	char *closers;	   /* room for a bracket per byte */
	char *piece;	   /* room for one completed piece */
};

static bool is_space(char c)
{
	return c && strchr(" \t\r\n", c);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/*
 * The length of the token at p, as libpcap's scanner cuts: words may hold hyphens; colons belong to
 * addresses, but inside brackets they stand between an offset and a size.
 */
static size_t token_length(const char *p, bool in_brackets)
{
	static const char *const pairs[] = { "&&", "||", ">=", "<=", "==", "!=", "<<", ">>" };
	size_t n = *p == '\\';

	while (is_word(p[n]) || (n && p[n] == '-' && is_word(p[n + 1])) ||
	       (!in_brackets && p[n] == ':'))
		n++;
	if (n)
		return n;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strncmp(p, pairs[i], 2) == 0)
			return 2;
	n = ng_utf8_length(p);
	return n ? n : 1;
}

static void tokenize(struct search *s)
{
	int brackets = 0;

	for (size_t i = 0; s->expr[i];) {
		size_t n;

		if (is_space(s->expr[i])) {
			i++;
			continue;
		}
		brackets += (s->expr[i] == '[') - (s->expr[i] == ']');
		n = token_length(s->expr + i, brackets > 0);
		s->tokens[s->n_tokens++] = (struct token){ i, i + n };
		i += n;
	}
}

static size_t piece_length(const struct search *s, size_t n_tokens)
{
	return n_tokens ? s->tokens[n_tokens - 1].end : 0;
}

/* Puts what closes the first `length` bytes of the text into s->closers,
 * innermost last; returns how many. */
static size_t find_closers(struct search *s, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		char c = s->expr[i];

		if (c == '(' || c == '[')
			s->closers[n++] = c == '(' ? ')' : ']';
		else if ((c == ')' || c == ']') && n)
			n--;
	}
	return n;
}

/* libpcap's words about s->piece; empty when it is a filter. */
static const char *ask(struct search *s)
{
	struct bpf_program program;

	if (s->lib->compile(s->pcap, &program, s->piece, 0, PCAP_NETMASK_UNKNOWN))
		return s->lib->geterr(s->pcap);
	s->lib->freecode(&program);
	return "";
}

/* About the first `length` bytes with `more` behind them,
 * all closed, and a comparison behind `inside` closers. */
static const char *ask_completed(struct search *s, size_t length, const char *more, size_t depth,
				 size_t inside)
{
	char *p = s->piece;

	p = stpcpy(stpcpy(mempcpy(p, s->expr, length), " "), more);
	for (size_t i = 0; i <= depth; i++) {
		if (i == inside)
			p = stpcpy(p, " = 1");
		if (i < depth)
			*p++ = s->closers[depth - 1 - i];
	}
	*p = '\0';
	return ask(s);
}

static bool is_syntax_error(const char *words)
{
	return strstr(words, SYNTAX_ERROR);
}

/* Whether the piece lies behind the line that the search looks for, see the head of this file. */
typedef bool (*answer_fn)(const struct search *s, const char *words);

static bool can_go_on(const struct search *s, const char *words)
{
	(void)s;
	return !is_syntax_error(words);
}

static bool draws_same_words(const struct search *s, const char *words)
{
	return strcmp(words, s->words) == 0;
}

/* Whether some completion of the first n_tokens draws such an answer. */
static bool some_completion(struct search *s, size_t n_tokens, answer_fn answer)
{
	/* no zeros: libpcap takes ip[0]/tcp[0] for a division by zero;
	 * no names: it would resolve them */
	static const char *const more[] = {
		"", "1", "tcp", "tcp[1]", "[1]", "host 1", "src 1", "dst 1", "1.1.1.1",
	};
	size_t length = piece_length(s, n_tokens), depth = find_closers(s, length);
	size_t tried = depth < NESTING_TRIED ? depth : NESTING_TRIED;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		for (size_t inside = 0; inside <= tried + 1; inside++)
			if (answer(s, ask_completed(s, length, more[i], depth,
						    inside <= tried ? inside : SIZE_MAX)))
				return true;
	return false;
}

/* The least number of tokens, from 0 to all, whose answer is `wanted`; all if none has it. */
static size_t first_piece(struct search *s, answer_fn answer, bool wanted)
{
	size_t low = 0, high = s->n_tokens;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (some_completion(s, middle, answer) == wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Where the text has these words, whole; its length if nowhere. */
static size_t find_words(const char *text, const char *words, size_t n)
{
	for (const char *p = text; (p = memmem(p, strlen(p), words, n)); p++) {
		bool whole = (p == text || !is_word(p[-1])) && !is_word(p[n]);

		if (whole)
			return (size_t)(p - text);
	}
	return strlen(text);
}

/* The first thing in quotes that the text has. */
static size_t find_quoted(const char *expr, const char *words)
{
	const char *open = words, *close;

	while ((open = strpbrk(open, "'\""))) {
		close = strchr(open + 1, *open);
		if (!close)
			break;
		if (close > open + 1) {
			size_t at = find_words(expr, open + 1, (size_t)(close - open - 1));

			if (expr[at])
				return at;
		}
		open = close + 1;
	}
	return strlen(expr);
}

void ng_source_at(const struct ng_source *source, size_t at, struct ng_error *err)
{
	const char *line = source->text;
	unsigned int number = 1;

	for (const char *p = source->text; p < source->text + at; p++) {
		if (*p == '\n') {
			line = p + 1;
			number++;
		}
	}
	ng_err_at(err, source->file, number, (unsigned int)(source->text + at - line) + 1, line,
		  strcspn(line, "\r\n"));
}

static size_t in_source(const struct search *s, size_t at)
{
	return s->source->written ? ng_written_source(s->source->written, at) : at;
}

static void add_position(const struct search *s, size_t at, struct ng_error *err)
{
	ng_source_at(s->source, in_source(s, at), err);
}

/* Whether one letter added, left out, replaced or swapped with its neighbour
 * makes `word` of the n bytes. */
static bool is_slip_of(const char *typed, size_t n, const char *word)
{
	size_t length = strlen(word), same = 0;
	const char *a = typed, *b = word;

	while (same < n && same < length && a[same] == b[same])
		same++;
	a += same;
	b += same;
	n -= same;
	length -= same;
	if (n == length + 1)
		return memcmp(a + 1, b, length) == 0;
	if (n + 1 == length)
		return memcmp(a, b + 1, n) == 0;
	if (n != length || n == 0)
		return false;
	return memcmp(a + 1, b + 1, n - 1) == 0 ||
	       (n > 1 && a[0] == b[1] && a[1] == b[0] && memcmp(a + 2, b + 2, n - 2) == 0);
}

/* Proposes the whole text with the word that was meant, if that makes a filter. */
static void suggest(struct search *s, const struct token *token, struct ng_error *err)
{
	static const char *const words[] = {
		"host", "net",	   "port",   "portrange", "src",       "dst",	    "proto",
		"ip",	"ip6",	   "arp",    "tcp",	  "udp",       "icmp",	    "icmp6",
		"sctp", "ether",   "vlan",   "mpls",	  "and",       "or",	    "not",
		"less", "greater", "pppoes", "geneve",	  "broadcast", "multicast",
	};
	const char *typed = s->expr + token->start;
	size_t n = token->end - token->start;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && n > 2; i++) {
		if (!is_slip_of(typed, n, words[i]))
			continue;
		stpcpy(stpcpy(mempcpy(s->piece, s->expr, token->start), words[i]),
		       s->expr + token->end);
		if (ask(s)[0] == '\0') {
			ng_err_try(err, "%.*s%s%s", (int)in_source(s, token->start),
				   s->source->text, words[i],
				   s->source->text + in_source(s, token->start) + n);
			return;
		}
	}
}

static void locate_syntax_error(struct search *s, struct ng_error *err)
{
	/* an unfinished text becomes a filter, so it can go on whole */
	bool unfinished = some_completion(s, s->n_tokens, can_go_on);
	size_t pieces = unfinished ? s->n_tokens + 1 : first_piece(s, can_go_on, false);
	const struct token *token = &s->tokens[pieces ? pieces - 1 : 0];

	if (unfinished) {
		add_position(s, piece_length(s, s->n_tokens), err);
		ng_err_why(err, "the expression ends where more has to follow");
		return;
	}
	add_position(s, token->start, err);
	ng_err_why(err, "'%.*s' cannot stand here", (int)(token->end - token->start),
		   s->expr + token->start);
	if (!strchr(s->source->text, '\n'))
		suggest(s, token, err);
}

static void locate_other_words(struct search *s, struct ng_error *err)
{
	size_t quoted = find_quoted(s->expr, s->words), pieces;

	if (s->expr[quoted]) {
		add_position(s, quoted, err);
		return;
	}
	if (!some_completion(s, s->n_tokens, draws_same_words))
		return;
	pieces = first_piece(s, draws_same_words, true);
	if (pieces)
		add_position(s, s->tokens[pieces - 1].start, err);
}

void ng_locate(const struct ng_libpcap *lib, struct pcap *pcap, const char *expr,
	       const struct ng_source *source, struct ng_error *err)
{
	size_t n = strlen(expr);
	struct search s = { .lib = lib, .pcap = pcap, .expr = expr, .source = source };
	char *words = strdup(lib->geterr(pcap));

	s.tokens = calloc(n, sizeof(*s.tokens));
	s.closers = malloc(n);
	s.piece = malloc(2 * n + 64);
	s.words = words;
	if (words && s.tokens && s.closers && s.piece) {
		tokenize(&s);
		if (is_syntax_error(words))
			locate_syntax_error(&s, err);
		else
			locate_other_words(&s, err);
	}
	free(s.tokens);
	free(s.closers);
	free(s.piece);
	free(words);
}
