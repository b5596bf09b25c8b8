// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list is a run of at least NG_LIST_MIN terms of one kind - the same words in front, and for nets
 * the same length - that `or` joins in one chain, or of `not` terms that `and` joins. `and` and `or`
 * bind equally from the left, so the first term behind a change of joint belongs to what stands
 * before it: of "tcp and host a or host b or host c" only b and c are a list. Terms of other kinds
 * of list may stand between; anything else ends the run. "src and dst host a or src and dst host b"
 * is no list: the set would let a and b through.
 *
 * Each list becomes one term with a placeholder for its constant. libpcap compiles the text with two
 * variants of the placeholders. Where the two programs differ, in nothing but the constant of a
 * jeq, stood a placeholder, and the pair of constants says which: the instruction becomes
 * NG_BPF_IN. This needs no knowledge of what code libpcap makes of a term, except that it tests the
 * constant for equality: then, with t(K) = f(A1 == K, A2 == K ..) and f free of negations, t(K1) or
 * t(K2) .. = f(A1 in S, A2 in S ..) for terms in which no two of these tests are joined by `and`
 * (src and dst are joined by `or`, IP and ARP exclude each other).
 *
 * The program is libpcap's unoptimized one, since its optimizer reasons with the constants:
 *
 * - A == K1 holds, so A == K2 does not. Wrong with sets.
 * - A == K holds (or not), so another A == K on the way does (or not). Right with sets.
 * - A constant that is known is compared at once. A placeholder is compared with the packet only.
 *
 * So the optimized program is right when no value is compared with a placeholder and with something
 * else: no list and other term that look at the same bits, and nothing that is no address, port or
 * protocol beside them. A mask makes another value. Protocols are looked up in one or two bytes at
 * places where no port is; addresses are words.
 *
 * IPv6 addresses are up to four words that `and` joins, compared one after the other: strings.c
 * makes one test of them, NG_BPF_IN6. The first word is the placeholder, the others are NG_STRINGS_REST.
 *
 * What is lost: with terms one by one, a packet that ends early is rejected by the first load that
 * reaches behind its end, even though a later term would match. With lists the order of the loads
 * is that of the rewritten text.
 */
#include "ctl/filter/lists.h"
#include "ctl/filter/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KIND	    4
#define PORT_BITS   16
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct member {
	__u32 kind[KIND];
	size_t place;		       /* in the chain */
	__u32 node;		       /* the term */
	__u32 value[NG_SET_WORDS_MAX]; /* a number: the first */
	__u32 hi;		       /* all numbers up to this one */
};

struct run {
	struct ng_expr *e;
	struct ng_lists *l;
	struct member *member; /* room for one per child of the chain */
	size_t n;
	bool *removed; /* by place */
};

/* Of a string; 0: it is a number. */
static unsigned int words_of(const struct ng_node *node)
{
	return node->term == NG_TERM_NET6 && node->value.len > 32 ? (node->value.len + 31u) / 32
								  : 0;
}

/* Of a string's last word. */
static __u32 mask_of(const struct ng_node *node)
{
	return ~0u << (-node->value.len & 31);
}

/* How many bits of the constant a placeholder may use, and how far they are shifted. */
static unsigned int value_bits(const struct ng_node *node)
{
	if (node->term == NG_TERM_PORTS)
		return PORT_BITS;
	return node->value.len < 32 ? node->value.len : 32;
}

/* Of a term. */
static bool is_value(const struct ng_node *node)
{
	return node->term == NG_TERM_NET4 || node->term == NG_TERM_NET6 ||
	       node->term == NG_TERM_PORTS;
}

static bool is_listable(const struct ng_node *node)
{
	return node->kind == NG_NODE_TERM && node->q.dir != NG_DIR_BOTH && is_value(node);
}

static void add_member(struct run *r, __u32 term, size_t place)
{
	const struct ng_node *node = &r->e->node[term];
	const struct ng_value *v = &node->value;
	bool is_ports = node->term == NG_TERM_PORTS;
	struct member *m = &r->member[r->n++];

	*m = (struct member){
		.kind = { node->term, node->q.proto,
			  node->q.dir == NG_DIR_EITHER ? NG_DIR_NONE : node->q.dir,
			  is_ports ? 0 : v->len },
		.place = place,
		.node = term,
		.value = { is_ports ? v->lo : v->word[0] },
		.hi = is_ports ? v->hi : v->word[0],
	};
	if (words_of(node))
		memcpy(m->value, v->word, words_of(node) * sizeof(*v->word));
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	for (size_t i = 0; i < KIND; i++)
		if (x->kind[i] != y->kind[i])
			return x->kind[i] < y->kind[i] ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int compare_values(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t i = 0;

	while (i + 1 < NG_SET_WORDS_MAX && x->value[i] == y->value[i])
		i++;
	return (x->value[i] > y->value[i]) - (x->value[i] < y->value[i]);
}

static size_t put_numbers(const struct member *m, size_t n, __u32 *key)
{
	__u64 next = 0; /* the least value that is not there yet */
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		for (next = next > m[i].value[0] ? next : m[i].value[0]; next <= m[i].hi; next++)
			key[used++] = (__u32)next;
	return used;
}

static size_t put_strings(const struct member *m, size_t n, unsigned int words, __u32 *key)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (!i || compare_values(&m[i - 1], &m[i]) != 0)
			memcpy(key + used++ * words, m[i].value, words * sizeof(*key));
	return used;
}

/* All values of the n members, which it sorts by them. node: one of their terms. */
static int make_set(const struct ng_node *node, struct member *m, size_t n, struct ng_set *out)
{
	size_t room = node->term == NG_TERM_PORTS ? 1u << PORT_BITS : n, size;
	struct ng_set set = { .words = words_of(node) };
	__u32 *fitted;

	set.mask = set.words ? mask_of(node) : 0;
	size = (set.words ? set.words : 1) * sizeof(*set.key);
	set.key = malloc(room * size);
	if (!set.key)
		return -ENOMEM;
	qsort(m, n, sizeof(*m), compare_values);
	set.n = set.words ? put_strings(m, n, set.words, set.key) : put_numbers(m, n, set.key);
	fitted = realloc(set.key, set.n * size);
	set.key = fitted ? fitted : set.key;
	*out = set;
	return 0;
}

static int make_room(struct ng_lists *l)
{
	size_t room = l->room ? 2 * l->room : 8;
	struct ng_site *site;
	struct ng_set *set;

	if (l->n < l->room)
		return 0;
	site = realloc(l->site, room * sizeof(*site));
	l->site = site ? site : l->site;
	set = realloc(l->set, room * sizeof(*set));
	l->set = set ? set : l->set;
	if (!site || !set)
		return -ENOMEM;
	l->room = room;
	return 0;
}

/*
 * The pair 2s + 1, 2s + 2 in the upper bits of the constant belongs to site s alone. False: the
 * prefix is too short to hold it.
 */
static bool choose_placeholders(const struct ng_node *node, size_t s, struct ng_site *site)
{
	unsigned int bits = value_bits(node);

	if (((2 * s + 2) >> bits) != 0)
		return false;
	for (unsigned int variant = 0; variant < 2; variant++) {
		struct ng_value *v = &site->value[variant];
		__u32 constant = (__u32)(2 * s + 1 + variant);

		*v = node->value;
		for (unsigned int i = 1; i < words_of(node); i++)
			v->word[i] = NG_STRINGS_REST;
		for (unsigned int i = words_of(node); i < N_OF(v->word); i++)
			v->word[i] = 0;
		if (node->term == NG_TERM_PORTS)
			v->lo = v->hi = (__u16)constant;
		else
			v->word[0] = constant <<= 32 - bits;
		site->constant[variant] = constant;
	}
	return true;
}

/* Makes one list of n members that differ by their values only. */
static int make_list(struct run *r, struct member *m, size_t n)
{
	struct ng_lists *l = r->l;
	struct ng_node *node = &r->e->node[m->node]; /* the first in the text */
	int ret = make_room(l);

	if (ret || !choose_placeholders(node, l->n, &l->site[l->n]))
		return ret;
	for (size_t i = 1; i < n; i++)
		r->removed[m[i].place] = true;
	ret = make_set(node, m, n, &l->set[l->n]);
	if (!ret)
		node->site = (__u32)++l->n;
	return ret;
}

/* How many members from the first on are of its kind. */
static size_t count_same(const struct member *m, size_t n)
{
	size_t i = 1;

	while (i < n && memcmp(m[i].kind, m->kind, sizeof(m->kind)) == 0)
		i++;
	return i;
}

static int fold_run(struct run *r)
{
	int ret = 0;

	qsort(r->member, r->n, sizeof(*r->member), compare_members);
	for (size_t i = 0, kind; i < r->n && !ret; i += kind) {
		kind = count_same(r->member + i, r->n - i);
		if (kind >= NG_LIST_MIN)
			ret = make_list(r, r->member + i, kind);
	}
	r->n = 0;
	return ret;
}

/* The term that child i gives to a run, 0: it ends the run. */
static __u32 term_of(const struct ng_expr *e, __u32 i, bool is_or)
{
	const struct ng_node *node = &e->node[i];

	if (!is_or)
		i = node->kind == NG_NODE_NOT ? node->first : 0;
	return i && is_listable(&e->node[i]) ? i : 0;
}

static int find_runs(struct run *r, __u32 chain)
{
	const struct ng_expr *e = r->e;
	__u32 child = e->node[chain].first;
	bool is_or = false;
	int ret = 0;

	for (size_t place = 0; child && !ret; place++) {
		__u32 next = e->node[child].next, term;
		bool joint = e->node[place || !next ? child : next].is_or;

		if (joint != is_or)
			ret = fold_run(r);
		is_or = joint;
		term = term_of(e, child, is_or);
		if (!term && !ret)
			ret = fold_run(r);
		else if (term)
			add_member(r, term, place);
		child = next;
	}
	return ret ? ret : fold_run(r);
}

static void unlink_removed(struct ng_expr *e, __u32 chain, const bool *removed)
{
	__u32 *link = &e->node[chain].first;

	for (size_t place = 0; *link; place++) {
		if (removed[place])
			*link = e->node[*link].next;
		else
			link = &e->node[*link].next;
	}
}

static size_t count_children(const struct ng_expr *e, __u32 chain)
{
	size_t n = 0;

	for (__u32 i = e->node[chain].first; i; i = e->node[i].next)
		n++;
	return n;
}

static int fold_chain(struct ng_expr *e, __u32 chain, struct ng_lists *l)
{
	size_t n = count_children(e, chain);
	struct run r = { .e = e, .l = l };
	int ret = -ENOMEM;

	if (n < NG_LIST_MIN)
		return 0;
	r.member = calloc(n, sizeof(*r.member));
	r.removed = calloc(n, sizeof(*r.removed));
	if (r.member && r.removed)
		ret = find_runs(&r, chain);
	if (!ret)
		unlink_removed(e, chain, r.removed);
	free(r.member);
	free(r.removed);
	return ret;
}

static int fold_below(struct ng_expr *e, __u32 i, struct ng_lists *l)
{
	int ret = e->node[i].kind == NG_NODE_CHAIN ? fold_chain(e, i, l) : 0;

	for (__u32 child = e->node[i].first; child && !ret; child = e->node[child].next)
		if (e->node[child].kind != NG_NODE_TERM)
			ret = fold_below(e, child, l);
	return ret;
}

/* What libpcap's optimizer may see */

static bool sides_overlap(const struct ng_node *a, const struct ng_node *b)
{
	bool a_one = a->q.dir == NG_DIR_SRC || a->q.dir == NG_DIR_DST;
	bool b_one = b->q.dir == NG_DIR_SRC || b->q.dir == NG_DIR_DST;

	return !a_one || !b_one || a->q.dir == b->q.dir;
}

/* Whether two terms may compare the same value. */
static bool share_values(const struct ng_node *a, const struct ng_node *b)
{
	if ((a->term == NG_TERM_PORTS) != (b->term == NG_TERM_PORTS))
		return false;
	if (a->term == NG_TERM_NET6 || b->term == NG_TERM_NET6)
		return true;
	return (a->term == NG_TERM_PORTS || a->value.len == b->value.len) && sides_overlap(a, b);
}

/* Whether a term below node i may compare a value that `list`, a term too, compares. */
static bool meets(const struct ng_expr *e, __u32 i, __u32 list)
{
	const struct ng_node *node = &e->node[i];

	if (node->kind == NG_NODE_TERM) {
		if (i == list || node->term == NG_TERM_PROTO)
			return false;
		return !is_value(node) || share_values(node, &e->node[list]);
	}
	for (__u32 child = node->first; child; child = e->node[child].next)
		if (meets(e, child, list))
			return true;
	return false;
}

static bool may_optimize(const struct ng_expr *e, __u32 i)
{
	const struct ng_node *node = &e->node[i];

	if (node->kind == NG_NODE_TERM)
		return !node->site || !meets(e, e->root, i);
	for (__u32 child = node->first; child; child = e->node[child].next)
		if (!may_optimize(e, child))
			return false;
	return true;
}

int ng_lists_extract(struct ng_expr *e, struct ng_lists *out)
{
	int ret;

	*out = (struct ng_lists){ 0 };
	if (ng_expr_leans(e, e->root))
		return 0;
	ret = fold_below(e, e->root, out);
	out->optimizable = !ret && out->n && may_optimize(e, e->root);
	return ret;
}

/* Programs */

/* The list whose placeholders are a and b; l->n: none. */
static size_t find_list(const struct ng_lists *l, __u32 a, __u32 b)
{
	size_t s = 0;

	while (s < l->n && (l->site[s].constant[0] != a || l->site[s].constant[1] != b))
		s++;
	return s;
}

static bool is_same(const struct sock_filter *a, const struct sock_filter *b)
{
	return a->code == b->code && a->jt == b->jt && a->jf == b->jf;
}

/* b: of the other variant. */
static int patch_insn(const struct ng_lists *l, struct sock_filter *insns, size_t n, size_t i,
		      const struct sock_filter *b)
{
	struct sock_filter *a = &insns[i];
	size_t s = find_list(l, a->k, b->k);

	if (a->code != (BPF_JMP | BPF_JEQ | BPF_K) || s == l->n)
		return -EINVAL;
	if (l->set[s].words)
		return ng_strings_fold(insns, n, i, &l->set[s], s);
	a->code = BPF_JMP | NG_BPF_IN | BPF_K;
	a->k = (__u32)s;
	return 0;
}

int ng_lists_patch(struct ng_lists *l, const struct sock_filter *a, const struct sock_filter *b,
		   size_t n, struct ng_cbpf *out)
{
	struct sock_filter *insns = malloc(n * sizeof(*insns));
	int ret = 0;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, a, n * sizeof(*insns));
	for (size_t i = 0; i < n && !ret; i++)
		ret = is_same(&a[i], &b[i]) ? 0 : -EINVAL;
	for (size_t i = 0; i < n && !ret; i++)
		if (a[i].k != b[i].k)
			ret = patch_insn(l, insns, n, i, &b[i]);
	if (!ret)
		ret = ng_strings_compact(insns, &n);
	if (ret) {
		free(insns);
		return ret;
	}
	*out = (struct ng_cbpf){ .insns = insns, .n = n, .sets = l->set, .n_sets = l->n };
	l->set = NULL;
	l->n = 0;
	return 0;
}

void ng_lists_free(struct ng_lists *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->set[i].key);
	free(l->set);
	free(l->site);
	*l = (struct ng_lists){ 0 };
}
