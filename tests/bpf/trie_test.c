// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tries as a BPF program sees them: the same answers as in user space, and while they change
 * nothing but the old or the new leaf of each address.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/trie_question.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/trie_tables.h"
#include "tests_bpf_trie.skel.h"

typedef unsigned __int128 address;

#define PREFIXES 2000
#define ROUNDS	 40

#define RACE_MS	    700
#define RACE_MS_MAX 20000

struct world {
	struct tests_bpf_trie *skel;
	struct trie_tables t;
	struct trie_question *question; /* mapped */
	volatile struct trie_asked *asked;
};

static const struct trie_size size = { { 16, 20 }, 40000, 40000 };

static int set_sizes(struct tests_bpf_trie *skel, int *fd)
{
	struct bpf_map *map[TRIE_TABLES - 1] = {
		skel->maps.ng_root4_src, skel->maps.ng_root4_dst, skel->maps.ng_root6,
		skel->maps.ng_nodes,	 skel->maps.ng_skips,
	};
	int err = 0;

	for (int i = 0; !err && i < LINKS; i++)
		err = bpf_map__set_value_size(map[i],
					      (__u32)trie_table_bytes(&size, (enum trie_table)i));
	skel->rodata->ng_root_bits[NG_SRC] = size.root_bits[NG_SRC];
	skel->rodata->ng_root_bits[NG_DST] = size.root_bits[NG_DST];
	skel->rodata->ng_node_count = size.nodes;
	skel->rodata->ng_skip_count = size.skips;
	err = err ? err : tests_bpf_trie__load(skel);
	for (int i = 0; !err && i < LINKS; i++)
		fd[i] = bpf_map__fd(map[i]);
	return err;
}

static int world_open(struct world *w)
{
	int fd[TRIE_TABLES] = { [LINKS] = -1 };
	int err;

	w->skel = tests_bpf_trie__open();
	if (!w->skel)
		return -errno;
	err = set_sizes(w->skel, fd);
	if (err)
		return err;
	w->question = mmap(NULL, TRIE_QUESTIONS * sizeof(*w->question), PROT_READ | PROT_WRITE,
			   MAP_SHARED, bpf_map__fd(w->skel->maps.questions), 0);
	w->asked = &w->skel->bss->asked;
	return w->question == MAP_FAILED ? -errno : trie_tables_open(&w->t, &size, fd);
}

static void world_close(struct world *w)
{
	trie_tables_close(&w->t);
	munmap(w->question, TRIE_QUESTIONS * sizeof(*w->question));
	tests_bpf_trie__destroy(w->skel);
}

static int run(const struct bpf_program *prog)
{
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

static unsigned int bits(enum ng_family family)
{
	return family == NG_IPV4 ? 32 : 128;
}

static address random_address(enum ng_family family)
{
	address a = 0;

	for (int i = 0; i < 4; i++)
		a = a << 32 | rnd();
	a = a << 16 >> 16 | (address)ONE_OF(0x2001, 0x0a00) << 112;
	if (below(2))
		a = a << 30 >> 30 | (address)0x2001000 << 98;
	if (family == NG_IPV6 && below(2))
		a = a << 100 >> 100 | (address)0x2001000 << 98;
	return family == NG_IPV4 ? a >> 96 << 96 : a;
}

/* Equal answers */

/* Shorter ones first, each over one of the leaves in its range. */
static void fill(struct ng_trie *trie, struct ng_prefix *prefix)
{
	enum ng_family family = trie->family;
	unsigned int full = bits(family), len;
	struct ng_prefix at;

	for (uint32_t i = 0; i < PREFIXES; i++) {
		len = i < 40 ? 4 + i / 4 : 14 + (full - 14) * i / PREFIXES;
		prefix[i] = trie_prefix(family, random_address(family), len);
		at = prefix[i];
		at.len = (__u8)full;
		ng_trie_replace(trie, &prefix[i], ng_trie_find(trie, &at), NG_TRIE_LEAF | (i + 1));
	}
}

static void choose_addresses(struct world *w, enum ng_family family, const struct ng_prefix *prefix)
{
	struct ng_prefix p;
	address a;

	for (int i = 0; i < TRIE_QUESTIONS; i++) {
		a = random_address(family);
		if (below(4))
			a = trie_address(&prefix[below(PREFIXES)]) |
			    (a & (((address)1 << below(127)) - 1));
		p = trie_prefix(family, a, bits(family));
		memcpy(w->question[i].addr_be, p.addr_be, sizeof(p.addr_be));
	}
}

static void test_answers(struct world *w, enum ng_family family, enum ng_side side)
{
	static struct ng_prefix prefix[PREFIXES];
	struct ng_trie *trie = &w->t.trie[family][side];
	struct ng_prefix p = { .family = family, .len = (__u8)bits(family) };
	int different = 0, found = 0;

	fill(trie, prefix);
	*w->asked = (struct trie_asked){ .family = family, .side = side, .n = TRIE_QUESTIONS };
	for (int round = 0; round < ROUNDS; round++) {
		choose_addresses(w, family, prefix);
		run(w->skel->progs.trie_answer);
		for (int i = 0; i < TRIE_QUESTIONS; i++) {
			memcpy(p.addr_be, w->question[i].addr_be, sizeof(p.addr_be));
			different += w->question[i].answer != ng_trie_find(trie, &p);
			found += w->question[i].answer != 0;
		}
	}
	is_int(w->asked->done, ROUNDS * TRIE_QUESTIONS, "IPv%d, side %d: all were asked",
	       family == NG_IPV4 ? 4 : 6, side);
	is_int(different, 0, "the program's answers are user space's (%d found)", found);
	ok(found > ROUNDS * TRIE_QUESTIONS / 4, "many have a leaf");
}

/* Words that lead nowhere are no leaf, and no fault. */
static void test_damage(struct world *w)
{
	static const uint32_t bad[] = { NG_TRIE_NODE | NG_LEAF_ID, NG_TRIE_SKIP | NG_LEAF_ID,
					NG_TRIE_NODE | 40000, NG_TRIE_SKIP | 40000 };
	uint32_t *root4 = ng_pages_at(w->t.trie[NG_IPV4][NG_SRC].root, 0);
	uint32_t *root6 = ng_pages_at(w->t.trie[NG_IPV6][NG_SRC].root, 0);
	uint32_t keep4 = root4[0x7f00], keep6 = root6[0x7f00];
	struct ng_prefix p;
	int leaves = 0;

	for (int family = 0; family < NG_FAMILY_MAX; family++) {
		p = trie_prefix((enum ng_family)family, (address)0x7f00 << 112,
				bits((enum ng_family)family));
		memcpy(w->question[0].addr_be, p.addr_be, sizeof(p.addr_be));
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			root4[0x7f00] = root6[0x7f00] = bad[i];
			*w->asked = (struct trie_asked){ .family = (__u32)family, .n = 1 };
			run(w->skel->progs.trie_answer);
			leaves += w->question[0].answer != 0;
			leaves += ng_trie_find(&w->t.trie[family][NG_SRC], &p) != 0;
		}
	}
	root4[0x7f00] = keep4;
	root6[0x7f00] = keep6;
	is_int(leaves, 0, "a damaged word gives no leaf");
}

/* Changes that are watched */

/*
 * Pairs of a range and one within it, apart from each other, in a range that is always there. One of
 * each pair comes and goes, the other stays: so it is known which two leaves an address may have.
 */
#define PAIRS 64

struct pair {
	struct ng_prefix range[2]; /* the second within the first */
	uint32_t leaf[2];
	unsigned int moving; /* which one comes and goes */
	bool is_in;
};

struct race {
	struct world *w;
	struct ng_trie *trie;
	struct pair pair[PAIRS];
	bool stop;
	uint64_t changes;
};

#define OUTER (NG_TRIE_LEAF | 1)

static void *watch(void *arg)
{
	struct race *race = arg;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED))
		run(race->w->skel->progs.trie_watch);
	return NULL;
}

static bool clashes(const struct race *race, unsigned int n, const struct ng_prefix *p)
{
	for (unsigned int i = 0; i < n; i++)
		if (ng_prefix_covers(&race->pair[i].range[0], p) ||
		    ng_prefix_covers(p, &race->pair[i].range[0]))
			return true;
	return false;
}

/* Of many lengths, and close to one another: each parts from the last somewhere on its way. */
static void choose_pairs(struct race *race)
{
	enum ng_family family = race->trie->family;
	unsigned int full = bits(family), len, n = 0;
	address a = (address)0x3fff << 112;
	struct ng_prefix p;

	while (n < PAIRS) {
		a ^= (address)1 << (127 - 16 - below(full - 16));
		if (!below(50))
			a = (address)0x3fff << 112 | (address)rnd() << 80;
		a = family == NG_IPV4 ? a >> 96 << 96 : a;
		len = 17 + below(full - 17);
		p = trie_prefix(family, a, len);
		if (clashes(race, n, &p))
			continue;
		race->pair[n] = (struct pair){
			.range = { p, trie_prefix(family, a, len + 1 + below(full - len)) },
			.leaf = { NG_TRIE_LEAF | (2 * n + 2), NG_TRIE_LEAF | (2 * n + 3) },
			.moving = n % 2,
		};
		n++;
	}
}

static void set_legal(const struct race *race, struct trie_question *q, const struct ng_prefix *p)
{
	const struct pair *pair;

	q->legal[0] = q->legal[1] = OUTER;
	for (int i = 0; i < PAIRS; i++) {
		pair = &race->pair[i];
		if (!ng_prefix_covers(&pair->range[0], p))
			continue;
		q->legal[1] = pair->leaf[0];
		if (pair->moving == 1)
			q->legal[0] = pair->leaf[0];
		if (!ng_prefix_covers(&pair->range[1], p))
			continue;
		q->legal[1] = pair->leaf[1];
		if (pair->moving == 0)
			q->legal[0] = pair->leaf[1];
	}
}

/* Within ranges and one bit beside them. */
static void choose_questions(struct race *race)
{
	enum ng_family family = race->trie->family;
	const struct ng_prefix *range;
	struct ng_prefix p;
	address a;

	for (unsigned int q = 0; q < TRIE_QUESTIONS; q++) {
		range = &race->pair[below(PAIRS)].range[below(2)];
		a = range->len == 128 ? 0 : random_address(family) << range->len >> range->len;
		a |= trie_address(range);
		if (below(2))
			a ^= (address)1 << (127 - 16 - below(bits(family) - 16));
		p = trie_prefix(family, a, bits(family));
		memcpy(race->w->question[q].addr_be, p.addr_be, sizeof(p.addr_be));
		set_legal(race, &race->w->question[q], &p);
	}
}

/* The area has one leaf, then those that stay. */
static int prepare(struct race *race)
{
	struct ng_prefix area = trie_prefix(race->trie->family, (address)0x3fff << 112, 16);
	struct pair *pair;
	int err = 0;

	for (uint32_t leaf = 0; !err && leaf <= PREFIXES; leaf++)
		err = ng_trie_replace(race->trie, &area, leaf ? NG_TRIE_LEAF | leaf : 0, OUTER);
	choose_pairs(race);
	choose_questions(race);
	for (int i = 0; !err && i < PAIRS; i++) {
		pair = &race->pair[i];
		err = ng_trie_replace(race->trie, &pair->range[!pair->moving], OUTER,
				      pair->leaf[!pair->moving]);
	}
	return err;
}

static int come_or_go(struct race *race, struct pair *pair)
{
	uint32_t without = pair->moving ? pair->leaf[0] : OUTER, with = pair->leaf[pair->moving];
	int err = ng_trie_replace(race->trie, &pair->range[pair->moving],
				  pair->is_in ? with : without, pair->is_in ? without : with);

	if (!err) {
		pair->is_in = !pair->is_in;
		race->changes++;
	}
	return err;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A busy machine may not let the watch run for a while. */
static bool is_over(const struct race *race, uint64_t from)
{
	const volatile struct trie_asked *asked = race->w->asked;
	uint64_t ms = now_ms() - from;

	return ms > RACE_MS && ((asked->first && asked->second) || ms > RACE_MS_MAX);
}

/* Ranges come and go until the time is over. 0 or -errno. */
static int write_randomly(struct race *race)
{
	uint64_t from = now_ms();
	int err = 0;

	for (unsigned int n = 0; !err && (n % 64 || !is_over(race, from)); n++) {
		err = come_or_go(race, &race->pair[below(PAIRS)]);
		if (err == -ENOSPC) {
			err = ng_grace_period();
			trie_tables_reap(&race->w->t);
		}
	}
	return err;
}

static void test_race(struct world *w, enum ng_family family, enum ng_side side)
{
	struct race race = { .w = w, .trie = &w->t.trie[family][side] };
	int err = prepare(&race);
	pthread_t thread;

	*w->asked = (struct trie_asked){ .family = family, .side = side, .n = TRIE_QUESTIONS };
	if (!ok(!err && !pthread_create(&thread, NULL, watch, &race), "a watch runs"))
		return;
	err = write_randomly(&race);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("# %llu changes, %llu rounds of lookups: %llu one leaf, %llu the other\n",
	       (unsigned long long)race.changes, w->asked->done, w->asked->first, w->asked->second);
	is_int(err, 0, "IPv%d: changes while programs look", family == NG_IPV4 ? 4 : 6);
	ok(w->asked->first && w->asked->second, "both leaves were seen");
	is_int(w->asked->wrong, 0, "nothing else was");
	ok(trie_accounts_fit(&w->t), "every element is accounted for");
}

static int no_output(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN)
		vfprintf(stderr, format, args);
	return 0;
}

int main(void)
{
	struct world w = { 0 };
	int err;

	if (geteuid())
		tap_skip_all("not root");
	random_seed(44);
	libbpf_set_print(no_output);
	err = world_open(&w);
	if (!ok(!err, "the program loads"))
		return tap_done();
	for (int family = 0; family < NG_FAMILY_MAX; family++)
		for (int side = 0; side < NG_SIDE_MAX; side++)
			test_answers(&w, (enum ng_family)family, (enum ng_side)side);
	test_damage(&w);
	test_race(&w, NG_IPV4, NG_SRC);
	test_race(&w, NG_IPV4, NG_DST);
	test_race(&w, NG_IPV6, NG_SRC);
	world_close(&w);
	return tap_done();
}
