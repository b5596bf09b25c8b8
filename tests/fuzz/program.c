// SPDX-License-Identifier: GPL-2.0-only
/* Random classic programs: all opcodes, wild constants, weighted so that most loads succeed. */
#include "tests/fuzz/program.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/filter/cfg.h"
#include "ctl/filter/pcap.h"
#include "tests/random.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBERS	    2 /* sets of them; the others are of strings */
#define SETS	    4
#define CHAIN_AWAY  8 /* instructions before and behind a chain of comparisons */

static uint32_t random_offset(void)
{
	switch (below(24)) {
	case 0:
		return rnd();
	case 1:
		return ONE_OF(0x7ffb, 0x7ffc, 0x7fff, 0xfff0, 0xffff, 0x7fffffff, 0xffffffff,
			      0xfffffff0);
	case 2:
		return below(4000);
	case 3:
	case 4:
		return below(200);
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		return 14 + below(60);
	default:
		return below(34);
	}
}

static struct sock_filter random_alu(void)
{
	static const unsigned short op[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD,
					     BPF_AND, BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH };
	unsigned short code = op[below(N_OF(op))];
	uint32_t k = below(3) ? 1 + below(31) : rnd() | 1;

	if (below(12) == 0)
		return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
	if (code == BPF_LSH || code == BPF_RSH)
		k &= 31;
	else if (below(6) == 0)
		k = ONE_OF(0x80000000, 0xffffffff, 0xff, 0xffff, 0xff00, 0x7fffffff, 1);
	return (struct sock_filter){ BPF_ALU | code | (below(2) ? BPF_X : BPF_K), 0, 0, k };
}

static uint32_t a_cell(void)
{
	return below(8) ? below(4) : below(BPF_MEMWORDS);
}

static struct sock_filter random_move(void)
{
	switch (below(9)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, below(2) ? rnd() : below(64));
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM,
						    below(8) ? below(64) : rnd());
	case 2:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, a_cell());
	case 3:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_MEM, a_cell());
	case 4:
		return (struct sock_filter)BPF_STMT(BPF_ST, a_cell());
	case 5:
		return (struct sock_filter)BPF_STMT(BPF_STX, a_cell());
	case 6:
		return (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
	case 7:
		return (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TXA, 0);
	default:
		return (struct sock_filter)BPF_STMT((below(2) ? BPF_LD : BPF_LDX) | BPF_LEN, 0);
	}
}

static struct sock_filter random_load(void)
{
	static const unsigned short size[] = { BPF_W, BPF_H, BPF_B };
	unsigned short bytes = size[below(3)];

	switch (below(4)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, below(40));
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LD | bytes | BPF_IND, random_offset());
	default:
		return (struct sock_filter)BPF_STMT(BPF_LD | bytes | BPF_ABS, random_offset());
	}
}

/* room: instructions between this one and the last. */
static struct sock_filter random_jump(size_t room)
{
	static const unsigned short op[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	size_t most = below(16) ? 8 : 254;
	unsigned char reach = (unsigned char)((room < most ? room : most) + 1);
	uint32_t k = below(2) ? rnd() : below(256);

	if (below(8) == 0)
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, below(reach));
	if (below(8) == 0)
		k = ONE_OF(0, 1, 0x80000000, 0x7fffffff, 0xffffffff, 0xffff, 0x10000, 0x800);
	return (struct sock_filter)BPF_JUMP(BPF_JMP | op[below(4)] | (below(3) ? BPF_K : BPF_X), k,
					    (unsigned char)below(reach),
					    (unsigned char)below(reach));
}

static struct sock_filter random_return(void)
{
	if (below(3) == 0)
		return (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ONE_OF(0, 7, 7, 262144));
}

static struct sock_filter small_x(void)
{
	return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, below(24));
}

enum kind { LOAD, ALU, MOVE, JUMP, RETURN, SMALL_X, AGAIN, KINDS };

/* at: instructions before it; room: behind it, up to the last. */
static struct sock_filter random_insn(enum kind kind, const struct sock_filter *insns, size_t at,
				      size_t room)
{
	switch (kind) {
	case LOAD:
		return random_load();
	case ALU:
		return random_alu();
	case MOVE:
		return random_move();
	case JUMP:
		return random_jump(room);
	case RETURN:
		return random_return();
	case AGAIN:
		return at ? insns[below((uint32_t)at)] : small_x();
	default:
		return small_x();
	}
}

/*
 * All but the last. Every program has its own mixture, so that some are full of loads, others of
 * jumps or of returns; X is small now and then, or nearly every load would leave the packet.
 */
static void random_body(struct sock_filter *insns, size_t n)
{
	static const uint32_t most[KINDS] = { [LOAD] = 12,  [ALU] = 8,	   [MOVE] = 8, [JUMP] = 10,
					      [RETURN] = 3, [SMALL_X] = 5, [AGAIN] = 3 };
	uint32_t weight[KINDS], sum = 0;

	for (int i = 0; i < KINDS; i++) {
		weight[i] = below(most[i] + 1);
		sum += weight[i];
	}
	for (size_t i = 0; i + 1 < n; i++) {
		uint32_t at = below(sum + 1);
		int kind = 0;

		while (kind < KINDS - 1 && at >= weight[kind])
			at -= weight[kind++];
		insns[i] = random_insn((enum kind)kind, insns, i, n - i - 2);
	}
}

/*
 * Comparisons with one way out for all that are equal, as the optimizer makes sets of: of few
 * numbers, so that some come twice. Near the start, and behind what does not jump, or they would
 * seldom be reached, and by nothing but their beginning.
 */
static void random_chain(struct sock_filter *insns, size_t n)
{
	size_t length = 2 + below(24), room, first, out;
	uint32_t base = below(2) ? below(8) : ONE_OF(0x800, 0x86dd, 0x0a000001, 0xfffffff0);

	if (n < length + 2 * CHAIN_AWAY)
		return;
	room = n - length - 2 * CHAIN_AWAY + 1;
	first = CHAIN_AWAY + below((uint32_t)(room < CHAIN_AWAY ? room : CHAIN_AWAY));
	out = first + length + below(CHAIN_AWAY);
	for (size_t i = first - CHAIN_AWAY; i + 1 < first; i++)
		insns[i] = below(2) ? random_move() : below(2) ? random_load() : small_x();
	insns[first - 1] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_ABS | ONE_OF(BPF_B, BPF_H, BPF_W), below(30));
	for (size_t i = first; i < first + length; i++)
		insns[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, base + below(32),
							(unsigned char)(out - i - 1), 0);
}

static bool asks_metadata(const struct sock_filter *f)
{
	return ng_op_of(f) == NG_OP_ABS && f->k >= (uint32_t)SKF_AD_OFF &&
	       f->k < (uint32_t)(SKF_AD_OFF + SKF_AD_MAX);
}

static bool is_set_test(const struct sock_filter *f)
{
	return ng_op_of(f) == NG_OP_IN || ng_op_of(f) == NG_OP_IN6;
}

/* libpcap does not know set tests: it is shown comparisons in their place. */
static bool is_valid(const struct ng_cbpf *p)
{
	struct sock_filter *shown = malloc(p->n * sizeof(*shown));
	bool valid;

	if (!shown)
		abort();
	for (size_t i = 0; i < p->n; i++) {
		shown[i] = p->insns[i];
		if (is_set_test(&shown[i]))
			shown[i].code = BPF_JMP | BPF_JEQ | BPF_K;
	}
	valid = bpf_validate((const struct ng_pcap_insn *)shown, (int)p->n);
	free(shown);
	return valid;
}

bool is_runnable(const struct ng_cbpf *p)
{
	if (!p->n || !is_valid(p))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->insns[i];

		if (asks_metadata(f) || (ng_op_of(f) == NG_OP_JA && (int)f->k < 0))
			return false;
		if (is_set_test(f) && !ng_op_set(f, p->sets, p->n_sets))
			return false;
	}
	return true;
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/* What is not valid (a division by zero, ..) is made anew. */
void make_program(struct ng_cbpf *out, size_t most)
{
	*out = (struct ng_cbpf){ 0 };
	do {
		free(out->insns);
		out->n = 3 + below((uint32_t)most - 3);
		out->insns = allocate(out->n, sizeof(*out->insns));
		random_body(out->insns, out->n);
		if (below(4) == 0)
			random_chain(out->insns, out->n);
		out->insns[out->n - 1] = below(5) ? (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0)
						  : random_return();
	} while (!is_runnable(out));
}

static int compare_keys(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void make_set(struct ng_set *set)
{
	size_t n = 1 + below(below(2) ? 12 : 200), used = 0;
	uint32_t mask = ONE_OF(0xff, 0xffff, 0xffffffff, 0xffffff00);

	set->key = allocate(n, sizeof(*set->key));
	for (size_t i = 0; i < n; i++)
		set->key[i] = rnd() & mask;
	qsort(set->key, n, sizeof(*set->key), compare_keys);
	for (size_t i = 0; i < n; i++)
		if (!i || set->key[i] != set->key[used - 1])
			set->key[used++] = set->key[i];
	set->n = used;
}

/* Ascending by the first word; the walk that steers packets puts them there. */
static void make_strings(struct ng_set *set)
{
	size_t n = 1 + below(below(2) ? 8 : 100);
	uint32_t next = below(3);

	set->words = 2 + below(NG_SET_WORDS_MAX - 1);
	set->mask = below(2) ? ~0u : ~0u << below(32);
	set->key = allocate(n * set->words, sizeof(*set->key));
	set->n = n;
	for (size_t i = 0; i < n * set->words; i++) {
		set->key[i] = below(2) ? rnd() : below(3);
		if (i % set->words == 0)
			set->key[i] = next += 1 + below(below(2) ? 3 : 40000000);
		else if (i % set->words == set->words - 1)
			set->key[i] &= set->mask;
	}
}

static size_t words_of(const struct ng_set *set)
{
	return set->words ? set->words : 1;
}

/* All but the last string are the same: such sets are told apart late. */
static void copy_nearly(struct ng_set *to, const struct ng_set *from)
{
	size_t words = from->n * words_of(from);

	free(to->key);
	*to = *from;
	to->key = allocate(words, sizeof(*to->key));
	memcpy(to->key, from->key, words * sizeof(*to->key));
	to->key[words - words_of(from)]++;
}

static void make_test(struct sock_filter *f)
{
	uint32_t set = below(SETS);

	f->code = BPF_JMP | (set < NUMBERS ? NG_BPF_IN : NG_BPF_IN6) | BPF_K;
	f->k = set < NUMBERS ? set : NG_IN6_K(set, random_offset() & 0xffff);
}

void make_set_program(struct ng_cbpf *out, size_t most)
{
	make_program(out, most);
	out->sets = allocate(SETS, sizeof(*out->sets));
	for (out->n_sets = 0; out->n_sets < SETS; out->n_sets++)
		(out->n_sets < NUMBERS ? make_set : make_strings)(&out->sets[out->n_sets]);
	if (below(4) == 0)
		copy_nearly(&out->sets[NUMBERS + 1], &out->sets[NUMBERS]);
	for (size_t i = 0; i < out->n; i++)
		if (ng_op_of(&out->insns[i]) == NG_OP_JUMP && BPF_SRC(out->insns[i].code) == BPF_K)
			make_test(&out->insns[i]);
}

void copy_program(const struct ng_cbpf *in, struct ng_cbpf *out)
{
	*out = (struct ng_cbpf){ .n = in->n, .n_sets = in->n_sets };
	out->insns = allocate(in->n ? in->n : 1, sizeof(*out->insns));
	memcpy(out->insns, in->insns, in->n * sizeof(*out->insns));
	if (!in->n_sets)
		return;
	out->sets = allocate(in->n_sets, sizeof(*out->sets));
	for (size_t i = 0; i < in->n_sets; i++) {
		size_t words = in->sets[i].n * words_of(&in->sets[i]);

		out->sets[i] = in->sets[i];
		out->sets[i].key = allocate(words, sizeof(uint32_t));
		memcpy(out->sets[i].key, in->sets[i].key, words * sizeof(uint32_t));
	}
}

void clear_cells(const struct ng_cbpf *in, struct ng_cbpf *out)
{
	struct sock_filter *insns;

	copy_program(in, out);
	if (!in->n)
		return;
	insns = allocate(BPF_MEMWORDS + in->n, sizeof(*insns));
	for (uint32_t i = 0; i < BPF_MEMWORDS; i++)
		insns[i] = (struct sock_filter)BPF_STMT(BPF_ST, i);
	memcpy(&insns[BPF_MEMWORDS], in->insns, in->n * sizeof(*insns));
	free(out->insns);
	out->insns = insns;
	out->n += BPF_MEMWORDS;
}

bool mutate_program(const struct ng_cbpf *in, struct ng_cbpf *out)
{
	copy_program(in, out);
	for (uint32_t times = 1 + below(3); times; times--) {
		struct sock_filter *f = &out->insns[below((uint32_t)out->n)];

		switch (below(5)) {
		case 0:
			f->code = (unsigned short)(below(16) ? below(256) : rnd());
			break;
		case 1:
			f->jt = (unsigned char)below(256);
			break;
		case 2:
			f->jf = (unsigned char)below(256);
			break;
		case 3:
			f->k = below(2) ? random_offset() : f->k + below(17) - 8;
			break;
		default:
			*f = below(2) ? random_load() : random_alu();
		}
	}
	return is_runnable(out);
}

static bool is_choice(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_JMP && BPF_OP(f->code) != BPF_JA;
}

/* Shortens a jump from `from` over `gone`, which is taken out. */
static unsigned int without(unsigned int distance, size_t from, size_t gone)
{
	return from < gone && from + 1 + distance > gone ? distance - 1 : distance;
}

static void take_out(struct ng_cbpf *p, size_t gone)
{
	for (size_t i = 0; i < p->n; i++) {
		struct sock_filter *f = &p->insns[i];

		if (is_choice(f)) {
			f->jt = (unsigned char)without(f->jt, i, gone);
			f->jf = (unsigned char)without(f->jf, i, gone);
		} else if (BPF_CLASS(f->code) == BPF_JMP && (int)f->k >= 0) {
			f->k = without(f->k, i, gone);
		}
	}
	memmove(&p->insns[gone], &p->insns[gone + 1], (p->n - gone - 1) * sizeof(*p->insns));
	p->n--;
}

static bool uses_sets(const struct ng_cbpf *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_set_test(&p->insns[i]))
			return true;
	return false;
}

static void drop_sets(struct ng_cbpf *p)
{
	for (size_t i = 0; i < p->n_sets; i++)
		free(p->sets[i].key);
	free(p->sets);
	p->sets = NULL;
	p->n_sets = 0;
}

/* Key number `number` of all sets, but never the last of a set. */
static bool take_out_key(struct ng_cbpf *p, size_t number)
{
	for (size_t i = 0; i < p->n_sets; i++) {
		struct ng_set *set = &p->sets[i];
		size_t words = words_of(set);

		if (number >= set->n) {
			number -= set->n;
			continue;
		}
		if (set->n > 1) {
			memmove(&set->key[number * words], &set->key[(number + 1) * words],
				(set->n - number - 1) * words * sizeof(*set->key));
			set->n--;
		}
		return true;
	}
	return false;
}

bool shrink_program(const struct ng_cbpf *in, size_t number, struct ng_cbpf *out)
{
	size_t at = number / 4;
	struct sock_filter *f;

	copy_program(in, out);
	if (!uses_sets(out))
		drop_sets(out);
	if (at >= in->n) {
		if (take_out_key(out, number - 4 * in->n))
			return true;
		ng_cbpf_free(out);
		return false;
	}
	f = &out->insns[at];
	switch (number % 4) {
	case 0:
		take_out(out, at);
		break;
	case 1:
		if (is_choice(f))
			*f = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, f->jt);
		break;
	case 2:
		if (is_choice(f))
			*f = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, f->jf);
		break;
	default:
		if (BPF_CLASS(f->code) != BPF_JMP)
			f->k >>= 1;
	}
	return true;
}
