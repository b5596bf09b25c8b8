// SPDX-License-Identifier: GPL-2.0-only
/* A walk through a classic program that writes the packet while it reads it. */
#include "tests/fuzz/steer.h"

#include <string.h>

#include "ctl/filter/cfg.h"
#include "tests/random.h"

#define STEPS_MAX 3000 /* of programs that loop */
#define GROW_MAX  400  /* bytes that a packet gets for a load behind its end */

/* Where A comes from: size bytes at offset, masked; size 0: not known. */
struct source {
	uint32_t offset, size, mask;
};

struct walk {
	const struct ng_cbpf *program;
	struct packet *p;
	uint32_t a, x, m[BPF_MEMWORDS];
	struct source from;
	size_t pc;
	bool ended, left; /* left: the packet */
	bool steers;
};

static bool is_set_test(const struct sock_filter *f)
{
	return f->code == (BPF_JMP | NG_BPF_IN | BPF_K);
}

static uint32_t read_bytes(const struct packet *p, uint32_t offset, uint32_t size)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < size; i++)
		value = value << 8 | p->data[offset + i];
	return value;
}

/* Writes the bits of value that are in mask. */
static void write_bytes(struct packet *p, const struct source *to, uint32_t value)
{
	for (uint32_t i = 0; i < to->size; i++) {
		uint32_t shift = 8 * (to->size - 1 - i);
		uint8_t mask = (uint8_t)(to->mask >> shift);
		uint8_t *byte = &p->data[to->offset + i];

		*byte = (uint8_t)((*byte & ~mask) | ((value >> shift) & mask));
	}
}

static bool is_inside(struct walk *w, uint64_t offset, uint32_t size)
{
	if (w->steers && offset + size > w->p->len && offset + size <= GROW_MAX && below(2))
		pad_packet(w->p, (uint32_t)offset + size + below(8));
	return offset + size <= w->p->len;
}

static void load(struct walk *w, const struct sock_filter *f)
{
	uint32_t size = ng_op_size(f);
	uint64_t offset = (uint64_t)f->k + (ng_op_of(f) == NG_OP_IND ? w->x : 0);

	if (!is_inside(w, offset, size)) {
		w->ended = w->left = true;
	} else if (ng_op_of(f) == NG_OP_MSH) {
		w->x = (w->p->data[offset] & 0xf) * 4u;
	} else {
		w->a = read_bytes(w->p, (uint32_t)offset, size);
		w->from = (struct source){ (uint32_t)offset, size, 0xffffffff };
	}
}

static void compute(struct walk *w, const struct sock_filter *f)
{
	uint32_t operand = BPF_SRC(f->code) == BPF_X ? w->x : f->k;

	w->from.mask &= operand;
	if (BPF_OP(f->code) != BPF_AND)
		w->from.size = 0;
	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		w->a += operand;
		break;
	case BPF_SUB:
		w->a -= operand;
		break;
	case BPF_MUL:
		w->a *= operand;
		break;
	case BPF_AND:
		w->a &= operand;
		break;
	case BPF_OR:
		w->a |= operand;
		break;
	case BPF_XOR:
		w->a ^= operand;
		break;
	case BPF_LSH:
		w->a = operand < 32 ? w->a << operand : 0;
		break;
	case BPF_RSH:
		w->a = operand < 32 ? w->a >> operand : 0;
		break;
	default:
		w->ended = operand == 0;
		if (operand)
			w->a = BPF_OP(f->code) == BPF_DIV ? w->a / operand : w->a % operand;
	}
}

static void move(struct walk *w, const struct sock_filter *f)
{
	bool x = BPF_CLASS(f->code) == BPF_LDX || BPF_CLASS(f->code) == BPF_STX;
	uint32_t value = ng_op_of(f) == NG_OP_LEN   ? w->p->len
			 : ng_op_of(f) == NG_OP_MEM ? w->m[f->k]
						    : f->k;

	switch (ng_op_of(f)) {
	case NG_OP_STORE:
		w->m[f->k] = x ? w->x : w->a;
		break;
	case NG_OP_TAX:
		w->x = w->a;
		break;
	default:
		if (ng_op_of(f) == NG_OP_TXA)
			value = w->x;
		if (!x)
			w->from.size = 0;
		*(x ? &w->x : &w->a) = value;
	}
}

static bool is_true(const struct walk *w, const struct sock_filter *f, uint32_t operand)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return w->a == operand;
	case BPF_JGT:
		return w->a > operand;
	case BPF_JGE:
		return w->a >= operand;
	default:
		return w->a & operand;
	}
}

/* What A should be. */
static uint32_t wanted(const struct walk *w, const struct sock_filter *f, uint32_t operand,
		       bool want)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return want ? operand : operand ^ 1u << below(32);
	case BPF_JGT:
		return want ? operand + 1 + below(2) : operand - below(2);
	case BPF_JGE:
		return want ? operand + below(2) : operand - 1 - below(2);
	default:
		return want ? w->a | operand : w->a & ~operand;
	}
}

static bool rejects(const struct walk *w, size_t pc)
{
	const struct sock_filter *f = &w->program->insns[pc];

	return ng_op_of(f) == NG_OP_RET && BPF_RVAL(f->code) == BPF_K && f->k == 0;
}

static bool is_in(const struct ng_set *set, uint32_t value)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->key[i] == value)
			return true;
	return false;
}

/* Makes the comparison come out so, if the bytes are known. */
static void influence(struct walk *w, const struct sock_filter *f, uint32_t operand,
		      const struct ng_set *set)
{
	bool want = below(2);
	uint32_t value;

	if (rejects(w, w->pc + (want ? f->jt : f->jf)) && below(8))
		want = !want;
	if (!w->from.size || !below(16))
		return;
	if (set)
		value = want ? set->key[below((uint32_t)set->n)] : rnd();
	else
		value = wanted(w, f, operand, want);
	write_bytes(w->p, &w->from, value);
	w->a = read_bytes(w->p, w->from.offset, w->from.size) & w->from.mask;
}

static void choose(struct walk *w, const struct sock_filter *f)
{
	uint32_t operand = BPF_SRC(f->code) == BPF_X ? w->x : f->k;
	const struct ng_set *set = is_set_test(f) ? &w->program->sets[f->k] : NULL;
	bool yes;

	if (w->steers)
		influence(w, f, operand, set);
	yes = set ? is_in(set, w->a) : is_true(w, f, operand);
	w->pc += yes ? f->jt : f->jf;
}

static bool string_is_in(const struct walk *w, const struct ng_set *set, uint32_t at)
{
	uint32_t string[NG_SET_WORDS_MAX];

	for (uint32_t i = 0; i < set->words; i++)
		string[i] = read_bytes(w->p, at + 4 * i, 4);
	string[set->words - 1] &= set->mask;
	for (size_t i = 0; i < set->n; i++)
		if (!memcmp(string, set->key + i * set->words, set->words * sizeof(*string)))
			return true;
	return false;
}

/* One of the set, or all but one bit of it. */
static void write_string(struct walk *w, const struct ng_set *set, uint32_t at)
{
	const uint32_t *key = set->key + below((uint32_t)set->n) * set->words;
	uint32_t other = below(2) * (1 + below(set->words));

	for (uint32_t i = 0; i < set->words; i++) {
		struct source to = { at + 4 * i, 4, i + 1 < set->words ? ~0u : set->mask };

		write_bytes(w->p, &to, i + 1 == other ? key[i] ^ 1u << below(32) : key[i]);
	}
}

static void choose_string(struct walk *w, const struct sock_filter *f)
{
	const struct ng_set *set = &w->program->sets[NG_IN6_SET(f->k)];
	uint32_t at = NG_IN6_AT(f->k);

	if (!is_inside(w, at, 4 * set->words)) {
		w->ended = w->left = true;
		return;
	}
	if (w->steers && below(8))
		write_string(w, set, at);
	w->pc += string_is_in(w, set, at) ? f->jt : f->jf;
}

static void step(struct walk *w)
{
	const struct sock_filter *f = &w->program->insns[w->pc++];

	if (is_set_test(f)) {
		choose(w, f);
		return;
	}
	switch (ng_op_of(f)) {
	case NG_OP_IN6:
		choose_string(w, f);
		break;
	case NG_OP_ABS:
	case NG_OP_IND:
	case NG_OP_MSH:
		load(w, f);
		break;
	case NG_OP_ALU:
		compute(w, f);
		break;
	case NG_OP_NEG:
		w->a = -w->a;
		w->from.size = 0;
		break;
	case NG_OP_JA:
		w->pc += (size_t)(int)f->k;
		break;
	case NG_OP_JUMP:
		choose(w, f);
		break;
	case NG_OP_RET:
	case NG_OP_UNKNOWN:
		w->ended = true;
		break;
	default:
		move(w, f);
	}
}

static void walk(struct walk *w)
{
	for (int steps = 0; !w->ended && w->pc < w->program->n && steps < STEPS_MAX; steps++)
		step(w);
}

void steer_packet(const struct ng_cbpf *program, struct packet *p)
{
	struct walk w = { .program = program, .p = p, .steers = true };

	walk(&w);
}

bool leaves_packet(const struct ng_cbpf *program, const struct packet *p)
{
	struct walk w = { .program = program, .p = (struct packet *)p };

	walk(&w);
	return w.left;
}
