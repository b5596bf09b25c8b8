// SPDX-License-Identifier: GPL-2.0-only
/*
 * A writer that dies between any two of its stores and system calls: after recovery the tables hold
 * what was there before or what was to be, and nothing else. The engine is compiled in with each
 * store and each call counted.
 */
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "maps/acl.h"
#include "maps/counters.h"

#define DIED 7 /* exit status */

static long steps_left = -1; /* until death; -1: none */

static void live_on(void)
{
	if (steps_left >= 0 && steps_left-- == 0)
		_exit(DIED);
}

static int dying_update(int fd, const void *key, const void *value, __u64 flags)
{
	live_on();
	return bpf_map_update_elem(fd, key, value, flags);
}

static int dying_delete(int fd, const void *key)
{
	live_on();
	return bpf_map_delete_elem(fd, key);
}

static int dying_zero(int fd, __u32 index)
{
	live_on();
	return ng_counter_zero(fd, index);
}

#define __atomic_store_n(to, value, order)                                                         \
	(live_on(), *(volatile __typeof__(*(to)) *)(to) = (value))
#define bpf_map_update_elem dying_update
#define bpf_map_delete_elem dying_delete
#define ng_counter_zero	    dying_zero
#include "maps/acl_rows.c"
#include "maps/acl_draft.c"
#include "maps/acl.c"
#undef bpf_map_update_elem
#undef bpf_map_delete_elem

#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

#define STEPS_MAX 100000

static struct ng_maps m;
static struct model before, after;

/* What the writer was to do. */
struct task {
	enum { ADD, ADD_MANY, DEL, FLUSH, RECOVER } kind;
	struct ng_acl_key key[12];
	__u8 verdict;
};

static int carry_out(const struct task *t)
{
	struct ng_acl_change change;
	bool existed;

	switch (t->kind) {
	case ADD:
		return ng_acl_add(&m, &t->key[0], t->verdict, &existed);
	case ADD_MANY:
		return ng_acl_add_all(&m, t->key, 12, t->verdict, &change);
	case DEL:
		return ng_acl_del(&m, &t->key[0]);
	case FLUSH:
		return ng_acl_flush(&m);
	case RECOVER:
		return ng_acl_recover(&m);
	}
	return -EINVAL;
}

/* Changes the model as the task would; false: the task would be refused. */
static bool plan(const struct task *t, struct model *o)
{
	struct ng_maps *tables = &m;
	int n = t->kind == ADD_MANY ? 12 : 1;

	if (t->kind == DEL)
		return model_del(o, &t->key[0]);
	if (t->kind == FLUSH)
		o->n = 0;
	for (int i = 0; i < n && (t->kind == ADD || t->kind == ADD_MANY); i++)
		model_add(o, &t->key[i], t->verdict);
	return o->n < tables->acl_entries / 2;
}

/* The writer, a process of its own, dies at step `at`. False: it was done before. */
static bool die_at(const struct task *t, long at)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		steps_left = at;
		carry_out(t);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("Bail out! no second process\n");
		exit(1);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == DIED;
}

/* Puts tables back to what the model holds, by other means than the engine's changes. */
static bool rebuild(const struct model *o)
{
	if (ng_acl_flush(&m) < 0)
		return false;
	for (size_t i = 0; i < o->n; i++) {
		bool existed;

		if (ng_acl_add(&m, &o->clause[i].key, o->clause[i].verdict, &existed) || existed)
			return false;
	}
	return true;
}

/* A batch of adds may stop in between:
 * all that is there is old or new, and lookups agree with it. */
static bool is_between(struct model *o)
{
	struct ng_acl_entry *list;
	size_t n;
	bool good = true;

	if (ng_acl_list(&m, &list, &n))
		return false;
	o->n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t a = model_find(&after, &list[i].key), b = model_find(&before, &list[i].key);
		bool is_new = a < after.n && after.clause[a].verdict == list[i].verdict;
		bool is_old = b < before.n && before.clause[b].verdict == list[i].verdict;

		good &= is_new || is_old;
		model_add(o, &list[i].key, list[i].verdict);
	}
	for (size_t i = 0; i < before.n; i++)
		good &= model_find(o, &before.clause[i].key) < o->n;
	free(list);
	return good;
}

static const char *check(const struct task *t)
{
	static struct model between;

	if (t->kind == ADD_MANY) {
		if (!is_between(&between) || !tables_are(&m, &between) ||
		    !lookups_agree(&m, &between, 30))
			return "neither old nor new";
		return NULL;
	}
	if (tables_are(&m, &after))
		return lookups_agree(&m, &after, 30) ? NULL : "lookups of the new";
	if (tables_are(&m, &before))
		return lookups_agree(&m, &before, 30) ? NULL : "lookups of the old";
	return state_problem;
}

/* Kills the writer at every step; and every third time the one that recovers, too. */
static const char *die_everywhere(const struct task *t, long *steps)
{
	static const struct task recovery = { .kind = RECOVER };
	const char *wrong;

	for (long at = 0; at < STEPS_MAX; at++) {
		bool died;

		if (!rebuild(&before))
			return "rebuild";
		died = die_at(t, at);
		if (died && at % 3 == 2)
			die_at(&recovery, (long)rnd(40));
		if (m.control->acl_dirty && ng_acl_recover(&m))
			return "recover";
		wrong = check(t);
		if (wrong || !died) {
			*steps = at;
			return wrong;
		}
	}
	return "it never ends";
}

static struct task random_task(int kind)
{
	struct task t = { .kind = kind, .verdict = rnd(NG_CLAUSE_VERDICT_MAX) };

	for (int i = 0; i < 12; i++)
		t.key[i] = random_key();
	if (kind == DEL)
		t.key[0] = before.clause[rnd(before.n)].key;
	return t;
}

/* Prefixes that cover many others make the longest changes. */
static void widen(struct task *t)
{
	memset(t->key[0].prefix.addr_be, 0, sizeof(t->key[0].prefix.addr_be));
	t->key[0].prefix.len = 0;
}

static void deaths(const char *name, int kind, int rounds, bool wide)
{
	const char *wrong = NULL;
	long steps = 0, sum = 0;

	for (int i = 0; i < rounds && !wrong; i++) {
		struct task t;

		before.n = 0;
		while (before.n < 12) {
			struct ng_acl_key key = random_key();

			model_add(&before, &key, rnd(NG_CLAUSE_VERDICT_MAX));
		}
		t = random_task(kind);
		if (wide)
			widen(&t);
		after = before;
		if (!plan(&t, &after))
			continue;
		wrong = die_everywhere(&t, &steps);
		sum += steps;
	}
	ok(!wrong && sum > rounds, "%s: a death at any of %ld steps leaves the old or the new",
	   name, sum);
	if (wrong)
		printf("#   %s, step %ld\n", wrong, steps);
}

int main(void)
{
	int rounds = getenv("NG_QUICK") ? 2 : 9;

	if (!make_tables(&m, 256))
		tap_skip_all("no permission to create BPF maps");
	deaths("add", ADD, rounds * 3, false);
	deaths("add what covers all", ADD, rounds, true);
	deaths("add many", ADD_MANY, rounds / 2, false);
	deaths("del", DEL, rounds * 2, false);
	deaths("flush", FLUSH, rounds, false);
	drop_tables(&m);
	return tap_done();
}
