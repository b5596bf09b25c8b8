// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interpreter of classic BPF with sets: what libpcap's bpf_filter() answers, and an answer where it
 * has none.
 *
 * - NG_BPF_IN and NG_BPF_IN6 are binary searches.
 * - A loop of libpcap's (`protochain`) goes round once per header. Its state is the place in the
 *   loop and X, and X only grows towards the end of the packet, so more rounds than
 *   NG_LOOP_ROUNDS() mean a state met twice: libpcap would never end. The answer is 0.
 * - Loads from the kernel's metadata come from struct ng_packet_meta. libpcap takes their offsets
 *   for places behind the packet and answers 0, as we do for those that the struct does not have.
 * - Memory cells begin as 0.
 */
#include "ctl/filter/cfg.h"

#include <linux/if_arp.h>

struct machine {
	const struct ng_cbpf *p;
	const struct ng_packet_meta *meta;
	const unsigned char *packet;
	__u32 wirelen, caplen;
	__u32 a, x, mem[BPF_MEMWORDS];
	__u64 rounds; /* jumps back that are left */
	bool rejected;
};

/* 0, or what the kernel would say; rejects what is no metadata. */
static __u32 load_metadata(struct machine *m, __u32 k)
{
	static const struct ng_packet_meta none;
	const struct ng_packet_meta *meta = m->meta ? m->meta : &none;

	switch (k - (__u32)SKF_AD_OFF) {
	case SKF_AD_PKTTYPE:
		return meta->pkt_type;
	case SKF_AD_IFINDEX:
		return meta->ifindex;
	case SKF_AD_MARK:
		return meta->mark;
	case SKF_AD_QUEUE:
		return meta->queue;
	case SKF_AD_HATYPE:
		return ARPHRD_ETHER;
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_VLAN_TPID:
		return 0; /* the tag is in the bytes */
	}
	m->rejected = true;
	return 0;
}

static __u32 load(struct machine *m, const struct sock_filter *f)
{
	__u32 size = ng_op_size(f), value = 0;
	__u64 at = f->k;

	if (ng_op_of(f) == NG_OP_IND)
		at += m->x;
	if (at + size > m->caplen) {
		m->rejected = true;
		return 0;
	}
	for (__u32 i = 0; i < size; i++)
		value = value << 8 | m->packet[at + i];
	return value;
}

static void calculate(struct machine *m, const struct sock_filter *f)
{
	__u32 b = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += b;
		return;
	case BPF_SUB:
		m->a -= b;
		return;
	case BPF_MUL:
		m->a *= b;
		return;
	case BPF_DIV:
		m->rejected = b == 0;
		m->a = b ? m->a / b : 0;
		return;
	case BPF_MOD:
		m->rejected = b == 0;
		m->a = b ? m->a % b : 0;
		return;
	case BPF_AND:
		m->a &= b;
		return;
	case BPF_OR:
		m->a |= b;
		return;
	case BPF_XOR:
		m->a ^= b;
		return;
	case BPF_LSH:
		m->a = b < 32 ? m->a << b : 0;
		return;
	case BPF_RSH:
		m->a = b < 32 ? m->a >> b : 0;
		return;
	}
}

static int compare_words(const __u32 *a, const __u32 *b, size_t words)
{
	size_t i = 0;

	while (i < words - 1 && a[i] == b[i])
		i++;
	return (a[i] > b[i]) - (a[i] < b[i]);
}

static bool is_in(const struct ng_set *set, const __u32 *key)
{
	size_t words = set->words ? set->words : 1, first = 0, end = set->n;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		int order = compare_words(key, set->key + middle * words, words);

		if (order == 0)
			return true;
		if (order < 0)
			end = middle;
		else
			first = middle + 1;
	}
	return false;
}

static bool words_are_in(struct machine *m, const struct sock_filter *f)
{
	const struct ng_set *set = &m->p->sets[NG_IN6_SET(f->k)];
	__u32 key[NG_SET_WORDS_MAX];

	for (unsigned int i = 0; i < set->words; i++) {
		const struct sock_filter word =
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NG_IN6_AT(f->k) + 4 * i);

		key[i] = load(m, &word);
	}
	key[set->words - 1] &= set->mask;
	return !m->rejected && is_in(set, key);
}

static bool holds(struct machine *m, const struct sock_filter *f)
{
	__u32 b = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return m->a == b;
	case BPF_JGT:
		return m->a > b;
	case BPF_JGE:
		return m->a >= b;
	case BPF_JSET:
		return m->a & b;
	case NG_BPF_IN6:
		return words_are_in(m, f);
	default:
		return is_in(&m->p->sets[f->k], &m->a);
	}
}

static void set_register(struct machine *m, const struct sock_filter *f, __u32 value)
{
	*(BPF_CLASS(f->code) == BPF_LDX ? &m->x : &m->a) = value;
}

/* All but jumps and returns. */
static void execute(struct machine *m, const struct sock_filter *f)
{
	switch (ng_op_of(f)) {
	case NG_OP_ABS:
	case NG_OP_IND:
		m->a = load(m, f);
		return;
	case NG_OP_META:
		m->a = load_metadata(m, f->k);
		return;
	case NG_OP_MSH:
		m->x = (load(m, f) & 15) * 4;
		return;
	case NG_OP_LEN:
		set_register(m, f, m->wirelen);
		return;
	case NG_OP_IMM:
		set_register(m, f, f->k);
		return;
	case NG_OP_MEM:
		set_register(m, f, m->mem[f->k]);
		return;
	case NG_OP_STORE:
		m->mem[f->k] = BPF_CLASS(f->code) == BPF_STX ? m->x : m->a;
		return;
	case NG_OP_ALU:
		calculate(m, f);
		return;
	case NG_OP_NEG:
		m->a = -m->a;
		return;
	case NG_OP_TAX:
		m->x = m->a;
		return;
	case NG_OP_TXA:
		m->a = m->x;
		return;
	default:
		m->rejected = true; /* libpcap calls abort() */
	}
}

/* How many instructions to go on by. */
static int jump(struct machine *m, const struct sock_filter *f)
{
	int by = (int)f->k;

	if (BPF_OP(f->code) != BPF_JA)
		return holds(m, f) ? f->jt : f->jf;
	if (by < 0 && m->rounds-- == 0)
		m->rejected = true;
	return by;
}

unsigned int ng_filter_interpret_with(const struct ng_cbpf *p, const struct ng_packet_meta *meta,
				      const void *pkt, unsigned int wirelen, unsigned int caplen)
{
	struct machine m = { .p = p,
			     .meta = meta,
			     .packet = pkt,
			     .wirelen = wirelen,
			     .caplen = caplen,
			     .rounds = NG_LOOP_ROUNDS(wirelen) };

	if (p->n == 0)
		return NG_FILTER_SNAPLEN_ALL;
	for (const struct sock_filter *f = p->insns; !m.rejected; f++) {
		if (BPF_CLASS(f->code) == BPF_RET)
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		if (BPF_CLASS(f->code) == BPF_JMP)
			f += jump(&m, f);
		else
			execute(&m, f);
	}
	return 0;
}

unsigned int ng_filter_interpret(const struct ng_cbpf *p, const void *pkt, unsigned int wirelen,
				 unsigned int caplen)
{
	return ng_filter_interpret_with(p, NULL, pkt, wirelen, caplen);
}
