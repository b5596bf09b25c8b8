/* SPDX-License-Identifier: GPL-2.0-only */
/* A program as an ELF object, for loaders built on libbpf: ip, tc, bpftool. */
#ifndef NG_CTL_DATAPLANE_OBJECT_H
#define NG_CTL_DATAPLANE_OBJECT_H

#include "ctl/filter/filter.h"

/*
 * One function `name` in section `section`, GPL; the program's table is its .rodata. *object is
 * malloc'ed.
 */
int ng_object_make(const struct ng_ebpf *program, const char *section, const char *name,
		   void **object, size_t *size, struct ng_error *err);

#endif
