/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structure of a filter expression, as far as lists and scopes need it: terms, `not`, and
 * chains of terms that `and` and `or` join with equal precedence from the left. A term that is none
 * of the kinds below is kept as its text.
 */
#ifndef NG_CTL_FILTER_EXPR_H
#define NG_CTL_FILTER_EXPR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum ng_term {
	NG_TERM_OTHER,
	NG_TERM_PROTO, /* a protocol's name alone */
	NG_TERM_NET4,  /* an address and a prefix length, 32 for `host` */
	NG_TERM_NET6,
	NG_TERM_PORTS, /* from lo to hi */
	NG_TERM_VLAN,
	NG_TERM_SHIFT, /* mpls, pppoed, pppoes, geneve, vxlan: moves what follows in libpcap */
	NG_TERM_LINK,  /* looks at nothing that those move: Ethernet addresses, the length */
	NG_TERM_SET,   /* `in {..}` or `in @NAME`, which libpcap does not have */
};

enum ng_dir { NG_DIR_NONE, NG_DIR_SRC, NG_DIR_DST, NG_DIR_EITHER, NG_DIR_BOTH, NG_DIR_MAX };
enum ng_type {
	NG_TYPE_NONE,
	NG_TYPE_HOST,
	NG_TYPE_NET,
	NG_TYPE_PORT,
	NG_TYPE_PORTRANGE,
	NG_TYPE_PROTO,
	NG_TYPE_MAX
};

/* What stands before an address or port. */
struct ng_qual {
	unsigned char proto; /* 0: none; else for ng_qual_proto() */
	unsigned char dir;   /* enum ng_dir */
	unsigned char type;  /* enum ng_type */
	bool known;	     /* false: none, or not such words */
};
const char *ng_qual_proto(unsigned char proto);

struct ng_value {
	__u32 word[4]; /* NET4: [0]; as numbers */
	unsigned char len;
	__u16 lo, hi;
};

enum ng_node_kind { NG_NODE_TERM, NG_NODE_NOT, NG_NODE_CHAIN };

struct ng_node {
	enum ng_node_kind kind;
	enum ng_term term;
	bool is_or;	  /* how a chain joins it to what stands before */
	bool implied;	  /* a term of a value alone, which takes its neighbour's words */
	bool made;	  /* has no text of its own: to be written from q and value */
	struct ng_qual q; /* of a chain: the words in front of its parenthesis */
	struct ng_value value;
	size_t start, end; /* in the text */
	size_t set;	   /* NG_TERM_SET: where `{` or `@` is */
	__u32 first;	   /* of its children; a node number, 0: none */
	__u32 next;	   /* in its chain */
	__u32 site;	   /* number of the list it stands for, from 1; 0: none */
};

/* Nodes go by number, because the array may move. node[0] is none. */
struct ng_expr {
	const char *text; /* the caller's */
	struct ng_node *node;
	size_t n, room;
	__u32 root;
	bool failed; /* out of memory: node numbers are 0 from then on */
};

#define NG_EXPR_DEPTH_MAX 200

/*
 * text: with more than blanks. -EINVAL: no filter; -E2BIG: more than NG_EXPR_DEPTH_MAX parentheses
 * or `not` in each other: *at = where in the text. -ENOMEM. *out is to be freed in all cases.
 */
int ng_expr_parse(const char *text, struct ng_expr *out, size_t *at);
void ng_expr_free(struct ng_expr *e);
/* The number of a copy of *node, which belongs to no chain yet. */
__u32 ng_expr_add(struct ng_expr *e, const struct ng_node *node);
/* Whether some term below node i is of this kind. */
bool ng_expr_has(const struct ng_expr *e, __u32 i, enum ng_term term);
/*
 * Whether some value below node i takes words that only libpcap knows ("wlan host a or b"): what
 * stands before it has to stay there, in the words it was written.
 */
bool ng_expr_leans(const struct ng_expr *e, __u32 i);

/* Address or port word of n bytes behind these qualifiers. False: none that this room knows. */
bool ng_expr_value(const char *word, size_t n, const struct ng_qual *q, enum ng_term *term,
		   struct ng_value *value);

#endif
