/* SPDX-License-Identifier: GPL-2.0-only */
/* A loaded program as the kernel has it: its instructions after the verifier's changes, its machine
 * code, and the names that go with them. */
#ifndef NG_CTL_DATAPLANE_IMAGE_H
#define NG_CTL_DATAPLANE_IMAGE_H

#include <linux/bpf.h>
#include <stddef.h>

#include "ctl/base/err.h"

struct ng_image {
	__u32 id;
	struct bpf_insn *insns;
	size_t n;
	unsigned char *code; /* of the machine */
	size_t code_len;     /* 0: there is no JIT, or it keeps it to itself */
	struct ng_image_func {
		__u32 start; /* its first instruction */
		char name[64];
	} * func;	/* ascending */
	size_t n_funcs; /* 0: not known */
	struct ng_image_call {
		__s32 imm; /* of the call instruction */
		char name[64];
	} * call; /* kernel functions called; those whose names are known */
	size_t n_calls;
};

/* -EPERM with *err: the kernel shows programs to the privileged only. ng_image_free() when done. */
int ng_image_read(int prog_fd, struct ng_image *out, struct ng_error *err);
/* The name of what a call instruction calls, NULL: not known. */
const char *ng_image_call_name(const struct ng_image *image, __s32 imm);
void ng_image_free(struct ng_image *image);

#endif
