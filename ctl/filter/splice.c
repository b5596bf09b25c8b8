// SPDX-License-Identifier: GPL-2.0-only
/* Puts translated filters together and into a whole program. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter/emit.h"
#include "ctl/filter/insn.h"

/* The gap [start, end) and how far what stands behind it moves. */
struct gap {
	long start, end, shift;
};

/* Where instruction i of the old program stands in the new one. */
static long moved(const struct gap *gap, long i)
{
	return i >= gap->end ? i + gap->shift : i;
}

/* insn: at `from` in the new program already, at `old` in the old one. */
static int rebase(struct bpf_insn *insn, long old, const struct gap *gap)
{
	bool far = ng_is_far(insn);
	long target, distance;

	if (!far && !ng_is_near(insn))
		return 0;
	target = old + 1 + (far ? insn->imm : insn->off);
	if (target > gap->start && target < gap->end)
		return -EINVAL;
	distance = moved(gap, target) - moved(gap, old) - 1;
	if (far) {
		insn->imm = (int)distance;
		return 0;
	}
	if (distance > INT16_MAX || distance < INT16_MIN)
		return -E2BIG;
	insn->off = (short)distance;
	return 0;
}

static int copy_part(struct bpf_insn *to, const struct bpf_insn *insns, long from, long end,
		     const struct gap *gap)
{
	for (long i = from; i < end; i++) {
		struct bpf_insn *insn = &to[moved(gap, i)];
		int ret;

		*insn = insns[i];
		ret = rebase(insn, i, gap);
		if (ret)
			return ret;
		if (ng_is_wide(insn) && i + 1 < end) {
			insn[1] = insns[i + 1];
			i++;
		}
	}
	return 0;
}

int ng_splice_body(const struct bpf_insn *insns, size_t n, size_t start, size_t end,
		   const struct ng_ebpf *body, struct ng_ebpf *out, long *shift)
{
	struct gap gap = { (long)start, (long)end, (long)body->n - (long)(end - start) };
	struct bpf_insn *spliced;
	int ret;

	if (start >= end || end > n || body->n == 0)
		return -EINVAL;
	spliced = calloc(n - (end - start) + body->n, sizeof(*spliced));
	if (!spliced)
		return -ENOMEM;
	ret = copy_part(spliced, insns, 0, gap.start, &gap);
	if (!ret)
		ret = copy_part(spliced, insns, gap.end, (long)n, &gap);
	if (ret) {
		free(spliced);
		return ret;
	}
	memcpy(spliced + start, body->insns, body->n * sizeof(*spliced));
	*out = (struct ng_ebpf){ .insns = spliced, .n = n - (end - start) + body->n };
	*shift = gap.shift;
	return 0;
}

void ng_ebpf_bind_table(struct ng_ebpf *p, int fd)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!ng_is_wide(&p->insns[i]))
			continue;
		if (p->insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			p->insns[i].imm = fd;
		i++;
	}
}

static bool is_there(const struct ng_ebpf *filter)
{
	return filter->n > 0 && filter->insns;
}

/* No jump has to reach over the longest one, so it stands last. slots: there is none. */
static size_t find_last(const struct ng_ebpf *filter, size_t slots)
{
	size_t last = slots;

	for (size_t slot = 0; slot < slots; slot++)
		if (is_there(&filter[slot]) && (last == slots || filter[slot].n > filter[last].n))
			last = slot;
	return last;
}

static void put_body(struct ng_emit *e, const struct ng_ebpf *filter)
{
	for (size_t i = 0; i < filter->n; i++)
		ng_emit(e, filter->insns[i]);
}

static void put_slots(struct ng_emit *e, const struct ng_ebpf *filter, size_t slots)
{
	size_t last = find_last(filter, slots);

	for (size_t slot = 0; slot < slots; slot++) {
		if (!is_there(&filter[slot]) || slot == last)
			continue;
		ng_emit_jump(e, NG_JUMP32_I(BPF_JNE, BPF_REG_2, slot, 0), slot);
		put_body(e, &filter[slot]);
		ng_emit_label(e, slot);
	}
	if (last < slots)
		ng_emit_jump(e, NG_JUMP32_I(BPF_JEQ, BPF_REG_2, last, 0), last);
	ng_emit(e, NG_MOV32_I(BPF_REG_0, 0));
	ng_emit(e, NG_RETURN);
	if (last < slots) {
		ng_emit_label(e, last);
		put_body(e, &filter[last]);
	}
}

int ng_filter_combine(const struct ng_ebpf *filter, size_t slots, struct ng_ebpf *out,
		      struct ng_error *err)
{
	struct ng_emit e;
	int ret = ng_emit_init(&e, slots + 1);

	if (!ret) {
		put_slots(&e, filter, slots);
		ret = ng_emit_finish(&e, out);
	}
	if (ret == -E2BIG)
		ng_err(err, NG_EXIT_USAGE, 0, NULL, "filter too large: over %d BPF instructions",
		       INT16_MAX);
	else if (ret)
		ng_err(err, NG_EXIT_FAILED, -ret, NULL, "filter");
	return ret;
}
