// SPDX-License-Identifier: GPL-2.0-only
/* Random changes of the ACL tables: after each, tables and lookups must agree with a linear search
 * over a plain list. */
#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

static bool quick;

/* One random change, to tables and model. -ENOSPC and -E2BIG must leave both as they were. */
static const char *change(struct ng_maps *m, struct model *o)
{
	struct ng_acl_key key = random_key();
	size_t at = model_find(o, &key), own = 0;
	__u8 verdict = rnd(NG_CLAUSE_VERDICT_MAX);
	bool existed;
	int err;

	if (o->n && rnd(10) < 3) {
		if (rnd(4))
			key = o->clause[rnd(o->n)].key;
		err = ng_acl_del(m, &key);
		return (err == 0) == model_del(o, &key) && (!err || err == -ENOENT) ? NULL : "del";
	}
	for (size_t i = 0; i < o->n; i++)
		own += o->clause[i].key.side == key.side &&
		       !memcmp(&o->clause[i].key.prefix, &key.prefix, sizeof(key.prefix));
	err = ng_acl_add(m, &key, verdict, &existed);
	if (err == -E2BIG)
		return at == o->n && own == NG_ACL_CLAUSES_MAX ? NULL
							       : "too many clauses, too early";
	if (err == -ENOSPC)
		return at == o->n && o->n >= ng_acl_capacity(m) / 2 ? NULL : "full too early";
	if (err)
		return "add";
	if (existed != (at < o->n))
		return "existed";
	model_add(o, &key, verdict);
	return NULL;
}

static void random_changes(__u32 entries, int steps)
{
	static struct model o;
	struct ng_maps m;
	const char *wrong = NULL;
	int i;

	o.n = 0;
	if (!ok(make_tables(&m, entries), "tables of %u entries", entries))
		return;
	for (i = 0; i < steps && !wrong; i++) {
		if (!rnd(150)) {
			int n = (int)o.n;

			o.n = 0;
			if (ng_acl_flush(&m) != n)
				wrong = "flush";
		} else {
			wrong = change(&m, &o);
		}
		if (!wrong && (!tables_are(&m, &o) || !lookups_agree(&m, &o, 30)))
			wrong = state_problem;
	}
	ok(!wrong, "%d random changes with %u entries agree with a linear search", steps, entries);
	if (wrong)
		printf("#   step %d: %s\n", i, wrong);
	drop_tables(&m);
}

int main(void)
{
	struct ng_maps m;

	quick = getenv("NG_QUICK");
	if (!make_tables(&m, 8))
		tap_skip_all("no permission to create BPF maps");
	drop_tables(&m);
	random_changes(4096, quick ? 300 : 3000);
	random_changes(48, quick ? 100 : 600);
	return tap_done();
}
