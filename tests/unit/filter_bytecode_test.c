// SPDX-License-Identifier: GPL-2.0-only
/* Classic BPF as text: what is read, what is refused, and where. */
#include "ctl/filter/bytecode.h"

#include <errno.h>

#include "tests/random.h"
#include "tests/tap.h"

static const struct {
	const char *name, *text;
	size_t n;
} taken[] = {
	{ "what tcpdump -ddd prints", "4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n", 4 },
	{ "no line end at the end", "1\n6 0 0 0", 1 },
	{ "line ends of DOS", "2\r\n40 0 0 12\r\n6 0 0 0\r\n", 2 },
	{ "blank lines and blanks", "\n 1 \n\n\t6  0 0\t0 \n\n", 1 },
	{ "the iptables form", "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", 4 },
	{ "what bpf_asm prints", "2,40 0 0 12,6 0 0 4294967295,\n", 2 },
	{ "a jump backwards", "2\n5 0 0 4294967295\n6 0 0 0\n", 2 },
};

static const struct {
	const char *text;
	unsigned int line, column;
	const char *words;
} refused[] = {
	{ "", 1, 1, "the number of instructions is missing" },
	{ "\n\n", 3, 1, "the number of instructions is missing" },
	{ "tcp port 80", 1, 1, "the number of instructions is a decimal number, not 'tcp'" },
	{ "0\n", 1, 1, "a program has one instruction at least" },
	{ "-1\n", 1, 1, "the number of instructions is a decimal number, not '-1'" },
	{ "1 6 0 0 0\n", 1, 3, "'6' stands behind the number of instructions" },
	{ "2\n6 0 0 0\n", 2, 8, "the end, behind 1 of 2 instructions" },
	{ "4294967295\n6 0 0 0\n6 0 0 0\n", 3, 8, "the end, behind 2 of 4294967295 instructions" },
	{ "1\n6 0 0 0\n6 0 0 0\n", 3, 1, "more than the 1 instructions announced" },
	{ "1\n6 0 0\n", 2, 6, "k is missing" },
	{ "1\n6\n0 0 0\n", 2, 2, "jt is missing" },
	{ "1\n6 0 0 0 0\n", 2, 9, "'0' stands behind an instruction, which is 'code jt jf k'" },
	{ "1\n0x6 0 0 0\n", 2, 1, "code is a decimal number, not '0x6'" },
	{ "1\n6 0 0 0x10\n", 2, 7, "k is a decimal number, not '0x10'" },
	{ "1\n65536 0 0 0\n", 2, 1, "code is a number from 0 to 65535" },
	{ "1\n6 256 0 0\n", 2, 3, "jt is a number from 0 to 255" },
	{ "1\n6 0 256 0\n", 2, 5, "jf is a number from 0 to 255" },
	{ "1\n6 0 0 4294967296\n", 2, 7, "k is a number from 0 to 4294967295" },
	{ "1\n6 0 0 99999999999999999999999\n", 2, 7, "k is a number from 0 to 4294967295" },
	{ "2\n6 0 0 0\n255 0 0 0\n", 3, 1, "255 is no opcode of classic BPF" },
	{ "2\n85 0 0 0\n6 0 0 0\n", 2, 1, "85 is no opcode of classic BPF" },	/* NG_BPF_IN */
	{ "2\n101 0 0 0\n6 0 0 0\n", 2, 1, "101 is no opcode of classic BPF" }, /* NG_BPF_IN6 */
	{ "2,40 0 0 12,,6 0 0 0", 1, 13, "code is missing" },
	{ "2,40 0 0 12,300 0 0 0", 1, 13, "300 is no opcode of classic BPF" },
};

static void test_taken(void)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct ng_cbpf p = { 0 };
		struct ng_error err = { 0 };
		int rc = ng_bytecode_parse(taken[i].text, strlen(taken[i].text), "f", &p, &err);

		ok(!rc && p.n == taken[i].n && !p.n_sets, "%s", taken[i].name);
		if (rc)
			printf("#   %s\n", err.what);
		ng_cbpf_free(&p);
	}
}

static void test_values(void)
{
	const char text[] = "3\n48 0 0 4294963248\n21 255 7 4294967295\n6 0 0 1\n";
	struct ng_cbpf p = { 0 };

	ok(!ng_bytecode_parse(text, sizeof(text) - 1, "f", &p, NULL), "the largest numbers");
	ok(p.n == 3 && p.insns[0].code == 48 && p.insns[0].k == 4294963248 &&
		   p.insns[1].code == 21 && p.insns[1].jt == 255 && p.insns[1].jf == 7 &&
		   p.insns[1].k == 4294967295,
	   "are those of the program");
	ng_cbpf_free(&p);
}

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct ng_cbpf p = { .n = 77 };
		struct ng_error err = { 0 };
		size_t len = strlen(refused[i].text);
		char *text = malloc(len + 1); /* for the address sanitizer: no NUL behind it */
		int rc;

		memcpy(text, refused[i].text, len);
		rc = ng_bytecode_parse(text, len, "file", &p, &err);
		if (!ok(rc == -EINVAL && err.exit == NG_EXIT_USAGE && p.n == 77 &&
				err.line == refused[i].line && err.column == refused[i].column &&
				!strcmp(err.what, refused[i].words),
			"%zu: %s", i, refused[i].words))
			printf("#   %d %u:%u: %s\n", rc, err.line, err.column, err.what);
		free(text);
	}
}

static size_t line_length(const char *text, size_t len, unsigned int line)
{
	const char *p = text;

	while (--line)
		p = (const char *)memchr(p, '\n', len - (size_t)(p - text)) + 1;
	return strcspn(p, "\n");
}

/* A text with a few bytes changed, often cut short, is read or has a position inside it. */
static void test_mutations(void)
{
	static const char seed_text[] = "4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144,6 0 0 0\n";
	static const char bytes[] = "0123456789 \n,-x\t\r";
	unsigned int taken_n = 0, bad = 0, runs = 20000;

	for (unsigned int i = 0; i < runs; i++) {
		struct ng_cbpf p = { 0 };
		struct ng_error err = { 0 };
		size_t len = below(4) ? sizeof(seed_text) - 1 : below(sizeof(seed_text));
		char *text = malloc(len + 1);

		memcpy(text, seed_text, len);
		text[len] = '\0';
		for (uint32_t k = below(3); k && len; k--)
			text[below((uint32_t)len)] = bytes[below(sizeof(bytes) - 1)];
		if (ng_bytecode_parse(text, len, "f", &p, &err))
			bad += !err.line || !err.column || !err.what[0] ||
			       err.column > line_length(text, len, err.line) + 1;
		else
			taken_n++;
		ng_cbpf_free(&p);
		free(text);
	}
	ok(!bad && taken_n > runs / 20 && taken_n < runs,
	   "%u of %u changed texts are read, all others have a position", taken_n, runs);
}

int main(void)
{
	test_taken();
	test_values();
	test_refused();
	test_mutations();
	return tap_done();
}
