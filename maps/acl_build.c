// SPDX-License-Identifier: GPL-2.0-only
/* Whole tables: built in ordinary memory from sorted items, then copied into maps of the right size. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "maps/acl_leaf.h"

/*
 * Sorted, a prefix comes right before those it covers. So the covering prefixes of the one at hand
 * are a stack, no lookup is made for what is inherited, and in the range of a prefix the tries hold
 * only the leaf of the one that covers it. How many nodes that takes is known at the end; until then
 * the tables lie in address space that is reserved and not filled.
 */

#define COVERS_MAX 129 /* of one address: a prefix of each length */
#define NODES_EACH 8   /* at most taken for each prefix, on the average; see ng_trie_replace() */
#define ITEMS_MAX  (NG_TRIE_ID_MAX / NODES_EACH / 2)

/* Spare room of new tables, beside a quarter of what they hold: what changes in place may take. */
#define SPARE_CLAUSES (4096 - 1)
#define SPARE_ROWS    1023
#define SPARE_NODES   4096
#define SPARE_NOTES   255

static const __u32 root_bits_from[] = { 0, 10000, 300000 }; /* prefixes: 16, 20, 24 bits */

struct cover {
	struct ng_prefix prefix;
	enum ng_side side;
	__u32 first;
};

struct draft {
	struct ng_acl_tables t;
	struct cover cover[COVERS_MAX];
	size_t covers;
};

/* Ordinary memory, all of it as good as mapped. */
static int reserve(struct ng_pages *p, size_t bytes)
{
	size_t pieces = bytes / NG_PAGES_PIECE + 1;
	void *base = mmap(NULL, pieces * NG_PAGES_PIECE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	__u8 *mapped = malloc(pieces / 8 + 1);

	if (base == MAP_FAILED || !mapped) {
		free(mapped);
		if (base != MAP_FAILED)
			munmap(base, pieces * NG_PAGES_PIECE);
		return -ENOMEM;
	}
	madvise(base, pieces * NG_PAGES_PIECE, MADV_HUGEPAGE); /* where there are any */
	memset(mapped, 0xff, pieces / 8 + 1);
	*p = (struct ng_pages){
		.fd = -1, .base = base, .mapped = mapped, .size = pieces * NG_PAGES_PIECE
	};
	return 0;
}

static __u32 root_bits_for(const struct ng_acl_item *item, size_t n, enum ng_side side)
{
	size_t ip4 = 0;
	__u32 i = sizeof(root_bits_from) / sizeof(root_bits_from[0]);

	for (size_t k = 0; k < n; k++)
		ip4 += item[k].key.prefix.family == NG_IPV4 && item[k].key.side == side;
	while (root_bits_from[--i] > ip4)
		;
	return 16 + 4 * i;
}

static size_t note_pieces(const struct ng_acl_item *item, size_t n)
{
	size_t pieces = 0;

	for (size_t i = 0; i < n; i++)
		pieces += ng_acl_note_pieces(item[i].note);
	return pieces;
}

static void draft_close(struct draft *d)
{
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		if (d->t.pages[i].base)
			munmap(d->t.pages[i].base, d->t.pages[i].size);
		free(d->t.pages[i].mapped);
	}
}

static int draft_open(struct draft *d, const struct ng_acl_item *item, size_t n,
		      const struct ng_acl_size *like)
{
	const size_t nodes = NODES_EACH * n + NG_TRIE_TAKES_MAX, notes = note_pieces(item, n);
	__u32 bits[NG_SIDE_MAX] = { root_bits_for(item, n, NG_SRC),
				    root_bits_for(item, n, NG_DST) };
	const size_t bytes[NG_ACL_MAP_MAX] = {
		[NG_ACL_HEAD] = sizeof(struct ng_acl_head),
		[NG_ACL_ROOT4_SRC] = sizeof(__u32) << bits[NG_SRC],
		[NG_ACL_ROOT4_DST] = sizeof(__u32) << bits[NG_DST],
		[NG_ACL_ROOT6] = NG_SIDE_MAX * (sizeof(__u32) << NG_ROOT6_BITS),
		[NG_ACL_NODES] = nodes * sizeof(struct ng_trie_node),
		[NG_ACL_SKIPS] = nodes * sizeof(struct ng_trie_skip),
		[NG_ACL_LINKS] = nodes * sizeof(__u32),
		[NG_ACL_CLAUSE] = (n + 1) * sizeof(struct ng_acl_clause),
		[NG_ACL_ROW] = (n + 1) * sizeof(struct ng_acl_row),
		[NG_ACL_NOTES] = (notes + 1) * sizeof(struct ng_acl_note),
	};
	struct ng_acl_head *h;
	int err = 0;

	memset(d, 0, sizeof(*d));
	for (int i = 0; i < NG_ACL_MAP_MAX; i++)
		d->t.fd[i] = -1;
	for (int i = 0; i < NG_ACL_MAP_MAX && !err; i++)
		if (bytes[i])
			err = reserve(&d->t.pages[i], bytes[i]);
	if (err)
		return err;
	h = d->t.head = (struct ng_acl_head *)d->t.pages[NG_ACL_HEAD].base;
	h->engine = like->engine;
	memcpy(h->root_bits, bits, sizeof(bits));
	h->clause = h->row = (struct ng_pool){ .size = (__u32)n + 1, .fresh = 1 };
	h->node = h->skip = (struct ng_pool){ .size = (__u32)nodes, .fresh = 1 };
	h->note = (struct ng_pool){ .size = (__u32)notes + 1, .fresh = 1 };
	return 0;
}

/* The clauses of one prefix, which is present with that. Returns how many items they are. */
static size_t take_prefix(struct draft *d, const struct ng_acl_item *item, size_t n,
			  struct cover *own)
{
	size_t k = 0;
	__u32 last = 0;

	own->prefix = item->key.prefix;
	own->side = item->key.side;
	own->first = 0;
	for (; k < n && !ng_acl_compare_place(&item[k].key.prefix, item[k].key.side, &own->prefix,
					      own->side);
	     k++) {
		__u32 id = ng_clause_new(&d->t, &item[k]);

		if (last)
			ng_clause_at(&d->t, last)->sibling = id;
		else
			own->first = id;
		last = id;
	}
	d->t.head->live[own->prefix.family][own->side]++;
	d->t.head->lens[own->prefix.family][own->side][own->prefix.len]++;
	return k;
}

static __u32 gather(struct draft *d, const struct cover *own, __u32 list[NG_ACL_CLAUSES_MAX])
{
	__u32 n = 0;
	size_t up = d->covers;

	for (__u32 first = own->first; !ng_acl_gather(&d->t, first, list, &n) && up--;)
		first = d->cover[up].first;
	return n;
}

static int place_prefix(struct draft *d, const struct cover *own)
{
	__u32 list[NG_ACL_CLAUSES_MAX], n, leaf, from = 0;

	while (d->covers && (d->cover[d->covers - 1].side != own->side ||
			     !ng_prefix_covers(&d->cover[d->covers - 1].prefix, &own->prefix)))
		d->covers--;
	if (d->covers)
		from = ng_clause_at(&d->t, d->cover[d->covers - 1].first)->leaf;
	n = gather(d, own, list);
	leaf = ng_leaf_new(&d->t, own->first, list, n);
	ng_clause_at(&d->t, own->first)->leaf = leaf;
	d->cover[d->covers++] = *own;
	if (d->t.head->engine != NG_ENGINE_TRIE)
		return 0;
	return ng_engine_set(&d->t, &own->prefix, own->side, from, leaf, true);
}

static int fill(struct draft *d, const struct ng_acl_item *item, size_t n, size_t *bad)
{
	int err = 0;

	for (size_t i = 0; i < n && !err;) {
		struct cover own;
		size_t own_items = take_prefix(d, &item[i], n - i, &own);

		if (own_items > NG_ACL_CLAUSES_MAX) {
			*bad = i + NG_ACL_CLAUSES_MAX;
			return -E2BIG;
		}
		err = place_prefix(d, &own);
		i += own_items;
	}
	return err;
}

/* Into maps */

/* At most what there can be: then with less room. */
static __u32 with_room(__u32 fresh, __u32 spare, size_t max)
{
	__u32 size = fresh + fresh / 4 + spare;

	return size > max && fresh <= max ? (__u32)max : size;
}

static struct ng_acl_size size_for(const struct draft *d, const struct ng_acl_size *like)
{
	const struct ng_acl_head *h = d->t.head;
	struct ng_acl_size size = *like;

	memcpy(size.root_bits, h->root_bits, sizeof(size.root_bits));
	size.clauses = with_room(h->clause.fresh, SPARE_CLAUSES, NG_TRIE_ID_MAX);
	size.rows = with_room(h->row.fresh, SPARE_ROWS, NG_TRIE_ID_MAX);
	size.nodes = with_room(h->node.fresh, SPARE_NODES, NG_ACL_NODES_MAX);
	size.skips = with_room(h->skip.fresh, SPARE_NODES, NG_ACL_SKIPS_MAX);
	size.notes = with_room(h->note.fresh, SPARE_NOTES, NG_TRIE_ID_MAX);
	size.stripes = like->stripes ? ng_acl_stripes_for(size.clauses) : 0;
	return size;
}

static int create(const struct draft *d, const struct ng_acl_size *like, struct ng_acl_tables *out)
{
	struct ng_acl_size size = size_for(d, like);
	int err = ng_acl_tables_create(&size, out);

	return err == -E2BIG ? -EFBIG : err;
}

static int copy_table(struct draft *d, struct ng_acl_tables *out, enum ng_acl_map map, size_t bytes)
{
	int err;

	if (out->fd[map] < 0 || !bytes)
		return 0;
	err = ng_pages_map_all(&out->pages[map]);
	if (!err)
		memcpy(out->pages[map].base, d->t.pages[map].base, bytes);
	return err;
}

static void copy_pool(struct ng_pool *to, const struct ng_pool *from)
{
	__u32 size = to->size;

	*to = *from;
	to->size = size;
}

static int copy_tables(struct draft *d, struct ng_acl_tables *out)
{
	const struct ng_acl_head *h = d->t.head;
	const size_t bytes[NG_ACL_MAP_MAX] = {
		[NG_ACL_ROOT4_SRC] = sizeof(__u32) << h->root_bits[NG_SRC],
		[NG_ACL_ROOT4_DST] = sizeof(__u32) << h->root_bits[NG_DST],
		[NG_ACL_ROOT6] = NG_SIDE_MAX * (sizeof(__u32) << NG_ROOT6_BITS),
		[NG_ACL_NODES] = h->node.fresh * sizeof(struct ng_trie_node),
		[NG_ACL_SKIPS] = h->skip.fresh * sizeof(struct ng_trie_skip),
		[NG_ACL_LINKS] = h->node.fresh * sizeof(__u32),
		[NG_ACL_CLAUSE] = h->clause.fresh * sizeof(struct ng_acl_clause),
		[NG_ACL_ROW] = h->row.fresh * sizeof(struct ng_acl_row),
		[NG_ACL_NOTES] = h->note.fresh * sizeof(struct ng_acl_note),
	};
	int err = 0;

	for (int i = 0; i < NG_ACL_MAP_MAX && !err; i++)
		err = copy_table(d, out, i, bytes[i]);
	if (err)
		return err;
	memcpy(out->head->live, h->live, sizeof(h->live));
	memcpy(out->head->lens, h->lens, sizeof(h->lens));
	out->head->deadline = h->deadline;
	copy_pool(&out->head->clause, &h->clause);
	copy_pool(&out->head->row, &h->row);
	copy_pool(&out->head->node, &h->node);
	copy_pool(&out->head->skip, &h->skip);
	copy_pool(&out->head->note, &h->note);
	return 0;
}

static bool is_first(struct ng_acl_tables *t, __u32 id)
{
	return ng_clause_at(t, id)->leaf != 0;
}

static int index_all(struct ng_acl_tables *out)
{
	int err = ng_pages_map_all(&out->pages[NG_ACL_INDEX]);

	for (__u32 id = 1; !err && id < out->head->clause.fresh; id++) {
		struct ng_acl_clause *c = ng_clause_at(out, id);
		struct ng_prefix p = ng_clause_prefix(c);
		__u32 *bucket;

		if (!is_first(out, id))
			continue;
		bucket = ng_acl_bucket(out, &p, c->side);
		c->chain = *bucket;
		*bucket = id;
	}
	return err;
}

static int set_lpm(struct ng_acl_tables *out)
{
	int err = 0;

	for (__u32 id = 1; !err && id < out->head->clause.fresh; id++) {
		const struct ng_acl_clause *c = ng_clause_at(out, id);
		struct ng_prefix p = ng_clause_prefix(c);

		if (is_first(out, id))
			err = ng_engine_set(out, &p, c->side, 0, c->leaf, true);
	}
	return err;
}

int ng_acl_build(const struct ng_acl_item *item, size_t n, const struct ng_acl_size *like,
		 struct ng_acl_tables *out, size_t *bad)
{
	struct draft *d;
	int err;

	if (n > ITEMS_MAX)
		return -EFBIG;
	d = malloc(sizeof(*d));
	err = d ? draft_open(d, item, n, like) : -ENOMEM;
	if (!err)
		err = fill(d, item, n, bad);
	if (!err)
		err = create(d, like, out);
	if (!err) {
		err = copy_tables(d, out);
		if (!err)
			err = index_all(out);
		if (!err && like->engine == NG_ENGINE_LPM)
			err = set_lpm(out);
		if (err)
			ng_acl_tables_close(out);
	}
	if (d)
		draft_close(d);
	free(d);
	return err;
}
