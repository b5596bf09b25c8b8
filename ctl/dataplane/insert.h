/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters into a template's program, between libbpf's relocation and the load: all of them as the
 * body of the stub, and, where a call site says enough about itself, each also in the place of its
 * call. What libbpf knows about the program's functions and lines moves along.
 */
#ifndef NG_CTL_DATAPLANE_INSERT_H
#define NG_CTL_DATAPLANE_INSERT_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "ctl/dataplane/tables.h"

struct ng_insert {
	const struct ng_load *load;
	const struct btf *btf;
	struct ng_tables *tables;
	const struct ng_ebpf *body; /* of the stub; NULL: it stays as it is */
	/* What becomes of it; ng_insert_free() when the program is loaded. */
	struct ng_ebpf program;
	struct bpf_func_info *func_info;
	struct bpf_line_info *line_info;
	unsigned int in_place; /* filters that are */
};

/* For a handler's prog_prepare_load_fn. 0 or -errno. */
int ng_insert(struct ng_insert *s, struct bpf_program *prog, struct bpf_prog_load_opts *opts);
void ng_insert_free(struct ng_insert *s);

#endif
