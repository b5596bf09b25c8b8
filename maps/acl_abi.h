/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the ACL lies in kernel memory, for both sides; part of maps/abi.h. One "generation" is one
 * set of these tables; the program of a gate reads exactly one, and a gate's generation changes with
 * its program, in one step. All of it is mapped memory: user space writes aligned words, the program
 * reads them, and every index the program follows is compared with a constant first, so that a
 * damaged word can give a wrong verdict and never a fault.
 *
 *	address -> trie (or LPM map) -> leaf -> clause			one unconditional verdict
 *				             -> row -> clauses, in order	everything else
 */
#ifndef NG_MAPS_ACL_ABI_H
#define NG_MAPS_ACL_ABI_H

#include <linux/types.h>

#define NG_ACL_CLAUSES_MAX 8 /* clauses in effect for one address, own and inherited */

enum ng_family { NG_IPV4, NG_IPV6, NG_FAMILY_MAX };
enum ng_side { NG_SRC, NG_DST, NG_SIDE_MAX };
enum ng_acl_engine { NG_ENGINE_TRIE, NG_ENGINE_LPM, NG_ENGINE_MAX };

/*
 * A leaf: what holds for an address. 0: no prefix. Each prefix present has one leaf, and no two
 * prefixes have the same, so that a leaf tells whose it is.
 *
 *	01 0 0 id	clause id passes, whatever else the packet is
 *	01 0 1 id	clause id drops
 *	01 1 0 id	row id lists the clauses to try
 *
 * In a trie, the same word may instead lead on: 10 node, 11 skip.
 */
#define NG_LEAF_ID     ((1u << 28) - 1)
#define NG_LEAF_DROP   (1u << 28)
#define NG_LEAF_ROW    (1u << 29)
#define NG_TRIE_TAG    (3u << 30)
#define NG_TRIE_LEAF   (1u << 30)
#define NG_TRIE_NODE   (2u << 30)
#define NG_TRIE_SKIP   (3u << 30)
#define NG_TRIE_ID_MAX NG_LEAF_ID /* ids of nodes, skips, clauses and rows lie below; 0 is none's */

/*
 * The tries. ng_root4_src, ng_root4_dst: 1 << root_bits[side] words (16, 20 or 24 bits of the
 * address), ng_root6: 2 << 16 words, source side first. A word is a leaf, 0, or leads to one of
 * ng_nodes (the next 4 bits choose the word) or, IPv6 only, to one of ng_skips: where the address
 * starts with its prefix, `match` goes on at bit `len`, else `other` (a leaf or 0) holds.
 */
#define NG_TRIE_BITS  4
#define NG_TRIE_SLOTS 16
#define NG_ROOT6_BITS 16

struct ng_trie_node {
	__u32 slot[NG_TRIE_SLOTS];
}; /* one cache line */

struct ng_trie_skip {
	__u64 hi, lo; /* the address in host order; bits from len on are zero */
	__u32 match;
	__u32 other;
	__u32 len;  /* a multiple of 4, more than the depth where it stands */
	__u32 link; /* for ng_pool */
};

/* LPM maps ng_acl4_src .. ng_acl6_dst (--engine lpm): key below, value a leaf. */
struct ng_lpm4_key {
	__u32 prefixlen;
	__be32 addr_be;
};
struct ng_lpm6_key {
	__u32 prefixlen;
	__be32 addr_be[4];
};

/* Which clause decided, as records of packets name it: its id, and its generation's low bits. */
#define NG_DECIDER(gen, clause) ((clause) ? ((gen)&15) << 28 | (clause) : 0)
#define NG_DECIDER_CLAUSE(d)	((d)&NG_LEAF_ID)
#define NG_DECIDER_GEN(d)	((d) >> 28)

enum ng_acl_state { NG_CLAUSE_FREE, NG_CLAUSE_LIVE, NG_CLAUSE_DEAD };

/* One clause of one prefix; its id counts in ng_acl_hits. Words that only user space reads are last. */
struct ng_acl_clause {
	__u8 verdict;	/* enum ng_verdict or NG_COUNT */
	__u8 any_proto; /* proto is not looked at */
	__u8 proto;	/* IP protocol number; IPv6: the one behind the extension headers */
	__u8 any_port;
	__u16 port_lo; /* destination port range; 0-65535 with any_port: not looked at */
	__u16 port_hi;
	__u64 deadline;	   /* jiffies64 from which on it does not hold; 0: none */
	__be32 addr_be[4]; /* of the prefix; IPv4 in the first word, the rest zero */
	__u8 family;
	__u8 side;
	__u8 prefixlen;
	__u8 state;    /* enum ng_acl_state */
	__u32 sibling; /* next clause of the same prefix, in the order they are tried */
	__u32 chain; /* first of a prefix: next in ng_acl_index's bucket; dead or free: for ng_pool */
	__u32 leaf;    /* first of a prefix: the prefix's leaf */
	__u32 note;    /* its comment in ng_acl_notes */
	__u32 added;   /* seconds since 1970 */
	__u32 timeout; /* seconds, as given */
	__u32 pad;
};

/* The clauses that hold for a prefix where one unconditional verdict does not say it all. Never
 * changes while a leaf names it. */
struct ng_acl_row {
	__u32 owner; /* first clause of the prefix */
	__u32 link;  /* for ng_pool */
	__u32 clauses;
	__u32 pad;
	__u32 clause[NG_ACL_CLAUSES_MAX]; /* own, then what covering prefixes add, longest first */
	__u32 pad2[4];
};

/*
 * ng_acl_hits [(stripes + 1) * clauses], index stripe * clauses + clause. stripes is a power of two;
 * a CPU writes in stripe cpu % stripes. The last stripe is user space's: what the clause counted in
 * earlier generations.
 */
struct ng_acl_hit {
	__u64 packets;
	__u64 bytes;
	__u64 last; /* jiffies64 */
};

struct ng_acl_note {
	__u32 link;    /* next piece of the same comment; free: for ng_pool */
	char text[60]; /* the rest zero */
};

/* Elements of one table: taken from the free list, then fresh ones; given back when no program can
 * read them any more (maps/pool.h). */
struct ng_pool {
	__u32 size;  /* ids are 1 .. size - 1 */
	__u32 fresh; /* the next id never used */
	__u32 free;  /* list, 0 ends it */
	__u32 dead;  /* list: taken out, but a program may still read it */
	__u32 dying; /* how many are in it */
	__u32 used;  /* in the tables: neither fresh nor free nor dead */
};

/* The words that a clause is getting, while its own are neither the old nor the new. */
struct ng_acl_redo {
	__u32 clause; /* 0: none */
	__u32 verdict;
	__u64 deadline;
	__u32 timeout;
	__u32 note;
};

/* ng_acl_head: one element. */
struct ng_acl_head {
	__u32 live[NG_FAMILY_MAX][NG_SIDE_MAX]; /* prefixes present; 0: no lookup is made */
	__u32 pad[12];
	/* User space only from here on. */
	__u32 engine;		      /* enum ng_acl_engine */
	__u32 root_bits[NG_SIDE_MAX]; /* of IPv4 */
	__u32 stripes;		      /* of ng_acl_hits; 0: clauses are not counted */
	__u32 dirty;	/* a writer is between two steps, or died there: build a new generation */
	__u32 buckets;	/* of ng_acl_index */
	__u64 deadline; /* no clause ends before */
	struct ng_acl_redo redo;
	struct ng_pool clause, row, node, skip, note;
	__u32 lens[NG_FAMILY_MAX][NG_SIDE_MAX][129]; /* prefixes present of each length */
};

_Static_assert(sizeof(struct ng_lpm4_key) == 8, "map ABI");
_Static_assert(sizeof(struct ng_lpm6_key) == 20, "map ABI");
_Static_assert(sizeof(struct ng_trie_node) == 64, "map ABI: one cache line");
_Static_assert(sizeof(struct ng_trie_skip) == 32, "map ABI");
_Static_assert(sizeof(struct ng_acl_clause) == 64, "map ABI: one cache line");
_Static_assert(sizeof(struct ng_acl_row) == 64, "map ABI: one cache line");
_Static_assert(sizeof(struct ng_acl_hit) == 24, "map ABI");
_Static_assert(sizeof(struct ng_acl_note) == 64, "map ABI");

#endif
