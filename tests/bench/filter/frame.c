// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs to measure filters in: they deal out packets and run copies of a filter on them.
 *
 * BPF_PROG_TEST_RUN gives one packet to all runs of a call, and at XDP each call waits for
 * milliseconds. So the frame itself changes the packet: before the first copy of each run, or before
 * each copy, it writes the next row of a map over it.
 */
#include "tests/bench/filter/bench.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl/filter/emit.h"

#define INSNS_MAX	2048 /* of all copies, so that they are at home in the instruction cache */
#define COPIES_MIN	8    /* of filters that are larger: test runs count whole nanoseconds */
#define COPIES_SHUFFLED 16   /* for all: what predictors learn depends on it */
#define LARGE		1024 /* instructions of a filter of which a copy is enough */
#define CHECKED_MAX	1024 /* rows */
#define ROWS_AT		64   /* in the map: behind the counter */
#define TPID		0x8100 /* of the tag in metadata */
#define TCI		5
#define SCATTER		40503 /* odd: consecutive copies get rows far apart */

/*
 * The frame's stack, from its first slot on: at the top for code that keeps away from it, and that
 * calls a body with a stack of its own; at the bottom for bodies, which take the top for theirs.
 */
enum { FP_LEN = 0, FP_ROW = -8, FP_ANSWER = -16 };
#define FP_TOP	  -8
#define FP_BOTTOM -496

const struct ng_site frame_site = {
	.slot = -1,
	.ctx = { .kind = NG_PLACE_REG, .reg = BPF_REG_6 },
	.len = { .kind = NG_PLACE_STACK, .off = FP_TOP + FP_LEN },
	.stack_free = FP_TOP + FP_ANSWER,
};

/* A program being built. */
struct frame {
	struct ng_emit e;
	const struct deal *deal;
	enum ng_filter_ctx ctx;
	int stack; /* FP_TOP or FP_BOTTOM */
	int table_fd;
	unsigned int runs_lg; /* 1 << runs_lg runs on one packet */
};

static size_t area_size(const struct deal *deal)
{
	return ROWS_AT + deal->stride * deal->count;
}

int deal_open(struct deal *deal)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t size = area_size(deal);

	deal->map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "deal", 4, (__u32)size, 1, &opts);
	if (deal->map_fd < 0)
		return -errno;
	deal->area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, deal->map_fd, 0);
	if (deal->area == MAP_FAILED) {
		close(deal->map_fd);
		return -errno;
	}
	memcpy((char *)deal->area + ROWS_AT, deal->rows, deal->stride * deal->count);
	return 0;
}

void deal_close(struct deal *deal)
{
	munmap(deal->area, area_size(deal));
	close(deal->map_fd);
}

void deal_packet(const struct deal *deal, size_t i, uint8_t *packet)
{
	const char *row = (const char *)deal->rows + deal->stride * (i & (deal->count - 1));

	memcpy(packet, deal->packet, PACKET_LEN);
	memcpy(packet + deal->at, row, deal->bytes);
}

unsigned int deal_wire(const struct deal *deal, size_t i, uint8_t *wire)
{
	static const uint8_t tag[] = { TPID >> 8, TPID & 0xff, TCI >> 8, TCI & 0xff };

	deal_packet(deal, i, wire);
	if (!deal->tagged)
		return PACKET_LEN;
	memmove(wire + 16, wire + 12, PACKET_LEN - 12);
	memcpy(wire + 12, tag, sizeof(tag));
	return PACKET_LEN + sizeof(tag);
}

void deal_rewind(const struct deal *deal, uint64_t run)
{
	*(volatile uint64_t *)deal->area = run;
}

static void load_map(struct ng_emit *e, unsigned int reg, int map_fd, size_t offset)
{
	ng_emit(e, NG_INSN(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_VALUE, 0, map_fd));
	ng_emit(e, NG_INSN(0, 0, 0, 0, offset));
}

static void load_packet(struct frame *f, unsigned int data, unsigned int end)
{
	bool xdp = f->ctx == NG_CTX_XDP;
	struct ng_emit *e = &f->e;

	ng_emit(e, NG_LOAD(BPF_W, data, BPF_REG_6,
			   xdp ? offsetof(struct xdp_md, data) : offsetof(struct __sk_buff, data)));
	ng_emit(e, NG_LOAD(BPF_W, end, BPF_REG_6,
			   xdp ? offsetof(struct xdp_md, data_end)
			       : offsetof(struct __sk_buff, data_end)));
}

/* Once for all runs of a call: the buffer keeps its tag. */
static void push_tag(struct ng_emit *e)
{
	ng_emit(e, NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, vlan_present)));
	ng_emit(e, NG_JUMP_I(BPF_JNE, BPF_REG_1, 0, 4));
	ng_emit(e, NG_MOV(BPF_REG_1, BPF_REG_6));
	ng_emit(e, NG_MOV_I(BPF_REG_2, htons(TPID)));
	ng_emit(e, NG_MOV_I(BPF_REG_3, TCI));
	ng_emit(e, NG_CALL(BPF_FUNC_skb_vlan_push));
}

static void write_start(struct frame *f)
{
	const struct deal *deal = f->deal;
	struct ng_emit *e = &f->e;

	ng_emit(e, NG_MOV(BPF_REG_6, BPF_REG_1));
	if (deal->tagged)
		push_tag(e);
	load_packet(f, BPF_REG_1, BPF_REG_2);
	ng_emit(e, NG_ALU(BPF_SUB, BPF_REG_2, BPF_REG_1));
	if (deal->tagged)
		ng_emit(e, NG_ALU_I(BPF_ADD, BPF_REG_2, WIRE_MAX - PACKET_LEN));
	ng_emit(e, NG_STORE(BPF_DW, BPF_REG_10, f->stack + FP_LEN, BPF_REG_2));
	load_map(e, BPF_REG_1, deal->map_fd, 0);
	ng_emit(e, NG_LOAD(BPF_DW, BPF_REG_2, BPF_REG_1, 0));
	ng_emit(e, NG_MOV(BPF_REG_3, BPF_REG_2));
	ng_emit(e, NG_ALU_I(BPF_ADD, BPF_REG_3, 1));
	ng_emit(e, NG_STORE(BPF_DW, BPF_REG_1, 0, BPF_REG_3));
	if (deal->each_copy) {
		ng_emit(e, NG_ALU32_I(BPF_MUL, BPF_REG_2, 0x9e3779b1));
		ng_emit(e, NG_ALU32_I(BPF_RSH, BPF_REG_2, 12));
	} else {
		ng_emit(e, NG_ALU32_I(BPF_RSH, BPF_REG_2, f->runs_lg));
	}
	ng_emit(e, NG_STORE(BPF_DW, BPF_REG_10, f->stack + FP_ROW, BPF_REG_2));
}

/*
 * r2 = row, r1 = packet, by words that do not straddle the header fields filters load: 6 and 14 are
 * where IPv4's and TCP's four-byte fields begin a word, with or without a tag. A load that straddles
 * two stores waits for both, which no real packet makes a filter do.
 */
static void copy_row(struct ng_emit *e, size_t at, size_t bytes)
{
	size_t word = bytes >= 8 ? 8 : 4;
	unsigned int size = word == 8 ? BPF_DW : BPF_W;

	for (size_t done = 0; done < bytes;) {
		ng_emit(e, NG_LOAD(size, BPF_REG_0, BPF_REG_2, done));
		ng_emit(e, NG_STORE(size, BPF_REG_1, at + done, BPF_REG_0));
		done += done == 0 && bytes % word ? bytes % word : word;
	}
}

static void write_row(struct frame *f, size_t i)
{
	const struct deal *deal = f->deal;
	struct ng_emit *e = &f->e;

	ng_emit(e, NG_LOAD(BPF_DW, BPF_REG_3, BPF_REG_10, f->stack + FP_ROW));
	ng_emit(e, NG_ALU32_I(BPF_ADD, BPF_REG_3, i * SCATTER & 0xffffff));
	ng_emit(e, NG_ALU32_I(BPF_AND, BPF_REG_3, deal->count - 1));
	ng_emit(e, NG_ALU32_I(BPF_MUL, BPF_REG_3, deal->stride));
	load_map(e, BPF_REG_2, deal->map_fd, ROWS_AT);
	ng_emit(e, NG_ALU(BPF_ADD, BPF_REG_2, BPF_REG_3));
	load_packet(f, BPF_REG_1, BPF_REG_4);
	ng_emit(e, NG_MOV(BPF_REG_5, BPF_REG_1));
	ng_emit(e, NG_ALU_I(BPF_ADD, BPF_REG_5, deal->at + deal->bytes));
	ng_emit(e, NG_JUMP(BPF_JLE, BPF_REG_5, BPF_REG_4, 2));
	ng_emit(e, NG_MOV_I(BPF_REG_0, 0));
	ng_emit(e, NG_RETURN);
	copy_row(e, deal->at, deal->bytes);
}

/* Exits of a subprogram's body become jumps to its end. */
static void write_copy(struct frame *f, const struct copy *copy)
{
	const struct ng_ebpf *code = &copy->code;

	for (size_t i = 0; i < code->n; i++) {
		struct bpf_insn insn = code->insns[i];
		bool is_wide = insn.code == (BPF_LD | BPF_DW | BPF_IMM);

		if (insn.code == (BPF_JMP | BPF_EXIT))
			insn = NG_JA(code->n - i - 1);
		ng_emit(&f->e, insn);
		if (is_wide)
			ng_emit(&f->e, code->insns[++i]);
	}
}

/* Behind the program, if it is called at all. */
static void write_body(struct frame *f, const struct copy *copy)
{
	size_t start = f->e.n;
	bool called = false;

	for (size_t i = 0; i < start && !f->e.failed; i++) {
		struct bpf_insn *insn = &f->e.insns[i];

		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg != BPF_PSEUDO_CALL)
			continue;
		insn->imm = (int)(start - i - 1);
		called = true;
	}
	for (size_t i = 0; called && i < copy->body.n; i++)
		ng_emit(&f->e, copy->body.insns[i]);
}

static void write_program(struct frame *f, const struct copy *copy, unsigned int copies)
{
	struct ng_emit *e = &f->e;

	write_start(f);
	if (!f->deal->each_copy)
		write_row(f, 0);
	for (unsigned int i = 0; i < copies; i++) {
		if (f->deal->each_copy)
			write_row(f, i);
		ng_emit(e, NG_MOV(BPF_REG_1, BPF_REG_6));
		ng_emit(e, NG_LOAD(BPF_DW, BPF_REG_3, BPF_REG_10, f->stack + FP_LEN));
		write_copy(f, copy);
		ng_emit(e, NG_STORE(BPF_W, BPF_REG_10, f->stack + FP_ANSWER, BPF_REG_0));
	}
	ng_emit(e, NG_LOAD(BPF_W, BPF_REG_0, BPF_REG_10, f->stack + FP_ANSWER));
	ng_emit(e, NG_RETURN);
	write_body(f, copy);
}

/* The deal's map is bound already; all other references are to the table. */
static void bind_table(const struct frame *f, struct ng_ebpf *program)
{
	for (size_t i = 0; i < program->n; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (insn->code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_VALUE && insn->imm != f->deal->map_fd)
			insn->imm = f->table_fd;
		i++;
	}
}

static int build(struct frame *f, const struct copy *copy, unsigned int copies, struct ng_ebpf *out)
{
	int ret = ng_emit_init(&f->e, 1);

	if (ret)
		return ret;
	while (copies << f->runs_lg < SAME_PACKET)
		f->runs_lg++;
	write_program(f, copy, copies);
	ret = ng_emit_finish(&f->e, out);
	if (!ret)
		bind_table(f, out);
	return ret;
}

static int make_table(const struct ng_ebpf *copy)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__u32 zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", 4, (__u32)copy->table_size, 1, &opts);

	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(fd, &zero, copy->table, BPF_ANY) || bpf_map_freeze(fd)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* The last line of the verifier's log that is not statistics. */
static void refuse(struct ng_error *err, char *log, int error)
{
	char *line = log, *last = log;

	for (; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");

		if (n && strncmp(line, "processed ", 10))
			last = line;
		line += n;
	}
	ng_err(err, NG_EXIT_FAILED, error, NULL, "%.*s", (int)strcspn(last, "\n"), last);
}

int frame_load_raw(enum ng_filter_ctx ctx, const struct bpf_insn *insns, size_t n,
		   struct ng_error *err)
{
	static char log[1 << 16];
	bool xdp = ctx == NG_CTX_XDP;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log),
		    .expected_attach_type = xdp ? BPF_XDP : 0);
	enum bpf_prog_type type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	int fd;

	log[0] = '\0';
	fd = bpf_prog_load(type, "bench", "GPL", insns, n, &opts);
	if (fd < 0) {
		fd = -errno;
		refuse(err, log, -fd);
	}
	return fd;
}

int frame_load(const struct deal *deal, enum ng_filter_ctx ctx, const struct copy *copy,
	       unsigned int copies, int *table_fd, struct ng_error *err)
{
	const struct ng_ebpf *owner = copy->body.n ? &copy->body : &copy->code;
	struct frame f = { .deal = deal,
			   .ctx = ctx,
			   .stack = copy->body.n ? FP_TOP : FP_BOTTOM,
			   .table_fd = owner->table_size ? make_table(owner) : -1 };
	struct ng_ebpf program;
	int ret;

	if (owner->table_size && f.table_fd < 0)
		return ng_err(err, NG_EXIT_FAILED, -f.table_fd, NULL, "table");
	ret = build(&f, copy, copies, &program);
	if (ret) {
		ng_err(err, NG_EXIT_FAILED, -ret, NULL, "building");
	} else {
		ret = frame_load_raw(ctx, program.insns, program.n, err);
		ng_ebpf_free(&program);
	}
	if (table_fd)
		*table_fd = f.table_fd;
	else if (f.table_fd >= 0)
		close(f.table_fd);
	return ret;
}

void copy_free(struct copy *copy)
{
	ng_ebpf_free(&copy->code);
	ng_ebpf_free(&copy->body);
}

int frame_run(int prog_fd, const struct deal *deal, unsigned int runs, double *ns, uint32_t *answer)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = deal->packet, .data_size_in = PACKET_LEN,
		    .repeat = (int)runs);

	if (bpf_prog_test_run_opts(prog_fd, &opts))
		return -errno;
	*ns = opts.duration;
	if (answer)
		*answer = opts.retval;
	return 0;
}

static int check_row(int fd, const struct deal *deal, size_t i, const struct ng_cbpf *classic,
		     struct ng_error *err)
{
	uint8_t wire[WIRE_MAX];
	unsigned int len = deal_wire(deal, i, wire);
	uint32_t answer, want = ng_filter_interpret(classic, wire, len, len);
	double ns;
	int ret;

	deal_rewind(deal, i * SAME_PACKET);
	ret = frame_run(fd, deal, 1, &ns, &answer);
	if (ret)
		return ng_err(err, NG_EXIT_FAILED, -ret, NULL, "running it");
	if (answer != want)
		return ng_err(err, NG_EXIT_FAILED, EDOM, NULL, "packet %zu: %u instead of %u", i,
			      answer, want);
	return 0;
}

int frame_check(const struct deal *deal, enum ng_filter_ctx ctx, const struct copy *copy,
		const struct ng_cbpf *classic, struct ng_error *err)
{
	struct deal in_turn = *deal;
	int fd, ret = 0;

	in_turn.each_copy = false;
	fd = frame_load(&in_turn, ctx, copy, 1, NULL, err);
	if (fd < 0)
		return fd;
	for (size_t i = 0; !ret && i < deal->count && i < CHECKED_MAX; i++)
		ret = check_row(fd, &in_turn, i, classic, err);
	close(fd);
	return ret;
}

/* LD_ABS and LD_IND are seven instructions to the kernel. */
static size_t weight(const struct ng_ebpf *code)
{
	size_t sum = 0;

	for (size_t i = 0; i < code->n; i++) {
		unsigned int op = code->insns[i].code;

		sum += BPF_CLASS(op) == BPF_LD && BPF_MODE(op) != BPF_IMM ? 7 : 1;
	}
	return sum;
}

unsigned int frame_copies(const struct deal *deal, const struct copy *copy)
{
	size_t insns = weight(&copy->code);
	unsigned int copies = SAME_PACKET;

	if (insns > LARGE)
		return 1;
	if (deal->each_copy)
		return COPIES_SHUFFLED;
	while (copies > COPIES_MIN && copies * insns > INSNS_MAX)
		copies /= 2;
	return copies;
}
