// SPDX-License-Identifier: GPL-2.0-only
/* Tap slots: claiming, releasing, telling the dead, counters; and the jiffies of leases. */
#include "maps/tap.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROC_STAT_START 22 /* proc(5): start time, the first field being 1 */

/*
 * Reads field 22 of /proc/<who>/stat; field 2, the command name, may hold blanks and brackets. -ESRCH for a
 * process that has ended and only waits for its parent (field 3).
 */
static int read_start_time(const char *who, __u64 *start)
{
	char path[64], text[1024], *p;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", who);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (p && (!strncmp(p, ") Z", 3) || !strncmp(p, ") X", 3)))
		return -ESRCH;
	for (int field = 2; p && field < PROC_STAT_START; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, " %llu", start) != 1)
		return -EPROTO;
	return 0;
}

/* Does /proc count processes as getpid() does? */
static bool proc_is_ours(void)
{
	char link[32];
	ssize_t n = readlink("/proc/self", link, sizeof(link) - 1);

	if (n < 0)
		return false;
	link[n] = '\0';
	return strtol(link, NULL, 10) == (long)getpid();
}

static __u64 pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : (__u64)st.st_ino;
}

static void set_owner(struct ng_tap_conf *conf)
{
	conf->used = 1;
	conf->owner_pid = (__u32)getpid();
	conf->owner_start = 0;
	conf->owner_pidns = 0;
	if (proc_is_ours() && !read_start_time("self", &conf->owner_start))
		conf->owner_pidns = pid_namespace();
}

bool ng_tap_is_ours(const struct ng_tap_conf *conf)
{
	struct ng_tap_conf own;

	set_owner(&own);
	return own.owner_pid == conf->owner_pid && own.owner_start == conf->owner_start &&
	       own.owner_pidns == conf->owner_pidns;
}

int ng_tap_read(const struct ng_maps *m, __u32 slot, struct ng_tap_conf *conf)
{
	if (slot >= NG_TAPS_MAX)
		return -EINVAL;
	if (bpf_map_lookup_elem(m->fd[NG_MAP_TAP_CONF], &slot, conf))
		return -errno;
	return conf->used ? 0 : -ENOENT;
}

static int write_conf(const struct ng_maps *m, __u32 slot, const struct ng_tap_conf *conf)
{
	return bpf_map_update_elem(m->fd[NG_MAP_TAP_CONF], &slot, conf, BPF_ANY) ? -errno : 0;
}

/* -ENOSPC or -errno */
static int find_free(const struct ng_maps *m)
{
	struct ng_tap_conf conf;
	int err = 0;
	__u32 slot;

	for (slot = 0; slot < NG_TAPS_MAX && !err; slot++)
		err = ng_tap_read(m, slot, &conf);
	if (err == -ENOENT)
		return (int)slot - 1;
	return err ? err : -ENOSPC;
}

int ng_tap_claim(struct ng_maps *m, const struct ng_tap_conf *conf, const void *code, size_t size)
{
	struct ng_tap_conf own = *conf;
	int slot = find_free(m), err;

	if (slot < 0)
		return slot;
	err = ng_tap_write_code(m, (__u32)slot, code, size);
	if (err)
		return err;
	set_owner(&own);
	memset(&m->control->tap[slot], 0, sizeof(m->control->tap[slot]));
	err = write_conf(m, (__u32)slot, &own);
	return err ? err : slot;
}

/* CPUs as the ring map counts them. */
static int ring_cpus(const struct ng_maps *m, __u32 *cpus)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(m->fd[NG_MAP_TAP_RINGS], &info, &len))
		return -errno;
	*cpus = info.max_entries / NG_TAPS_MAX;
	return 0;
}

static int remove_rings(const struct ng_maps *m, __u32 slot)
{
	__u32 cpus;
	int err = ring_cpus(m, &cpus);

	for (__u32 cpu = 0; !err && cpu < cpus; cpu++) {
		__u32 index = slot * cpus + cpu;

		if (bpf_map_delete_elem(m->fd[NG_MAP_TAP_RINGS], &index) && errno != ENOENT)
			err = -errno;
	}
	return err;
}

int ng_tap_release(struct ng_maps *m, __u32 slot)
{
	const struct ng_tap_conf none = { 0 };
	int err, err_code, err_rings;

	if (slot >= NG_TAPS_MAX)
		return -EINVAL;
	memset(&m->control->tap[slot], 0, sizeof(m->control->tap[slot]));
	err = write_conf(m, slot, &none);
	err_code = ng_tap_forget_code(m, slot);
	err_rings = remove_rings(m, slot);
	if (err)
		return err;
	return err_code ? err_code : err_rings;
}

bool ng_lease_ended(__u32 lease_jiffies, __u32 now_jiffies)
{
	return (__s32)(lease_jiffies - now_jiffies) <= 0;
}

bool ng_tap_is_dead(const struct ng_maps *m, __u32 slot, const struct ng_tap_conf *conf,
		    __u32 now_jiffies)
{
	__u64 start;
	__u32 lease;
	char pid[16];
	int err;

	if (conf->owner_pidns && conf->owner_pidns == pid_namespace() && proc_is_ours()) {
		snprintf(pid, sizeof(pid), "%u", conf->owner_pid);
		err = read_start_time(pid, &start);
		if (!err)
			return start != conf->owner_start;
		if (err == -ENOENT || err == -ESRCH)
			return true;
	}
	lease = m->control->tap[slot].lease_jiffies;
	return !lease || ng_lease_ended(lease, now_jiffies);
}

int ng_tap_set_rings(const struct ng_maps *m, __u32 slot, const int *ring_fd, int cpus)
{
	__u32 have;
	int err = ring_cpus(m, &have);

	if (err)
		return err;
	if (slot >= NG_TAPS_MAX || cpus < 0 || (__u32)cpus != have)
		return -EINVAL;
	for (__u32 cpu = 0; cpu < have; cpu++) {
		__u32 index = slot * have + cpu;

		if (bpf_map_update_elem(m->fd[NG_MAP_TAP_RINGS], &index, &ring_fd[cpu], BPF_ANY))
			return -errno;
	}
	return 0;
}

int ng_tap_stats_read(const struct ng_maps *m, __u32 slot, struct ng_tap_stats *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct ng_tap_stats *each, total = {};
	int err = 0;

	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	if (bpf_map_lookup_elem(m->fd[NG_MAP_TAP_STATS], &slot, each))
		err = -errno;
	for (int i = 0; i < cpus; i++) {
		total.seen += each[i].seen;
		total.matched += each[i].matched;
		total.sampled_out += each[i].sampled_out;
		total.ring_full += each[i].ring_full;
		total.captured += each[i].captured;
	}
	free(each);
	if (!err)
		*sum = total;
	return err;
}

int ng_tap_stats_zero(const struct ng_maps *m, __u32 slot)
{
	int cpus = libbpf_num_possible_cpus();
	struct ng_tap_stats *zero;
	int err = 0;

	if (cpus < 0)
		return cpus;
	zero = calloc((size_t)cpus, sizeof(*zero));
	if (!zero)
		return -ENOMEM;
	if (bpf_map_update_elem(m->fd[NG_MAP_TAP_STATS], &slot, zero, BPF_ANY))
		err = -errno;
	free(zero);
	return err;
}
