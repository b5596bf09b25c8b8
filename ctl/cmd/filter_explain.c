// SPDX-License-Identifier: GPL-2.0-only
/* nicgate filter explain: what a filter is, in figures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd/filter.h"
#include "ctl/filter/ir.h"
#include "maps/pins.h"

struct facts {
	__u64 reach; /* bytes from the packet's start that it may read at constant offsets */
	bool variable, length, metadata, loops;
	size_t sets, keys;
};

static void find_reads(const struct ng_cbpf *p, struct facts *facts)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->insns[i];
		enum ng_op op = ng_op_of(f);
		__u64 end = (__u64)f->k + ng_op_size(f);

		facts->variable |= op == NG_OP_IND;
		if ((op == NG_OP_ABS || op == NG_OP_MSH) && end > facts->reach)
			facts->reach = end;
	}
}

/* used: NULL for all. */
static void count_sets(struct facts *facts, const struct ng_set *set, size_t n, const bool *used)
{
	facts->sets = facts->keys = 0;
	for (size_t i = 0; i < n; i++)
		if (!used || used[i]) {
			facts->sets++;
			facts->keys += set[i].n;
		}
}

static int count_used(struct facts *facts, const struct ng_ir *ir)
{
	bool *used = calloc(ir->n_sets + 1, sizeof(*used));

	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < ir->n_blocks; i++)
		if (ir->block[i].reached && ir->block[i].test == NG_T_IN)
			used[ir->block[i].set] = true;
	count_sets(facts, ir->set, ir->n_sets, used);
	free(used);
	return 0;
}

static int count_optimized(struct facts *facts, const struct ng_cfg *cfg)
{
	struct ng_ir ir;
	int rc = ng_ir_build(cfg, &ir);

	if (rc)
		return rc == -EOPNOTSUPP ? 0 : rc; /* a filter without that form */
	ng_ir_optimize(&ir);
	rc = ir.failed ? -ENOMEM : count_used(facts, &ir);
	ng_ir_free(&ir);
	return rc;
}

/* The sets are those that the optimizer leaves; without it, those that the program came with. */
static int find_facts(const struct ng_filter_call *c, struct facts *facts, struct ng_error *err)
{
	struct ng_cfg cfg;
	int rc;

	if (!c->cbpf.n)
		return 0;
	rc = ng_cfg_build(&c->cbpf, &cfg, err);
	if (rc)
		return rc;
	find_reads(&c->cbpf, facts);
	facts->length = cfg.uses_len;
	facts->metadata = cfg.uses_meta;
	facts->loops = cfg.has_loops;
	count_sets(facts, c->cbpf.sets, c->cbpf.n_sets, NULL);
	if (!(c->expression.flags & NG_FILTER_PLAIN))
		rc = count_optimized(facts, &cfg);
	ng_cfg_free(&cfg);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, "filter", "cannot explain it") : 0;
}

static void show_facts(const struct ng_filter_call *c, struct facts f, struct ng_out *out)
{
	ng_out_u64(out, "classic_instructions", "classic BPF instructions", c->cbpf.n);
	ng_out_u64(out, "sets", "sets", f.sets);
	ng_out_u64(out, "keys", "keys in them", f.keys);
	ng_out_u64(out, "reads_bytes", "reads at most this many bytes", f.reach);
	ng_out_bool(out, "reads_variable", "reads behind headers of variable length", f.variable);
	ng_out_bool(out, "reads_length", "reads the length", f.length);
	ng_out_bool(out, "reads_metadata", "reads the kernel's metadata", f.metadata);
	ng_out_bool(out, "loops", "loops", f.loops);
}

static void show_hooks(struct ng_out *out, const struct ng_ebpf body[NG_HOOK_MAX])
{
	static const struct ng_column columns[] = {
		{ "hook", "HOOK", NG_LEFT },
		{ "instructions", "INSTRUCTIONS", NG_RIGHT },
		{ "table_bytes", "TABLE BYTES", NG_RIGHT },
	};

	ng_table_begin(out, "ebpf", columns, sizeof(columns) / sizeof(columns[0]));
	for (int i = 0; i < NG_HOOK_MAX; i++) {
		ng_table_str(out, ng_hook_name[i]);
		ng_table_u64(out, body[i].n);
		ng_table_u64(out, body[i].table_size);
	}
	ng_table_end(out);
}

/* The lines of a text, which it cuts, as a table of one column. */
static void show_lines(struct ng_out *out, const char *key, const struct ng_column *column,
		       char *text)
{
	ng_table_begin(out, key, column, 1);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		ng_table_str(out, line);
	ng_table_end(out);
}

/* Where our reading of `vlan` is not libpcap's: what matches, and where libpcap would look. */
static void show_scope(struct ng_out *out, const struct ng_scope_note *note)
{
	static const struct ng_column ours = { "expression", "MATCHES WHAT MATCHES ONE OF",
					       NG_LEFT };
	static const struct ng_column libpcap = { "place", "LIBPCAP WOULD LOOK FOR", NG_LEFT };

	ng_out_bool(out, "vlan_differs", "reads vlan otherwise than libpcap", note->differs);
	if (!note->differs)
		return;
	show_lines(out, "vlan_alternatives", &ours, note->ours);
	show_lines(out, "libpcap_places", &libpcap, note->libpcap);
}

static int find_scope(const struct ng_expression *e, struct ng_scope_note *note,
		      struct ng_error *err)
{
	if (!e->text || e->bytecode || e->flags & NG_FILTER_STRICT ||
	    !e->text[strspn(e->text, " \t\r\n")])
		return 0;
	return ng_filter_explain_scope(e->text, note)
		       ? ng_err(err, NG_EXIT_FAILED, ENOMEM, "filter", "cannot explain it")
		       : 0;
}

int ng_filter_run_explain(struct ng_filter_call *c, struct ng_error *err)
{
	struct ng_ebpf body[NG_HOOK_MAX] = { { 0 } };
	struct ng_scope_note note = { .differs = false };
	struct facts facts = { 0 };
	struct ng_out *out = NULL;
	int rc = find_facts(c, &facts, err);

	if (!rc)
		rc = find_scope(&c->expression, &note, err);
	for (unsigned int i = 0; !rc && i < NG_HOOK_MAX; i++)
		rc = ng_filter_body(c, i, &body[i], err);
	if (!rc) {
		out = ng_out_new(c->global->json, c->global->pretty);
		rc = out ? 0 : ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "cannot print");
	}
	if (!rc) {
		ng_out_begin(out);
		show_facts(c, facts, out);
		show_scope(out, &note);
		show_hooks(out, body);
		rc = ng_out_end(out, err);
	}
	ng_out_free(out);
	ng_scope_note_free(&note);
	for (unsigned int i = 0; i < NG_HOOK_MAX; i++)
		ng_ebpf_free(&body[i]);
	return rc;
}
