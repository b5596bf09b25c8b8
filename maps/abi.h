/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lies in kernel memory, for both sides: every struct, enum and limit that a BPF program and
 * the control binary share. A change of any layout or meaning here bumps NG_ABI_VERSION.
 *
 * One "gate" is one direction of one interface: its program (or none), and one set of the maps
 * below, pinned under the names in enum ng_map_id's table (maps/pins.h). All integers are in host
 * order unless the name ends in _be; times are named with their clock.
 */
#ifndef NG_MAPS_ABI_H
#define NG_MAPS_ABI_H

#include "maps/acl_abi.h"

#define NG_ABI_VERSION 3
#define NG_ABI_MAGIC   0x6e676174 /* "ngat" */

#define NG_TAPS_MAX	 16	    /* captures on one gate at a time */
#define NG_TAP_INSNS_MAX 65536	    /* classic BPF instructions of one tap's filter */
#define NG_TAP_CODE_MAX	 (8u << 20) /* bytes of one tap's filter, its sets included */

enum ng_hook { NG_HOOK_XDP, NG_HOOK_TC_IN, NG_HOOK_TC_OUT, NG_HOOK_MAX };
enum ng_dir { NG_IN, NG_OUT, NG_DIR_MAX };
enum ng_mode {
	NG_MODE_NONE,
	NG_MODE_NATIVE,
	NG_MODE_GENERIC,
	NG_MODE_TCX,
	NG_MODE_CLSACT,
	NG_MODE_MAX
};

/* A packet leaves with NG_PASS or NG_DROP; NG_COUNT exists in clauses only and is never final. */
enum ng_verdict {
	NG_PASS,
	NG_DROP,
	NG_VERDICT_MAX,
	NG_COUNT = NG_VERDICT_MAX,
	NG_CLAUSE_VERDICT_MAX
};

/* What an undecidable packet gets (attach --malformed).
 * NG_MALFORMED_AUTO: pass while no clause depends on what cannot be read, drop where one does. */
enum ng_malformed { NG_MALFORMED_AUTO, NG_MALFORMED_PASS, NG_MALFORMED_DROP };

/* Why a packet got its verdict (docs/packets.md). Every packet counts under exactly one. */
enum ng_reason {
	NG_R_DEFAULT,	/* nothing decided it */
	NG_R_NON_IP,	/* neither IPv4 nor IPv6: the default does not apply, it passes */
	NG_R_GUARD_ARP, /* passed by a guard under default drop */
	NG_R_GUARD_ND,
	NG_R_GUARD_DHCP,
	NG_R_ACL_SRC, /* a clause of the source side decided */
	NG_R_ACL_DST,
	NG_R_TRUNC_ETH,	  /* frame ends inside the Ethernet or VLAN header */
	NG_R_VLAN_DEPTH,  /* more than two VLAN tags */
	NG_R_TRUNC_IP,	  /* frame ends inside the IP header */
	NG_R_BAD_IP,	  /* version, header length or total length lie */
	NG_R_EXT_HEADERS, /* IPv6 extension header chain too long, truncated or out of order */
	NG_R_FRAGMENT,	  /* a clause asks for a port and this is not the first fragment */
	NG_R_TRUNC_L4,	  /* the transport header of a protocol with ports is not all there */
	NG_R_INTERNAL,	  /* a map lookup that cannot fail did: default verdict */
	NG_REASON_MAX
};

/*
 * ng_control: one mmapable element per gate; plain loads and stores of aligned words, no locks.
 * User space writes all of it, holding the lock (pins.h); the tap words also by the tap's owner.
 */
struct ng_tap_control {
	__u32 lease_jiffies; /* low 32 bits of jiffies64: the tap is inert from there on; 0: none */
	__u32 sample_every;  /* keep one packet in this many, per CPU; 0 or 1: all */
	__u32 snaplen;	     /* bytes of a packet to keep; the filter's return value also limits */
	__u32 wakeup_bytes;  /* backlog in a ring that wakes the reader */
};

struct ng_control {
	__u32 magic;
	__u32 abi;
	__u32 hook; /* enum ng_hook */
	__u32 mode; /* enum ng_mode, as attached */
	__u32 ifindex;
	__u32 temporary;       /* made by a capture: goes when its last tap goes */
	__u16 made_qdisc;      /* clsact was made by us */
	__u16 frags;	       /* XDP: the program takes multi-buffer frames */
	__u32 default_verdict; /* enum ng_verdict */
	__u32 malformed;       /* enum ng_malformed */
	/* ACL tables in force: acl_next's if acl_next_prog is the program on the hook, else acl_gen's
	 * (ctl/dataplane/generation.c). 0: there are none, or no swap is under way. */
	__u32 acl_gen;
	__u32 acl_next;
	__u32 acl_next_prog;
	__u32 taps; /* bit mask: tap slots that the attached program contains */
	struct ng_tap_control tap[NG_TAPS_MAX];
	__u32 netns_inode; /* of the network namespace; 0: not known */
};

/* ng_counters: per-CPU array, index NG_COUNTER_INDEX(verdict, reason).
 * bytes: frame length without FCS. */
struct ng_counter {
	__u64 packets;
	__u64 bytes;
};
#define NG_COUNTERS			  (NG_VERDICT_MAX * NG_REASON_MAX)
#define NG_COUNTER_INDEX(verdict, reason) ((verdict)*NG_REASON_MAX + (reason))

/*
 * Taps. ng_tap_conf: array [NG_TAPS_MAX], who owns a slot. ng_tap_code<SLOT>: array of 8-byte words
 * made by the owner, the slot's filter (ctl/filter/pack.h), so that whoever rebuilds the program can
 * keep every other capture's tap; pinned beside the other maps and no map of the program. It is
 * there before a slot is marked used and goes after: a used slot without it has no owner any more.
 * ng_tap_rings: array of maps [NG_TAPS_MAX * CPUs], index slot * CPUs + cpu, inner maps are BPF ring
 * buffers made by the owner. ng_tap_stats: per-CPU array [NG_TAPS_MAX].
 */
struct ng_tap_conf {
	__u32 used;
	__u32 owner_pid;      /* in the PID namespace owner_pidns */
	__u64 owner_start;    /* field 22 of /proc/PID/stat, clock ticks since boot */
	__u64 owner_pidns;    /* inode of that namespace */
	__u32 flags;	      /* enum ng_filter_flags, for the translation of the filter */
	__u32 linktype;	      /* DLT_ value the filter was compiled for */
	char expression[256]; /* for status; cut if longer */
};

struct ng_tap_stats {
	__u64 seen;
	__u64 matched;
	__u64 sampled_out;
	__u64 ring_full;
	__u64 captured;
};

/*
 * A ring record: this header, then caplen bytes of the frame from its Ethernet header on. With the
 * kernel's own 8-byte header, 40 keeps the data at a multiple of 16 when every record's data room
 * is one: a copy there is twice as fast.
 */
struct ng_tap_record {
	__u64 tai_ns;  /* CLOCK_TAI (Linux >= 6.1) */
	__u32 caplen;  /* bytes that follow; without the tag below */
	__u32 wirelen; /* length of the frame as in the data path; without the tag below */
	__u32 ifindex;
	__u32 queue;	 /* rx queue (XDP) or queue_mapping (tc) */
	__u8 hook;	 /* enum ng_hook */
	__u8 verdict;	 /* enum ng_verdict */
	__u8 reason;	 /* enum ng_reason */
	__u8 action;	 /* the hook's own code: XDP_* or TC_ACT_* & 0xff */
	__u16 vlan_tci;	 /* tag in metadata, to be put back at offset 12 */
	__u16 vlan_tpid; /* 0: none */
	__u32 clause;	 /* NG_DECIDER() of the clause that decided, 0 if none */
	__u32 snaplen;	 /* what filter and tap allowed of the frame on the wire, tag included */
};

_Static_assert(sizeof(struct ng_tap_conf) == 288, "map ABI");
_Static_assert(sizeof(struct ng_tap_record) == 40, "map ABI");
_Static_assert(sizeof(struct ng_control) == 56 + 16 * NG_TAPS_MAX, "map ABI");

#endif
