// SPDX-License-Identifier: GPL-2.0-only
/*
 * The intermediate representation: after each pass, executed over random packets, it answers as the
 * classic program it came from; and what each pass does to a graph made for it.
 */
#include "ctl/filter/ir.h"
#include "ctl/filter/table.h"
#include "tests/filter_packets.h"
#include "tests/fuzz/expr.h"
#include "tests/fuzz/program.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <errno.h>

#define PROGRAMS 1500
#define PACKETS	 12
#define INSNS	 60
#define PHIS_MAX 256

/* Execution of a graph over one packet. */
struct run {
	const struct ng_ir *ir;
	const struct packet *p;
	uint32_t phi[PHIS_MAX];
	bool rejected;
	bool above_max; /* a value was larger than the graph says it can be */
};

static uint32_t value(struct run *r, ng_val number);

static uint32_t load(struct run *r, const struct ng_value *v)
{
	uint64_t at = (v->a ? (uint64_t)value(r, r->ir->value[v->a].a) : 0) + v->k;
	uint32_t n = 0;

	if (at + v->size > r->p->len) {
		r->rejected = true;
		return 0;
	}
	for (unsigned int i = 0; i < v->size; i++)
		n = n << 8 | r->p->data[at + i];
	if (v->op == NG_V_RAW && v->size > 1)
		n = v->size == 2 ? __builtin_bswap16((uint16_t)n) : __builtin_bswap32(n);
	return n;
}

static uint32_t alu(struct run *r, const struct ng_value *v)
{
	uint32_t a = value(r, v->a), b = value(r, v->b);

	switch (v->alu) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return b < 32 ? a << b : 0;
	case BPF_RSH:
		return b < 32 ? a >> b : 0;
	default:
		break;
	}
	if (!b)
		r->rejected = true;
	if (!b)
		return 0;
	return v->alu == BPF_DIV ? a / b : a % b;
}

static uint32_t value(struct run *r, ng_val number)
{
	const struct ng_value *v = &r->ir->value[number];
	uint32_t n = 0;

	switch ((enum ng_vop)v->op) {
	case NG_V_CONST:
		n = v->k;
		break;
	case NG_V_LEN:
		n = r->p->len;
		break;
	case NG_V_LOAD:
	case NG_V_RAW:
		n = load(r, v);
		break;
	case NG_V_ALU:
		n = alu(r, v);
		break;
	case NG_V_NEG:
		n = -value(r, v->a);
		break;
	case NG_V_PHI:
		n = r->phi[v->k];
		break;
	default:
		break;
	}
	r->above_max |= n > v->max && !r->rejected;
	return n;
}

static bool is_in(const struct ng_set *set, uint32_t n)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->key[i] == n)
			return true;
	return false;
}

static bool is_string_in(struct run *r, const struct ng_set *set, struct ng_value word)
{
	uint32_t key[NG_SET_WORDS_MAX];

	for (unsigned int i = 0; i < set->words; i++, word.k += 4)
		key[i] = load(r, &word);
	key[set->words - 1] &= set->mask;
	for (size_t i = 0; i < set->n; i++)
		if (memcmp(key, set->key + i * set->words, set->words * sizeof(*key)) == 0)
			return true;
	return false;
}

static bool holds(struct run *r, const struct ng_ir_block *b)
{
	uint32_t left, right;

	if (b->test == NG_T_IN6)
		return is_string_in(r, &r->ir->set[b->set], r->ir->value[b->left]);
	left = value(r, b->left);
	if (b->test == NG_T_IN)
		return is_in(&r->ir->set[b->set], left);
	right = value(r, b->right);
	switch (b->test) {
	case NG_T_EQ:
		return left == right;
	case NG_T_GT:
		return left > right;
	case NG_T_GE:
		return left >= right;
	default:
		return left & right;
	}
}

/* All PHIs of a block take their values at once, those of other blocks being what they are. */
static void enter(struct run *r, size_t from, const struct ng_ir_block *to)
{
	uint32_t now[PHIS_MAX];

	memcpy(now, r->phi, sizeof(now));
	for (size_t i = 0; i < to->n_phis; i++)
		for (size_t j = 0; j < to->phi[i].n_args; j++)
			if (to->phi[i].arg[j].from == from)
				now[r->ir->value[to->phi[i].value].k] =
					value(r, to->phi[i].arg[j].value);
	memcpy(r->phi, now, sizeof(now));
}

static uint32_t execute(struct run *r)
{
	size_t at = 0;

	memset(r->phi, 0, sizeof(r->phi));
	r->rejected = false;
	for (;;) {
		const struct ng_ir_block *b = &r->ir->block[at];
		size_t next;
		uint32_t n;

		for (size_t i = 0; i < b->n_checks; i++)
			value(r, b->check[i]);
		if (r->rejected)
			return 0;
		if (b->test == NG_T_RETURN) {
			n = value(r, b->left);
			return r->rejected ? 0 : n;
		}
		next = b->succ[b->test == NG_T_ALWAYS || holds(r, b) ? 0 : 1];
		enter(r, at, &r->ir->block[next]);
		at = next;
		if (r->rejected)
			return 0;
	}
}

static const struct {
	const char *name;
	void (*run)(struct ng_ir *ir);
} passes[] = {
	{ "nothing", NULL },	    { "prune", ng_ir_prune }, { "thread", ng_ir_thread },
	{ "sets", ng_ir_sets },	    { "usual", ng_ir_usual }, { "merge", ng_ir_merge },
	{ "likely", ng_ir_likely }, { "order", ng_ir_order }, { "all passes", ng_ir_optimize },
};
#define N_PASSES (sizeof(passes) / sizeof(passes[0]))

struct tally {
	unsigned int runs, accepted, wrong, above_max, failed;
};

static void run_pass(const struct ng_cfg *cfg, const struct ng_cbpf *program, size_t pass,
		     struct tally *t)
{
	static struct packet p;
	struct ng_ir ir;
	struct run r = { .ir = &ir, .p = &p };
	int ret = ng_ir_build(cfg, &ir);

	if (ret) {
		t->failed += ret != -EOPNOTSUPP; /* loops */
		return;
	}
	if (ir.n_phis > PHIS_MAX) {
		ng_ir_free(&ir);
		return;
	}
	if (passes[pass].run)
		passes[pass].run(&ir);
	t->failed += ir.failed;
	for (int i = 0; i < PACKETS; i++) {
		uint32_t want, got;

		make_packet(&p);
		want = ng_filter_interpret(program, p.data, p.len, p.len);
		got = execute(&r);
		t->runs++;
		t->accepted += want != 0;
		t->wrong += got != want;
	}
	t->above_max += r.above_max;
	ng_ir_free(&ir);
}

static void run_program(const struct ng_cbpf *program, struct tally tally[N_PASSES])
{
	struct ng_error err = { 0 };
	struct ng_cfg cfg;

	if (ng_cfg_build(program, &cfg, &err))
		return;
	for (size_t pass = 0; pass < N_PASSES; pass++)
		run_pass(&cfg, program, pass, &tally[pass]);
	ng_cfg_free(&cfg);
}

static void judge(const struct tally tally[N_PASSES], const char *of)
{
	for (size_t pass = 0; pass < N_PASSES; pass++) {
		const struct tally *t = &tally[pass];

		ok(!t->wrong && !t->failed && t->accepted > t->runs / 200,
		   "%s, %s: %u runs, %u accepted, %u wrong, %u failed", of, passes[pass].name,
		   t->runs, t->accepted, t->wrong, t->failed);
		is_int(t->above_max, 0, "%s, %s: no value is larger than its bound", of,
		       passes[pass].name);
	}
}

static void test_random_programs(void)
{
	struct tally tally[N_PASSES] = { 0 };

	for (int i = 0; i < PROGRAMS; i++) {
		struct ng_cbpf program;

		if (i % 3)
			make_program(&program, INSNS);
		else
			make_set_program(&program, INSNS);
		run_program(&program, tally);
		ng_cbpf_free(&program);
	}
	judge(tally, "random programs");
}

static void test_expressions(unsigned int flags, const char *of)
{
	struct tally tally[N_PASSES] = { 0 };
	struct ng_error err = { 0 };

	for (int i = 0; i < PROGRAMS; i++) {
		char text[EXPR_TEXT];
		struct ng_cbpf program;
		struct expr e;

		make_expr(&e);
		print_expr(&e, text);
		if (ng_filter_compile(text, "expression", 1, 262144, flags, &program, &err))
			continue;
		if (program.n)
			run_program(&program, tally);
		ng_cbpf_free(&program);
	}
	judge(tally, of);
}

/* What a pass makes of one graph */

#define S(code, k)	   BPF_STMT(code, k)
#define J(code, k, jt, jf) BPF_JUMP(BPF_JMP | (code) | BPF_K, k, jt, jf)
#define LDB(k)		   S(BPF_LD | BPF_B | BPF_ABS, k)
#define LDH(k)		   S(BPF_LD | BPF_H | BPF_ABS, k)
#define LDW(k)		   S(BPF_LD | BPF_W | BPF_ABS, k)
#define RET(k)		   S(BPF_RET | BPF_K, k)

static void thread_and_merge(struct ng_ir *ir)
{
	ng_ir_thread(ir);
	ng_ir_merge(ir);
}

static const struct {
	const char *what;
	void (*pass)(struct ng_ir *ir);
	struct sock_filter insns[12];
	const char *text;
} rows[] = {
	{ "a variable with two values becomes a PHI",
	  NULL,
	  { LDB(0), J(BPF_JGT, 7, 0, 2), S(BPF_LD | BPF_IMM, 1), S(BPF_JMP | BPF_JA, 1),
	    S(BPF_LD | BPF_IMM, 2), S(BPF_RET | BPF_A, 0) },
	  "b0:\n\tneed pkt[0:1]\n\tif pkt[0:1] > 7 goto b1 else b2\n"
	  "b1:\n\tgoto b3\nb2:\n\tgoto b3\n"
	  "b3:\n\tphi0 = b2: 2, b1: 1\n\treturn phi0\n" },
	{ "one that nobody reads does not",
	  NULL,
	  { LDB(0), J(BPF_JGT, 7, 0, 2), S(BPF_LD | BPF_IMM, 1), S(BPF_JMP | BPF_JA, 1),
	    S(BPF_LD | BPF_IMM, 2), RET(9) },
	  "b0:\n\tneed pkt[0:1]\n\tif pkt[0:1] > 7 goto b1 else b2\n"
	  "b1:\n\tgoto b3\nb2:\n\tgoto b3\nb3:\n\treturn 9\n" },
	{ "X that is a number makes the offset one",
	  NULL,
	  { S(BPF_LDX | BPF_IMM, 10), S(BPF_LD | BPF_H | BPF_IND, 4), S(BPF_RET | BPF_A, 0) },
	  "b0:\n\tneed pkt[14:2]\n\treturn pkt[14:2]\n" },
	{ "division by X that is 0 rejects",
	  NULL,
	  { LDB(0), S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_RET | BPF_A, 0) },
	  "b0:\n\tneed pkt[0:1]\n\treturn 0\n" },
	{ "constants are folded, and what does nothing goes",
	  NULL,
	  { LDW(0), S(BPF_ALU | BPF_ADD | BPF_K, 3), S(BPF_ALU | BPF_ADD | BPF_K, 4),
	    S(BPF_ALU | BPF_OR | BPF_K, 0), S(BPF_ALU | BPF_AND | BPF_K, 0xffff),
	    S(BPF_ALU | BPF_AND | BPF_K, 0xff0f), S(BPF_RET | BPF_A, 0) },
	  "b0:\n\tneed pkt[0:4]\n\treturn ((pkt[0:4] + 7) & 0xff0f)\n" },
	{ "a test that no number can pass is none",
	  NULL,
	  { LDB(0), J(BPF_JEQ, 256, 0, 1), RET(1), RET(2) },
	  "b0:\n\tneed pkt[0:1]\n\tgoto b2\nb2:\n\treturn 2\n" },
	{ "threading: a test made before is not made again, nor is its check",
	  ng_ir_thread,
	  { LDH(12), J(BPF_JEQ, 0x800, 0, 4), LDB(23), J(BPF_JEQ, 6, 0, 2), LDH(12),
	    J(BPF_JEQ, 0x800, 1, 0), RET(0), RET(5) },
	  "b0:\n\tneed pkt[12:2]\n\tif pkt[12:2] == 2048 goto b1 else b3\n"
	  "b1:\n\tneed pkt[23:1]\n\tif pkt[23:1] == 6 goto b4 else b3\n"
	  "b3:\n\treturn 0\nb4:\n\treturn 5\n" },
	{ "threading: what a number is not, follows from what it is",
	  ng_ir_thread,
	  { LDH(12), J(BPF_JEQ, 0x800, 0, 1), J(BPF_JGT, 0x7ff, 1, 0), RET(0), RET(5) },
	  "b0:\n\tneed pkt[12:2]\n\tif pkt[12:2] == 2048 goto b3 else b2\n"
	  "b2:\n\treturn 0\nb3:\n\treturn 5\n" },
	{ "threading: a check that was not made on the way keeps the edge",
	  ng_ir_thread,
	  { LDH(12), J(BPF_JEQ, 0x800, 0, 3), LDB(40), LDH(12), J(BPF_JEQ, 0x800, 1, 0), RET(0),
	    RET(5) },
	  "b0:\n\tneed pkt[12:2]\n\tif pkt[12:2] == 2048 goto b1 else b2\n"
	  "b1:\n\tneed pkt[40:1]\n\tgoto b3\nb2:\n\treturn 0\nb3:\n\treturn 5\n" },
	{ "pruning: a block that cannot accept makes no checks",
	  ng_ir_prune,
	  { LDH(12), J(BPF_JEQ, 0x800, 0, 2), LDW(26), RET(7), LDW(30), J(BPF_JEQ, 3, 0, 0),
	    RET(0) },
	  "b0:\n\tneed pkt[12:2]\n\tif pkt[12:2] == 2048 goto b1 else b3\n"
	  "b1:\n\tneed pkt[26:4]\n\treturn 7\nb3:\n\treturn 0\n" },
	{ "pruning: equal answers are one block",
	  ng_ir_prune,
	  { LDB(0), J(BPF_JGT, 9, 0, 1), RET(7), J(BPF_JEQ, 3, 0, 1), RET(7), RET(0) },
	  "b0:\n\tneed pkt[0:1]\n\tif pkt[0:1] > 9 goto b3 else b2\n"
	  "b2:\n\tif pkt[0:1] == 3 goto b3 else b4\nb3:\n\treturn 7\nb4:\n\treturn 0\n" },
	{ "usual: a header without options has its ports at a constant place",
	  ng_ir_usual,
	  { LDB(23), J(BPF_JEQ, 6, 0, 4), S(BPF_LDX | BPF_B | BPF_MSH, 14),
	    S(BPF_LD | BPF_H | BPF_IND, 16), J(BPF_JEQ, 80, 0, 1), RET(1), RET(0) },
	  "b0:\n\tneed pkt[23:1]\n\tif pkt[23:1] == 6 goto b1 else b5\n"
	  "b1:\n\tif pkt[14:1] == 69 goto b2 else b3\n"
	  "b2:\n\tneed pkt[36:2]\n\tif pkt[36:2] == 80 goto b4 else b5\n"
	  "b3:\n\tneed pkt[((pkt[14:1] & 15) << 2) + 16:2]\n"
	  "\tif pkt[((pkt[14:1] & 15) << 2) + 16:2] == 80 goto b4 else b5\n"
	  "b4:\n\treturn 1\nb5:\n\treturn 0\n" },
	{ "usual: a divisor that becomes a number keeps its check",
	  ng_ir_usual,
	  { S(BPF_LDX | BPF_B | BPF_MSH, 14), LDW(30), S(BPF_ALU | BPF_DIV | BPF_X, 0),
	    S(BPF_RET | BPF_A, 0) },
	  "b0:\n\tneed pkt[14:1]\n\tneed pkt[30:4]\n"
	  "\tneed ((pkt[14:1] & 15) << 2) != 0\n"
	  "\treturn (pkt[30:4] / ((pkt[14:1] & 15) << 2))\n" },
	{ "likely: IPv4 is asked for first",
	  ng_ir_likely,
	  { LDH(12), J(BPF_JEQ, 0x86dd, 0, 2), LDB(20), S(BPF_RET | BPF_A, 0),
	    J(BPF_JEQ, 0x800, 0, 2), LDB(23), S(BPF_RET | BPF_A, 0), RET(0) },
	  "b0:\n\tneed pkt[12:2]\n\tif pkt[12:2] == 2048 goto b1 else b2\n"
	  "b1:\n\tneed pkt[23:1]\n\treturn pkt[23:1]\n"
	  "b2:\n\tif pkt[12:2] == 0x86dd goto b3 else b4\n"
	  "b3:\n\tneed pkt[20:1]\n\treturn pkt[20:1]\nb4:\n\treturn 0\n" },
	{ "merging: bytes that lie together are tested together",
	  thread_and_merge,
	  { LDB(23), J(BPF_JEQ, 6, 0, 3), LDH(20), J(BPF_JSET, 0x1fff, 1, 0), RET(1), RET(0) },
	  "b0:\n\tneed pkt[23:1]\n\tif (pkt[20:4] & 0x1fff00ff) == 6 goto b2 else b3\n"
	  "b2:\n\treturn 1\nb3:\n\treturn 0\n" },
	{ "merging: two ways out are two tests",
	  thread_and_merge,
	  { LDB(23), J(BPF_JEQ, 6, 0, 3), LDB(22), J(BPF_JEQ, 64, 0, 2), RET(1), RET(0), RET(2) },
	  "b0:\n\tneed pkt[23:1]\n\tif pkt[23:1] == 6 goto b1 else b3\n"
	  "b1:\n\tif pkt[22:1] == 64 goto b2 else b4\n"
	  "b2:\n\treturn 1\nb3:\n\treturn 0\nb4:\n\treturn 2\n" },
	{ "merging: no load reaches over an end of a tag",
	  thread_and_merge,
	  { LDB(17), J(BPF_JEQ, 5, 0, 3), LDB(14), J(BPF_JEQ, 64, 0, 1), RET(1), RET(0) },
	  "b0:\n\tneed pkt[17:1]\n\tif pkt[17:1] == 5 goto b1 else b3\n"
	  "b1:\n\tif pkt[14:1] == 64 goto b2 else b3\n"
	  "b2:\n\treturn 1\nb3:\n\treturn 0\n" },
	{ "order: equality needs none",
	  ng_ir_order,
	  { LDH(12), J(BPF_JEQ, 0x800, 0, 1), RET(1), RET(0) },
	  "b0:\n\tneed pkt[12:2]\n\tif raw[12:2] == 8 goto b1 else b2\n"
	  "b1:\n\treturn 1\nb2:\n\treturn 0\n" },
	{ "order: neither behind a mask, nor for bits",
	  ng_ir_order,
	  { LDW(26), S(BPF_ALU | BPF_AND | BPF_K, 0xffffff00), J(BPF_JEQ, 0xc0000200, 0, 3),
	    LDH(20), J(BPF_JSET, 0x1fff, 0, 1), RET(1), RET(0) },
	  "b0:\n\tneed pkt[26:4]\n\tif (raw[26:4] & 0xffffff) == 0x200c0 goto b1 else b3\n"
	  "b1:\n\tneed pkt[20:2]\n\tif raw[20:2] & 0xff1f goto b2 else b3\n"
	  "b2:\n\treturn 1\nb3:\n\treturn 0\n" },
	{ "order: a load that is a number somewhere is one everywhere",
	  ng_ir_order,
	  { LDH(12), J(BPF_JEQ, 0x800, 1, 0), J(BPF_JGT, 1500, 1, 0), RET(1), RET(0) },
	  "b0:\n\tneed pkt[12:2]\n\tif pkt[12:2] == 2048 goto b2 else b1\n"
	  "b1:\n\tif pkt[12:2] > 1500 goto b3 else b2\nb2:\n\treturn 1\nb3:\n\treturn 0\n" },
	{ "order: what A holds at a jump that does not compare is no number for that",
	  ng_ir_order,
	  { LDH(12), J(BPF_JEQ, 0x800, 0, 2), S(BPF_LDX | BPF_IMM, 1), S(BPF_JMP | BPF_JA, 1),
	    S(BPF_LDX | BPF_IMM, 2), S(BPF_MISC | BPF_TXA, 0), S(BPF_RET | BPF_A, 0) },
	  "b0:\n\tneed pkt[12:2]\n\tif raw[12:2] == 8 goto b1 else b2\n"
	  "b1:\n\tgoto b3\nb2:\n\tgoto b3\n"
	  "b3:\n\tphi0 = b2: 2, b1: 1\n\treturn phi0\n" },
	{ "order: a byte has none",
	  ng_ir_order,
	  { LDB(23), J(BPF_JEQ, 6, 0, 1), RET(1), RET(0) },
	  "b0:\n\tneed pkt[23:1]\n\tif pkt[23:1] == 6 goto b1 else b2\n"
	  "b1:\n\treturn 1\nb2:\n\treturn 0\n" },
};

static size_t length_of(const struct sock_filter *insns, size_t room)
{
	while (room && !insns[room - 1].code && !insns[room - 1].k)
		room--;
	return room;
}

/* What prints: malloc'ed; NULL when the program makes no graph. */
static char *text_of(const struct ng_cbpf *program, void (*pass)(struct ng_ir *ir))
{
	struct ng_error err = { 0 };
	struct ng_cfg cfg;
	struct ng_ir ir;
	char *text = NULL;
	size_t size;
	FILE *to;

	if (ng_cfg_build(program, &cfg, &err))
		return NULL;
	to = open_memstream(&text, &size);
	if (!ng_ir_build(&cfg, &ir)) {
		if (pass)
			pass(&ir);
		/* what a pass leaves without a way to it is for the next pruning */
		for (size_t i = 1; pass == ng_ir_thread && i < ir.n_blocks; i++)
			ir.block[i].reached = false;
		for (size_t i = 0; pass == ng_ir_thread && i < ir.n_blocks; i++)
			if (ir.block[i].reached && ir.block[i].test != NG_T_RETURN)
				ir.block[ir.block[i].succ[0]].reached =
					ir.block[ir.block[i].succ[1]].reached = true;
		ng_ir_print(to, &ir);
		ng_ir_free(&ir);
	}
	fclose(to);
	ng_cfg_free(&cfg);
	return text;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ng_cbpf program = {
			.insns = (struct sock_filter *)rows[i].insns,
			.n = length_of(rows[i].insns, 12),
		};
		char *text = text_of(&program, rows[i].pass);

		if (!ok(text && !strcmp(text, rows[i].text), "%s", rows[i].what))
			printf("# got:\n%s# want:\n%s", text ? text : "nothing", rows[i].text);
		free(text);
	}
}

/* An expression that is a sum of itself, over and over, would be printed for ever. */
static void test_doubled(void)
{
	struct sock_filter insns[98] = { LDB(0), [97] = S(BPF_RET | BPF_A, 0) };
	struct ng_cbpf program = { .insns = insns, .n = 98 };
	char *text;

	for (size_t i = 1; i < 97; i += 2) {
		insns[i] = (struct sock_filter)S(BPF_MISC | BPF_TAX, 0);
		insns[i + 1] = (struct sock_filter)S(BPF_ALU | BPF_ADD | BPF_X, 0);
	}
	text = text_of(&program, ng_ir_optimize);
	ok(text && strlen(text) < 1000000 && strstr(text, "(.. + ..)"),
	   "an expression of 48 levels is printed from its top");
	free(text);
}

/* A chain of n comparisons with 100, 101, .. (the last one twice); one of them also entered from
 * elsewhere, or with another way out. */
static void chain(struct sock_filter *insns, size_t n, bool other_way_out)
{
	insns[0] = (struct sock_filter)LDW(26);
	for (size_t i = 0; i < n; i++)
		insns[1 + i] = (struct sock_filter)J(BPF_JEQ, 100 + (__u32)(i < n - 1 ? i : i - 1),
						     (__u8)(n - i), 0);
	insns[n + 1] = (struct sock_filter)RET(0);
	insns[n + 2] = (struct sock_filter)RET(1);
	insns[n + 3] = (struct sock_filter)RET(2);
	if (other_way_out)
		insns[n / 2].jt++;
}

static void test_sets(void)
{
	struct sock_filter insns[64];
	struct ng_cbpf program = { .insns = insns };
	char *text, keys[32];

	for (size_t n = NG_TABLE_BREAK_EVEN - 1; n <= NG_TABLE_BREAK_EVEN; n++) {
		chain(insns, n, false);
		program.n = n + 3;
		text = text_of(&program, ng_ir_sets);
		ok(text && !strstr(text, " in set") == (n < NG_TABLE_BREAK_EVEN),
		   "%zu comparisons are %s", n, n < NG_TABLE_BREAK_EVEN ? "no set" : "a set");
		free(text);
	}
	chain(insns, NG_TABLE_BREAK_EVEN + 4, false);
	program.n = NG_TABLE_BREAK_EVEN + 7;
	text = text_of(&program, ng_ir_sets);
	snprintf(keys, sizeof(keys), "in set0 (%d keys)", NG_TABLE_BREAK_EVEN + 3);
	ok(text && strstr(text, keys), "a set has each key once");
	free(text);
	chain(insns, NG_TABLE_BREAK_EVEN + 4, true);
	program.n = NG_TABLE_BREAK_EVEN + 8;
	text = text_of(&program, ng_ir_sets);
	ok(text && !strstr(text, " in set"), "a way out of its own cuts a chain");
	free(text);
}

static void test_refusals(void)
{
	static struct sock_filter insns[2 * NG_HEIGHT_MAX + 4];
	struct ng_cbpf program = { .insns = insns };
	struct ng_error err = { 0 };
	struct ng_cfg cfg;
	struct ng_ir ir;
	size_t n = 0;

	insns[n++] = (struct sock_filter)LDW(0);
	for (int i = 0; i < NG_HEIGHT_MAX; i++) {
		insns[n++] = (struct sock_filter)S(BPF_ALU | BPF_MUL | BPF_K, 3);
		insns[n++] = (struct sock_filter)S(BPF_ALU | BPF_XOR | BPF_K, 5);
	}
	insns[n++] = (struct sock_filter)S(BPF_RET | BPF_A, 0);
	program.n = n;
	ng_cfg_build(&program, &cfg, &err);
	ok(ng_ir_build(&cfg, &ir) < 0,
	   "an expression that is too deep is left to the plain copies");
	ng_cfg_free(&cfg);
}

int main(void)
{
	printf("# seed %#llx\n", (unsigned long long)random_state);
	test_rows();
	test_doubled();
	test_sets();
	test_refusals();
	test_random_programs();
	test_expressions(0, "expressions");
	test_expressions(NG_FILTER_PLAIN, "expressions, not optimized");
	return tap_done();
}
