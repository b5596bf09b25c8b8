// SPDX-License-Identifier: GPL-2.0-only
/* Per-CPU BPF ring buffers, drained into the merge. */
#include "ctl/capture/rings.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "maps/abi.h"

#define MIB	     (1ull << 20)
#define PASS_BYTES   (8 * MIB)	/* from one ring in one pass */
#define HELD_MAX     (64 * MIB) /* held back for order's sake at most, then order gives way */
#define WAKEUP_BYTES MIB
#define SLACK_NS                                                                                   \
	10000000 /* from a timestamp until its record is visible, on a busy or stolen CPU */

struct ring {
	int fd;
	struct ring_buffer *reader;
	struct ng_rings *all;
	uint64_t last_stamp;
};

struct ng_rings {
	int cpus;
	uint64_t size;
	int *fd;
	struct ring *ring;
	/* of the pass that is going on */
	struct ng_order *order;
	uint64_t began, budget;
	int64_t records;
};

uint64_t ng_rings_default_size(int cpus, uint64_t memory)
{
	uint64_t size = 64 * MIB * (uint64_t)cpus;

	if (size > 256 * MIB)
		size = 256 * MIB;
	return size < memory / 20 ? size : memory / 20;
}

uint64_t ng_rings_share(uint64_t total, int cpus)
{
	uint64_t share = NG_RINGS_MIN;

	while (share * 2 <= total / (uint64_t)cpus && share < NG_RINGS_MAX)
		share *= 2;
	return share;
}

static uint64_t memory_size(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

/* Called by libbpf for each record; -EAGAIN ends the pass for this ring, with the record taken. */
static int take_record(void *ctx, void *data, size_t size)
{
	struct ring *ring = ctx;
	struct ng_rings *r = ring->all;
	const struct ng_tap_record *rec = data;
	int err;

	if (size < sizeof(*rec) || rec->caplen > size - sizeof(*rec))
		return 0; /* not ours: no program of this ABI writes it */
	err = ng_order_add(r->order, rec->tai_ns, rec, sizeof(*rec) + rec->caplen);
	if (err)
		return err;
	ring->last_stamp = rec->tai_ns;
	r->records++;
	r->budget -= size < r->budget ? size : r->budget;
	return r->budget ? 0 : -EAGAIN;
}

static int make_ring(struct ng_rings *r, int cpu, struct ng_error *err)
{
	struct ring *ring = &r->ring[cpu];

	ring->all = r;
	ring->fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ng_tap_ring", 0, 0, (__u32)r->size, NULL);
	if (ring->fd < 0) {
		int rc = ng_err(err, errno == EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, errno,
				"capture", "cannot make a ring buffer of %llu bytes",
				(unsigned long long)r->size);

		if (errno != EPERM)
			ng_err_try(err, "a smaller --buffer");
		return rc;
	}
	r->fd[cpu] = ring->fd;
	ring->reader = ring_buffer__new(ring->fd, take_record, ring, NULL);
	if (!ring->reader)
		return ng_err(err, NG_EXIT_FAILED, errno, "capture", "cannot read a ring buffer");
	return 0;
}

int ng_rings_new(uint64_t total, struct ng_rings **out, struct ng_error *err)
{
	int cpus = libbpf_num_possible_cpus(), rc = 0;
	struct ng_rings *r;

	if (cpus < 0)
		return ng_err(err, NG_EXIT_FAILED, -cpus, "capture", "cannot count the CPUs");
	r = calloc(1, sizeof(*r));
	if (r) {
		r->cpus = cpus;
		r->fd = calloc((size_t)cpus, sizeof(*r->fd));
		r->ring = calloc((size_t)cpus, sizeof(*r->ring));
	}
	if (!r || !r->fd || !r->ring) {
		ng_rings_free(r);
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "capture", "cannot make ring buffers");
	}
	for (int i = 0; i < cpus; i++)
		r->ring[i].fd = -1;
	r->size = ng_rings_share(total ? total : ng_rings_default_size(cpus, memory_size()), cpus);
	for (int i = 0; i < cpus && !rc; i++)
		rc = make_ring(r, i, err);
	if (rc) {
		ng_rings_free(r);
		return rc;
	}
	ng_debug("capture buffer: %d x %llu bytes", cpus, (unsigned long long)r->size);
	*out = r;
	return 0;
}

void ng_rings_free(struct ng_rings *r)
{
	if (!r)
		return;
	for (int i = 0; r->ring && i < r->cpus; i++) {
		ring_buffer__free(r->ring[i].reader);
		if (r->ring[i].fd >= 0)
			close(r->ring[i].fd);
	}
	free(r->ring);
	free(r->fd);
	free(r);
}

const int *ng_rings_fds(const struct ng_rings *r, int *cpus)
{
	*cpus = r->cpus;
	return r->fd;
}

uint32_t ng_rings_wakeup(const struct ng_rings *r)
{
	return (uint32_t)(r->size / 4 < WAKEUP_BYTES ? r->size / 4 : WAKEUP_BYTES);
}

int ng_rings_watch(const struct ng_rings *r, int epoll_fd)
{
	for (int i = 0; i < r->cpus; i++) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.fd = -1 };

		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, r->fd[i], &ev))
			return -errno;
	}
	return 0;
}

static uint64_t tai_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_TAI, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int64_t ng_rings_drain(struct ng_rings *r, struct ng_order *o, uint64_t *horizon, bool *more)
{
	uint64_t began = tai_now(), safe = began - SLACK_NS;
	bool stepped_back = began < r->began;

	r->order = o;
	r->began = began;
	r->records = 0;
	*more = false;
	for (int i = 0; i < r->cpus; i++) {
		struct ring *ring = &r->ring[i];
		int rc;

		r->budget = PASS_BYTES;
		rc = ring_buffer__consume(ring->reader);
		if (rc == -EAGAIN) {
			*more = true;
			safe = ring->last_stamp < safe ? ring->last_stamp : safe;
		} else if (rc < 0) {
			return rc;
		}
	}
	*horizon = stepped_back || ng_order_held(o) > HELD_MAX ? UINT64_MAX : safe;
	return r->records;
}
