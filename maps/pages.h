/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A view of an mmapable array that is mapped piece by piece, as it is touched: mapping a table of a
 * million prefixes at once takes 10 ms, a change needs a few pages of it.
 *
 * The kernel maps every page of an array at mmap() (kernel/bpf/arraymap.c: array_map_mmap()), about
 * 50 us a MiB; a piece of NG_PAGES_PIECE takes 5 us.
 */
#ifndef NG_MAPS_PAGES_H
#define NG_MAPS_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define NG_PAGES_PIECE (64u << 10)

struct ng_pages {
	int fd;	      /* of the map; not owned */
	size_t size;  /* bytes, whole pages */
	char *base;   /* address space for all of it */
	__u8 *mapped; /* a bit for each piece */
	int error;    /* -errno of a piece that could not be mapped; sticky */
};

#define NG_PAGES_INIT                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* fd: an mmapable array of `bytes` bytes in all. Maps nothing yet. 0 or -errno. */
int ng_pages_open(struct ng_pages *p, int fd, size_t bytes);
/* Maps all that is not mapped yet: for who walks it. 0 or -errno. */
int ng_pages_map_all(struct ng_pages *p);
void ng_pages_close(struct ng_pages *p);	 /* a closed or never opened one: nothing */
int ng_pages_map(struct ng_pages *p, size_t at); /* the piece with byte `at` */

/*
 * The bytes from `at` on, a whole element (at most NG_PAGES_PIECE long and aligned to its size, a
 * power of two). Where the piece cannot be mapped, zeroes that are nobody's (writes to them are
 * lost) and p->error says so: look at it before anything is published.
 */
static inline void *ng_pages_at(struct ng_pages *p, size_t at)
{
	size_t piece = at / NG_PAGES_PIECE;

	if (!(p->mapped[piece / 8] & 1u << piece % 8))
		ng_pages_map(p, at);
	return p->base + at;
}

#endif
