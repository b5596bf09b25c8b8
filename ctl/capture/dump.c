// SPDX-License-Identifier: GPL-2.0-only
/* Filters as text; libpcap knows the mnemonics. */
#include "ctl/filter/pcap.h"
#include "ctl/capture/dump.h"

static void dump_one(FILE *to, const struct sock_filter *insn, int n, enum ng_dump_style style)
{
	struct ng_pcap_insn pcap_insn = { insn->code, insn->jt, insn->jf, insn->k };

	switch (style) {
	case NG_DUMP_ASSEMBLER:
		fprintf(to, "%s\n", bpf_image(&pcap_insn, n));
		break;
	case NG_DUMP_C:
		fprintf(to, "{ 0x%x, %u, %u, 0x%08x },\n", insn->code, insn->jt, insn->jf, insn->k);
		break;
	default:
		fprintf(to, "%u %u %u %u\n", insn->code, insn->jt, insn->jf, insn->k);
	}
}

void ng_dump_filter(FILE *to, const struct ng_cbpf *filter, __u32 snaplen, enum ng_dump_style style)
{
	const struct sock_filter all = { .code = 0x06 /* ret */, .k = snaplen };
	const struct sock_filter *insns = filter->n ? filter->insns : &all;
	size_t n = filter->n ? filter->n : 1;

	if (style == NG_DUMP_NUMBERS)
		fprintf(to, "%zu\n", n);
	for (size_t i = 0; i < n; i++)
		dump_one(to, &insns[i], (int)i, style);
}
