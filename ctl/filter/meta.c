// SPDX-License-Identifier: GPL-2.0-only
/* Metadata: what each number means and where the hooks have it. */
#include "ctl/filter/meta.h"

#include <linux/if_arp.h>
#include <linux/if_packet.h>

#define CONST(number) NG_META_CONST, number
#define XDP(field)    NG_META_FIELD, offsetof(struct xdp_md, field)
#define SKB(field)    NG_META_FIELD, offsetof(struct __sk_buff, field)
#define TAG	      "a VLAN tag beside the bytes"

/* A packet at XDP came in; nobody has looked yet at whom it is for, or marked it. */
static const struct {
	const char *name;
	struct ng_meta_source source[3]; /* by enum ng_filter_ctx */
} fields[] = {
	[SKF_AD_PROTOCOL / 4] = { .name = "the protocol in the kernel's eyes" },
	[SKF_AD_PKTTYPE /
		4] = { "'inbound' or 'outbound'",
		       { { CONST(PACKET_HOST) }, { SKB(pkt_type) }, { CONST(PACKET_OUTGOING) } } },
	[SKF_AD_IFINDEX / 4] = { "'ifindex'",
				 { { XDP(ingress_ifindex) }, { SKB(ifindex) }, { SKB(ifindex) } } },
	[SKF_AD_NLATTR / 4] = { .name = "a Netlink attribute" },
	[SKF_AD_NLATTR_NEST / 4] = { .name = "a nested Netlink attribute" },
	[SKF_AD_MARK / 4] = { "the packet's mark", { [NG_CTX_TC] = { SKB(mark) }, { SKB(mark) } } },
	[SKF_AD_QUEUE / 4] = { "the packet's queue",
			       { { XDP(rx_queue_index) },
				 { SKB(queue_mapping) },
				 { SKB(queue_mapping) } } },
	[SKF_AD_HATYPE / 4] = { "the type of the interface",
				{ { CONST(ARPHRD_ETHER) },
				  { CONST(ARPHRD_ETHER) },
				  { CONST(ARPHRD_ETHER) } } },
	[SKF_AD_RXHASH / 4] = { .name = "the packet's hash" },
	[SKF_AD_CPU / 4] = { .name = "the CPU" },
	[SKF_AD_ALU_XOR_X / 4] = { .name = "an exclusive or with X" },
	[SKF_AD_VLAN_TAG / 4] = { TAG, { { CONST(0) }, { CONST(0) }, { CONST(0) } } },
	[SKF_AD_VLAN_TAG_PRESENT / 4] = { TAG, { { CONST(0) }, { CONST(0) }, { CONST(0) } } },
	[SKF_AD_PAY_OFFSET / 4] = { .name = "the start of the payload" },
	[SKF_AD_RANDOM / 4] = { .name = "a random number" },
	[SKF_AD_VLAN_TPID / 4] = { TAG, { { CONST(0) }, { CONST(0) }, { CONST(0) } } },
};
_Static_assert(sizeof(fields) / sizeof(fields[0]) == SKF_AD_MAX / 4, "all that libpcap knows");

bool ng_meta_is(__u32 k, __u32 *number)
{
	*number = k - (__u32)SKF_AD_OFF;
	return *number < SKF_AD_MAX;
}

struct ng_meta_source ng_meta_source(__u32 number, enum ng_filter_ctx ctx)
{
	static const struct ng_meta_source nowhere = { NG_META_NONE, 0 };

	return number % 4 ? nowhere : fields[number / 4].source[ctx];
}

bool ng_meta_known(__u32 number)
{
	return ng_meta_source(number, NG_CTX_TC).kind != NG_META_NONE;
}

const char *ng_meta_name(__u32 number)
{
	return number % 4 ? "metadata of an unknown kind" : fields[number / 4].name;
}

const char *ng_cbpf_uses_metadata(const struct ng_cbpf *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->insns[i];
		__u32 number;

		if (BPF_CLASS(f->code) != BPF_LD || BPF_MODE(f->code) != BPF_ABS ||
		    !ng_meta_is(f->k, &number))
			continue;
		if (ng_meta_source(number, NG_CTX_TC).kind != NG_META_CONST)
			return ng_meta_name(number);
	}
	return NULL;
}
