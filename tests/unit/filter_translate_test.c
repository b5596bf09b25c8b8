// SPDX-License-Identifier: GPL-2.0-only
/* Classic programs that cannot be translated are refused, and say why;
 * the code made is fit to be a subprogram. */
#include "ctl/filter/access.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

#define S(code, k)	   BPF_STMT(code, k)
#define J(code, k, jt, jf) BPF_JUMP(code, k, jt, jf)
#define RETURN_0	   S(BPF_RET | BPF_K, 0)

static const struct {
	const char *what;
	struct sock_filter insns[4];
	size_t n;
	int ret;
	const char *words;
} refused[] = {
	{ "no return at the end",
	  { S(BPF_LD | BPF_IMM, 1) },
	  1,
	  -EINVAL,
	  "does not end in a return" },
	{ "an unknown opcode", { S(BPF_ALU | 0xb0, 1), RETURN_0 }, 2, -EINVAL, "unknown opcode" },
	{ "an opcode of sixteen bits", { S(0x100, 1), RETURN_0 }, 2, -EINVAL, "unknown opcode" },
	{ "a return of X", { S(BPF_RET | BPF_X, 1), RETURN_0 }, 2, -EINVAL, "unknown opcode" },
	{ "a jump past the end",
	  { J(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), RETURN_0 },
	  2,
	  -EINVAL,
	  "jump out" },
	{ "a long jump past the end",
	  { S(BPF_JMP | BPF_JA, 1), RETURN_0 },
	  2,
	  -EINVAL,
	  "jump out" },
	{ "a jump back past the start",
	  { S(BPF_LD | BPF_IMM, 1), S(BPF_JMP | BPF_JA, -3u), RETURN_0 },
	  3,
	  -EINVAL,
	  "jump out" },
	{ "the longest jump back",
	  { S(BPF_JMP | BPF_JA, 0x80000000), RETURN_0 },
	  2,
	  -EINVAL,
	  "jump out" },
	{ "a set that there is not",
	  { J(BPF_JMP | NG_BPF_IN | BPF_K, 6, 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "a set without numbers",
	  { J(BPF_JMP | NG_BPF_IN | BPF_K, 1, 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "a jump past the end by a set",
	  { J(BPF_JMP | NG_BPF_IN | BPF_K, 0, 0, 1), RETURN_0 },
	  2,
	  -EINVAL,
	  "jump out" },
	{ "a set named by X",
	  { J(BPF_JMP | NG_BPF_IN | BPF_X, 0, 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "unknown opcode" },
	{ "a number in a set of strings",
	  { J(BPF_JMP | NG_BPF_IN | BPF_K, 2, 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "a string in a set of numbers",
	  { J(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(0, 22), 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "a set of strings that there is not",
	  { J(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(6, 22), 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "strings of one word",
	  { J(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(3, 22), 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "strings of five words",
	  { J(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(4, 22), 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "strings of whose last word nothing counts",
	  { J(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(5, 22), 0, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "no such set" },
	{ "a jump past the end by a set of strings",
	  { J(BPF_JMP | NG_BPF_IN6 | BPF_K, NG_IN6_K(2, 22), 1, 0), RETURN_0 },
	  2,
	  -EINVAL,
	  "jump out" },
	{ "M[16]", { S(BPF_LD | BPF_MEM, 16), RETURN_0 }, 2, -EINVAL, "memory cell" },
	{ "a store to M[16]", { S(BPF_STX, 16), RETURN_0 }, 2, -EINVAL, "memory cell" },
	{ "division by zero", { S(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN_0 }, 2, -EINVAL, "zero" },
	{ "remainder of zero", { S(BPF_ALU | BPF_MOD | BPF_K, 0), RETURN_0 }, 2, -EINVAL, "zero" },
	{ "shift by 32", { S(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN_0 }, 2, -EOPNOTSUPP, "shift" },
	{ "shift right by 99",
	  { S(BPF_ALU | BPF_RSH | BPF_K, 99), RETURN_0 },
	  2,
	  -EOPNOTSUPP,
	  "shift" },
	{ "the packet's mark at XDP",
	  { S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK), RETURN_0 },
	  2,
	  -EOPNOTSUPP,
	  "the packet's mark" },
	{ "the packet's hash",
	  { S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RXHASH), RETURN_0 },
	  2,
	  -EOPNOTSUPP,
	  "the packet's hash" },
	{ "random numbers",
	  { S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM), RETURN_0 },
	  2,
	  -EOPNOTSUPP,
	  "a random number" },
	{ "metadata between two numbers",
	  { S(BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK + 1), RETURN_0 },
	  2,
	  -EOPNOTSUPP,
	  "unknown kind" },
};

static void test_refused(void)
{
	__u32 key[2] = { 5, 6 };
	struct ng_set sets[] = {
		{ .key = key, .n = 1 },
		{ .key = key, .n = 0 },
		{ .key = key, .n = 1, .words = 2, .mask = ~0u },
		{ .key = key, .n = 1, .words = 1, .mask = ~0u },
		{ .key = key, .n = 1, .words = 5, .mask = ~0u },
		{ .key = key, .n = 1, .words = 2 },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct ng_cbpf filter = { .insns = (struct sock_filter *)refused[i].insns,
					  .n = refused[i].n,
					  .sets = sets,
					  .n_sets = sizeof(sets) / sizeof(sets[0]) };
		struct ng_ebpf out = { 0 };
		struct ng_error err = { 0 };
		int ret = ng_filter_translate(&filter, NG_CTX_XDP, 0, &out, &err);

		if (!ok(ret == refused[i].ret && strstr(err.what, refused[i].words) &&
				err.exit == NG_EXIT_USAGE && !out.insns,
			"refuses %s", refused[i].what))
			printf("#   %d: %s\n", ret, err.what);
	}
}

/* What a savefile cannot answer. */
static void test_uses_metadata(void)
{
	static const struct {
		__u32 k;
		const char *what;
	} rows[] = {
		{ (__u32)(SKF_AD_OFF + SKF_AD_PKTTYPE), "'inbound' or 'outbound'" },
		{ (__u32)(SKF_AD_OFF + SKF_AD_IFINDEX), "'ifindex'" },
		{ (__u32)(SKF_AD_OFF + SKF_AD_MARK), "the packet's mark" },
		{ (__u32)(SKF_AD_OFF + SKF_AD_VLAN_TAG), NULL },
		{ (__u32)(SKF_AD_OFF + SKF_AD_MAX), NULL },
		{ 12, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sock_filter insns[] = { S(BPF_LD | BPF_H | BPF_ABS, rows[i].k), RETURN_0 };
		const char *what =
			ng_cbpf_uses_metadata(&(struct ng_cbpf){ .insns = insns, .n = 2 });

		ok(what == rows[i].what || (what && rows[i].what && !strcmp(what, rows[i].what)),
		   "a load at %#x asks for %s", rows[i].k, rows[i].what ?: "bytes");
	}
}

/* A constant number of rounds, or counted by the length where may_goto lets them be. */
static void test_protochain(void)
{
	struct ng_cbpf filter = { 0 };

	is_int(ng_filter_compile("ip6 protochain 6", "expression", 1, 96, 0, &filter, NULL), 0,
	       "libpcap takes protochain");
	for (unsigned int flags = 0; flags <= NG_FILTER_MAY_GOTO; flags += NG_FILTER_MAY_GOTO) {
		unsigned int fixed = 0, may_goto = 0;
		struct ng_ebpf out = { 0 };

		is_int(ng_filter_translate(&filter, NG_CTX_TC, flags, &out, NULL), 0,
		       "and so do we");
		for (size_t i = 0; i < out.n; i++) {
			const struct bpf_insn *insn = &out.insns[i];

			may_goto += insn->code == NG_MAY_GOTO.code;
			fixed += insn->code == (BPF_ST | BPF_MEM | BPF_DW) &&
				 insn->off == NG_FP_ROUNDS && insn->imm == NG_LOOP_ROUNDS_FIXED;
		}
		ok(flags ? may_goto && !fixed : fixed && !may_goto, "%s",
		   flags ? "by may_goto" : "for sixteen rounds");
		ng_ebpf_free(&out);
	}
	ng_cbpf_free(&filter);
}

static void test_size(void)
{
	static struct sock_filter insns[BPF_MAXINSNS + 1];
	struct ng_cbpf filter = { .insns = insns, .n = BPF_MAXINSNS };
	struct ng_ebpf out = { 0 };
	struct ng_error err = { 0 };

	insns[0] = (struct sock_filter)S(BPF_LD | BPF_W | BPF_ABS, 26);
	for (unsigned int i = 1; i < BPF_MAXINSNS - 2; i++)
		insns[i] = (struct sock_filter)J(BPF_JMP | BPF_JEQ | BPF_K, i, 1, 0);
	insns[BPF_MAXINSNS - 2] = insns[BPF_MAXINSNS - 1] =
		(struct sock_filter)S(BPF_RET | BPF_A, 0);
	is_int(ng_filter_translate(&filter, NG_CTX_TC, 0, &out, &err), 0,
	       "takes the longest classic program");
	ng_ebpf_free(&out);
	for (size_t i = 0; i < BPF_MAXINSNS; i++)
		insns[i] = (struct sock_filter)S(BPF_LD | BPF_W | BPF_IND, 14);
	insns[BPF_MAXINSNS - 1] = (struct sock_filter)S(BPF_RET | BPF_A, 0);
	is_int(ng_filter_translate(&filter, NG_CTX_TC, 0, &out, &err), 0,
	       "takes one whose jumps lead farther than an instruction can say");
	ok(out.n > 2 * INT16_MAX, "of more than twice the reach (%zu)", out.n);
	ng_ebpf_free(&out);
	insns[BPF_MAXINSNS] = insns[BPF_MAXINSNS - 1];
	filter.n++;
	is_int(ng_filter_translate(&filter, NG_CTX_XDP, 0, &out, &err), -E2BIG,
	       "refuses one instruction more");
	ok(strstr(err.what, "4097") && strstr(err.what, "4096"), "and names the limit");
	ok(!out.insns, "a refusal leaves nothing");
}

/* Stack depth, registers and references of what is made. */
static void test_shape(enum ng_filter_ctx ctx)
{
	struct ng_cbpf filter = { 0 };
	struct ng_ebpf body = { 0 };
	struct ng_error err = { 0 };
	int deepest = 0;
	bool tidy = true;

	ng_filter_compile("(ip[2:2] + tcp[4:2]) * len > 9 and vlan and ether[ip[8]:4] = 1",
			  "expression", 1, 96, NG_FILTER_PLAIN, &filter, &err);
	is_int(ng_filter_translate(&filter, ctx, 0, &body, &err), 0, "translates");
	for (size_t i = 0; i < body.n; i++) {
		const struct bpf_insn *insn = &body.insns[i];
		unsigned int class = BPF_CLASS(insn->code);

		if ((class == BPF_STX || class == BPF_ST) && insn->dst_reg == BPF_REG_10 &&
		    insn->off < deepest)
			deepest = insn->off;
		tidy &= insn->dst_reg <= BPF_REG_9 || class == BPF_STX || class == BPF_ST;
		tidy &= insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg == 0;
	}
	ok(deepest >= -200 && deepest < 0, "the stack frame is small (%d)", deepest);
	ok(tidy, "the frame pointer stays and all calls are helpers");
	is_int(body.insns[body.n - 1].code, BPF_JMP | BPF_EXIT, "ends in exit");
	ng_ebpf_free(&body);
	ng_cbpf_free(&filter);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Values that are lost are computed again, from others that are lost. */
static void test_many_values(void)
{
	enum { CELLS = 4, ROUNDS = 180 };
	struct sock_filter insns[2 * CELLS + 4 * ROUNDS + 1];
	struct ng_cbpf filter = { .insns = insns };
	double begun = seconds();
	struct ng_ebpf out = { 0 };
	__u32 random = 7;

	for (unsigned int i = 0; i < CELLS; i++) {
		insns[filter.n++] = (struct sock_filter)S(BPF_LD | BPF_B | BPF_ABS, i);
		insns[filter.n++] = (struct sock_filter)S(BPF_ST, i);
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		random = random * 1664525 + 1013904223;
		insns[filter.n++] = (struct sock_filter)S(BPF_LD | BPF_MEM, random >> 30);
		insns[filter.n++] = (struct sock_filter)S(BPF_LDX | BPF_MEM, random >> 28 & 3);
		insns[filter.n++] = (struct sock_filter)S(BPF_ALU | BPF_SUB | BPF_X, 0);
		insns[filter.n++] = (struct sock_filter)S(BPF_ST, random >> 26 & 3);
	}
	insns[filter.n++] = (struct sock_filter)S(BPF_RET | BPF_A, 0);
	is_int(ng_filter_translate(&filter, NG_CTX_XDP, 0, &out, NULL), 0,
	       "takes a program that has many values in use");
	ok(out.n < 10 * filter.n && seconds() - begun < 1, "as %zu instructions for %zu, in %.3f s",
	   out.n, filter.n, seconds() - begun);
	ng_ebpf_free(&out);
}

int main(void)
{
	test_refused();
	test_uses_metadata();
	test_protochain();
	test_size();
	test_many_values();
	test_shape(NG_CTX_XDP);
	test_shape(NG_CTX_TC);
	return tap_done();
}
