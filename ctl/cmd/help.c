// SPDX-License-Identifier: GPL-2.0-only
/* Help and version texts. */
#include "ctl/cmd/help.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "ctl/filter/pcap.h"

void ng_help_all(const struct ng_verb *const *verbs, const struct ng_opt *options)
{
	puts("usage: nicgate [OPTIONS] VERB [WORDS]        without a verb: status\n\nverbs:");
	for (; *verbs; verbs++)
		printf("  %-10s %s\n", (*verbs)->name, (*verbs)->summary);
	printf("  %-10s %s\n", "help", "this text; help VERB for one verb");
	puts("\noptions, before the verb:");
	ng_opts_help(options);
	puts("\nexit status: 0 done, 1 failed or refused, 2 usage (nothing was touched), 3 not found or not\n"
	     "attached, 4 missing privilege, 5 not supported. The manual: nicgate(8).");
}

void ng_help_verb(const struct ng_verb *verb)
{
	const char *lead = "usage: ";

	printf("nicgate %s: %s\n\n", verb->name, verb->summary);
	for (const char *p = verb->usage; *p;) {
		size_t n = strcspn(p, "\n");
		bool form = n && *p != ' ' && *p != '\t';

		printf("%s%s%.*s\n", form ? lead : "", form ? "nicgate " : "", (int)n, p);
		if (form)
			lead = "       ";
		p += n + (p[n] == '\n');
	}
}

/* "libpcap version 1.10.3 (with TPACKET_V3)" -> "1.10.3 (with TPACKET_V3)" */
static const char *pcap_version(void)
{
	const struct ng_libpcap *lib = ng_libpcap(NULL);
	const char *v = lib ? lib->lib_version() : NULL, *digit = v ? strpbrk(v, "0123456789") : v;

	return digit ? digit : v;
}

int ng_help_version(const struct ng_global *g, struct ng_error *err)
{
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	const char *bpf = libbpf_version_string();
	struct utsname kernel;
	int rc;

	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, NULL, "cannot print");
	uname(&kernel);
	ng_out_begin(out);
	ng_out_str(out, "nicgate", "nicgate", NG_VERSION);
	ng_out_str(out, "libbpf", "libbpf", *bpf == 'v' ? bpf + 1 : bpf);
	ng_out_str(out, "libxdp", "libxdp", NG_LIBXDP_VERSION);
	ng_out_str(out, "libpcap", "libpcap", pcap_version());
	ng_out_str(out, "kernel", "kernel", kernel.release);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}
