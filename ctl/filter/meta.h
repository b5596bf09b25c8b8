/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a filter can ask beyond a packet's bytes: loads at SKF_AD_OFF + number, where the number is
 * one of the kernel's SKF_AD_ (linux/filter.h). The width of such a load counts for nothing, as in
 * the kernel (net/core/filter.c: convert_bpf_extensions()): A is the whole number.
 *
 * Filters see a packet as it was on the wire, with its VLAN tag in the bytes: there is never one
 * beside them.
 */
#ifndef NG_CTL_FILTER_META_H
#define NG_CTL_FILTER_META_H

#include "ctl/filter/filter.h"

enum ng_meta_kind { NG_META_NONE, NG_META_CONST, NG_META_FIELD };

struct ng_meta_source {
	enum ng_meta_kind kind;
	__u32 value; /* the constant, or where in the context the field of 32 bits is */
};

/* Is k, of a load at a constant offset, one of them? *number: which; a multiple of 4 or not. */
bool ng_meta_is(__u32 k, __u32 *number);
/* Where the hook has it; NG_META_NONE: nowhere. */
struct ng_meta_source ng_meta_source(__u32 number, enum ng_filter_ctx ctx);
/* Has it a place at any hook? tc has all that there are. */
bool ng_meta_known(__u32 number);
/* Words that can stand behind "the filter asks for". */
const char *ng_meta_name(__u32 number);

#endif
