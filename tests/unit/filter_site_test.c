// SPDX-License-Identifier: GPL-2.0-only
/* Call sites of the filter stub: what straight code tells of their arguments, and what it does not. */
#include "ctl/filter/site.h"

#include "ctl/filter/emit.h"
#include "tests/tap.h"

#define STUB  40
#define WHOLE 64

/* The host's code, then the stub; other code may stand behind. */
static struct bpf_insn program[WHOLE];
static size_t at;

static void begin(void)
{
	for (size_t i = 0; i < WHOLE; i++)
		program[i] = NG_MOV_I(BPF_REG_0, 0);
	program[STUB - 1] = NG_RETURN;
	program[WHOLE - 1] = NG_RETURN;
	at = 0;
}

static void put(struct bpf_insn insn)
{
	program[at++] = insn;
}

static void put_call(void)
{
	put(NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, STUB - (int)at - 1));
}

static struct ng_site find(void)
{
	struct ng_site site = { .slot = -2 };

	is_int(ng_sites_find(program, WHOLE, STUB, &site, 1), 1, "one call");
	return site;
}

#define FRAME_LOAD(reg, off) NG_LOAD(BPF_DW, reg, BPF_REG_10, off)

/* insns: what stands before the call, behind r1 = r6; r2 = 3; r3 = r7 */
static void check(const char *what, const struct bpf_insn *insns, size_t n, const char *want)
{
	static const char kinds[] = {
		[NG_PLACE_NONE] = '-', [NG_PLACE_REG] = 'r', [NG_PLACE_STACK] = 's'
	};
	struct ng_site s;
	char got[64];

	begin();
	put(NG_MOV(BPF_REG_1, BPF_REG_6));
	put(NG_MOV32_I(BPF_REG_2, 3));
	put(NG_MOV(BPF_REG_3, BPF_REG_7));
	for (size_t i = 0; i < n; i++)
		put(insns[i]);
	put_call();
	s = find();
	snprintf(got, sizeof(got), "%c%d %d %c%d", kinds[s.ctx.kind],
		 s.ctx.kind == NG_PLACE_STACK ? s.ctx.off : s.ctx.reg, s.slot, kinds[s.len.kind],
		 s.len.kind == NG_PLACE_STACK ? s.len.off : s.len.reg);
	if (!ok(!strcmp(got, want), "%s: %s", what, want))
		printf("#   got %s\n", got);
	is_int(s.call, at - 1, "%s: the call", what);
}

#define CHECK(what, want, ...)                                                                     \
	check(what, (const struct bpf_insn[]){ __VA_ARGS__ },                                      \
	      sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn), want)

static void test_places(void)
{
	CHECK("registers", "r6 3 r7", NG_MOV(BPF_REG_1, BPF_REG_6));
	CHECK("the last counts", "r9 15 r8", NG_MOV(BPF_REG_1, BPF_REG_9), NG_MOV_I(BPF_REG_2, 15),
	      NG_MOV(BPF_REG_3, BPF_REG_8));
	CHECK("stack", "s-8 3 s-152", FRAME_LOAD(BPF_REG_1, -8), FRAME_LOAD(BPF_REG_3, -152));
	CHECK("unrelated code in between", "s-8 3 r7", FRAME_LOAD(BPF_REG_1, -8),
	      NG_MOV_I(BPF_REG_4, 1), NG_STORE(BPF_DW, BPF_REG_10, -16, BPF_REG_4),
	      NG_STORE_I(BPF_B, BPF_REG_10, 0, 1));
	CHECK("a wide load in between", "r6 3 r7",
	      NG_INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_4, 0, 0, 1), NG_INSN(0, 0, 0, 0, 2));
}

static void test_unknown(void)
{
	CHECK("a scratch register", "-0 3 r7", NG_MOV(BPF_REG_1, BPF_REG_4));
	CHECK("half a register", "r6 3 -0", NG_MOV32(BPF_REG_3, BPF_REG_7));
	CHECK("half a cell", "r6 3 -0", NG_LOAD(BPF_W, BPF_REG_3, BPF_REG_10, -8));
	CHECK("a cell elsewhere", "-0 3 r7", NG_LOAD(BPF_DW, BPF_REG_1, BPF_REG_9, -8));
	CHECK("changed behind", "r6 3 -0", NG_ALU_I(BPF_ADD, BPF_REG_3, 4));
	CHECK("a slot from a register", "r6 -1 r7", NG_MOV(BPF_REG_2, BPF_REG_8));
	CHECK("a negative slot", "r6 -1 r7", NG_MOV_I(BPF_REG_2, -5));
	CHECK("computed", "r6 -1 r7", NG_ALU_I(BPF_ADD, BPF_REG_2, 1));
	CHECK("the source is overwritten", "-0 3 r7", NG_MOV_I(BPF_REG_6, 1));
	CHECK("by an atomic", "r6 3 -0",
	      NG_INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_10, BPF_REG_7, -8,
		      BPF_ADD | BPF_FETCH));
	CHECK("the cell is overwritten", "s-8 3 -0", FRAME_LOAD(BPF_REG_1, -8),
	      FRAME_LOAD(BPF_REG_3, -32), NG_STORE_I(BPF_B, BPF_REG_10, -25, 1));
	CHECK("from below", "s-8 3 -0", FRAME_LOAD(BPF_REG_1, -8), FRAME_LOAD(BPF_REG_3, -32),
	      NG_STORE(BPF_DW, BPF_REG_10, -36, BPF_REG_4));
	CHECK("perhaps overwritten", "r6 3 -0", FRAME_LOAD(BPF_REG_3, -32),
	      NG_STORE(BPF_W, BPF_REG_4, 0, BPF_REG_5));
	CHECK("behind a call", "-0 -1 -0", NG_CALL(5));
	CHECK("behind a jump", "-0 -1 -0", NG_JUMP_I(BPF_JEQ, BPF_REG_4, 1, 0));
}

/* Jumped to: what stands before the target does not count. */
static void test_targets(void)
{
	struct ng_site s;

	begin();
	put(NG_JUMP_I(BPF_JEQ, BPF_REG_4, 1, 2)); /* to the last of three */
	put(NG_MOV(BPF_REG_1, BPF_REG_6));
	put(NG_MOV_I(BPF_REG_2, 3));
	put(NG_MOV(BPF_REG_3, BPF_REG_7));
	put_call();
	s = find();
	ok(s.slot == -1 && s.ctx.kind == NG_PLACE_NONE && s.len.kind == NG_PLACE_REG,
	   "only what the jump does not pass by is known");
	ok(!ng_site_is_known(&s), "which is not all");
	program[0] = NG_JUMP_I(BPF_JEQ, BPF_REG_4, 1, 3);
	s = find();
	ok(s.len.kind == NG_PLACE_NONE, "a call that is jumped to: nothing is known");
	program[0] = NG_JUMP_I(BPF_JEQ, BPF_REG_4, 1, 0);
	s = find();
	ok(ng_site_is_known(&s), "a jump to the first of them is no harm");
	program[0] = NG_INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 2);
	s = find();
	ok(!ng_site_is_known(&s), "a far jump counts");
	program[0] = NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 2);
	s = find();
	ok(!ng_site_is_known(&s), "so does the start of a function");
}

static void test_many(void)
{
	struct ng_site site[3] = { { .call = 99 } };

	begin();
	is_int(ng_sites_find(program, WHOLE, STUB, site, 3), 0, "no call");
	is_int(site[0].call, 99, "nothing written");
	for (int i = 0; i < 3; i++) {
		put(NG_MOV_I(BPF_REG_2, i));
		put_call();
	}
	put(NG_INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, 0, 0, 7));
	put(NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, STUB - (int)at - 1));  /* no call */
	put(NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, WHOLE - 2 - (int)at)); /* other's */
	put(NG_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, STUB - (int)at - 1));		      /* a helper */
	is_int(ng_sites_find(program, WHOLE, STUB, site, 2), 3, "three, two of which fit");
	ok(site[0].slot == 0 && site[0].call == 1 && site[1].slot == 1 && site[1].call == 3,
	   "in order");
	is_int(site[2].call, 0, "the third is not written");
}

static void test_frame(void)
{
	const struct {
		const char *what;
		struct bpf_insn insn[2];
		int depth;
	} rows[] = {
		{ "nothing", { NG_RETURN, NG_RETURN }, 0 },
		{ "a load", { FRAME_LOAD(BPF_REG_1, -40), NG_RETURN }, -40 },
		{ "a byte", { NG_STORE_I(BPF_B, BPF_REG_10, -33, 1), NG_RETURN }, -40 },
		{ "a store", { NG_STORE(BPF_W, BPF_REG_10, -36, BPF_REG_1), NG_RETURN }, -40 },
		{ "an atomic",
		  { NG_INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_10, BPF_REG_1, -48, BPF_ADD),
		    NG_RETURN },
		  -48 },
		{ "an address",
		  { NG_MOV(BPF_REG_2, BPF_REG_10), NG_ALU_I(BPF_ADD, BPF_REG_2, -72) },
		  -72 },
		{ "an address by subtraction",
		  { NG_MOV(BPF_REG_2, BPF_REG_10), NG_ALU_I(BPF_SUB, BPF_REG_2, 72) },
		  -72 },
		{ "a number", { NG_ALU_I(BPF_ADD, BPF_REG_2, -72), NG_RETURN }, 0 },
		{ "a large number",
		  { NG_MOV(BPF_REG_2, BPF_REG_10), NG_ALU_I(BPF_ADD, BPF_REG_2, -520) },
		  0 },
		{ "an access by another register",
		  { NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_2, -4), NG_RETURN },
		  0 },
		{ "one that may hold the address",
		  { NG_MOV(BPF_REG_2, BPF_REG_10), NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_2, -4) },
		  -8 },
	};
	struct ng_site s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(ng_frame_depth(rows[i].insn, 2), rows[i].depth, "frame: %s", rows[i].what);
	begin();
	put(FRAME_LOAD(BPF_REG_1, -8));
	put_call();
	put(FRAME_LOAD(BPF_REG_1, -24));		 /* behind the call */
	program[STUB + 2] = FRAME_LOAD(BPF_REG_1, -200); /* the stub's */
	s = find();
	is_int(s.stack_free, -24, "the host's frame is that of the whole function, and no other's");
}

int main(void)
{
	test_places();
	test_unknown();
	test_targets();
	test_many();
	test_frame();
	return tap_done();
}
