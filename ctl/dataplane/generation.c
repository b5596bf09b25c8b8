// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generations of ACL tables. A gate's program reads the tables of one generation, whose maps are
 * bound into it at the load, so that other tables come with another program, in one step for every
 * packet. What grows a table, replaces all of it or puts it in order after a writer died builds the
 * new one beside and has it swapped in here:
 *
 *	1. a program is loaded on the new tables, otherwise on the gate's own maps
 *	2. the tables are pinned in acl<GEN>
 *	3. control->acl_next = GEN, ->acl_next_prog = the program's id
 *	4. link update (cls_bpf: replace)
 *	5. no program runs on the old tables any more: their counters are carried over
 *	6. control->acl_gen = GEN, ->acl_next_prog = 0
 *	7. the old directory goes
 *
 * The truth is which program is on the hook: is it acl_next_prog, acl_next is in force, else acl_gen.
 * So a death before step 4 leaves the old generation, and one after it the new. Whoever opens the
 * gate with the lock held finds acl_next_prog set and does what is left from step 5 on, or takes the
 * new directory away. Ids of programs are not used again before 2^31 others were loaded; reading
 * which maps a program has would ask for CAP_SYS_ADMIN.
 *
 * Readers without the lock may find the directory gone that they were about to open: then the swap
 * is over, and they ask again. Tables that they have open stay readable as they were.
 *
 * A temporary gate has no tables, generation 0, and to become a whole one or that again is the same
 * swap. control->temporary follows acl_gen, so that they never disagree for longer.
 */
#include "ctl/dataplane/generation.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "ctl/dataplane/hooks.h"
#include "ctl/dataplane/reload.h"
#include "maps/acl.h"

#define TRIES_MAX 100 /* swaps that may overtake a reader */

static const struct ng_acl_tables no_tables = NG_ACL_TABLES_INIT;

static __u32 read_word(const __u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void write_word(__u32 *word, __u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* By the program that gate->prog_id says is on the hook. */
static __u32 in_force(const struct ng_gate *gate)
{
	const struct ng_control *c = gate->maps.control;

	if (gate->prog_id && read_word(&c->acl_next_prog) == gate->prog_id) {
		__u32 next = read_word(&c->acl_next);

		if (read_word(&c->acl_next_prog) == gate->prog_id)
			return next;
	}
	return read_word(&c->acl_gen);
}

static int query(struct ng_gate *gate)
{
	const struct ng_hook_ops *ops = ng_hook_ops_of(gate->mode);

	return ops ? ops->query(gate) : 0;
}

/* Opens the tables in force. -ENOENT: not all of them are there. */
static int open_in_force(struct ng_gate *gate, struct ng_acl_tables *t, __u32 *gen)
{
	int rc = -ENOENT;

	for (int i = 0; i < TRIES_MAX && rc == -ENOENT; i++) {
		__u32 now = in_force(gate);

		if (i && now == *gen)
			break;
		*gen = now;
		*t = no_tables;
		rc = now ? ng_pins_open_acl(gate->maps.dir, now, t) : 0;
		if (rc == -ENOENT && query(gate))
			break;
	}
	return rc;
}

static void carry_over(struct ng_gate *gate, struct ng_acl_tables *from, struct ng_acl_tables *to)
{
	int rc = ng_grace_period();

	if (!rc)
		rc = ng_acl_carry(from, to);
	if (rc)
		ng_warn("%s: %s: what the ACL's clauses had counted is lost: %s", gate->link.name,
			ng_hook_name[gate->hook], strerror(-rc));
}

/* Steps 5 to 7: from control->acl_gen, whose tables are *from, to what is in force, which is *to. */
static int finish(struct ng_gate *gate, struct ng_acl_tables *from, struct ng_acl_tables *to,
		  __u32 gen)
{
	struct ng_control *c = gate->maps.control;

	if (from->head && to->head)
		carry_over(gate, from, to);
	write_word(&c->temporary, !gen);
	write_word(&c->acl_gen, gen);
	write_word(&c->acl_next_prog, 0);
	return gate->pinned ? ng_pins_keep_acl(gate->maps.dir, gen) : 0;
}

/* A writer died on the way; *to is in force. */
static int mend(struct ng_gate *gate, struct ng_acl_tables *to, __u32 gen)
{
	const struct ng_control *c = gate->maps.control;
	struct ng_acl_tables from = no_tables;
	int rc = 0;

	if (c->acl_gen && c->acl_gen != gen)
		rc = ng_pins_open_acl(gate->maps.dir, c->acl_gen, &from);
	if (rc == -ENOENT)
		rc = 0;
	if (!rc)
		rc = finish(gate, &from, to, gen);
	ng_acl_tables_close(&from);
	return rc;
}

/* The gate's tables from now on. */
static void take(struct ng_gate *gate, const struct ng_acl_tables *t, __u32 gen)
{
	ng_acl_tables_close(&gate->maps.acl);
	gate->maps.acl = *t;
	gate->maps.acl_gen = gen;
}

static int open_tables(struct ng_gate *gate, bool locked)
{
	struct ng_acl_tables t;
	__u32 gen = 0;
	int rc = open_in_force(gate, &t, &gen);

	if (rc)
		return rc;
	if (locked)
		rc = mend(gate, &t, gen);
	if (rc)
		ng_acl_tables_close(&t);
	else
		take(gate, &t, gen);
	return rc;
}

int ng_generation_open(const struct ng_pins *pins, struct ng_gate *gate, bool locked)
{
	int rc = open_tables(gate, locked);

	if (rc == -ENOENT && ng_pins_has_keeper(pins, gate->link.ifindex, gate->hook))
		return -EUCLEAN;
	return rc;
}

int ng_generation_follow(struct ng_gate *gate, bool locked, struct ng_error *err)
{
	int rc = 0;

	if (!gate->pinned)
		return 0;
	rc = query(gate);
	if (!rc &&
	    (in_force(gate) != gate->maps.acl_gen || (locked && gate->maps.control->acl_next_prog)))
		rc = open_tables(gate, locked);
	if (!rc)
		return 0;
	return ng_err(err, rc == -ENOENT ? NG_EXIT_NOT_FOUND : NG_EXIT_FAILED, -rc, gate->link.name,
		      "%s: opening the ACL's tables failed", ng_hook_name[gate->hook]);
}

int ng_gate_follow(struct ng_gate *gate, struct ng_error *err)
{
	return ng_generation_follow(gate, false, err);
}

static int pin(const struct ng_gate *gate, const struct ng_maps *next, struct ng_error *err)
{
	int rc = 0;

	if (gate->pinned && next->acl_gen)
		rc = ng_pins_pin_acl(gate->maps.dir, next->acl_gen, &next->acl);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "pinning in %s failed",
			   gate->maps.dir)
		  : 0;
}

/* Steps 2 to 4. On failure the old generation is in force and nothing of the new one left. */
static int put_in_force(struct ng_gate *gate, const struct ng_maps *next, struct ng_reload *r,
			struct ng_error *err)
{
	struct ng_control *c = gate->maps.control;
	int rc = pin(gate, next, err);

	if (!rc) {
		write_word(&c->acl_next, next->acl_gen);
		write_word(&c->acl_next_prog, ng_prog_id(r->prog_fd));
		rc = ng_reload_swap(gate, r, err);
	}
	if (!rc)
		return 0;
	write_word(&c->acl_next_prog, 0);
	if (gate->pinned)
		ng_pins_keep_acl(gate->maps.dir, c->acl_gen);
	return rc;
}

static int swap_to(struct ng_gate *gate, const struct ng_maps *next, struct ng_error *err)
{
	struct ng_reload r;
	int rc = ng_reload_begin(gate, &r, err);

	if (!rc)
		rc = ng_reload_load(gate, next, &r, err);
	if (!rc)
		rc = put_in_force(gate, next, &r, err);
	ng_reload_end(&r);
	return rc;
}

int ng_generation_swap(struct ng_gate *gate, struct ng_acl_tables *built, struct ng_error *err)
{
	struct ng_acl_tables tables = built ? *built : no_tables;
	int rc = ng_generation_follow(gate, true, err);
	struct ng_maps next = gate->maps;

	if (built)
		*built = no_tables;
	next.acl = tables;
	next.acl_gen = tables.head ? gate->maps.acl_gen % UINT_MAX + 1 : 0;
	if (!rc)
		rc = swap_to(gate, &next, err);
	if (rc) {
		ng_acl_tables_close(&tables);
		return rc;
	}
	rc = finish(gate, &gate->maps.acl, &tables, next.acl_gen);
	take(gate, &tables, next.acl_gen);
	if (rc)
		ng_warn("%s: %s: what is left of the ACL's old tables cannot be removed: %s",
			gate->link.name, ng_hook_name[gate->hook], strerror(-rc));
	return 0;
}

int ng_gate_acl_swap(struct ng_gate *gate, struct ng_acl_tables *built, struct ng_error *err)
{
	return ng_generation_swap(gate, built, err);
}
