// SPDX-License-Identifier: GPL-2.0-only
/* How clauses combine in the data path: sides, covering prefixes, counting, what each asks for. */
#include "maps/acl_store.h"
#include "tests/bpf/gate_run.h"

#define CLAUSES_MAX 10
#define ANY	    -1

struct clause {
	const char *prefix;
	enum ng_side side;
	__u8 verdict;
	int proto, port_lo, port_hi;
	unsigned int hits;
};

/* clang-format off */
#define UDP_TO(port)   ETH4 IP4("001c", "0000", "11") UDP("c000", port)
#define LATER_FRAGMENT ETH4 IP4("001c", "2001", "11") UDP("c000", "0035")
#define CUT_IP4	       MACS "81000005" "0800" "45000000"
#define CUT_IP6	       MACS "81000005" "86dd" "60000000"
#define THREE_TAGS     MACS "81000005" "81000005" "81000005" "0800"

static const struct {
	const char *name, *hex;
	int verdict, reason;
	struct clause clause[CLAUSES_MAX];
} rows[] = {
	{ "source pass is final, destination drop is not asked", UDP_TO("0035"), NG_PASS, NG_R_ACL_SRC,
	  { { "192.0.2.0/24", NG_SRC, NG_PASS, ANY, ANY, ANY, 1 },
	    { "198.51.100.1/32", NG_DST, NG_DROP, ANY, ANY, ANY, 0 } } },
	{ "source counts and goes on, destination decides", UDP_TO("0035"), NG_DROP, NG_R_ACL_DST,
	  { { "192.0.2.0/24", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "198.51.100.0/24", NG_DST, NG_DROP, ANY, ANY, ANY, 1 } } },
	{ "count only: the default decides", UDP_TO("0035"), NG_PASS, NG_R_DEFAULT,
	  { { "192.0.2.0/24", NG_SRC, NG_COUNT, 17, 53, 53, 1 } } },
	{ "the longest prefix decides first", UDP_TO("0035"), NG_PASS, NG_R_ACL_SRC,
	  { { "192.0.0.0/16", NG_SRC, NG_DROP, ANY, ANY, ANY, 0 },
	    { "192.0.2.0/24", NG_SRC, NG_PASS, ANY, ANY, ANY, 1 } } },
	{ "where it does not fit, the covering prefix decides", UDP_TO("0050"), NG_DROP, NG_R_ACL_SRC,
	  { { "192.0.2.1/32", NG_SRC, NG_PASS, ANY, 53, 53, 0 },
	    { "192.0.0.0/16", NG_SRC, NG_DROP, ANY, ANY, ANY, 1 } } },
	{ "every clause that fits on the way counts", UDP_TO("0050"), NG_DROP, NG_R_ACL_SRC,
	  { { "192.0.2.1/32", NG_SRC, NG_COUNT, 17, ANY, ANY, 1 },
	    { "192.0.2.1/32", NG_SRC, NG_COUNT, 6, ANY, ANY, 0 },
	    { "192.0.2.0/24", NG_SRC, NG_COUNT, ANY, 80, 80, 1 },
	    { "192.0.0.0/16", NG_SRC, NG_DROP, ANY, ANY, ANY, 1 },
	    { "192.0.0.0/8", NG_SRC, NG_COUNT, ANY, ANY, ANY, 0 } } },
	{ "the eighth clause in effect still decides", UDP_TO("0035"), NG_DROP, NG_R_ACL_SRC,
	  { { "192.0.2.1/32", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/31", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/30", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/29", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/28", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/27", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/26", NG_SRC, NG_COUNT, ANY, ANY, ANY, 1 },
	    { "192.0.2.0/25", NG_SRC, NG_DROP, ANY, ANY, ANY, 1 } } },
	{ "another address", UDP_TO("0035"), NG_PASS, NG_R_DEFAULT,
	  { { "192.0.2.2/32", NG_SRC, NG_DROP, ANY, ANY, ANY, 0 },
	    { "192.0.2.1/32", NG_DST, NG_DROP, ANY, ANY, ANY, 0 } } },
	{ "0.0.0.0/0 is every IPv4 address", UDP_TO("0035"), NG_DROP, NG_R_ACL_SRC,
	  { { "0.0.0.0/0", NG_SRC, NG_DROP, ANY, ANY, ANY, 1 } } },
	{ "first port of a range", UDP_TO("0035"), NG_DROP, NG_R_ACL_SRC,
	  { { "192.0.2.1/32", NG_SRC, NG_DROP, ANY, 53, 60, 1 } } },
	{ "last port of a range", UDP_TO("003c"), NG_DROP, NG_R_ACL_SRC,
	  { { "192.0.2.1/32", NG_SRC, NG_DROP, ANY, 53, 60, 1 } } },
	{ "port below a range", UDP_TO("0034"), NG_PASS, NG_R_DEFAULT,
	  { { "192.0.2.1/32", NG_SRC, NG_DROP, ANY, 53, 60, 0 } } },
	{ "port above a range", UDP_TO("003d"), NG_PASS, NG_R_DEFAULT,
	  { { "192.0.2.1/32", NG_SRC, NG_DROP, ANY, 53, 60, 0 } } },
	{ "IPv6 by a short prefix", ETH6 IP6("0008", "11") UDP("c000", "0035"), NG_DROP, NG_R_ACL_SRC,
	  { { "2001:db8::/32", NG_SRC, NG_DROP, 17, 53, 53, 1 } } },
	{ "IPv6 by destination", ETH6 IP6("0008", "11") UDP("c000", "0035"), NG_DROP, NG_R_ACL_DST,
	  { { "2001:db8::2/128", NG_DST, NG_DROP, ANY, ANY, ANY, 1 } } },
	{ "later fragment: a clause before the one that asks decides", LATER_FRAGMENT, NG_PASS,
	  NG_R_ACL_SRC,
	  { { "192.0.2.1/32", NG_SRC, NG_PASS, 17, ANY, ANY, 1 },
	    { "192.0.2.0/24", NG_SRC, NG_DROP, ANY, 53, 53, 0 } } },
	{ "later fragment: a clause that asks, then one that does not", LATER_FRAGMENT, NG_DROP,
	  NG_R_FRAGMENT,
	  { { "192.0.2.1/32", NG_SRC, NG_PASS, ANY, 53, 53, 0 },
	    { "192.0.2.0/24", NG_SRC, NG_PASS, ANY, ANY, ANY, 0 } } },
	{ "later fragment: the destination's clause asks", LATER_FRAGMENT, NG_DROP, NG_R_FRAGMENT,
	  { { "198.51.100.1/32", NG_DST, NG_PASS, 17, 53, 53, 0 } } },
	{ "later fragment: another protocol's clause does not ask", LATER_FRAGMENT, NG_PASS,
	  NG_R_DEFAULT,
	  { { "192.0.2.1/32", NG_SRC, NG_DROP, 6, 53, 53, 0 } } },
	{ "later fragment: a count clause asks for nothing", LATER_FRAGMENT, NG_PASS, NG_R_DEFAULT,
	  { { "192.0.2.1/32", NG_SRC, NG_COUNT, ANY, 53, 53, 0 } } },
	{ "cut IPv4 header: only IPv6 prefixes", CUT_IP4, NG_PASS, NG_R_TRUNC_IP,
	  { { "2001:db8::/32", NG_SRC, NG_PASS, ANY, ANY, ANY, 0 } } },
	{ "cut IPv4 header: an IPv4 prefix, by destination", CUT_IP4, NG_DROP, NG_R_TRUNC_IP,
	  { { "10.0.0.0/8", NG_DST, NG_PASS, ANY, ANY, ANY, 0 } } },
	{ "cut IPv6 header: only IPv4 prefixes", CUT_IP6, NG_PASS, NG_R_TRUNC_IP,
	  { { "10.0.0.0/8", NG_DST, NG_PASS, ANY, ANY, ANY, 0 } } },
	{ "cut IPv6 header: an IPv6 prefix, by destination", CUT_IP6, NG_DROP, NG_R_TRUNC_IP,
	  { { "2001:db8::/32", NG_DST, NG_PASS, ANY, ANY, ANY, 0 } } },
	{ "three tags: any prefix at all", THREE_TAGS, NG_DROP, NG_R_VLAN_DEPTH,
	  { { "2001:db8::/32", NG_DST, NG_PASS, ANY, ANY, ANY, 0 } } },
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct gates gates;

static struct ng_acl_key clause_key(const struct clause *c)
{
	struct ng_acl_key key = {
		.side = c->side,
		.any_proto = c->proto == ANY,
		.proto = c->proto == ANY ? 0 : (__u8)c->proto,
		.any_port = c->port_lo == ANY,
		.port_lo = c->port_lo == ANY ? 0 : (__u16)c->port_lo,
		.port_hi = c->port_lo == ANY ? 65535 : (__u16)c->port_hi,
	};
	char text[64];
	char *slash;

	snprintf(text, sizeof(text), "%s", c->prefix);
	slash = strchr(text, '/');
	*slash = '\0';
	key.prefix.len = (__u8)atoi(slash + 1);
	key.prefix.family = strchr(text, ':') ? NG_IPV6 : NG_IPV4;
	inet_pton(key.prefix.family == NG_IPV6 ? AF_INET6 : AF_INET, text, key.prefix.addr_be);
	return key;
}

static bool set_clauses(const struct clause *clauses)
{
	gates_empty(&gates);
	for (int i = 0; i < CLAUSES_MAX && clauses[i].prefix; i++) {
		struct ng_acl_key key = clause_key(&clauses[i]);

		if (gates_put(&gates, &key, clauses[i].verdict))
			return false;
	}
	return true;
}

/* Every clause was hit as often as its row says, by frames of `bytes` in all. */
static bool hits_agree(const struct clause *clauses, const char *name, unsigned int runs,
		       __u64 bytes)
{
	bool agree = true;

	for (int i = 0; i < CLAUSES_MAX && clauses[i].prefix; i++) {
		struct ng_acl_key key = clause_key(&clauses[i]);
		struct ng_acl_entry entry = { 0 };
		__u64 packets = clauses[i].hits * runs;
		__u32 id = 0;

		if (!ng_acl_find(&gates.maps.acl, &key, &id) &&
		    !ng_acl_entry_get(&gates.maps.acl, id, &entry) && entry.packets == packets &&
		    entry.bytes == clauses[i].hits * bytes)
			continue;
		printf("#   %s: %s: %llu packets, %llu bytes; want %llu, %llu\n", name,
		       clauses[i].prefix, entry.packets, entry.bytes, packets,
		       clauses[i].hits * bytes);
		agree = false;
	}
	return agree;
}

static void run_row(size_t n)
{
	unsigned int runs = 0;
	bool good = set_clauses(rows[n].clause);
	struct outcome o;
	struct frame f;
	__u64 bytes = 0;

	frame_set(&f, rows[n].hex);
	for (int way = 0; way < WAYS; way++) {
		if (gates_judge(&gates, way, &f, &o))
			continue;
		runs++;
		bytes += gates_bytes(way, &f);
		if (o.exact && o.verdict == rows[n].verdict && o.reason == rows[n].reason)
			continue;
		printf("#   %s: got %s %s\n", ways[way].name, ng_verdict_name[o.verdict],
		       ng_reason_name[o.reason]);
		good = false;
	}
	good = hits_agree(rows[n].clause, rows[n].name, runs, bytes) && good;
	ok(runs == WAYS && good, "%s", rows[n].name);
}

/* With segmentation offload an IP length of 0 stands for all the rest; without, it lies. */
static void run_large(const char *name, const char *hex, __u32 gso_size, int reason)
{
	struct __sk_buff ctx = { .gso_size = gso_size };
	struct frame f;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	struct outcome o;
	int rc;

	frame_set(&f, hex);
	opts.data_in = f.data;
	opts.data_size_in = f.len;
	rc = bpf_prog_test_run_opts(gates.prog_fd[TC_PLAIN], &opts);
	o = gates_counted(&gates, f.len);
	ok(!rc && o.exact && o.reason == reason, "%s: %s", name, ng_reason_name[o.reason]);
}

/* Damage: what a lookup follows leads out of a table. */
static void row_of_no_table(struct ng_acl_tables *t, __u32 *leaf)
{
	*leaf = NG_TRIE_LEAF | NG_LEAF_ROW | t->head->row.size;
}

static void clause_of_no_table(struct ng_acl_tables *t, __u32 *leaf)
{
	ng_row_at(t, *leaf & NG_LEAF_ID)->clause[0] = ~0u;
}

static void node_of_no_table(struct ng_acl_tables *t, __u32 *leaf)
{
	*leaf = NG_TRIE_NODE | t->head->node.size;
}

static const struct damage {
	const char *name;
	void (*make)(struct ng_acl_tables *t, __u32 *leaf);
	int reason;
} damages[] = {
	{ "a row out of its table", row_of_no_table, NG_R_INTERNAL },
	{ "a clause out of its table", clause_of_no_table, NG_R_INTERNAL },
	{ "a node out of its table", node_of_no_table, NG_R_DEFAULT },
};

/* The default decides, and it shows. */
static void run_broken(const struct damage *d, __u32 default_verdict)
{
	static const struct clause clause[CLAUSES_MAX] = { { "192.0.0.0/16", NG_SRC, NG_PASS, 17,
							     ANY, ANY, 0 } };
	struct ng_acl_tables *t = &gates.maps.acl;
	__u32 *leaf = ng_pages_at(&t->pages[NG_ACL_ROOT4_SRC], 0xc000 * sizeof(*leaf)), was;
	struct ng_acl_row row;
	struct outcome o = { 0 };
	struct frame f;

	set_clauses(clause);
	gates.maps.control->default_verdict = default_verdict;
	was = *leaf;
	row = *ng_row_at(t, was & NG_LEAF_ID);
	d->make(t, leaf);
	frame_set(&f, UDP_TO("0035"));
	ok(was & NG_LEAF_ROW && !gates_judge(&gates, TC_PLAIN, &f, &o) && o.exact &&
		   o.verdict == (int)default_verdict && o.reason == d->reason,
	   "%s: default %s", d->name, ng_verdict_name[default_verdict]);
	*leaf = was;
	*ng_row_at(t, was & NG_LEAF_ID) = row;
	gates.maps.control->default_verdict = NG_PASS;
}

int main(void)
{
	require_gates(&gates);
	for (size_t i = 0; i < ROWS; i++)
		run_row(i);
	gates_set(&gates, &settings[ON_PORT]);
	run_large("tc: IPv4 of length 0 with offload",
		  ETH4 IP4("0000", "0000", "11") UDP("c000", "0035"), 1000, NG_R_ACL_SRC);
	run_large("tc: IPv4 of length 0 without",
		  ETH4 IP4("0000", "0000", "11") UDP("c000", "0035"), 0, NG_R_BAD_IP);
	run_large("tc: IPv6 jumbogram with offload",
		  ETH6 IP6("0000", "00") EXT("11") UDP("c000", "0035"), 1000, NG_R_ACL_SRC);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		run_broken(&damages[i], NG_PASS);
		run_broken(&damages[i], NG_DROP);
	}
	return tap_done();
}
