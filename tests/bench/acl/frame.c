// SPDX-License-Identifier: GPL-2.0-only
/* Frames of the bench of the ACL, and the runs that send them. */
#include "tests/bench/acl/frame.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tests_bench_acl_blast.skel.h"

#define BATCH 64

static uint16_t sum16(const void *data, size_t len, uint32_t sum)
{
	const uint16_t *word = data;

	for (size_t i = 0; i < len / 2; i++)
		sum += word[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void frame_make(uint32_t addr, uint8_t frame[FRAME_LEN])
{
	struct ether_header *eth = (struct ether_header *)frame;
	struct iphdr *ip = (struct iphdr *)(eth + 1);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	memset(frame, 0, FRAME_LEN);
	*eth = (struct ether_header){ .ether_dhost = { 2, 0, 0, 0, 0, 2 },
				      .ether_shost = { 2, 0, 0, 0, 0, 1 },
				      .ether_type = htons(ETHERTYPE_IP) };
	*ip = (struct iphdr){ .version = 4,
			      .ihl = 5,
			      .tot_len = htons(FRAME_LEN - FRAME_IP),
			      .ttl = 64,
			      .protocol = IPPROTO_UDP,
			      .saddr = htonl(addr),
			      .daddr = htonl(0xc0000202) };
	ip->check = (uint16_t)~sum16(ip, sizeof(*ip), 0);
	*udp = (struct udphdr){ .source = htons(1024),
				.dest = htons(9),
				.len = htons(FRAME_LEN - FRAME_IP - sizeof(*ip)) };
}

static void *map_memory(const struct bpf_map *map, size_t size)
{
	void *at = mmap(NULL, (size + 4095) & ~4095ul, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(map), 0);

	return at == MAP_FAILED ? NULL : at;
}

int blast_open(struct blast *b, bool with_watch)
{
	size_t seen = with_watch ? SEEN_MAX : 4096;
	int ret;

	*b = (struct blast){ .skel = tests_bench_acl_blast__open() };
	if (!b->skel)
		return -errno;
	bpf_map__set_value_size(b->skel->maps.seen, (__u32)seen);
	if (!with_watch)
		bpf_program__set_autoload(b->skel->progs.watch, false);
	ret = tests_bench_acl_blast__load(b->skel);
	if (!ret) {
		b->state = map_memory(b->skel->maps.state, sizeof(*b->state));
		b->source = map_memory(b->skel->maps.sources, SOURCES * sizeof(*b->source));
		b->seen = map_memory(b->skel->maps.seen, seen);
		ret = b->state && b->source && b->seen ? 0 : -ENOMEM;
	}
	if (ret)
		blast_close(b);
	return ret;
}

/* What is mapped goes with the process. */
void blast_close(struct blast *b)
{
	tests_bench_acl_blast__destroy(b->skel);
	*b = (struct blast){ 0 };
}

void blast_fill(struct blast *b, const struct source *source)
{
	memcpy(b->source, source, SOURCES * sizeof(*source));
}

int blast_drop_prog(const struct blast *b)
{
	return bpf_program__fd(b->skel->progs.nothing);
}

int blast_watch_prog(const struct blast *b)
{
	return bpf_program__fd(b->skel->progs.watch);
}

static int run(struct blast *b, int repeat)
{
	uint8_t frame[FRAME_LEN];
	struct xdp_md ctx = { .data_end = FRAME_LEN };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME_LEN,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = repeat,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	frame_make(0, frame);
	return bpf_prog_test_run_opts(bpf_program__fd(b->skel->progs.blast), &opts) ? -errno : 0;
}

int blast_run(struct blast *b, unsigned int ifindex, uint32_t n, double *seconds)
{
	struct blast_state *s = b->state;
	int ret;

	*s = (struct blast_state){ .next = s->next, .limit = s->next + n, .ifindex = ifindex };
	ret = run(b, (int)n);
	if (!ret && !s->end_ns)
		ret = -EIO;
	if (!ret)
		*seconds = (double)(s->end_ns - s->start_ns) / 1e9;
	return ret;
}

int blast_until_signal(struct blast *b, unsigned int ifindex, unsigned int per_second)
{
	struct blast_state *s = b->state;
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*s = (struct blast_state){
		.limit = SEEN_MAX, .ifindex = ifindex, .stamp = 1, .gap_ns = 1000000000 / per_second
	};
	s->due_ns = (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
	ret = run(b, 1 << 30);
	return ret == -EINTR ? 0 : ret;
}
