// SPDX-License-Identifier: GPL-2.0-only
/* Makes a frozen array of one element from each filter's table and names it in its instructions. */
#include "ctl/dataplane/tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAP_NAME "ng_filter_data"

static int make_map(const struct ng_ebpf *filter)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	const __u32 zero = 0;
	int fd, rc = 0;

	if (filter->table_size > INT_MAX)
		return -E2BIG;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, MAP_NAME, sizeof(zero), (__u32)filter->table_size,
			    1, &opts);
	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(fd, &zero, filter->table, BPF_ANY) || bpf_map_freeze(fd))
		rc = -errno;
	if (rc)
		close(fd);
	return rc ? rc : fd;
}

static int bind(const struct ng_ebpf *filter, struct ng_ebpf *bound, int *fd)
{
	struct bpf_insn *insns = malloc(filter->n * sizeof(*insns));
	int map = -1;

	if (!insns)
		return -ENOMEM;
	if (filter->table)
		map = make_map(filter);
	if (filter->table && map < 0) {
		free(insns);
		return map;
	}
	memcpy(insns, filter->insns, filter->n * sizeof(*insns));
	*bound = (struct ng_ebpf){ .insns = insns, .n = filter->n };
	*fd = map;
	if (filter->table)
		ng_ebpf_bind_table(bound, map);
	return 0;
}

static int bind_error(const struct ng_load *spec, int rc, __u32 slot, struct ng_error *err)
{
	size_t size = spec->filter[slot].table_size;

	if (rc != -ENOMEM && rc != -E2BIG && rc != -EINVAL)
		return ng_err(err, rc == -EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, -rc,
			      spec->object, "%s: making the table of a filter failed",
			      ng_hook_name[spec->hook]);
	ng_err(err, NG_EXIT_FAILED, -rc, spec->object,
	       "%s: the table of a filter takes %zu bytes of kernel memory",
	       ng_hook_name[spec->hook], size);
	ng_err_why(err, "tap %u's filter has lists that long", slot);
	return rc;
}

int ng_tables_bind(const struct ng_load *spec, struct ng_tables *t, struct ng_error *err)
{
	int rc = 0;

	*t = (struct ng_tables){ .fd = { [0 ... NG_TAPS_MAX - 1] = -1 },
				 .other = { [0 ... NG_TAPS_MAX - 1] = -1 } };
	for (__u32 slot = 0; slot < NG_TAPS_MAX && !rc; slot++) {
		if (!(spec->taps & 1u << slot) || !spec->filter[slot].n)
			continue;
		rc = bind(&spec->filter[slot], &t->filter[slot], &t->fd[slot]);
		if (rc)
			bind_error(spec, rc, slot, err);
	}
	if (rc)
		ng_tables_free(t);
	return rc;
}

static bool is_same_table(const struct ng_ebpf *a, const struct ng_ebpf *b)
{
	return a->table_size == b->table_size && !memcmp(a->table, b->table, a->table_size);
}

int ng_tables_bind_in_place(struct ng_tables *t, const struct ng_load *spec, __u32 slot,
			    struct ng_ebpf *body)
{
	int fd = t->fd[slot];

	if (body->table && (fd < 0 || !is_same_table(body, &spec->filter[slot]))) {
		fd = make_map(body);
		if (fd < 0)
			return fd;
		if (t->other[slot] >= 0)
			close(t->other[slot]);
		t->other[slot] = fd;
	}
	if (fd >= 0)
		ng_ebpf_bind_table(body, fd);
	return 0;
}

void ng_tables_free(struct ng_tables *t)
{
	for (size_t i = 0; i < NG_TAPS_MAX; i++) {
		ng_ebpf_free(&t->filter[i]);
		if (t->fd[i] >= 0)
			close(t->fd[i]);
		if (t->other[i] >= 0)
			close(t->other[i]);
		t->fd[i] = t->other[i] = -1;
	}
}
