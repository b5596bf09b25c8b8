// SPDX-License-Identifier: GPL-2.0-only
/* Who is measured: programs, the kernel's socket filter, libpcap's interpreter; in turn, round by
 * round. */
#include "tests/bench/filter/bench.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl/filter/emit.h"
#include "ctl/filter/pcap.h"

#define TIMES	       204800 /* that a lap runs a filter, a multiple of PACKETS * SAME_PACKET */
#define TIMES_SHUFFLED 40960
#define SENDS	       1024
#define INTERPRETER_NS 1000000 /* about how long a lap of libpcap's takes */
#define IN_TURN_MAX    1024    /* packets */

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of this thread: what others take does not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double lap_net(const struct lap *lap, unsigned int round)
{
	double frame = lap->empty ? lap->empty->sample[round] : 0;

	return (lap->sample[round] - frame) / lap->copies;
}

struct lap *race_add(struct race *race, struct lap lap)
{
	if (race->n == LAPS_MAX)
		return NULL;
	race->lap[race->n] = lap;
	return &race->lap[race->n++];
}

void race_run(struct race *race)
{
	for (unsigned int round = 0; round < race->rounds; round++) {
		for (size_t i = 0; i < race->n; i++) {
			struct lap *lap = &race->lap[i];

			lap->failed |= lap->measure(lap, &lap->sample[round]) != 0;
		}
	}
}

void race_close(struct race *race)
{
	for (size_t i = 0; i < race->n; i++) {
		if (race->lap[i].fd >= 0)
			close(race->lap[i].fd);
		if (race->lap[i].fd2 >= 0)
			close(race->lap[i].fd2);
	}
	race->n = 0;
}

/* Programs */

static int measure_program(const struct lap *lap, double *ns)
{
	return frame_run(lap->fd, lap->deal, lap->runs, ns, NULL);
}

static struct lap *add_program(struct race *race, const struct deal *deal, enum ng_filter_ctx ctx,
			       int fd, unsigned int copies)
{
	return race_add(race,
			(struct lap){ .measure = measure_program,
				      .deal = deal,
				      .ctx = ctx,
				      .fd = fd,
				      .fd2 = -1,
				      .runs = (deal->each_copy ? TIMES_SHUFFLED : TIMES) / copies,
				      .copies = copies });
}

static const struct lap *find_empty(const struct race *race, const struct deal *deal,
				    enum ng_filter_ctx ctx, unsigned int copies)
{
	for (size_t i = 0; i < race->n; i++) {
		const struct lap *lap = &race->lap[i];

		if (lap->is_empty && lap->deal == deal && lap->ctx == ctx && lap->copies == copies)
			return lap;
	}
	return NULL;
}

/* The lap of the frame with the empty filter, made when it is not there yet. */
static const struct lap *empty_lap(struct race *race, const struct deal *deal,
				   enum ng_filter_ctx ctx, unsigned int copies,
				   struct ng_error *err)
{
	struct bpf_insn nothing = NG_MOV32_I(BPF_REG_0, 0);
	const struct copy copy = { .code = { .insns = &nothing, .n = 1 } };
	const struct lap *found = find_empty(race, deal, ctx, copies);
	struct lap *lap;
	int fd;

	if (found)
		return found;
	fd = frame_load(deal, ctx, &copy, copies, NULL, err);
	if (fd < 0)
		return NULL;
	lap = add_program(race, deal, ctx, fd, copies);
	if (lap)
		lap->is_empty = true;
	return lap;
}

struct lap *race_program(struct race *race, const struct deal *deal, enum ng_filter_ctx ctx,
			 const struct copy *copy, int *table_fd, struct ng_error *err)
{
	unsigned int copies = frame_copies(deal, copy);
	const struct lap *empty = empty_lap(race, deal, ctx, copies, err);
	struct lap *lap;
	int fd;

	if (!empty)
		return NULL;
	fd = frame_load(deal, ctx, copy, copies, table_fd, err);
	if (fd < 0)
		return NULL;
	lap = add_program(race, deal, ctx, fd, copies);
	if (lap)
		lap->empty = empty;
	return lap;
}

/* The kernel's socket filter: it runs when one end of a pair of sockets sends to the other. */

/* Many copies of a program, one behind the other, whose packets are refused in the end. */
static struct sock_filter *repeat_classic(const struct ng_cbpf *in, unsigned int copies)
{
	struct sock_filter *all = calloc(copies * in->n + 1, sizeof(*all)), *to = all;

	for (unsigned int copy = 0; all && copy < copies; copy++) {
		for (size_t i = 0; i < in->n; i++, to++) {
			*to = in->insns[i];
			if (BPF_CLASS(to->code) == BPF_RET)
				*to = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, in->n - i - 1);
		}
	}
	if (all)
		*to = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return all;
}

static int attach_classic(int fd, const struct ng_cbpf *classic, unsigned int copies)
{
	struct sock_fprog program = { .len = (unsigned short)(copies * classic->n + 1) };
	int ret;

	program.filter = repeat_classic(classic, copies);
	if (!program.filter)
		return -ENOMEM;
	ret = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
	free(program.filter);
	return ret;
}

static int open_pair(const struct ng_cbpf *classic, unsigned int copies, int fd[2])
{
	int ret;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd))
		return -errno;
	ret = attach_classic(fd[1], classic, copies);
	if (ret) {
		close(fd[0]);
		close(fd[1]);
	}
	return ret;
}

static int measure_socket(const struct lap *lap, double *ns)
{
	static uint8_t packet[IN_TURN_MAX][PACKET_LEN];
	uint64_t start;

	for (size_t i = 0; i < IN_TURN_MAX; i++)
		deal_packet(lap->deal, i, packet[i]);
	start = cpu_ns();
	for (size_t i = 0; i < SENDS; i++)
		if (send(lap->fd, packet[i / lap->runs % IN_TURN_MAX], PACKET_LEN, MSG_DONTWAIT) <
		    0)
			return -errno;
	*ns = (double)(cpu_ns() - start) / SENDS;
	return 0;
}

static struct lap *add_socket(struct race *race, const struct deal *deal, const int fd[2],
			      unsigned int copies, unsigned int same)
{
	return race_add(race, (struct lap){ .measure = measure_socket,
					    .deal = deal,
					    .runs = same,
					    .fd = fd[0],
					    .fd2 = fd[1],
					    .copies = copies });
}

/* Twice as many as of the kernel's code at tc, as sends take longer than test runs. */
static unsigned int socket_copies(const struct deal *deal, const struct ng_cbpf *classic)
{
	struct copy copy = { 0 };
	unsigned int copies = 0;

	if (!kernel_translate(classic, &copy.code, NULL))
		copies = 2 * frame_copies(deal, &copy);
	copy_free(&copy);
	return copies * classic->n < BPF_MAXINSNS ? copies : copies > 0;
}

struct lap *race_socket(struct race *race, const struct deal *deal, const struct ng_cbpf *classic,
			struct ng_error *err)
{
	unsigned int copies = socket_copies(deal, classic), same = 1;
	const struct ng_cbpf nothing = { 0 };
	struct lap *empty, *lap;
	int none[2], pair[2], ret;

	if (!deal->each_copy && copies && copies < SAME_PACKET)
		same = SAME_PACKET / copies;
	ret = copies ? open_pair(&nothing, 0, none) : -E2BIG;
	if (!ret) {
		empty = add_socket(race, deal, none, 1, same);
		ret = open_pair(classic, copies, pair);
	}
	if (ret) {
		ng_err(err, NG_EXIT_FAILED, -ret, NULL, "attaching the filter");
		return NULL;
	}
	lap = add_socket(race, deal, pair, copies, same);
	lap->empty = empty;
	return lap;
}

/* libpcap's interpreter */

static int measure_libpcap(const struct lap *lap, double *ns)
{
	static uint8_t packet[IN_TURN_MAX][PACKET_LEN];
	const void *program = lap->classic->insns;
	uint64_t start, end;
	unsigned int sum = 0;
	size_t n = 0, whole = lap->runs > 1 ? PACKETS : IN_TURN_MAX;

	for (size_t i = 0; i < IN_TURN_MAX; i++)
		deal_packet(lap->deal, i, packet[i]);
	start = cpu_ns();
	do {
		const uint8_t *p = packet[n++ % IN_TURN_MAX];

		for (unsigned int i = 0; i < lap->runs; i++)
			sum += bpf_filter(program, p, PACKET_LEN, PACKET_LEN);
		end = n % whole ? start : cpu_ns();
	} while (end - start < INTERPRETER_NS);
	*ns = (double)(end - start) / (double)(n * lap->runs);
	return sum == UINT32_MAX;
}

struct lap *race_libpcap(struct race *race, const struct deal *deal, const struct ng_cbpf *classic)
{
	return race_add(race, (struct lap){ .measure = measure_libpcap,
					    .deal = deal,
					    .classic = classic,
					    .fd = -1,
					    .fd2 = -1,
					    .runs = deal->each_copy ? 1 : SAME_PACKET,
					    .copies = 1 });
}
