// SPDX-License-Identifier: GPL-2.0-only
/* Classic BPF to an eBPF subprogram body: the copies of access.h, one behind the other. */
#include <errno.h>
#include <stdlib.h>

#include "ctl/filter/access.h"
#include "ctl/filter/fast.h"
#include "ctl/filter/meta.h"

static void put(struct ng_translation *t, struct bpf_insn insn)
{
	ng_emit(&t->emit, insn);
}

static void place(struct ng_translation *t, size_t label)
{
	ng_emit_label(&t->emit, t->first_label + label);
}

static bool is_used(const struct ng_translation *t, size_t label)
{
	return ng_emit_label_used(&t->emit, t->first_label + label);
}

static int write_fast(struct ng_translation *t)
{
	const struct ng_lower_to to = {
		.ctx = t->ctx,
		.packet = { .kind = NG_PLACE_REG, .reg = NG_REG_CTX },
		.len = { .kind = NG_PLACE_REG, .reg = NG_REG_LEN },
		.stack_free = NG_FP_LEN, /* the HELPER copy begins again with what is below */
		.pool = { BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_3, BPF_REG_8, BPF_REG_9 },
		.pool_size = 6,
	};

	put(t, NG_MOV(NG_REG_LEN, BPF_REG_3));
	return ng_lower(&t->emit, &t->fast->ir, &to, t->fast->table, t->first_label);
}

/* The copies with direct loads as classic BPF says it, one instruction after the other. */
static int write_plain(struct ng_translation *t)
{
	int ret = ng_plain_copy(t, NG_COPY_DIRECT);

	if (!ret && is_used(t, NG_L_TAGGED)) {
		place(t, NG_L_TAGGED);
		ret = ng_plain_copy(t, NG_COPY_TAGGED);
	}
	if (!ret && is_used(t, NG_L_SHORT)) {
		place(t, NG_L_SHORT);
		ng_access_short(t);
		ng_goto(t, NG_JA(0), NG_L_HELPER);
	}
	return ret;
}

static int write_body(struct ng_translation *t)
{
	int ret;

	ng_access_begin(t);
	ret = t->fast ? write_fast(t) : write_plain(t);
	if (!ret && is_used(t, NG_L_HELPER)) {
		place(t, NG_L_HELPER);
		ret = ng_plain_copy(t, NG_COPY_HELPER);
	}
	if (!ret && is_used(t, NG_L_REJECT)) {
		place(t, NG_L_REJECT);
		put(t, NG_MOV32_I(BPF_REG_0, 0));
		put(t, NG_RETURN);
	}
	return ret;
}

/* -ENOMEM; -E2BIG: a jump does not fit, or the fast copies take too many registers. */
static int assemble(struct ng_translation *t, struct ng_ebpf *out)
{
	int ret, finished;

	ret = ng_emit_init(&t->emit, t->first_label + NG_L_MAX);
	if (ret)
		return ret;
	ret = write_body(t);
	if (ret)
		t->emit.failed = true;
	finished = ng_emit_finish(&t->emit, out);
	return ret ? ret : finished;
}

static int refuse(int ret, const char *what, struct ng_error *err)
{
	if (ret != -E2BIG)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "filter too large: %s", what);
	return -E2BIG;
}

static int translate(struct ng_translation *t, size_t n_tables, size_t table_size,
		     struct ng_ebpf *out, struct ng_error *err)
{
	size_t blocks = t->cfg.n_blocks;
	struct ng_ebpf body = { 0 };
	int ret;

	if (t->fast && t->fast->ir.n_blocks > blocks)
		blocks = t->fast->ir.n_blocks;
	t->first_label = NG_COPY_MAX * blocks;
	ret = assemble(t, &body);
	if (ret == -E2BIG && t->fast) {
		t->fast = NULL;
		ret = assemble(t, &body);
	}
	if (!ret)
		ret = ng_table_fill_all(t->tables, n_tables, table_size, &body.table);
	if (ret) {
		ng_ebpf_free(&body);
		return refuse(ret, "its jumps do not fit into BPF instructions", err);
	}
	body.table_size = table_size;
	*out = body;
	return 0;
}

static int translate_plain(struct ng_translation *t, struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_table *tables;
	size_t size;
	int ret = ng_table_plan_all(t->cfg.sets, t->cfg.n_sets, &tables, &size);

	if (ret)
		return refuse(ret, "a set does not fit", err);
	t->tables = tables;
	ret = translate(t, t->cfg.n_sets, size, out, err);
	free(tables);
	return ret;
}

static int translate_fast(struct ng_translation *t, struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_fast fast;
	int ret = ng_fast_prepare(&t->cfg, &fast);

	if (ret == -EOPNOTSUPP)
		return translate_plain(t, out, err);
	if (ret)
		return refuse(ret, "a set does not fit", err);
	t->fast = &fast;
	t->tables = fast.table;
	ret = translate(t, fast.ir.n_sets, fast.table_size, out, err);
	ng_fast_free(&fast);
	return ret;
}

static int translate_empty(struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_emit e;

	if (ng_emit_init(&e, 1))
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	ng_emit(&e, NG_MOV32_I(BPF_REG_0, NG_FILTER_SNAPLEN_ALL));
	ng_emit(&e, NG_RETURN);
	return ng_emit_finish(&e, out) ? ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter") : 0;
}

/* What the hook does not have of what it is asked for. */
static int check_hook(const struct ng_cbpf *in, enum ng_filter_ctx ctx, struct ng_error *err)
{
	for (size_t i = 0; i < in->n; i++) {
		__u32 number;

		if (ng_op_of(&in->insns[i]) != NG_OP_META)
			continue;
		ng_meta_is(in->insns[i].k, &number);
		if (ng_meta_source(number, ctx).kind != NG_META_NONE)
			continue;
		ng_err(err, NG_EXIT_USAGE, 0, NULL, "the filter asks for %s", ng_meta_name(number));
		ng_err_why(err, "a packet has none yet at the XDP hook");
		ng_err_try(err, "--hook tc");
		return -EOPNOTSUPP;
	}
	return 0;
}

int ng_filter_translate(const struct ng_cbpf *in, enum ng_filter_ctx ctx, unsigned int flags,
			struct ng_ebpf *out, struct ng_error *err)
{
	struct ng_translation t = { .ctx = ctx, .may_goto = flags & NG_FILTER_MAY_GOTO };
	int ret;

	if (in->n == 0)
		return translate_empty(out, err);
	ret = ng_cfg_build(in, &t.cfg, err);
	if (ret)
		return ret;
	ret = check_hook(in, ctx, err);
	if (!ret)
		ret = flags & NG_FILTER_PLAIN ? translate_plain(&t, out, err)
					      : translate_fast(&t, out, err);
	ng_cfg_free(&t.cfg);
	return ret;
}

void ng_ebpf_free(struct ng_ebpf *p)
{
	if (!p)
		return;
	free(p->insns);
	free(p->table);
	*p = (struct ng_ebpf){ 0 };
}
