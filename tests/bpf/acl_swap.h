/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of generations: two policies that a packet can tell apart, and a mix of them from both;
 * whether a gate's tables, pins, control page and program are of one generation.
 *
 *	packet		policy A		policy B		a mix
 *	DROPPED		its destination drops	its source drops	source of A, dest. of B: passes
 *	PASSED		its source passes, its	its destination passes	source of B, dest. of A: drops
 *			destination drops
 *	COUNTED		its source counts	its source counts
 */
#ifndef NG_TESTS_BPF_ACL_SWAP_H
#define NG_TESTS_BPF_ACL_SWAP_H

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/dataplane/gate.h"
#include "maps/acl.h"
#include "tests/tap.h"

enum policy { POLICY_A, POLICY_B };
enum packet { DROPPED, PASSED, COUNTED, PACKETS };

#define FILLERS	  60 /* clauses that no packet meets */
#define CLAUSES_A (4 + FILLERS)
#define CLAUSES_B (3 + FILLERS)

static const char *const source[PACKETS] = { "127.0.1.1", "127.0.1.2", "127.0.1.3" };
static const char *const destination[PACKETS] = { "127.0.2.1", "127.0.2.2", "127.0.2.3" };

static inline struct ng_acl_item clause(const char *address, enum ng_side side, __u8 verdict)
{
	struct ng_acl_item item = {
		.key = { .side = side, .any_proto = true, .any_port = true, .port_hi = 65535 },
		.verdict = verdict,
	};

	item.key.prefix = (struct ng_prefix){ .family = NG_IPV4, .len = 32 };
	inet_pton(AF_INET, address, item.key.prefix.addr_be);
	return item;
}

static inline struct ng_acl_item counted_clause(void)
{
	return clause(source[COUNTED], NG_SRC, NG_COUNT);
}

/* 0 or -errno; *t are tables that are nowhere yet. */
static inline int build_policy(enum policy policy, enum ng_acl_engine engine,
			       struct ng_acl_tables *t)
{
	struct ng_acl_item item[CLAUSES_A];
	struct ng_acl_size like;
	size_t n = 0, bad;
	long sorted;

	ng_acl_size_default(&like);
	like.engine = engine;
	item[n++] = counted_clause();
	if (policy == POLICY_A) {
		item[n++] = clause(destination[DROPPED], NG_DST, NG_DROP);
		item[n++] = clause(source[PASSED], NG_SRC, NG_PASS);
		item[n++] = clause(destination[PASSED], NG_DST, NG_DROP);
	} else {
		item[n++] = clause(source[DROPPED], NG_SRC, NG_DROP);
		item[n++] = clause(destination[PASSED], NG_DST, NG_PASS);
	}
	for (int i = 0; i < FILLERS; i++) {
		item[n] = clause("10.0.0.0", i & 1, NG_DROP);
		item[n++].key.prefix.addr_be[0] |= htonl((__u32)i << 8);
	}
	sorted = ng_acl_items_sort(item, n);
	return sorted < 0 ? (int)sorted : ng_acl_build(item, (size_t)sorted, &like, t, &bad);
}

static inline bool holds(struct ng_acl_tables *t, size_t clauses)
{
	struct ng_acl_entry *list = NULL;
	size_t n = 0;
	bool good = !ng_acl_list(t, &list, &n) && n == clauses;

	free(list);
	return good;
}

static inline bool holds_either(struct ng_acl_tables *t)
{
	return holds(t, CLAUSES_A) || holds(t, CLAUSES_B);
}

static inline __u64 counted(struct ng_acl_tables *t)
{
	const struct ng_acl_item item = counted_clause();
	struct ng_acl_entry entry = { .packets = 0 };
	__u32 id;

	if (ng_acl_find(t, &item.key, &id) || ng_acl_entry_get(t, id, &entry))
		return ~0ull;
	return entry.packets;
}

/* Runs one packet through a program: NG_PASS, NG_DROP, or -errno. */
static inline int run_packet(int prog_fd, enum ng_hook hook, enum packet packet)
{
	unsigned char f[64] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 50 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f, .data_size_in = sizeof(f), .repeat = 1);

	f[22] = 64;
	f[23] = IPPROTO_UDP;
	inet_pton(AF_INET, source[packet], f + 26);
	inet_pton(AF_INET, destination[packet], f + 30);
	f[39] = 30;
	if (bpf_prog_test_run_opts(prog_fd, &opts))
		return -errno;
	return opts.retval == (hook == NG_HOOK_XDP ? XDP_DROP : TC_ACT_SHOT) ? NG_DROP : NG_PASS;
}

static inline __u32 map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

static inline bool has_map(int prog_fd, __u32 id)
{
	__u32 ids[64] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = 64, .map_ids = (__u64)(unsigned long)ids };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &size))
		return false;
	for (__u32 i = 0; i < info.nr_map_ids; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* The directories of generations in a gate's; *gen is the number of the last. */
static inline int generations(const char *dir, __u32 *gen)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += sscanf(e->d_name, "acl%u", gen) == 1;
	if (d)
		closedir(d);
	return n;
}

static const char *wrong; /* what is, after a check that failed */

static inline bool is_wrong(const char *what)
{
	wrong = what;
	return false;
}

/* One generation, and it is what the program on the hook reads; 0: there are no tables. */
static inline bool is_of_one_generation(struct ng_gate *g)
{
	const struct ng_control *c = g->maps.control;
	struct ng_acl_tables *t = &g->maps.acl;
	int fd = bpf_prog_get_fd_by_id(g->prog_id), n;
	__u32 gen = 0;

	if (fd < 0)
		return is_wrong("no program");
	n = generations(g->maps.dir, &gen);
	wrong = NULL;
	if (n != !!c->acl_gen || gen != c->acl_gen || g->maps.acl_gen != gen)
		wrong = "not the one directory that control names";
	else if (c->acl_next_prog || c->temporary != !gen)
		wrong = "control is in the middle of a swap";
	else if (!gen != !t->head)
		wrong = "tables";
	for (int i = 0; !wrong && gen && i <= NG_ACL_HITS; i++)
		if (t->fd[i] >= 0 && !has_map(fd, map_id(t->fd[i])))
			wrong = "a map that the program does not read";
	close(fd);
	return !wrong;
}

/* The program on the hook judges by one whole policy, which the tables hold. */
static inline bool is_one_policy(struct ng_gate *g)
{
	int fd = bpf_prog_get_fd_by_id(g->prog_id);
	bool good = fd >= 0 && run_packet(fd, g->hook, DROPPED) == NG_DROP &&
		    run_packet(fd, g->hook, PASSED) == NG_PASS;

	close(fd);
	if (!good)
		return is_wrong("a verdict of neither");
	return holds_either(&g->maps.acl) || is_wrong("clauses of neither");
}

static inline void show(const struct ng_error *err)
{
	printf("#   %s: %s\n#   %s\n", err->object, err->what, err->why);
}

/* A network and a mount namespace with a bpffs of their own, lo up, the lock taken. */
static inline bool set_up(struct ng_pins *pins, struct ng_link *lo)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	pid_t holder;
	int fd;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up))
		return false;
	close(fd);
	return !ng_pins_open(pins, NULL) && !ng_pins_lock(pins, 1000, &holder) &&
	       !ng_link_get("lo", lo, NULL);
}

#endif
