// SPDX-License-Identifier: GPL-2.0-only
/* What the rtnetlink callers of this room share. */
#include "ctl/net/nl.h"

#include <errno.h>

static const struct {
	int nl, sys;
} errnos[] = {
	{ NLE_NODEV, ENODEV },	       { NLE_OBJ_NOTFOUND, ENODEV },
	{ NLE_NOMEM, ENOMEM },	       { NLE_PERM, EPERM },
	{ NLE_NOACCESS, EACCES },      { NLE_RANGE, ENODEV },
	{ NLE_EXIST, EEXIST },	       { NLE_BUSY, EBUSY },
	{ NLE_OPNOTSUPP, EOPNOTSUPP }, { NLE_AF_NOSUPPORT, EAFNOSUPPORT },
};

int ng_nl_errno(int nlerr)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].nl == -nlerr)
			return errnos[i].sys;
	return EIO;
}

int ng_nl_open(struct nl_sock **out, struct ng_error *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc) {
		nl_socket_free(sk);
		return ng_err(err, NG_EXIT_FAILED, ng_nl_errno(rc), "rtnetlink",
			      "cannot open a socket: %s", nl_geterror(rc));
	}
	*out = sk;
	return 0;
}
