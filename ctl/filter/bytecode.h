/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classic BPF programs as text, in the form of `tcpdump -ddd`: the number of instructions, then one
 * line "CODE JT JF K" for each, all decimal. Commas may stand in place of line ends, as in what
 * bpf_asm prints and the iptables match `bpf` takes: "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0". Pure.
 */
#ifndef NG_CTL_FILTER_BYTECODE_H
#define NG_CTL_FILTER_BYTECODE_H

#include "ctl/filter/filter.h"

/*
 * file: what to name in a position. -EINVAL with *err: exit 2, what is wrong and where. Opcodes are
 * known ones, numbers fit their fields; whether the program is sound is for ng_cfg_build() to say.
 */
int ng_bytecode_parse(const char *text, size_t len, const char *file, struct ng_cbpf *out,
		      struct ng_error *err);

#endif
