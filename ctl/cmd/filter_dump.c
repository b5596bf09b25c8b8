// SPDX-License-Identifier: GPL-2.0-only
/* nicgate filter dump: the filter at each stage of its way into the machine. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/capture/dump.h"
#include "ctl/capture/packet.h"
#include "ctl/cmd/filter.h"
#include "ctl/dataplane/gate.h"
#include "ctl/dataplane/image.h"
#include "ctl/filter/disasm.h"
#include "ctl/filter/ir.h"

#define BYTES_A_LINE 16

static void put_insn(FILE *to, const struct bpf_insn *insn, size_t i, const char *text)
{
	fprintf(to, "%4zu: (%02x) %s\n", i, insn->code, text);
}

static int dump_cbpf(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	return ng_dump_filter(to, &c->cbpf, NG_SNAPLEN_MAX, NG_DUMP_ASSEMBLER, err);
}

static int dump_ebpf(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	char text[NG_DISASM_MAX];
	struct ng_ebpf body;
	int rc = ng_filter_body(c, c->hook, &body, err);

	if (rc)
		return rc;
	for (size_t i = 0, used; i < body.n; i += used) {
		used = ng_disasm(&body.insns[i], body.n - i, NULL, NULL, text);
		put_insn(to, &body.insns[i], i, text);
	}
	ng_ebpf_free(&body);
	return 0;
}

/* The gate's program with the filter in it, as the kernel has it. */
static int load(const struct ng_filter_call *c, struct ng_gate **gate, struct ng_image *image,
		struct ng_error *err)
{
	const struct ng_gate_spec spec = { .tap_only = true, .filter_flags = c->expression.flags };
	int rc = ng_gate_load(c->hook, &c->cbpf, &spec, gate, err);

	return rc ? rc : ng_image_read((*gate)->prog_fd, image, err);
}

static const char *call_name(const struct bpf_insn *insn, void *image)
{
	return ng_image_call_name(image, insn->imm);
}

static void put_image(FILE *to, struct ng_image *image)
{
	char text[NG_DISASM_MAX];
	size_t func = 0;

	for (size_t i = 0, used; i < image->n; i += used) {
		if (func < image->n_funcs && image->func[func].start == i)
			fprintf(to, "%s:\n", image->func[func++].name);
		used = ng_disasm(&image->insns[i], image->n - i, call_name, image, text);
		put_insn(to, &image->insns[i], i, text);
	}
}

static int dump_xlated(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	struct ng_image image = { 0 };
	struct ng_gate *gate = NULL;
	int rc = load(c, &gate, &image, err);

	if (!rc)
		put_image(to, &image);
	ng_image_free(&image);
	ng_gate_close(gate);
	return rc;
}

static int run_bpftool(__u32 id, int out_fd)
{
	char number[16];
	char *argv[] = { (char[]){ "bpftool" },
			 (char[]){ "prog" },
			 (char[]){ "dump" },
			 (char[]){ "jited" },
			 (char[]){ "id" },
			 number,
			 NULL };
	posix_spawn_file_actions_t actions;
	int status = 0, rc;
	pid_t pid;

	snprintf(number, sizeof(number), "%u", id);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	rc = -posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return rc;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -ENOTSUP : 0;
}

/* -errno: bpftool is not there, or was built without a disassembler; nothing is printed then. */
static int put_disassembly(FILE *to, __u32 id)
{
	int fd = memfd_create("nicgate-jited", MFD_CLOEXEC), rc = fd < 0 ? -errno : 0;
	char piece[4096];
	ssize_t n;

	if (!rc)
		rc = run_bpftool(id, fd);
	if (!rc && lseek(fd, 0, SEEK_SET))
		rc = -errno;
	while (!rc && (n = read(fd, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, (size_t)n, to);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void put_bytes(FILE *to, const struct ng_image *image)
{
	for (size_t i = 0; i < image->code_len; i++) {
		if (i % BYTES_A_LINE == 0)
			fprintf(to, "%s%4zx:", i ? "\n" : "", i);
		fprintf(to, " %02x", image->code[i]);
	}
	fputc('\n', to);
}

static int dump_jited(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	struct ng_image image = { 0 };
	struct ng_gate *gate = NULL;
	int rc = load(c, &gate, &image, err);

	if (!rc && !image.code_len) {
		rc = -EOPNOTSUPP;
		ng_err(err, NG_EXIT_UNSUPPORTED, 0, "filter", "the kernel shows no machine code");
		ng_err_why(err, "the JIT is off, or hardened against its being read");
		ng_err_try(err, "sysctl net.core.bpf_jit_enable net.core.bpf_jit_harden");
	}
	if (!rc && put_disassembly(to, image.id)) {
		ng_note("bytes only: bpftool, which knows the machine's instructions, is missing or was built without that");
		put_bytes(to, &image);
	}
	ng_image_free(&image);
	ng_gate_close(gate);
	return rc;
}

static void put_dot_block(FILE *to, const struct ng_cbpf *cbpf, const struct ng_block *b, size_t n)
{
	fprintf(to, "\tb%zu [label=\"", n);
	for (size_t i = b->start; i < b->end; i++) {
		char line[128], *jump;

		ng_dump_insn(cbpf, i, line, sizeof(line));
		jump = strstr(line, " jt ");
		fprintf(to, "%.*s\\l", jump ? (int)(jump - line) : -1, line);
	}
	fputs("\"];\n", to);
	if (b->is_final)
		return;
	if (b->succ[0] == b->succ[1]) {
		fprintf(to, "\tb%zu -> b%zu;\n", n, b->succ[0]);
		return;
	}
	fprintf(to, "\tb%zu -> b%zu [label=\"yes\"];\n", n, b->succ[0]);
	fprintf(to, "\tb%zu -> b%zu [label=\"no\"];\n", n, b->succ[1]);
}

static int dump_blocks(const struct ng_cbpf *cbpf, const struct ng_cfg *cfg, FILE *to)
{
	fputs("digraph filter {\n\tnode [shape=box, fontname=monospace];\n", to);
	for (size_t i = 0; i < cfg->n_blocks; i++)
		put_dot_block(to, cbpf, &cfg->blocks[i], i);
	fputs("}\n", to);
	return 0;
}

/*
 * The intermediate representation goes to print(), as it is used: optimized unless that is not
 * wanted. -EOPNOTSUPP without *err: the filter is one that has none.
 */
static int with_ir(const struct ng_filter_call *c, const struct ng_cfg *cfg, FILE *to,
		   int (*print)(FILE *to, const struct ng_ir *ir), struct ng_error *err)
{
	struct ng_ir ir;
	int rc = ng_ir_build(cfg, &ir);

	if (!rc) {
		if (!(c->expression.flags & NG_FILTER_PLAIN))
			ng_ir_optimize(&ir);
		rc = ir.failed ? -ENOMEM : print(to, &ir);
		ng_ir_free(&ir);
	}
	return !rc || rc == -EOPNOTSUPP
		       ? rc
		       : ng_err(err, NG_EXIT_FAILED, -rc, "filter", "cannot print");
}

/* An empty filter has blocks, too. */
static int build_cfg(const struct ng_filter_call *c, struct ng_cbpf *cbpf, struct ng_cfg *cfg,
		     struct ng_error *err)
{
	static struct sock_filter all = { .code = BPF_RET | BPF_K, .k = NG_SNAPLEN_MAX };

	*cbpf = c->cbpf.n ? c->cbpf : (struct ng_cbpf){ .insns = &all, .n = 1 };
	return ng_cfg_build(cbpf, cfg, err);
}

static int dump_ir(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	struct ng_cbpf cbpf;
	struct ng_cfg cfg;
	int rc = build_cfg(c, &cbpf, &cfg, err);

	if (rc)
		return rc;
	rc = with_ir(c, &cfg, to, ng_ir_print, err);
	ng_cfg_free(&cfg);
	if (rc == -EOPNOTSUPP) {
		ng_err(err, NG_EXIT_UNSUPPORTED, 0, "filter", "it has no such form");
		ng_err_why(err, "it loops, or is too involved: its translation is the plain one");
		ng_err_try(err, "nicgate filter dump --cbpf .., nicgate filter dump --ebpf ..");
	}
	return rc;
}

static int dump_dot(const struct ng_filter_call *c, FILE *to, struct ng_error *err)
{
	struct ng_cbpf cbpf;
	struct ng_cfg cfg;
	int rc = build_cfg(c, &cbpf, &cfg, err);

	if (rc)
		return rc;
	rc = c->expression.flags & NG_FILTER_PLAIN ? -EOPNOTSUPP
						   : with_ir(c, &cfg, to, ng_ir_print_dot, err);
	if (rc == -EOPNOTSUPP)
		rc = dump_blocks(&cbpf, &cfg, to);
	ng_cfg_free(&cfg);
	return rc;
}

static const struct {
	int (*dump)(const struct ng_filter_call *c, FILE *to, struct ng_error *err);
	bool by_hook;
} forms[] = {
	{ dump_cbpf, false },  { dump_ir, false },   { dump_ebpf, true },
	{ dump_xlated, true }, { dump_jited, true }, { dump_dot, false },
};

/* As text, or as an array of its lines. */
static int show(const struct ng_filter_call *c, char *text, size_t size, bool by_hook,
		struct ng_error *err)
{
	struct ng_out *out;
	int rc;

	if (!c->global->json)
		return ng_filter_put(text, size, err);
	out = ng_out_new(true, c->global->pretty);
	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "cannot print");
	ng_out_begin(out);
	ng_out_str(out, "form", NULL, c->form);
	if (by_hook)
		ng_out_str(out, "hook", NULL, ng_hook_name[c->hook]);
	ng_out_array(out, "lines");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		ng_out_str(out, NULL, NULL, line);
	ng_out_array_end(out);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

int ng_filter_run_dump(struct ng_filter_call *c, struct ng_error *err)
{
	char *text = NULL;
	size_t size = 0, i = 0;
	bool full;
	FILE *to = open_memstream(&text, &size);
	int rc;

	if (!to)
		return ng_err(err, NG_EXIT_FAILED, errno, "stdout", "cannot print");
	c->form = c->form ? c->form : "ebpf";
	while (strcmp(c->form, ng_filter_dump_forms[i]))
		i++;
	rc = forms[i].dump(c, to, err);
	full = ferror(to);
	if ((fclose(to) || full) && !rc)
		rc = ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "cannot print");
	if (!rc)
		rc = show(c, text, size, forms[i].by_hook, err);
	free(text);
	return rc;
}
