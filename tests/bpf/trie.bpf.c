// SPDX-License-Identifier: GPL-2.0-only
/* Lookups in tries for their test: answers to many addresses, and a watch over what may be answered. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/trie.bpf.h"
#include "tests/bpf/trie_question.h"

/* mmapable: user space writes questions, reads answers. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TRIE_QUESTIONS);
	__type(key, __u32);
	__type(value, struct trie_question);
} questions SEC(".maps");

struct trie_asked asked;

static __always_inline __u32 find(const struct trie_question *q)
{
	if (asked.family == NG_IPV4)
		return asked.side == NG_SRC ? ng_trie4_find(NG_SRC, q->addr_be[0])
					    : ng_trie4_find(NG_DST, q->addr_be[0]);
	return asked.side == NG_SRC ? ng_trie6_find(NG_SRC, q->addr_be)
				    : ng_trie6_find(NG_DST, q->addr_be);
}

static long answer(__u32 i, void *unused)
{
	struct trie_question *q = bpf_map_lookup_elem(&questions, &i);

	(void)unused;
	if (!q)
		return 1;
	q->answer = find(q);
	asked.done++;
	return 0;
}

SEC("xdp")
int trie_answer(struct xdp_md *ctx)
{
	(void)ctx;
	bpf_loop(asked.n, answer, NULL, 0);
	return XDP_PASS;
}

/* Counts what is neither of the two leaves that the address may have. */
static long watch(__u32 i, void *unused)
{
	struct trie_question *q = bpf_map_lookup_elem(&questions, &i);
	__u32 leaf;

	(void)unused;
	if (!q)
		return 1;
	leaf = find(q);
	if (leaf == q->legal[0])
		asked.first++;
	else if (leaf == q->legal[1])
		asked.second++;
	else
		asked.wrong++;
	return 0;
}

SEC("xdp")
int trie_watch(struct xdp_md *ctx)
{
	(void)ctx;
	bpf_loop(asked.n, watch, NULL, 0);
	asked.done++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
