// SPDX-License-Identifier: GPL-2.0-only
/* First lines of packets in tcpdump's output. */
#include "ctl/capture/annotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX   64 /* holds a number and a time */
#define NUMBER_MAX 16
#define TIME_MIN   8 /* its last word: 0.000000 */

struct ng_annotate {
	const char *words[NG_ANNOTATE_QUEUE];
	__u32 first, announced; /* numbers, as tcpdump's: they wrap */
	__u64 packets;
	unsigned int time_words;
	char head[HEAD_MAX]; /* of a line that is not decided yet */
	size_t head_len;
	bool decided; /* what comes belongs to a line whose head is out */
	bool begun;   /* a line has come */
	bool plain;   /* lines have no numbers */
};

struct ng_annotate *ng_annotate_new(unsigned int time_words)
{
	struct ng_annotate *a = calloc(1, sizeof(*a));

	if (a) {
		a->time_words = time_words;
		a->first = 1;
	}
	return a;
}

void ng_annotate_free(struct ng_annotate *a)
{
	free(a);
}

bool ng_annotate_full(const struct ng_annotate *a)
{
	return a->announced - (a->first - 1) == NG_ANNOTATE_QUEUE;
}

void ng_annotate_announce(struct ng_annotate *a, const char *words)
{
	a->announced++;
	a->words[a->announced % NG_ANNOTATE_QUEUE] = words;
	if (a->plain)
		a->first = a->announced + 1;
}

__u64 ng_annotate_packets(const struct ng_annotate *a)
{
	return a->packets;
}

/* Length of the number at the line's head, which is exactly as tcpdump prints it; 0: none. */
static size_t take_number(const struct ng_annotate *a, __u32 *number)
{
	char exact[NUMBER_MAX];
	size_t blanks = 0, digits = 0, len;
	__u32 n = 0;

	while (blanks < a->head_len && a->head[blanks] == ' ')
		blanks++;
	while (blanks + digits < a->head_len && a->head[blanks + digits] >= '0' &&
	       a->head[blanks + digits] <= '9')
		n = n * 10 + (__u32)(a->head[blanks + digits++] - '0');
	len = (size_t)snprintf(exact, sizeof(exact), "%5u  ", n);
	if (!digits || len > a->head_len || memcmp(a->head, exact, len))
		return 0;
	*number = n;
	return len;
}

/* Where the time that begins at `from` ends, with its blank; 0: it is not one. tcpdump has
 * "[Invalid header" in its place for records without data. */
static size_t time_end(const struct ng_annotate *a, size_t from)
{
	size_t at = from, len = 0;

	if (at < a->head_len && a->head[at] == '[')
		return at;
	if (a->time_words && at < a->head_len && (a->head[at] == ' ' || a->head[at] == '-'))
		at++;
	for (unsigned int i = 0; i < a->time_words; i++) {
		for (len = 0;
		     at < a->head_len && strchr("0123456789:.-", a->head[at]) && a->head[at]; len++)
			at++;
		if (!len || at == a->head_len || a->head[at++] != ' ')
			return 0;
	}
	return a->time_words && len < TIME_MIN ? 0 : at;
}

static size_t put(char *out, const char *bytes, size_t n)
{
	memcpy(out, bytes, n);
	return n;
}

/* The head of a line, with the words when the line is a packet's first. */
static size_t put_head(struct ng_annotate *a, char *out)
{
	__u32 number = 0;
	size_t from = a->plain ? 0 : take_number(a, &number);
	size_t time = from ? time_end(a, from) : 0, n = 0;

	if (!a->begun && (!time || number != 1))
		a->plain = true;
	a->begun = true;
	if (a->plain)
		a->first = a->announced + 1;
	if (time && number - a->first < a->announced + 1 - a->first) {
		const char *words = a->words[number % NG_ANNOTATE_QUEUE];

		n += put(out, a->head + from, time - from);
		n += put(out + n, words, strlen(words));
		from = time;
		a->first = number + 1;
		a->packets++;
	} else {
		from = 0;
	}
	n += put(out + n, a->head + from, a->head_len - from);
	a->head_len = 0;
	return n;
}

size_t ng_annotate_feed(struct ng_annotate *a, const char *in, size_t n, char *out)
{
	size_t used = 0, take;

	for (size_t i = 0; i < n; i += take) {
		const char *newline = memchr(in + i, '\n', n - i);

		take = newline ? (size_t)(newline + 1 - (in + i)) : n - i;
		if (a->decided) {
			used += put(out + used, in + i, take);
			a->decided = !newline;
			continue;
		}
		if (take > HEAD_MAX - a->head_len) {
			take = HEAD_MAX - a->head_len;
			newline = NULL;
		}
		a->head_len += put(a->head + a->head_len, in + i, take);
		if (!newline && a->head_len < HEAD_MAX)
			break;
		used += put_head(a, out + used);
		a->decided = !newline;
	}
	return used;
}

size_t ng_annotate_finish(struct ng_annotate *a, char *out)
{
	return a->head_len ? put_head(a, out) : 0;
}
