// SPDX-License-Identifier: GPL-2.0-only
/* Our trie beside BPF_MAP_TYPE_LPM_TRIE: loading, lookups, single inserts. */
#include "tests/bench/trie/race.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bench/trie/lookups.h"
#include "tests_bench_trie_trie.skel.h"

#define INSERTS 2001

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Of this thread: others may use the processor meanwhile. */
static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_double(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* Sorts them. */
static double quantile(double *values, size_t n, double q)
{
	qsort(values, n, sizeof(*values), compare_double);
	return values[(size_t)((double)(n - 1) * q)];
}

/* Loading */

static int load_programs(struct tests_bench_trie_trie *skel, const struct trie_size *size, int *fd,
			 enum ng_family family)
{
	struct bpf_map *map[LINKS] = {
		skel->maps.ng_root4_src, skel->maps.ng_root4_dst, skel->maps.ng_root6,
		skel->maps.ng_nodes,	 skel->maps.ng_skips,
	};
	bool is4 = family == NG_IPV4;
	int err = 0;

	bpf_program__set_autoload(skel->progs.empty4, is4);
	bpf_program__set_autoload(skel->progs.trie4, is4);
	bpf_program__set_autoload(skel->progs.kernel4, is4);
	bpf_program__set_autoload(skel->progs.empty6, !is4);
	bpf_program__set_autoload(skel->progs.trie6, !is4);
	bpf_program__set_autoload(skel->progs.kernel6, !is4);
	for (int i = 0; !err && i < LINKS; i++)
		err = bpf_map__set_value_size(map[i],
					      (__u32)trie_table_bytes(size, (enum trie_table)i));
	skel->rodata->ng_root_bits[NG_SRC] = size->root_bits[NG_SRC];
	skel->rodata->ng_root_bits[NG_DST] = size->root_bits[NG_DST];
	skel->rodata->ng_node_count = size->nodes;
	skel->rodata->ng_skip_count = size->skips;
	err = err ? err : tests_bench_trie_trie__load(skel);
	for (int i = 0; !err && i < LINKS; i++)
		fd[i] = bpf_map__fd(map[i]);
	return err;
}

int race_open(struct race *race, const struct set *set, unsigned int root_bits)
{
	struct trie_size size = { { root_bits, 16 }, 0, 0 };
	int fd[TRIE_TABLES] = { [LINKS] = -1 };
	int err;

	size.nodes = (uint32_t)(2 * set->n + 20000);
	size.skips = set->family == NG_IPV4 ? 1 : (uint32_t)(set->n + set->n / 2 + 20000);
	*race = (struct race){ .set = set, .skel = tests_bench_trie_trie__open() };
	if (!race->skel)
		return -errno;
	err = load_programs(race->skel, &size, fd, set->family);
	err = err ? err : trie_tables_open(&race->tables, &size, fd);
	for (int i = 0; !err && i < TRIE_TABLES; i++)
		err = ng_pages_map_all(&race->tables.pages[i]);
	return err;
}

void race_close(struct race *race)
{
	trie_tables_close(&race->tables);
	tests_bench_trie_trie__destroy(race->skel);
}

static struct ng_trie *trie_of(struct race *race)
{
	return &race->tables.trie[race->set->family][NG_SRC];
}

/* Sorted, so the prefixes that cover the next one are a stack. */
static int load_ours(struct race *race)
{
	struct ng_trie *trie = trie_of(race);
	size_t stack[129], depth = 0;
	const struct ng_prefix *p = race->set->prefix;
	uint32_t from;
	int err = 0;

	for (size_t i = 0; !err && i < race->set->n; i++) {
		while (depth && !ng_prefix_covers(&p[stack[depth - 1]], &p[i]))
			depth--;
		from = depth ? NG_TRIE_LEAF | (uint32_t)(stack[depth - 1] + 1) : 0;
		err = ng_trie_replace(trie, &p[i], from, NG_TRIE_LEAF | (uint32_t)(i + 1));
		stack[depth++] = i;
	}
	return err;
}

static int lpm_fd(const struct race *race)
{
	return bpf_map__fd(race->set->family == NG_IPV4 ? race->skel->maps.lpm4
							: race->skel->maps.lpm6);
}

static int load_kernel(struct race *race, double *ns)
{
	size_t words = race->set->family == NG_IPV4 ? 2 : 5;
	__u32 n = (__u32)race->set->n, *key = malloc(n * words * 4), *leaf = malloc(n * 4);
	int err = key && leaf ? 0 : -ENOMEM;
	double from;

	for (__u32 i = 0; !err && i < n; i++) {
		key[i * words] = race->set->prefix[i].len;
		memcpy(&key[i * words + 1], race->set->prefix[i].addr_be, (words - 1) * 4);
		leaf[i] = NG_TRIE_LEAF | (i + 1);
	}
	from = cpu_time();
	err = err ? err : bpf_map_update_batch(lpm_fd(race), key, leaf, &n, NULL);
	*ns = (cpu_time() - from) / (double)race->set->n;
	free(key);
	free(leaf);
	return err;
}

int race_load(struct race *race, struct load_figures *out)
{
	const struct trie_tables *t = &race->tables;
	enum trie_table root = race->set->family == NG_IPV4 ? ROOT4_SRC : ROOT6;
	double n = (double)race->set->n, from = cpu_time();
	size_t bytes;
	int err = load_ours(race);

	out->ours_ns = (cpu_time() - from) / n;
	bytes = trie_table_bytes(&t->size, root) / (root == ROOT6 ? NG_SIDE_MAX : 1);
	bytes += t->node_pool.used * (sizeof(struct ng_trie_node) + sizeof(__u32));
	bytes += t->skip_pool.used * sizeof(struct ng_trie_skip);
	out->bytes = (double)bytes / n;
	out->dead = (t->node_pool.dying + t->skip_pool.dying) / n;
	trie_tables_reap(&race->tables);
	return err ? err : load_kernel(race, &out->kernel_ns);
}

/* Lookups */

/* ns of a lookup, the loop included. */
static int run(struct race *race, enum contestant who, double *ns, __u64 *sum)
{
	const struct bpf_program *prog[NG_FAMILY_MAX][CONTESTANTS] = {
		{ race->skel->progs.empty4, race->skel->progs.trie4, race->skel->progs.kernel4 },
		{ race->skel->progs.empty6, race->skel->progs.trie6, race->skel->progs.kernel6 },
	};
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog[race->set->family][who]), &opts);

	*ns = opts.duration / (double)LOOKUPS;
	*sum = race->skel->bss->sum;
	return err;
}

static int set_lookups(struct race *race, enum traffic traffic)
{
	int fd = bpf_map__fd(race->skel->maps.lookups), err;
	struct lookups *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (l == MAP_FAILED)
		return -errno;
	err = set_traffic(race->set, traffic, l->word_be, LOOKUPS);
	munmap(l, sizeof(*l));
	return err;
}

int race_lookups(struct race *race, enum traffic traffic, unsigned int rounds,
		 struct lookup_figures *out)
{
	double ours[ROUNDS_MAX], kernel[ROUNDS_MAX], ratio[ROUNDS_MAX], ns[CONTESTANTS];
	int err = set_lookups(race, traffic);
	__u64 sum[CONTESTANTS] = { 0 };

	out->alike = true;
	for (unsigned int round = 0; !err && round < rounds; round++) {
		for (int who = 0; !err && who < CONTESTANTS; who++)
			err = run(race, (enum contestant)who, &ns[who], &sum[who]);
		ours[round] = ns[OURS] - ns[EMPTY];
		kernel[round] = ns[KERNEL] - ns[EMPTY];
		ratio[round] = kernel[round] / ours[round];
		out->alike = out->alike && sum[OURS] == sum[KERNEL];
	}
	if (err)
		return err;
	out->ours = quantile(ours, rounds, 0.5);
	out->kernel = quantile(kernel, rounds, 0.5);
	out->ratio = quantile(ratio, rounds, 0.5);
	return 0;
}

/* Inserts */

static int insert_kernel(const struct race *race, const struct ng_prefix *p, double *ns)
{
	struct lpm_key key = { .len = p->len };
	__u32 leaf = NG_TRIE_LEAF | NG_LEAF_ID;
	double from;
	int err;

	memcpy(key.addr_be, p->addr_be, sizeof(key.addr_be));
	from = now();
	err = bpf_map_update_elem(lpm_fd(race), &key, &leaf, BPF_NOEXIST);
	*ns = now() - from;
	if (!err)
		bpf_map_delete_elem(lpm_fd(race), &key);
	return err == -EEXIST ? 0 : err;
}

int race_inserts(struct race *race, struct insert_figures *out)
{
	static double ours[INSERTS], kernel[INSERTS];
	struct ng_trie *trie = trie_of(race);
	uint32_t leaf = NG_TRIE_LEAF | NG_LEAF_ID, before;
	struct ng_prefix p;
	double from;
	int err = 0;

	for (int i = 0; !err && i < INSERTS; i++) {
		p = set_random_address(race->set);
		before = ng_trie_find(trie, &p);
		from = now();
		err = ng_trie_replace(trie, &p, before, leaf);
		ours[i] = now() - from;
		err = err ? err : ng_trie_replace(trie, &p, leaf, before);
		err = err ? err : insert_kernel(race, &p, &kernel[i]);
	}
	out->ours_p50 = quantile(ours, INSERTS, 0.5);
	out->ours_p99 = quantile(ours, INSERTS, 0.99);
	out->kernel_p50 = quantile(kernel, INSERTS, 0.5);
	out->kernel_p99 = quantile(kernel, INSERTS, 0.99);
	return err;
}
