/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which elements of a table are in use: struct ng_pool (maps/acl_abi.h) and one word for each
 * element that links the free and the dead ones. The caller says where that word is and holds the
 * lock. What is taken out of the tables becomes dead, and free after a grace period.
 */
#ifndef NG_MAPS_POOL_H
#define NG_MAPS_POOL_H

#include "maps/acl_abi.h"
#include "maps/pages.h"

struct ng_pool_ref {
	struct ng_pool *pool;
	struct ng_pages *links; /* where the words are: byte offset + id * stride */
	size_t offset, stride;
};

/* Elements that ng_pool_take() can give without a grace period; with one, ng_pool_left() of them. */
__u32 ng_pool_ready(const struct ng_pool *pool);
__u32 ng_pool_left(const struct ng_pool *pool);
/* An id, or 0: none is ready. */
__u32 ng_pool_take(const struct ng_pool_ref *r);
void ng_pool_kill(const struct ng_pool_ref *r, __u32 id); /* now dead */
void ng_pool_give(const struct ng_pool_ref *r, __u32 id); /* free at once: no program ever saw it */
/* After a grace period: all dead ones are free. */
void ng_pool_reap(const struct ng_pool_ref *r);
/* Waits until no program runs that could have seen what is unpublished now. 0 or -errno. */
int ng_grace_period(void);

#endif
