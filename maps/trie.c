// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaf-pushed multibit tries in mapped memory: the one operation that changes them, and lookup.
 *
 * Layout (maps/acl_abi.h). A word stands for all addresses that lead to it, those that agree in its
 * first `depth` bits: a word of the root at depth root_bits, a word of a node 4 bits deeper than
 * the node's own. It holds their common leaf, or leads to a node that tells them apart by the next
 * 4 bits, or (IPv6) to a skip that tells those with a certain start of `len` bits from all others,
 * which have one leaf. Both families are one body: an address is 128 bits, IPv4's the highest 32.
 *
 * Shape. Between calls
 *   - a node's 16 words are not all the same leaf;
 *   - IPv6: on the way to a prefix that came or went, no node has 15 words alike: it is a skip then,
 *     or the skip below it stands in its place;
 *   - match and other of a skip differ, and match is not a skip with the same other.
 * Each is restored from below upwards after a change, so that what is deleted leaves nothing behind,
 * and what is left takes about what it would take alone.
 *
 * Readers go on all the time. A word changes by one aligned store, from one leaf to another, or
 * from something to something else that gives each address the same leaf, or `to` where it was
 * `from`. New nodes and skips are complete before the store (release) that leads to them; the reader
 * needs no barrier, as its next load depends on the word. hi, lo and len of a skip never change while
 * a word leads to it. What no word leads to any more is dead, not free: whoever is in there still
 * finds what was true when it came, until a grace period has passed. Thus each address has the old
 * or the new leaf at any moment; different addresses of a range need not change at the same one.
 *
 * Takes. One call takes at most
 *   - IPv4: (32 - 16) / 4 = 4 nodes, a path from the root down to 32 bits;
 *   - IPv6: 2 nodes and 2 skips where the path ends (branch() with what grow() hangs below it;
 *     widen() and grow() alone take less), and a skip for each node on the path that shrinks
 *     (depths 16 to 124: 28), 30 in all.
 * Parts of the trie that the range covers as a whole only ever shrink without taking anything,
 * however many there are. NG_TRIE_TAKES_MAX is no less than either.
 *
 * Memory: IPv4, 64 bytes for each node; a long prefix on its own takes up to 4, neighbours share
 * them. IPv6: 32 bytes for a prefix on its own, 64 more for each place where prefixes part (fewer
 * than prefixes), 64 for a length that is no multiple of 4.
 */
#include "maps/trie.h"

#include <arpa/inet.h>
#include <errno.h>

typedef unsigned __int128 address;

struct change {
	struct ng_trie *t;
	address addr;
	unsigned int len;
	__u32 from, to;
};

/* Addresses */

static address address_of(const struct ng_prefix *p)
{
	address a = 0;

	for (int i = 0; i < 4; i++)
		a = a << 32 | ntohl(p->addr_be[i]);
	return a;
}

static address skip_address(const struct ng_trie_skip *s)
{
	return (address)s->hi << 64 | s->lo;
}

/* The first len bits; len > 0. */
static address head(address a, unsigned int len)
{
	return a >> (128 - len) << (128 - len);
}

static unsigned int shared_bits(address a, address b)
{
	__u64 hi = (__u64)((a ^ b) >> 64), lo = (__u64)(a ^ b);

	if (hi)
		return (unsigned int)__builtin_clzll(hi);
	return lo ? 64 + (unsigned int)__builtin_clzll(lo) : 128;
}

/* Which word of a node at a depth. */
static unsigned int slot_of(address a, unsigned int depth)
{
	return (unsigned int)(a >> (128 - NG_TRIE_BITS - depth)) & (NG_TRIE_SLOTS - 1);
}

/* Words, nodes and skips */

#define ROOT_RUN (NG_PAGES_PIECE / sizeof(__u32)) /* words that are mapped together */

static __u32 *root_word(const struct ng_trie *t, size_t i)
{
	return ng_pages_at(t->root, t->root_at + i * sizeof(__u32));
}

static struct ng_trie_node *node_at(const struct ng_trie *t, __u32 word)
{
	return ng_pages_at(t->nodes, (size_t)(word & NG_LEAF_ID) * sizeof(struct ng_trie_node));
}

static struct ng_trie_skip *skip_at(const struct ng_trie *t, __u32 word)
{
	return ng_pages_at(t->skips, (size_t)(word & NG_LEAF_ID) * sizeof(struct ng_trie_skip));
}

static unsigned int bits(const struct ng_trie *t)
{
	return t->family == NG_IPV4 ? 32 : 128;
}

/* Does it lead to one that can be there? A damaged word is nobody's leaf. */
static bool is_node(const struct ng_trie *t, __u32 word, unsigned int depth)
{
	return (word & NG_TRIE_TAG) == NG_TRIE_NODE && depth + NG_TRIE_BITS <= bits(t) &&
	       (word & NG_LEAF_ID) < t->node_pool.pool->size;
}

static bool is_skip(const struct ng_trie *t, __u32 word, unsigned int depth)
{
	const struct ng_trie_skip *s;

	if ((word & NG_TRIE_TAG) != NG_TRIE_SKIP || t->family != NG_IPV6 ||
	    (word & NG_LEAF_ID) >= t->skip_pool.pool->size)
		return false;
	s = skip_at(t, word);
	return s->len > depth && s->len <= 128 && s->len % NG_TRIE_BITS == 0;
}

static int page_error(const struct ng_trie *t)
{
	int err = t->root->error;

	err = err ? err : t->nodes->error;
	err = err ? err : t->node_pool.links->error;
	if (t->family == NG_IPV6)
		err = err ? err : t->skips->error;
	return err;
}

/* From here on readers see it, and what it leads to. */
static void publish(const struct change *c, __u32 *at, __u32 word)
{
	if (!page_error(c->t))
		__atomic_store_n(at, word, __ATOMIC_RELEASE);
}

static void kill_node(const struct change *c, __u32 word)
{
	ng_pool_kill(&c->t->node_pool, word & NG_LEAF_ID);
}

static void kill_skip(const struct change *c, __u32 word)
{
	ng_pool_kill(&c->t->skip_pool, word & NG_LEAF_ID);
}

static __u32 new_skip(const struct change *c, address a, unsigned int len, __u32 match, __u32 other)
{
	__u32 word = NG_TRIE_SKIP | ng_pool_take(&c->t->skip_pool);
	struct ng_trie_skip *s = skip_at(c->t, word);

	a = head(a, len);
	s->hi = (__u64)(a >> 64);
	s->lo = (__u64)a;
	s->len = len;
	s->match = match;
	s->other = other;
	return word;
}

/* The words of a node that stand for addresses in the range. */
struct span {
	unsigned int first, n;
};

static struct span span_of(const struct change *c, unsigned int depth)
{
	if (depth >= c->len)
		return (struct span){ 0, NG_TRIE_SLOTS };
	if (depth + NG_TRIE_BITS <= c->len)
		return (struct span){ slot_of(c->addr, depth), 1 };
	return (struct span){ slot_of(c->addr, depth), 1u << (depth + NG_TRIE_BITS - c->len) };
}

static __u32 grow(const struct change *c, unsigned int depth);

/* A node at a depth less than the range's length: the range gets `to`, all else `from`. */
static __u32 new_node(const struct change *c, unsigned int depth)
{
	__u32 word = NG_TRIE_NODE | ng_pool_take(&c->t->node_pool);
	struct ng_trie_node *node = node_at(c->t, word);
	struct span span = span_of(c, depth);
	__u32 inside = grow(c, depth + NG_TRIE_BITS);

	for (unsigned int i = 0; i < NG_TRIE_SLOTS; i++)
		node->slot[i] = i - span.first < span.n ? inside : c->from;
	return word;
}

/* What takes the place of the leaf `from` at a depth. */
static __u32 grow(const struct change *c, unsigned int depth)
{
	unsigned int whole = c->len & ~(NG_TRIE_BITS - 1u);

	if (depth >= c->len)
		return c->to;
	if (c->t->family == NG_IPV6 && whole > depth)
		return new_skip(c, c->addr, whole, grow(c, whole), c->from);
	return new_node(c, depth);
}

/* A node where one was told from the others already: at its own depth, or behind a skip. */
static __u32 place(const struct change *c, __u32 node, unsigned int at, unsigned int depth)
{
	return at > depth ? new_skip(c, c->addr, at, node, c->from) : node;
}

/* Changes: each returns what is to stand in the place of the word, itself if nothing else. */

static __u32 change_word(const struct change *c, __u32 word, unsigned int depth);

/* The node's only word that differs from `rest` is the one at i. */
static __u32 shrink_to_skip(const struct change *c, __u32 word, unsigned int i, __u32 rest,
			    unsigned int depth)
{
	unsigned int below = depth + NG_TRIE_BITS;
	__u32 only = node_at(c->t, word)->slot[i];
	address a;

	if (!is_skip(c->t, only, below) || skip_at(c->t, only)->other != rest) {
		if (depth >= c->len)
			return word;
		a = head(c->addr, depth) | (address)i << (128 - below);
		only = new_skip(c, a, below, only, rest);
	}
	kill_node(c, word);
	return only;
}

static __u32 shrink_node(const struct change *c, __u32 word, unsigned int depth)
{
	const __u32 *slot = node_at(c->t, word)->slot;
	__u32 rest = slot[0] == slot[1] || slot[0] == slot[2] ? slot[0] : slot[1];
	unsigned int others = 0; /* a bit for each */

	for (unsigned int i = 0; i < NG_TRIE_SLOTS; i++)
		others |= (unsigned int)(slot[i] != rest) << i;
	if (!others) {
		kill_node(c, word);
		return rest;
	}
	if (!(others & (others - 1)) && c->t->family == NG_IPV6)
		return shrink_to_skip(c, word, (unsigned int)__builtin_ctz(others), rest, depth);
	return word;
}

static __u32 change_node(const struct change *c, __u32 word, unsigned int depth)
{
	struct ng_trie_node *node = node_at(c->t, word);
	struct span span = span_of(c, depth);
	bool changed = false;
	__u32 new;

	for (unsigned int i = span.first; i < span.first + span.n; i++) {
		new = change_word(c, node->slot[i], depth + NG_TRIE_BITS);
		if (new == node->slot[i])
			continue;
		publish(c, &node->slot[i], new);
		changed = true;
	}
	return changed ? shrink_node(c, word, depth) : word;
}

static __u32 shrink_skip(const struct change *c, __u32 word)
{
	struct ng_trie_skip *s = skip_at(c->t, word);
	__u32 match = s->match;

	if (match != s->other &&
	    !(is_skip(c->t, match, s->len) && skip_at(c->t, match)->other == s->other))
		return word;
	kill_skip(c, word);
	return match;
}

/*
 * The range and the skip's addresses part at bit `shared`: a node there tells them apart. The skip
 * goes on below it, as it is.
 */
static __u32 branch(const struct change *c, __u32 word, unsigned int shared, unsigned int depth)
{
	struct ng_trie_skip *s = skip_at(c->t, word);
	unsigned int at = shared & ~(NG_TRIE_BITS - 1u);
	__u32 node = new_node(c, at);
	__u32 *slot = &node_at(c->t, node)->slot[slot_of(skip_address(s), at)];

	if (s->len > at + NG_TRIE_BITS) {
		*slot = word;
	} else {
		*slot = s->match;
		kill_skip(c, word);
	}
	return place(c, node, at, depth);
}

/* The skip's addresses with what they have become, and the range's other ones, from `depth` on. */
static __u32 inner_skip(const struct change *c, const struct ng_trie_skip *s, __u32 match,
			unsigned int depth)
{
	if (s->len <= depth || match == c->to ||
	    (is_skip(c->t, match, s->len) && skip_at(c->t, match)->other == c->to))
		return match;
	return new_skip(c, skip_address(s), s->len, match, c->to);
}

/* The range holds all of the skip's addresses, and some of the others but not all of them. */
static __u32 widen(const struct change *c, __u32 word, unsigned int depth)
{
	struct ng_trie_skip *s = skip_at(c->t, word);
	unsigned int at = c->len & ~(NG_TRIE_BITS - 1u);
	__u32 match = change_word(c, s->match, s->len);
	__u32 node;

	kill_skip(c, word);
	if (at == c->len)
		return place(c, inner_skip(c, s, match, at), at, depth);
	node = new_node(c, at);
	node_at(c->t, node)->slot[slot_of(skip_address(s), at)] =
		inner_skip(c, s, match, at + NG_TRIE_BITS);
	return place(c, node, at, depth);
}

static __u32 change_skip(const struct change *c, __u32 word, unsigned int depth)
{
	struct ng_trie_skip *s = skip_at(c->t, word);
	unsigned int shared = shared_bits(c->addr, skip_address(s));
	bool beside = s->other == c->from;
	__u32 match;

	if (shared < c->len && shared < s->len)
		return beside ? branch(c, word, shared, depth) : word;
	if (beside && c->len > depth && c->len < s->len)
		return widen(c, word, depth);
	if (beside && c->len <= depth)
		publish(c, &s->other, c->to);
	match = change_word(c, s->match, s->len);
	if (match != s->match)
		publish(c, &s->match, match);
	return shrink_skip(c, word);
}

static __u32 change_word(const struct change *c, __u32 word, unsigned int depth)
{
	if (is_node(c->t, word, depth))
		return change_node(c, word, depth);
	if (is_skip(c->t, word, depth))
		return change_skip(c, word, depth);
	return word == c->from ? grow(c, depth) : word;
}

/* n words of the root, side by side, each of which the range covers. Mostly they are leaves. */
static void change_words(const struct change *c, __u32 *at, size_t n)
{
	const unsigned int depth = c->t->root_bits;
	__u32 word;

	for (; n; n--, at++) {
		if (*at == c->from)
			__atomic_store_n(at, c->to, __ATOMIC_RELAXED);
		if (!(*at & NG_TRIE_NODE))
			continue;
		word = change_word(c, *at, depth);
		if (word != *at)
			publish(c, at, word);
	}
}

static void change_root(const struct change *c)
{
	size_t left = (size_t)1 << (c->t->root_bits - c->len), n;
	size_t i = (size_t)(c->addr >> (128 - c->t->root_bits));

	__atomic_thread_fence(__ATOMIC_RELEASE); /* what `to` leads to is complete */
	for (; left && !page_error(c->t); i += n, left -= n) {
		__u32 *at = root_word(c->t, i);

		n = ROOT_RUN - (c->t->root_at / sizeof(__u32) + i) % ROOT_RUN;
		n = n < left ? n : left;
		change_words(c, at, n);
	}
}

static bool has_room(const struct ng_trie *t)
{
	return ng_pool_ready(t->node_pool.pool) >= NG_TRIE_TAKES_MAX &&
	       (t->family == NG_IPV4 || ng_pool_ready(t->skip_pool.pool) >= NG_TRIE_TAKES_MAX);
}

int ng_trie_replace(struct ng_trie *t, const struct ng_prefix *p, __u32 from, __u32 to)
{
	struct change c = { .t = t, .len = p->len, .from = from, .to = to };
	__u32 word, *at;

	if (page_error(t))
		return page_error(t);
	if (from == to)
		return 0;
	if (!has_room(t))
		return -ENOSPC;
	c.addr = address_of(p);
	if (c.len <= t->root_bits) {
		change_root(&c);
		return page_error(t);
	}
	at = root_word(t, (size_t)(c.addr >> (128 - t->root_bits)));
	word = change_word(&c, *at, t->root_bits);
	if (word != *at)
		publish(&c, at, word);
	return page_error(t);
}

__u32 ng_trie_find(const struct ng_trie *t, const struct ng_prefix *addr)
{
	address a = address_of(addr);
	unsigned int depth = t->root_bits;
	__u32 word = *root_word(t, (size_t)(a >> (128 - depth)));
	const struct ng_trie_skip *s;

	for (;;) {
		if (is_node(t, word, depth)) {
			word = node_at(t, word)->slot[slot_of(a, depth)];
			depth += NG_TRIE_BITS;
		} else if (is_skip(t, word, depth)) {
			s = skip_at(t, word);
			depth = s->len;
			word = shared_bits(a, skip_address(s)) >= depth ? s->match : s->other;
		} else {
			return word & NG_TRIE_NODE ? 0 : word;
		}
	}
}
