// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs to measure filters in: they deal out packets and run copies of a filter on them.
 *
 * BPF_PROG_TEST_RUN gives one packet to all runs of a call, and at XDP each call waits for
 * milliseconds. So the frame itself changes the packet: before the first copy of each run, or before
 * each copy, it writes the next row of a map over it.
 */
#include "tests/bench/filter/bench.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl/filter/emit.h"

#define INSNS_MAX   16384 /* of all copies together: what jumps and instruction caches bear */
#define COPIES_MAX  64
#define CHECKED_MAX 1024  /* rows */
#define ROWS_AT	    64	  /* in the map: behind the counter */
#define SCATTER	    40503 /* odd: consecutive copies get rows far apart */

/* Stack of the frame, far below what filters use. */
enum { FP_LEN = -512, FP_ROW = -504, FP_ANSWER = -496 };

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

void deal_rewind(const struct deal *deal, uint64_t first)
{
	*(volatile uint64_t *)deal->area = first;
}

static void load_map(struct ng_emit *e, unsigned int reg, int map_fd, size_t offset)
{
	ng_emit(e, NG_INSN(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_VALUE, 0, map_fd));
	ng_emit(e, NG_INSN(0, 0, 0, 0, offset));
}

static void load_packet(struct ng_emit *e, enum ng_filter_ctx ctx, unsigned int data,
			unsigned int end)
{
	bool xdp = ctx == NG_CTX_XDP;

	ng_emit(e, NG_LOAD(BPF_W, data, BPF_REG_6,
			   xdp ? offsetof(struct xdp_md, data) : offsetof(struct __sk_buff, data)));
	ng_emit(e, NG_LOAD(BPF_W, end, BPF_REG_6,
			   xdp ? offsetof(struct xdp_md, data_end)
			       : offsetof(struct __sk_buff, data_end)));
}

static void write_start(struct ng_emit *e, const struct deal *deal, enum ng_filter_ctx ctx)
{
	ng_emit(e, NG_MOV(BPF_REG_6, BPF_REG_1));
	load_packet(e, ctx, BPF_REG_1, BPF_REG_2);
	ng_emit(e, NG_ALU(BPF_SUB, BPF_REG_2, BPF_REG_1));
	ng_emit(e, NG_STORE(BPF_DW, BPF_REG_10, FP_LEN, BPF_REG_2));
	load_map(e, BPF_REG_1, deal->map_fd, 0);
	ng_emit(e, NG_LOAD(BPF_DW, BPF_REG_2, BPF_REG_1, 0));
	ng_emit(e, NG_MOV(BPF_REG_3, BPF_REG_2));
	ng_emit(e, NG_ALU_I(BPF_ADD, BPF_REG_3, 1));
	ng_emit(e, NG_STORE(BPF_DW, BPF_REG_1, 0, BPF_REG_3));
	if (deal->each_copy) {
		ng_emit(e, NG_ALU32_I(BPF_MUL, BPF_REG_2, 0x9e3779b1));
		ng_emit(e, NG_ALU32_I(BPF_RSH, BPF_REG_2, 12));
	}
	ng_emit(e, NG_STORE(BPF_DW, BPF_REG_10, FP_ROW, BPF_REG_2));
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

static void write_row(struct ng_emit *e, const struct deal *deal, enum ng_filter_ctx ctx, size_t i)
{
	ng_emit(e, NG_LOAD(BPF_DW, BPF_REG_3, BPF_REG_10, FP_ROW));
	ng_emit(e, NG_ALU32_I(BPF_ADD, BPF_REG_3, i * SCATTER & 0xffffff));
	ng_emit(e, NG_ALU32_I(BPF_AND, BPF_REG_3, deal->count - 1));
	ng_emit(e, NG_ALU32_I(BPF_MUL, BPF_REG_3, deal->stride));
	load_map(e, BPF_REG_2, deal->map_fd, ROWS_AT);
	ng_emit(e, NG_ALU(BPF_ADD, BPF_REG_2, BPF_REG_3));
	load_packet(e, ctx, BPF_REG_1, BPF_REG_4);
	ng_emit(e, NG_MOV(BPF_REG_5, BPF_REG_1));
	ng_emit(e, NG_ALU_I(BPF_ADD, BPF_REG_5, deal->at + deal->bytes));
	ng_emit(e, NG_JUMP(BPF_JLE, BPF_REG_5, BPF_REG_4, 2));
	ng_emit(e, NG_MOV_I(BPF_REG_0, 0));
	ng_emit(e, NG_RETURN);
	copy_row(e, deal->at, deal->bytes);
}

/* Exits of a subprogram's body become jumps to its end. */
static void write_filter(struct ng_emit *e, const struct ng_ebpf *copy, int table_fd)
{
	for (size_t i = 0; i < copy->n; i++) {
		struct bpf_insn insn = copy->insns[i];

		if (insn.code == (BPF_JMP | BPF_EXIT))
			insn = NG_JA(copy->n - i - 1);
		if (insn.code != (BPF_LD | BPF_DW | BPF_IMM)) {
			ng_emit(e, insn);
			continue;
		}
		if (insn.src_reg == BPF_PSEUDO_MAP_VALUE)
			insn.imm = table_fd;
		ng_emit(e, insn);
		ng_emit(e, copy->insns[++i]);
	}
}

static int build(const struct deal *deal, enum ng_filter_ctx ctx, const struct ng_ebpf *copy,
		 unsigned int copies, int table_fd, struct ng_ebpf *out)
{
	struct ng_emit e;

	if (ng_emit_init(&e, 1))
		return -ENOMEM;
	write_start(&e, deal, ctx);
	if (!deal->each_copy)
		write_row(&e, deal, ctx, 0);
	for (unsigned int i = 0; i < copies; i++) {
		if (deal->each_copy)
			write_row(&e, deal, ctx, i);
		ng_emit(&e, NG_MOV(BPF_REG_1, BPF_REG_6));
		ng_emit(&e, NG_LOAD(BPF_DW, BPF_REG_3, BPF_REG_10, FP_LEN));
		write_filter(&e, copy, table_fd);
		ng_emit(&e, NG_STORE(BPF_W, BPF_REG_10, FP_ANSWER, BPF_REG_0));
	}
	ng_emit(&e, NG_LOAD(BPF_W, BPF_REG_0, BPF_REG_10, FP_ANSWER));
	ng_emit(&e, NG_RETURN);
	return ng_emit_finish(&e, out);
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

int frame_load(const struct deal *deal, enum ng_filter_ctx ctx, const struct ng_ebpf *copy,
	       unsigned int copies, int *table_fd, struct ng_error *err)
{
	int table = copy->table_size ? make_table(copy) : -1;
	struct ng_ebpf program;
	int ret;

	if (copy->table_size && table < 0)
		return ng_err(err, NG_EXIT_FAILED, -table, NULL, "table");
	ret = build(deal, ctx, copy, copies, table, &program);
	if (ret) {
		ng_err(err, NG_EXIT_FAILED, -ret, NULL, "building");
	} else {
		ret = frame_load_raw(ctx, program.insns, program.n, err);
		ng_ebpf_free(&program);
	}
	if (table_fd)
		*table_fd = table;
	else if (table >= 0)
		close(table);
	return ret;
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
	uint8_t packet[PACKET_LEN];
	uint32_t answer, want;
	double ns;
	int ret;

	deal_packet(deal, i, packet);
	want = ng_filter_interpret(classic, packet, PACKET_LEN, PACKET_LEN);
	deal_rewind(deal, i);
	ret = frame_run(fd, deal, 1, &ns, &answer);
	if (ret)
		return ng_err(err, NG_EXIT_FAILED, -ret, NULL, "running it");
	if (answer != want)
		return ng_err(err, NG_EXIT_FAILED, EDOM, NULL, "packet %zu: %u instead of %u", i,
			      answer, want);
	return 0;
}

int frame_check(const struct deal *deal, enum ng_filter_ctx ctx, const struct ng_ebpf *copy,
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

unsigned int frame_copies(size_t insns)
{
	unsigned int copies = COPIES_MAX;

	while (copies > 1 && copies * insns > INSNS_MAX)
		copies /= 2;
	return copies;
}
