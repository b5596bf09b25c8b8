/* SPDX-License-Identifier: GPL-2.0-only */
/* The words behind `acl add|del|get|test DEV`. */
#ifndef NG_CTL_POLICY_ACL_WORDS_H
#define NG_CTL_POLICY_ACL_WORDS_H

#include "ctl/policy/prefix.h"

enum ng_acl_form {
	NG_ACL_FORM_ADD,  /* VERDICT [in|out] [src|dst] PREFIX|@FILE|- [proto P] [port N|N-M] */
	NG_ACL_FORM_KEY,  /* [in|out] [src|dst] PREFIX [proto P] [port N|N-M] */
	NG_ACL_FORM_TEST, /* [in|out] [src|dst] ADDRESS [proto P] [port N] */
};

struct ng_acl_words {
	__u8 verdict; /* NG_ACL_FORM_ADD only */
	enum ng_dir dir;
	struct ng_acl_key key; /* when list is set, each prefix's by ng_acl_words_key() */
	bool icmp;	       /* the protocol is ICMP, whichever belongs to the family */
	bool masked;	       /* the prefix had host bits set */
	const char *list;      /* file of prefixes, "-" for standard input; NULL: none */
};

/* argv: the words behind DEV. 0 or -EINVAL with *bad filled and *out untouched. */
int ng_acl_words_parse(enum ng_acl_form form, int argc, char **argv, struct ng_acl_words *out,
		       struct ng_bad_word *bad);
/* The key that these words mean for one prefix. */
struct ng_acl_key ng_acl_words_key(const struct ng_acl_words *words,
				   const struct ng_prefix *prefix);

extern const char *const ng_dir_name[NG_DIR_MAX];   /* "in", "out" */
extern const char *const ng_side_name[NG_SIDE_MAX]; /* "src", "dst" */

#define NG_MATCH_TEXT 12
/* "tcp", "icmp6", "47", "any" */
void ng_proto_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT]);
/* "53", "1000-2000", "any" */
void ng_port_format(const struct ng_acl_key *key, char text[NG_MATCH_TEXT]);

#define NG_ACL_KEY_TEXT 128
/* "in src 192.0.2.0/24 proto tcp port 443" */
void ng_acl_key_format(enum ng_dir dir, const struct ng_acl_key *key, char text[NG_ACL_KEY_TEXT]);

#endif
