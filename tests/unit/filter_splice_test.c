// SPDX-License-Identifier: GPL-2.0-only
/* Splicing: a new body in the place of a subprogram, and all that reaches across it still right. */
#include "ctl/filter/emit.h"
#include "tests/tap.h"

#include <errno.h>

#define PSEUDO(code, src, distance) NG_INSN(code, 0, src, 0, distance)
#define CALL_SUB(distance)	    PSEUDO(BPF_JMP | BPF_CALL, BPF_PSEUDO_CALL, distance)
#define FUNC_REF(distance)	    PSEUDO(BPF_LD | BPF_DW | BPF_IMM, BPF_PSEUDO_FUNC, distance)
#define MAP_REF(fd)		    PSEUDO(BPF_LD | BPF_DW | BPF_IMM, BPF_PSEUDO_MAP_FD, fd)
#define SECOND_HALF		    NG_INSN(0, 0, 0, 0, 0)
#define FAR_JUMP(distance)	    PSEUDO(BPF_JMP32 | BPF_JA, 0, distance)

/* Subprograms at 0 (main), 10 (the gap, 3 instructions) and 13. */
static const struct bpf_insn whole[] = {
	CALL_SUB(9),			     /* 0: to 10 */
	CALL_SUB(11),			     /* 1: to 13 */
	FUNC_REF(10),			     /* 2: to 13 */
	SECOND_HALF,			     /* 3 */
	MAP_REF(8),			     /* 4: a descriptor, not a distance */
	SECOND_HALF,			     /* 5 */
	NG_JUMP_I(BPF_JEQ, BPF_REG_0, 0, 1), /* 6: to 8 */
	NG_CALL(6),			     /* 7: a helper */
	NG_JA(5),			     /* 8: to 14, across the gap */
	NG_RETURN,			     /* 9 */
	NG_MOV_I(BPF_REG_0, 1),		     /* 10 */
	NG_JA(0),			     /* 11 */
	NG_RETURN,			     /* 12 */
	CALL_SUB(-4),			     /* 13: to 10 */
	FAR_JUMP(-6),			     /* 14: to 9, across the gap */
	NG_JUMP32(BPF_JGT, 1, 2, -2),	     /* 15: to 14 */
	NG_RETURN,			     /* 16 */
};
#define N	  (sizeof(whole) / sizeof(whole[0]))
#define GAP_START 10
#define GAP_END	  13

static struct bpf_insn body_insns[40000];

/* n instructions that end in a return. */
static struct ng_ebpf body_of(size_t n)
{
	for (size_t i = 0; i < n; i++)
		body_insns[i] = NG_MOV_I(BPF_REG_0, i);
	body_insns[n - 1] = NG_RETURN;
	return (struct ng_ebpf){ .insns = body_insns, .n = n };
}

/* Which instruction of the old program lies behind each of the new one, and what they refer to. */
static void test_references(size_t body_n)
{
	struct ng_ebpf body = body_of(body_n), out = { 0 };
	long shift = 0;
	int d = (int)body_n - (GAP_END - GAP_START);
	const struct {
		size_t at;
		int target;
		bool near;
		const char *what;
	} rows[] = {
		{ 0, GAP_START, false, "call of the gap" },
		{ 1, 13 + d, false, "call across the gap" },
		{ 2, 13 + d, false, "function reference across the gap" },
		{ 6, 8, true, "jump before the gap" },
		{ 8, 14 + d, true, "jump across the gap" },
		{ (size_t)(13 + d), GAP_START, false, "call back to the gap" },
		{ (size_t)(14 + d), 9, false, "far jump back across the gap" },
		{ (size_t)(15 + d), 14 + d, true, "jump behind the gap" },
	};

	is_int(ng_splice_body(whole, N, GAP_START, GAP_END, &body, &out, &shift), 0, "splices %zu",
	       body_n);
	is_int(shift, d, "%zu: shift", body_n);
	is_int(out.n, (long)N + d, "%zu: length", body_n);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bpf_insn *insn = &out.insns[rows[i].at];

		is_int((int)rows[i].at + 1 + (rows[i].near ? insn->off : insn->imm), rows[i].target,
		       "%zu: %s", body_n, rows[i].what);
	}
	is_int(out.insns[4].imm, 8, "%zu: a map reference is no distance", body_n);
	is_int(out.insns[7].imm, 6, "%zu: a helper call is no distance", body_n);
	ok(memcmp(out.insns + GAP_START, body.insns, body_n * sizeof(*body.insns)) == 0,
	   "%zu: the body itself", body_n);
	ng_ebpf_free(&out);
}

static void test_refusals(void)
{
	struct ng_ebpf body = body_of(40000), small = body_of(2), none = { 0 }, out = { 0 };
	struct bpf_insn inside[N];
	long shift;

	memcpy(inside, whole, sizeof(whole));
	inside[6] = NG_JUMP_I(BPF_JEQ, BPF_REG_0, 0, 4); /* to 11 */
	is_int(ng_splice_body(whole, N, GAP_START, GAP_END, &body, &out, &shift), -E2BIG,
	       "a jump that grows out of reach is refused");
	is_int(ng_splice_body(inside, N, GAP_START, GAP_END, &small, &out, &shift), -EINVAL,
	       "a jump into the gap is refused");
	is_int(ng_splice_body(whole, N, GAP_END, GAP_START, &small, &out, &shift), -EINVAL,
	       "a gap has an end");
	is_int(ng_splice_body(whole, N, GAP_START, N + 1, &small, &out, &shift), -EINVAL,
	       "a gap ends in the program");
	is_int(ng_splice_body(whole, N, GAP_START, GAP_END, &none, &out, &shift), -EINVAL,
	       "no empty body");
	ok(!out.insns, "a refusal leaves the result alone");
}

static void test_combine(void)
{
	struct ng_ebpf small = body_of(3), large = { .insns = body_insns, .n = 40000 };
	struct ng_ebpf filters[16] = { [3] = small, [9] = small }, out = { 0 };
	struct ng_error err = { 0 };

	is_int(ng_filter_combine(filters, 16, &out, &err), 0, "combines");
	is_int(out.n, 1 + 3 + 1 + 2 + 3, "one test per filter");
	is_int(out.insns[0].imm, 9, "the slot of one");
	is_int(out.insns[0].off, 3, "leads past it");
	is_int(out.insns[4].imm, 3, "the slot of the last");
	is_int(out.insns[4].off, 2, "leads to it, past the answer 0");
	ng_ebpf_free(&out);

	is_int(ng_filter_combine(filters, 0, &out, &err), 0, "no slots");
	is_int(out.n, 2, "answers 0");
	ng_ebpf_free(&out);

	filters[4] = large;
	is_int(ng_filter_combine(filters, 16, &out, &err), 0, "a large one stands last");
	is_int(out.insns[out.n - large.n - 3].imm, 4, "where no jump has to reach over it");
	ng_ebpf_free(&out);
	filters[5] = large;
	body_insns[0] = NG_JUMP_I(BPF_JEQ, BPF_REG_0, 1, 30000); /* nothing can be put below */
	body_insns[20000] = NG_JUMP_I(BPF_JEQ, BPF_REG_0, 1, 19998);
	is_int(ng_filter_combine(filters, 16, &out, &err), -E2BIG,
	       "a filter too long to be passed by is refused");
	ok(strstr(err.what, "too large") && err.exit == NG_EXIT_USAGE, "and said");
	ok(!out.insns, "a refusal leaves nothing");
}

static void test_bind_table(void)
{
	struct bpf_insn insns[] = {
		NG_INSN(BPF_LD | BPF_DW | BPF_IMM, 2, BPF_PSEUDO_MAP_VALUE, 0, 0),
		NG_INSN(0, 0, 0, 0, 24), /* an offset */
		MAP_REF(8),
		SECOND_HALF,
		FUNC_REF(10),
		NG_INSN(0, 0, BPF_PSEUDO_MAP_VALUE, 0, 5), /* no instruction begins here */
		NG_MOV_I(BPF_REG_0, 1),
		NG_INSN(BPF_LD | BPF_DW | BPF_IMM, 9, BPF_PSEUDO_MAP_VALUE, 0, 0),
		SECOND_HALF,
		NG_RETURN,
	};
	struct ng_ebpf p = { .insns = insns, .n = sizeof(insns) / sizeof(insns[0]) };

	ng_ebpf_bind_table(&p, 77);
	is_int(insns[0].imm, 77, "a reference to the table gets its descriptor");
	is_int(insns[1].imm, 24, "and keeps its offset");
	is_int(insns[7].imm, 77, "so does the next");
	ok(insns[2].imm == 8 && insns[4].imm == 10 && insns[5].imm == 5 && insns[6].imm == 1,
	   "all else stays");
}

int main(void)
{
	test_bind_table();
	test_references(3);
	test_references(1);
	test_references(100);
	test_references(30000);
	test_refusals();
	test_combine();
	return tap_done();
}
