// SPDX-License-Identifier: GPL-2.0-only
/* Filters as text; libpcap knows the mnemonics. */
#include "ctl/filter/pcap.h"
#include "ctl/capture/dump.h"

#include <errno.h>

#define IN  (BPF_JMP | NG_BPF_IN | BPF_K)
#define IN6 (BPF_JMP | NG_BPF_IN6 | BPF_K)

/* In the columns of bpf_image(). */
static void image_of_in(const struct ng_cbpf *filter, int n, char *buf, size_t size)
{
	const struct sock_filter *insn = &filter->insns[n];
	bool strings = insn->code == IN6;
	__u32 set = strings ? NG_IN6_SET(insn->k) : insn->k;
	char operand[64], words[24] = "";

	if (strings)
		snprintf(words, sizeof(words), "[%u:%u] ", NG_IN6_AT(insn->k),
			 4 * filter->sets[set].words);
	snprintf(operand, sizeof(operand), "%sset%u (%zu keys)", words, set, filter->sets[set].n);
	snprintf(buf, size, "(%03d) %-8s %-16s jt %d\tjf %d", n, strings ? "jin6" : "jin", operand,
		 n + 1 + insn->jt, n + 1 + insn->jf);
}

void ng_dump_insn(const struct ng_cbpf *filter, size_t i, char *buf, size_t size)
{
	const struct sock_filter *insn = &filter->insns[i];
	const struct ng_pcap_insn pcap_insn = { insn->code, insn->jt, insn->jf, insn->k };
	const struct ng_libpcap *lib = ng_libpcap(NULL);

	if (insn->code == IN || insn->code == IN6)
		image_of_in(filter, (int)i, buf, size);
	else if (lib)
		snprintf(buf, size, "%s", lib->bpf_image(&pcap_insn, (int)i));
	else
		snprintf(buf, size, "(%03d) 0x%x %u %u 0x%08x", (int)i, insn->code, insn->jt,
			 insn->jf, insn->k);
}

static void dump_one(FILE *to, const struct ng_cbpf *filter, size_t n, enum ng_dump_style style)
{
	const struct sock_filter *insn = &filter->insns[n];
	char line[128];

	switch (style) {
	case NG_DUMP_ASSEMBLER:
		ng_dump_insn(filter, n, line, sizeof(line));
		fprintf(to, "%s\n", line);
		break;
	case NG_DUMP_C:
		fprintf(to, "{ 0x%x, %u, %u, 0x%08x },\n", insn->code, insn->jt, insn->jf, insn->k);
		break;
	default:
		fprintf(to, "%u %u %u %u\n", insn->code, insn->jt, insn->jf, insn->k);
	}
}

int ng_dump_filter(FILE *to, const struct ng_cbpf *filter, __u32 snaplen, enum ng_dump_style style,
		   struct ng_error *err)
{
	struct sock_filter all = { .code = BPF_RET | BPF_K, .k = snaplen };
	const struct ng_cbpf every = { .insns = &all, .n = 1 };

	if (filter->n_sets && style != NG_DUMP_ASSEMBLER) {
		ng_err(err, NG_EXIT_USAGE, 0, NULL,
		       "the filter tests membership in a set, which classic BPF cannot");
		ng_err_try(err, "--strict-pcap: libpcap's own program, however long");
		return -EINVAL;
	}
	if (!filter->n)
		filter = &every;
	if (style == NG_DUMP_NUMBERS)
		fprintf(to, "%zu\n", filter->n);
	for (size_t i = 0; i < filter->n; i++)
		dump_one(to, filter, i, style);
	return 0;
}
