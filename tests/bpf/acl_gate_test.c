// SPDX-License-Identifier: GPL-2.0-only
/* Changes of a gate's ACL as commands make them: in place where there is room, else by a new generation. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "ctl/dataplane/acl.h"
#include "tests/tap.h"

#define BELOW 3000 /* more rows than new tables keep free */

static struct ng_gate *load(void)
{
	const struct ng_gate_spec spec = { .hook = NG_HOOK_TC_IN };
	struct ng_gate *gate = NULL;
	struct ng_error err;

	return ng_gate_load(spec.hook, NULL, &spec, &gate, &err) ? NULL : gate;
}

static struct ng_acl_item item4(__u32 address, __u8 len, __u8 proto)
{
	return (struct ng_acl_item){
		.key = { .prefix = { .family = NG_IPV4, .len = len, .addr_be[0] = htonl(address) },
			 .any_proto = !proto,
			 .proto = proto,
			 .any_port = true,
			 .port_hi = 65535 },
		.verdict = NG_DROP,
	};
}

static int replace(struct ng_gate *gate, struct ng_acl_item *item, size_t n)
{
	struct ng_acl_change done = { 0 };
	struct ng_acl_tables built;
	int rc = ng_gate_acl_make(gate, item, n, false, &built, &done, NULL);

	return rc ? rc : ng_gate_acl_swap(gate, &built, NULL);
}

/* A prefix above many rows: all of them are made anew when it goes, and there may be no room for that. */
static void test_delete_above_rows(struct ng_gate *gate)
{
	struct ng_acl_item *item = calloc(BELOW + 1, sizeof(*item));
	struct ng_acl_item wide = item4(0x0a000000, 8, 17);
	struct ng_error err = { 0 };
	__u32 id;

	for (__u32 i = 0; i < BELOW; i++)
		item[i] = item4(0x0a000000 + i, 32, 6);
	item[BELOW] = wide;
	is_int(replace(gate, item, BELOW + 1), 0, "a prefix above %d others with rows", BELOW);
	is_int(ng_gate_acl_del(gate, &wide.key, &err), 0, "is deleted");
	is_int(gate->maps.acl.head->clause.used, BELOW, "and nothing else");
	is_int(ng_acl_find(&gate->maps.acl, &wide.key, &id), -ENOENT, "it is not found");
	is_int(ng_gate_acl_del(gate, &wide.key, &err), -ENOENT, "nor deleted again");
	free(item);
}

static void test_nothing_added(struct ng_gate *gate)
{
	struct ng_acl_change done = { 0 };
	struct ng_error err = { 0 };
	__u32 gen = gate->maps.acl_gen;

	is_int(ng_gate_acl_add(gate, NULL, 0, &done, &err), 0, "no clauses are added");
	is_int(gate->maps.acl_gen, gen, "which needs no new tables");
}

/* Of clauses whose time is over, many above rows are left out of new tables, not taken out one by one. */
static void test_many_over(struct ng_gate *gate)
{
	enum { EACH = 4000 };
	struct ng_acl_item *item = calloc(2 * EACH, sizeof(*item));
	struct ng_error err = { 0 };
	__u32 gen;

	for (__u32 i = 0; i < EACH; i++) {
		item[2 * i] = item4(0x0a000000 + (i << 8), 24, 0);
		item[2 * i].deadline = 1;
		item[2 * i + 1] = item4(0x0a000000 + (i << 8), 32, 6);
	}
	is_int(replace(gate, item, 2 * EACH), 0, "%d have had their time", EACH);
	gen = gate->maps.acl_gen;
	is_int(ng_gate_acl_mend(gate, &err), 0, "they are taken out");
	is_int(gate->maps.acl.head->clause.used, EACH, "all of them");
	is_int(gate->maps.acl_gen, gen + 1, "by new tables");
	is_int(gate->maps.acl.head->deadline, 0, "no other ends");
	free(item);
}

/* The items are not looked at: there are not so many. */
static void test_too_many(void)
{
	const struct ng_acl_size like = { .engine = NG_ENGINE_TRIE };
	struct ng_acl_tables built;
	size_t bad;

	is_int(ng_acl_build(NULL, NG_TRIE_ID_MAX, &like, &built, &bad), -EFBIG,
	       "more clauses than there are ids are no fault of a prefix");
}

int main(void)
{
	struct ng_gate *gate = load();

	if (!gate)
		tap_skip_all("no permission to load programs");
	test_delete_above_rows(gate);
	test_many_over(gate);
	test_nothing_added(gate);
	test_too_many();
	ng_gate_close(gate);
	return tap_done();
}
