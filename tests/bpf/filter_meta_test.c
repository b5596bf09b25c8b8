// SPDX-License-Identifier: GPL-2.0-only
/* What filters ask beyond a packet's bytes: direction, interface, mark, queue, a tag beside it. */
#include <linux/if_packet.h>

#include "tests/bpf/filter_run.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ETHERNET    1
#define LOOPBACK    1
#define MARK	    0xfeedbeef
#define QUEUE	    7
#define META(n)	    ((__u32)(SKF_AD_OFF + (n)))

static const struct hook {
	const char *name;
	enum ng_filter_ctx ctx;
	enum mode mode;
	struct ng_packet_meta meta;
} hooks[] = {
	{ "XDP", NG_CTX_XDP, XDP_LINEAR, { PACKET_HOST, LOOPBACK, 0, 0 } },
	{ "tc in", NG_CTX_TC, TC_PLAIN, { PACKET_MULTICAST, LOOPBACK, MARK, QUEUE } },
	{ "tc in tagged", NG_CTX_TC, TC_TAGGED, { PACKET_MULTICAST, LOOPBACK, MARK, QUEUE } },
	{ "tc out", NG_CTX_TC_OUT, TC_PLAIN, { PACKET_OUTGOING, LOOPBACK, MARK, QUEUE } },
};

/* The fd, or the error of the translation. */
static int load(const struct ng_cbpf *filter, const struct hook *hook, unsigned int flags)
{
	static struct bpf_insn program[4096];
	struct ng_error err = { 0 };
	struct ng_ebpf body;
	size_t n = put_arguments(hook->mode, program);
	int fd = ng_filter_translate(filter, hook->ctx, flags, &body, &err);

	if (fd)
		return fd;
	if (hook->ctx != NG_CTX_XDP) {
		program[n++] = NG_MOV_I(BPF_REG_2, QUEUE);
		program[n++] = NG_STORE(BPF_W, BPF_REG_6, offsetof(struct __sk_buff, queue_mapping),
					BPF_REG_2);
	}
	memcpy(program + n, body.insns, body.n * sizeof(*program));
	fd = load_program(program, n + body.n, hook->ctx, false);
	if (fd < 0)
		show_refusal();
	ng_ebpf_free(&body);
	return fd;
}

static uint32_t run(int fd, const struct hook *hook, const struct packet *p)
{
	struct __sk_buff skb = { .mark = MARK };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len);

	if (hook->ctx != NG_CTX_XDP) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	return bpf_prog_test_run_opts(fd, &opts) ? 0xbad : opts.retval;
}

/* A UDP frame to a multicast address. */
static void make_multicast(struct packet *p)
{
	make_frame(p, FAMILY_IP4);
	pad_packet(p, 80);
	p->data[0] = 1;
}

static void compare(const char *what, const struct ng_cbpf *filter, const struct hook *hook)
{
	for (unsigned int flags = 0; flags <= NG_FILTER_PLAIN; flags += NG_FILTER_PLAIN) {
		static uint8_t wire[WIRE_MAX];
		uint32_t len, want, got;
		struct packet p;
		int fd = load(filter, hook, flags);

		if (!ok(fd >= 0, "%s, %s: loads", hook->name, what))
			continue;
		make_multicast(&p);
		len = wire_image(&p, hook->mode, wire);
		want = ng_filter_interpret_with(filter, &hook->meta, wire, len, len);
		got = run(fd, hook, &p);
		if (!ok(got == want, "%s, %s%s: %#x", hook->name, what,
			flags ? " (not optimized)" : "", want))
			printf("#   got %#x\n", got);
		close(fd);
	}
}

/* The answer is the number itself, whatever the width of the load. */
static void test_fields(const struct hook *hook)
{
	static const struct {
		const char *name;
		__u32 number;
	} fields[] = {
		{ "direction", SKF_AD_PKTTYPE },
		{ "interface", SKF_AD_IFINDEX },
		{ "mark", SKF_AD_MARK },
		{ "queue", SKF_AD_QUEUE },
		{ "type", SKF_AD_HATYPE },
		{ "tag", SKF_AD_VLAN_TAG },
		{ "tag's presence", SKF_AD_VLAN_TAG_PRESENT },
		{ "tag's protocol", SKF_AD_VLAN_TPID },
	};
	static const unsigned short size[] = { BPF_W, BPF_H, BPF_B };

	for (size_t i = 0; i < N_OF(fields); i++)
		for (size_t s = 0; s < N_OF(size); s++) {
			struct sock_filter insns[] = {
				BPF_STMT(BPF_LD | size[s] | BPF_ABS, META(fields[i].number)),
				BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
				BPF_STMT(BPF_RET | BPF_A, 0),
			};
			const struct ng_cbpf filter = { .insns = insns, .n = N_OF(insns) };

			if (hook->ctx == NG_CTX_XDP && fields[i].number == SKF_AD_MARK)
				is_int(load(&filter, hook, 0), -EOPNOTSUPP,
				       "XDP: refuses the mark");
			else
				compare(fields[i].name, &filter, hook);
		}
}

static void test_expressions(const struct hook *hook)
{
	static const char *const expressions[] = {
		"inbound",	  "outbound",
		"ifindex 1",	  "ifindex 2",
		"inbound and ip", "outbound and not ip",
		"not inbound",	  "ip and ifindex 1 and len > 60",
	};

	for (size_t i = 0; i < N_OF(expressions); i++) {
		struct ng_cbpf filter = { 0 };

		if (!ok(!ng_filter_compile(expressions[i], "expression", ETHERNET, 96, 0, &filter,
					   NULL),
			"%s: compiles", expressions[i]))
			continue;
		compare(expressions[i], &filter, hook);
		ng_cbpf_free(&filter);
	}
}

/* `vlan` as libpcap compiles it for a live interface: the tag beside the bytes or in them. */
static void test_live_vlan(const struct hook *hook)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, META(SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 4, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x8100, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TPID, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 96),
	};
	const struct ng_cbpf filter = { .insns = insns, .n = N_OF(insns) };
	struct packet p;
	int fd = load(&filter, hook, 0);

	make_multicast(&p);
	is_int(run(fd, hook, &p), modes[hook->mode].tagged ? 96 : 0,
	       "%s: a live interface's 'vlan' finds the tag in the bytes", hook->name);
	close(fd);
}

int main(void)
{
	require_bpf();
	for (size_t i = 0; i < N_OF(hooks); i++) {
		test_fields(&hooks[i]);
		test_expressions(&hooks[i]);
		test_live_vlan(&hooks[i]);
	}
	return tap_done();
}
