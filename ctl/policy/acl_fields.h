/* SPDX-License-Identifier: GPL-2.0-only */
/* The fields of an ACL clause, each one word: read the same wherever a clause is written. */
#ifndef NG_CTL_POLICY_ACL_FIELDS_H
#define NG_CTL_POLICY_ACL_FIELDS_H

#include "ctl/policy/range.h"

enum ng_acl_field {
	NG_ACL_VERDICT, /* pass, drop, count; accept, allow, permit; deny, block */
	NG_ACL_DIR,	/* in, out */
	NG_ACL_SIDE,	/* src, dst */
	NG_ACL_PREFIX,	/* a prefix, an address, A-B */
	NG_ACL_PROTO,	/* tcp, 47, any .. */
	NG_ACL_PORT,	/* 53, 8000-8099, any */
	NG_ACL_TIMEOUT, /* 10m, 1h30m, 90 */
	NG_ACL_COMMENT,
	NG_ACL_FIELD_MAX
};

#define NG_COMMENT_MAX 255 /* bytes */

struct ng_acl_words {
	__u32 has;    /* bits by enum ng_acl_field: what was said */
	__u8 verdict; /* enum ng_verdict or NG_COUNT */
	enum ng_dir dir;
	struct ng_acl_key key; /* when list or range is set, each prefix's by ng_acl_words_key() */
	bool icmp;	       /* the protocol is ICMP, whichever belongs to the family */
	bool masked;	       /* the prefix had host bits set */
	bool is_range;
	struct ng_range range;
	const char *list; /* file of prefixes, "-" for standard input; NULL: none */
	__u32 timeout_s;  /* 0: none */
	const char *comment;
	size_t comment_len;
};

static inline bool ng_acl_has(const struct ng_acl_words *words, enum ng_acl_field field)
{
	return words->has >> field & 1;
}

extern const char *const ng_dir_name[NG_DIR_MAX];   /* "in", "out" */
extern const char *const ng_side_name[NG_SIDE_MAX]; /* "src", "dst" */

/* Nothing said: in, src, any protocol, any port. */
struct ng_acl_words ng_acl_words_none(void);
/*
 * Reads one field from text[0..len) into *words and marks it in has. A comment stays where it is.
 * 0 or -EINVAL with *bad filled (but for word) and *words untouched.
 */
int ng_acl_field_read(struct ng_acl_words *words, enum ng_acl_field field, const char *text,
		      size_t len, struct ng_bad_word *bad);
/* The same for a comment of printable UTF-8 only. */
int ng_comment_check(const char *text, size_t len, struct ng_bad_word *bad);
/* Whether the fields go together for prefixes of a family (NG_FAMILY_MAX: not known);
 * -EINVAL with *bad filled and *field, the one that is wrong. */
int ng_acl_fields_check(const struct ng_acl_words *words, enum ng_family family,
			enum ng_acl_field *field, struct ng_bad_word *bad);
/* The key that these words mean for one prefix. */
struct ng_acl_key ng_acl_words_key(const struct ng_acl_words *words,
				   const struct ng_prefix *prefix);

#define NG_MATCH_TEXT 12
/* "tcp", "icmp6", "47", "any" */
void ng_proto_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT]);
/* "53", "1000-2000", "any" */
void ng_port_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT]);

#endif
