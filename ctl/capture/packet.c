// SPDX-License-Identifier: GPL-2.0-only
/* Tap record to frame. */
#include "ctl/capture/packet.h"

#include <arpa/inet.h>
#include <string.h>

#define TAG_OFFSET 12 /* behind the two MAC addresses */

static __u32 min_u32(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

static void put_tag_back(const struct ng_tap_record *rec, unsigned char *scratch,
			 struct ng_packet *f)
{
	__u16 tag_be[2] = { htons(rec->vlan_tpid), htons(rec->vlan_tci) };

	f->wirelen += NG_VLAN_TAG;
	if (rec->caplen < TAG_OFFSET)
		return;
	memcpy(scratch, f->data, TAG_OFFSET);
	memcpy(scratch + TAG_OFFSET, tag_be, NG_VLAN_TAG);
	memcpy(scratch + TAG_OFFSET + NG_VLAN_TAG, f->data + TAG_OFFSET, rec->caplen - TAG_OFFSET);
	f->data = scratch;
	f->caplen += NG_VLAN_TAG;
}

static const enum ng_verdict_kind verdict_kind[] = {
	[NG_HOOK_XDP] = NG_VERDICT_EBPF_XDP,
	[NG_HOOK_TC_IN] = NG_VERDICT_EBPF_TC,
	[NG_HOOK_TC_OUT] = NG_VERDICT_EBPF_TC,
};
_Static_assert(sizeof(verdict_kind) / sizeof(verdict_kind[0]) == NG_HOOK_MAX,
	       "a kind for every hook");

void ng_packet_from_record(const struct ng_tap_record *rec, int tai_offset_s,
			   unsigned char *scratch, struct ng_packet *f)
{
	*f = (struct ng_packet){
		.wall_ns = rec->tai_ns - (__u64)((__s64)tai_offset_s * 1000000000),
		.data = (const unsigned char *)(rec + 1),
		.caplen = rec->caplen,
		.wirelen = rec->wirelen,
		.dir = rec->hook == NG_HOOK_TC_OUT ? NG_PACKET_OUT : NG_PACKET_IN,
		.has_queue = true,
		.queue = rec->queue,
		.verdict_kind = rec->hook < NG_HOOK_MAX ? verdict_kind[rec->hook] : NG_VERDICT_NONE,
		.action = (__u64)(__s64)(__s8)rec->action, /* TC_ACT_UNSPEC is -1 */
		.verdict = rec->verdict,
	};
	if (rec->vlan_tpid)
		put_tag_back(rec, scratch, f);
	f->caplen = min_u32(f->caplen, rec->snaplen);
}

static const char *const words[][1 + NG_VERDICT_MAX] = {
	[NG_PACKET_DIR_UNKNOWN] = { "", "pass ", "drop " },
	[NG_PACKET_IN] = { "In  ", "In  pass ", "In  drop " },
	[NG_PACKET_OUT] = { "Out ", "Out pass ", "Out drop " },
};
_Static_assert(NG_PASS == 0 && NG_DROP == 1 && NG_VERDICT_MAX == 2, "words for every verdict");

const char *ng_packet_words(const struct ng_packet *f)
{
	bool decided = f->verdict_kind != NG_VERDICT_NONE && f->verdict < NG_VERDICT_MAX;

	return words[f->dir][decided ? 1 + f->verdict : 0];
}
