// SPDX-License-Identifier: GPL-2.0-only
/* Filter expressions to classic BPF by libpcap. */
#include "ctl/filter/pcap.h"
#include "ctl/filter/locate.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct sock_filter) == sizeof(struct ng_pcap_insn), "same instruction");

static bool is_blank(const char *expr)
{
	return !expr || expr[strspn(expr, " \t\r\n")] == '\0';
}

static int take_program(struct bpf_program *program, struct ng_cbpf *out, struct ng_error *err)
{
	size_t n = program->bf_len;
	struct sock_filter *insns = malloc(n * sizeof(*insns));

	if (!insns)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	memcpy(insns, program->bf_insns, n * sizeof(*insns));
	*out = (struct ng_cbpf){ .insns = insns, .n = n };
	return 0;
}

int ng_filter_compile(const char *expr, const char *file, int linktype, unsigned int snaplen,
		      unsigned int flags, struct ng_cbpf *out, struct ng_error *err)
{
	struct bpf_program program = { 0 };
	pcap_t *pcap;
	int ret;

	if (is_blank(expr)) {
		*out = (struct ng_cbpf){ 0 };
		return 0;
	}
	pcap = pcap_open_dead(linktype, (int)snaplen);
	if (!pcap)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "filter");
	if (pcap_compile(pcap, &program, expr, !(flags & NG_FILTER_PLAIN), PCAP_NETMASK_UNKNOWN)) {
		ret = ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", pcap_geterr(pcap));
		ng_locate(pcap, expr, file, err);
	} else {
		ret = take_program(&program, out, err);
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return ret;
}

void ng_cbpf_free(struct ng_cbpf *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_sets; i++)
		free(p->sets[i].key);
	free(p->sets);
	free(p->insns);
	*p = (struct ng_cbpf){ 0 };
}
