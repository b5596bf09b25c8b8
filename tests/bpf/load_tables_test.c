// SPDX-License-Identifier: GPL-2.0-only
/* Filters with constant data: each reads its own, the map is sealed and goes with the program. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ctl/dataplane/gate.h"
#include "ctl/dataplane/load.h"
#include "ctl/filter/emit.h"
#include "maps/tap.h"
#include "tests/tap.h"

#define WORDS	  300
#define FRAME_LEN 64

/* Answers table[word] of its own table, by a load at a constant offset. */
static struct ng_ebpf make_filter(size_t word, __u32 answer, size_t words)
{
	const struct bpf_insn insns[] = {
		NG_INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, 0),
		NG_INSN(0, 0, 0, 0, word * sizeof(__u32)),
		NG_LOAD(BPF_W, BPF_REG_0, BPF_REG_1, 0),
		NG_RETURN,
	};
	struct ng_ebpf p = { .n = sizeof(insns) / sizeof(insns[0]) };
	__u32 *table = calloc(words, sizeof(*table));

	p.insns = malloc(sizeof(insns));
	memcpy(p.insns, insns, sizeof(insns));
	table[word] = answer;
	p.table = table;
	p.table_size = words * sizeof(*table);
	return p;
}

static struct ng_load spec_of(enum ng_hook hook, const struct ng_ebpf *filter, __u32 taps)
{
	return (struct ng_load){
		.object = "test", .hook = hook, .tap_only = true, .taps = taps, .filter = filter
	};
}

static bool wants(struct ng_maps *m, int prog_fd, __u32 slot)
{
	static const unsigned char frame[FRAME_LEN];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	struct ng_tap_stats before = { 0 }, after = { 0 };
	int fd = -1;
	__u64 now = 0;

	ng_jiffies(&fd, &now);
	close(fd);
	m->control->tap[slot] =
		(struct ng_tap_control){ .lease_jiffies = now + 100000, .snaplen = 1000 };
	ng_tap_stats_read(m, slot, &before);
	if (bpf_prog_test_run_opts(prog_fd, &run))
		printf("# test run: %s\n", strerror(errno));
	ng_tap_stats_read(m, slot, &after);
	m->control->tap[slot].lease_jiffies = 0;
	return after.matched == before.matched + 1;
}

/* The map that a program refers to by the name, or -1. */
static int find_map(int prog_fd, struct bpf_map_info *info)
{
	__u32 id[32], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info prog = { .nr_map_ids = 32, .map_ids = (__u64)(unsigned long)id };

	if (bpf_obj_get_info_by_fd(prog_fd, &prog, &len))
		return -1;
	for (__u32 i = 0; i < prog.nr_map_ids && i < 32; i++) {
		int fd = bpf_map_get_fd_by_id(id[i]);

		len = sizeof(*info);
		memset(info, 0, len);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, info, &len) &&
		    !strcmp(info->name, "ng_filter_data"))
			return fd;
		close(fd);
	}
	return -1;
}

static void test_sealed(int prog_fd, enum ng_hook hook)
{
	struct bpf_map_info info;
	const __u32 zero = 0;
	__u32 words[WORDS] = { 0 };
	int fd = find_map(prog_fd, &info);

	if (!ok(fd >= 0, "%s: the program holds its table", ng_hook_name[hook]))
		return;
	ok(info.map_flags & BPF_F_RDONLY_PROG && info.max_entries == 1, "one element, read-only");
	ok(!bpf_map_lookup_elem(fd, &zero, words), "it can be looked at");
	is_int(bpf_map_update_elem(fd, &zero, words, BPF_ANY), -EPERM, "and not changed");
	close(fd);
}

static void test_hook(enum ng_hook hook)
{
	struct ng_ebpf filter[NG_TAPS_MAX] = {
		[0] = make_filter(0, 500, WORDS),
		[3] = make_filter(WORDS - 1, 500, WORDS),
		[4] = make_filter(7, 0, WORDS),
	};
	struct ng_load spec = spec_of(hook, filter, 1u << 0 | 1u << 3 | 1u << 4);
	struct ng_maps maps = NG_MAPS_INIT;
	struct ng_error err = { 0 };
	int prog_fd = -1;

	if (!ok(!ng_load(&spec, &maps, &prog_fd, &err), "%s: loads", ng_hook_name[hook])) {
		printf("# %s %s\n", err.what, err.why);
		return;
	}
	ok(!ng_maps_mmap(&maps), "maps");
	is_int(wants(&maps, prog_fd, 0), true, "%s: the first word of one table",
	       ng_hook_name[hook]);
	is_int(wants(&maps, prog_fd, 3), true, "%s: the last of another", ng_hook_name[hook]);
	is_int(wants(&maps, prog_fd, 4), false, "%s: nothing in a third", ng_hook_name[hook]);
	is_int(filter[0].insns[0].imm, 0, "%s: what the caller has stays as it was",
	       ng_hook_name[hook]);
	test_sealed(prog_fd, hook);
	close(prog_fd);
	ng_maps_close(&maps);
	for (size_t i = 0; i < NG_TAPS_MAX; i++)
		ng_ebpf_free(&filter[i]);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What no kernel gives: the second of two, so that the first must be given back. */
static void test_too_large(void)
{
	struct ng_ebpf filter[NG_TAPS_MAX] = {
		[0] = make_filter(0, 1, WORDS),
		[1] = make_filter(0, 1, WORDS),
	};
	struct ng_load spec = spec_of(NG_HOOK_XDP, filter, 3);
	struct ng_maps maps = NG_MAPS_INIT;
	struct ng_error err = { 0 };
	int prog_fd = -1, before = open_fds();

	filter[1].table_size = 0xfffffff0;
	ok(ng_load(&spec, &maps, &prog_fd, &err) < 0, "a table too large is refused");
	ok(strstr(err.what, "4294967280 bytes"), "with its size: %s", err.what);
	is_int(err.exit, NG_EXIT_FAILED, "as a failure");
	is_int(open_fds(), before, "nothing stays open");
	is_int(prog_fd, -1, "and no program is given");
	ng_ebpf_free(&filter[0]);
	ng_ebpf_free(&filter[1]);
}

int main(void)
{
	if (geteuid())
		tap_skip_all("needs CAP_BPF");
	for (int hook = NG_HOOK_XDP; hook <= NG_HOOK_TC_IN; hook++)
		test_hook(hook);
	test_too_large();
	return tap_done();
}
