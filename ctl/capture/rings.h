/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring buffers of one capture, one per possible CPU,
 * shared by its tap points: making, waiting, draining. */
#ifndef NG_CTL_CAPTURE_RINGS_H
#define NG_CTL_CAPTURE_RINGS_H

#include <stdbool.h>
#include <stdint.h>
#include "ctl/base/err.h"
#include "ctl/capture/order.h"

#define NG_RINGS_MIN (128 * 1024ull) /* bytes per CPU: room for the largest frame there is */
#define NG_RINGS_MAX (1ull << 30)    /* bytes per CPU */

struct ng_rings;

/* What a capture takes by default for all rings together:
 * 64 MiB a CPU, at most 256 MiB and 5 % of the memory. */
uint64_t ng_rings_default_size(int cpus, uint64_t memory);
/* Share of one CPU in `total`: the power of two below, within the limits above. */
uint64_t ng_rings_share(uint64_t total, int cpus);

/* total 0: the default. */
int ng_rings_new(uint64_t total, struct ng_rings **out, struct ng_error *err);
void ng_rings_free(struct ng_rings *r); /* NULL allowed */
const int *ng_rings_fds(const struct ng_rings *r, int *cpus);
/* Backlog of one ring that wakes the reader. */
uint32_t ng_rings_wakeup(const struct ng_rings *r);
/* Adds all rings to an epoll instance with data.fd = -1:
 * it wakes once for every doorbell of the program. */
int ng_rings_watch(const struct ng_rings *r, int epoll_fd);

/*
 * One pass: moves what the rings hold into *o, a bounded number of bytes from each ring. *horizon:
 * records with a timestamp up to here cannot be overtaken any more. *more: bytes were left behind.
 * Number of records, or -errno.
 */
int64_t ng_rings_drain(struct ng_rings *r, struct ng_order *o, uint64_t *horizon, bool *more);

#endif
