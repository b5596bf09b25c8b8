// SPDX-License-Identifier: GPL-2.0-only
/* Chains of comparisons of words that become one test of membership, and those that must not. */
#include "ctl/filter/strings.h"

#include <errno.h>

#include "tests/tap.h"

#define INSNS_MAX    16
#define N_OF(array)  (sizeof(array) / sizeof((array)[0]))
#define R	     NG_STRINGS_REST
#define LD(k)	     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, k)
#define JEQ(k, t, f) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, t, f)
#define AND(k)	     BPF_STMT(BPF_ALU | BPF_AND | BPF_K, k)
#define JA(k)	     BPF_STMT(BPF_JMP | BPF_JA, k)
#define RET(k)	     BPF_STMT(BPF_RET | BPF_K, k)
#define RET_A	     BPF_STMT(BPF_RET | BPF_A, 0)
#define IN6(k, t, f) BPF_JUMP(BPF_JMP | NG_BPF_IN6 | BPF_K, k, t, f)

static __u32 key[] = { 1, 0x20000 };
static const struct ng_set masked = { .key = key, .n = 1, .words = 2, .mask = 0xffff0000 };
static const struct ng_set whole = { .key = key, .n = 1, .words = 2, .mask = ~0u };

static const struct {
	const char *what;
	const struct ng_set *set;
	struct sock_filter insns[INSNS_MAX];
	size_t n, at;
	struct sock_filter folded[INSNS_MAX];
	size_t n_folded; /* 0: refused */
} rows[] = {
	{ "two words",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1), RET(0) },
	  6,
	  1,
	  { IN6(NG_IN6_K(3, 22), 0, 1), RET(1), RET(0) },
	  3 },
	{ "a masked one",
	  &masked,
	  { LD(22), JEQ(7, 0, 3), LD(26), AND(0xffff0000), JEQ(R, 1, 0), RET(0), RET(1) },
	  7,
	  1,
	  { IN6(NG_IN6_K(3, 22), 1, 0), RET(0), RET(1) },
	  3 },
	{ "something before and jumps over it",
	  &whole,
	  { LD(0), JEQ(5, 5, 0), JEQ(6, 0, 5), LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1),
	    RET(0) },
	  9,
	  4,
	  { LD(0), JEQ(5, 2, 0), JEQ(6, 0, 2), IN6(NG_IN6_K(3, 22), 0, 1), RET(1), RET(0) },
	  6 },
	{ "far jumps",
	  &whole,
	  { LD(22), JEQ(7, 1, 0), JA(2), LD(26), JEQ(R, 1, 0), JA(1), RET(1), RET(0) },
	  8,
	  1,
	  { IN6(NG_IN6_K(3, 22), 1, 0), JA(1), RET(1), RET(0) },
	  4 },
	{ "words that lead to different places",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 2), RET(1), RET(2), RET(0) },
	  7,
	  1,
	  { RET(0) },
	  0 },
	{ "a word of another value",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(8, 0, 1), RET(1), RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "a word that does not follow",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(30), JEQ(R, 0, 1), RET(1), RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "another mask",
	  &masked,
	  { LD(22), JEQ(7, 0, 3), LD(26), AND(0xff000000), JEQ(R, 1, 0), RET(0), RET(1) },
	  7,
	  1,
	  { RET(0) },
	  0 },
	{ "no mask",
	  &masked,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1), RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "half words",
	  &whole,
	  { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1),
	    RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "offsets from X",
	  &whole,
	  { BPF_STMT(BPF_LD | BPF_W | BPF_IND, 22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1),
	    RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "an offset that an instruction cannot say",
	  &whole,
	  { LD(0x10000), JEQ(7, 0, 3), LD(0x10004), JEQ(R, 0, 1), RET(1), RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "a jump into the middle",
	  &whole,
	  { LD(0), JEQ(5, 2, 0), LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1), RET(0) },
	  8,
	  3,
	  { RET(0) },
	  0 },
	{ "a word used behind, when all are equal",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET_A, RET(0) },
	  6,
	  1,
	  { RET(0) },
	  0 },
	{ "a word used behind, when one is not equal",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1), BPF_STMT(BPF_ST, 0), RET(0) },
	  7,
	  1,
	  { RET(0) },
	  0 },
	{ "a word used behind something that leaves it alone",
	  &whole,
	  { LD(22), JEQ(7, 0, 3), LD(26), JEQ(R, 0, 1), RET(1), BPF_STMT(BPF_LDX | BPF_IMM, 0),
	    JEQ(3, 0, 0), RET(0) },
	  8,
	  1,
	  { RET(0) },
	  0 },
	{ "a chain that the program cuts off",
	  &whole,
	  { LD(22), JEQ(7, 0, 0), RET(0) },
	  3,
	  1,
	  { RET(0) },
	  0 },
	{ "no load in front", &whole, { JEQ(7, 0, 0), RET(0) }, 2, 0, { RET(0) }, 0 },
};

static bool is_same(const struct sock_filter *a, const struct sock_filter *b, size_t n)
{
	return memcmp(a, b, n * sizeof(*a)) == 0;
}

static void test_row(size_t i)
{
	struct sock_filter insns[INSNS_MAX];
	size_t n = rows[i].n;
	int ret;

	memcpy(insns, rows[i].insns, sizeof(insns));
	ret = ng_strings_fold(insns, n, rows[i].at, rows[i].set, 3);
	if (!rows[i].n_folded) {
		ok(ret == -EINVAL && is_same(insns, rows[i].insns, n), "%s: stays", rows[i].what);
		return;
	}
	ok(!ret && !ng_strings_compact(insns, &n) && n == rows[i].n_folded &&
		   is_same(insns, rows[i].folded, n),
	   "%s: one test", rows[i].what);
}

int main(void)
{
	struct sock_filter insns[INSNS_MAX];

	for (size_t i = 0; i < N_OF(rows); i++)
		test_row(i);
	memcpy(insns, rows[0].insns, sizeof(insns));
	is_int(ng_strings_fold(insns, rows[0].n, 1, &whole, 0x10000), -EINVAL,
	       "a number of a set that an instruction cannot say");
	return tap_done();
}
