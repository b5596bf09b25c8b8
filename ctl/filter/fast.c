// SPDX-License-Identifier: GPL-2.0-only
/* Prepares the fast copies of a filter, and writes the one that stands in the place of a call. */
#include "ctl/filter/fast.h"

#include <errno.h>
#include <stdlib.h>

int ng_fast_prepare(const struct ng_cfg *cfg, struct ng_fast *out)
{
	struct ng_fast fast = { 0 };
	int ret = ng_ir_build(cfg, &fast.ir);

	if (ret)
		return ret;
	ng_ir_optimize(&fast.ir);
	ret = fast.ir.failed ? -ENOMEM
			     : ng_table_plan_all(fast.ir.set, fast.ir.n_sets, &fast.table,
						 &fast.table_size);
	if (ret)
		ng_fast_free(&fast);
	else
		*out = fast;
	return ret;
}

void ng_fast_free(struct ng_fast *fast)
{
	ng_ir_free(&fast->ir);
	free(fast->table);
	*fast = (struct ng_fast){ 0 };
}

static void put_place(struct ng_emit *e, int reg, const struct ng_place *place)
{
	if (place->kind == NG_PLACE_REG)
		ng_emit(e, NG_MOV(reg, place->reg));
	else
		ng_emit(e, NG_LOAD(BPF_DW, reg, BPF_REG_10, place->off));
}

/* What the direct copies could not answer: the call that would have stood here. */
static void write_call(struct ng_emit *e, const struct ng_site *site, size_t first_label)
{
	ng_emit_label(e, first_label + NG_L_HELPER);
	put_place(e, BPF_REG_1, &site->ctx);
	ng_emit(e, NG_MOV32_I(BPF_REG_2, site->slot));
	put_place(e, BPF_REG_3, &site->len);
	ng_emit(e, NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, NG_CALL_STUB));
	ng_emit_jump(e, NG_JA(0), first_label + NG_L_DONE);
}

static void write_inline(struct ng_emit *e, const struct ng_site *site, size_t first_label)
{
	if (ng_emit_label_used(e, first_label + NG_L_HELPER))
		write_call(e, site, first_label);
	ng_emit_label(e, first_label + NG_L_REJECT);
	if (ng_emit_label_used(e, first_label + NG_L_REJECT))
		ng_emit(e, NG_MOV32_I(BPF_REG_0, 0));
	ng_emit_label(e, first_label + NG_L_DONE);
}

static int inline_at(struct ng_fast *fast, enum ng_filter_ctx ctx, const struct ng_site *site,
		     struct ng_ebpf *out)
{
	const struct ng_lower_to to = {
		.ctx = ctx,
		.packet = site->ctx,
		.len = site->len,
		.stack_free = site->stack_free,
		.falls_through = true,
		.pool = { BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_3 },
		.pool_size = 4,
	};
	size_t first_label = NG_COPY_MAX * fast->ir.n_blocks;
	struct ng_emit e;
	int finished, ret = ng_emit_init(&e, first_label + NG_L_MAX);

	if (ret)
		return ret;
	ret = ng_lower(&e, &fast->ir, &to, fast->table, first_label);
	if (!ret)
		write_inline(&e, site, first_label);
	else
		e.failed = true;
	finished = ng_emit_finish(&e, out);
	return ret ? ret : finished;
}

/* The empty filter. */
static int inline_all(struct ng_ebpf *out)
{
	struct ng_emit e;
	int ret = ng_emit_init(&e, 1);

	if (ret)
		return ret;
	ng_emit(&e, NG_MOV32_I(BPF_REG_0, NG_FILTER_SNAPLEN_ALL));
	return ng_emit_finish(&e, out);
}

int ng_filter_inline(const struct ng_cbpf *in, enum ng_filter_ctx ctx, const struct ng_site *site,
		     struct ng_ebpf *out)
{
	struct ng_fast fast;
	struct ng_cfg cfg;
	int ret;

	if (in->n == 0)
		return inline_all(out);
	if (site->ctx.kind == NG_PLACE_NONE || site->len.kind == NG_PLACE_NONE)
		return -EOPNOTSUPP;
	ret = ng_cfg_build(in, &cfg, NULL);
	if (ret)
		return ret;
	ret = ng_fast_prepare(&cfg, &fast);
	if (!ret) {
		ret = inline_at(&fast, ctx, site, out);
		ng_fast_free(&fast);
	}
	ng_cfg_free(&cfg);
	return ret;
}
