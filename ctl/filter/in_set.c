// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets become chains of terms, which lists.c makes sets of again when they are long: "src in {A,
 * B/24}" is "(src net A/32 or src net B/24)". A range of addresses becomes the prefixes that cover
 * it. "src and dst in S" asks for both, each of its own.
 */
#include "ctl/filter/in_set.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/base/num.h"

#define BLANKS	  " \t\r\n,"
#define NAME_SIZE 256

typedef unsigned __int128 address_t; /* IPv4: the lower 32 bits */

struct filler {
	struct ng_expr *e;
	struct ng_node term; /* what all elements have in common */
	__u32 first, last;
	bool left_out;		 /* elements of another family */
	struct ng_source source; /* of the elements */
	struct ng_error *err;
};

static int add_term(struct filler *f, enum ng_term term, const struct ng_value *value)
{
	struct ng_node node = f->term;
	__u32 i;

	node.term = term;
	node.value = *value;
	i = ng_expr_add(f->e, &node);
	if (f->last)
		f->e->node[f->last].next = i;
	else
		f->first = i;
	f->last = i;
	return i ? 0 : -ENOMEM;
}

static address_t to_number(const struct ng_value *v, enum ng_term term)
{
	address_t a = v->word[0];

	for (int i = 1; i < 4 && term == NG_TERM_NET6; i++)
		a = a << 32 | v->word[i];
	return a;
}

static void from_number(address_t a, enum ng_term term, struct ng_value *v)
{
	if (term == NG_TERM_NET4) {
		v->word[0] = (__u32)a;
		return;
	}
	for (int i = 3; i >= 0; i--, a >>= 32)
		v->word[i] = (__u32)a;
}

/* The prefixes that cover lo to hi, widest first from each end. */
static int add_range(struct filler *f, enum ng_term term, address_t lo, address_t hi)
{
	unsigned int bits = term == NG_TERM_NET4 ? 32 : 128;
	int ret = 0;

	while (!ret) {
		struct ng_value v = { 0 };
		unsigned int host = 0; /* bits that the prefix leaves open */

		while (host < bits) {
			address_t mask =
				host + 1 == 128 ? ~(address_t)0 : ((address_t)1 << (host + 1)) - 1;

			if ((lo & mask) || (lo | mask) > hi)
				break;
			host++;
		}
		from_number(lo, term, &v);
		v.len = (unsigned char)(bits - host);
		ret = add_term(f, term, &v);
		if (host == 128 || hi - lo < (address_t)1 << host)
			break;
		lo += (address_t)1 << host;
		if (lo > hi)
			break;
	}
	return ret;
}

static int refuse(struct filler *f, const char *word, size_t n, const char *why)
{
	ng_err(f->err, NG_EXIT_USAGE, 0, NULL, "bad element '%.*s' of a set",
	       (int)(n < 80 ? n : 80), word);
	ng_source_at(&f->source, (size_t)(word - f->source.text), f->err);
	ng_err_why(f->err, "%s", why);
	return -EINVAL;
}

static bool is_port(const struct filler *f)
{
	return f->term.q.type == NG_TYPE_PORT || f->term.q.type == NG_TYPE_PORTRANGE;
}

/* A protocol that has no such addresses is no mistake: they cannot match. */
static bool is_other_family(const struct filler *f, enum ng_term term)
{
	const char *proto = ng_qual_proto(f->term.q.proto);

	if (term == NG_TERM_NET4)
		return strcmp(proto, "ip6") == 0;
	return strcmp(proto, "ip") == 0 || strcmp(proto, "arp") == 0 || strcmp(proto, "rarp") == 0;
}

/* libpcap would take "192.0.2" for a net of 24 bits; in a set it is more likely a slip. */
static bool is_whole(const char *word, size_t n)
{
	unsigned int dots = 0;

	for (size_t i = 0; i < n; i++)
		dots += word[i] == '.';
	return dots == 3 || memchr(word, ':', n);
}

/* "10.1.2.3/8", which was meant to be 10.0.0.0/8. */
static void suggest_net(struct filler *f, const char *word, size_t n)
{
	bool is_v6 = memchr(word, ':', n);
	__u32 len, all = is_v6 ? 128 : 32;
	char text[INET6_ADDRSTRLEN + 4], *slash;
	unsigned char byte[16];

	snprintf(text, sizeof(text), "%.*s", (int)(n < sizeof(text) ? n : 0), word);
	slash = strchr(text, '/');
	if (!slash || ng_parse_u32(slash + 1, 0, all, &len))
		return;
	*slash = '\0';
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, byte) != 1)
		return;
	for (__u32 i = len; i < all; i++)
		byte[i / 8] &= (unsigned char)~(0x80 >> i % 8);
	inet_ntop(is_v6 ? AF_INET6 : AF_INET, byte, text, sizeof(text));
	ng_err_try(f->err, "%s/%u", text, len);
}

static int add_addresses(struct filler *f, const char *word, size_t n)
{
	static const struct ng_qual any = { .type = NG_TYPE_NET, .known = true };
	const char *hyphen = memchr(word, '-', n);
	size_t length = hyphen ? (size_t)(hyphen - word) : n;
	enum ng_term term, other;
	struct ng_value lo, hi;
	address_t a, b;

	if (!is_whole(word, length) || !ng_expr_value(word, length, &any, &term, &lo)) {
		refuse(f, word, n,
		       "it takes addresses, prefixes without host bits, and ranges A-B");
		suggest_net(f, word, n);
		return -EINVAL;
	}
	if (is_other_family(f, term)) {
		f->left_out = true;
		return 0;
	}
	if (!hyphen)
		return add_term(f, term, &lo);
	if (!is_whole(hyphen + 1, n - length - 1) ||
	    !ng_expr_value(hyphen + 1, n - length - 1, &any, &other, &hi) || other != term ||
	    memchr(word, '/', n))
		return refuse(f, word, n, "a range is two addresses of one family");
	a = to_number(&lo, term);
	b = to_number(&hi, term);
	if (a > b)
		return refuse(f, word, n, "the range ends before it begins");
	return add_range(f, term, a, b);
}

static int add_ports(struct filler *f, const char *word, size_t n)
{
	static const struct ng_qual any = { .type = NG_TYPE_PORTRANGE, .known = true };
	struct ng_value v;
	enum ng_term term;

	if (!ng_expr_value(word, n, &any, &term, &v))
		return refuse(f, word, n, "it takes port numbers and ranges N-M");
	return add_term(f, term, &v);
}

/* The elements in [p, end): of a list in the expression or of a text, with comments. */
static int add_elements(struct filler *f, const char *p, const char *end, bool comments)
{
	int ret = 0;

	while (!ret && (p += strspn(p, BLANKS)) < end) {
		size_t n = strcspn(p, BLANKS "#;}");

		if (comments && (*p == '#' || *p == ';'))
			n = strcspn(p, "\n");
		else if (n == 0)
			return refuse(f, p, 1, "elements stand between commas or blanks");
		else
			ret = is_port(f) ? add_ports(f, p, n) : add_addresses(f, p, n);
		p += n;
	}
	return ret;
}

static int add_named(struct filler *f, const char *at, size_t n, const struct ng_source *source,
		     const struct ng_filter_names *names)
{
	char name[NAME_SIZE], *text = NULL;
	int ret;

	if (n >= sizeof(name) || !names)
		return ng_err(f->err, NG_EXIT_USAGE, 0, NULL,
			      names ? "name too long" : "no named sets here");
	memcpy(name, at, n);
	name[n] = '\0';
	ret = names->find(names->to, name, &text, f->err);
	if (ret)
		return ret;
	f->source = (struct ng_source){ .text = text, .file = name };
	ret = add_elements(f, text, text + strlen(text), true);
	f->source = *source;
	free(text);
	return ret;
}

static int fill(struct filler *f, const struct ng_node *set, const struct ng_source *source,
		const struct ng_filter_names *names)
{
	const char *at = source->text + set->set, *end = source->text + set->end;
	int ret = *at == '{' ? add_elements(f, at + 1, end - 1, false)
			     : add_named(f, at + 1, (size_t)(end - at) - 1, source, names);

	if (!ret && !f->first) {
		ret = ng_err(f->err, NG_EXIT_USAGE, 0, NULL, "the set is empty");
		if (f->left_out)
			ng_err_why(f->err, "'%s' has no such addresses",
				   ng_qual_proto(f->term.q.proto));
	}
	if (ret && ret != -ENOMEM && f->err && !f->err->line)
		ng_source_at(source, set->set, f->err);
	return ret;
}

/* Makes node i a chain of what the set holds. */
static int resolve(struct ng_expr *e, __u32 i, unsigned char dir, const struct ng_source *source,
		   const struct ng_filter_names *names, struct ng_error *err)
{
	const struct ng_node set = e->node[i];
	struct filler f = { .e = e, .term = set, .source = *source, .err = err };
	int ret;

	f.term.made = f.term.is_or = true;
	f.term.end = f.term.start;
	f.term.q.dir = dir;
	if (set.q.type == NG_TYPE_PROTO || strcmp(ng_qual_proto(set.q.proto), "ether") == 0) {
		ret = ng_err(err, NG_EXIT_USAGE, 0, NULL, "no place for a set");
		ng_source_at(source, set.set, err);
		ng_err_why(err, "sets are of IP addresses or ports");
		return ret;
	}
	ret = fill(&f, &set, source, names);
	e->node[i].kind = NG_NODE_CHAIN;
	e->node[i].first = f.first;
	return ret;
}

/* Both sides: a chain of one chain for each. */
static int resolve_both(struct ng_expr *e, __u32 i, const struct ng_source *source,
			const struct ng_filter_names *names, struct ng_error *err)
{
	const struct ng_node set = e->node[i];
	__u32 src = ng_expr_add(e, &set), dst = ng_expr_add(e, &set);
	int ret;

	if (!src || !dst)
		return -ENOMEM;
	e->node[src].next = dst;
	e->node[dst].is_or = false;
	e->node[i].kind = NG_NODE_CHAIN;
	e->node[i].first = src;
	ret = resolve(e, src, NG_DIR_SRC, source, names, err);
	return ret ? ret : resolve(e, dst, NG_DIR_DST, source, names, err);
}

static int resolve_below(struct ng_expr *e, __u32 i, const struct ng_source *source,
			 const struct ng_filter_names *names, struct ng_error *err)
{
	int ret = 0;

	if (e->node[i].kind == NG_NODE_TERM) {
		if (e->node[i].term != NG_TERM_SET)
			return 0;
		if (e->node[i].q.dir == NG_DIR_BOTH)
			return resolve_both(e, i, source, names, err);
		return resolve(e, i, e->node[i].q.dir, source, names, err);
	}
	for (__u32 child = e->node[i].first; child && !ret; child = e->node[child].next)
		ret = resolve_below(e, child, source, names, err);
	return ret;
}

int ng_in_set_resolve(struct ng_expr *e, const struct ng_source *source,
		      const struct ng_filter_names *names, struct ng_error *err)
{
	return resolve_below(e, e->root, source, names, err);
}
