// SPDX-License-Identifier: GPL-2.0-only
/* The growing array of eBPF instructions and its labels. */
#include "ctl/filter/emit.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "ctl/filter/island.h"

int ng_emit_init(struct ng_emit *e, size_t n_labels)
{
	*e = (struct ng_emit){ .n_labels = n_labels };
	e->label = malloc(n_labels * sizeof(*e->label));
	if (!e->label)
		return -ENOMEM;
	for (size_t i = 0; i < n_labels; i++)
		e->label[i] = SIZE_MAX;
	return 0;
}

/* The array with room for one more element, or NULL, when the old one stays valid. */
static void *grow(void *array, size_t *room, size_t n, size_t size)
{
	size_t wanted = *room ? 2 * *room : 256;
	void *bigger;

	if (n < *room)
		return array;
	bigger = reallocarray(array, wanted, size);
	if (bigger)
		*room = wanted;
	return bigger;
}

void ng_emit(struct ng_emit *e, struct bpf_insn insn)
{
	struct bpf_insn *insns = grow(e->insns, &e->room, e->n, sizeof(*insns));

	if (!insns) {
		e->failed = true;
		return;
	}
	e->insns = insns;
	e->insns[e->n++] = insn;
}

void ng_emit_label(struct ng_emit *e, size_t label)
{
	e->label[label] = e->n;
}

bool ng_emit_label_used(const struct ng_emit *e, size_t label)
{
	for (size_t i = 0; i < e->n_jumps; i++)
		if (e->jumps[i].label == label)
			return true;
	return false;
}

void ng_emit_jump(struct ng_emit *e, struct bpf_insn insn, size_t label)
{
	struct ng_jump *jumps = grow(e->jumps, &e->jumps_room, e->n_jumps, sizeof(*jumps));

	if (!jumps) {
		e->failed = true;
		return;
	}
	e->jumps = jumps;
	e->jumps[e->n_jumps++] = (struct ng_jump){ e->n, label };
	ng_emit(e, insn);
}

size_t ng_emit_ahead(struct ng_emit *e, struct bpf_insn insn)
{
	ng_emit(e, insn);
	return e->n - 1;
}

void ng_emit_land(struct ng_emit *e, size_t ahead)
{
	if (!e->failed)
		e->insns[ahead].off = (short)(e->n - ahead - 1);
}

static int resolve(struct ng_emit *e)
{
	for (size_t i = 0; i < e->n_jumps; i++) {
		long off = (long)e->label[e->jumps[i].label] - (long)e->jumps[i].from - 1;

		if (off > INT16_MAX || off < INT16_MIN)
			return -E2BIG;
		e->insns[e->jumps[i].from].off = (short)off;
	}
	return 0;
}

int ng_emit_finish(struct ng_emit *e, struct ng_ebpf *out)
{
	int ret = e->failed ? -ENOMEM : resolve(e);

	if (ret == -E2BIG)
		ret = ng_islands(e);
	if (ret)
		free(e->insns);
	else
		*out = (struct ng_ebpf){ .insns = e->insns, .n = e->n };
	free(e->jumps);
	free(e->label);
	*e = (struct ng_emit){ 0 };
	return ret;
}
