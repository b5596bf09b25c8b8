/* SPDX-License-Identifier: GPL-2.0-only */
/* A compiled filter as text, as tcpdump -d, -dd and -ddd print it. */
#ifndef NG_CTL_CAPTURE_DUMP_H
#define NG_CTL_CAPTURE_DUMP_H

#include <stdio.h>
#include "ctl/filter/filter.h"

/* One instruction in libpcap's mnemonics, without line end. */
void ng_dump_insn(const struct ng_cbpf *filter, size_t i, char *buf, size_t size);

enum ng_dump_style { NG_DUMP_NONE, NG_DUMP_ASSEMBLER, NG_DUMP_C, NG_DUMP_NUMBERS };

/*
 * An empty filter is shown as the one instruction that accepts `snaplen` bytes of all packets. A set
 * is an operand "set0 (1000 keys)" to NG_DUMP_ASSEMBLER; -EINVAL with *err, and nothing printed, to
 * the other styles.
 */
int ng_dump_filter(FILE *to, const struct ng_cbpf *filter, __u32 snaplen, enum ng_dump_style style,
		   struct ng_error *err);

#endif
