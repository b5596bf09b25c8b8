// SPDX-License-Identifier: GPL-2.0-only
/* The ACL at its limits: full tables, deep nests of prefixes, many clauses on one prefix,
 * a million of prefixes. */
#include <time.h>

#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

static struct ng_acl_tables t;
static struct model o;
static const char *engine;

static struct ng_acl_key key4(__u32 address, __u8 len)
{
	return (struct ng_acl_key){
		.prefix = { .family = NG_IPV4, .len = len, .addr_be[0] = htonl(address) },
		.any_proto = true,
		.any_port = true,
		.port_hi = 65535,
	};
}

static struct ng_acl_key key6(__u64 address, __u8 len)
{
	struct ng_acl_key key = key4((__u32)(address >> 32), len);

	key.prefix.family = NG_IPV6;
	key.prefix.addr_be[1] = htonl((__u32)address);
	return key;
}

static int add_noted(const struct ng_acl_key *key, __u8 verdict, const char *note)
{
	const struct ng_acl_item item = { .key = *key, .verdict = verdict, .note = note };
	struct ng_acl_change done = { 0 };
	int err = ng_acl_put(&t, &item, &done);

	if (!err)
		model_add(&o, key, verdict);
	return err;
}

static int add(const struct ng_acl_key *key, __u8 verdict)
{
	return add_noted(key, verdict, NULL);
}

static int del(const struct ng_acl_key *key)
{
	int err = ng_acl_del(&t, key);

	if (!err)
		model_del(&o, key);
	return err;
}

static bool agree(void)
{
	return tables_are(&t, &o) && lookups_agree(&t, &o, 200);
}

/* Deletes all clauses, in random order: nothing is left, and what was there is given back. */
static void empty(const char *of)
{
	bool good = true;

	while (o.n && good) {
		struct ng_acl_key key = o.clause[rnd((__u32)o.n)].key;

		good = !del(&key);
	}
	ok(good && agree(), "%s, %s: all deleted, every element is back", engine, of);
}

/* What fills a table: the key and the note of the n-th clause. */
struct filler {
	const char *name;
	struct ng_acl_key (*key)(__u32 n);
	const char *note;
	enum ng_acl_engine engines; /* the first that it does not hold for */
	size_t fit;		    /* how many there is room for; 0: not told */
};

static struct ng_acl_key host(__u32 n)
{
	return key4(0x0a000000 + n, 32);
}

static struct ng_acl_key with_proto(__u32 n)
{
	struct ng_acl_key key = host(n);

	key.any_proto = false;
	key.proto = 6;
	return key;
}

static struct ng_acl_key scattered4(__u32 n)
{
	return key4(n * 0x9e3779b1u, 32);
}

static struct ng_acl_key scattered6(__u32 n)
{
	return key6(n * 0x9e3779b97f4a7c15ull, 64);
}

static const struct filler fillers[] = {
	{ "clauses", host, NULL, NG_ENGINE_MAX, 63 },
	{ "rows", with_proto, NULL, NG_ENGINE_MAX, 47 },
	{ "nodes", scattered4, NULL, NG_ENGINE_LPM, 0 },
	{ "skips", scattered6, NULL, NG_ENGINE_LPM, 0 },
	{ "notes", host, "sixty-one bytes of a note, so that it takes two of its pieces",
	  NG_ENGINE_MAX, 15 },
};

static void test_full(const struct filler *f)
{
	struct ng_acl_key key;
	__u64 before;
	__u32 n = 0;
	int err = 0;

	while (!err && n < 1000) {
		key = f->key(n);
		before = sum_of(&t);
		err = add_noted(&key, NG_DROP, f->note);
		n += !err;
	}
	is_int(err, -ENOSPC, "%s: the table of %s gets full, with %u clauses", engine, f->name, n);
	ok(before == sum_of(&t), "%s, %s: not one word has changed then", engine, f->name);
	if (f->fit)
		is_int(n, f->fit, "%s, %s: all elements but the first are in use", engine, f->name);
	ok(agree(), "%s, %s: it holds what it held", engine, f->name);
	is_int(rebuild_tables(&t), 0, "%s, %s: it is built anew", engine, f->name);
	ok(agree(), "%s, %s: and is the same", engine, f->name);
	is_int(add_noted(&key, NG_DROP, f->note), 0, "%s, %s: with room for more", engine, f->name);
	ok(agree(), "%s, %s: which is there", engine, f->name);
	empty(f->name);
}

/* What a full table still takes: what needs no more than it has. */
static void test_full_changes(void)
{
	struct ng_acl_key key, wide = key4(0x0a000000, 8);
	__u32 n = 0;

	do
		key = host(n++);
	while (!add(&key, NG_DROP));
	key = host(0);
	is_int(add(&key, NG_PASS), 0, "%s: a verdict changes in a full table", engine);
	is_int(del(&key), 0, "%s: one is deleted", engine);
	is_int(add(&wide, NG_COUNT), 0, "%s: its clause serves one that covers all", engine);
	ok(agree(), "%s: lookups agree", engine);
	is_int(add(&key, NG_PASS), -ENOSPC, "%s: and it is full again", engine);
	empty("full of clauses");
}

/* A covering prefix needs a new row for each below: there is room for the rows, or nothing changes. */
static void test_rows_below(void)
{
	struct ng_acl_key wide = key4(0x0a000000, 8);
	int err = 0;
	__u32 n = 0;

	for (; n < 24 && !err; n++) {
		struct ng_acl_key key = with_proto(n);

		err = add(&key, NG_DROP);
	}
	is_int(err, 0, "%s: %u prefixes have rows", engine, n);
	is_int(add(&wide, NG_PASS), -ENOSPC, "%s: one above them all needs as many anew", engine);
	ok(agree(), "%s: there is no room for them and nothing has changed", engine);
	for (; n > 20; n--) {
		struct ng_acl_key key = with_proto(n - 1);

		err = err ? err : del(&key);
	}
	is_int(err ? err : add(&wide, NG_PASS), 0, "%s: for fewer there is", engine);
	ok(agree(), "%s: lookups agree", engine);
	empty("rows below");
}

static void test_too_many_on_one(void)
{
	struct ng_acl_item item[NG_ACL_CLAUSES_MAX + 1];
	struct ng_acl_key key = key4(0x0a000000, 8);
	struct ng_acl_tables built;
	struct ng_acl_size like;
	size_t bad = 0;
	int err = 0;

	key.any_proto = false;
	for (__u8 i = 0; i < NG_ACL_CLAUSES_MAX; i++) {
		key.proto = i;
		item[i] = (struct ng_acl_item){ .key = key, .verdict = NG_DROP };
		err |= add(&key, NG_DROP);
	}
	is_int(err, 0, "%s: %d clauses fit on a prefix", engine, NG_ACL_CLAUSES_MAX);
	key.proto = NG_ACL_CLAUSES_MAX;
	item[NG_ACL_CLAUSES_MAX] = (struct ng_acl_item){ .key = key, .verdict = NG_DROP };
	is_int(add(&key, NG_DROP), -E2BIG, "%s: one more does not", engine);
	ok(agree(), "%s: and nothing has changed", engine);
	ng_acl_tables_size(&t, &like);
	is_int(ng_acl_build(item, NG_ACL_CLAUSES_MAX + 1, &like, &built, &bad), -E2BIG,
	       "%s: nor in new tables", engine);
	is_int(bad, NG_ACL_CLAUSES_MAX, "%s: and which one it is, they say", engine);
	empty("many on one");
}

/* Every length of both families on one path. */
static size_t make_path(struct ng_acl_key path[33 + 129])
{
	size_t n = 0;

	for (int family = 0; family < NG_FAMILY_MAX; family++)
		for (int len = 0; len <= (family == NG_IPV4 ? 32 : 128); len++) {
			path[n] = key4(0, (__u8)len);
			path[n++].prefix.family = (enum ng_family)family;
		}
	return n;
}

/* The path's own addresses: those that leave it at each bit. */
static bool path_agrees(void)
{
	for (int family = 0; family < NG_FAMILY_MAX; family++)
		for (int bits = family == NG_IPV4 ? 32 : 128, at = -1; at < bits; at++) {
			struct ng_prefix addr = { .family = (enum ng_family)family,
						  .len = (__u8)bits };
			size_t want;
			__u32 clause;
			struct ng_acl_entry e;
			int err;

			if (at >= 0)
				((__u8 *)addr.addr_be)[at / 8] = (__u8)(0x80 >> at % 8);
			want = model_decide(&o, &addr, NG_SRC, 6, 80, false);
			err = ng_acl_test(&t, &addr, NG_SRC, 6, 80, 0, &clause);
			if (err == -ENOENT && want == o.n)
				continue;
			if (err || want == o.n || ng_acl_entry_get(&t, clause, &e) ||
			    !same_key(&e.key, &o.clause[want].key))
				return problem("an address that leaves the path");
		}
	return true;
}

/* Added from both ends to the middle, then taken away likewise. */
static void test_nest(void)
{
	struct ng_acl_key path[33 + 129];
	size_t n = make_path(path);
	bool good = true;

	for (size_t i = 0; i < n && good; i++) {
		const struct ng_acl_key *key = &path[i % 2 ? n - 1 - i / 2 : i / 2];
		int err = add(key, (__u8)(i % 3));

		if (err == -ENOSPC)
			err = rebuild_tables(&t) ?: add(key, (__u8)(i % 3));
		good = !err && (i % 8 || path_agrees());
	}
	ok(good && agree() && path_agrees(), "%s: prefixes of all lengths nested", engine);
	ok(!rebuild_tables(&t) && agree() && path_agrees(), "%s: and built anew", engine);
	for (size_t i = 0; i < n && good; i++) {
		const struct ng_acl_key *key = &path[i % 2 ? i / 2 : n - 1 - i / 2];

		good = !del(key) && (i % 8 || (path_agrees() && agree()));
	}
	ok(good && agree(), "%s: and taken away again", engine);
}

/* All counters of a clause, as if packets had come on every CPU. */
static void count_some(__u32 clause)
{
	for (__u32 s = 0; s < ng_acl_stripes_of(&t); s++)
		*ng_hit_at(&t, (size_t)s * t.head->clause.size + clause) =
			(struct ng_acl_hit){ 7, 700, 70 + s };
}

static bool has_counted(const struct ng_acl_key *key, __u64 packets)
{
	struct ng_acl_entry e;
	__u32 clause;

	return !ng_acl_find(&t, key, &clause) && !ng_acl_entry_get(&t, clause, &e) &&
	       e.packets == packets && e.bytes == packets * 100 && !e.last == !packets;
}

/* A deleted clause's counter does not come back with the clause that gets its place. */
static void test_counters(void)
{
	struct ng_acl_key key = key4(0x0a000000, 8), other = key4(0x0b000000, 8);
	const __u64 all = 7ull * ng_acl_stripes_of(&t);
	__u32 clause;

	for (__u32 id = 1; id < t.head->clause.size; id++)
		count_some(id);
	add(&key, NG_DROP);
	ok(has_counted(&key, 0), "%s: a new clause starts at zero", engine);
	is_int(ng_acl_find(&t, &key, &clause), 0, "%s: an entry is found", engine);
	count_some(clause);
	ok(has_counted(&key, all), "%s: it counts on all CPUs", engine);
	add(&key, NG_PASS);
	ok(has_counted(&key, all), "%s: with another verdict it counts on", engine);
	add(&other, NG_COUNT);
	add(&key, NG_COUNT);
	ok(has_counted(&key, all) && has_counted(&other, 0), "%s: another one does not", engine);
	is_int(ng_acl_zero(&t), 0, "%s: counters are zeroed", engine);
	ok(has_counted(&key, 0), "%s: and zero", engine);
	del(&key);
	is_int(ng_acl_entry_get(&t, clause, &(struct ng_acl_entry){ 0 }), -ENOENT,
	       "%s: a deleted clause is no entry", engine);
	is_int(ng_acl_find(&t, &key, &clause), -ENOENT, "%s: and not found", engine);
	is_int(ng_acl_del(&t, &key), -ENOENT, "%s: nor deleted twice", engine);
	empty("counters");
}

/* Large tables */

static double seconds_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) * 1e-9;
}

/* Prefixes that do not overlap, of both families and sides. */
static struct ng_acl_item large_item(__u32 n)
{
	struct ng_acl_item item = { .verdict = n % 2 ? NG_DROP : NG_PASS };

	if (n % 3)
		item.key = key4(n * 0x9e3779b1u << 8, 24);
	else
		item.key = key6((__u64)n * 0x9e3779b1u << 32 | 0x0db80000, 64);
	item.key.side = n / 3 % 2;
	return item;
}

static bool finds_each(struct ng_acl_tables *big, const struct ng_acl_item *item, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ng_prefix addr = item[i].key.prefix;
		__u32 found, decides;

		addr.len = addr.family == NG_IPV4 ? 32 : 128;
		addr.addr_be[addr.family == NG_IPV4 ? 0 : 3] |= htonl(0x77);
		if (ng_acl_find(big, &item[i].key, &found) ||
		    ng_acl_test(big, &addr, item[i].key.side, 6, 80, 0, &decides) ||
		    found != decides || ng_clause_at(big, found)->verdict != item[i].verdict)
			return false;
	}
	return true;
}

static bool deletes_each(struct ng_acl_tables *big, const struct ng_acl_item *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ng_acl_del(big, &item[i].key))
			return false;
	return true;
}

/* Tables as the commands build them, of n items; the items are in random order then. */
static bool build_large(enum ng_acl_engine of, struct ng_acl_item *item, size_t n,
			struct ng_acl_tables *big)
{
	struct ng_acl_size size = { .engine = of, .stripes = 1 };
	struct timespec start;
	size_t bad;
	double sorted;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (ng_acl_items_sort(item, n) != (long)n)
		return false;
	sorted = seconds_since(&start);
	if (ng_acl_build(item, n, &size, big, &bad))
		return false;
	ng_acl_tables_size(big, &size);
	printf("# %zu prefixes: sorted in %.3f s, built in %.3f s, %zu MiB\n", n, sorted,
	       seconds_since(&start) - sorted, ng_acl_size_bytes(&size) >> 20);
	for (size_t i = n; i-- > 1;) {
		size_t k = rnd((__u32)i + 1);
		struct ng_acl_item swap = item[i];

		item[i] = item[k];
		item[k] = swap;
	}
	return true;
}

static void test_large(enum ng_acl_engine of, size_t n, size_t deleted)
{
	struct ng_acl_item *item = calloc(n, sizeof(*item));
	static const struct model nothing;
	struct ng_acl_tables big;

	engine = engine_name[of];
	for (size_t i = 0; i < n; i++)
		item[i] = large_item((__u32)i);
	if (!ok(build_large(of, item, n, &big), "%s: tables of %zu prefixes", engine, n))
		return;
	ok(finds_each(&big, item, n) && pools_fit(&big), "%s: every one decides", engine);
	ok(deletes_each(&big, item, deleted), "%s: %zu are deleted", engine, deleted);
	ok(finds_each(&big, item + deleted, n - deleted) && pools_fit(&big) &&
		   big.head->clause.used == n - deleted,
	   "%s: all others are there", engine);
	if (deleted == n)
		ok(tables_are(&big, &nothing), "%s: and every element is back", engine);
	ng_acl_tables_close(&big);
	free(item);
}

/* Rows are looked at where a prefix may be above some, and only then. */
static void test_rows_looked_at(void)
{
	enum { ROWS = 5000 };
	struct ng_acl_item *item = calloc(ROWS, sizeof(*item));
	const struct ng_acl_size like = { .engine = NG_ENGINE_TRIE };
	const struct ng_acl_key longest = key4(0x0b000000, 32), wide = key4(0x0b000000, 31);
	struct ng_pages *rows = &t.pages[NG_ACL_ROW];
	size_t bytes, bad;

	for (__u32 i = 0; i < ROWS; i++)
		item[i] = (struct ng_acl_item){ .key = with_proto(i), .verdict = NG_DROP };
	if (!ok(!ng_acl_build(item, ROWS, &like, &t, &bad), "%d rows", ROWS))
		return;
	bytes = rows->size;
	ng_pages_close(rows);
	ng_pages_open(rows, t.fd[NG_ACL_ROW], bytes);
	ok(!add(&longest, NG_DROP) && !del(&longest) && !rows->mapped[0],
	   "are not looked at for a prefix that nothing can be below");
	ok(!add(&wide, NG_DROP) && !del(&wide) && rows->mapped[0] & 1, "else they are");
	ng_acl_tables_close(&t);
	free(item);
}

static void test_small(enum ng_acl_engine of)
{
	engine = engine_name[of];
	if (!ok(make_tables(&t, of), "%s: tables", engine))
		return;
	test_counters();
	test_full_changes();
	test_rows_below();
	test_too_many_on_one();
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		if (of >= fillers[i].engines)
			continue;
		ng_acl_tables_close(&t);
		if (ok(make_tables(&t, of), "%s: tables to fill with %s", engine, fillers[i].name))
			test_full(&fillers[i]);
	}
	test_nest();
	ng_acl_tables_close(&t);
}

int main(void)
{
	size_t many = getenv("NG_QUICK") ? 50000 : 1000000;

	if (!make_tables(&t, NG_ENGINE_TRIE))
		tap_skip_all("no permission to create BPF maps");
	ng_acl_tables_close(&t);
	for (int of = 0; of < NG_ENGINE_MAX; of++)
		test_small((enum ng_acl_engine)of);
	test_rows_looked_at();
	test_large(NG_ENGINE_TRIE, many, many / 20);
	test_large(NG_ENGINE_TRIE, many / 10, many / 10);
	test_large(NG_ENGINE_LPM, many / 10, many / 10);
	return tap_done();
}
