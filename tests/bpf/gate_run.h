/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of the templates: one set of maps, a program for each way a frame can lie in memory,
 * frames written as hex, and one run with what was counted.
 */
#ifndef NG_TESTS_BPF_GATE_RUN_H
#define NG_TESTS_BPF_GATE_RUN_H

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>

#include "ctl/dataplane/load.h"
#include "maps/acl.h"
#include "maps/counters.h"
#include "maps/pins.h"
#include "tests/tap.h"

#define FRAME_MAX 66000
#define TAG_TPID  0x8100
#define TAG_TCI	  0x6005

struct frame {
	uint8_t data[FRAME_MAX];
	uint32_t len;
};

/* Frames are string literals of hex digits, put together from these. */
/* clang-format off */
#define MACS "020000000001020000000002"
#define A4   "c0000201" /* 192.0.2.1, the source */
#define B4   "c6336401" /* 198.51.100.1 */
#define A6   "20010db8000000000000000000000001"
#define B6   "20010db8000000000000000000000002"
#define ETH4 MACS "0800"
#define ETH6 MACS "86dd"
#define IP4(total, frag, proto)       "4500" total "0001" frag "40" proto "0000" A4 B4
#define IP4_OPTIONS(total, proto)     "4600" total "00010000" "40" proto "0000" A4 B4 "01010101"
#define IP6_HOPS(payload, next, hops) "60000000" payload next hops A6 B6
#define IP6(payload, next)	      IP6_HOPS(payload, next, "40")
#define TCP(dport)		      "c000" dport "00000001000000005002040000000000"
#define UDP(sport, dport)	      sport dport "00080000"
#define SCTP(dport)		      "c000" dport "0000000000000000"
#define ICMP6(type)		      type "00000000000000"
#define EXT(next)		      next "00000000000000"
#define EXT_LEN1(next)		      next "010000000000000000000000000000"
#define AUTH(next)		      next "0100000000000000000000" /* (1 + 2) * 4 bytes */
#define FRAG6(next, offset_more)      next "00" offset_more "00000001"
/* clang-format on */

static inline void frame_set(struct frame *f, const char *hex)
{
	unsigned int byte;

	for (f->len = 0; *hex; hex += 2) {
		sscanf(hex, "%2x", &byte);
		f->data[f->len++] = (uint8_t)byte;
	}
}

static inline void frame_pad(struct frame *f, uint32_t len)
{
	while (f->len < len)
		f->data[f->len++] = 0x35;
}

/* The ways a frame can lie in memory. */
enum way { XDP_LINEAR, XDP_MULTI, TC_PLAIN, TC_TAGGED, WAYS };

static const struct {
	const char *name;
	enum ng_hook hook;
	bool frags, tagged;
} ways[WAYS] = {
	[XDP_LINEAR] = { "xdp", NG_HOOK_XDP, false, false },
	[XDP_MULTI] = { "xdp, 14 bytes linear", NG_HOOK_XDP, true, false },
	[TC_PLAIN] = { "tc", NG_HOOK_TC_IN, false, false },
	[TC_TAGGED] = { "tc, tag in metadata", NG_HOOK_TC_IN, false, true },
};

struct gates {
	struct ng_maps maps; /* of all the programs */
	int prog_fd[WAYS];
	int run_fd[WAYS];     /* what to run: the program, or what brings the frame into its form */
	bool can_shorten;     /* test runs take a linear part shorter than the frame */
	unsigned int skipped; /* frames that a test run does not take */
	struct ng_counter counters[NG_COUNTERS]; /* as last read */
};

static inline int fail(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	return -1;
}

/* A program that pushes a tag, which the kernel keeps in metadata, and goes on with prog_fd. */
static inline int load_tagger(int prog_fd)
{
	int array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "ng_test", 4, 4, 1, NULL), zero = 0;
	const struct bpf_insn insns[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, htons(TAG_TPID) },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, TAG_TCI },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_vlan_push },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0 },
		{ BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, array },
		{ 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 99 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	int fd;

	if (array < 0 || bpf_map_update_elem(array, &zero, &prog_fd, 0))
		return fail("program array");
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "ng_test_tag", "GPL", insns,
			   sizeof(insns) / sizeof(*insns), NULL);
	return fd < 0 ? fail("tagging program") : fd; /* `array` stays open: it holds the target */
}

/* Runs a frame. 0, or -errno of the test run; *action is the program's return code. */
static inline int gates_run(const struct gates *g, enum way way, const struct frame *f, int *action)
{
	struct xdp_md ctx = { .data_end = 14 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->data, .data_size_in = f->len);
	int rc;

	if (way == XDP_MULTI && g->can_shorten && f->len > 14) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	rc = bpf_prog_test_run_opts(g->run_fd[way], &opts);
	*action = (int)opts.retval;
	return rc;
}

/* Of the ACL's first tables. Fewer stripes of counters than most machines have CPUs. */
static const struct ng_acl_size gates_acl = {
	.root_bits = { 16, 16 },
	.clauses = 64,
	.rows = 64,
	.nodes = 512,
	.skips = 512,
	.notes = 16,
	.stripes = 2,
};

/* What ng_load() is given to put in the place of calls; NULL: calls. */
static int (*gates_inline)(void *arg, const struct ng_site *site, struct ng_ebpf *out);

/* Loads all ways with the taps of mask `taps`,
 * whose filters are filter[NG_HOOK_MAX][NG_TAPS_MAX]. */
static inline bool gates_load(struct gates *g, __u32 taps,
			      const struct ng_ebpf filter[NG_HOOK_MAX][NG_TAPS_MAX])
{
	static const struct ng_maps none = NG_MAPS_INIT;
	struct frame probe = { .len = 64 };
	struct ng_error err = { 0 };
	int action;

	*g = (struct gates){ .maps = none };
	for (int way = 0; way < WAYS; way++) {
		struct ng_load spec = {
			.object = ways[way].name,
			.hook = ways[way].hook,
			.frags = ways[way].frags,
			.acl = &gates_acl,
			.taps = taps,
			.filter = taps ? filter[ways[way].hook] : NULL,
			.inline_body = gates_inline,
		};

		if (ng_load(&spec, &g->maps, &g->prog_fd[way], &err)) {
			printf("# %s: %s %s\n", ways[way].name, err.what, err.why);
			return false;
		}
		g->run_fd[way] = ways[way].tagged ? load_tagger(g->prog_fd[way]) : g->prog_fd[way];
		if (g->run_fd[way] < 0)
			return false;
	}
	if (ng_maps_mmap(&g->maps))
		return fail("mapping the maps") == 0;
	g->can_shorten = true;
	g->can_shorten = gates_run(g, XDP_MULTI, &probe, &action) == 0;
	ng_counters_read(&g->maps, g->counters);
	if (!g->can_shorten)
		printf("# this kernel's test runs have a linear part of one page\n");
	return true;
}

/* Bytes that a frame counts: a tag in metadata as if it were in place. */
static inline uint32_t gates_bytes(enum way way, const struct frame *f)
{
	return f->len + (ways[way].tagged ? 4 : 0);
}

/* What one frame got; exact: one counter moved, by one packet and the frame's bytes. */
struct outcome {
	int verdict, reason;
	bool exact;
};

/* What moved in the counters since they were last read, for a frame of `bytes`. */
static inline struct outcome gates_counted(struct gates *g, uint32_t bytes)
{
	struct outcome o = { 0, 0, false };
	struct ng_counter now[NG_COUNTERS];
	int moved = 0;

	ng_counters_read(&g->maps, now);
	for (int i = 0; i < NG_COUNTERS; i++) {
		const struct ng_counter *old = &g->counters[i];

		if (now[i].packets == old->packets)
			continue;
		moved++;
		o.verdict = i / NG_REASON_MAX;
		o.reason = i % NG_REASON_MAX;
		o.exact = now[i].packets == old->packets + 1 && now[i].bytes == old->bytes + bytes;
	}
	memcpy(g->counters, now, sizeof(now));
	o.exact = o.exact && moved == 1;
	return o;
}

/* 0, or -errno of a test run that does not take the frame. */
static inline int gates_judge(struct gates *g, enum way way, const struct frame *f,
			      struct outcome *o)
{
	int rc, action, pass, drop;

	rc = gates_run(g, way, f, &action);
	if (rc) {
		g->skipped++;
		return rc;
	}
	*o = gates_counted(g, gates_bytes(way, f));
	pass = ways[way].hook == NG_HOOK_XDP ? XDP_PASS : TC_ACT_UNSPEC;
	drop = ways[way].hook == NG_HOOK_XDP ? XDP_DROP : TC_ACT_SHOT;
	o->exact = o->exact && action == (o->verdict == NG_DROP ? drop : pass);
	return 0;
}

static inline int gates_put(struct gates *g, const struct ng_acl_key *key, __u8 verdict)
{
	const struct ng_acl_item item = { .key = *key, .verdict = verdict };
	struct ng_acl_change done = { 0 };

	return ng_acl_put(&g->maps.acl, &item, &done);
}

/* Takes out all clauses. */
static inline void gates_empty(struct gates *g)
{
	struct ng_acl_entry *list;
	size_t n;

	if (ng_acl_list(&g->maps.acl, &list, &n)) {
		printf("# clauses not listed\n");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (ng_acl_del(&g->maps.acl, &list[i].key))
			printf("# clause not deleted\n");
	free(list);
}

/* One clause on a side's address (of B4, B6 for NG_DST), in both families. */
static inline void gates_add(struct gates *g, enum ng_side side, __u8 verdict, int proto, int port)
{
	struct ng_acl_key key = {
		.side = side,
		.any_proto = proto < 0,
		.proto = proto < 0 ? 0 : (__u8)proto,
		.any_port = port < 0,
		.port_lo = port < 0 ? 0 : (__u16)port,
		.port_hi = port < 0 ? 65535 : (__u16)port,
	};

	key.prefix = (struct ng_prefix){ .family = NG_IPV4, .len = 32 };
	inet_pton(AF_INET, side == NG_SRC ? "192.0.2.1" : "198.51.100.1", key.prefix.addr_be);
	if (gates_put(g, &key, verdict))
		printf("# IPv4 clause not added\n");
	key.prefix = (struct ng_prefix){ .family = NG_IPV6, .len = 128 };
	inet_pton(AF_INET6, side == NG_SRC ? "2001:db8::1" : "2001:db8::2", key.prefix.addr_be);
	if (gates_put(g, &key, verdict))
		printf("# IPv6 clause not added\n");
}

/* The settings that the tests go through; columns of the table in docs/packets.md. */
struct setting {
	const char *name;
	__u32 default_verdict, malformed;
	bool clause;
	__u8 verdict; /* of the clause */
	int proto, port;
};

enum {
	NO_CLAUSE,
	ON_ADDRESS,
	ON_PORT,
	ON_PROTO,
	DEFAULT_DROP,
	DEFAULT_DROP_PASS,
	MALFORMED_PASS,
	MALFORMED_DROP,
	SETTINGS
};

static const struct setting settings[SETTINGS] = {
	[NO_CLAUSE] = { "no clause", NG_PASS, NG_MALFORMED_AUTO, false, 0, 0, 0 },
	[ON_ADDRESS] = { "drop A", NG_PASS, NG_MALFORMED_AUTO, true, NG_DROP, -1, -1 },
	[ON_PORT] = { "drop A port 53", NG_PASS, NG_MALFORMED_AUTO, true, NG_DROP, -1, 53 },
	[ON_PROTO] = { "drop A proto udp", NG_PASS, NG_MALFORMED_AUTO, true, NG_DROP, 17, -1 },
	[DEFAULT_DROP] = { "default drop", NG_DROP, NG_MALFORMED_AUTO, false, 0, 0, 0 },
	[DEFAULT_DROP_PASS] = { "default drop, pass A", NG_DROP, NG_MALFORMED_AUTO, true, NG_PASS,
				-1, -1 },
	[MALFORMED_PASS] = { "malformed pass, drop A port 53", NG_PASS, NG_MALFORMED_PASS, true,
			     NG_DROP, -1, 53 },
	[MALFORMED_DROP] = { "malformed drop", NG_PASS, NG_MALFORMED_DROP, false, 0, 0, 0 },
};

static inline void gates_set(struct gates *g, const struct setting *s)
{
	gates_empty(g);
	ng_counters_read(&g->maps, g->counters);
	g->maps.control->default_verdict = s->default_verdict;
	g->maps.control->malformed = s->malformed;
	if (s->clause)
		gates_add(g, NG_SRC, s->verdict, s->proto, s->port);
}

static inline void require_gates(struct gates *g)
{
	if (geteuid())
		tap_skip_all("loading BPF programs needs root");
	if (!ok(gates_load(g, 0, NULL), "all programs load"))
		exit(tap_done());
}

#endif
