/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf and libxdp print goes to -vv;
 * the kernel's own words for a netlink error are kept from it. */
#ifndef NG_CTL_DATAPLANE_LIBBPF_LOG_H
#define NG_CTL_DATAPLANE_LIBBPF_LOG_H

/* Takes over the libraries' messages, once per process; later calls do nothing. */
void ng_libbpf_log_init(void);
/* Forgets the words kept so far. */
void ng_libbpf_words_clear(void);
/* The kernel's words of the last failed netlink call of this thread since then; "": none. */
const char *ng_libbpf_words(void);

#endif
