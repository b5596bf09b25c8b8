// SPDX-License-Identifier: GPL-2.0-only
/* What clauses carry with them: times, comments, counters, from change to change and from one
 * generation to the next. */
#include <linux/pkt_cls.h>

#include "ctl/dataplane/gate.h"
#include "maps/jiffies.h"
#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

static struct ng_acl_tables t;
static const char *engine;

static struct ng_acl_item item4(const char *address, __u8 len, __u8 verdict)
{
	struct ng_acl_item item = {
		.key = { .prefix = { .family = NG_IPV4, .len = len },
			 .any_proto = true,
			 .any_port = true,
			 .port_hi = 65535 },
		.verdict = verdict,
	};

	inet_pton(AF_INET, address, item.key.prefix.addr_be);
	return item;
}

static int put(struct ng_acl_tables *tables, const struct ng_acl_item *item)
{
	struct ng_acl_change done = { 0 };

	return ng_acl_put(tables, item, &done);
}

/* The verdict for an address as a source at a time; -1: none. */
static int verdict_at(const char *address, __u64 now)
{
	struct ng_acl_item item = item4(address, 32, 0);
	__u32 clause;
	int err = ng_acl_test(&t, &item.key.prefix, NG_SRC, 17, 53, now, &clause);

	return err ? -1 : ng_clause_at(&t, clause)->verdict;
}

static void sweep(__u64 now, long swept, __u64 deadline)
{
	is_int(ng_acl_sweep(&t, now), swept, "%s: at %llu, %ld are taken out", engine, now, swept);
	is_int(t.head->deadline, deadline, "%s: and none ends before %llu", engine, deadline);
}

/* The clauses of one prefix, and of no other, as they are tried. */
static void test_of_prefix(void)
{
	struct ng_acl_item any = item4("10.0.0.0", 8, NG_PASS), udp = any, longer = any;
	struct ng_acl_entry list[NG_ACL_CLAUSES_MAX];
	const struct ng_prefix *p = &any.key.prefix;

	udp.key.any_proto = false;
	udp.key.proto = 17;
	longer.key.prefix.len = 9;
	put(&t, &any);
	put(&t, &udp);
	put(&t, &longer);
	is_int(ng_acl_of_prefix(&t, p, NG_SRC, list), 2, "%s: two clauses of a prefix", engine);
	ok(list[0].key.proto == 17 && list[1].key.any_proto, "%s: in their order", engine);
	is_int(ng_acl_of_prefix(&t, p, NG_DST, list), 0, "%s: none of the other side", engine);
	ng_acl_del(&t, &any.key);
	ng_acl_del(&t, &udp.key);
	ng_acl_del(&t, &longer.key);
}

/* Times in tables */

static void test_times(void)
{
	struct ng_acl_item wide = item4("10.0.0.0", 8, NG_PASS);
	struct ng_acl_item first = item4("10.1.0.0", 16, NG_DROP);
	struct ng_acl_item second = item4("10.1.1.0", 24, NG_PASS);
	__u32 clause;

	first.deadline = 200;
	first.timeout = 20;
	second.deadline = 100;
	is_int(t.head->deadline, 0, "%s: no clause ends", engine);
	put(&t, &wide);
	put(&t, &first);
	is_int(t.head->deadline, 200, "%s: one ends", engine);
	put(&t, &second);
	is_int(t.head->deadline, 100, "%s: another one before", engine);
	is_int(verdict_at("10.1.1.1", 99), NG_PASS, "%s: it decides while it lasts", engine);
	is_int(verdict_at("10.1.1.1", 100), NG_DROP, "%s: then the one that covers it", engine);
	is_int(verdict_at("10.1.1.1", 200), NG_PASS, "%s: then the next", engine);
	sweep(99, 0, 100);
	sweep(100, 1, 200);
	is_int(ng_acl_find(&t, &second.key, &clause), -ENOENT, "%s: it is gone", engine);
	is_int(ng_acl_find(&t, &first.key, &clause), 0, "%s: the other is not", engine);
	first.deadline = 300;
	put(&t, &first);
	is_int(verdict_at("10.1.1.1", 250), NG_DROP, "%s: a clause gets more time", engine);
	sweep(200, 0, 300);
	first.deadline = 0;
	first.timeout = 0;
	put(&t, &first);
	is_int(verdict_at("10.1.1.1", 1000), NG_DROP, "%s: or all of it", engine);
	sweep(1000, 0, 0);
	first.deadline = 400;
	put(&t, &first);
	is_int(verdict_at("10.1.1.1", 400), NG_PASS, "%s: and a time again", engine);
	sweep(401, 1, 0);
	is_int(ng_acl_del(&t, &wide.key), 0, "%s: no other went along", engine);
	is_int(t.head->clause.used + t.head->row.used + t.head->node.used, 0,
	       "%s: and nothing is left", engine);
}

/* Many end at once, on prefixes with others that stay. */
static void test_sweep_many(void)
{
	struct model o = { 0 };
	bool good = true;
	long dying = 0;

	for (int i = 0; i < 60; i++) {
		struct ng_acl_item item = { .key = random_key(), .verdict = (__u8)rnd(3) };

		item.deadline = rnd(3) ? 0 : 50 + rnd(100);
		if (model_find(&o, &item.key) < o.n || put(&t, &item))
			continue;
		model_add(&o, &item.key, item.verdict);
		o.clause[o.n - 1].deadline = item.deadline;
		dying += item.deadline != 0;
	}
	for (model_now = 40; model_now < 170; model_now += 10)
		good = good && tables_are(&t, &o) && lookups_agree(&t, &o, 300);
	ok(good && dying > 5, "%s: %ld of %zu clauses end, each at its time", engine, dying, o.n);
	is_int(ng_acl_sweep(&t, 1000), dying, "%s: all of these are taken out", engine);
	for (size_t i = 0; i < o.n;)
		if (o.clause[i].deadline)
			model_del(&o, &o.clause[i].key);
		else
			i++;
	model_now = 0;
	ok(tables_are(&t, &o) && lookups_agree(&t, &o, 300), "%s: and the others stay", engine);
	while (o.n && !ng_acl_del(&t, &o.clause[0].key))
		model_del(&o, &o.clause[0].key);
	ok(tables_are(&t, &o) && !o.n, "%s: until they go", engine);
}

/* What goes is not free at once: a program may still read it. */
static void test_grace(void)
{
	struct ng_acl_item gone = item4("10.0.0.1", 32, NG_DROP);
	struct ng_acl_item other = item4("10.9.0.1", 32, NG_DROP);
	const struct ng_acl_head *h = t.head;
	__u32 was = 0, is = 0;

	gone.key.any_proto = other.key.any_proto = false;
	put(&t, &gone);
	ng_acl_find(&t, &gone.key, &was);
	ng_acl_del(&t, &gone.key);
	put(&t, &other);
	ng_acl_find(&t, &other.key, &is);
	ok(was && is && was != is, "%s: a clause that went is not taken for the next", engine);
	ok(h->clause.dying == 1 && h->row.dying == 1 &&
		   (h->engine == NG_ENGINE_LPM || h->node.dying == 4),
	   "%s: nor its row and nodes", engine);
	ng_acl_del(&t, &other.key);
}

/* Notes */

static const size_t note_bytes[] = { 0, 1, 59, 60, 61, 120, 121, 255 };
#define NOTES (sizeof(note_bytes) / sizeof(note_bytes[0]))

static const char *note_of(size_t bytes)
{
	static char text[NG_ACL_NOTE_MAX + 50];

	for (size_t i = 0; i < bytes; i++)
		text[i] = (char)('a' + (i + bytes) % 26);
	text[bytes] = '\0';
	return text;
}

static bool has_note(struct ng_acl_tables *tables, const struct ng_acl_key *key, const char *want)
{
	char text[NG_ACL_NOTE_MAX + 1];
	struct ng_acl_entry e;
	__u32 clause;

	if (ng_acl_find(tables, key, &clause) || ng_acl_entry_get(tables, clause, &e))
		return false;
	ng_acl_note(tables, e.note, text);
	return !strcmp(text, want);
}

/* What is given is there already. */
static bool is_unchanged(const struct ng_acl_item *item)
{
	struct ng_acl_change done = { 0 };

	return !ng_acl_put(&t, item, &done) && done.unchanged == 1 && !done.changed;
}

static void test_note(size_t bytes)
{
	struct ng_acl_item item = item4("10.0.0.0", 8, NG_DROP);
	const __u32 pieces = (__u32)(bytes + 59) / 60;

	item.note = note_of(bytes);
	ok(!put(&t, &item) && has_note(&t, &item.key, item.note), "%s: a note of %zu bytes", engine,
	   bytes);
	is_int(t.head->note.used, pieces, "%s: takes %u pieces", engine, pieces);
	ok(is_unchanged(&item), "%s: given again, it is unchanged", engine);
	item.note = NULL;
	item.verdict = NG_PASS;
	ok(!put(&t, &item) && has_note(&t, &item.key, note_of(bytes)),
	   "%s: and stays when the verdict changes", engine);
	for (size_t i = 0; i < NOTES; i++) {
		item.note = note_of(note_bytes[i]);
		if (put(&t, &item) || !has_note(&t, &item.key, item.note) || !pools_fit(&t) ||
		    t.head->note.used != (note_bytes[i] + 59) / 60)
			ok(false, "%s: in its place one of %zu bytes", engine, note_bytes[i]);
	}
	is_int(ng_acl_del(&t, &item.key), 0, "%s: deleted", engine);
	ok(!t.head->note.used && pools_fit(&t), "%s: its pieces are back", engine);
}

static void test_long_note(void)
{
	struct ng_acl_item item = item4("10.0.0.0", 8, NG_DROP);
	char cut[NG_ACL_NOTE_MAX + 1];

	item.note = note_of(NG_ACL_NOTE_MAX + 20);
	memcpy(cut, item.note, NG_ACL_NOTE_MAX);
	cut[NG_ACL_NOTE_MAX] = '\0';
	ok(!put(&t, &item) && has_note(&t, &item.key, cut), "%s: a longer note is cut", engine);
	ng_acl_del(&t, &item.key);
}

/* Into the next generation, and out of it. */
static void test_kept(void)
{
	struct ng_acl_item item[NOTES];
	struct ng_acl_item *list;
	bool good = true;
	char *notes;
	size_t n;

	for (size_t i = 0; i < NOTES; i++) {
		item[i] = item4("10.0.0.0", (__u8)(8 + i), NG_DROP);
		item[i].note = strdup(note_of(note_bytes[i]));
		item[i].added = 1000 + (__u32)i;
		item[i].timeout = (__u32)i;
		item[i].deadline = i * 1000;
		if (put(&t, &item[i]) == -ENOSPC)
			good = good && !rebuild_tables(&t) && !put(&t, &item[i]);
	}
	good = good && !rebuild_tables(&t) && !ng_acl_items(&t, &list, &n, &notes) &&
	       ng_acl_items_sort(list, n) == (long)NOTES;
	for (size_t i = 0; i < NOTES && good; i++)
		good = same_key(&list[i].key, &item[i].key) && list[i].added == item[i].added &&
		       list[i].timeout == item[i].timeout && list[i].deadline == item[i].deadline &&
		       !strcmp(list[i].note ? list[i].note : "", item[i].note) &&
		       has_note(&t, &item[i].key, item[i].note);
	ok(good, "%s: notes and times are in the next generation", engine);
	is_int(t.head->deadline, 1000, "%s: with the first deadline", engine);
	free(list);
	free(notes);
	for (size_t i = 0; i < NOTES; i++) {
		ng_acl_del(&t, &item[i].key);
		free((char *)item[i].note);
	}
	ok(!t.head->note.used && pools_fit(&t), "%s: their pieces are back", engine);
}

/* Counters from one generation to the next */

static void count(struct ng_acl_tables *tables, const struct ng_acl_key *key, __u32 stripe,
		  __u64 packets, __u64 last)
{
	struct ng_acl_hit *hit;
	__u32 clause;

	if (ng_acl_find(tables, key, &clause))
		return;
	hit = ng_hit_at(tables, (size_t)stripe * tables->head->clause.size + clause);
	hit->packets += packets;
	hit->bytes += 100 * packets;
	hit->last = last;
}

static bool counted(struct ng_acl_tables *tables, const struct ng_acl_key *key, __u64 packets,
		    __u64 last)
{
	struct ng_acl_entry e;
	__u32 clause;

	return !ng_acl_find(tables, key, &clause) && !ng_acl_entry_get(tables, clause, &e) &&
	       e.packets == packets && e.bytes == 100 * packets && e.last == last;
}

static bool tables_with(enum ng_acl_engine of, __u32 stripes, const struct ng_acl_item *item,
			size_t n, struct ng_acl_tables *out)
{
	struct ng_acl_size size = small_tables;

	size.engine = of;
	size.stripes = stripes;
	if (ng_acl_tables_create(&size, out))
		return false;
	for (size_t i = 0; i < n; i++)
		if (put(out, &item[i]))
			return false;
	return true;
}

static void test_carry(enum ng_acl_engine of)
{
	struct ng_acl_item old[] = { item4("10.0.0.0", 8, NG_DROP), item4("10.1.0.0", 16, NG_PASS),
				     item4("10.2.0.0", 16, NG_COUNT) };
	struct ng_acl_item new[] = { item4("10.3.0.0", 16, NG_DROP), item4("10.1.0.0", 16, NG_DROP),
				     item4("10.0.0.0", 8, NG_DROP),
				     item4("10.4.0.0", 16, NG_DROP) };
	struct ng_acl_tables from, to, none;

	if (!ok(tables_with(of, 4, old, 3, &from) && tables_with(of, 2, new, 4, &to) &&
			tables_with(of, 0, new, 4, &none),
		"%s: two generations", engine))
		return;
	for (__u32 stripe = 0; stripe <= 4; stripe++)
		count(&from, &old[0].key, stripe, 1 + stripe, 50 - stripe);
	count(&from, &old[1].key, 3, 7, 70);
	count(&from, &old[2].key, 1, 9, 90);
	count(&to, &old[0].key, 0, 100, 40); /* since the swap */
	count(&to, &old[1].key, 1, 200, 80);
	count(&to, &new[3].key, 0, 300, 60);
	is_int(ng_acl_carry(&from, &to), 0, "%s: carried", engine);
	ok(counted(&to, &old[0].key, 115, 50), "%s: what all CPUs counted goes on", engine);
	ok(counted(&to, &old[1].key, 207, 80), "%s: with another verdict, too", engine);
	ok(counted(&to, &new[0].key, 0, 0) && counted(&to, &new[3].key, 300, 60),
	   "%s: new ones have their own", engine);
	is_int(ng_acl_carry(&from, &to), 0, "%s: carried twice", engine);
	ok(counted(&to, &old[0].key, 115, 50), "%s: counts once", engine);
	is_int(ng_acl_carry(&from, &none), 0, "%s: to tables without counters", engine);
	ok(counted(&none, &old[0].key, 0, 0), "%s: nothing goes", engine);
	is_int(ng_acl_carry(&none, &to), 0, "%s: nor comes from there", engine);
	ng_acl_tables_close(&from);
	ok(tables_with(of, 4, old, 3, &from) && !ng_acl_carry(&to, &from) &&
		   counted(&from, &old[0].key, 115, 50) && counted(&from, &old[2].key, 0, 0),
	   "%s: and on to the third", engine);
	ng_acl_tables_close(&from);
	ng_acl_tables_close(&to);
	ng_acl_tables_close(&none);
}

/* Times in the program */

static int run_frame(int prog_fd)
{
	static const __u8 frame[60] = { [0] = 2,   [6] = 2,  [12] = 8,	[14] = 0x45, [17] = 46,
					[22] = 64, [23] = 1, [26] = 10, [29] = 1,    [30] = 11 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	return bpf_prog_test_run_opts(prog_fd, &opts) ? -1 : (int)opts.retval;
}

static void test_program_time(struct ng_gate *gate, __u64 now)
{
	struct ng_acl_tables *acl = &gate->maps.acl;
	struct ng_acl_item outer = item4("10.0.0.0", 8, NG_DROP);
	struct ng_acl_item inner = item4("10.0.0.1", 32, NG_PASS);
	int drop = gate->hook == NG_HOOK_XDP ? XDP_DROP : TC_ACT_SHOT;
	int pass = gate->hook == NG_HOOK_XDP ? XDP_PASS : TC_ACT_UNSPEC;
	int tries = 0, got;

	put(acl, &outer);
	inner.deadline = now + 1000000;
	put(acl, &inner);
	is_int(run_frame(gate->prog_fd), pass, "%s: it decides while it lasts", engine);
	inner.deadline = now;
	put(acl, &inner);
	is_int(run_frame(gate->prog_fd), drop, "%s: then what covers it", engine);
	outer.deadline = now;
	put(acl, &outer);
	is_int(run_frame(gate->prog_fd), pass, "%s: then the default", engine);
	outer.deadline = 0;
	put(acl, &outer);
	ng_jiffies_once(&now);
	inner.deadline = now + 10;
	put(acl, &inner);
	do
		got = run_frame(gate->prog_fd);
	while (got == pass && tries++ < 100 && !usleep(50000));
	is_int(got, drop, "%s: by itself, when its time has come", engine);
	ng_jiffies_once(&now);
	is_int(ng_acl_sweep(acl, now), 1, "%s: swept", engine);
	is_int(run_frame(gate->prog_fd), drop, "%s: which changes nothing", engine);
}

static void test_program(enum ng_hook hook, enum ng_acl_engine of)
{
	struct ng_acl_size size = small_tables;
	const struct ng_gate_spec spec = { .hook = hook, .acl = &size };
	struct ng_error err;
	struct ng_gate *gate;
	__u64 now;

	size.engine = of;
	if (!ok(!ng_gate_load(hook, NULL, &spec, &gate, &err) && !ng_jiffies_once(&now),
		"%s: %s loads", engine, ng_hook_name[hook]))
		return;
	test_program_time(gate, now);
	ng_gate_close(gate);
}

static void test_engine(enum ng_acl_engine of)
{
	engine = engine_name[of];
	if (!ok(make_tables(&t, of), "%s: tables", engine))
		return;
	test_grace();
	test_of_prefix();
	test_times();
	for (size_t i = 0; i < NOTES; i++)
		test_note(note_bytes[i]);
	test_long_note();
	test_sweep_many();
	test_kept();
	ng_acl_tables_close(&t);
	test_carry(of);
	test_program(NG_HOOK_XDP, of);
	test_program(NG_HOOK_TC_IN, of);
}

int main(void)
{
	if (!make_tables(&t, NG_ENGINE_TRIE))
		tap_skip_all("no permission to create BPF maps");
	ng_acl_tables_close(&t);
	for (int of = 0; of < NG_ENGINE_MAX; of++)
		test_engine((enum ng_acl_engine)of);
	return tap_done();
}
