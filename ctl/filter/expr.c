// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads filter expressions. The grammar is libpcap's (grammar.y): `and` and `or` bind equally and
 * from the left, `not` binds the term behind it, and an address or port without words before it
 * takes those of the term before ("host a or b"); what stands before a parenthesis is handed on to
 * behind it. Whatever is not understood between two joints is one term of its own kind, brackets
 * and inner parentheses included, so that libpcap need not be known in full: its text is passed on.
 */
#include "ctl/filter/expr.h"
#include "ctl/filter/token.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX   NG_EXPR_DEPTH_MAX
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct parser {
	struct ng_expr *e;
	struct ng_tokens t;
	size_t at;
	unsigned int depth;
	bool ids;      /* inside `host (a or b)`: nothing but values */
	bool deep;     /* more than DEPTH_MAX in each other */
	bool bad;      /* not an expression, or too deep .. */
	size_t bad_at; /* .. from this token on */
};

static const char *const protos[] = {
	"",	 "ip",	 "arp",	  "rarp", "ip6", "tcp", "udp", "sctp", /* before a value */
	"ether", "icmp", "icmp6", "igmp", "ah",	 "esp", "pim", "vrrp",
};
enum { PROTO_IP = 1, PROTO_RARP = 3, PROTO_IP6, PROTO_TCP, PROTO_UDP, PROTO_SCTP };

const char *ng_qual_proto(unsigned char proto)
{
	return protos[proto];
}

__u32 ng_expr_add(struct ng_expr *e, const struct ng_node *node)
{
	if (e->n == e->room) {
		size_t room = e->room ? 2 * e->room : 64;
		struct ng_node *more = e->failed ? NULL : realloc(e->node, room * sizeof(*more));

		if (!more) {
			e->failed = true;
			return 0;
		}
		e->node = more;
		e->room = room;
	}
	e->node[e->n] = *node;
	e->node[e->n].next = 0;
	return (__u32)e->n++;
}

void ng_expr_free(struct ng_expr *e)
{
	free(e->node);
	*e = (struct ng_expr){ 0 };
}

bool ng_expr_has(const struct ng_expr *e, __u32 i, enum ng_term term)
{
	if (e->node[i].kind == NG_NODE_TERM)
		return e->node[i].term == term;
	for (__u32 child = e->node[i].first; child; child = e->node[child].next)
		if (ng_expr_has(e, child, term))
			return true;
	return false;
}

bool ng_expr_leans(const struct ng_expr *e, __u32 i)
{
	if (e->node[i].kind == NG_NODE_TERM)
		return e->node[i].implied && !e->node[i].q.known;
	for (__u32 child = e->node[i].first; child; child = e->node[child].next)
		if (ng_expr_leans(e, child))
			return true;
	return false;
}

/* Values */

/* Decimal, as nobody can misread it: no leading zero, at most 5 digits. Returns its length. */
static size_t read_number(const char *s, size_t n, __u32 *value)
{
	size_t i = 0;

	for (*value = 0; i < n && i < 5 && s[i] >= '0' && s[i] <= '9'; i++)
		*value = *value * 10 + (__u32)(s[i] - '0');
	return i > 1 && s[0] == '0' ? 0 : i;
}

static bool whole_number(const char *s, size_t n, __u32 max, __u32 *value)
{
	return n && read_number(s, n, value) == n && *value <= max;
}

/* Dotted numbers; *parts: how many, the rest is 0. */
static bool read_dotted(const char *s, size_t n, __u32 *address, unsigned int *parts)
{
	__u32 value = 0, byte;

	for (*parts = 0; n && *parts < 4; ++*parts) {
		size_t used = read_number(s, n, &byte);

		if (!used || byte > 255)
			return false;
		value |= byte << (24 - 8 * *parts);
		used += used < n && s[used] == '.' && used + 1 < n;
		s += used;
		n -= used;
		if (n && s[-1] != '.')
			return false;
	}
	*address = value;
	return n == 0 && *parts;
}

static __u32 mask_of(unsigned int len)
{
	return len ? ~0u << (32 - len) : 0;
}

static bool has_host_bits(const struct ng_value *v, unsigned int words)
{
	for (unsigned int i = 0; i < words; i++) {
		unsigned int bits = v->len < 32 * i ? 0 : v->len - 32 * i;

		if (v->word[i] & ~mask_of(bits < 32 ? bits : 32))
			return true;
	}
	return false;
}

static bool read_net4(const char *s, size_t n, bool is_net, struct ng_value *v)
{
	const char *slash = memchr(s, '/', n);
	size_t length = slash ? (size_t)(slash - s) : n;
	unsigned int parts;
	__u32 len;

	if ((slash && !is_net) || !read_dotted(s, length, &v->word[0], &parts) ||
	    parts < (is_net ? 2 : 4))
		return false;
	len = 8 * parts;
	if (slash && !whole_number(slash + 1, n - length - 1, 32, &len))
		return false;
	v->len = (unsigned char)len;
	return !has_host_bits(v, 1);
}

static bool read_net6(const char *s, size_t n, bool is_net, struct ng_value *v)
{
	const char *slash = memchr(s, '/', n);
	size_t length = slash ? (size_t)(slash - s) : n;
	struct in6_addr address;
	char text[64];
	__u32 len = 128;

	if ((slash && !is_net) || length >= sizeof(text))
		return false;
	memcpy(text, s, length);
	text[length] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1 ||
	    (slash && !whole_number(slash + 1, n - length - 1, 128, &len)))
		return false;
	for (int i = 0; i < 4; i++)
		v->word[i] = ntohl(address.s6_addr32[i]);
	v->len = (unsigned char)len;
	return !has_host_bits(v, 4);
}

static bool read_ports(const char *s, size_t n, bool is_range, struct ng_value *v)
{
	const char *hyphen = is_range ? memchr(s, '-', n) : NULL;
	size_t length = hyphen ? (size_t)(hyphen - s) : n;
	__u32 lo, hi;

	if (!whole_number(s, length, 65535, &lo))
		return false;
	hi = lo;
	if (hyphen && !whole_number(hyphen + 1, n - length - 1, 65535, &hi))
		return false;
	v->lo = (__u16)(lo < hi ? lo : hi);
	v->hi = (__u16)(lo < hi ? hi : lo);
	return true;
}

bool ng_expr_value(const char *word, size_t n, const struct ng_qual *q, enum ng_term *term,
		   struct ng_value *value)
{
	struct ng_value v = { 0 };
	enum ng_term kind;
	bool good;

	if (q->type == NG_TYPE_PROTO)
		return false;
	if (q->type == NG_TYPE_PORT || q->type == NG_TYPE_PORTRANGE) {
		kind = NG_TERM_PORTS;
		good = (!q->proto || (q->proto >= PROTO_TCP && q->proto <= PROTO_SCTP)) &&
		       read_ports(word, n, q->type == NG_TYPE_PORTRANGE, &v);
	} else if (memchr(word, ':', n)) {
		kind = NG_TERM_NET6;
		good = (!q->proto || q->proto == PROTO_IP6) &&
		       read_net6(word, n, q->type == NG_TYPE_NET, &v);
	} else {
		kind = NG_TERM_NET4;
		good = q->proto <= PROTO_RARP && read_net4(word, n, q->type == NG_TYPE_NET, &v);
	}
	if (good) {
		*term = kind;
		*value = v;
	}
	return good;
}

/* Terms */

static const struct ng_token *token(const struct parser *p, size_t i)
{
	return &p->t.token[i];
}

static void refuse(struct parser *p, size_t i, bool wrong)
{
	if (wrong && !p->bad) {
		p->bad = true;
		p->bad_at = i;
	}
}

static bool is_word(const struct parser *p, size_t i, const char *word)
{
	const struct ng_token *t = token(p, i);

	return t->kind == NG_TOKEN_WORD && t->end - t->start == strlen(word) &&
	       memcmp(p->e->text + t->start, word, strlen(word)) == 0;
}

static bool is_side(const struct parser *p, size_t i)
{
	return is_word(p, i, "src") || is_word(p, i, "dst");
}

static bool is_joint(const struct parser *p, size_t i)
{
	return token(p, i)->kind == NG_TOKEN_AND || token(p, i)->kind == NG_TOKEN_OR;
}

/* Whether nothing more of a term can stand there. */
static bool is_boundary(const struct parser *p, size_t i)
{
	return is_joint(p, i) || token(p, i)->kind == NG_TOKEN_CLOSE ||
	       token(p, i)->kind == NG_TOKEN_END;
}

/* Where the term that begins at token i ends. */
static size_t term_end(const struct parser *p, size_t i)
{
	for (size_t first = i;; i++) {
		bool joins_sides =
			is_joint(p, i) && i > first && is_side(p, i - 1) && is_side(p, i + 1);

		if (is_boundary(p, i) && !joins_sides)
			return i;
		if (token(p, i)->kind == NG_TOKEN_OPEN)
			i = token(p, i)->partner;
	}
}

static size_t read_sides(const struct parser *p, size_t i, struct ng_qual *q)
{
	if (!is_side(p, i))
		return i;
	if (is_joint(p, i + 1) && is_side(p, i + 2)) {
		q->dir = token(p, i + 1)->kind == NG_TOKEN_OR ? NG_DIR_EITHER : NG_DIR_BOTH;
		q->known = !is_word(p, i + 2, is_word(p, i, "src") ? "src" : "dst");
		return i + 3;
	}
	q->dir = is_word(p, i, "src") ? NG_DIR_SRC : NG_DIR_DST;
	q->known = true;
	return i + 1;
}

/* Reads protocol, direction and type; returns the token behind. q->known: all but a protocol. */
static size_t read_head(const struct parser *p, size_t i, struct ng_qual *q)
{
	static const char *const types[] = { "host", "net", "port", "portrange", "proto" };

	for (size_t k = 1; k < N_OF(protos) && !q->proto; k++)
		if (is_word(p, i, protos[k]))
			q->proto = (unsigned char)k;
	i = read_sides(p, i + (q->proto != 0), q);
	for (size_t k = 0; k < N_OF(types); k++) {
		if (!is_word(p, i, types[k]))
			continue;
		q->type = (unsigned char)(NG_TYPE_HOST + k);
		q->known = q->known || !q->dir;
		return i + 1;
	}
	return i;
}

/* "A", "A / LEN" or "A mask M" of the tokens [i, end). */
static bool read_value(const struct parser *p, size_t i, size_t end, struct ng_node *node)
{
	const char *text = p->e->text;
	const struct ng_token *a = token(p, i), *b = token(p, end - 1);
	unsigned int parts;
	__u32 mask;
	char net[64];
	int n;

	if (end == i + 1 && a->kind == NG_TOKEN_WORD)
		return ng_expr_value(text + a->start, a->end - a->start, &node->q, &node->term,
				     &node->value);
	if (end != i + 3 || a->kind != NG_TOKEN_WORD || b->kind != NG_TOKEN_WORD)
		return false;
	n = (int)(b->end - b->start);
	if (is_word(p, i + 1, "mask")) {
		if (!read_dotted(text + b->start, (size_t)n, &mask, &parts) || parts != 4 ||
		    (mask & -mask) != -mask)
			return false;
		n = snprintf(net, sizeof(net), "%.*s/%d", (int)(a->end - a->start), text + a->start,
			     __builtin_popcount(mask));
	} else if (token(p, i + 1)->kind == NG_TOKEN_SLASH) {
		n = snprintf(net, sizeof(net), "%.*s/%.*s", (int)(a->end - a->start),
			     text + a->start, n, text + b->start);
	} else {
		return false;
	}
	return n < (int)sizeof(net) &&
	       !(memchr(net, ':', (size_t)n) && is_word(p, i + 1, "mask")) &&
	       ng_expr_value(net, (size_t)n, &node->q, &node->term, &node->value);
}

/* What begins a term, or is one, and so is no name. */
static bool is_keyword(const struct parser *p, size_t i)
{
	static const char *const words[] = {
		"link",	      "ppp",	     "slip",	  "fddi",      "tr",	  "wlan",
		"igrp",	      "carp",	     "radio",	  "atalk",     "aarp",	  "decnet",
		"lat",	      "sca",	     "moprc",	  "mopdl",     "iso",	  "esis",
		"es-is",      "isis",	     "is-is",	  "l1",	       "l2",	  "iih",
		"lsp",	      "snp",	     "csnp",	  "psnp",      "clnp",	  "stp",
		"ipx",	      "netbeui",     "broadcast", "multicast", "inbound", "outbound",
		"llc",	      "lane",	     "metac",	  "bcc",       "oam",	  "oamf4",
		"oamf4ec",    "oamf4sc",     "sc",	  "ilmic",     "fisu",	  "lssu",
		"lsu",	      "msu",	     "hfisu",	  "hlssu",     "hmsu",	  "len",
		"length",     "tcpflags",    "mask",	  "gateway",   "type",	  "subtype",
		"dir",	      "direction",   "less",	  "greater",   "byte",	  "ifindex",
		"connectmsg", "metaconnect",
	};

	for (size_t k = 0; k < N_OF(words); k++)
		if (is_word(p, i, words[k]))
			return true;
	return false;
}

/* Whether the tokens [i, end) are a value alone: a name, address, number or net. */
static bool is_value_alone(const struct parser *p, size_t i, size_t end)
{
	bool is_net = end == i + 3 && token(p, i + 2)->kind == NG_TOKEN_WORD &&
		      (token(p, i + 1)->kind == NG_TOKEN_SLASH || is_word(p, i + 1, "mask"));

	return token(p, i)->kind == NG_TOKEN_WORD && (end == i + 1 || is_net) && !is_keyword(p, i);
}

/* Whether a term looks at nothing that vlan and its like move. */
static bool is_link(const struct parser *p, size_t i, size_t end)
{
	static const char *const words[] = { "less",	"greater",   "inbound",	 "outbound",
					     "ifindex", "broadcast", "multicast" };

	for (size_t k = 0; k < N_OF(words); k++)
		if (is_word(p, i, words[k]))
			return true;
	return is_word(p, i, "ether") && end > i + 1 && !is_word(p, i + 1, "proto") &&
	       p->e->text[token(p, i + 1)->start] != '[';
}

static enum ng_term special_kind(const struct parser *p, size_t i, size_t end)
{
	static const char *const words[] = { "mpls", "pppoed", "pppoes", "geneve", "vxlan" };
	const char *text = p->e->text;

	if (is_word(p, i, "vlan") && end <= i + 2) {
		const struct ng_token *number = token(p, i + 1);

		return end == i + 1 || (text[number->start] >= '0' && text[number->start] <= '9')
			       ? NG_TERM_VLAN
			       : NG_TERM_SHIFT;
	}
	for (size_t k = 0; k < N_OF(words); k++)
		if (is_word(p, i, words[k]))
			return NG_TERM_SHIFT;
	if (is_link(p, i, end))
		return NG_TERM_LINK;
	return is_word(p, i, "vlan") ? NG_TERM_SHIFT : NG_TERM_OTHER;
}

static __u32 parse_expr(struct parser *p, struct ng_qual *q);

static bool enter(struct parser *p)
{
	if (p->depth == DEPTH_MAX && !p->bad)
		p->deep = true;
	refuse(p, p->at, p->depth == DEPTH_MAX);
	return p->depth++ < DEPTH_MAX && !p->bad;
}

/* `(a or b)` behind q: a chain of values, 0: something else stands there. i: its parenthesis. */
static __u32 parse_ids(struct parser *p, size_t i, struct ng_qual q)
{
	struct parser inside = *p;
	size_t n = p->e->n;
	__u32 chain;

	inside.ids = true;
	inside.at = i + 1;
	chain = enter(&inside) ? parse_expr(&inside, &q) : 0;
	if (!inside.bad && inside.at == token(p, i)->partner && chain)
		return chain;
	p->e->n = n;
	return 0;
}

static __u32 parse_tail(struct parser *p, size_t i, size_t end, struct ng_node *node,
			struct ng_qual *q);

/* "port not 80" is "not port 80". i: behind the `not`. */
static __u32 parse_negated(struct parser *p, size_t i, size_t end, struct ng_node *node,
			   struct ng_qual *q)
{
	struct ng_node negation = { .kind = NG_NODE_NOT, .start = node->start, .end = node->end };

	node->start = token(p, i)->start;
	node->implied = true;
	negation.q = *q;
	negation.first = parse_tail(p, i, end, node, q);
	return ng_expr_add(p->e, &negation);
}

/* What stands behind a head: [i, end). q: what the head says. */
static __u32 parse_tail(struct parser *p, size_t i, size_t end, struct ng_node *node,
			struct ng_qual *q)
{
	node->q = *q;
	if (token(p, i)->kind == NG_TOKEN_NOT && i + 1 < end)
		return parse_negated(p, i + 1, end, node, q);
	if (is_word(p, i, "in") && end == i + 2 && token(p, i + 1)->kind == NG_TOKEN_SET) {
		node->term = NG_TERM_SET;
		node->set = token(p, i + 1)->start;
		q->known = false;
	} else if (token(p, i)->kind == NG_TOKEN_OPEN && token(p, i)->partner == end - 1) {
		__u32 chain = parse_ids(p, i, *q);

		if (chain) {
			p->e->node[chain].q = *q;
			return chain;
		}
		q->known = false;
	} else if (!read_value(p, i, end, node) && end != i + 1) {
		q->known = false;
	}
	return ng_expr_add(p->e, node);
}

/* Words without a head that the parser knows. */
static void read_headless(struct parser *p, size_t i, size_t end, struct ng_node *node,
			  struct ng_qual *q)
{
	node->implied = node->term == NG_TERM_OTHER && is_value_alone(p, i, end);
	refuse(p, i, p->ids && !node->implied);
	if (!node->implied)
		q->known = false;
	node->q = *q;
	if (q->known)
		read_value(p, i, end, node);
}

static __u32 parse_term_words(struct parser *p, struct ng_qual *q)
{
	size_t i = p->at, end = term_end(p, i), behind;
	struct ng_node node = { .kind = NG_NODE_TERM };
	struct ng_qual head = { 0 };

	refuse(p, i, end == i);
	if (p->bad)
		return 0;
	p->at = end;
	node.start = token(p, i)->start;
	node.end = token(p, end - 1)->end;
	node.term = special_kind(p, i, end);
	behind = read_head(p, i, &head);
	if (head.known && behind < end) {
		*q = head;
		refuse(p, i, p->ids);
		return parse_tail(p, behind, end, &node, q);
	}
	if (behind == end && head.proto && !head.dir && !head.type)
		node.term = NG_TERM_PROTO;
	read_headless(p, i, end, &node, q);
	return ng_expr_add(p->e, &node);
}

/* Whether the parenthesis at i holds terms; else it is part of a calculation. */
static bool is_group(const struct parser *p, size_t i)
{
	return token(p, i)->kind == NG_TOKEN_OPEN && is_boundary(p, token(p, i)->partner + 1);
}

static __u32 parse_group(struct parser *p, struct ng_qual *q)
{
	size_t i = p->at;
	struct ng_qual before = *q, inside = *q;
	__u32 chain = before.known ? parse_ids(p, i, before) : 0;

	p->at = token(p, i)->partner + 1;
	if (chain)
		return chain;
	refuse(p, i, p->ids);
	p->at = i + 1;
	chain = parse_expr(p, &inside);
	refuse(p, p->at, p->at != token(p, i)->partner);
	p->at++;
	return chain;
}

static __u32 parse_term(struct parser *p, struct ng_qual *q);

static __u32 parse_not(struct parser *p, struct ng_qual *q)
{
	struct ng_node node = { .kind = NG_NODE_NOT, .start = token(p, p->at)->start };

	p->at++;
	node.first = parse_term(p, q);
	node.end = token(p, p->at - 1)->end;
	return ng_expr_add(p->e, &node);
}

static __u32 parse_term(struct parser *p, struct ng_qual *q)
{
	__u32 result = 0;

	if (enter(p)) {
		if (token(p, p->at)->kind == NG_TOKEN_NOT)
			result = parse_not(p, q);
		else if (is_group(p, p->at))
			result = parse_group(p, q);
		else
			result = parse_term_words(p, q);
	}
	p->depth--;
	return result;
}

/* Whether the text of node i begins with a value whose words stand before it. */
static bool begins_implied(const struct ng_expr *e, __u32 i)
{
	while (e->node[i].kind != NG_NODE_TERM) {
		if (e->node[i].q.known)
			return false;
		i = e->node[i].first;
	}
	return e->node[i].implied;
}

/* Whether libpcap will not see the words that end node i. */
static bool ends_in_set(const struct ng_expr *e, __u32 i)
{
	while (e->node[i].kind == NG_NODE_NOT)
		i = e->node[i].first;
	return e->node[i].kind == NG_NODE_TERM && e->node[i].term == NG_TERM_SET;
}

static __u32 parse_expr(struct parser *p, struct ng_qual *q)
{
	struct ng_node chain = { .kind = NG_NODE_CHAIN, .start = token(p, p->at)->start };
	__u32 last = 0;
	bool is_or = false;

	/* libpcap takes no parenthesis there */
	refuse(p, p->at, p->ids && token(p, p->at)->kind == NG_TOKEN_OPEN);
	for (;; p->at++) {
		size_t start = p->at;
		__u32 child = parse_term(p, q);

		/* no words for it: nothing before it, or a set, which libpcap does not see */
		refuse(p, start,
		       !child || (!p->ids && (!last || ends_in_set(p->e, last)) &&
				  begins_implied(p->e, child)));
		if (p->bad)
			return 0;
		p->e->node[child].is_or = is_or;
		if (last)
			p->e->node[last].next = child;
		else
			chain.first = child;
		last = child;
		if (!is_joint(p, p->at))
			break;
		is_or = token(p, p->at)->kind == NG_TOKEN_OR;
	}
	chain.end = token(p, p->at - 1)->end;
	return ng_expr_add(p->e, &chain);
}

int ng_expr_parse(const char *text, struct ng_expr *out, size_t *at)
{
	struct parser p = { .e = out };
	struct ng_qual q = { 0 };
	int ret;

	*out = (struct ng_expr){ .text = text };
	ng_expr_add(out, &(struct ng_node){ 0 });
	ret = ng_tokens_cut(text, &p.t, at);
	if (!ret) {
		out->root = parse_expr(&p, &q);
		refuse(&p, p.at, token(&p, p.at)->kind != NG_TOKEN_END);
		*at = token(&p, p.bad_at)->start;
		ret = p.deep ? -E2BIG : p.bad ? -EINVAL : 0;
	}
	ng_tokens_free(&p.t);
	return out->failed ? -ENOMEM : ret;
}
