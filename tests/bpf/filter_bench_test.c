// SPDX-License-Identifier: GPL-2.0-only
/* The bench of the filter compiler measures what it says: traffic, frames, other people's code. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/filter/report.h"
#include "tests/tap.h"

#define DLT_EN10MB 1

static const char *const filters[] = {
	"tcp",
	"udp port 53",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"net 10.0.0.0/8 and not port 80",
	"vlan and tcp port 80",
	"ip[2:2] * 3 - ip[8] > len or ip6",
	"ether[40000] = 1 or arp",
};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

static struct ng_cbpf compile(const char *expr)
{
	struct ng_cbpf cbpf = { 0 };
	struct ng_error err;

	if (ng_filter_compile(expr, "expression", DLT_EN10MB, 262144, NG_FILTER_STRICT, &cbpf,
			      &err))
		ok(false, "'%s' compiles: %s", expr, err.what);
	return cbpf;
}

static size_t count_matching(const struct deal *deal, const char *expr)
{
	struct ng_cbpf cbpf = compile(expr);
	uint8_t wire[WIRE_MAX];
	size_t sum = 0;

	for (size_t i = 0; i < deal->count; i++) {
		unsigned int len = deal_wire(deal, i, wire);

		sum += ng_filter_interpret(&cbpf, wire, len, len) != 0;
	}
	ng_cbpf_free(&cbpf);
	return sum;
}

static void test_traffic(void)
{
	struct ng_cbpf udp = compile("udp"), none = compile("ip proto 99");
	struct deal deal;

	packets_mix(IN_TURN, NULL, &deal);
	is_int(count_matching(&deal,
			      "tcp or udp or icmp or icmp6 or arp or vlan or ether[12:2]=0x88cc"),
	       PACKETS, "every packet of the mix is of a known kind");
	is_int(count_matching(&deal, "vlan"), 9, "nine have a tag");
	packets_mix(TAGGED, NULL, &deal);
	is_int(count_matching(&deal, "vlan 5"), PACKETS, "with a tag in metadata, all have");
	packets_mix(MATCHING, &udp, &deal);
	is_int(count_matching(&deal, "udp"), PACKETS, "the matching ones match");
	is_int(packets_mix(MATCHING, &none, &deal), -ENOENT, "if there are any");
	ng_cbpf_free(&udp);
	ng_cbpf_free(&none);
}

static struct deal deals[TRAFFICS];

static void check(const char *who, const char *expr, const struct copy *copy,
		  enum ng_filter_ctx ctx, enum traffic traffic, const struct ng_cbpf *classic)
{
	struct ng_error err = { 0 };

	if (!ok(!frame_check(&deals[traffic], ctx, copy, classic, &err), "%s answers '%s', %s", who,
		expr, deals[traffic].name))
		printf("#   %s\n", err.what);
}

static void test_filter(const char *expr)
{
	struct ng_cbpf classic = compile(expr);
	struct copy kernel = { 0 }, xdp = { 0 }, tc = { 0 };

	ok(!kernel_translate(&classic, &kernel.code, NULL), "the kernel's code of '%s'", expr);
	check("the kernel's code", expr, &kernel, NG_CTX_TC, SHUFFLED, &classic);
	ng_filter_translate(&classic, NG_CTX_XDP, NG_FILTER_PLAIN, &xdp.code, NULL);
	check("a body", expr, &xdp, NG_CTX_XDP, SHUFFLED, &classic);
	ng_filter_translate(&classic, NG_CTX_TC, 0, &tc.body, NULL);
	ng_filter_inline(&classic, NG_CTX_TC, &frame_site, &tc.code);
	check("inlined code", expr, &tc, NG_CTX_TC, SHUFFLED, &classic);
	check("inlined code", expr, &tc, NG_CTX_TC, TAGGED, &classic);
	copy_free(&kernel);
	copy_free(&xdp);
	copy_free(&tc);
	ng_cbpf_free(&classic);
}

/* A frame's check must be able to fail. */
static void test_wrong(void)
{
	struct ng_cbpf tcp = compile("tcp"), udp = compile("udp");
	struct copy copy = { 0 };
	struct ng_error err;

	ng_filter_translate(&udp, NG_CTX_XDP, NG_FILTER_PLAIN, &copy.code, NULL);
	is_int(frame_check(&deals[IN_TURN], NG_CTX_XDP, &copy, &tcp, &err), -EDOM,
	       "another filter is found out");
	copy_free(&copy);
	ng_cbpf_free(&tcp);
	ng_cbpf_free(&udp);
}

/* Sets of one chain, of several, and what the kernel does not take. */
static void test_expansion(size_t n)
{
	uint32_t *address = set_addresses(n);
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26),
		BPF_JUMP(BPF_JMP | NG_BPF_IN | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct ng_set set = { .key = address, .n = n };
	const struct ng_cbpf in = { .insns = insns, .n = 4, .sets = &set, .n_sets = 1 };
	struct ng_cbpf out = { 0 };
	uint8_t packet[PACKET_LEN] = { 0 };
	unsigned int wrong = 0;

	if (!ok(address && !set_expand(&in, &out), "a set of %zu becomes a chain", n))
		return;
	for (size_t i = 0; i < 2 * n; i++) {
		uint32_t key = address[i / 2] - (i & 1); /* members are odd */

		for (int b = 0; b < 4; b++)
			packet[26 + b] = (uint8_t)(key >> 8 * (3 - b));
		wrong += ng_filter_interpret(&out, packet, PACKET_LEN, PACKET_LEN) != !(i & 1);
	}
	is_int(wrong, 0, "which knows them, and no others");
	ng_cbpf_free(&out);
	free(address);
}

static void test_figures(void)
{
	struct row row = { .rounds = 3 };
	struct choice all = { .rows = &row, .n = 1 };
	const double fast[] = { 1, 2, 4 }, slow[] = { 3, 6, 12 };

	row.of[IN_TURN][OURS_XDP] = (struct figure){ .known = true, .ns = 2 };
	row.of[IN_TURN][LIBPCAP] = (struct figure){ .known = true, .ns = 6 };
	memcpy(row.of[IN_TURN][OURS_XDP].net, fast, sizeof(fast));
	memcpy(row.of[IN_TURN][LIBPCAP].net, slow, sizeof(slow));
	ok(report_ratio(&all, LIBPCAP, OURS_XDP) > 2.999 &&
		   report_ratio(&all, LIBPCAP, OURS_XDP) < 3.001,
	   "a ratio is that of each round");
	is_int(report_ratio(&all, LIBPCAP, OURS_TC), 0, "none without both figures");
	is_int(report_worst(&all, LIBPCAP), 6, "the slowest");
}

int main(void)
{
	if (geteuid())
		tap_skip_all("needs CAP_BPF and CAP_NET_ADMIN");
	libbpf_set_print(NULL);
	test_traffic();
	test_figures();
	for (size_t n = 1; n <= 1000; n *= 10)
		test_expansion(n);
	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		if (traffic != MATCHING &&
		    (packets_mix((enum traffic)traffic, NULL, &deals[traffic]) ||
		     deal_open(&deals[traffic])))
			tap_skip_all("BPF_MAP_CREATE is not permitted");
	for (size_t i = 0; i < FILTERS; i++)
		test_filter(filters[i]);
	test_wrong();
	return tap_done();
}
