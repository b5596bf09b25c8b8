/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tap slots of one gate, from the program's side: filter, then sample, then stamp the time,
 * then copy.
 *
 * A ring takes records of constant size only (bpf_ringbuf_reserve()), so there is one size class
 * per row of ng_tap_rooms. Every room is a multiple of 16, which with the ring's header (8) and the
 * record's (40) keeps all data at a multiple of 16: copies there are twice as fast. Beyond the last
 * room a frame is cut, wirelen tells.
 */
#ifndef NG_MAPS_TAP_BPF_H
#define NG_MAPS_TAP_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps/control.bpf.h"
#include "maps/frame.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NG_TAPS_MAX);
	__type(key, __u32);
	__type(value, struct ng_tap_conf);
} ng_tap_conf SEC(".maps");

struct ng_tap_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries,
	       NG_TAPS_MAX); /* times the number of possible CPUs: set before the load */
	__type(key, __u32);
	__array(values, struct ng_tap_ring);
} ng_tap_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NG_TAPS_MAX);
	__type(key, __u32);
	__type(value, struct ng_tap_stats);
} ng_tap_stats SEC(".maps");

/*
 * The filter of a slot: 0, or how many bytes to keep. wirelen: with the tag in metadata. This body
 * stands for "no filter matches" until the loader puts the translated filters of all slots in its
 * place; the asm keeps clang from seeing through it and from dropping an argument. Global, as
 * ng_tap_emit(): the verifier walks the filters once, and not once for each way that leads here.
 */
__noinline __u32 ng_tap_filter(struct NG_CTX *ctx, __u32 slot, __u64 wirelen)
{
	__u32 keep = 0;

	asm volatile("" : "+r"(keep) : "r"(ctx), "r"(slot), "r"(wirelen));
	return keep;
}

/* The last one holds the longest IPv4 packet with its Ethernet header and two tags. */
static const __u32 ng_tap_rooms[] = { 96, 256, 640, 1536, 4096, 9216, 16384, 65568 };
#define NG_TAP_ROOMS	(sizeof(ng_tap_rooms) / sizeof(ng_tap_rooms[0]))
#define NG_TAP_ROOM_MAX 65568
#define NG_TAP_TAG_AT	12 /* where a tag in metadata belongs in the frame on the wire */

static __always_inline __u32 ng_min(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/*
 * n, known to every verifier since 6.1 to be in 1..max (a constant after unrolling); in asm,
 * because clang rewrites the C.
 */
static __always_inline __u64 ng_in_range(__u64 n, __u32 max)
{
	asm volatile("if %0 >= 1 goto +1\n"
		     "%0 = 1\n"
		     "if %0 <= %1 goto +1\n"
		     "%0 = %1\n"
		     : "+r"(n)
		     : "r"((__u64)max));
	return n;
}

/* How much of the frame holds the first `snaplen` bytes of what was on the wire. */
static __always_inline __u32 ng_tap_caplen(const struct ng_tap_record *head, __u32 snaplen)
{
	if (head->vlan_tpid && snaplen > NG_TAP_TAG_AT && snaplen < head->wirelen + NG_VLAN_LEN)
		snaplen = snaplen < NG_TAP_TAG_AT + NG_VLAN_LEN ? NG_TAP_TAG_AT
								: snaplen - NG_VLAN_LEN;
	return ng_min(ng_min(snaplen, head->wirelen), NG_TAP_ROOM_MAX);
}

/*
 * Copies the frame's first caplen bytes, 1..room. XDP's helper takes 65535 at most
 * (net/core/filter.c: bpf_xdp_pointer()), so that what only the last room holds comes in two parts.
 */
static __always_inline long ng_tap_copy(void *ctx, void *to, __u32 caplen, __u32 room)
{
	const __u32 first = ng_tap_rooms[NG_TAP_ROOMS - 2];

	if (room < NG_TAP_ROOM_MAX)
		return ng_hook_load(ctx, 0, to, ng_in_range(caplen, room));
	if (ng_hook_load(ctx, 0, to, first))
		return -1;
	return ng_hook_load(ctx, first, to + first, ng_in_range(caplen - first, room - first));
}

/* False: the ring is full. caplen <= room, a constant; above the room before it. */
static __always_inline bool ng_tap_put(void *ctx, void *ring, const struct ng_tap_record *head,
				       __u32 caplen, __u32 snaplen, __u32 wakeup_bytes, __u32 room)
{
	struct ng_tap_record *r = bpf_ringbuf_reserve(ring, sizeof(*r) + room, 0);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!r)
		return false;
	*r = *head;
	r->tai_ns = bpf_ktime_get_tai_ns();
	r->snaplen = snaplen;
	r->caplen = caplen;
	if (caplen && ng_tap_copy(ctx, r + 1, caplen, room))
		r->caplen = 0;
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(r, flags);
	return true;
}

/* One record for a packet that a slot wants, or 0. `keep` is the filter's answer. */
__noinline int ng_tap_emit(struct NG_CTX *ctx, const struct ng_tap_record *head, __u32 slot,
			   __u32 keep)
{
	__u32 cpu = bpf_get_smp_processor_id(), index = slot * ng_cpus + cpu, caplen, snaplen, i;
	const struct ng_control *c = ng_control_get();
	void *ring = bpf_map_lookup_elem(&ng_tap_rings, &index);

	/* CPU numbers may have gaps: the index of one beyond the count is another slot's. */
	if (!head || !c || !ring || slot >= NG_TAPS_MAX || cpu >= ng_cpus)
		return 0;
	snaplen = ng_min(keep, c->tap[slot].snaplen);
	caplen = ng_tap_caplen(head, snaplen);
#pragma unroll
	for (i = 0; i < NG_TAP_ROOMS; i++)
		if (caplen <= ng_tap_rooms[i])
			return ng_tap_put(ctx, ring, head, caplen, snaplen,
					  c->tap[slot].wakeup_bytes, ng_tap_rooms[i]);
	return 0;
}

/* The arguments of ng_tap_filter() are a constant and what callee-saved registers or the stack hold. */
static __always_inline void ng_tap_one(const struct ng_tap_control *tap, void *ctx,
				       const struct ng_tap_record *head, __u32 slot, __u64 wirelen)
{
	__u32 key = slot, keep; /* slot itself stays a constant: its address is not taken */
	struct ng_tap_stats *stats = bpf_map_lookup_elem(&ng_tap_stats, &key);

	if (!stats)
		return;
	stats->seen++;
	keep = ng_tap_filter(ctx, slot, wirelen);
	if (!keep)
		return;
	stats->matched++;
	if (tap->sample_every > 1 && (stats->matched - 1) % tap->sample_every)
		stats->sampled_out++;
	else if (ng_tap_emit(ctx, head, slot, keep))
		stats->captured++;
	else
		stats->ring_full++;
}

/*
 * Shows a decided packet to every slot compiled in whose owner still renews its lease. The length is
 * fetched anew: what the parser's comparisons taught the verifier about f->len would matter for what
 * is copied here, and each way through parser and ACL be walked on its own.
 */
static __always_inline void ng_tap_all(const struct ng_control *c, const struct ng_frame *f,
				       const struct ng_outcome *o)
{
	const __u32 taps = ng_taps;
	const __u32 len = ng_taps ? ng_hook_len(f->ctx) : 0;
	struct ng_tap_record head = {
		.wirelen = len,
		.ifindex = f->ifindex,
		.queue = f->queue,
		.hook = ng_hook,
		.verdict = o->verdict,
		.reason = o->reason,
		.action = ng_hook_action(o->verdict),
		.vlan_tci = f->vlan_tci,
		.vlan_tpid = f->vlan_tpid,
		.clause = NG_DECIDER(ng_acl_gen, o->clause),
	};
	const __u64 wirelen = (__u64)len + (f->vlan_tpid ? NG_VLAN_LEN : 0);
	__u32 now, lease, slot;

	if (!taps)
		return;
	now = bpf_jiffies64();
#pragma unroll
	for (slot = 0; slot < NG_TAPS_MAX; slot++) {
		if (!(taps & (1U << slot)))
			continue;
		lease = c->tap[slot].lease_jiffies;
		if (lease && (__s32)(lease - now) > 0)
			ng_tap_one(&c->tap[slot], f->ctx, &head, slot, wirelen);
	}
}

#endif
