/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs translated filters by BPF_PROG_TEST_RUN in every way a packet can lie in memory,
 * against libpcap's interpreter. */
#ifndef NG_TESTS_BPF_FILTER_RUN_H
#define NG_TESTS_BPF_FILTER_RUN_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <unistd.h>

#include "ctl/filter/access.h"
#include "ctl/filter/site.h"
#include "tests/filter_packets.h"
#include "tests/random.h"
#include "tests/tap.h"

#define WIRE_MAX (FRAME_MAX + 4)
#define TCI	 0xa123 /* PCP and DEI set */
#define TPID	 0x88a8

/* Where the bytes of a packet are when the filter runs. */
enum mode {
	XDP_LINEAR,
	XDP_FRAGS,  /* linear part of random length */
	XDP_HELPER, /* every load by helper call */
	TC_PLAIN,
	TC_TAGGED, /* outer tag in metadata */
	TC_PLAIN_HELPER,
	TC_TAGGED_HELPER,
	XDP_INLINE, /* in the place of the call of its body */
	XDP_FRAGS_INLINE,
	TC_INLINE,
	TC_TAGGED_INLINE,
	TC_POPPED_INLINE, /* what is left of a tag in metadata: vlan_proto, before Linux 6.2 */
	XDP_UNOPTIMIZED,  /* the plain translation */
	XDP_FRAGS_UNOPTIMIZED,
	TC_UNOPTIMIZED,
	TC_TAGGED_UNOPTIMIZED,
	MODES
};

static const struct {
	const char *name;
	enum ng_filter_ctx ctx;
	bool frags, tagged, popped, helper, spliced, plain;
} modes[MODES] = {
	[XDP_LINEAR] = { "XDP linear", NG_CTX_XDP },
	[XDP_FRAGS] = { "XDP multi-buffer", NG_CTX_XDP, .frags = true },
	[XDP_HELPER] = { "XDP by helper", NG_CTX_XDP, .frags = true, .helper = true },
	[TC_PLAIN] = { "tc", NG_CTX_TC },
	[TC_TAGGED] = { "tc tagged", NG_CTX_TC, .tagged = true },
	[TC_PLAIN_HELPER] = { "tc by helper", NG_CTX_TC, .helper = true },
	[TC_TAGGED_HELPER] = { "tc tagged by helper", NG_CTX_TC, .tagged = true, .helper = true },
	[XDP_INLINE] = { "XDP inline", NG_CTX_XDP, .spliced = true },
	[XDP_FRAGS_INLINE] = { "XDP multi-buffer inline", NG_CTX_XDP, .frags = true,
			       .spliced = true },
	[TC_INLINE] = { "tc inline", NG_CTX_TC, .spliced = true },
	[TC_TAGGED_INLINE] = { "tc tagged inline", NG_CTX_TC, .tagged = true, .spliced = true },
	[TC_POPPED_INLINE] = { "tc inline, tag popped", NG_CTX_TC, .popped = true,
			       .spliced = true },
	[XDP_UNOPTIMIZED] = { "XDP unoptimized", NG_CTX_XDP, .plain = true },
	[XDP_FRAGS_UNOPTIMIZED] = { "XDP multi-buffer unoptimized", NG_CTX_XDP, .frags = true,
				    .plain = true },
	[TC_UNOPTIMIZED] = { "tc unoptimized", NG_CTX_TC, .plain = true },
	[TC_TAGGED_UNOPTIMIZED] = { "tc tagged unoptimized", NG_CTX_TC, .tagged = true,
				    .plain = true },
};

/* The frame as it was on the wire before its tag went into metadata. */
static uint32_t wire_image(const struct packet *p, enum mode mode, uint8_t *wire)
{
	if (!modes[mode].tagged) {
		memcpy(wire, p->data, p->len);
		return p->len;
	}
	memcpy(wire, p->data, 12);
	wire[12] = TPID >> 8;
	wire[13] = TPID & 0xff;
	wire[14] = TCI >> 8;
	wire[15] = TCI & 0xff;
	memcpy(wire + 16, p->data + 12, p->len - 12);
	return p->len + 4;
}

/* Programs */

/* The place of the copy that loads by helper calls:
 * it begins by taking the length into a register; -1: the body has none. */
static long helper_copy(const struct ng_ebpf *body)
{
	for (size_t i = 0; i < body->n; i++) {
		const struct bpf_insn *insn = &body->insns[i];

		if (insn->code == (BPF_LDX | BPF_MEM | BPF_W) && insn->dst_reg == NG_REG_LEN &&
		    insn->src_reg == BPF_REG_10 && insn->off == NG_FP_LEN)
			return (long)i;
	}
	return -1;
}

/* What a program has to do before it calls a body: r1 = r6 = context, r3 = length on the wire. */
static size_t put_arguments(enum mode mode, struct bpf_insn *program)
{
	size_t n = 0;

	program[n++] = NG_MOV(BPF_REG_6, BPF_REG_1);
	if (modes[mode].tagged || modes[mode].popped) {
		program[n++] = NG_MOV_I(BPF_REG_2, __builtin_bswap16(TPID));
		program[n++] = NG_MOV_I(BPF_REG_3, TCI);
		program[n++] = NG_CALL(BPF_FUNC_skb_vlan_push);
	}
	if (modes[mode].popped) { /* one in the bytes becomes the one in metadata */
		program[n++] = NG_MOV(BPF_REG_1, BPF_REG_6);
		program[n++] = NG_CALL(BPF_FUNC_skb_vlan_pop);
	}
	if (modes[mode].ctx == NG_CTX_XDP) {
		program[n++] = NG_CALL(BPF_FUNC_xdp_get_buff_len);
		program[n++] = NG_MOV(BPF_REG_3, BPF_REG_0);
	} else {
		program[n++] =
			NG_LOAD(BPF_W, BPF_REG_3, BPF_REG_6, offsetof(struct __sk_buff, len));
		if (modes[mode].popped) {
			program[n++] = NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_6,
					       offsetof(struct __sk_buff, vlan_present));
			program[n++] = NG_JUMP_I(BPF_JEQ, BPF_REG_1, 0, 1);
		}
		program[n++] = NG_ALU_I(BPF_ADD, BPF_REG_3,
					modes[mode].tagged || modes[mode].popped ? 4 : 0);
	}
	program[n++] = NG_MOV(BPF_REG_1, BPF_REG_6);
	return n;
}

/* The body as a whole program, behind what brings the packet into the mode's form. */
static size_t wrap(const struct ng_ebpf *body, enum mode mode, struct bpf_insn *program)
{
	long helper = modes[mode].helper ? helper_copy(body) : -1;
	size_t n = put_arguments(mode, program);

	if (helper > 0) {
		program[n++] = NG_STORE(BPF_W, BPF_REG_10, NG_FP_LEN, BPF_REG_3);
		program[n++] = NG_MOV_I(BPF_REG_0, 0);
		program[n++] = NG_JUMP_I(BPF_JEQ, BPF_REG_0, 0, helper);
	}
	memcpy(program + n, body->insns, body->n * sizeof(*program));
	return n + body->n;
}

#define HOST_8 0x5eed0008 /* what the host program keeps in r8 */

/*
 * The filter in a host program, in the place of the call of its body, which follows. The host keeps
 * context and length in registers or, `in_frame`, in its stack frame. 0: not possible.
 */
static size_t wrap_inline(const struct ng_cbpf *filter, const struct ng_ebpf *body, enum mode mode,
			  bool in_frame, struct bpf_insn *program)
{
	const struct ng_site site = {
		.slot = 0,
		.ctx = { in_frame ? NG_PLACE_STACK : NG_PLACE_REG, BPF_REG_6, -8 },
		.len = { in_frame ? NG_PLACE_STACK : NG_PLACE_REG, BPF_REG_7, -16 },
		.stack_free = in_frame ? -20 : 0,
	};
	const struct bpf_insn keep[] = {
		NG_STORE(BPF_DW, BPF_REG_10, -8, BPF_REG_1),
		NG_STORE(BPF_DW, BPF_REG_10, -16, BPF_REG_3),
		NG_STORE_I(BPF_W, BPF_REG_10, -20, HOST_8),
		NG_MOV(BPF_REG_7, BPF_REG_3),
		NG_MOV_I(BPF_REG_8, HOST_8),
	};
	const struct bpf_insn check[] = {
		NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_10, -20),
		NG_JUMP32_I(BPF_JNE, BPF_REG_1, HOST_8, 1),
		NG_JUMP_I(BPF_JEQ, BPF_REG_8, HOST_8, 1),
		NG_MOV32_I(BPF_REG_0, 0xbad),
		NG_RETURN,
	};
	struct ng_ebpf code;
	size_t n = put_arguments(mode, program);
	bool calls = false;

	if (ng_filter_inline(filter, modes[mode].ctx, &site, &code))
		return 0;
	memcpy(program + n, keep, sizeof(keep));
	n += sizeof(keep) / sizeof(keep[0]);
	for (size_t i = 0; i < code.n; i++, n++) {
		program[n] = code.insns[i];
		if (program[n].code == (BPF_JMP | BPF_CALL) &&
		    program[n].src_reg == BPF_PSEUDO_CALL && program[n].imm == NG_CALL_STUB) {
			program[n].imm = (int)(code.n - i - 1 + (in_frame ? 5 : 3));
			calls = true;
		}
	}
	ng_ebpf_free(&code);
	memcpy(program + n, in_frame ? check : check + 2,
	       sizeof(check) - (in_frame ? 0 : 2 * sizeof(check[0])));
	n += in_frame ? 5 : 3;
	if (!calls)
		return n; /* the kernel refuses a subprogram that nobody calls */
	memcpy(program + n, body->insns, body->n * sizeof(*program));
	return n + body->n;
}

static char verifier_log[1 << 20];
static unsigned int kernel_flags; /* NG_FILTER_MAY_GOTO where the kernel knows it */

/* Gives the body's loads of its table a map to read from: its descriptor, or -1 without a table. */
static int bind_table(const struct ng_ebpf *body, struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	uint32_t zero = 0;
	int fd;

	if (!body->table)
		return -1;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", 4, (uint32_t)body->table_size, 1, &opts);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, body->table, 0) || bpf_map_freeze(fd))
		printf("#   no map for a table of %zu bytes\n", body->table_size);
	for (size_t i = 0; i < n; i++)
		if (insns[i].code == (BPF_LD | BPF_DW | BPF_IMM) &&
		    insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[i].imm = fd;
	return fd;
}

static int load_program(const struct bpf_insn *insns, size_t n, enum ng_filter_ctx ctx, bool frags)
{
	enum bpf_prog_type type = ctx == NG_CTX_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = verifier_log,
		    .log_size = sizeof(verifier_log),
		    .prog_flags = frags ? BPF_F_XDP_HAS_FRAGS : 0);

	verifier_log[0] = '\0';
	return bpf_prog_load(type, "filter_test", "GPL", insns, n, &opts); /* logs a refusal */
}

static void show_refusal(void)
{
	size_t n = strlen(verifier_log);
	const char *p = n > 1500 ? verifier_log + n - 1500 : verifier_log;

	printf("#   refused: %s\n", strerror(errno));
	while (*p) {
		printf("#   %.*s\n", (int)strcspn(p, "\n"), p);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
}

/* fd, or -1 with the verifier's words printed; -2: this way does not exist for this filter. */
static inline int load_mode(const struct ng_cbpf *filter, enum mode mode)
{
	static struct bpf_insn program[1 << 19];
	struct ng_error err = { 0 };
	struct ng_ebpf body;
	int fd;

	if (ng_filter_translate(filter, modes[mode].ctx,
				kernel_flags | (modes[mode].plain ? NG_FILTER_PLAIN : 0), &body,
				&err)) {
		printf("#   translate: %s\n", err.what);
		return -1;
	}
	if (modes[mode].helper && helper_copy(&body) < 0) {
		fd = -2;
	} else {
		size_t n = modes[mode].spliced
				   ? wrap_inline(filter, &body, mode, rnd() & 1, program)
				   : wrap(&body, mode, program);
		int table = bind_table(&body, program, n);

		fd = n ? load_program(program, n, modes[mode].ctx, modes[mode].frags) : -2;
		if (table >= 0)
			close(table);
	}
	ng_ebpf_free(&body);
	if (fd == -1 || fd < -2) {
		show_refusal();
		return -1;
	}
	return fd;
}

/* Whether BPF_PROG_TEST_RUN takes a linear part shorter than the packet (kernels above 6.1). */
static bool can_shorten_linear = true;

/* 0, or -errno of the test run. */
static int run_packet(int fd, const struct packet *p, enum mode mode, uint32_t *answer)
{
	struct xdp_md ctx = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len);
	int ret;

	if (modes[mode].frags && !modes[mode].helper && can_shorten_linear && p->len > 14) {
		ctx.data_end = 14 + below(p->len - 14);
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	ret = bpf_prog_test_run_opts(fd, &opts);
	*answer = opts.retval;
	return ret;
}

static void require_bpf(void)
{
	const struct bpf_insn pass[] = { NG_MOV_I(BPF_REG_0, 0), NG_RETURN };
	const struct bpf_insn loop[] = { NG_MOV_I(BPF_REG_0, 0), NG_MAY_GOTO, NG_RETURN };
	struct packet p = { .len = 64 };
	uint32_t answer;
	int fd;

	libbpf_set_print(NULL);
	fd = load_program(pass, 2, NG_CTX_XDP, true);
	if (fd < 0)
		tap_skip_all(
			"BPF_PROG_LOAD is not permitted (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON)");
	can_shorten_linear = run_packet(fd, &p, XDP_FRAGS, &answer) == 0;
	close(fd);
	fd = load_program(loop, 3, NG_CTX_XDP, false);
	kernel_flags = fd >= 0 ? NG_FILTER_MAY_GOTO : 0;
	if (fd >= 0)
		close(fd);
	printf("# may_goto: %s\n", kernel_flags ? "yes" : "no");
	printf("# linear part of multi-buffer packets: %s\n",
	       can_shorten_linear ? "random" : "one page");
}

struct tally {
	unsigned int runs, accepted, wrong;
};

static void show_mismatch(enum mode mode, const struct packet *p, uint32_t want, uint32_t got)
{
	printf("#   %s, %u bytes: want %u, got %u:", modes[mode].name, p->len, want, got);
	for (uint32_t i = 0; i < p->len && i < 96; i++)
		printf("%s%02x", i % 4 ? "" : " ", p->data[i]);
	printf("\n");
}

/* What the kernel notes about a packet of a test run: it comes in on the loopback device, whose
 * addresses are all zero, the one for broadcasts too. */
static struct ng_packet_meta test_run_meta(const struct packet *p, enum mode mode)
{
	static const uint8_t none[6];
	struct ng_packet_meta meta = { .pkt_type = PACKET_HOST, .ifindex = 1 };

	if (modes[mode].ctx == NG_CTX_XDP)
		return meta;
	if (p->data[0] & 1)
		meta.pkt_type = PACKET_MULTICAST;
	else if (memcmp(p->data, none, 6))
		meta.pkt_type = PACKET_OTHERHOST;
	return meta;
}

/* Runs n packets, adds to *tally; prints the first answer that differs from the interpreter's. */
static inline void run_packets(int fd, const struct ng_cbpf *filter, enum mode mode, unsigned int n,
			       struct tally *tally)
{
	static uint8_t wire[WIRE_MAX];
	struct packet p;

	for (unsigned int i = 0; i < n; i++) {
		struct ng_packet_meta meta;
		uint32_t len, want, got;

		make_packet(&p);
		if (run_packet(fd, &p, mode, &got))
			continue; /* tc: an IPv4 header cut short cannot be had from a test run */
		len = wire_image(&p, mode, wire);
		meta = test_run_meta(&p, mode);
		want = ng_filter_interpret_with(filter, &meta, wire, len, len);
		tally->runs++;
		tally->accepted += want != 0;
		if (want != got && tally->wrong++ == 0)
			show_mismatch(mode, &p, want, got);
	}
}

static inline unsigned int packets_wanted(unsigned int n)
{
	const char *quick = getenv("NG_QUICK");

	return quick && *quick ? n / 10 + 1 : n;
}

#endif
