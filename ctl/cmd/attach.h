/* SPDX-License-Identifier: GPL-2.0-only */
/* For ctl/cmd/attach*.c only: defaults that would cut off the user's SSH session. */
#ifndef NG_CTL_CMD_ATTACH_H
#define NG_CTL_CMD_ATTACH_H

#include "ctl/dataplane/gate.h"
#include "ctl/policy/guard.h"

/* What the gates of a plan would do to the session under the defaults that they will have. */
struct ng_attach_guard {
	struct ng_guard who;
	const struct ng_link
		*link; /* the session's interface, where it would be cut off; or NULL */
	bool cut[NG_DIR_MAX];
	bool missing;	 /* one of these gates is not in force yet */
	bool comes_back; /* one was taken off: attached again, it has the default that it had */
};

/* False: there is no session to be cut off, or it is not known which of our addresses it has. */
bool ng_attach_guard_begin(struct ng_attach_guard *g);
/* Looks at one gate to be; verdict: its default, -1: as it is, pass when new. */
int ng_attach_guard_look(struct ng_attach_guard *g, const struct ng_pins *pins,
			 const struct ng_link *link, enum ng_hook hook, int verdict,
			 struct ng_error *err);
/* -EPERM when one of them would. words: the options to attach the same gates with. */
int ng_attach_guard_end(const struct ng_attach_guard *g, const char *words, struct ng_error *err);

#endif
