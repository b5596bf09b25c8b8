/* SPDX-License-Identifier: GPL-2.0-only */
/* The words behind `acl add|del|get|test DEV`, and those of a line in a table of them. */
#ifndef NG_CTL_POLICY_ACL_WORDS_H
#define NG_CTL_POLICY_ACL_WORDS_H

#include "ctl/policy/acl_fields.h"

enum ng_acl_form {
	/* VERDICT [in|out] [src|dst] PREFIX|A-B|@FILE|- [proto P] [port N|N-M] [timeout T] [comment C] */
	NG_ACL_FORM_ADD,
	NG_ACL_FORM_FILE, /* the same with FILE|-, which is in list; VERDICT may be missing */
	NG_ACL_FORM_KEY,  /* [in|out] [src|dst] PREFIX [proto P] [port N|N-M] */
	NG_ACL_FORM_TEST, /* [in|out] [src|dst] ADDRESS [proto P] [port N] */
	/* [VERDICT] [in|out] [src|dst] PREFIX|A-B [proto P] [port N|N-M] [timeout T] [comment C] */
	NG_ACL_FORM_LINE,
};

/* argv: the words behind DEV. 0 or -EINVAL with *bad filled and *out untouched. */
int ng_acl_words_parse(enum ng_acl_form form, int argc, char **argv, struct ng_acl_words *out,
		       struct ng_bad_word *bad);
/* Whether a word is one of a clause that stands before or behind its prefix. */
bool ng_acl_word_leads(const char *word);
bool ng_acl_word_follows(const char *word);

#define NG_ACL_KEY_TEXT 128
/* "in src 192.0.2.0/24 proto tcp port 443" */
void ng_acl_key_format(enum ng_dir dir, const struct ng_acl_key *key, char text[NG_ACL_KEY_TEXT]);

#endif
