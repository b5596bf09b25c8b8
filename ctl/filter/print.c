// SPDX-License-Identifier: GPL-2.0-only
/* The intermediate representation as text and as a graph for dot(1). */
#include <errno.h>

#include "ctl/filter/ir.h"

static const char *const alu_name[] = {
	[BPF_ADD >> 4] = "+",  [BPF_SUB >> 4] = "-",  [BPF_MUL >> 4] = "*", [BPF_DIV >> 4] = "/",
	[BPF_MOD >> 4] = "%",  [BPF_AND >> 4] = "&",  [BPF_OR >> 4] = "|",  [BPF_XOR >> 4] = "^",
	[BPF_LSH >> 4] = "<<", [BPF_RSH >> 4] = ">>",
};

static const char *const test_name[NG_T_MAX] = {
	[NG_T_EQ] = "==", [NG_T_GT] = ">",  [NG_T_GE] = ">=",
	[NG_T_SET] = "&", [NG_T_IN] = "in", [NG_T_IN6] = "in",
};

/* Of an expression that are printed: one may be a sum of itself, over and over. */
#define LEVELS 14

static void print_part(FILE *to, const struct ng_ir *ir, ng_val number, unsigned int levels);

static void print_place(FILE *to, const struct ng_ir *ir, const struct ng_value *v,
			unsigned int levels)
{
	fputc('[', to);
	if (v->a) {
		print_part(to, ir, ir->value[v->a].a, levels);
		fprintf(to, " + ");
	}
	fprintf(to, "%u:%u]", v->k, v->size);
}

static void print_operation(FILE *to, const struct ng_ir *ir, const struct ng_value *v,
			    unsigned int levels)
{
	fputc('(', to);
	print_part(to, ir, v->a, levels);
	fprintf(to, " %s ", alu_name[v->alu >> 4]);
	print_part(to, ir, v->b, levels);
	fputc(')', to);
}

/* Small numbers in decimal, others as bits. */
static void print_const(FILE *to, __u32 k)
{
	fprintf(to, k < 10000 ? "%u" : "0x%x", k);
}

static void print_part(FILE *to, const struct ng_ir *ir, ng_val number, unsigned int levels)
{
	const struct ng_value *v = &ir->value[number];

	if (levels-- == 0) {
		fprintf(to, "..");
		return;
	}
	switch ((enum ng_vop)v->op) {
	case NG_V_NONE:
		break;
	case NG_V_CONST:
		print_const(to, v->k);
		break;
	case NG_V_LEN:
		fprintf(to, "len");
		break;
	case NG_V_META:
		fprintf(to, "meta%u", v->k);
		break;
	case NG_V_RAW:
		fprintf(to, "raw");
		print_place(to, ir, v, levels);
		break;
	case NG_V_LOAD:
		fprintf(to, "pkt");
		print_place(to, ir, v, levels);
		break;
	case NG_V_PTR:
		fprintf(to, "&pkt[");
		print_part(to, ir, v->a, levels);
		fputc(']', to);
		break;
	case NG_V_ALU:
		print_operation(to, ir, v, levels);
		break;
	case NG_V_NEG:
		fprintf(to, "-");
		print_part(to, ir, v->a, levels);
		break;
	case NG_V_PHI:
		fprintf(to, "phi%u", v->k);
		break;
	}
}

static void print_value(FILE *to, const struct ng_ir *ir, ng_val number)
{
	print_part(to, ir, number, LEVELS);
}

static void print_phi(FILE *to, const struct ng_ir *ir, const struct ng_phi *phi, const char *end)
{
	print_value(to, ir, phi->value);
	fprintf(to, " =");
	for (size_t i = 0; i < phi->n_args; i++) {
		fprintf(to, "%s b%zu: ", i ? "," : "", phi->arg[i].from);
		print_value(to, ir, phi->arg[i].value);
	}
	fputs(end, to);
}

/* A check that reads the packet, or divides: what has to hold. */
static void print_check(FILE *to, const struct ng_ir *ir, ng_val check, const char *end)
{
	const struct ng_value *v = &ir->value[check];

	fprintf(to, "need ");
	if (v->op == NG_V_LOAD) {
		print_value(to, ir, check);
	} else {
		print_value(to, ir, v->b);
		fprintf(to, " != 0");
	}
	fputs(end, to);
}

static void print_words(FILE *to, const struct ng_ir *ir, const struct ng_ir_block *b)
{
	const struct ng_set *set = &ir->set[b->set];

	fprintf(to, "pkt[%u:%u]", ir->value[b->left].k, 4 * set->words);
	if (set->mask != ~0u)
		fprintf(to, "/%u", 32 * set->words - (unsigned int)__builtin_ctz(set->mask));
}

static void print_end(FILE *to, const struct ng_ir *ir, const struct ng_ir_block *b)
{
	if (b->test == NG_T_ALWAYS)
		return;
	if (b->test == NG_T_RETURN)
		fprintf(to, "return ");
	else
		fprintf(to, "if ");
	if (b->test == NG_T_IN6)
		print_words(to, ir, b);
	else
		print_value(to, ir, b->left);
	if (b->test == NG_T_RETURN)
		return;
	fprintf(to, " %s ", test_name[b->test]);
	if (b->test == NG_T_IN || b->test == NG_T_IN6)
		fprintf(to, "set%zu (%zu keys)", b->set, ir->set[b->set].n);
	else
		print_value(to, ir, b->right);
}

static void print_body(FILE *to, const struct ng_ir *ir, const struct ng_ir_block *b,
		       const char *begin, const char *end)
{
	for (size_t i = 0; i < b->n_phis; i++) {
		fputs(begin, to);
		print_phi(to, ir, &b->phi[i], end);
	}
	for (size_t i = 0; i < b->n_checks; i++) {
		fputs(begin, to);
		print_check(to, ir, b->check[i], end);
	}
	if (b->test == NG_T_ALWAYS)
		return;
	fputs(begin, to);
	print_end(to, ir, b);
}

int ng_ir_print(FILE *to, const struct ng_ir *ir)
{
	for (size_t i = 0; i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		if (!b->reached)
			continue;
		fprintf(to, "b%zu:\n", i);
		print_body(to, ir, b, "\t", "\n");
		if (b->test == NG_T_ALWAYS)
			fprintf(to, "\tgoto b%zu\n", b->succ[0]);
		else if (b->test != NG_T_RETURN)
			fprintf(to, " goto b%zu else b%zu\n", b->succ[0], b->succ[1]);
		else
			fputc('\n', to);
	}
	return ferror(to) ? -EIO : 0;
}

int ng_ir_print_dot(FILE *to, const struct ng_ir *ir)
{
	fprintf(to, "digraph filter {\n\tnode [shape=box fontname=monospace]\n");
	for (size_t i = 0; i < ir->n_blocks; i++) {
		const struct ng_ir_block *b = &ir->block[i];

		if (!b->reached)
			continue;
		fprintf(to, "\tb%zu [label=\"b%zu\\l", i, i);
		print_body(to, ir, b, "", "\\l");
		fprintf(to, "\\l\"]\n");
		if (b->test == NG_T_ALWAYS)
			fprintf(to, "\tb%zu -> b%zu\n", i, b->succ[0]);
		else if (b->test != NG_T_RETURN)
			fprintf(to,
				"\tb%zu -> b%zu [label=yes]\n\tb%zu -> b%zu [label=no style=dashed]\n",
				i, b->succ[0], i, b->succ[1]);
	}
	fprintf(to, "}\n");
	return ferror(to) ? -EIO : 0;
}
