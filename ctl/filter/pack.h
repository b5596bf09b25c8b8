/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter as bytes, the form in which a tap's is kept in kernel memory (maps/tap.h), so that
 * whoever rebuilds a gate's program can translate the filters of all its captures again.
 *
 *	header	struct ng_pack_head
 *	insns	struct sock_filter [insns]
 *	sets	for each: __u32 n, words, mask, then n keys of max(words, 1) words, ascending
 *	zeros	up to a multiple of 8
 */
#ifndef NG_CTL_FILTER_PACK_H
#define NG_CTL_FILTER_PACK_H

#include "ctl/filter/filter.h"

#define NG_PACK_MAGIC	0x6e676662 /* "ngfb" */
#define NG_PACK_VERSION 2

struct ng_pack_head {
	__u32 magic;
	__u32 version;
	__u32 insns;
	__u32 sets;
	__u64 size; /* of all, this header included */
	__u64 sum;  /* FNV-1a over all 8-byte words but this one */
};

/*
 * *bytes is malloc'ed, *n a multiple of 8. -E2BIG: more than NG_TAP_INSNS_MAX instructions or
 * NG_TAP_CODE_MAX bytes; -EINVAL: an empty set, or one of another kind; -ENOMEM.
 */
int ng_filter_pack(const struct ng_cbpf *in, void **bytes, size_t *n);
/* bytes: at an address for __u64. -EPROTO: not what ng_filter_pack() of this version made. */
int ng_filter_unpack(const void *bytes, size_t n, struct ng_cbpf *out);

#endif
