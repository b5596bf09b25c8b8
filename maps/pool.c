// SPDX-License-Identifier: GPL-2.0-only
/* Elements of a table: fresh, used, dead, free. */
#include "maps/pool.h"

#include <unistd.h>

#include <bpf/bpf.h>

static __u32 *link_of(const struct ng_pool_ref *r, __u32 id)
{
	return ng_pages_at(r->links, r->offset + id * r->stride);
}

__u32 ng_pool_left(const struct ng_pool *pool)
{
	return pool->size - 1 - pool->used;
}

__u32 ng_pool_ready(const struct ng_pool *pool)
{
	return ng_pool_left(pool) - pool->dying;
}

__u32 ng_pool_take(const struct ng_pool_ref *r)
{
	struct ng_pool *pool = r->pool;
	__u32 id = pool->free;

	if (id && id < pool->size)
		pool->free = *link_of(r, id);
	else if (pool->fresh < pool->size)
		id = pool->fresh++;
	else
		return 0;
	pool->used++;
	return id;
}

void ng_pool_kill(const struct ng_pool_ref *r, __u32 id)
{
	*link_of(r, id) = r->pool->dead;
	r->pool->dead = id;
	r->pool->dying++;
	r->pool->used--;
}

void ng_pool_give(const struct ng_pool_ref *r, __u32 id)
{
	*link_of(r, id) = r->pool->free;
	r->pool->free = id;
	r->pool->used--;
}

void ng_pool_reap(const struct ng_pool_ref *r)
{
	struct ng_pool *pool = r->pool;
	__u32 *end = &pool->dead;

	for (; pool->dying && *end && *end < pool->size; pool->dying--)
		end = link_of(r, *end);
	*end = pool->free;
	pool->free = pool->dead;
	pool->dead = 0;
	pool->dying = 0;
}

/*
 * An update of a map of maps returns only when no program runs that began before it
 * (kernel/bpf/syscall.c: maybe_wait_bpf_programs()); unlike membarrier() also with nohz_full CPUs.
 */
int ng_grace_period(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	__u32 zero = 0;
	int outer, err = 0;
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ng_grace", 4, 4, 1, NULL);

	if (inner < 0)
		return inner;
	opts.inner_map_fd = (__u32)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "ng_grace", 4, 4, 1, &opts);
	if (outer < 0)
		err = outer;
	else
		err = bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
	if (outer >= 0)
		close(outer);
	close(inner);
	return err;
}
