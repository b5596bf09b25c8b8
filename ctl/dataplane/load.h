/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From template to loaded program: opens a hook's skeleton, sizes or reuses its maps, sets its
 * constants, splices the taps' filters into it and has the kernel verify it. Attaches nothing.
 */
#ifndef NG_CTL_DATAPLANE_LOAD_H
#define NG_CTL_DATAPLANE_LOAD_H

#include <stdbool.h>
#include "ctl/base/err.h"
#include "ctl/filter/filter.h"
#include "maps/pins.h"

struct ng_site;

/* How filters see packets at a hook. */
enum ng_filter_ctx ng_filter_ctx_of(enum ng_hook hook);

struct ng_load {
	const char *object; /* device, for messages */
	enum ng_hook hook;
	bool frags; /* XDP: accept multi-buffer frames */
	bool tap_only;
	const struct ng_acl_size *acl; /* of tables made new; NULL: ng_acl_size_default() */
	__u32 taps;		       /* bit mask of tap slots to compile in */
	const struct ng_ebpf *filter;  /* [NG_TAPS_MAX]; NULL when taps is 0 */
	/*
	 * Code for one call site (ctl/filter/site.h) of the filter of site->slot; its table is that of
	 * filter[site->slot], or one of its own. A BPF_PSEUDO_CALL with imm NG_CALL_STUB in it will call the stub.
	 * -errno: that site keeps its call. NULL: all do.
	 */
	int (*inline_body)(void *arg, const struct ng_site *site, struct ng_ebpf *out);
	void *inline_arg;
	bool call_only; /* do not use inline_body */
};

/*
 * *maps with fds set: the program is loaded on these maps; else *maps receives new ones (fds, not
 * mapped; ACL tables, unless tap_only, as generation 1). *prog_fd is the caller's to close. A program that the verifier refuses with filters in the
 * place of calls is loaded with calls. A refusal has the end of its log in why.
 */
int ng_load(const struct ng_load *spec, struct ng_maps *maps, int *prog_fd, struct ng_error *err);
/* Empty ACL tables; size NULL: the default. object: for messages. */
int ng_load_make_acl(const char *object, const struct ng_acl_size *size, struct ng_acl_tables *t,
		     struct ng_error *err);

#endif
