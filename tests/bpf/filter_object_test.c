// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters as programs of their own, written as ELF objects and loaded by libbpf: the verdicts are
 * those that libpcap's interpreter asks for, and a table is there.
 */
#include <linux/pkt_cls.h>

#include "ctl/dataplane/image.h"
#include "ctl/dataplane/object.h"
#include "ctl/filter/program.h"
#include "tests/bpf/filter_run.h"

#define ETHERNET 1
#define PACKETS	 300

static const char *const expressions[] = {
	"", "tcp", "udp port 53", "vlan 5", "greater 100", "ip[8] = 64 or ip6", "len = 0",
};

static const struct {
	const char *section;
	enum ng_filter_ctx ctx;
	enum mode mode;
	uint32_t verdict[NG_MATCH_MAX][2]; /* [match][does it match?] */
} kinds[] = {
	{ "xdp", NG_CTX_XDP, XDP_LINEAR, { { XDP_PASS, XDP_DROP }, { XDP_DROP, XDP_PASS } } },
	{ "tc",
	  NG_CTX_TC,
	  TC_PLAIN,
	  { { (uint32_t)TC_ACT_UNSPEC, TC_ACT_SHOT }, { TC_ACT_SHOT, (uint32_t)TC_ACT_UNSPEC } } },
};

/* The descriptor of the one program of an object, the object in *obj; -1. */
static int load_object(const struct ng_ebpf *program, const char *section, struct bpf_object **obj)
{
	struct bpf_program *prog;
	struct ng_error err = { 0 };
	size_t size;
	void *data;

	*obj = NULL;
	if (ng_object_make(program, section, "nicgate_filter", &data, &size, &err)) {
		printf("#   %s\n", err.what);
		return -1;
	}
	*obj = bpf_object__open_mem(data, size, NULL);
	free(data);
	if (!*obj || bpf_object__load(*obj))
		return -1;
	prog = bpf_object__next_program(*obj, NULL);
	return prog && !strcmp(bpf_program__section_name(prog), section) ? bpf_program__fd(prog)
									 : -1;
}

static unsigned int wrong_verdicts(int fd, const struct ng_cbpf *filter, enum mode mode,
				   const uint32_t verdict[2], unsigned int *runs)
{
	unsigned int wrong = 0;
	struct packet p;
	uint32_t got;

	for (unsigned int i = 0; i < packets_wanted(PACKETS); i++) {
		make_packet(&p);
		if (run_packet(fd, &p, mode, &got))
			continue;
		wrong += got != verdict[ng_filter_interpret(filter, p.data, p.len, p.len) != 0];
		++*runs;
	}
	return wrong;
}

static void test_program(const char *expr, size_t kind, enum ng_match match)
{
	struct ng_ebpf body = { 0 }, program = { 0 };
	struct bpf_object *obj = NULL;
	struct ng_error err = { 0 };
	struct ng_cbpf filter = { 0 };
	unsigned int runs = 0, wrong = 0;
	int fd = -1;

	if (!ng_filter_compile(expr, "expression", ETHERNET, 262144, 0, &filter, &err) &&
	    !ng_filter_translate(&filter, kinds[kind].ctx, 0, &body, &err) &&
	    !ng_filter_program(&body, kinds[kind].ctx, match, &program, &err))
		fd = load_object(&program, kinds[kind].section, &obj);
	if (fd >= 0)
		wrong = wrong_verdicts(fd, &filter, kinds[kind].mode, kinds[kind].verdict[match],
				       &runs);
	ok(fd >= 0 && runs && !wrong, "'%s' for %s, --match %s: %u verdicts, %u wrong", expr,
	   kinds[kind].section, match == NG_MATCH_DROP ? "drop" : "pass", runs, wrong);
	bpf_object__close(obj);
	ng_ebpf_free(&program);
	ng_ebpf_free(&body);
	ng_cbpf_free(&filter);
}

/* Two loads of the table, at an offset and at its start; w0 = 1000 * first + second. */
static const struct bpf_insn table_insns[] = {
	NG_INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, 0),
	NG_INSN(0, 0, 0, 0, 8),
	NG_LOAD(BPF_W, BPF_REG_0, BPF_REG_1, 0),
	NG_ALU32_I(BPF_MUL, BPF_REG_0, 1000),
	NG_INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, 0),
	NG_INSN(0, 0, 0, 0, 0),
	NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_1, 4),
	NG_ALU32(BPF_ADD, BPF_REG_0, BPF_REG_1),
	NG_RETURN,
};

static void test_table(void)
{
	uint32_t table[] = { 1, 22, 333, 4444 }, got = 0;
	struct bpf_insn insns[sizeof(table_insns) / sizeof(table_insns[0])];
	const struct ng_ebpf program = { insns, sizeof(insns) / sizeof(insns[0]), table,
					 sizeof(table) };
	struct packet p = { .len = 64 };
	struct bpf_object *obj;
	struct bpf_map *map;
	int fd;

	memcpy(insns, table_insns, sizeof(insns));
	fd = load_object(&program, "xdp", &obj);
	ok(fd >= 0 && !run_packet(fd, &p, XDP_LINEAR, &got), "an object with a table runs");
	is_int(got, 333022, "and reads the table at its offsets");
	map = obj ? bpf_object__next_map(obj, NULL) : NULL;
	ok(map && bpf_map__map_flags(map) & BPF_F_RDONLY_PROG, "which is constant");
	ok(insns[0].src_reg == BPF_PSEUDO_MAP_VALUE && insns[1].imm == 8,
	   "the program is left as it was");
	bpf_object__close(obj);
}

/* Returns behind 32767 instructions cannot be jumped from. */
static void test_large(void)
{
	size_t n = 40000;
	struct bpf_insn *insns = calloc(n, sizeof(*insns));
	const struct ng_ebpf body = { .insns = insns, .n = n };
	struct ng_ebpf program = { .n = 77 };
	struct ng_error err = { 0 };

	for (size_t i = 0; i < n; i++)
		insns[i] = i + 1 < n ? NG_MOV32_I(BPF_REG_0, 1) : NG_RETURN;
	ok(!ng_filter_program(&body, NG_CTX_XDP, NG_MATCH_DROP, &program, &err) && program.n > n,
	   "a large filter with its return at the end");
	ng_ebpf_free(&program);
	program.n = 77;
	insns[10] = NG_RETURN;
	is_int(ng_filter_program(&body, NG_CTX_XDP, NG_MATCH_DROP, &program, &err), -E2BIG,
	       "with one far from the end it is refused");
	ok(err.exit == NG_EXIT_USAGE && program.n == 77, "with exit 2, and nothing is made");
	free(insns);
}

static void test_image(void)
{
	const struct bpf_insn insns[] = {
		NG_CALL(BPF_FUNC_xdp_get_buff_len),
		NG_MOV_I(BPF_REG_0, 2),
		NG_RETURN,
	};
	int fd = load_program(insns, 3, NG_CTX_XDP, false);
	struct ng_image image = { 0 };
	struct ng_error err = { 0 };
	const char *name;

	if (!ok(!ng_image_read(fd, &image, &err), "a program is read back"))
		printf("#   %s\n", err.what);
	ok(image.id && image.n == 3 && image.insns[2].code == NG_RETURN.code,
	   "its instructions are there");
	name = image.n ? ng_image_call_name(&image, image.insns[0].imm) : NULL;
	if (image.n && !image.insns[0].imm)
		tap_skip("names of functions: the kernel hides its addresses");
	else
		ok(name && !strcmp(name, "bpf_xdp_get_buff_len"), "a helper has its name");
	ok(!ng_image_call_name(&image, 12345), "what is not called has none");
	ng_image_free(&image);
	close(fd);
	ok(ng_image_read(-1, &image, &err) < 0 && err.exit == NG_EXIT_FAILED && !image.insns,
	   "no program, no image");
}

int main(void)
{
	require_bpf();
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			test_program(expressions[i], k, NG_MATCH_DROP);
			test_program(expressions[i], k, NG_MATCH_PASS);
		}
	test_table();
	test_large();
	test_image();
	return tap_done();
}
