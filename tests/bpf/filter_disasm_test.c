// SPDX-License-Identifier: GPL-2.0-only
/* eBPF instructions as text, beside what the kernel's verifier writes into its log for the same ones. */
#include "ctl/filter/disasm.h"
#include "ctl/filter/program.h"
#include "tests/bpf/filter_run.h"

#define ETHERNET 1
#define LOG_SIZE (8u << 20)

static const char *const expressions[] = {
	"udp port 53",
	"vlan 5 and tcp[tcpflags] & tcp-syn != 0",
	"ip[8] / 3 % 5 << 2 ^ 7 = 1 or -ip[1] * 2 > 100",
	"greater 100 and not ip6",
};

#define ATOMIC(size, off, imm)                                                                     \
	NG_INSN(BPF_STX | BPF_ATOMIC | (size), BPF_REG_10, BPF_REG_2, off, imm)

/* One of each kind, in a program that the verifier follows to its end. */
static const struct bpf_insn all_kinds[] = {
	NG_MOV_I(BPF_REG_2, -5),
	NG_MOV32_I(BPF_REG_3, 7),
	NG_ALU(BPF_ADD, BPF_REG_2, BPF_REG_3),
	NG_ALU32_I(BPF_SUB, BPF_REG_2, -3),
	NG_ALU_I(BPF_MUL, BPF_REG_2, 3),
	NG_ALU32_I(BPF_DIV, BPF_REG_2, 3),
	NG_ALU32(BPF_MOD, BPF_REG_2, BPF_REG_3),
	NG_ALU_I(BPF_OR, BPF_REG_2, 255),
	NG_ALU32_I(BPF_AND, BPF_REG_2, 255),
	NG_ALU(BPF_XOR, BPF_REG_2, BPF_REG_3),
	NG_ALU_I(BPF_LSH, BPF_REG_2, 33),
	NG_ALU32_I(BPF_RSH, BPF_REG_2, 1),
	NG_ALU_I(BPF_ARSH, BPF_REG_2, 1),
	NG_ALU32_I(BPF_NEG, BPF_REG_2, 0),
	NG_ALU_I(BPF_NEG, BPF_REG_2, 0),
	NG_TO_HOST(BPF_REG_2, 16),
	NG_TO_HOST(BPF_REG_2, 64),
	NG_INSN(BPF_ALU | BPF_END | BPF_TO_LE, BPF_REG_2, 0, 0, 32),
	NG_MOV32(BPF_REG_4, BPF_REG_2),
	NG_STORE_I(BPF_DW, BPF_REG_10, -8, -1),
	NG_STORE_I(BPF_B, BPF_REG_10, -16, 1),
	NG_STORE(BPF_DW, BPF_REG_10, -16, BPF_REG_2),
	NG_STORE(BPF_H, BPF_REG_10, -24, BPF_REG_2),
	NG_LOAD(BPF_B, BPF_REG_5, BPF_REG_10, -8),
	NG_LOAD(BPF_DW, BPF_REG_5, BPF_REG_10, -16),
	ATOMIC(BPF_DW, -8, BPF_ADD),
	ATOMIC(BPF_W, -8, BPF_AND),
	ATOMIC(BPF_DW, -8, BPF_XOR | BPF_FETCH),
	ATOMIC(BPF_DW, -8, BPF_XCHG),
	NG_INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_5, 0, 0, 0x12345678),
	NG_INSN(0, 0, 0, 0, 0x11),
	NG_MOV_I(BPF_REG_0, 2),
	NG_STORE_I(BPF_DW, BPF_REG_10, -8, 1),
	NG_CALL(BPF_FUNC_get_prandom_u32),
	NG_JUMP_I(BPF_JEQ, BPF_REG_0, 53, 0),
	NG_JUMP32_I(BPF_JNE, BPF_REG_0, 0xffff0800, 0),
	NG_JUMP32_I(BPF_JSET, BPF_REG_0, 8, 0),
	NG_JUMP_I(BPF_JSGT, BPF_REG_0, -1, 0),
	NG_JUMP_I(BPF_JSLE, BPF_REG_0, -1, 0),
	NG_JUMP32_I(BPF_JLT, BPF_REG_0, 1, 0),
	NG_MOV(BPF_REG_7, BPF_REG_0),
	NG_JUMP(BPF_JGE, BPF_REG_0, BPF_REG_7, 0),
	NG_JUMP32(BPF_JLE, BPF_REG_0, BPF_REG_7, 0),
	NG_JA(0),
	NG_RETURN,
};

/* Where the log has "NUMBER: (code) ", or NULL. */
static const char *find_line(const char *log, size_t number)
{
	char head[32];
	size_t n = (size_t)snprintf(head, sizeof(head), "%zu: (", number);

	for (const char *p = log; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (!strncmp(p, head, n))
			return p + n + 4;
	return NULL;
}

/* Compares all instructions that the verifier came to; how many differ. */
static unsigned int compare(const struct bpf_insn *insns, size_t n, const char *log,
			    unsigned int *compared)
{
	char ours[NG_DISASM_MAX];
	unsigned int wrong = 0;

	for (size_t i = 0, used; i < n; i += used) {
		const char *line = find_line(log, i);
		size_t len = line ? strcspn(line, "\n;") : 0;

		used = ng_disasm(&insns[i], n - i, NULL, NULL, ours);
		while (len && line[len - 1] == ' ')
			len--;
		if (!line)
			continue;
		++*compared;
		if (strlen(ours) == len && !strncmp(ours, line, len))
			continue;
		if (!wrong++)
			printf("#   %zu: ours '%s', the kernel's '%.*s'\n", i, ours, (int)len,
			       line);
	}
	return wrong;
}

static void test(const char *name, const struct bpf_insn *insns, size_t n, enum ng_filter_ctx ctx)
{
	static char log[LOG_SIZE];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log),
		    .log_level = 2);
	enum bpf_prog_type type = ctx == NG_CTX_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	unsigned int compared = 0, wrong;
	int fd;

	log[0] = '\0';
	fd = bpf_prog_load(type, "disasm_test", "GPL", insns, n, &opts);
	wrong = compare(insns, n, log, &compared);
	ok(fd >= 0 && compared > n / 2 && !wrong, "%s: %u of %zu instructions compared, %u differ",
	   name, compared, n, wrong);
	if (fd >= 0)
		close(fd);
}

static void test_expression(const char *expr, enum ng_filter_ctx ctx, unsigned int flags)
{
	struct ng_ebpf body = { 0 }, program = { 0 };
	struct ng_error err = { 0 };
	struct ng_cbpf filter = { 0 };

	if (ng_filter_compile(expr, "expression", ETHERNET, 262144, flags, &filter, &err) ||
	    ng_filter_translate(&filter, ctx, flags, &body, &err) ||
	    ng_filter_program(&body, ctx, NG_MATCH_DROP, &program, &err))
		ok(false, "'%s': %s", expr, err.what);
	else
		test(expr, program.insns, program.n, ctx);
	ng_ebpf_free(&program);
	ng_ebpf_free(&body);
	ng_cbpf_free(&filter);
}

int main(void)
{
	require_bpf();
	test("one of each kind", all_kinds, sizeof(all_kinds) / sizeof(all_kinds[0]), NG_CTX_XDP);
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		test_expression(expressions[i], NG_CTX_XDP, 0);
		test_expression(expressions[i], NG_CTX_TC, NG_FILTER_PLAIN);
	}
	return tap_done();
}
