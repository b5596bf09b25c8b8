/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lookups in the tries of one generation, from the program's side. Layout: maps/acl_abi.h.
 *
 * Each table is one element of one map, as large as the generation has it, so that a lookup follows
 * words without calls: value sizes and the constants below are set before the load, and each index
 * is compared with them. A word that leads nowhere gives no leaf.
 */
#ifndef NG_MAPS_TRIE_BPF_H
#define NG_MAPS_TRIE_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "maps/acl_abi.h"

/* Set before the load, as the generation has them. */
const volatile __u32 ng_root_bits[NG_SIDE_MAX]; /* of IPv4: 16, 20 or 24; 0: no such table */
const volatile __u32 ng_node_count;		/* elements of ng_nodes, ng_skips */
const volatile __u32 ng_skip_count;

/* No BTF types: a value of another size than its type makes libbpf load the map twice. */
#define NG_TRIE_TABLE(name, bytes)                                                                 \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, 1);                                                            \
		__uint(key_size, sizeof(__u32));                                                   \
		__uint(value_size, bytes);                                                         \
	} name SEC(".maps")

/* Sizes but ng_root6's: set before the load. */
NG_TRIE_TABLE(ng_root4_src, sizeof(__u32));
NG_TRIE_TABLE(ng_root4_dst, sizeof(__u32));
NG_TRIE_TABLE(ng_root6, NG_SIDE_MAX * sizeof(__u32) << NG_ROOT6_BITS);
NG_TRIE_TABLE(ng_nodes, sizeof(struct ng_trie_node));
NG_TRIE_TABLE(ng_skips, sizeof(struct ng_trie_skip));

#define NG_TRIE4_BITS	  32
#define NG_TRIE6_BITS	  128
#define NG_TRIE6_HALF	  64
#define NG_TRIE6_STEPS	  ((NG_TRIE6_BITS - NG_ROOT6_BITS) / NG_TRIE_BITS)
#define NG_TRIE_SLOT_MASK (NG_TRIE_SLOTS - 1)

/*
 * The address's first word. The compiler knows that a swapped word has 32 bits and may work on with
 * 64-bit instructions; the verifier (Linux 6.1) does not know, so it must not.
 */
static __always_inline __u32 ng_trie_first(__be32 addr_be)
{
	__u32 addr = bpf_ntohl(addr_be);

	asm volatile("" : "+r"(addr));
	return addr;
}

/* What a walk ends with. */
static __always_inline __u32 ng_trie_leaf(__u32 word)
{
	return word & NG_TRIE_NODE ? 0 : word;
}

/* The word of a node that the address's next bits, the lowest 4 of `bits`, choose. */
static __always_inline __u32 ng_trie_slot(const struct ng_trie_node *nodes, __u32 word, __u32 bits)
{
	__u64 id = word & NG_LEAF_ID;

	if (id >= ng_node_count)
		return 0;
	return nodes[id].slot[bits & NG_TRIE_SLOT_MASK];
}

/*
 * The word below where `word` is a node, else `word` itself. Without a branch: which it is no
 * predictor knows, and a wrong guess costs more than a read that was not needed, of node 0.
 */
static __always_inline __u32 ng_trie_step(const struct ng_trie_node *nodes, __u32 word, __u32 bits)
{
	__u32 is_node = (__s32)word >> 31, below;
	__u64 id;

	asm volatile("" : "+r"(is_node)); /* the compiler would make it a branch again */
	id = word & NG_LEAF_ID & is_node;
	if (id >= ng_node_count)
		return 0;
	below = nodes[id].slot[bits & NG_TRIE_SLOT_MASK];
	return (below & is_node) | (word & ~is_node);
}

/* The leaf that holds for an address on a side (a constant); 0: none. addr_be: as in the packet. */
static __always_inline __u32 ng_trie4_find(__u32 side, __be32 addr_be)
{
	__u32 addr = ng_trie_first(addr_be), bits = ng_root_bits[side], zero = 0, word;
	const struct ng_trie_node *nodes;
	const __u32 *root;

	if (!bits)
		return 0;
	root = bpf_map_lookup_elem(side == NG_SRC ? (void *)&ng_root4_src : &ng_root4_dst, &zero);
	nodes = bpf_map_lookup_elem(&ng_nodes, &zero);
	if (!root || !nodes)
		return 0;
	word = root[addr >> (NG_TRIE4_BITS - bits)];
	addr <<= bits;
#pragma unroll
	for (__u32 at = 16; at < NG_TRIE4_BITS; at += NG_TRIE_BITS) {
		if (at < bits)
			continue;
		word = ng_trie_step(nodes, word, addr >> (NG_TRIE4_BITS - NG_TRIE_BITS));
		addr <<= NG_TRIE_BITS;
	}
	return ng_trie_leaf(word);
}

/*
 * The address's half that the bits from `depth` on are in, and whether it starts with the skip's len
 * bits (4 to 128; other lengths give some answer): computed, as branches would be mispredicted, and
 * doubled what the verifier follows. The barriers keep clang from making branches of it again.
 */
static __always_inline __u64 ng_trie_half(__u64 hi, __u64 lo, __u32 depth)
{
	__u64 low = 0 - (__u64)(depth / NG_TRIE6_HALF); /* all ones or zero */

	asm volatile("" : "+r"(low));
	return hi ^ ((hi ^ lo) & low);
}

static __always_inline bool ng_trie_matches(const struct ng_trie_skip *s, __u64 hi, __u64 lo,
					    __u32 len)
{
	__u64 high = ((__u64)len - NG_TRIE6_HALF - 1) >> 63; /* no bits of lo count */

	asm volatile("" : "+r"(high));
	hi = (hi ^ s->hi) >> ((NG_TRIE6_HALF - len) & (NG_TRIE6_HALF - 1) & (0 - high));
	lo = (lo ^ s->lo) >> ((NG_TRIE6_BITS - len) & (NG_TRIE6_HALF - 1)) & (high - 1);
	return !(hi | lo);
}

/*
 * From a word of the root on; the address in host order. Global, so that the verifier walks the loop
 * once and not for each way that leads here. Where returns are guarded (AMD's "Safe RET") the call
 * takes 7 ns.
 */
__noinline __u32 ng_trie6_walk(__u32 word, __u64 hi, __u64 lo)
{
	__u32 zero = 0, depth = NG_ROOT6_BITS, shift;
	const struct ng_trie_node *nodes = bpf_map_lookup_elem(&ng_nodes, &zero);
	const struct ng_trie_skip *skips = bpf_map_lookup_elem(&ng_skips, &zero), *s;
	__u64 id;

	if (!nodes || !skips)
		return 0;
	for (__u32 i = 0; i < NG_TRIE6_STEPS && word & NG_TRIE_NODE; i++) {
		if ((word & NG_TRIE_TAG) == NG_TRIE_NODE) {
			shift = (NG_TRIE6_HALF - NG_TRIE_BITS - depth) & (NG_TRIE6_HALF - 1);
			word = ng_trie_slot(nodes, word,
					    (__u32)(ng_trie_half(hi, lo, depth) >> shift));
			depth += NG_TRIE_BITS;
			continue;
		}
		id = word & NG_LEAF_ID;
		if (id >= ng_skip_count)
			return 0;
		s = &skips[id];
		depth = s->len;
		word = ng_trie_matches(s, hi, lo, depth) ? s->match : s->other;
	}
	return ng_trie_leaf(word);
}

static __always_inline __u32 ng_trie6_find(__u32 side, const __be32 addr_be[4])
{
	__u32 first = ng_trie_first(addr_be[0]), zero = 0, word;
	__u64 hi = (__u64)first << 32 | bpf_ntohl(addr_be[1]);
	__u64 lo = (__u64)bpf_ntohl(addr_be[2]) << 32 | bpf_ntohl(addr_be[3]);
	const __u32 *root = bpf_map_lookup_elem(&ng_root6, &zero);

	if (!root)
		return 0;
	word = root[(side << NG_ROOT6_BITS) + (first >> (32 - NG_ROOT6_BITS))];
	return word & NG_TRIE_NODE ? ng_trie6_walk(word, hi, lo) : word;
}

#endif
