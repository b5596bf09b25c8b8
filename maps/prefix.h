/* SPDX-License-Identifier: GPL-2.0-only */
/* Prefixes as the tables hold them. */
#ifndef NG_MAPS_PREFIX_H
#define NG_MAPS_PREFIX_H

#include <stdbool.h>
#include "maps/acl_abi.h"

struct ng_prefix {
	enum ng_family family;
	__u8 len;	   /* bits */
	__be32 addr_be[4]; /* host bits zero; IPv4 in the first word */
};

bool ng_prefix_covers(const struct ng_prefix *outer,
		      const struct ng_prefix *inner); /* equal ones do */

#endif
