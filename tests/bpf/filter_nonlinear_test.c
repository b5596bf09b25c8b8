// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters over socket buffers whose headers do not lie in linear memory. BPF_PROG_TEST_RUN cannot
 * make them. A packet socket can, from a frame longer than a page and a virtio header that says how
 * much of it is linear; and so can a TAP device with IFF_NAPI_FRAGS, from frames of any length.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/bpf/filter_run.h"
#include "tests/fuzz/steer.h"
#include "tests/fuzz/ways.h"

#define ETHERNET   1
#define PACKETS	   300
#define LENGTH_MIN 4200
#define LOOPBACK   1 /* its index in every network namespace */

struct result {
	uint32_t answer, linear, length, runs;
};

static const char *const expressions[] = {
	"tcp port 80",
	"udp port 53",
	"ip6 or vlan",
	"not ip",
	"vlan and ip[8] > 30",
	"len > 6000",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"ether[ether[5] & 31:4] > 0x1000000",
	"ether[10:4] & 7 != 1 or ether[14:4] & 3 = 0",
	"ether[4100:4] > 0x40000000 and ether[7000:1] > 10",
	"ether[len - 4:4] & 1 = 1",
	"ether[len - 3:4] & 1 = 1",
	"less 5000 or ip[ip[2:2]:2] > 7",
	"udp[udp[4:2]:4] > 0x1000000 or tcp[tcp[13]:1] > 3",
	"port 1 or port 2 or port 3 or port 5 or port 7 or port 11 or port 13 or port 17 or port 19 or "
	"port 23 or port 29 or port 31 or port 37 or port 41 or port 43 or port 47 or port 53",
	"ip6 host 2001:db8::1 and (tcp[12] > 50 or icmp6)",
	"geneve or (mpls and ip)",
};

static void raise_loopback(int sock)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (ioctl(sock, SIOCSIFFLAGS, &ifr))
		tap_skip_all("the loopback device of a network namespace cannot be set up");
}

/* A socket that sends raw frames through the loopback device of a network namespace of our own. */
static int open_sender(void)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = LOOPBACK };
	int sock, yes = 1;

	if (unshare(CLONE_NEWNET))
		tap_skip_all("unshare(CLONE_NEWNET) is not permitted (CAP_SYS_ADMIN)");
	sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (sock < 0 || setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) ||
	    bind(sock, (struct sockaddr *)&to, sizeof(to)))
		tap_skip_all("no packet socket with virtio headers (CAP_NET_RAW)");
	raise_loopback(sock);
	return sock;
}

/* Calls the body behind it and puts what it says into the map; the packet ends there. */
static int load_reporter(const struct ng_ebpf *body, int map, enum mode mode)
{
	const struct bpf_insn report[] = {
		NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 14),
		NG_INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map),
		NG_INSN(0, 0, 0, 0, 0),
		NG_STORE(BPF_W, BPF_REG_1, offsetof(struct result, answer), BPF_REG_0),
		NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct __sk_buff, data_end)),
		NG_LOAD(BPF_W, BPF_REG_3, BPF_REG_6, offsetof(struct __sk_buff, data)),
		NG_ALU(BPF_SUB, BPF_REG_2, BPF_REG_3),
		NG_STORE(BPF_W, BPF_REG_1, offsetof(struct result, linear), BPF_REG_2),
		NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct __sk_buff, len)),
		NG_STORE(BPF_W, BPF_REG_1, offsetof(struct result, length), BPF_REG_2),
		NG_LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct result, runs)),
		NG_ALU32_I(BPF_ADD, BPF_REG_2, 1),
		NG_STORE(BPF_W, BPF_REG_1, offsetof(struct result, runs), BPF_REG_2),
		NG_MOV_I(BPF_REG_0, 4), /* TC_ACT_STOLEN: a drop that the sender does not see */
		NG_RETURN,
	};
	static struct bpf_insn program[1 << 15];
	size_t n = put_arguments(mode, program);
	int fd;

	memcpy(program + n, report, sizeof(report));
	n += sizeof(report) / sizeof(report[0]);
	memcpy(program + n, body->insns, body->n * sizeof(*program));
	fd = load_program(program, n + body->n, NG_CTX_TC, false);
	if (fd < 0)
		show_refusal();
	return fd;
}

static int send_frame(int sock, const struct packet *p, uint16_t linear)
{
	struct virtio_net_hdr header = { .hdr_len = linear };
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)p->data, p->len } };

	return writev(sock, parts, 2) == (ssize_t)(sizeof(header) + p->len) ? 0 : -errno;
}

/* Sends packets through the attached filter;
 * false at the first that is answered wrongly or was linear. */
static bool send_packets(int sock, int map, const struct ng_cbpf *filter, enum mode mode,
			 struct tally *tally)
{
	static uint8_t wire[WIRE_MAX];
	uint32_t zero = 0,
		 tag_bytes = modes[mode].tagged ? 12 : 0; /* vlan_push makes the addresses linear */

	for (unsigned int i = 0; i < packets_wanted(PACKETS); i++) {
		struct result before = { 0 }, after = { 0 };
		uint32_t len, want, target = LENGTH_MIN + below(3000);
		uint16_t linear = (uint16_t)(14 + below(60));
		struct packet p;
		int ret;

		make_packet(&p);
		while (p.len < target)
			p.data[p.len++] = (uint8_t)rnd();
		bpf_map_lookup_elem(map, &zero, &before);
		ret = send_frame(sock, &p, linear);
		bpf_map_lookup_elem(map, &zero, &after);
		len = wire_image(&p, mode, wire);
		want = ng_filter_interpret(filter, wire, len, len);
		tally->runs++;
		tally->accepted += want != 0;
		if (ret || after.runs != before.runs + 1 || after.length != p.len ||
		    after.linear > linear + tag_bytes) {
			printf("#   send %d, %u runs, %u of %u bytes linear, wanted %u of %u\n",
			       ret, after.runs - before.runs, after.linear, after.length, linear,
			       p.len);
			return false;
		}
		if (want != after.answer) {
			show_mismatch(mode, &p, want, after.answer);
			return false;
		}
	}
	return true;
}

static void test_expression(int sock, int map, const char *expr, enum mode mode)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LOOPBACK, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	struct ng_error err = { 0 };
	struct ng_cbpf filter = { 0 };
	struct ng_ebpf body = { 0 };
	struct tally tally = { 0 };
	bool good;
	int fd = -1, table = -1;

	if (ng_filter_compile(expr, "expression", ETHERNET, 262144, 0, &filter, &err) == 0 &&
	    ng_filter_translate(&filter, NG_CTX_TC, 0, &body, &err) == 0) {
		table = bind_table(&body, body.insns, body.n);
		fd = load_reporter(&body, map, mode);
	}
	opts.prog_fd = fd;
	good = fd >= 0 && bpf_tc_attach(&hook, &opts) == 0;
	if (good) {
		good = send_packets(sock, map, &filter, mode, &tally);
		opts.prog_fd = opts.prog_id = opts.flags = 0;
		bpf_tc_detach(&hook, &opts);
	}
	ok(good && tally.runs > 0, "%s, not linear: %s (%u runs, %u accepted)", modes[mode].name,
	   expr, tally.runs, tally.accepted);
	if (fd >= 0)
		close(fd);
	if (table >= 0)
		close(table);
	ng_ebpf_free(&body);
	ng_cbpf_free(&filter);
}

/* The same through the TAP device. */
static void test_pages(const char *expr, enum way way)
{
	static struct ways_state state[WAYS_FILTERS];
	static struct packet p;
	struct ng_error err = { 0 };
	struct ng_cbpf filter = { 0 };
	struct tally tally = { 0 };
	uint32_t answer[WAYS_FILTERS];
	struct run run;

	if (ng_filter_compile(expr, "expression", ETHERNET, 262144, 0, &filter, &err) == 0) {
		ways_load(WAYS_TC, &(struct ways_filter){ &filter, 0, false }, 1, state);
	}
	for (unsigned int i = 0; filter.n && i < packets_wanted(PACKETS); i++) {
		uint32_t want;

		if (way == WAY_TC_PAGED_TAG)
			make_tagged_packet(&p);
		else
			make_packet(&p);
		if (way != WAY_TC_PAGED_TAG && below(2))
			steer_packet(&filter, &p);
		if (!ways_choose(&p, way, &run) || ways_run(&p, &run, answer))
			continue;
		want = ng_filter_interpret(&filter, p.data, p.len, p.len);
		tally.runs++;
		tally.accepted += want != 0;
		tally.wrong += want != answer[0];
	}
	ok(state[0].status == WAYS_LOADED && tally.runs && !tally.wrong,
	   "%s: %s (%u runs, %u accepted)", way_names[way], expr, tally.runs, tally.accepted);
	ng_cbpf_free(&filter);
}

static void test_all_pages(void)
{
	if (ways_open() || way_closed(WAY_TC_PAGED)) {
		tap_skip(way_closed(WAY_TC_PAGED));
		return;
	}
	for (enum way way = WAY_TC_PAGED; way < WAYS; way++)
		for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
			test_pages(expressions[i], way);
}

int main(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LOOPBACK, .attach_point = BPF_TC_EGRESS);
	int map, sock;

	require_bpf();
	sock = open_sender();
	if (bpf_tc_hook_create(&hook))
		tap_skip_all("no clsact qdisc (NET_SCH_INGRESS, NET_CLS_BPF)");
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "result", 4, sizeof(struct result), 1, NULL);
	printf("# seed %#llx\n", (unsigned long long)random_state);
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		test_expression(sock, map, expressions[i], TC_PLAIN);
		test_expression(sock, map, expressions[i], TC_TAGGED);
	}
	close(map);
	close(sock);
	test_all_pages();
	return tap_done();
}
