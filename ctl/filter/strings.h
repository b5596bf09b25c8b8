/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparisons of the packet's words one after the other, as libpcap makes them for an IPv6 address,
 * as one test against a set:
 *
 *	ld [o]; jeq #w; ld [o + 4]; jeq #r; ..; and #mask; jeq #r
 *
 * where all that are not equal lead to one place; r is NG_STRINGS_REST.
 */
#ifndef NG_CTL_FILTER_STRINGS_H
#define NG_CTL_FILTER_STRINGS_H

#include "ctl/filter/filter.h"

/* In the first bit, which every mask has; not 0, for which libpcap's optimizer tests bits. */
#define NG_STRINGS_REST (1u << 31)

/*
 * at: where the first word is compared. The comparisons become NG_BPF_IN6 of set number `number`,
 * which is *set. -EINVAL: they are not of this shape, or something else depends on them.
 */
int ng_strings_fold(struct sock_filter *insns, size_t n, size_t at, const struct ng_set *set,
		    size_t number);
/* Takes out what was folded; the new n. -ENOMEM. */
int ng_strings_compact(struct sock_filter *insns, size_t *n);

#endif
