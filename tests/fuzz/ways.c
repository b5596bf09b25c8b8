// SPDX-License-Identifier: GPL-2.0-only
/* Loads filters into one program per hook and runs it: by BPF_PROG_TEST_RUN, and through a TAP
 * device whose driver builds buffers of pages (IFF_NAPI_FRAGS). */
#include "tests/fuzz/ways.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ctl/filter/emit.h"
#include "ctl/filter/site.h"
#include "tests/random.h"

#define ETHER_LEN    14
#define TAG_LEN	     4
#define LINEAR_MAX   3000 /* a test run has a page, less what surrounds the packet */
#define PROGRAM_MAX  (1 << 18)
#define LOG_SIZE     (1 << 20)
#define SEGMENTS_MAX 6
#define HEAVY	     3000 /* instructions */
#define STACK_MAX    512
#define STACK_ROUND  32 /* the verifier's, per frame */

const char *const way_names[WAYS] = {
	[WAY_XDP] = "XDP",
	[WAY_XDP_FRAGS] = "XDP multi-buffer",
	[WAY_XDP_HELPER] = "XDP multi-buffer, 14 bytes linear",
	[WAY_TC] = "tc",
	[WAY_TC_TAG] = "tc, tag in metadata",
	[WAY_TC_PAGED] = "tc, pages",
	[WAY_TC_PAGED_TAG] = "tc, pages, tag in metadata",
	[WAY_TC_PAGED_LONG] = "tc, pages, 14 bytes linear",
};

struct answers {
	uint32_t answer[WAYS_FILTERS];
	uint32_t runs;
};

static struct {
	int map, tap, ifindex;
	struct answers *answers; /* the map */
	const char *closed[WAYS];
	int prog[WAYS_HOOKS];
	bool attached;
	unsigned int kernel_flags; /* NG_FILTER_MAY_GOTO where the kernel knows it */
} w = { .map = -1, .tap = -1, .prog = { -1, -1 } };

static char log_text[LOG_SIZE];

enum ways_hook way_hook(enum way way)
{
	return way <= WAY_XDP_HELPER ? WAYS_XDP : WAYS_TC;
}

const char *way_closed(enum way way)
{
	return w.closed[way];
}

/* Programs */

struct code {
	struct ng_ebpf body;
	struct ng_ebpf in_place; /* n = 0: none, the body is called */
};

struct program {
	struct bpf_insn insns[PROGRAM_MAX];
	size_t n;
	size_t start[WAYS_FILTERS], end[WAYS_FILTERS]; /* the call of filter i, or what is there */
	bool too_long;
};

static void put(struct program *p, struct bpf_insn insn)
{
	if (p->n < PROGRAM_MAX)
		p->insns[p->n++] = insn;
	else
		p->too_long = true;
}

static void put_all(struct program *p, const struct ng_ebpf *code)
{
	for (size_t i = 0; i < code->n; i++)
		put(p, code->insns[i]);
}

static void put_answers(struct program *p, unsigned int reg)
{
	put(p, NG_INSN(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_VALUE, 0, w.map));
	put(p, NG_INSN(0, 0, 0, 0, 0));
}

/* A mark asks for a tag in metadata: its TPID above, its TCI below. r7 becomes the length. */
static void begin_tc(struct program *p)
{
	put(p, NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct __sk_buff, mark)));
	put(p, NG_JUMP_I(BPF_JEQ, BPF_REG_2, 0, 6));
	put(p, NG_MOV(BPF_REG_3, BPF_REG_2));
	put(p, NG_ALU32_I(BPF_AND, BPF_REG_3, 0xffff));
	put(p, NG_ALU32_I(BPF_RSH, BPF_REG_2, 16));
	put(p, NG_TO_HOST(BPF_REG_2, 16));
	put(p, NG_MOV(BPF_REG_1, BPF_REG_6));
	put(p, NG_CALL(BPF_FUNC_skb_vlan_push));
	put(p, NG_LOAD(BPF_W, BPF_REG_7, BPF_REG_6, offsetof(struct __sk_buff, len)));
	put(p, NG_LOAD(BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, vlan_present)));
	put(p, NG_JUMP_I(BPF_JEQ, BPF_REG_1, 0, 1));
	put(p, NG_ALU_I(BPF_ADD, BPF_REG_7, TAG_LEN));
}

static void begin_xdp(struct program *p)
{
	put(p, NG_MOV(BPF_REG_1, BPF_REG_6));
	put(p, NG_CALL(BPF_FUNC_xdp_get_buff_len));
	put(p, NG_MOV(BPF_REG_7, BPF_REG_0));
}

static void ask_filter(struct program *p, const struct code *code, size_t i)
{
	put(p, NG_MOV(BPF_REG_1, BPF_REG_6));
	put(p, NG_MOV_I(BPF_REG_2, 0));
	put(p, NG_MOV(BPF_REG_3, BPF_REG_7));
	p->start[i] = p->n;
	if (code->in_place.n)
		put_all(p, &code->in_place);
	else
		put(p, NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, NG_CALL_STUB));
	p->end[i] = p->n;
	put_answers(p, BPF_REG_1);
	put(p, NG_STORE(BPF_W, BPF_REG_1, 4 * i, BPF_REG_0));
}

/* The subprogram of filter i, if it is called. */
static void put_body(struct program *p, const struct code *code, size_t i)
{
	if (p->too_long || !ng_site_calls(&p->insns[p->start[i]], p->end[i] - p->start[i]))
		return;
	ng_site_link(p->insns, p->start[i], p->end[i], p->n);
	put_all(p, &code->body);
}

/* used: a bit for each filter that is to be in it. */
static void write_program(struct program *p, enum ways_hook hook, const struct code *code,
			  uint32_t used)
{
	p->n = 0;
	p->too_long = false;
	put(p, NG_MOV(BPF_REG_6, BPF_REG_1));
	if (hook == WAYS_TC)
		begin_tc(p);
	else
		begin_xdp(p);
	for (size_t i = 0; i < WAYS_FILTERS; i++)
		if (used & 1u << i)
			ask_filter(p, &code[i], i);
	put_answers(p, BPF_REG_1);
	put(p, NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct answers, runs)));
	put(p, NG_ALU32_I(BPF_ADD, BPF_REG_2, 1));
	put(p, NG_STORE(BPF_W, BPF_REG_1, offsetof(struct answers, runs), BPF_REG_2));
	put(p, NG_MOV_I(BPF_REG_0, 2)); /* TC_ACT_SHOT, XDP_PASS */
	put(p, NG_RETURN);
	for (size_t i = 0; i < WAYS_FILTERS; i++)
		if (used & 1u << i)
			put_body(p, &code[i], i);
}

enum log { QUIET, LOG_WORDS, LOG_STATS = 4 };

/* The descriptor, or -1; with what the verifier says in log_text. */
static int load(enum ways_hook hook, const struct code *code, uint32_t used, enum log level)
{
	static struct program p;
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .prog_flags = hook == WAYS_XDP ? BPF_F_XDP_HAS_FRAGS : 0);
	int fd;

	if (level != QUIET) {
		opts.log_buf = log_text;
		opts.log_size = sizeof(log_text);
		opts.log_level = level;
		log_text[0] = '\0';
	}
	write_program(&p, hook, code, used);
	if (p.too_long)
		return -1;
	fd = bpf_prog_load(hook == WAYS_TC ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_XDP, "ways",
			   "GPL", p.insns, p.n, &opts);
	return fd < 0 ? -1 : fd;
}

static void keep_end(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);
	const char *from = n >= size ? text + n - size + 1 : text;

	memcpy(to, from, strlen(from) + 1);
}

/*
 * Without the filters that would fill the verifier's million of instructions: sometimes it is one of
 * these, alone.
 */
static uint32_t leave_out_heavy(const struct code *code, uint32_t used)
{
	uint32_t heavy = 0;

	for (size_t i = 0; i < WAYS_FILTERS; i++)
		if (used & 1u << i && code[i].body.n > HEAVY)
			heavy |= 1u << i;
	if (!heavy || !(used & (used - 1)))
		return used;
	return below(4) ? used & ~heavy : heavy & -heavy;
}

static void mark(uint32_t filters, enum ways_status status, struct ways_state *state)
{
	for (size_t i = 0; i < WAYS_FILTERS; i++)
		if (filters & 1u << i && state[i].status == WAYS_LOADED)
			state[i].status = status;
}

static void refused(enum ways_hook hook, const struct code *code, uint32_t filter,
		    struct ways_state *state)
{
	size_t i = (size_t)__builtin_ctz(filter);
	int fd = load(hook, code, filter, LOG_WORDS);

	if (fd >= 0)
		close(fd);
	state[i].status = WAYS_UNVERIFIED;
	keep_end(state[i].text, sizeof(state[i].text), log_text);
}

static uint32_t lower_half(uint32_t filters)
{
	uint32_t lower = 0;

	for (int n = __builtin_popcount(filters) / 2; n; n--) {
		lower |= filters & -filters;
		filters &= filters - 1;
	}
	return lower;
}

/* As many as fit into one program: all, or the better half. */
static int load_together(enum ways_hook hook, const struct code *code, uint32_t *used,
			 struct ways_state *state)
{
	uint32_t low = lower_half(*used), high = *used & ~low;
	int fd = load(hook, code, *used, QUIET), fd_low, fd_high;

	if (fd >= 0 || !*used)
		return fd;
	if (!low) {
		refused(hook, code, *used, state);
		*used = 0;
		return -1;
	}
	fd_low = load_together(hook, code, &low, state);
	fd_high = load_together(hook, code, &high, state);
	if (__builtin_popcount(low) < __builtin_popcount(high)) {
		mark(low, WAYS_CROWDED, state);
		*used = high;
		close(fd_low);
		return fd_high;
	}
	mark(high, WAYS_CROWDED, state);
	*used = low;
	close(fd_high);
	return fd_low;
}

/* Calls the filters whose code in place would, with what it calls, need more stack than there is. */
static void fit_stack(struct code *code, size_t n)
{
	int deepest = 0, limit;

	for (size_t i = 0; i < n; i++) {
		int depth = ng_frame_depth(code[i].body.insns, code[i].body.n);

		deepest = depth < deepest ? depth : deepest;
	}
	limit = -STACK_MAX + (-deepest + STACK_ROUND - 1) / STACK_ROUND * STACK_ROUND;
	for (size_t i = 0; i < n; i++)
		if (ng_frame_depth(code[i].in_place.insns, code[i].in_place.n) < limit)
			ng_ebpf_free(&code[i].in_place);
}

/* Makes the frozen array of a body's table and names it in the instructions; -1: none made. */
static int make_table(struct code *code)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	uint32_t zero = 0;
	int fd;

	if (!code->body.table)
		return -1;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", sizeof(zero),
			    (uint32_t)code->body.table_size, 1, &opts);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, code->body.table, 0) || bpf_map_freeze(fd))
		return fd;
	ng_ebpf_bind_table(&code->body, fd);
	ng_ebpf_bind_table(&code->in_place, fd);
	return fd;
}

/* r6 keeps the context, r7 the length. */
static void translate(const struct ways_filter *f, enum ways_hook hook, struct code *code,
		      struct ways_state *state)
{
	const struct ng_site site = { .ctx = { NG_PLACE_REG, BPF_REG_6, 0 },
				      .len = { NG_PLACE_REG, BPF_REG_7, 0 } };
	enum ng_filter_ctx ctx = hook == WAYS_TC ? NG_CTX_TC : NG_CTX_XDP;
	static struct ng_error err;

	err = (struct ng_error){ 0 };
	state->status = WAYS_LOADED;
	state->text[0] = '\0';
	if (ng_filter_translate(f->program, ctx, f->flags | w.kernel_flags, &code->body, &err)) {
		state->status = err.what[0] ? WAYS_UNTRANSLATED : WAYS_UNEXPLAINED;
		keep_end(state->text, sizeof(state->text), err.what);
	} else if (f->in_place && ng_filter_inline(f->program, ctx, &site, &code->in_place)) {
		code->in_place = (struct ng_ebpf){ 0 };
	}
}

int ways_measure(enum ways_hook hook, const struct ways_filter *filter, struct ways_cost *out)
{
	struct ways_state state;
	struct code code = { 0 };
	const char *processed;
	int fd = -1, table = -1;

	translate(filter, hook, &code, &state);
	if (state.status == WAYS_LOADED) {
		fit_stack(&code, 1);
		table = make_table(&code);
		fd = load(hook, &code, 1, LOG_STATS);
		close(table);
	}
	processed = fd >= 0 ? strstr(log_text, "processed ") : NULL;
	if (processed)
		*out = (struct ways_cost){ code.body.n, code.in_place.n,
					   strtoul(processed + strlen("processed "), NULL, 10) };
	close(fd);
	ng_ebpf_free(&code.body);
	ng_ebpf_free(&code.in_place);
	return processed ? 0 : -1;
}

static int attach(int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = w.ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .prog_fd = prog,
		    .flags = w.attached ? BPF_TC_F_REPLACE : 0);

	return bpf_tc_attach(&hook, &opts);
}

void ways_load(enum ways_hook hook, const struct ways_filter *filter, size_t n,
	       struct ways_state *state)
{
	struct code code[WAYS_FILTERS] = { 0 };
	int table[WAYS_FILTERS];
	uint32_t used = 0, loaded;

	for (size_t i = 0; i < n; i++) {
		translate(&filter[i], hook, &code[i], &state[i]);
		if (state[i].status != WAYS_LOADED)
			continue;
		used |= 1u << i;
		table[i] = make_table(&code[i]);
	}
	fit_stack(code, n);
	if (w.prog[hook] >= 0)
		close(w.prog[hook]);
	loaded = leave_out_heavy(code, used);
	mark(used & ~loaded, WAYS_CROWDED, state);
	w.prog[hook] = load_together(hook, code, &loaded, state);
	for (size_t i = 0; i < n; i++) {
		if (used & 1u << i && table[i] >= 0)
			close(table[i]);
		ng_ebpf_free(&code[i].body);
		ng_ebpf_free(&code[i].in_place);
	}
	if (hook == WAYS_TC && w.tap >= 0 && w.prog[hook] >= 0 && attach(w.prog[hook]) == 0)
		w.attached = true;
}

/* Runs */

static bool has_tag(const struct packet *p)
{
	unsigned int type = p->len >= ETHER_LEN ? (unsigned int)p->data[12] << 8 | p->data[13] : 0;

	return (type == 0x8100 || type == 0x88a8) && p->len >= ETHER_LEN + TAG_LEN;
}

static uint32_t a_linear_part(const struct packet *p)
{
	uint32_t most = p->len - 1 < LINEAR_MAX ? p->len - 1 : LINEAR_MAX;

	return ETHER_LEN + below(most - ETHER_LEN + 1);
}

bool ways_fit(const struct packet *p, const struct run *run)
{
	bool split = run->way != WAY_XDP && run->way != WAY_TC && run->way != WAY_TC_TAG;
	bool tagged = run->way == WAY_TC_TAG || run->way == WAY_TC_PAGED_TAG;

	if (w.closed[run->way] || p->len < ETHER_LEN || (tagged && !has_tag(p)))
		return false;
	return !split || (run->linear >= ETHER_LEN && run->linear < p->len);
}

bool ways_choose(const struct packet *p, enum way way, struct run *run)
{
	bool any = way == WAY_XDP_FRAGS || way == WAY_TC_PAGED || way == WAY_TC_PAGED_TAG;

	*run = (struct run){ .way = way, .linear = ETHER_LEN };
	if (any && p->len > ETHER_LEN)
		run->linear = a_linear_part(p);
	return ways_fit(p, run);
}

static int test_xdp(const struct packet *p, const struct run *run)
{
	struct xdp_md ctx = { .data_end = run->linear };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len);

	if (run->way != WAY_XDP) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	return bpf_prog_test_run_opts(w.prog[WAYS_XDP], &opts);
}

static int test_tc(const struct packet *p, const struct run *run)
{
	static uint8_t data[FRAME_MAX];
	struct __sk_buff ctx = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len);

	if (run->way == WAY_TC_TAG) {
		memcpy(data, p->data, 12);
		memcpy(data + 12, p->data + 16, p->len - 16);
		for (int i = 12; i < 16; i++)
			ctx.mark = ctx.mark << 8 | p->data[i];
		opts.data_in = data;
		opts.data_size_in -= TAG_LEN;
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	return bpf_prog_test_run_opts(w.prog[WAYS_TC], &opts);
}

/* The first part becomes linear memory, each other a page. */
static int send_pages(const struct packet *p, const struct run *run)
{
	struct iovec part[SEGMENTS_MAX];
	uint32_t at = run->linear;
	int n = 1;

	part[0] = (struct iovec){ (void *)p->data, run->linear };
	while (at < p->len) {
		uint32_t rest = p->len - at, len = rest > 3000 ? 3000 : rest;

		part[n++] = (struct iovec){ (void *)(p->data + at), len };
		at += len;
	}
	return writev(w.tap, part, n) < 0 ? -errno : 0;
}

int ways_run(const struct packet *p, const struct run *run, uint32_t answer[WAYS_FILTERS])
{
	uint32_t before = w.answers->runs;
	int ret;

	if (w.prog[way_hook(run->way)] < 0)
		return -ENOENT;
	if (way_hook(run->way) == WAYS_XDP)
		ret = test_xdp(p, run);
	else if (run->way >= WAY_TC_PAGED)
		ret = send_pages(p, run);
	else
		ret = test_tc(p, run);
	if (ret)
		return ret;
	if (*(volatile uint32_t *)&w.answers->runs != before + 1)
		return -ENOMSG; /* dropped in front of the program */
	memcpy(answer, w.answers->answer, sizeof(w.answers->answer));
	return 0;
}

/* Setting up */

static int open_tap(void)
{
	struct ethtool_value off = { .cmd = ETHTOOL_SGRO, .data = 0 };
	struct ifreq ifr = { .ifr_name = "ways",
			     .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI | IFF_NAPI_FRAGS };
	struct ifreq gro = { .ifr_name = "ways", .ifr_data = (void *)&off };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = -1;

	w.tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (w.tap >= 0 && ioctl(w.tap, TUNSETIFF, &ifr) == 0 &&
	    ioctl(sock, SIOCGIFINDEX, &ifr) == 0) {
		w.ifindex = ifr.ifr_ifindex;
		ifr.ifr_flags = IFF_UP;
		ret = ioctl(sock, SIOCSIFFLAGS, &ifr) || ioctl(sock, SIOCETHTOOL, &gro) ? -1 : 0;
	}
	close(sock);
	return ret;
}

static const char *open_pages(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS);

	if (unshare(CLONE_NEWNET))
		return "needs a network namespace of its own (CAP_SYS_ADMIN)";
	if (open_tap())
		return "needs a TAP device with IFF_NAPI_FRAGS (/dev/net/tun, CONFIG_TUN)";
	hook.ifindex = w.ifindex;
	if (bpf_tc_hook_create(&hook))
		return "needs a clsact qdisc (NET_SCH_INGRESS, NET_CLS_BPF)";
	return NULL;
}

/* Whether test runs of XDP take a linear part that is shorter than the packet. */
static const char *try_short_linear(void)
{
	struct packet p = { .len = 64 };
	struct run run = { WAY_XDP_HELPER, ETHER_LEN };
	uint32_t answer[WAYS_FILTERS];

	return ways_run(&p, &run, answer)
		       ? "needs test runs with a short linear part (Linux above 6.1)"
		       : NULL;
}

static unsigned int probe_flags(void)
{
	const struct bpf_insn loop[] = { NG_MOV_I(BPF_REG_0, 0), NG_MAY_GOTO, NG_RETURN };
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", loop, 3, NULL);

	if (fd < 0)
		return 0;
	close(fd);
	return NG_FILTER_MAY_GOTO;
}

int ways_open(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	const char *why;

	w.map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "answers", 4, sizeof(struct answers), 1, &opts);
	if (w.map < 0)
		return w.map;
	w.answers = mmap(NULL, sizeof(*w.answers), PROT_READ | PROT_WRITE, MAP_SHARED, w.map, 0);
	if (w.answers == MAP_FAILED)
		return -errno;
	why = open_pages();
	for (enum way way = WAY_TC_PAGED; way < WAYS; way++)
		w.closed[way] = why;
	if (why && w.tap >= 0) {
		close(w.tap);
		w.tap = -1;
	}
	w.kernel_flags = probe_flags();
	ways_load(WAYS_XDP, NULL, 0, NULL);
	ways_load(WAYS_TC, NULL, 0, NULL);
	if (w.prog[WAYS_XDP] < 0 || w.prog[WAYS_TC] < 0)
		return -EPERM;
	w.closed[WAY_XDP_FRAGS] = w.closed[WAY_XDP_HELPER] = try_short_linear();
	return 0;
}
