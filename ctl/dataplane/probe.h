/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's verifier can do, asked by loading small programs. */
#ifndef NG_CTL_DATAPLANE_PROBE_H
#define NG_CTL_DATAPLANE_PROBE_H

/*
 * Of enum ng_filter_flags those that tell what this kernel can do: NG_FILTER_MAY_GOTO. Asked once;
 * without the privilege to load programs, none.
 */
unsigned int ng_kernel_filter_flags(void);

#endif
