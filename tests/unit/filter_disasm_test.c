// SPDX-License-Identifier: GPL-2.0-only
/* eBPF instructions as text: each kind in the kernel's syntax, and nothing unreadable. */
#include "ctl/filter/disasm.h"

#include "ctl/filter/emit.h"
#include "tests/tap.h"

#define R0  BPF_REG_0
#define R1  BPF_REG_1
#define R2  BPF_REG_2
#define R10 BPF_REG_10

static const struct {
	struct bpf_insn insn;
	const char *text;
} one[] = {
	{ NG_MOV(R1, R2), "r1 = r2" },
	{ NG_MOV32(R1, R2), "w1 = w2" },
	{ NG_MOV_I(R1, -4), "r1 = -4" },
	{ NG_MOV32_I(R1, 53), "w1 = 53" },
	{ NG_ALU(BPF_ADD, R1, R2), "r1 += r2" },
	{ NG_ALU_I(BPF_ADD, R1, 14), "r1 += 14" },
	{ NG_ALU32(BPF_SUB, R1, R2), "w1 -= w2" },
	{ NG_ALU32_I(BPF_MUL, R1, 3), "w1 *= 3" },
	{ NG_ALU32(BPF_DIV, R1, R2), "w1 /= w2" },
	{ NG_INSN(BPF_ALU | BPF_DIV | BPF_X, R1, R2, 1, 0), "w1 s/= w2" },
	{ NG_ALU32_I(BPF_MOD, R1, 7), "w1 %= 7" },
	{ NG_ALU32_I(BPF_AND, R1, 15), "w1 &= 15" },
	{ NG_ALU32_I(BPF_OR, R1, 1), "w1 |= 1" },
	{ NG_ALU32(BPF_XOR, R1, R2), "w1 ^= w2" },
	{ NG_ALU_I(BPF_LSH, R1, 32), "r1 <<= 32" },
	{ NG_ALU32_I(BPF_RSH, R1, 2), "w1 >>= 2" },
	{ NG_ALU_I(BPF_ARSH, R1, 2), "r1 s>>= 2" },
	{ NG_ALU32_I(BPF_NEG, R1, 0), "w1 = -w1" },
	{ NG_TO_HOST(R1, 16), "r1 = be16 r1" },
	{ NG_INSN(BPF_ALU | BPF_END | BPF_TO_LE, R1, 0, 0, 32), "r1 = le32 r1" },
	{ NG_INSN(BPF_ALU64 | BPF_END, R1, 0, 0, 64), "r1 = bswap64 r1" },
	{ NG_INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 8, 0), "r1 = (s8)r2" },
	{ NG_LOAD(BPF_B, R1, R2, 23), "r1 = *(u8 *)(r2 +23)" },
	{ NG_LOAD(BPF_H, R1, R2, 12), "r1 = *(u16 *)(r2 +12)" },
	{ NG_LOAD(BPF_W, R1, R10, -64), "r1 = *(u32 *)(r10 -64)" },
	{ NG_LOAD(BPF_DW, R1, R2, 0), "r1 = *(u64 *)(r2 +0)" },
	{ NG_INSN(BPF_LDX | 0x80 | BPF_H, R1, R2, 4, 0), "r1 = *(s16 *)(r2 +4)" },
	{ NG_STORE(BPF_W, R10, -72, R0), "*(u32 *)(r10 -72) = r0" },
	{ NG_STORE_I(BPF_DW, R10, -8, -1), "*(u64 *)(r10 -8) = -1" },
	{ NG_INSN(BPF_STX | BPF_ATOMIC | BPF_DW, R1, R2, 8, BPF_ADD),
	  "lock *(u64 *)(r1 +8) += r2" },
	{ NG_INSN(BPF_STX | BPF_ATOMIC | BPF_DW, R1, R2, 8, BPF_ADD | BPF_FETCH),
	  "r2 = atomic64_fetch_add((u64 *)(r1 +8), r2)" },
	{ NG_INSN(BPF_STX | BPF_ATOMIC | BPF_W, R1, R2, 0, BPF_XCHG),
	  "r2 = atomic_xchg((u32 *)(r1 +0), r2)" },
	{ NG_INSN(BPF_STX | BPF_ATOMIC | BPF_W, R1, R2, 0, BPF_CMPXCHG),
	  "r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)" },
	{ NG_INSN(BPF_LD | BPF_ABS | BPF_H, 0, 0, 0, 12), "r0 = *(u16 *)skb[12]" },
	{ NG_INSN(BPF_LD | BPF_IND | BPF_W, 0, R1, 0, 14), "r0 = *(u32 *)skb[r1 + 14]" },
	{ NG_JA(3), "goto pc+3" },
	{ NG_JA(-2), "goto pc-2" },
	{ NG_INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 70000), "gotol pc+70000" },
	{ NG_INSN(BPF_JMP | 0xe0, 0, 0, 5, 0), "may_goto pc+5" },
	{ NG_JUMP_I(BPF_JEQ, R1, 53, 3), "if r1 == 0x35 goto pc+3" },
	{ NG_JUMP32_I(BPF_JNE, R1, 0xffff0800, -1), "if w1 != 0xffff0800 goto pc-1" },
	{ NG_JUMP(BPF_JGT, R1, R2, 9), "if r1 > r2 goto pc+9" },
	{ NG_JUMP32(BPF_JGE, R1, R2, 9), "if w1 >= w2 goto pc+9" },
	{ NG_JUMP32_I(BPF_JSET, R1, 0x1fff, 9), "if w1 & 0x1fff goto pc+9" },
	{ NG_JUMP(BPF_JLT, R1, R2, 0), "if r1 < r2 goto pc+0" },
	{ NG_JUMP_I(BPF_JLE, R1, 2, 1), "if r1 <= 0x2 goto pc+1" },
	{ NG_JUMP_I(BPF_JSGT, R1, 2, 1), "if r1 s> 0x2 goto pc+1" },
	{ NG_JUMP_I(BPF_JSLE, R1, 2, 1), "if r1 s<= 0x2 goto pc+1" },
	{ NG_CALL(BPF_FUNC_skb_load_bytes), "call bpf_skb_load_bytes#26" },
	{ NG_CALL(BPF_FUNC_xdp_load_bytes), "call bpf_xdp_load_bytes#189" },
	{ NG_CALL(9999), "call unknown#9999" },
	{ NG_CALL(-1), "call unknown#-1" },
	{ NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 12), "call pc+12" },
	{ NG_RETURN, "exit" },
	{ NG_INSN(0xff, 0, 0, 0, 0), "unknown opcode 0xff" },
	{ NG_INSN(BPF_ALU64 | BPF_ADD | BPF_X, R1, R2, 3, 0), "unknown opcode 0x0f" },
	{ NG_INSN(BPF_LD | BPF_IMM | BPF_DW, R1, 0, 0, 1), "unknown opcode 0x18" }, /* cut off */
};

static const struct {
	struct bpf_insn insn[2];
	const char *text;
} two[] = {
	{ { NG_INSN(BPF_LD | BPF_IMM | BPF_DW, R1, 0, 0, 0x89abcdef),
	    NG_INSN(0, 0, 0, 0, 0x01234567) },
	  "r1 = 0x123456789abcdef" },
	{ { NG_INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_FD, 0, 7) }, "r1 = map[id:7]" },
	{ { NG_INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_VALUE, 0, 7),
	    NG_INSN(0, 0, 0, 0, 64) },
	  "r1 = map[id:7][0]+64" },
	{ { NG_INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_VALUE, 0, 0),
	    NG_INSN(0, 0, 0, 0, 64) },
	  "r1 = table+64" },
	{ { NG_INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_FUNC, 0, 12) }, "r1 = subprog[+12]" },
};

static void check(const struct bpf_insn *insn, size_t n, size_t slots, const char *text)
{
	char buf[NG_DISASM_MAX];
	size_t used = ng_disasm(insn, n, NULL, NULL, buf);

	if (!ok(used == slots && !strcmp(buf, text), "%s", text))
		printf("#   got %zu: %s\n", used, buf);
}

static const char *name_of(const struct bpf_insn *insn, void *arg)
{
	return insn->imm == 1000 ? arg : NULL;
}

static void test_names(void)
{
	struct bpf_insn known = NG_CALL(1000), other = NG_CALL(26);
	char name[300], buf[NG_DISASM_MAX];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ng_disasm(&known, 1, name_of, name, buf);
	ok(strlen(buf) < sizeof(buf) && !strncmp(buf, "call xxx", 8), "a long name is cut");
	ng_disasm(&other, 1, name_of, name, buf);
	ok(!strcmp(buf, "call unknown#26"), "addresses are not taken for numbers");
}

/* Whatever the bits are, there is a text. */
static void test_all(void)
{
	const int imm[] = { 0, 1, -1, 0xe1, 0xf1, 0x7fffffff };
	struct bpf_insn insn[2] = { { 0 } };
	char buf[NG_DISASM_MAX];
	bool good = true;

	for (unsigned int i = 0; i < 256 * 6 * 16; i++) {
		insn[0] = NG_INSN(i & 0xff, 10, i >> 8 & 15, i & 1 ? -32768 : 32767,
				  imm[i / 4096 % 6]);
		for (size_t n = 1; n <= 2; n++) {
			size_t used = ng_disasm(insn, n, NULL, NULL, buf);

			good &= used >= 1 && used <= n && buf[0] && strlen(buf) < 80;
		}
	}
	ok(good, "every opcode has a text that fits");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		check(&one[i].insn, 1, 1, one[i].text);
	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++)
		check(two[i].insn, 2, 2, two[i].text);
	test_names();
	test_all();
	return tap_done();
}
