// SPDX-License-Identifier: GPL-2.0-only
/* Mapping an array piece by piece. */
#include "maps/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

/*
 * The address space is reserved as anonymous memory that can be written: pieces are mapped over it,
 * and where that fails, what stays is the zeroes that ng_pages_at() promises.
 */
#define RESERVED   (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
#define READ_WRITE (PROT_READ | PROT_WRITE)

static size_t pieces(const struct ng_pages *p)
{
	return (p->size + NG_PAGES_PIECE - 1) / NG_PAGES_PIECE;
}

int ng_pages_open(struct ng_pages *p, int fd, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ng_pages new = { .fd = fd, .size = (bytes + page - 1) / page * page };

	new.mapped = calloc(1, pieces(&new) / 8 + 1);
	if (!new.mapped)
		return -ENOMEM;
	new.base = mmap(NULL, new.size, READ_WRITE, RESERVED, -1, 0);
	if (new.base == MAP_FAILED) {
		free(new.mapped);
		return -errno;
	}
	*p = new;
	return 0;
}

/*
 * A failure leaves what was there, as where the process has too many mappings (vm.max_map_count), or
 * a hole: the kernel may have taken it away before it tried.
 */
static int map(struct ng_pages *p, size_t from, size_t bytes)
{
	char *at = p->base + from;

	if (mmap(at, bytes, READ_WRITE, MAP_SHARED | MAP_FIXED, p->fd, (off_t)from) != MAP_FAILED)
		return 0;
	p->error = -errno;
	if (mmap(at, bytes, READ_WRITE, RESERVED | MAP_FIXED, -1, 0) == MAP_FAILED &&
	    msync(at, bytes, MS_ASYNC))
		abort(); /* it is a hole, and what returned would write there */
	return p->error;
}

int ng_pages_map(struct ng_pages *p, size_t at)
{
	size_t piece = at / NG_PAGES_PIECE, from = piece * NG_PAGES_PIECE;
	size_t left = p->size - from;

	p->mapped[piece / 8] |= 1u << piece % 8;
	return map(p, from, left < NG_PAGES_PIECE ? left : NG_PAGES_PIECE);
}

int ng_pages_map_all(struct ng_pages *p)
{
	size_t n = pieces(p);
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		all = all && p->mapped[i / 8] & 1u << i % 8;
		p->mapped[i / 8] |= 1u << i % 8;
	}
	return all ? p->error : map(p, 0, p->size);
}

void ng_pages_close(struct ng_pages *p)
{
	if (p->base)
		munmap(p->base, p->size);
	free(p->mapped);
	*p = (struct ng_pages)NG_PAGES_INIT;
}
