// SPDX-License-Identifier: GPL-2.0-only
/* Filters as bytes: what was packed comes back, what was altered in any way does not. */
#include "ctl/filter/pack.h"

#include <errno.h>

#include "maps/abi.h"
#include "tests/tap.h"

#define SEED 20

static struct ng_cbpf make(size_t insns, size_t sets, size_t keys)
{
	struct ng_cbpf p = { .n = insns, .n_sets = sets };

	p.insns = insns ? calloc(insns, sizeof(*p.insns)) : NULL;
	p.sets = sets ? calloc(sets, sizeof(*p.sets)) : NULL;
	for (size_t i = 0; i < insns; i++)
		p.insns[i] = (struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, (__u32)rand() };
	if (sets)
		p.insns[0] =
			(struct sock_filter){ BPF_JMP | NG_BPF_IN | BPF_K, 1, 2, (__u32)sets - 1 };
	for (size_t i = 0; i < sets; i++) {
		p.sets[i].n = keys + i;
		p.sets[i].key = calloc(keys + i, sizeof(__u32));
		for (size_t k = 0; k < keys + i; k++)
			p.sets[i].key[k] = (__u32)(k * 7 + i);
	}
	return p;
}

static bool same_set(const struct ng_set *a, const struct ng_set *b)
{
	return a->n == b->n && a->words == b->words && a->mask == b->mask &&
	       memcmp(a->key, b->key, a->n * (a->words ? a->words : 1) * sizeof(__u32)) == 0;
}

static bool same(const struct ng_cbpf *a, const struct ng_cbpf *b)
{
	if (a->n != b->n || a->n_sets != b->n_sets)
		return false;
	if (a->n && memcmp(a->insns, b->insns, a->n * sizeof(*a->insns)))
		return false;
	for (size_t i = 0; i < a->n_sets; i++)
		if (!same_set(&a->sets[i], &b->sets[i]))
			return false;
	return true;
}

static void test_back(size_t insns, size_t sets, size_t keys)
{
	struct ng_cbpf p = make(insns, sets, keys), back = { 0 };
	void *bytes = NULL;
	size_t n = 0;

	is_int(ng_filter_pack(&p, &bytes, &n), 0, "packs %zu instructions, %zu sets", insns, sets);
	is_int(n % 8, 0, "in whole words");
	is_int(ng_filter_unpack(bytes, n, &back), 0, "unpacks");
	ok(same(&p, &back), "the same");
	ng_cbpf_free(&back);
	ng_cbpf_free(&p);
	free(bytes);
}

static int refused(const void *bytes, size_t n)
{
	struct ng_cbpf back = { 0 };
	int rc = ng_filter_unpack(bytes, n, &back);

	if (back.insns || back.sets)
		return 1;
	return rc;
}

static void test_truncated(void)
{
	struct ng_cbpf p = make(9, 3, 4);
	void *bytes = NULL;
	size_t n = 0, bad = 0;

	ng_filter_pack(&p, &bytes, &n);
	for (size_t len = 0; len < n; len++) {
		__u64 *cut = malloc(len ? len : 1); /* so that a sanitizer sees reads behind */

		memcpy(cut, bytes, len);
		bad += refused(cut, len) != -EPROTO;
		free(cut);
	}
	is_int(bad, 0, "every truncation of %zu bytes is refused", n);
	ng_cbpf_free(&p);
	free(bytes);
}

static void test_altered(void)
{
	struct ng_cbpf p = make(9, 3, 4);
	unsigned char *bytes = NULL;
	size_t n = 0, bad = 0;

	ng_filter_pack(&p, (void **)&bytes, &n);
	for (size_t bit = 0; bit < n * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		bad += refused(bytes, n) != -EPROTO;
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	is_int(bad, 0, "every altered bit of %zu is refused", n * 8);
	ng_cbpf_free(&p);
	free(bytes);
}

/* FNV-1a as the header has it, so that only the check behind it can refuse. */
static void sum_again(__u64 *word, size_t n)
{
	__u64 sum = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n / 8; i++)
		if (i != 3)
			sum = (sum ^ word[i]) * 0x100000001b3ull;
	word[3] = sum;
}

static void test_altered_knowingly(void)
{
	struct ng_cbpf p = make(2, 2, 3), q;
	struct ng_pack_head *head = NULL;
	size_t n = 0, known = 0;
	const struct {
		const char *what;
		size_t word; /* of 4 bytes */
		__u32 value;
	} rows[] = {
		{ "another version", 1, NG_PACK_VERSION + 1 },
		{ "more instructions than there are", 2, 100000 },
		{ "instructions that reach the end", 2, 8 },
		{ "fewer sets", 3, 1 },
		{ "more sets", 3, 3 },
		{ "very many sets", 3, 0xffffffff },
		{ "another size", 4, 16 },
		{ "an instruction that names no set", 9, 2 },
		{ "a set without keys", 12, 0 },
		{ "a set that reaches the end", 12, 4000000000u },
		{ "a set that takes one word too many", 12, 4 },
		{ "keys out of order", 15, 7 },
		{ "a key twice", 16, 0 },
		{ "numbers with a mask", 14, 1 },
		{ "something in the filling", 25, 1 },
	};

	ng_filter_pack(&p, (void **)&head, &n);
	is_int(n, 104, "32 of header, 16 of instructions, 24 + 28 of sets, 4 to fill");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		__u32 *word = (__u32 *)head + rows[i].word, old = *word;

		*word = rows[i].value;
		sum_again((__u64 *)head, n);
		is_int(refused(head, n), -EPROTO, "%s", rows[i].what);
		*word = old;
	}
	sum_again((__u64 *)head, n);
	is_int(ng_filter_unpack(head, n, &q), 0, "and all put back is good");
	ng_cbpf_free(&q);
	/* At random behind a right sum: whatever is taken is a sound filter. */
	for (int i = 0; i < 100000; i++) {
		__u32 *word = (__u32 *)head + 2 + (size_t)rand() % (n / 4 - 2), old = *word;

		*word = (__u32)rand() % (i % 2 ? 30 : 0x7fffffff);
		sum_again((__u64 *)head, n);
		if (!ng_filter_unpack(head, n, &q)) {
			known += q.n_sets == 2 && q.sets[0].n + q.sets[1].n == 7 && q.n == 2;
			ng_cbpf_free(&q);
		} else {
			known++;
		}
		*word = old;
	}
	is_int(known, 100000, "at random: taken only with the same shape");
	ng_cbpf_free(&p);
	free(head);
}

static void test_strings(void)
{
	struct sock_filter insns[] = {
		BPF_JUMP(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(0, 22), 0, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	__u32 key[] = { 1, 0x10000, 1, 0x20000 };
	struct ng_set set = { .key = key, .n = 2, .words = 2, .mask = 0xffff0000 };
	struct ng_cbpf p = { .insns = insns, .n = 2, .sets = &set, .n_sets = 1 }, back = { 0 };
	static const struct {
		const char *what;
		size_t word; /* of 4 bytes */
		__u32 value;
	} rows[] = {
		{ "numbers with a mask", 13, 0 },
		{ "strings of one word", 13, 1 },
		{ "strings of five words", 13, 5 },
		{ "strings without a mask", 14, 0 },
		{ "strings with bits off the mask", 14, 0xfffe0000 },
		{ "a string twice", 18, 0x10000 },
		{ "strings out of order", 17, 0 },
		{ "too many strings", 12, 3 },
		{ "a number in a set of strings", 8, 0x55 },
		{ "a set that there is not", 9, 1 },
	};
	struct ng_pack_head *head = NULL;
	size_t n = 0;

	is_int(ng_filter_pack(&p, (void **)&head, &n), 0, "packs strings");
	is_int(ng_filter_unpack(head, n, &back), 0, "unpacks them");
	ok(same(&p, &back), "the same");
	ng_cbpf_free(&back);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		__u32 *word = (__u32 *)head + rows[i].word, old = *word;

		*word = rows[i].value;
		sum_again((__u64 *)head, n);
		is_int(refused(head, n), -EPROTO, "%s", rows[i].what);
		*word = old;
	}
	free(head);
	set.words = 1;
	is_int(ng_filter_pack(&p, (void **)&head, &n), -EINVAL, "strings of one word");
}

static void test_limits(void)
{
	struct ng_cbpf p = make(NG_TAP_INSNS_MAX + 1, 0, 0), q = make(1, 1, 1);
	void *bytes = NULL;
	size_t n = 7;

	is_int(ng_filter_pack(&p, &bytes, &n), -E2BIG, "one instruction too many");
	q.sets[0].n = 0;
	is_int(ng_filter_pack(&q, &bytes, &n), -EINVAL, "a set of nothing");
	q.sets[0].n = NG_TAP_CODE_MAX / 4;
	is_int(ng_filter_pack(&q, &bytes, &n), -E2BIG, "one key too many");
	q.sets[0].n = (size_t)-1;
	is_int(ng_filter_pack(&q, &bytes, &n), -E2BIG, "as many as can be said");
	ok(!bytes && n == 7, "a refusal leaves the result alone");
	q.sets[0].n = 1;
	ng_cbpf_free(&p);
	ng_cbpf_free(&q);
}

int main(void)
{
	srand(SEED);
	test_back(0, 0, 0);
	test_back(1, 0, 0);
	test_back(NG_TAP_INSNS_MAX, 0, 0);
	test_back(2, 1, 1);
	test_back(2, 2, 3);
	test_back(5, 2, 100000);
	test_truncated();
	test_altered();
	test_altered_knowingly();
	test_strings();
	test_limits();
	return tap_done();
}
