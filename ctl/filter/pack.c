// SPDX-License-Identifier: GPL-2.0-only
/* Filters to bytes and back. */
#include "ctl/filter/pack.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/cfg.h"
#include "maps/abi.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull
#define SUM_WORD  (offsetof(struct ng_pack_head, sum) / sizeof(__u64))

_Static_assert(sizeof(struct ng_pack_head) == 32, "format");
_Static_assert(sizeof(struct sock_filter) == sizeof(__u64), "format");

static __u64 sum_of(const __u64 *word, size_t words)
{
	__u64 sum = FNV_BASIS;

	for (size_t i = 0; i < words; i++)
		if (i != SUM_WORD)
			sum = (sum ^ word[i]) * FNV_PRIME;
	return sum;
}

/* In front of the keys of each set. */
struct set_head {
	__u32 n, words, mask;
};
#define HEAD_WORDS (sizeof(struct set_head) / sizeof(__u32))

static size_t words_of(const struct ng_set *set)
{
	return set->words ? set->words : 1;
}

/* Of a filter with at most NG_TAP_INSNS_MAX instructions; 0: above NG_TAP_CODE_MAX. */
static size_t packed_size(const struct ng_cbpf *in)
{
	size_t size = sizeof(struct ng_pack_head) + in->n * sizeof(*in->insns);

	for (size_t i = 0; i < in->n_sets; i++) {
		if (in->sets[i].n >= NG_TAP_CODE_MAX / sizeof(__u32))
			return 0;
		size += in->sets[i].n * words_of(&in->sets[i]) * sizeof(__u32) +
			sizeof(struct set_head);
		if (size > NG_TAP_CODE_MAX)
			return 0;
	}
	return (size + 7) & ~(size_t)7;
}

static void put_sets(__u32 *to, const struct ng_cbpf *in)
{
	for (size_t i = 0; i < in->n_sets; i++) {
		const struct ng_set *set = &in->sets[i];
		const struct set_head head = { (__u32)set->n, set->words, set->mask };

		memcpy(to, &head, sizeof(head));
		to += HEAD_WORDS;
		memcpy(to, set->key, set->n * words_of(set) * sizeof(*to));
		to += set->n * words_of(set);
	}
}

static bool is_kind(const struct ng_set *set)
{
	if (!set->words)
		return !set->mask;
	return set->words > 1 && set->words <= NG_SET_WORDS_MAX && set->mask;
}

int ng_filter_pack(const struct ng_cbpf *in, void **bytes, size_t *n)
{
	size_t size = in->n <= NG_TAP_INSNS_MAX ? packed_size(in) : 0;
	struct ng_pack_head *head;
	struct sock_filter *insns;

	if (!size)
		return -E2BIG;
	for (size_t i = 0; i < in->n_sets; i++)
		if (!in->sets[i].n || !is_kind(&in->sets[i]))
			return -EINVAL;
	head = calloc(1, size);
	if (!head)
		return -ENOMEM;
	insns = (struct sock_filter *)(head + 1);
	*head = (struct ng_pack_head){
		.magic = NG_PACK_MAGIC,
		.version = NG_PACK_VERSION,
		.insns = (__u32)in->n,
		.sets = (__u32)in->n_sets,
		.size = size,
	};
	if (in->n)
		memcpy(insns, in->insns, in->n * sizeof(*insns));
	put_sets((__u32 *)(insns + in->n), in);
	head->sum = sum_of((__u64 *)head, size / sizeof(__u64));
	*bytes = head;
	*n = size;
	return 0;
}

static bool ascends(const __u32 *a, const __u32 *b, size_t words)
{
	size_t i = 0;

	while (i < words - 1 && a[i] == b[i])
		i++;
	return a[i] < b[i];
}

static bool are_keys(const struct ng_set *set, const __u32 *key)
{
	size_t words = words_of(set);

	for (size_t i = 0; i < set->n; i++) {
		if (i && !ascends(key + (i - 1) * words, key + i * words, words))
			return false;
		if (set->words && key[i * words + words - 1] & ~set->mask)
			return false;
	}
	return true;
}

/* The set at *word, which moves past it. */
static int take_set(const __u32 **word, const __u32 *end, struct ng_set *out)
{
	size_t left = (size_t)(end - *word);
	struct set_head head;
	struct ng_set set;

	if (left < HEAD_WORDS)
		return -EPROTO;
	memcpy(&head, *word, sizeof(head));
	set = (struct ng_set){ .n = head.n, .words = head.words, .mask = head.mask };
	*word += HEAD_WORDS;
	left -= HEAD_WORDS;
	if (!set.n || !is_kind(&set) || set.n > left / words_of(&set) || !are_keys(&set, *word))
		return -EPROTO;
	set.key = malloc(set.n * words_of(&set) * sizeof(*set.key));
	if (!set.key)
		return -ENOMEM;
	memcpy(set.key, *word, set.n * words_of(&set) * sizeof(*set.key));
	*word += set.n * words_of(&set);
	*out = set;
	return 0;
}

static int take_sets(const __u32 *word, const __u32 *end, size_t sets, struct ng_cbpf *p)
{
	int rc = 0;

	if (sets > (size_t)(end - word) / (HEAD_WORDS + 1))
		return -EPROTO;
	p->sets = sets ? calloc(sets, sizeof(*p->sets)) : NULL;
	if (sets && !p->sets)
		return -ENOMEM;
	while (!rc && p->n_sets < sets) {
		rc = take_set(&word, end, &p->sets[p->n_sets]);
		if (!rc)
			p->n_sets++;
	}
	if (rc)
		return rc;
	/* at most one word of zeros is needed to fill up */
	return end == word || (end == word + 1 && !*word) ? 0 : -EPROTO;
}

static bool is_sound(const struct ng_pack_head *head, size_t n)
{
	return n >= sizeof(*head) && !(n % sizeof(__u64)) && n <= NG_TAP_CODE_MAX &&
	       head->magic == NG_PACK_MAGIC && head->version == NG_PACK_VERSION &&
	       head->size == n && head->insns <= NG_TAP_INSNS_MAX &&
	       head->insns <= (n - sizeof(*head)) / sizeof(struct sock_filter) &&
	       head->sum == sum_of((const __u64 *)head, n / sizeof(__u64));
}

static bool names_sets(const struct ng_cbpf *p)
{
	for (size_t i = 0; i < p->n; i++) {
		enum ng_op op = ng_op_of(&p->insns[i]);

		if ((op == NG_OP_IN || op == NG_OP_IN6) &&
		    !ng_op_set(&p->insns[i], p->sets, p->n_sets))
			return false;
	}
	return true;
}

int ng_filter_unpack(const void *bytes, size_t n, struct ng_cbpf *out)
{
	const struct ng_pack_head *head = bytes;
	const struct sock_filter *insns = (const void *)(head + 1);
	struct ng_cbpf p = { 0 };
	int rc;

	if (!is_sound(head, n))
		return -EPROTO;
	p.n = head->insns;
	if (p.n) {
		p.insns = malloc(p.n * sizeof(*insns));
		if (!p.insns)
			return -ENOMEM;
		memcpy(p.insns, insns, p.n * sizeof(*insns));
	}
	rc = take_sets((const __u32 *)(insns + p.n), (const __u32 *)((const char *)bytes + n),
		       head->sets, &p);
	if (!rc && !names_sets(&p))
		rc = -EPROTO;
	if (rc)
		ng_cbpf_free(&p);
	else
		*out = p;
	return rc;
}
