/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test of the tries and its program share. */
#ifndef NG_TESTS_BPF_TRIE_QUESTION_H
#define NG_TESTS_BPF_TRIE_QUESTION_H

#include <linux/types.h>

#define TRIE_QUESTIONS 4096

struct trie_question {
	__be32 addr_be[4];
	__u32 answer;
	__u32 legal[2];
	__u32 pad;
};

struct trie_asked {
	__u32 family, side, n, pad;
	__u64 done, first, second, wrong;
};

#endif
