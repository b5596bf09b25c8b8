// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tap's filter in kernel memory: an mmapable array of its own, found by its pin. An array of maps
 * would be one map for all slots, but reading an inner map goes by its id, which takes
 * CAP_SYS_ADMIN.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps/tap.h"

#define WORD sizeof(__u64)

static int name_code(__u32 slot, char *name, size_t size)
{
	int n = snprintf(name, size, "ng_tap_code%u", slot);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int code_path(const struct ng_maps *m, __u32 slot, char *path, size_t size)
{
	char name[16];
	int n, rc = name_code(slot, name, sizeof(name));

	if (rc)
		return rc;
	n = snprintf(path, size, "%s/%s", m->dir, name);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* A new map that holds the code; its descriptor. */
static int make_map(__u32 slot, const void *code, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	char name[16];
	void *p;
	int fd, rc = name_code(slot, name, sizeof(name));

	if (rc)
		return rc;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), WORD, (__u32)(size / WORD),
			    &opts);
	if (fd < 0)
		return -errno;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		rc = -errno;
		close(fd);
		return rc;
	}
	memcpy(p, code, size);
	munmap(p, size);
	return fd;
}

static int pin_code(const struct ng_maps *m, __u32 slot, int fd)
{
	char path[NG_PINS_DIR_MAX + 16];
	int rc = code_path(m, slot, path, sizeof(path));

	if (!rc && unlink(path) && errno != ENOENT)
		rc = -errno;
	if (!rc && bpf_obj_pin(fd, path))
		rc = -errno;
	return rc;
}

int ng_tap_write_code(struct ng_maps *m, __u32 slot, const void *code, size_t size)
{
	int fd, rc;

	if (slot >= NG_TAPS_MAX || !size || size % WORD)
		return -EINVAL;
	if (size > NG_TAP_CODE_MAX)
		return -E2BIG;
	fd = make_map(slot, code, size);
	if (fd < 0)
		return fd;
	if (m->dir[0]) {
		rc = pin_code(m, slot, fd);
		close(fd);
		return rc;
	}
	if (m->tap_code[slot] >= 0)
		close(m->tap_code[slot]);
	m->tap_code[slot] = fd;
	return 0;
}

int ng_tap_forget_code(struct ng_maps *m, __u32 slot)
{
	char path[NG_PINS_DIR_MAX + 16];
	int rc = 0;

	if (slot >= NG_TAPS_MAX)
		return -EINVAL;
	if (m->dir[0])
		rc = code_path(m, slot, path, sizeof(path));
	if (m->dir[0] && !rc && unlink(path) && errno != ENOENT)
		rc = -errno;
	if (m->tap_code[slot] >= 0)
		close(m->tap_code[slot]);
	m->tap_code[slot] = -1;
	return rc;
}

/* A descriptor of the caller's. */
static int open_code(const struct ng_maps *m, __u32 slot)
{
	char path[NG_PINS_DIR_MAX + 16];
	int fd, rc;

	if (!m->dir[0]) {
		fd = m->tap_code[slot] < 0 ? -1 : fcntl(m->tap_code[slot], F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -ENOENT : fd;
	}
	rc = code_path(m, slot, path, sizeof(path));
	if (rc)
		return rc;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int read_map(int fd, void **code, size_t *size)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	void *p, *copy;
	size_t bytes;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != WORD ||
	    !(info.map_flags & BPF_F_MMAPABLE) || info.max_entries > NG_TAP_CODE_MAX / WORD)
		return -EPROTO;
	bytes = info.max_entries * WORD;
	p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	copy = malloc(bytes);
	if (copy) {
		memcpy(copy, p, bytes);
		*code = copy;
		*size = bytes;
	}
	munmap(p, bytes);
	return copy ? 0 : -ENOMEM;
}

int ng_tap_read_code(const struct ng_maps *m, __u32 slot, void **code, size_t *size)
{
	int fd, rc;

	if (slot >= NG_TAPS_MAX)
		return -EINVAL;
	fd = open_code(m, slot);
	if (fd < 0)
		return fd;
	rc = read_map(fd, code, size);
	close(fd);
	return rc;
}
