// SPDX-License-Identifier: GPL-2.0-only
/* The filters of a gate's taps, translated for its hook. */
#include "ctl/dataplane/tap_code.h"

#include <errno.h>

#include "ctl/dataplane/probe.h"
#include "ctl/filter/site.h"

int ng_tap_code_add(struct ng_tap_code *c, __u32 slot, enum ng_hook hook,
		    const struct ng_cbpf *classic, unsigned int flags, struct ng_error *err)
{
	c->ctx = ng_filter_ctx_of(hook);
	c->flags[slot] = flags;
	c->classic[slot] = classic;
	return ng_filter_translate(classic, c->ctx, flags | ng_kernel_filter_flags(),
				   &c->body[slot], err);
}

/* What --no-optimize asked for is the body alone. */
static int inline_body(void *arg, const struct ng_site *site, struct ng_ebpf *out)
{
	const struct ng_tap_code *c = arg;

	if (c->flags[site->slot] & NG_FILTER_PLAIN)
		return -EOPNOTSUPP;
	return ng_filter_inline(c->classic[site->slot], c->ctx, site, out);
}

void ng_tap_code_use(struct ng_tap_code *c, struct ng_load *load)
{
	load->filter = c->body;
	load->inline_body = inline_body;
	load->inline_arg = c;
}

void ng_tap_code_free(struct ng_tap_code *c)
{
	for (size_t i = 0; i < NG_TAPS_MAX; i++)
		ng_ebpf_free(&c->body[i]);
}
