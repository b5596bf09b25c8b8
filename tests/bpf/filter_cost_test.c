// SPDX-License-Identifier: GPL-2.0-only
/*
 * What filters cost, against tests/golden/filter_cost.tsv; `make golden` (--write) rewrites it.
 *
 * Instructions have to be the same where libpcap is the same. The work of the verifier may grow by a
 * quarter, where the kernel is one of the same release.
 */
#include <errno.h>
#include <pcap/dlt.h>
#include <sys/utsname.h>

#include "ctl/filter/pcap.h"
#include "tests/fuzz/ways.h"
#include "tests/tap.h"

#define GOLDEN "tests/golden/filter_cost.tsv"
#define HEAD   "# libpcap %s, Linux %s\n"

static const char *const expressions[] = {
	"ip",
	"ip6",
	"tcp",
	"arp or icmp",
	"ether host 02:00:00:00:00:01",
	"ether multicast",
	"udp port 53",
	"tcp port 80",
	"port 443",
	"host 10.0.0.1",
	"net 10.0.0.0/8",
	"src net 192.168.0.0/16 and dst port 443",
	"not (tcp or udp or arp)",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"tcp dst port 80 and tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
	"vlan",
	"vlan 5 and tcp port 80",
	"vlan and vlan and ip",
	"vlan 5 or vlan 7",
	"mpls 1024 and host 10.0.0.1",
	"pppoes and ip",
	"llc",
	"stp",
	"portrange 1000-2000",
	"less 100",
	"greater 200 and udp",
	"ip6 host 2001:db8::1",
	"ip6 net 2001:db8::/32 and tcp port 443",
	"icmp6 and ip6[40] = 135",
	"udp port 53 and udp[10] & 0x80 = 0",
	"geneve",
	"geneve and tcp port 80",
	"ip[6:2] & 0x1fff != 0",
	"(ip[4:4] << ip[8]) & 0xff00 != 0 or (ip[4:4] >> ip[9]) = 7",
	"ip[2:2] / ip[8] > 10 or ip[4:2] % (ip[9] - 6) = 1",
	"ether[len - 4:4] > 0x80000000",
	"ether[ip[8] & 31:4] > 0x40000000",
	"ether[5000:2] > 7",
	"(tcp port 80 or tcp port 443 or tcp port 8080 or tcp port 8443) and "
	"(net 10.0.0.0/8 or net 192.168.0.0/16 or net 172.16.0.0/12) and not host 10.0.0.1",
	"host 10.0.0.1 or host 10.0.0.2 or host 10.0.0.3 or host 10.0.0.4 or host 10.0.0.5 or "
	"host 10.0.0.6 or host 10.0.0.7 or host 10.0.0.8 or host 10.0.0.9 or host 10.0.0.10 or "
	"host 10.0.0.11 or host 10.0.0.12 or host 10.0.0.13 or host 10.0.0.14 or host 10.0.0.15 "
	"or host 10.0.0.16 or host 10.0.0.17 or host 10.0.0.18 or host 10.0.0.19",
	"tcp and (port 1 or port 2 or port 3 or port 5 or port 7 or port 11 or port 13 or port 17 "
	"or port 19 or port 23 or port 29 or port 31 or port 37 or port 41 or port 43 or port 47)",
};
#define N_EXPRESSIONS (sizeof(expressions) / sizeof(expressions[0]))

static int measure(const char *expr, struct ways_cost cost[WAYS_HOOKS])
{
	struct ng_cbpf program;
	struct ng_error err;
	int ret;

	if (ng_filter_compile(expr, "expression", DLT_EN10MB, 262144, 0, &program, &err))
		return -1;
	ret = ways_measure(WAYS_XDP, &(struct ways_filter){ &program, 0, true }, &cost[WAYS_XDP]) |
	      ways_measure(WAYS_TC, &(struct ways_filter){ &program, 0, true }, &cost[WAYS_TC]);
	ng_cbpf_free(&program);
	return ret;
}

/* "6.18": what verifiers of one release have in common. */
static const char *release(void)
{
	static struct utsname name;
	char *end;

	uname(&name);
	end = strchr(name.release, '.');
	if (end)
		end[1 + strspn(end + 1, "0123456789")] = '\0';
	return name.release;
}

static const char *libpcap(void)
{
	static char version[32];
	const char *text = strstr(pcap_lib_version(), "version ");

	sscanf(text ? text : "", "version %31s", version);
	return version;
}

static int write_golden(void)
{
	FILE *f = fopen(GOLDEN, "w");

	if (!f)
		return perror(GOLDEN), 1;
	fprintf(f, HEAD, libpcap(), release());
	fprintf(f,
		"# eBPF instructions as a subprogram, in place, through which the verifier went; "
		"at XDP and at tc; expression\n");
	for (size_t i = 0; i < N_EXPRESSIONS; i++) {
		struct ways_cost cost[WAYS_HOOKS] = { 0 };

		if (measure(expressions[i], cost))
			fprintf(stderr, "%s: cannot be loaded\n", expressions[i]);
		for (int hook = 0; hook < WAYS_HOOKS; hook++)
			fprintf(f, "%zu\t%zu\t%zu\t", cost[hook].body, cost[hook].in_place,
				cost[hook].verified);
		fprintf(f, "%s\n", expressions[i]);
	}
	return fclose(f) != 0;
}

/* The line of the expression; false: there is none. */
static bool find_golden(FILE *f, const char *expr, struct ways_cost cost[WAYS_HOOKS])
{
	static char line[2048];
	struct ways_cost *x = &cost[WAYS_XDP], *t = &cost[WAYS_TC];

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%n", &x->body, &x->in_place,
			   &x->verified, &t->body, &t->in_place, &t->verified, &at) == 6 &&
		    at && strcmp(line + at, expr) == 0)
			return true;
	}
	return false;
}

static void test_work(const char *expr, const struct ways_cost *got, const struct ways_cost *want,
		      bool same_kernel)
{
	if (!ok(!same_kernel || got->verified <= want->verified + want->verified / 4,
		"%s: the verifier goes through %zu instructions", expr, got->verified))
		printf("#   before: %zu\n", want->verified);
}

static void test_hook(const char *expr, enum ways_hook hook, const struct ways_cost *got,
		      const struct ways_cost *want, bool same_libpcap)
{
	if (!same_libpcap)
		return;
	if (!ok(got->body == want->body && got->in_place == want->in_place,
		"%s: %zu instructions at %s, %zu in place", expr, got->body,
		hook == WAYS_TC ? "tc" : "XDP", got->in_place))
		printf("#   before: %zu and %zu. If it is meant so: make golden\n", want->body,
		       want->in_place);
}

static void test_expression(FILE *f, const char *expr, bool same_libpcap, bool same_kernel)
{
	struct ways_cost got[WAYS_HOOKS] = { 0 }, want[WAYS_HOOKS] = { 0 };

	if (!ok(measure(expr, got) == 0, "%s: loads", expr) ||
	    !ok(find_golden(f, expr, want), "%s: is in %s", expr, GOLDEN))
		return;
	for (enum ways_hook hook = 0; hook < WAYS_HOOKS; hook++) {
		test_hook(expr, hook, &got[hook], &want[hook], same_libpcap);
		test_work(expr, &got[hook], &want[hook], same_kernel);
	}
}

int main(int argc, char **argv)
{
	char of_libpcap[32] = "", of_kernel[32] = "";
	bool same_libpcap, same_kernel;
	FILE *f;

	if (ways_open())
		tap_skip_all(
			"BPF_PROG_LOAD is not permitted (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON)");
	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return write_golden();
	f = fopen(GOLDEN, "r");
	if (!f || fscanf(f, "# libpcap %31[^,], Linux %31s", of_libpcap, of_kernel) != 2) {
		ok(false, "%s can be read: %s", GOLDEN, strerror(errno));
		return tap_done();
	}
	same_libpcap = strcmp(of_libpcap, libpcap()) == 0;
	same_kernel = same_libpcap && strcmp(of_kernel, release()) == 0;
	if (!same_libpcap)
		tap_skip("instructions are compared under the libpcap that the table names");
	if (!same_kernel)
		tap_skip("the verifier's work is compared under the kernel that the table names");
	for (size_t i = 0; i < N_EXPRESSIONS; i++)
		test_expression(f, expressions[i], same_libpcap, same_kernel);
	fclose(f);
	return tap_done();
}
