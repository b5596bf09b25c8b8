// SPDX-License-Identifier: GPL-2.0-only
/*
 * In libpcap, `vlan` moves everything behind it in the text: "vlan 10 or vlan 20" looks for 20 in a
 * tag inside the first, "port 80 and vlan 5" for the port where an untagged packet has it.
 *
 * Here, `vlan` holds for the terms that `and` joins it with, before and behind it, and no further:
 * not beyond an `or`, and not out of a `not`. Several in one such conjunction are tags inside each
 * other, in the order of the text. So an expression is first multiplied out to alternatives, as far
 * as `vlan` reaches and no further:
 *
 *	(vlan 10 or vlan 20) and port 80	vlan 10 and port 80, or vlan 20 and port 80
 *	port 80 or port 443 or vlan 5		(port 80 or port 443), or vlan 5
 *	vlan 5 and not (vlan 6 or arp)		vlan 5, and neither vlan 5 and vlan 6, nor vlan 5
 *						and arp
 *
 * An alternative is a text with its `vlan` terms in front, which libpcap reads as meant. A negated
 * part that holds `vlan` itself is one or more such texts with the same tags in front whose answers
 * are swapped. The texts are a list of steps; each answer leads to a later step, a match or a
 * rejection. Their programs are put behind each other, and their returns become jumps.
 *
 * Whether libpcap reads the same is a comparison of depths: how many tags lie before what a term
 * looks at. libpcap's depth of a term is the number of `vlan` before it in the text. If all are the
 * same, nothing is done. `mpls` and its like move what is behind them too, by what libpcap knows
 * alone; an expression with one of them is left to libpcap.
 */
#include "ctl/filter/scope.h"
#include "ctl/filter/write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps lead to labels until all are there. */
enum { L_MATCH, L_REJECT };
#define LABELS_MAX  (4 * NG_SCOPE_STEPS_MAX)
#define TEXT_SHOWN  60
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A conjunction: items in the order of the text. */
struct alternative {
	__u32 *item;
	size_t n;
};

struct alternatives {
	struct alternative *alt;
	size_t n;
	int ret; /* what went wrong */
};

struct reader {
	struct ng_expr *e;
	struct ng_scope *out;
	size_t *at;
	int *label; /* the step at each; L_MATCH, L_REJECT: none */
	int n_labels;
	size_t *vlan; /* where each is in the text */
	size_t n_vlans;
	bool differs;
	int ret;			   /* what went wrong */
	struct ng_written *ours, *libpcap; /* NULL: nobody wants to read about it */
};

static bool has_vlan(const struct ng_expr *e, __u32 i)
{
	return ng_expr_has(e, i, NG_TERM_VLAN);
}

/* Alternatives */

static void free_alternatives(struct alternatives *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->alt[i].item);
	free(a->alt);
	*a = (struct alternatives){ 0 };
}

static void add_alternative(struct alternatives *a, const struct alternative *x,
			    const struct alternative *y)
{
	struct alternative both = { .n = x->n + y->n }, *more;

	if (a->n == NG_SCOPE_STEPS_MAX)
		a->ret = a->ret ? a->ret : -E2BIG;
	if (a->ret)
		return;
	both.item = malloc((both.n + 1) * sizeof(*both.item));
	more = realloc(a->alt, (a->n + 1) * sizeof(*more));
	a->alt = more ? more : a->alt;
	if (!more || !both.item) {
		free(both.item);
		a->ret = -ENOMEM;
		return;
	}
	memcpy(both.item, x->item, x->n * sizeof(*both.item));
	memcpy(both.item + x->n, y->item, y->n * sizeof(*both.item));
	a->alt[a->n++] = both;
}

/* a <- a or b, or a and b; b is used up. */
static void combine(struct alternatives *a, struct alternatives *b, bool is_or)
{
	const struct alternative nothing = { .item = (__u32[]){ 0 } };
	struct alternatives product = { .ret = a->ret ? a->ret : b->ret };

	if (is_or) {
		a->ret = product.ret;
		for (size_t i = 0; i < b->n; i++)
			add_alternative(a, &b->alt[i], &nothing);
	} else {
		for (size_t i = 0; i < a->n; i++)
			for (size_t j = 0; j < b->n; j++)
				add_alternative(&product, &a->alt[i], &b->alt[j]);
		free_alternatives(a);
		*a = product;
	}
	free_alternatives(b);
}

static struct alternatives single(__u32 item)
{
	struct alternatives a = { 0 };
	struct alternative one = { .item = &item, .n = 1 }, nothing = { .item = &item, .n = 0 };

	add_alternative(&a, &one, &nothing);
	return a;
}

/*
 * The children from `first` on that can stay together because no `vlan` is among them: at the
 * beginning of a chain (is_start) whatever joins them, else those that `or` joins. *next: the child
 * behind them. Returns a node that holds them all.
 */
static __u32 group_plain(struct ng_expr *e, __u32 first, bool is_start, __u32 *next)
{
	struct ng_node group = { .kind = NG_NODE_CHAIN, .start = e->node[first].start };
	bool is_or = e->node[first].is_or;
	__u32 child = first, last = 0;

	do {
		struct ng_node copy = e->node[child];
		__u32 i = ng_expr_add(e, &copy);

		if (last)
			e->node[last].next = i;
		else
			group.first = i;
		last = i;
		group.end = copy.end;
		child = copy.next;
	} while (child && !has_vlan(e, child) && (is_start || (is_or && e->node[child].is_or)));
	*next = child;
	return e->node[group.first].next ? ng_expr_add(e, &group) : group.first;
}

static struct alternatives alternatives_of(struct ng_expr *e, __u32 i)
{
	struct alternatives all = { 0 }, more;
	bool is_start = true;

	if (e->node[i].kind != NG_NODE_CHAIN || !has_vlan(e, i))
		return single(i);
	for (__u32 child = e->node[i].first; child && !all.ret; is_start = false) {
		bool is_or = is_start || e->node[child].is_or;
		__u32 next = e->node[child].next;

		more = has_vlan(e, child) ? alternatives_of(e, child)
					  : single(group_plain(e, child, is_start, &next));
		combine(&all, &more, is_or);
		child = next;
	}
	return all;
}

/* Depths */

static void find_vlans(struct reader *r, __u32 i)
{
	const struct ng_node *node = &r->e->node[i];

	if (node->kind == NG_NODE_TERM && node->term == NG_TERM_VLAN)
		r->vlan[r->n_vlans++] = node->start;
	for (__u32 child = node->first; child; child = r->e->node[child].next)
		find_vlans(r, child);
}

/* The tags that libpcap looks behind at this place of the text. */
static size_t libpcap_depth(const struct reader *r, size_t start)
{
	size_t low = 0, high = r->n_vlans;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->vlan[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether what some term below node i looks at moves. */
static bool can_move(const struct ng_expr *e, __u32 i)
{
	if (e->node[i].kind == NG_NODE_TERM)
		return e->node[i].term != NG_TERM_LINK;
	for (__u32 child = e->node[i].first; child; child = e->node[child].next)
		if (can_move(e, child))
			return true;
	return false;
}

/* "tcp or port 80: behind 1 tag", once. */
static void note_difference(struct reader *r, const struct ng_node *item, size_t theirs)
{
	static const char *const behind[] = { "behind no tag", "behind 1 tag" };
	size_t n = item->end - item->start;
	char line[160], tags[32];

	snprintf(tags, sizeof(tags), "behind %zu tags", theirs);
	snprintf(line, sizeof(line), "%.*s%s: %s\n", (int)(n > TEXT_SHOWN ? TEXT_SHOWN : n),
		 r->e->text + item->start, n > TEXT_SHOWN ? ".." : "",
		 theirs < N_OF(behind) ? behind[theirs] : tags);
	if (!r->libpcap->text || !strstr(r->libpcap->text, line))
		ng_write_words(r->libpcap, line, 0);
}

/* An item without vlan, or a vlan: libpcap looks behind as many tags for all that is in it. */
static void compare_item(struct reader *r, __u32 i, size_t depth)
{
	const struct ng_node *item = &r->e->node[i];
	size_t theirs = libpcap_depth(r, item->start);

	if (theirs == depth || !can_move(r->e, i))
		return;
	r->differs = true;
	if (r->libpcap)
		note_difference(r, item, theirs);
}

static void compare_alternatives(struct reader *r, __u32 i, size_t depth);

static void compare_alternative(struct reader *r, const struct alternative *a, size_t depth)
{
	size_t inside = depth;

	for (size_t i = 0; i < a->n; i++)
		if (r->e->node[a->item[i]].term == NG_TERM_VLAN)
			compare_item(r, a->item[i], inside++);
	for (size_t i = 0; i < a->n; i++) {
		const struct ng_node *node = &r->e->node[a->item[i]];

		if (node->kind == NG_NODE_NOT && has_vlan(r->e, a->item[i]))
			compare_alternatives(r, node->first, inside);
		else if (node->term != NG_TERM_VLAN)
			compare_item(r, a->item[i], inside);
	}
}

static void compare_alternatives(struct reader *r, __u32 i, size_t depth)
{
	struct alternatives all = alternatives_of(r->e, i);

	for (size_t k = 0; k < all.n; k++)
		compare_alternative(r, &all.alt[k], depth);
	r->ret = r->ret ? r->ret : all.ret;
	free_alternatives(&all);
}

/* Steps */

static int new_label(struct reader *r)
{
	if (r->n_labels == LABELS_MAX) {
		r->ret = r->ret ? r->ret : -E2BIG;
		return L_REJECT;
	}
	return r->n_labels++;
}

/* Where the next step will be. */
static void place_label(struct reader *r, int label)
{
	r->label[label] = (int)r->out->n;
}

static void add_step(struct reader *r, struct ng_written *w, int on_true, int on_false)
{
	if (w->failed)
		r->ret = r->ret ? r->ret : -ENOMEM;
	else if (r->out->n == NG_SCOPE_STEPS_MAX)
		r->ret = r->ret ? r->ret : -E2BIG;
	if (!r->ret) {
		r->out->step[r->out->n++] = (struct ng_scope_step){ w->text, on_true, on_false };
		w->text = NULL;
	}
	ng_written_free(w);
}

static bool is_negated(const struct reader *r, __u32 item)
{
	return r->e->node[item].kind == NG_NODE_NOT && has_vlan(r->e, item);
}

static void write_item(struct reader *r, struct ng_written *w, __u32 item)
{
	if (ng_expr_leans(r->e, item)) {
		*r->at = r->e->node[item].start;
		r->ret = r->ret ? r->ret : -EINVAL;
	}
	if (w->n)
		ng_write_words(w, " and ", r->e->node[item].start);
	ng_write_node(w, r->e, item, NULL, 0);
}

/* What of an alternative one text can say: its tags behind those in `around`, and plain terms. */
static void write_alternative(struct reader *r, const struct alternative *a,
			      const struct alternative *around, struct ng_written *w)
{
	for (size_t i = 0; i < around->n; i++)
		write_item(r, w, around->item[i]);
	for (size_t i = 0; i < a->n; i++)
		if (r->e->node[a->item[i]].term == NG_TERM_VLAN)
			write_item(r, w, a->item[i]);
	for (size_t i = 0; i < a->n; i++)
		if (r->e->node[a->item[i]].term != NG_TERM_VLAN && !is_negated(r, a->item[i]))
			write_item(r, w, a->item[i]);
}

static void add_alternatives(struct reader *r, __u32 i, const struct alternative *around,
			     int on_true, int on_false);

/* The negated parts of an alternative, whose tags are in `around`. */
static void add_negated(struct reader *r, const struct alternative *a,
			const struct alternative *around, int on_true, int on_false)
{
	size_t left = 0;

	for (size_t i = 0; i < a->n; i++)
		left += is_negated(r, a->item[i]);
	for (size_t i = 0; i < a->n; i++) {
		int next;

		if (!is_negated(r, a->item[i]))
			continue;
		next = --left ? new_label(r) : on_true;
		add_alternatives(r, r->e->node[a->item[i]].first, around, on_false, next);
		if (left)
			place_label(r, next);
	}
}

static void add_alternative_steps(struct reader *r, const struct alternative *a,
				  const struct alternative *around, int on_true, int on_false)
{
	struct alternative tags = { .item = malloc((around->n + a->n) * sizeof(__u32)),
				    .n = around->n };
	struct ng_written w = { 0 };
	bool negated = false;
	int next;

	if (!tags.item) {
		r->ret = -ENOMEM;
		return;
	}
	memcpy(tags.item, around->item, around->n * sizeof(__u32));
	for (size_t i = 0; i < a->n; i++) {
		negated |= is_negated(r, a->item[i]);
		if (r->e->node[a->item[i]].term == NG_TERM_VLAN)
			tags.item[tags.n++] = a->item[i];
	}
	write_alternative(r, a, around, &w);
	next = negated ? new_label(r) : on_true;
	if (w.n)
		add_step(r, &w, next, on_false);
	if (negated) {
		place_label(r, next);
		add_negated(r, a, &tags, on_true, on_false);
	}
	free(tags.item);
}

static void add_alternatives(struct reader *r, __u32 i, const struct alternative *around,
			     int on_true, int on_false)
{
	struct alternatives all = alternatives_of(r->e, i);

	r->ret = r->ret ? r->ret : all.ret;
	for (size_t k = 0; k < all.n && !r->ret; k++) {
		bool is_last = k + 1 == all.n;
		int next = is_last ? on_false : new_label(r);

		add_alternative_steps(r, &all.alt[k], around, on_true, next);
		if (!is_last)
			place_label(r, next);
	}
	free_alternatives(&all);
}

static void add_steps(struct reader *r)
{
	const struct alternative nothing = { .item = (__u32[]){ 0 } };

	r->label = calloc(LABELS_MAX, sizeof(*r->label));
	r->out->step = calloc(NG_SCOPE_STEPS_MAX, sizeof(*r->out->step));
	if (!r->label || !r->out->step) {
		r->ret = -ENOMEM;
		return;
	}
	r->label[L_MATCH] = NG_SCOPE_MATCH;
	r->label[L_REJECT] = NG_SCOPE_REJECT;
	r->n_labels = L_REJECT + 1;
	add_alternatives(r, r->e->root, &nothing, L_MATCH, L_REJECT);
	for (size_t i = 0; i < r->out->n; i++) {
		r->out->step[i].on_true = r->label[r->out->step[i].on_true];
		r->out->step[i].on_false = r->label[r->out->step[i].on_false];
	}
}

/* Fills in what of *r is about libpcap, and whether the readings differ. */
static int compare_readings(struct reader *r)
{
	struct ng_expr *e = r->e;

	if (!has_vlan(e, e->root) || ng_expr_has(e, e->root, NG_TERM_SHIFT))
		return 0;
	r->vlan = malloc(e->n * sizeof(*r->vlan));
	if (!r->vlan)
		return -ENOMEM;
	find_vlans(r, e->root);
	compare_alternatives(r, e->root, 0);
	free(r->vlan);
	return e->failed ? -ENOMEM : r->ret;
}

int ng_scope_read(struct ng_expr *e, struct ng_scope *out, size_t *at)
{
	struct reader r = { .e = e, .out = out, .at = at };
	int ret = compare_readings(&r);

	*out = (struct ng_scope){ 0 };
	if (!ret && r.differs) {
		add_steps(&r);
		ret = e->failed ? -ENOMEM : r.ret;
	}
	free(r.label);
	return ret;
}

/* One line for each alternative, its tags in front. */
static void write_reading(struct reader *r)
{
	const struct alternative nothing = { .item = (__u32[]){ 0 } };
	struct alternatives all = alternatives_of(r->e, r->e->root);

	for (size_t k = 0; k < all.n; k++) {
		const struct alternative *a = &all.alt[k];
		struct ng_written line = { 0 };

		write_alternative(r, a, &nothing, &line);
		for (size_t i = 0; i < a->n; i++)
			if (is_negated(r, a->item[i]))
				write_item(r, &line, a->item[i]);
		ng_write_words(&line, "\n", 0);
		if (line.failed)
			r->ret = -ENOMEM;
		else
			ng_write_words(r->ours, line.text, 0);
		ng_written_free(&line);
	}
	free_alternatives(&all);
}

int ng_filter_explain_scope(const char *expr, struct ng_scope_note *note)
{
	struct ng_expr e;
	struct ng_written ours = { 0 }, libpcap = { 0 };
	size_t at;
	struct reader r = { .e = &e, .at = &at, .ours = &ours, .libpcap = &libpcap };
	int ret = ng_expr_parse(expr, &e, &at);

	if (ret == -EINVAL || ret == -E2BIG) {
		*note = (struct ng_scope_note){ .differs = false }; /* read by libpcap alone */
		ret = 0;
		goto out;
	}
	if (!ret)
		ret = compare_readings(&r);
	if (!ret && r.differs) {
		write_reading(&r);
		ret = ours.failed || libpcap.failed ? -ENOMEM : r.ret;
	}
	if (!ret)
		*note = (struct ng_scope_note){ r.differs, ours.text, libpcap.text };
	if (!ret)
		ours.text = libpcap.text = NULL;
out:
	ng_written_free(&ours);
	ng_written_free(&libpcap);
	ng_expr_free(&e);
	return ret;
}

void ng_scope_note_free(struct ng_scope_note *note)
{
	free(note->ours);
	free(note->libpcap);
	*note = (struct ng_scope_note){ 0 };
}

void ng_scope_free(struct ng_scope *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->step[i].text);
	free(s->step);
	*s = (struct ng_scope){ 0 };
}
