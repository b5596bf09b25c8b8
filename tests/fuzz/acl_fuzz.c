// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the ACL's tables: `make fuzz FUZZ=acl`.
 *
 *	acl_fuzz [CASES [SEED]]
 *
 * A case is a random address that one of the engines and a plain list give the same clause. EACH cases
 * follow on a change of one clause that is made in all three; full tables are built anew. They come in
 * batches, each from empty tables and a seed of its own, SEED and on (without: the time); the one that
 * failed is run alone by `acl_fuzz BATCH SEED`. The last line is "N passed, N failed, N skipped".
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "tests/bpf/acl_maps.h"

#define CASES	10000000
#define LOOKUPS 64			  /* of an engine, after each change */
#define EACH	(LOOKUPS * NG_ENGINE_MAX) /* cases */
#define BATCH	(500 * EACH)		  /* cases */

static struct model model;

static int put(struct ng_acl_tables *t, const struct ng_acl_item *item)
{
	struct ng_acl_change done = { 0 };
	int err = ng_acl_put(t, item, &done);

	if (err != -ENOSPC)
		return err;
	err = rebuild_tables(t);
	return err ? err : ng_acl_put(t, item, &done);
}

static int del(struct ng_acl_tables *t, const struct ng_acl_key *key)
{
	int err = ng_acl_del(t, key);

	if (err != -ENOSPC)
		return err;
	err = rebuild_tables(t);
	return err ? err : ng_acl_del(t, key);
}

/* The same change everywhere; the engines have to say the same of it. */
static const char *change(struct ng_acl_tables t[NG_ENGINE_MAX])
{
	struct ng_acl_item item = { .key = random_key(), .verdict = rnd(NG_CLAUSE_VERDICT_MAX) };
	bool deletes = model.n && (rnd(10) < 3 || model.n > 200);
	int err[NG_ENGINE_MAX];

	if (deletes && rnd(4))
		item.key = model.clause[rnd(model.n)].key;
	for (int e = 0; e < NG_ENGINE_MAX; e++)
		err[e] = deletes ? del(&t[e], &item.key) : put(&t[e], &item);
	if (err[NG_ENGINE_TRIE] != err[NG_ENGINE_LPM])
		return "the engines disagree about a change";
	if (deletes)
		return (err[0] == 0) == model_del(&model, &item.key) ? NULL : "del";
	if (err[0] && err[0] != -E2BIG)
		return "put";
	if (!err[0])
		model_add(&model, &item.key, item.verdict);
	return NULL;
}

static const char *run_batch(struct ng_acl_tables t[NG_ENGINE_MAX], uint64_t cases)
{
	const char *wrong = NULL;

	model.n = 0;
	for (uint64_t i = 0; i * EACH < cases && !wrong; i++) {
		wrong = change(t);
		for (int e = 0; e < NG_ENGINE_MAX && !wrong; e++) {
			if (!lookups_agree(&t[e], &model, LOOKUPS) ||
			    (i % 50 == 0 && !tables_are(&t[e], &model)))
				wrong = state_problem;
		}
	}
	return wrong;
}

static bool run_seed(uint64_t batch_seed, uint64_t cases)
{
	struct ng_acl_tables t[NG_ENGINE_MAX];
	const char *wrong = NULL;

	seed = batch_seed * 0x9e3779b97f4a7c15ull | 1;
	for (int e = 0; e < NG_ENGINE_MAX; e++)
		if (!make_tables(&t[e], e)) {
			printf("# no tables: %s\n", strerror(errno));
			exit(1);
		}
	wrong = run_batch(t, cases);
	for (int e = 0; e < NG_ENGINE_MAX; e++)
		ng_acl_tables_close(&t[e]);
	if (wrong)
		printf("# %s: acl_fuzz %" PRIu64 " %" PRIu64 "\n", wrong, cases, batch_seed);
	return !wrong;
}

int main(int argc, char **argv)
{
	uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : CASES, done = 0, failed = 0;
	uint64_t at = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);

	printf("# %" PRIu64 " cases from seed %" PRIu64 "\n", cases, at);
	for (; done < cases; done += BATCH) {
		uint64_t batch = cases - done < BATCH ? cases - done : BATCH;

		failed += run_seed(at++, batch) ? 0 : batch;
	}
	printf("%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", cases - failed, failed);
	return failed != 0;
}
