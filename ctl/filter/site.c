// SPDX-License-Identifier: GPL-2.0-only
/* Finds the calls of the filter stub and where their arguments come from. */
#include "ctl/filter/site.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/filter/insn.h"

#define FRAME_MAX 512
#define WORD	  8

/* What each instruction is to those that come from elsewhere. */
enum { TARGET = 1, /* of a jump */ ENTRY = 2 /* of a function */ };

struct program {
	const struct bpf_insn *insns;
	size_t n;
	unsigned char *mark; /* [n] */
};

static void mark_at(struct program *p, long at, unsigned char what)
{
	if (at >= 0 && (size_t)at < p->n)
		p->mark[at] |= what;
}

static void mark_all(struct program *p)
{
	mark_at(p, 0, ENTRY);
	for (size_t i = 0; i < p->n; i++) {
		const struct bpf_insn *insn = &p->insns[i];

		if (ng_is_far(insn))
			mark_at(p, (long)i + 1 + insn->imm, ng_is_far_jump(insn) ? TARGET : ENTRY);
		else if (ng_is_near(insn))
			mark_at(p, (long)i + 1 + insn->off, TARGET);
		i += ng_is_wide(insn);
	}
}

static bool is_store(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ST || BPF_CLASS(insn->code) == BPF_STX;
}

static bool is_alu(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ALU || BPF_CLASS(insn->code) == BPF_ALU64;
}

/* Atomics may fetch into a register. */
static bool writes(const struct bpf_insn *insn, int reg)
{
	unsigned int mode = BPF_MODE(insn->code);

	if (is_store(insn))
		return BPF_CLASS(insn->code) == BPF_STX && mode != BPF_MEM &&
		       (insn->src_reg == reg || reg == BPF_REG_0);
	return insn->dst_reg == reg;
}

/* Stores that go by another register than r10 may go anywhere. */
static bool overwrites(const struct bpf_insn *insn, int off)
{
	if (!is_store(insn))
		return false;
	return insn->dst_reg != BPF_REG_10 || (insn->off > off - WORD && insn->off < off + WORD);
}

/* The last instruction before the call that writes reg, in straight code; NULL: none. */
static const struct bpf_insn *find_write(const struct program *p, size_t call, int reg)
{
	for (size_t i = call; i > 0 && !p->mark[i]; i--) {
		const struct bpf_insn *insn = &p->insns[i - 1];

		if (ng_is_jump_class(insn))
			return NULL;
		/* the second half of a wide one has no code: the first is next */
		if (insn->code && writes(insn, reg))
			return insn;
	}
	return NULL;
}

static bool holds(const struct program *p, const struct bpf_insn *from, size_t call,
		  const struct ng_place *place)
{
	for (const struct bpf_insn *i = from + 1; i < p->insns + call; i++)
		if (place->kind == NG_PLACE_REG ? writes(i, place->reg) : overwrites(i, place->off))
			return false;
	return true;
}

static struct ng_place find_place(const struct program *p, size_t call, int reg)
{
	const struct bpf_insn *from = find_write(p, call, reg);
	struct ng_place place = { NG_PLACE_NONE, 0, 0 };

	if (!from)
		return place;
	if (from->code == (BPF_ALU64 | BPF_MOV | BPF_X) && !from->off &&
	    from->src_reg >= BPF_REG_6 && from->src_reg <= BPF_REG_9)
		place = (struct ng_place){ .kind = NG_PLACE_REG, .reg = from->src_reg };
	else if (from->code == (BPF_LDX | BPF_MEM | BPF_DW) && from->src_reg == BPF_REG_10)
		place = (struct ng_place){ .kind = NG_PLACE_STACK, .off = from->off };
	if (place.kind != NG_PLACE_NONE && !holds(p, from, call, &place))
		place = (struct ng_place){ NG_PLACE_NONE, 0, 0 };
	return place;
}

static int find_constant(const struct program *p, size_t call, int reg)
{
	const struct bpf_insn *from = find_write(p, call, reg);

	if (!from || !is_alu(from) || BPF_OP(from->code) != BPF_MOV ||
	    BPF_SRC(from->code) != BPF_K || from->imm < 0)
		return -1;
	return from->imm;
}

static bool takes_frame_address(const struct bpf_insn *insn)
{
	return is_alu(insn) && BPF_SRC(insn->code) == BPF_X && insn->src_reg == BPF_REG_10;
}

/* The lowest offsets of a function, all at most 0. */
struct depth {
	int direct;  /* from r10 */
	int address; /* added to a register, which may hold r10 then */
	int other;   /* of accesses by such a register */
};

static void lower(int *low, int off)
{
	if (off < *low && off >= -FRAME_MAX)
		*low = off;
}

static void add_depth(struct depth *d, const struct bpf_insn *insn)
{
	if (is_store(insn) || BPF_CLASS(insn->code) == BPF_LDX) {
		unsigned int base = is_store(insn) ? insn->dst_reg : insn->src_reg;

		lower(base == BPF_REG_10 ? &d->direct : &d->other, insn->off);
		return;
	}
	if (BPF_CLASS(insn->code) != BPF_ALU64 || BPF_SRC(insn->code) != BPF_K)
		return;
	if (BPF_OP(insn->code) == BPF_ADD)
		lower(&d->address, insn->imm);
	else if (BPF_OP(insn->code) == BPF_SUB && insn->imm > 0)
		lower(&d->address, -insn->imm);
}

int ng_frame_depth(const struct bpf_insn *insns, size_t n)
{
	struct depth d = { 0, 0, 0 };
	bool address_taken = false;
	int depth;

	for (size_t i = 0; i < n; i++) {
		address_taken |= takes_frame_address(&insns[i]);
		add_depth(&d, &insns[i]);
		i += ng_is_wide(&insns[i]);
	}
	depth = d.direct;
	if (address_taken && d.address + d.other < depth)
		depth = d.address + d.other;
	return -((-depth + WORD - 1) / WORD * WORD);
}

static int depth_of_host(const struct program *p, size_t call)
{
	size_t start = call, end = call + 1;

	while (start && !(p->mark[start] & ENTRY))
		start--;
	while (end < p->n && !(p->mark[end] & ENTRY))
		end++;
	return ng_frame_depth(p->insns + start, end - start);
}

long ng_sites_find(const struct bpf_insn *insns, size_t n, size_t stub, struct ng_site *sites,
		   size_t max)
{
	struct program p = { insns, n, calloc(n ? n : 1, 1) };
	size_t found = 0;

	if (!p.mark)
		return -ENOMEM;
	mark_all(&p);
	for (size_t i = 0; i < n; i++) {
		if (ng_is_call(&insns[i]) && (long)i + 1 + insns[i].imm == (long)stub) {
			if (found < max)
				sites[found] = (struct ng_site){
					.call = i,
					.slot = find_constant(&p, i, BPF_REG_2),
					.ctx = find_place(&p, i, BPF_REG_1),
					.len = find_place(&p, i, BPF_REG_3),
					.stack_free = depth_of_host(&p, i),
				};
			found++;
		}
		i += ng_is_wide(&insns[i]);
	}
	free(p.mark);
	return (long)found;
}

static bool is_unlinked(const struct bpf_insn *insn)
{
	return ng_is_call(insn) && insn->imm == NG_CALL_STUB;
}

size_t ng_site_calls(const struct bpf_insn *insns, size_t n)
{
	size_t calls = 0;

	for (size_t i = 0; i < n; i++) {
		calls += is_unlinked(&insns[i]);
		i += ng_is_wide(&insns[i]);
	}
	return calls;
}

void ng_site_link(struct bpf_insn *insns, size_t start, size_t end, size_t stub)
{
	for (size_t i = start; i < end; i++) {
		if (is_unlinked(&insns[i]))
			insns[i].imm = (int)((long)stub - (long)i - 1);
		i += ng_is_wide(&insns[i]);
	}
}
