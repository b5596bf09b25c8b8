/* SPDX-License-Identifier: GPL-2.0-only */
/* What the pure parsers of this room say about text that is wrong. */
#ifndef NG_CTL_POLICY_BAD_WORD_H
#define NG_CTL_POLICY_BAD_WORD_H

#include <stddef.h>

struct ng_bad_word {
	int word;	/* index in argv, where words are parsed; argc: one is missing at the end */
	size_t at;	/* offset of the character in the word or line */
	char what[128]; /* what is wrong */
	char hint[128]; /* what to type instead; may be empty */
};

#endif
