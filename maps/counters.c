// SPDX-License-Identifier: GPL-2.0-only
/* Reading and zeroing per-CPU counters: the verdict counters of a gate and single elements. */
#include "maps/counters.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

const char *const ng_verdict_name[] = {
	[NG_PASS] = "pass",
	[NG_DROP] = "drop",
	[NG_COUNT] = "count",
};
_Static_assert(sizeof(ng_verdict_name) / sizeof(*ng_verdict_name) == NG_CLAUSE_VERDICT_MAX,
	       "a name for each verdict");

const char *const ng_reason_name[] = {
	[NG_R_DEFAULT] = "default",	  [NG_R_NON_IP] = "non-ip",
	[NG_R_GUARD_ARP] = "guard-arp",	  [NG_R_GUARD_ND] = "guard-nd",
	[NG_R_GUARD_DHCP] = "guard-dhcp", [NG_R_ACL_SRC] = "acl-src",
	[NG_R_ACL_DST] = "acl-dst",	  [NG_R_TRUNC_ETH] = "trunc-eth",
	[NG_R_VLAN_DEPTH] = "vlan-depth", [NG_R_TRUNC_IP] = "trunc-ip",
	[NG_R_BAD_IP] = "bad-ip",	  [NG_R_EXT_HEADERS] = "ext-headers",
	[NG_R_FRAGMENT] = "fragment",	  [NG_R_TRUNC_L4] = "trunc-l4",
	[NG_R_INTERNAL] = "internal",
};
_Static_assert(sizeof(ng_reason_name) / sizeof(*ng_reason_name) == NG_REASON_MAX,
	       "a name for each reason");

/* Room for one element of a per-CPU map: a value for each possible CPU, all zero. */
static struct ng_counter *per_cpu(int *cpus)
{
	*cpus = libbpf_num_possible_cpus();
	if (*cpus < 1)
		return NULL;
	return calloc((size_t)*cpus, sizeof(struct ng_counter));
}

int ng_counter_sum(int fd, __u32 index, struct ng_counter *sum)
{
	int cpus, err;
	struct ng_counter *value = per_cpu(&cpus);

	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(fd, &index, value);
	if (!err) {
		*sum = (struct ng_counter){ 0 };
		for (int i = 0; i < cpus; i++) {
			sum->packets += value[i].packets;
			sum->bytes += value[i].bytes;
		}
	}
	free(value);
	return err;
}

int ng_counter_zero(int fd, __u32 index)
{
	int cpus, err;
	struct ng_counter *value = per_cpu(&cpus);

	if (!value)
		return -ENOMEM;
	err = bpf_map_update_elem(fd, &index, value, BPF_ANY);
	free(value);
	return err;
}

int ng_counters_read(const struct ng_maps *m, struct ng_counter sum[NG_COUNTERS])
{
	struct ng_counter read[NG_COUNTERS];

	for (__u32 i = 0; i < NG_COUNTERS; i++) {
		int err = ng_counter_sum(m->fd[NG_MAP_COUNTERS], i, &read[i]);

		if (err)
			return err;
	}
	for (__u32 i = 0; i < NG_COUNTERS; i++)
		sum[i] = read[i];
	return 0;
}

int ng_counters_zero(const struct ng_maps *m)
{
	for (__u32 i = 0; i < NG_COUNTERS; i++) {
		int err = ng_counter_zero(m->fd[NG_MAP_COUNTERS], i);

		if (err)
			return err;
	}
	return 0;
}
