/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libpcap, loaded when it is first asked for: what it brings along (libdbus, libsystemd, libgcrypt ..)
 * takes as long to load as all other libraries together, and most commands compile no filter.
 */
#ifndef NG_CTL_FILTER_PCAP_H
#define NG_CTL_FILTER_PCAP_H

#define bpf_insn ng_pcap_insn /* both libpcap and the kernel define struct bpf_insn */
#include <pcap/pcap.h>
#undef bpf_insn

struct ng_error;

/* Its functions, without the pcap_ of their names. */
struct ng_libpcap {
	__typeof__(pcap_lib_version) *lib_version;
	__typeof__(pcap_open_dead) *open_dead;
	__typeof__(pcap_compile) *compile;
	__typeof__(pcap_freecode) *freecode;
	__typeof__(pcap_open_offline_with_tstamp_precision) *open_offline_with_tstamp_precision;
	__typeof__(pcap_datalink) *datalink;
	__typeof__(pcap_datalink_val_to_name) *datalink_val_to_name;
	__typeof__(pcap_next_ex) *next_ex;
	__typeof__(pcap_geterr) *geterr;
	__typeof__(pcap_close) *close;
	__typeof__(bpf_image) *bpf_image;
};

/* The same each time, for good; NULL with *err where it is not installed. */
const struct ng_libpcap *ng_libpcap(struct ng_error *err);

#endif
