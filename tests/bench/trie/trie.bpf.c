// SPDX-License-Identifier: GPL-2.0-only
/* The programs of the bench of the tries: a lookup for each of many addresses, in one run. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/trie.bpf.h"
#include "tests/bench/trie/lookups.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lookups);
} lookups SEC(".maps");

#define LPM(name, key_bytes)                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__uint(max_entries, LPM_MAX);                                                      \
		__uint(key_size, key_bytes);                                                       \
		__uint(value_size, sizeof(__u32));                                                 \
	} name SEC(".maps")

LPM(lpm4, 8);
LPM(lpm6, 20);

__u64 sum; /* of the leaves found */

static __always_inline const __u32 *address(__u32 i, __u32 words)
{
	__u32 zero = 0;
	const struct lookups *all = bpf_map_lookup_elem(&lookups, &zero);

	return all ? &all->word_be[(i & (LOOKUPS - 1)) * words] : NULL;
}

static long empty4_one(__u32 i, __u64 *to)
{
	const __u32 *a = address(i, 1);

	if (!a)
		return 1;
	*to += *a;
	return 0;
}

static long trie4_one(__u32 i, __u64 *to)
{
	const __u32 *a = address(i, 1);

	if (!a)
		return 1;
	*to += ng_trie4_find(NG_SRC, *a);
	return 0;
}

static long kernel4_one(__u32 i, __u64 *to)
{
	const __u32 *a = address(i, 1), *leaf;
	struct lpm_key key = { .len = 32 };

	if (!a)
		return 1;
	key.addr_be[0] = *a;
	leaf = bpf_map_lookup_elem(&lpm4, &key);
	*to += leaf ? *leaf : 0;
	return 0;
}

static long empty6_one(__u32 i, __u64 *to)
{
	const __u32 *a = address(i, 4);

	if (!a)
		return 1;
	*to += a[0] ^ a[1] ^ a[2] ^ a[3];
	return 0;
}

static long trie6_one(__u32 i, __u64 *to)
{
	const __u32 *a = address(i, 4);

	if (!a)
		return 1;
	*to += ng_trie6_find(NG_SRC, a);
	return 0;
}

static long kernel6_one(__u32 i, __u64 *to)
{
	const __u32 *a = address(i, 4), *leaf;
	struct lpm_key key = { .len = 128 };

	if (!a)
		return 1;
	for (int k = 0; k < 4; k++)
		key.addr_be[k] = a[k];
	leaf = bpf_map_lookup_elem(&lpm6, &key);
	*to += leaf ? *leaf : 0;
	return 0;
}

#define LAP(name)                                                                                  \
	SEC("xdp")                                                                                 \
	int name(struct xdp_md *ctx)                                                               \
	{                                                                                          \
		__u64 to = 0;                                                                      \
                                                                                                   \
		(void)ctx;                                                                         \
		bpf_loop(LOOKUPS, name##_one, &to, 0);                                             \
		sum = to;                                                                          \
		return XDP_PASS;                                                                   \
	}

LAP(empty4)
LAP(trie4)
LAP(kernel4)
LAP(empty6)
LAP(trie6)
LAP(kernel6)

char LICENSE[] SEC("license") = "GPL";
