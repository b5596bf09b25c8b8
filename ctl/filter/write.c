// SPDX-License-Identifier: GPL-2.0-only
/* Writes filter expressions back as text. */
#include "ctl/filter/write.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* array, or a longer one with room for `needed` items; NULL: out of memory, array is as it was. */
static void *grown(void *array, size_t *room, size_t needed, size_t size)
{
	size_t wanted = *room ? *room : 64;
	void *more;

	while (wanted < needed)
		wanted *= 2;
	if (wanted == *room)
		return array;
	more = realloc(array, wanted * size);
	if (more)
		*room = wanted;
	return more;
}

static void append(struct ng_written *w, const char *bytes, size_t n, size_t source, bool copied)
{
	char *text = grown(w->text, &w->room, w->n + n + 1, 1);
	struct ng_piece *pieces =
		grown(w->pieces, &w->pieces_room, w->n_pieces + 1, sizeof(*pieces));

	w->text = text ? text : w->text;
	w->pieces = pieces ? pieces : w->pieces;
	w->failed = w->failed || !text || !pieces;
	if (w->failed)
		return;
	w->pieces[w->n_pieces++] = (struct ng_piece){ w->n, source, copied };
	memcpy(w->text + w->n, bytes, n);
	w->n += n;
	w->text[w->n] = '\0';
}

void ng_write_words(struct ng_written *w, const char *words, size_t source)
{
	append(w, words, strlen(words), source, false);
}

static void write_head(struct ng_written *w, const struct ng_qual *q, const char *type,
		       size_t source)
{
	static const char *const dirs[] = {
		[NG_DIR_NONE] = "",
		[NG_DIR_SRC] = "src ",
		[NG_DIR_DST] = "dst ",
		[NG_DIR_EITHER] = "src or dst ",
		[NG_DIR_BOTH] = "src and dst ",
	};
	char head[64];

	_Static_assert(sizeof(dirs) / sizeof(dirs[0]) == NG_DIR_MAX, "a word for each");
	snprintf(head, sizeof(head), "%s%s%s%s%s", ng_qual_proto(q->proto), q->proto ? " " : "",
		 dirs[q->dir], type, *type ? " " : "");
	ng_write_words(w, head, source);
}

static void write_ports(struct ng_written *w, const struct ng_node *node, const struct ng_value *v)
{
	char text[32];

	write_head(w, &node->q, v->lo == v->hi ? "port" : "portrange", node->start);
	snprintf(text, sizeof(text), v->lo == v->hi ? "%u" : "%u-%u", v->lo, v->hi);
	ng_write_words(w, text, node->start);
}

static void write_net(struct ng_written *w, const struct ng_node *node, const struct ng_value *v)
{
	int family = node->term == NG_TERM_NET4 ? AF_INET : AF_INET6;
	bool is_host = v->len == (family == AF_INET ? 32 : 128);
	char address[INET6_ADDRSTRLEN], length[8];
	__be32 word_be[4];

	for (int i = 0; i < 4; i++)
		word_be[i] = htonl(v->word[i]);
	inet_ntop(family, word_be, address, sizeof(address));
	write_head(w, &node->q, is_host ? "host" : "net", node->start);
	ng_write_words(w, address, node->start);
	if (is_host)
		return;
	snprintf(length, sizeof(length), "/%u", v->len);
	ng_write_words(w, length, node->start);
}

static const char *type_word(unsigned char type)
{
	static const char *const words[] = {
		[NG_TYPE_NONE] = "",
		[NG_TYPE_HOST] = "host",
		[NG_TYPE_NET] = "net",
		[NG_TYPE_PORT] = "port",
		[NG_TYPE_PORTRANGE] = "portrange",
		[NG_TYPE_PROTO] = "proto",
	};

	_Static_assert(sizeof(words) / sizeof(words[0]) == NG_TYPE_MAX, "a word for each");
	return words[type];
}

static void write_term(struct ng_written *w, const struct ng_expr *e, const struct ng_node *node,
		       const struct ng_site *sites, unsigned int variant)
{
	if (node->site || node->made) {
		const struct ng_value *v =
			node->site ? &sites[node->site - 1].value[variant] : &node->value;

		(node->term == NG_TERM_PORTS ? write_ports : write_net)(w, node, v);
		return;
	}
	if (node->implied && node->q.known)
		write_head(w, &node->q, type_word(node->q.type), node->start);
	append(w, e->text + node->start, node->end - node->start, node->start, true);
}

static void write_children(struct ng_written *w, const struct ng_expr *e, __u32 i,
			   const struct ng_site *sites, unsigned int variant)
{
	__u32 first = e->node[i].first;

	for (__u32 child = first; child; child = e->node[child].next) {
		const struct ng_node *c = &e->node[child];

		if (child != first)
			ng_write_words(w, c->is_or ? " or " : " and ", c->start);
		ng_write_node(w, e, child, sites, variant);
	}
}

void ng_write_node(struct ng_written *w, const struct ng_expr *e, __u32 i,
		   const struct ng_site *sites, unsigned int variant)
{
	const struct ng_node *node = &e->node[i];

	if (node->kind == NG_NODE_TERM) {
		write_term(w, e, node, sites, variant);
		return;
	}
	ng_write_words(w, node->kind == NG_NODE_NOT ? "not " : "(", node->start);
	write_children(w, e, i, sites, variant);
	if (node->kind == NG_NODE_CHAIN)
		ng_write_words(w, ")", node->end);
}

void ng_write_expr(struct ng_written *w, const struct ng_expr *e, const struct ng_site *sites,
		   unsigned int variant)
{
	write_children(w, e, e->root, sites, variant);
}

void ng_written_free(struct ng_written *w)
{
	free(w->text);
	free(w->pieces);
	*w = (struct ng_written){ 0 };
}

size_t ng_written_source(const struct ng_written *w, size_t at)
{
	size_t low = 0, high = w->n_pieces;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (w->pieces[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	if (!w->n_pieces)
		return at;
	return w->pieces[low].source + (w->pieces[low].copied ? at - w->pieces[low].at : 0);
}
