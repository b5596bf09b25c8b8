// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads programs back. A helper call holds, by then, how far the function is from __bpf_call_base;
 * /proc/kallsyms has the names.
 */
#include "ctl/dataplane/image.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_helper_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg != BPF_PSEUDO_CALL && insn->imm;
}

static int read_code(int prog_fd, struct ng_image *im, struct bpf_func_info **funcs)
{
	struct bpf_prog_info size = { 0 }, info = { 0 };
	__u32 len = sizeof(size);

	if (bpf_obj_get_info_by_fd(prog_fd, &size, &len))
		return -errno;
	im->insns = calloc(size.xlated_prog_len + 1, 1);
	im->code = calloc(size.jited_prog_len + 1, 1);
	*funcs = calloc(size.nr_func_info + 1, sizeof(**funcs));
	if (!im->insns || !im->code || !*funcs)
		return -ENOMEM;
	info.xlated_prog_insns = (uintptr_t)im->insns;
	info.xlated_prog_len = size.xlated_prog_len;
	info.jited_prog_insns = (uintptr_t)im->code;
	info.jited_prog_len = size.jited_prog_len;
	info.func_info = (uintptr_t)*funcs;
	info.nr_func_info = size.nr_func_info;
	info.func_info_rec_size = sizeof(**funcs);
	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return -errno;
	im->id = info.id;
	im->n = info.xlated_prog_insns ? info.xlated_prog_len / sizeof(*im->insns) : 0;
	im->code_len = info.jited_prog_insns ? info.jited_prog_len : 0;
	im->n_funcs = info.nr_func_info;
	return im->n ? 0 : -EPERM;
}

static int name_funcs(int prog_fd, struct ng_image *im, const struct bpf_func_info *funcs)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	struct btf *btf;

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return -errno;
	btf = info.btf_id ? btf__load_from_kernel_by_id(info.btf_id) : NULL;
	if (!btf) {
		im->n_funcs = 0;
		return 0;
	}
	im->func = calloc(im->n_funcs + 1, sizeof(*im->func));
	for (size_t i = 0; im->func && i < im->n_funcs; i++) {
		const struct btf_type *t = btf__type_by_id(btf, funcs[i].type_id);
		const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

		im->func[i].start = funcs[i].insn_off;
		snprintf(im->func[i].name, sizeof(im->func[i].name), "%s", name ? name : "?");
	}
	btf__free(btf);
	return im->func ? 0 : -ENOMEM;
}

/* The address in a line of /proc/kallsyms and its name (in the line), or 0. */
static uint64_t read_symbol(char *line, char **name)
{
	char *end;
	uint64_t address = strtoull(line, &end, 16);

	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return 0;
	*name = end + 3;
	(*name)[strcspn(*name, "\t\n ")] = '\0';
	return address;
}

static uint64_t find_base(FILE *symbols)
{
	uint64_t address, base = 0;
	char line[512], *name;

	rewind(symbols);
	while (!base && fgets(line, sizeof(line), symbols)) {
		address = read_symbol(line, &name);
		if (address && !strcmp(name, "__bpf_call_base"))
			base = address;
	}
	return base;
}

/* Each function that is called, once. */
static int collect_calls(struct ng_image *im)
{
	im->call = calloc(im->n, sizeof(*im->call));
	if (!im->call)
		return -ENOMEM;
	for (size_t i = 0; i < im->n; i++) {
		size_t k = 0;

		if (!is_helper_call(&im->insns[i]))
			continue;
		while (k < im->n_calls && im->call[k].imm != im->insns[i].imm)
			k++;
		im->call[k].imm = im->insns[i].imm;
		im->n_calls += k == im->n_calls;
	}
	return 0;
}

static void name_calls(struct ng_image *im)
{
	FILE *symbols = im->n_calls ? fopen("/proc/kallsyms", "re") : NULL;
	uint64_t base = symbols ? find_base(symbols) : 0, address;
	char line[512], *name;

	if (base)
		rewind(symbols);
	while (base && fgets(line, sizeof(line), symbols)) {
		address = read_symbol(line, &name);
		for (size_t k = 0; address && k < im->n_calls; k++)
			if (address - base == (uint64_t)(int64_t)im->call[k].imm &&
			    !im->call[k].name[0])
				snprintf(im->call[k].name, sizeof(im->call[k].name), "%s", name);
	}
	if (symbols)
		fclose(symbols);
}

int ng_image_read(int prog_fd, struct ng_image *out, struct ng_error *err)
{
	struct bpf_func_info *funcs = NULL;
	struct ng_image im = { 0 };
	int rc = read_code(prog_fd, &im, &funcs);

	if (!rc)
		rc = name_funcs(prog_fd, &im, funcs);
	if (!rc)
		rc = collect_calls(&im);
	free(funcs);
	if (rc) {
		ng_image_free(&im);
		return ng_err(err, rc == -EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, -rc, "filter",
			      "reading the program back failed");
	}
	name_calls(&im);
	*out = im;
	return 0;
}

const char *ng_image_call_name(const struct ng_image *image, __s32 imm)
{
	for (size_t i = 0; i < image->n_calls; i++)
		if (image->call[i].imm == imm && image->call[i].name[0])
			return image->call[i].name;
	return NULL;
}

void ng_image_free(struct ng_image *image)
{
	free(image->insns);
	free(image->code);
	free(image->func);
	free(image->call);
	*image = (struct ng_image){ 0 };
}
