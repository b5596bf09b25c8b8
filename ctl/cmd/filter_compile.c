// SPDX-License-Identifier: GPL-2.0-only
/* nicgate filter compile: the filter for other programs to take. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/capture/dump.h"
#include "ctl/capture/packet.h"
#include "ctl/cmd/filter.h"
#include "ctl/dataplane/object.h"
#include "ctl/filter/disasm.h"
#include "ctl/filter/program.h"

enum form { AS_CBPF, AS_DDD, AS_DD, AS_EBPF, AS_C, AS_ELF, FORMS };

const char *const ng_filter_compile_forms[FORMS + 1] = {
	[AS_CBPF] = "cbpf", [AS_DDD] = "ddd", [AS_DD] = "dd",
	[AS_EBPF] = "ebpf", [AS_C] = "c",     [AS_ELF] = "elf",
};

static const char *const section[NG_HOOK_MAX] = {
	[NG_HOOK_XDP] = "xdp",
	[NG_HOOK_TC_IN] = "tc",
	[NG_HOOK_TC_OUT] = "tc",
};

static enum form form_of(const struct ng_filter_call *c)
{
	enum form f = 0;

	while (strcmp(c->form, ng_filter_compile_forms[f]))
		f++;
	return f;
}

static void write_hex(FILE *to, const struct ng_ebpf *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const unsigned char *byte = (const unsigned char *)&p->insns[i];

		for (size_t k = 0; k < sizeof(p->insns[i]); k++)
			fprintf(to, "%02x%s", byte[k], k + 1 < sizeof(p->insns[i]) ? " " : "\n");
	}
}

static int write_ebpf(const struct ng_filter_call *c, const struct ng_ebpf *p, FILE *to,
		      struct ng_error *err)
{
	if (p->table) {
		ng_err(err, NG_EXIT_USAGE, 0, "filter", "instructions alone cannot hold its table");
		ng_err_try(err, "--as elf or --as c: with the table");
		ng_err_try(err, "--strict-pcap --no-optimize: without sets");
		return -EINVAL;
	}
	if (c->output)
		fwrite(p->insns, sizeof(*p->insns), p->n, to);
	else
		write_hex(to, p);
	return 0;
}

static void write_table(FILE *to, const struct ng_ebpf *p)
{
	const unsigned char *byte = p->table;

	fprintf(to, "\nstatic const unsigned char filter_table[%zu] = {", p->table_size);
	for (size_t i = 0; i < p->table_size; i++)
		fprintf(to, "%s0x%02x,", i % 16 ? " " : "\n\t", byte[i]);
	fputs("\n};\n", to);
}

/* Of our own words only: an expression could end the comment. */
static void write_c_head(const struct ng_filter_call *c, FILE *to, bool table)
{
	fprintf(to,
		"/*\n * A filter made by nicgate: a whole program for %s, which %ss packets that match"
		" and leaves\n * all others %s.\n *\n",
		section[c->hook], c->match == NG_MATCH_DROP ? "drop" : "passe",
		c->match == NG_MATCH_DROP ? "alone" : "to be dropped");
	fprintf(to,
		" *	int fd = bpf_prog_load(BPF_PROG_TYPE_%s, \"filter\", \"GPL\", filter,\n"
		" *			       sizeof(filter) / sizeof(filter[0]), NULL);\n",
		c->hook == NG_HOOK_XDP ? "XDP" : "SCHED_CLS");
	if (table)
		fputs(" *\n"
		      " * filter_table is the value of a BPF_MAP_TYPE_ARRAY of one element with the flag\n"
		      " * BPF_F_RDONLY_PROG, frozen (bpf_map_freeze()) when it is filled. Before the load, write its\n"
		      " * descriptor into .imm of each instruction whose .src_reg is BPF_PSEUDO_MAP_VALUE.\n",
		      to);
	fputs(" */\n", to);
}

static void write_c(const struct ng_filter_call *c, const struct ng_ebpf *p, FILE *to)
{
	char text[NG_DISASM_MAX];

	write_c_head(c, to, p->table != NULL);
	fputs("#include <linux/bpf.h>\n\nstatic struct bpf_insn filter[] = {\n", to);
	for (size_t i = 0, next = 0; i < p->n; i++) {
		const struct bpf_insn *f = &p->insns[i];

		fprintf(to,
			"\t{ .code = 0x%02x, .dst_reg = %u, .src_reg = %u, .off = %d, .imm = %d },",
			f->code, f->dst_reg, f->src_reg, f->off, f->imm);
		if (i == next) {
			next += ng_disasm(f, p->n - i, NULL, NULL, text);
			fprintf(to, " /* %s */", text);
		}
		fputc('\n', to);
	}
	fputs("};\n", to);
	if (p->table)
		write_table(to, p);
}

static int write_elf(const struct ng_filter_call *c, const struct ng_ebpf *p, FILE *to,
		     struct ng_error *err)
{
	size_t size;
	void *object;
	int rc = ng_object_make(p, section[c->hook], "nicgate_filter", &object, &size, err);

	if (rc)
		return rc;
	fwrite(object, 1, size, to);
	free(object);
	return 0;
}

static int write_program(const struct ng_filter_call *c, enum form form, FILE *to,
			 struct ng_error *err)
{
	struct ng_ebpf body, program = { 0 };
	int rc = ng_filter_body(c, c->hook, &body, err);

	if (rc)
		return rc;
	rc = ng_filter_program(&body, ng_filter_ctx_of(c->hook), c->match, &program, err);
	if (!rc && form == AS_EBPF)
		rc = write_ebpf(c, &program, to, err);
	if (!rc && form == AS_C)
		write_c(c, &program, to);
	if (!rc && form == AS_ELF)
		rc = write_elf(c, &program, to, err);
	ng_ebpf_free(&program);
	ng_ebpf_free(&body);
	return rc;
}

static int write_form(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	static const enum ng_dump_style style[] = {
		[AS_CBPF] = NG_DUMP_ASSEMBLER,
		[AS_DDD] = NG_DUMP_NUMBERS,
		[AS_DD] = NG_DUMP_C,
	};
	enum form form = form_of(c);

	if (form > AS_DD)
		return write_program(c, form, to, err);
	return ng_dump_filter(to, &c->cbpf, NG_SNAPLEN_MAX, style[form], err);
}

static int write_file(const char *path, const char *data, size_t size, struct ng_error *err)
{
	FILE *f = fopen(path, "we");
	int rc = f ? 0 : errno;

	if (f && fwrite(data, 1, size, f) != size)
		rc = errno ? errno : EIO;
	if (f && fclose(f) && !rc)
		rc = errno;
	return rc ? ng_err(err, NG_EXIT_FAILED, rc, path, "cannot be written") : 0;
}

/* Nothing is written, and no file made or emptied, unless all of it could be made. */
int ng_filter_run_compile(struct ng_filter_call *c, struct ng_error *err)
{
	char *data = NULL;
	size_t size = 0;
	bool full;
	FILE *to;
	int rc;

	if (!c->form)
		return ng_usage(err, &ng_verb_filter, "compile: --as FORM is missing");
	if (c->global->json)
		return ng_usage(err, &ng_verb_filter,
				"compile: -j does not go with what --as makes");
	if (c->match_word && form_of(c) <= AS_DD)
		return ng_usage(err, &ng_verb_filter,
				"compile: --match goes with a whole program, not with --as %s",
				c->form);
	if (c->output && !strcmp(c->output, "-"))
		c->output = NULL;
	if (!strcmp(c->form, "elf") && !c->output && isatty(STDOUT_FILENO))
		return ng_usage(err, &ng_verb_filter,
				"compile: an object is not for a terminal: -o FILE");
	to = open_memstream(&data, &size);
	if (!to)
		return ng_err(err, NG_EXIT_FAILED, errno, "filter", "cannot be written");
	rc = write_form(c, to, err);
	full = ferror(to);
	if ((fclose(to) || full) && !rc)
		rc = ng_err(err, NG_EXIT_FAILED, ENOMEM, "filter", "cannot be written");
	if (!rc && c->output)
		rc = write_file(c->output, data, size, err);
	else if (!rc)
		rc = ng_filter_put(data, size, err);
	free(data);
	return rc;
}
