// SPDX-License-Identifier: GPL-2.0-only
/* Puts the programs of a scoped expression's steps behind each other. */
#include "ctl/filter/cfg.h"
#include "ctl/filter/scope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENDS 2 /* returns behind all programs: match, rejection */

/* Instructions of step i in the whole: one that never matches is a jump. */
static size_t size_of(const struct ng_cbpf *program)
{
	return program->n ? program->n : 1;
}

/* The place that a step leads to. */
static size_t place_of(const struct ng_cbpf *program, size_t total, int step)
{
	size_t at = 0;

	if (step < 0)
		return total - ENDS + (step == NG_SCOPE_REJECT);
	for (int i = 0; i < step; i++)
		at += size_of(&program[i]);
	return at;
}

/* The program at `at`: its returns become jumps to on[0] and on[1], its sets follow first_set. */
static void put_program(struct sock_filter *insns, size_t at, const struct ng_cbpf *program,
			const size_t on[2], size_t first_set)
{
	const struct sock_filter never = BPF_STMT(BPF_RET | BPF_K, 0);

	memcpy(insns + at, program->n ? program->insns : &never, size_of(program) * sizeof(never));
	for (size_t i = at; i < at + size_of(program); i++) {
		struct sock_filter *f = &insns[i];

		if (f->code == (BPF_RET | BPF_K))
			*f = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
							  (__u32)(on[f->k ? 0 : 1] - i - 1));
		else if (ng_op_of(f) == NG_OP_IN || ng_op_of(f) == NG_OP_IN6)
			f->k += (__u32)first_set;
	}
}

static void take_sets(struct ng_cbpf *from, struct ng_cbpf *to)
{
	for (size_t i = 0; i < from->n_sets; i++)
		to->sets[to->n_sets++] = from->sets[i];
	from->n_sets = 0;
}

int ng_scope_join(const struct ng_scope *s, struct ng_cbpf *program, unsigned int snaplen,
		  struct ng_cbpf *out)
{
	struct ng_cbpf whole = { 0 };
	size_t n_sets = 0, at = 0;

	for (size_t i = 0; i < s->n; i++) {
		whole.n += size_of(&program[i]);
		n_sets += program[i].n_sets;
	}
	whole.n += ENDS;
	whole.insns = calloc(whole.n, sizeof(*whole.insns));
	whole.sets = n_sets ? calloc(n_sets, sizeof(*whole.sets)) : NULL;
	if (!whole.insns || (n_sets && !whole.sets)) {
		ng_cbpf_free(&whole);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->n; i++) {
		const size_t on[2] = { place_of(program, whole.n, s->step[i].on_true),
				       place_of(program, whole.n, s->step[i].on_false) };

		put_program(whole.insns, at, &program[i], on, whole.n_sets);
		take_sets(&program[i], &whole);
		at += size_of(&program[i]);
	}
	whole.insns[at] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, snaplen);
	whole.insns[at + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	*out = whole;
	return 0;
}
