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

/* How filters see packets at a hook. */
enum ng_filter_ctx ng_filter_ctx_of(enum ng_hook hook);

struct ng_load {
	const char *object; /* device, for messages */
	enum ng_hook hook;
	bool frags; /* XDP: accept multi-buffer frames */
	bool tap_only;
	__u32 acl_entries;	      /* of maps made new */
	__u32 taps;		      /* bit mask of tap slots to compile in */
	const struct ng_ebpf *filter; /* [NG_TAPS_MAX]; NULL when taps is 0 */
};

/*
 * *maps with fds set: the program is loaded on these maps; else *maps receives new ones (fds, not
 * mapped). *prog_fd is the caller's to close. A refusal by the verifier has the end of its log in
 * why.
 */
int ng_load(const struct ng_load *spec, struct ng_maps *maps, int *prog_fd, struct ng_error *err);

#endif
