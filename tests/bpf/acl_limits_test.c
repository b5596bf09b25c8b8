// SPDX-License-Identifier: GPL-2.0-only
/* The ACL at its limits: full tables, deep nests of prefixes,
 * many clauses on one prefix, the default size filled. */
#include <time.h>

#include <bpf/libbpf.h>

#include "maps/counters.h"
#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

static struct ng_maps m;
static struct model o;

static struct ng_acl_key key4(__u32 address, __u8 len)
{
	return (struct ng_acl_key){
		.prefix = { .family = NG_IPV4, .len = len, .addr_be[0] = htonl(address) },
		.any_proto = true,
		.any_port = true,
		.port_hi = 65535,
	};
}

static int add(const struct ng_acl_key *key, __u8 verdict)
{
	bool existed;
	int err = ng_acl_add(&m, key, verdict, &existed);

	if (!err)
		model_add(&o, key, verdict);
	return err;
}

static bool agree(void)
{
	return tables_are(&m, &o) && lookups_agree(&m, &o, 200);
}

static void full_of_prefixes(void)
{
	size_t room = ng_acl_capacity(&m), i;
	struct ng_acl_key key, two[2];
	struct ng_acl_change done = { 0 };
	int err = 0;

	for (i = 0; i < room && !err; i++) {
		key = key4(0x0a000000 + (__u32)i, 32);
		err = add(&key, NG_DROP);
	}
	is_int(err, 0, "%zu of %u prefixes fit", room, m.acl_entries);
	key = key4(0x0b000000, 8);
	is_int(add(&key, NG_PASS), -ENOSPC, "one more does not");
	ok(agree(), "and nothing has changed");
	key = key4(0x0a000000, 32);
	is_int(add(&key, NG_PASS), 0, "a verdict can be changed when it is full");
	is_int(ng_acl_del(&m, &key), 0, "one is deleted");
	model_del(&o, &key);
	two[0] = key4(0x0a000000, 8);
	two[1] = key4(0x0b000000, 8);
	is_int(ng_acl_add_all(&m, two, 2, NG_COUNT, &done), -ENOSPC,
	       "two more do not fit where there is room for one");
	ok(agree(), "and nothing has changed");
	is_int(add(&two[0], NG_COUNT), 0, "one that covers all others does, with all rows rebuilt");
	ok(agree(), "lookups agree");
	is_int(ng_acl_flush(&m), (int)room, "a full table is flushed");
	o.n = 0;
	ok(agree(), "and empty");
}

static void full_of_clauses(void)
{
	int err = 0, n = 0;
	struct ng_acl_key key;

	while (!err && n < 10000) {
		key = key4(0x0a000000 + (__u32)n / 4, 32);
		key.any_proto = false;
		key.proto = (__u8)(n % 4);
		err = add(&key, NG_DROP);
		n += !err;
	}
	is_int(err, -ENOSPC, "the table of clauses gets full");
	is_int(n, (int)m.acl_entries - 1, "when all but row 0 are in use");
	ok(agree(), "nothing has changed then");
	key = key4(0x0a000000, 32);
	key.any_proto = false;
	is_int(ng_acl_del(&m, &key), 0, "one is deleted");
	model_del(&o, &key);
	key.proto = 17;
	is_int(add(&key, NG_PASS), 0, "its row serves again");
	ok(agree(), "lookups agree");
	ng_acl_flush(&m);
	o.n = 0;
}

static void too_many_on_one(void)
{
	struct ng_acl_key key = key4(0x0a000000, 8);
	int err = 0;

	key.any_proto = false;
	for (int i = 0; i < NG_ACL_CLAUSES_MAX; i++) {
		key.proto = (__u8)i;
		err |= add(&key, NG_DROP);
	}
	is_int(err, 0, "%d clauses fit on a prefix", NG_ACL_CLAUSES_MAX);
	key.proto = NG_ACL_CLAUSES_MAX;
	is_int(add(&key, NG_DROP), -E2BIG, "one more does not");
	ok(agree(), "and nothing has changed");
	ng_acl_flush(&m);
	o.n = 0;
}

/* Every length of both families on one path,
 * added from both ends to the middle, then taken away likewise. */
static void nest(void)
{
	struct ng_acl_key path[33 + 129];
	size_t n = 0;
	bool good = true;

	for (int family = 0; family < NG_FAMILY_MAX; family++)
		for (int len = 0; len <= (family == NG_IPV4 ? 32 : 128); len++) {
			path[n] = key4(0, (__u8)len);
			path[n++].prefix.family = family;
		}
	for (size_t i = 0; i < n; i++)
		good &= !add(&path[i % 2 ? n - 1 - i / 2 : i / 2], i % 3);
	ok(good && agree(), "prefixes of all lengths nested");
	m.control->acl_dirty = 1;
	ok(!ng_acl_recover(&m) && agree(), "and recovered");
	for (size_t i = 0; i < n; i++) {
		const struct ng_acl_key *key = &path[i % 2 ? i / 2 : n - 1 - i / 2];

		good &= !ng_acl_del(&m, key) && model_del(&o, key) && (i % 8 || agree());
	}
	ok(good && agree(), "and taken away again");
}

/* A deleted clause's counter does not come back with the clause that gets its row. */
static void fresh_counters(void)
{
	struct ng_acl_key key = key4(0x0a000000, 8);
	struct ng_acl_entry e = { 0 };
	int cpus = libbpf_num_possible_cpus();
	struct ng_counter *some = calloc((size_t)cpus, sizeof(*some));
	__u32 clause;

	for (int i = 0; i < cpus; i++)
		some[i] = (struct ng_counter){ 7, 700 };
	for (__u32 i = 0; i < m.acl_entries; i++)
		bpf_map_update_elem(m.fd[NG_MAP_ACL_HITS], &i, some, BPF_ANY);
	add(&key, NG_DROP);
	ok(!ng_acl_find(&m, &key, &clause) && !ng_acl_entry_get(&m, clause, &e),
	   "an entry is found");
	ok(!e.packets && !e.bytes, "a new clause starts at zero");
	bpf_map_update_elem(m.fd[NG_MAP_ACL_HITS], &clause, some, BPF_ANY);
	add(&key, NG_PASS);
	ok(!ng_acl_entry_get(&m, clause, &e) && e.packets && e.verdict == NG_PASS,
	   "with another verdict it counts on");
	is_int(ng_acl_zero(&m), 0, "counters are zeroed");
	ok(!ng_acl_entry_get(&m, clause, &e) && !e.packets && !e.bytes, "and zero");
	ng_acl_flush(&m);
	o.n = 0;
	is_int(ng_acl_entry_get(&m, clause, &e), -ENOENT, "a deleted clause is no entry");
	is_int(ng_acl_find(&m, &key, &clause), -ENOENT, "and not found");
	is_int(ng_acl_del(&m, &key), -ENOENT, "nor deleted twice");
	free(some);
}

/* The default size, filled by one call. */
static void big(bool quick)
{
	size_t n = ng_acl_capacity(&m);
	struct ng_acl_key *keys = calloc(n, sizeof(*keys));
	struct ng_acl_change done = { 0 };
	struct timespec a, b;
	__u32 clause;

	if (quick)
		n /= 8;
	for (size_t i = 0; i < n; i++)
		keys[i] = key4((__u32)(i * 2654435761u) & 0xffffff00, 24);
	clock_gettime(CLOCK_MONOTONIC, &a);
	is_int(ng_acl_add_all(&m, keys, n, NG_DROP, &done), 0, "%zu prefixes in one call", n);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# %zu added in %.3f s\n", done.added,
	       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9);
	is_int(done.added + done.unchanged, (int)done.added, "each counts once");
	ok(!ng_acl_find(&m, &keys[n / 2], &clause), "one of them is found");
	is_int(ng_acl_flush(&m), (int)done.added, "all are flushed");
	free(keys);
}

int main(void)
{
	if (!make_tables(&m, 256))
		tap_skip_all("no permission to create BPF maps");
	full_of_prefixes();
	full_of_clauses();
	too_many_on_one();
	fresh_counters();
	nest();
	drop_tables(&m);
	if (!ok(make_tables(&m, NG_ACL_ENTRIES), "tables of the default size"))
		return tap_done();
	big(getenv("NG_QUICK"));
	drop_tables(&m);
	return tap_done();
}
