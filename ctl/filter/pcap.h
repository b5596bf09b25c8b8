/* SPDX-License-Identifier: GPL-2.0-only */
/* libpcap's header beside the kernel's: both define struct bpf_insn. */
#ifndef NG_CTL_FILTER_PCAP_H
#define NG_CTL_FILTER_PCAP_H

#define bpf_insn ng_pcap_insn
#include <pcap/pcap.h>
#undef bpf_insn

#endif
