/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters and packets that were got wrong once: by nicgate (rows as `make fuzz` prints them), or by
 * others, whose reports are named. Each row runs in all ways a packet can lie in memory: optimized,
 * the same in the place of a call, and plain.
 */
#ifndef NG_TESTS_BPF_FILTER_ROWS_H
#define NG_TESTS_BPF_FILTER_ROWS_H

#include "ctl/filter/filter.h"

struct filter_row {
	const char *what;
	const char *expr;	    /* NULL: the program below */
	unsigned int compile_flags; /* for ng_filter_compile() */
	const struct sock_filter *insns;
	size_t n;
	const struct ng_set *sets;
	size_t n_sets;
	unsigned int flags; /* for ng_filter_translate(), when it failed */
	const char *packet; /* as on the wire, in hex; NULL: the filter only has to load */
	__u32 want;
	bool asked;   /* want: what the interpreter says, libpcap's optimizer having its own mind */
	bool refused; /* has to be refused, in words */
};

#define ALL    262144
#define STRICT NG_FILTER_STRICT
#define PLAIN  NG_FILTER_PLAIN

#define PROGRAM(...)                                                                               \
	.insns = (const struct sock_filter[]){ __VA_ARGS__ },                                      \
	.n = sizeof((const struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter)

/* Sets of strings of two words. */
#define STRINGS(mask_, ...)                                                                        \
	{                                                                                          \
		.key = (__u32[]){ __VA_ARGS__ },                                                   \
		.n = sizeof((__u32[]){ __VA_ARGS__ }) / (2 * sizeof(__u32)), .words = 2,           \
		.mask = (mask_)                                                                    \
	}
#define SETS(...)                                                                                  \
	.sets = (const struct ng_set[]){ __VA_ARGS__ },                                            \
	.n_sets = sizeof((const struct ng_set[]){ __VA_ARGS__ }) / sizeof(struct ng_set)
#define TWO_SETS                                                                                   \
	PROGRAM({ BPF_JMP | NG_BPF_IN6 | BPF_K, 0, 1, NG_IN6_K(0, 0) },                            \
		{ BPF_RET | BPF_K, 0, 0, 5 },                                                      \
		{ BPF_JMP | NG_BPF_IN6 | BPF_K, 0, 1, NG_IN6_K(1, 0) },                            \
		{ BPF_RET | BPF_K, 0, 0, 7 }, { BPF_RET | BPF_K, 0, 0, 9 })
#define DOUBLE	  BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0)
#define DOUBLE_8  DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE
#define DOUBLE_64 DOUBLE_8, DOUBLE_8, DOUBLE_8, DOUBLE_8, DOUBLE_8, DOUBLE_8, DOUBLE_8, DOUBLE_8

/* Packets in hex, by header. */
#define MAC                                                                                        \
	"020000000001"                                                                             \
	"020000000002"
#define IP4                                                                                        \
	"0800"                                                                                     \
	"45000034"                                                                                 \
	"00014000"                                                                                 \
	"40060000"                                                                                 \
	"0a000001"                                                                                 \
	"0a000002"
#define UDP4                                                                                       \
	"0800"                                                                                     \
	"45000024"                                                                                 \
	"00014000"                                                                                 \
	"40110000"                                                                                 \
	"0a000001"                                                                                 \
	"0a000002"
#define TCP                                                                                        \
	"9c400050"                                                                                 \
	"00000001"                                                                                 \
	"00000002"                                                                                 \
	"80101f00"                                                                                 \
	"00000000"
#define STAMPS                                                                                     \
	"0101080a"                                                                                 \
	"00000001"                                                                                 \
	"00000002"
#define UDP                                                                                        \
	"9c400035"                                                                                 \
	"00100000"                                                                                 \
	"0000000000000000"
#define ACK MAC IP4 TCP STAMPS /* 66 bytes */
#define IP6(next)                                                                                  \
	"86dd"                                                                                     \
	"60000000"                                                                                 \
	"0020" next "40"                                                                           \
	"20010db8000000000000000000000001"                                                         \
	"20010db8000000000000000000000002"
#define GENEVE                                                                                     \
	MAC "0800"                                                                                 \
	    "45000052"                                                                             \
	    "00014000"                                                                             \
	    "40110000"                                                                             \
	    "0a000001"                                                                             \
	    "0a000002"                                                                             \
	    "9c4017c1"                                                                             \
	    "003e0000"                                                                             \
	    "00006558"                                                                             \
	    "00001000" MAC IP4 TCP

static const struct filter_row filter_rows[] = {
	/* libpcap's optimizer and what it makes of expressions */
	{ .what = "libpcap #430: a load behind the end rejects, whatever follows `or`",
	  .expr = "ether[1] > tcp[100] or ip",
	  .compile_flags = PLAIN,
	  .packet = ACK,
	  .want = 0 },
	{ .what = "libpcap #430: optimized",
	  .expr = "ether[1] > tcp[100] or ip",
	  .packet = ACK,
	  .asked = true },
	{ .what = "libpcap #434: a bit-and of constants",
	  .expr = "len >= 2147483648 & 2147483648 or len < 0 | 2147483648",
	  .compile_flags = PLAIN,
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #434: optimized",
	  .expr = "len >= 2147483648 & 2147483648 or len < 0 | 2147483648",
	  .packet = ACK,
	  .asked = true },
	{ .what = "libpcap #434: a sum of constants",
	  .expr = "len <= 4294967295 & 2147483647 and len > 2147483647 + 0",
	  .compile_flags = PLAIN,
	  .packet = ACK,
	  .want = 0 },
	{ .what = "libpcap #437: division by 0xffffffff",
	  .expr = "(1 = 0) or (2147483648 / 4294967295 = 0) and (0 & 4294967295 = 0)",
	  .compile_flags = PLAIN,
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #42: two bounds of one port",
	  .expr = "tcp[2:2] >= 79 and tcp[2:2] <= 81",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #42: above the upper bound",
	  .expr = "tcp[0:2] >= 79 and tcp[0:2] <= 81",
	  .packet = ACK,
	  .want = 0 },
	{ .what = "libpcap #58: two bounds of a masked field",
	  .expr = "ip[2:2] & 0x0fff >= 52 and ip[2:2] & 0x0fff <= 57",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #33: the second address when the first differs late",
	  .expr = "dst host 2001:db8:1:2:3:4:5:6 or dst host 2001:db8::2",
	  .packet = MAC IP6("06") TCP,
	  .want = ALL },
	{ .what = "libpcap #112: alternatives in and outside of `not`",
	  .expr = "(ip[12:4] = 0x0a000001 or ip[16:4] = 0x0a000001) and "
		  "not (ip[12:4] = 0x0a000009 or ip[16:4] = 0x0a000009)",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #1076: words of a header compared, then a port",
	  .expr = "tcp[4:2] = tcp[8:2] and tcp[16:4] = 0 and src port 40000",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #143: a mask, then the same load unmasked",
	  .expr = "ip[12:4] & 0xff000000 = 0x0a000000 and ip[12:4] = 0x0a000001",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "libpcap #1742: any bit of a byte",
	  PROGRAM({ BPF_LD | BPF_B | BPF_ABS, 0, 0, 1 },
		  { BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0xffffffff }, { BPF_RET | BPF_K, 0, 0, 7 },
		  { BPF_RET | BPF_K, 0, 0, 9 }),
	  .packet = ACK,
	  .want = 9 },
	{ .what = "libpcap #1726: cells that a tunnel's offsets are kept in",
	  .expr = "geneve and ip",
	  .compile_flags = PLAIN,
	  .packet = GENEVE,
	  .want = ALL },
	{ .what = "libpcap #1726: optimized",
	  .expr = "geneve and ip",
	  .packet = GENEVE,
	  .asked = true },
	{ .what = "libpcap #1726: another network inside",
	  .expr = "geneve and arp",
	  .packet = GENEVE,
	  .asked = true },

	/* Offsets that shift */
	{ .what = "libpcap #798: one tag or another, addresses behind each",
	  .expr = "(vlan 10 and src host 10.0.0.9) or (vlan 11 and src host 10.0.0.1)",
	  .packet = MAC "8100000b" IP4 TCP,
	  .want = ALL },
	{ .what = "libpcap #798: as libpcap reads it",
	  .expr = "(vlan 10 and src host 10.0.0.9) or (vlan 11 and src host 10.0.0.1)",
	  .compile_flags = STRICT,
	  .packet = MAC "8100000b" IP4 TCP,
	  .want = 0 },
	{ .what = "libpcap #158: one tag or another",
	  .expr = "vlan 2 or vlan 3",
	  .packet = MAC "81000003" IP4 TCP,
	  .want = ALL },
	{ .what = "libpcap #158: as libpcap reads it",
	  .expr = "vlan 2 or vlan 3",
	  .compile_flags = STRICT,
	  .packet = MAC "81000003" IP4 TCP,
	  .want = 0 },
	{ .what = "libpcap #158: as libpcap reads it, behind another tag",
	  .expr = "vlan 2 or vlan 3",
	  .compile_flags = STRICT,
	  .packet = MAC "81000009"
			"81000003" IP4 TCP,
	  .want = ALL },
	{ .what = "tcpdump #606: tagged or not",
	  .expr = "(vlan and net 10.0.0.0/8) or net 10.0.0.0/8",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "tcpdump #606: as libpcap reads it",
	  .expr = "(vlan and net 10.0.0.0/8) or net 10.0.0.0/8",
	  .compile_flags = STRICT,
	  .packet = ACK,
	  .want = 0 },
	{ .what = "libpcap #1162: a trailer, and no tagged ICMP",
	  .expr = "(ether[len - 4:4] == 0x1d10c0da) and not (icmp or (vlan and icmp))",
	  .packet = MAC "81000005" UDP4 UDP "1d10c0da",
	  .want = ALL },
	{ .what = "libpcap #461: priority bits beside the tag's number",
	  .expr = "vlan 4094",
	  .packet = MAC "8100effe" IP4 TCP,
	  .want = ALL },
	{ .what = "libpcap #1513: an ethertype, tagged or not",
	  .expr = "ether proto 0x8892 or (vlan and ether proto 0x8892)",
	  .packet = MAC "88a80005"
			"8892"
			"00000000",
	  .want = ALL },

	/* Offsets beyond what a packet pointer takes */
	{ .what = "cbpfc #22: X + k far beyond any packet",
	  PROGRAM({ BPF_LD | BPF_W | BPF_ABS, 0, 0, 26 }, { BPF_MISC | BPF_TAX, 0, 0, 0 },
		  { BPF_LD | BPF_B | BPF_IND, 0, 0, 14 }, { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "cbpfc #25: an X below zero does not wrap",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, -6u }, { BPF_LD | BPF_B | BPF_IND, 0, 0, 14 },
		  { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "cbpfc #25: a k below zero does not wrap",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 20 }, { BPF_LD | BPF_B | BPF_IND, 0, 0, -6u },
		  { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "cbpfc #45: X at the end of what a pointer takes",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 0xffec },
		  { BPF_LD | BPF_W | BPF_IND, 0, 0, 16 }, { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "cbpfc #20: X changes behind the load that it was guarded for",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 2 }, { BPF_LD | BPF_B | BPF_IND, 0, 0, 14 },
		  { BPF_MISC | BPF_TAX, 0, 0, 0 }, { BPF_LD | BPF_B | BPF_IND, 0, 0, 14 },
		  { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = MAC "0800"
			"450000",
	  .want = 7 },
	{ .what = "cbpfc #20: and leaves the packet",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 2 }, { BPF_LD | BPF_B | BPF_IND, 0, 0, 14 },
		  { BPF_MISC | BPF_TAX, 0, 0, 0 }, { BPF_LD | BPF_B | BPF_IND, 0, 0, 14 },
		  { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = MAC "0800"
			"450003",
	  .want = 0 },
	{ .what = "ip[ip[8]-70:1], below zero",
	  .expr = "ip[ip[8] - 70:1] > 1",
	  .packet = ACK,
	  .want = 0 },
	{ .what = "ip[ip[12:4]:1], an address for an offset",
	  .expr = "ip[ip[12:4]:1] = 3",
	  .packet = ACK,
	  .want = 0 },
	{ .what = "ether[5000:2], behind every short packet",
	  .expr = "ether[5000:2] > 7 or ip",
	  .compile_flags = PLAIN,
	  .packet = ACK,
	  .want = 0 },
	{ .what = "ether[len-4:4], the last bytes",
	  .expr = "ether[len - 4:4] = 2",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "ether[len-3:4], one byte too far",
	  .expr = "ether[len - 3:4] = 2",
	  .packet = ACK,
	  .want = 0 },
	{ .what = "the last byte of the shortest packet",
	  .expr = "ether[13] = 0",
	  .packet = MAC "0800",
	  .want = ALL },
	{ .what = "the byte behind the shortest packet",
	  .expr = "ether[14] >= 0",
	  .compile_flags = PLAIN,
	  .packet = MAC "0800",
	  .want = 0 },

	/* Arithmetic */
	{ .what = "a shift by X of 64",
	  .expr = "(ip[4:4] << ip[8]) = 0",
	  .packet = ACK,
	  .want = ALL },
	{ .what = "a shift by X of 32",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 32 }, { BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		  { BPF_ALU | BPF_RSH | BPF_X, 0, 0, 0 }, { BPF_RET | BPF_A, 0, 0, 0 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "a shift by X of 31",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 31 }, { BPF_LD | BPF_B | BPF_ABS, 0, 0, 5 },
		  { BPF_ALU | BPF_LSH | BPF_X, 0, 0, 0 }, { BPF_RET | BPF_A, 0, 0, 0 }),
	  .packet = ACK,
	  .want = 0x80000000 },
	{ .what = "division by an X of 0 rejects",
	  PROGRAM({ BPF_LD | BPF_W | BPF_IMM, 0, 0, 5 }, { BPF_ALU | BPF_DIV | BPF_X, 0, 0, 0 },
		  { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "a shift by a constant of 32 is refused",
	  PROGRAM({ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 }, { BPF_ALU | BPF_LSH | BPF_K, 0, 0, 32 },
		  { BPF_RET | BPF_A, 0, 0, 0 }),
	  .refused = true },
	{ .what = "cells begin as 0",
	  PROGRAM({ BPF_LD | BPF_W | BPF_MEM, 0, 0, 15 }, { BPF_ALU | BPF_ADD | BPF_K, 0, 0, 3 },
		  { BPF_RET | BPF_A, 0, 0, 0 }),
	  .packet = ACK,
	  .want = 3 },

	/* Programs that leave code behind which nothing leads to */
	{ .what = "a load that never succeeds, and what follows",
	  PROGRAM({ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0x7fffffff },
		  { BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1 }, { BPF_LD | BPF_B | BPF_ABS, 0, 0, 3 },
		  { BPF_RET | BPF_A, 0, 0, 0 }),
	  .packet = ACK,
	  .want = 0 },
	{ .what = "a comparison that is always true",
	  PROGRAM({ BPF_LD | BPF_W | BPF_IMM, 0, 0, 4 }, { BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0 },
		  { BPF_RET | BPF_K, 0, 0, 5 }, { BPF_RET | BPF_K, 0, 0, 6 }),
	  .packet = ACK,
	  .want = 5 },
	{ .what = "a division by an X that is always 0, and what follows",
	  PROGRAM({ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 0 }, { BPF_ALU | BPF_MOD | BPF_X, 0, 0, 0 },
		  { BPF_LD | BPF_B | BPF_ABS, 0, 0, 3 }, { BPF_RET | BPF_A, 0, 0, 0 }),
	  .packet = ACK,
	  .want = 0 },

	{ .what = "two answers that are the same, one behind a load that fails",
	  PROGRAM({ BPF_LD | BPF_B | BPF_ABS, 0, 0, 5 }, { BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 1 },
		  { BPF_LD | BPF_B | BPF_ABS, 0, 0, 60 }, { BPF_RET | BPF_K, 0, 0, 7 },
		  { BPF_RET | BPF_K, 0, 0, 7 }),
	  .packet = MAC "0800"
			"4500",
	  .want = 0 },

	/* Loops */
	{ .what = "cbpfc #37: a chain of headers to TCP",
	  .expr = "ip6 protochain 6",
	  .packet = MAC IP6("00") "0600000000000000" TCP,
	  .want = ALL },
	{ .what = "cbpfc #37: a chain through AH",
	  .expr = "ip6 protochain 6",
	  .packet = MAC IP6("33") "06040000"
				  "0000000000000000000000000000000000000000" TCP,
	  .want = ALL },
	{ .what = "an AH that leads to itself: libpcap never ends",
	  .expr = "ip6 protochain 6",
	  .packet = MAC IP6("33") "33fe0000"
				  "00000000000000000000000000000000",
	  .want = 0 },

	/* Sets of strings */
	{ .what = "sets of strings whose first words are the same",
	  SETS(STRINGS(~0u, 1, 1, 2, 2), STRINGS(~0u, 1, 1, 0x02000000, 0x00010200)),
	  TWO_SETS,
	  .packet = ACK,
	  .want = 7 },
	{ .what = "sets of strings that differ in what counts of the last word",
	  SETS(STRINGS(~0u, 1, 1u << 16, 0x02000000, 0x00010000),
	       STRINGS(0xffff0000, 1, 1u << 16, 0x02000000, 0x00010000)),
	  TWO_SETS,
	  .packet = ACK,
	  .want = 7 },

	/* Verifier */
	{ .what = "an offset that is a sum of itself, over and over",
	  PROGRAM({ BPF_LD | BPF_B | BPF_ABS, 0, 0, 0 }, DOUBLE_64, { BPF_MISC | BPF_TAX, 0, 0, 0 },
		  { BPF_LD | BPF_B | BPF_IND, 0, 0, 5 }, { BPF_RET | BPF_A, 0, 0, 0 }),
	  .packet = ACK,
	  .want = 1 },
	{ .what = "an offset of high bits only: the verifier takes it for 0",
	  PROGRAM({ BPF_LD | BPF_H | BPF_ABS, 0, 0, 0 }, { BPF_ALU | BPF_LSH | BPF_K, 0, 0, 29 },
		  { BPF_MISC | BPF_TAX, 0, 0, 0 }, { BPF_LD | BPF_B | BPF_IND, 0, 0, 0 },
		  { BPF_RET | BPF_A, 0, 0, 0 }),
	  .flags = NG_FILTER_PLAIN,
	  .packet = MAC "81000005"
			"08004500",
	  .want = 2 },
	{ .what = "tunnels and lists in one filter: paths of the verifier multiply",
	  .expr = "((ether multicast or udp src and dst port 53) or (geneve and (port 29024 or "
		  "host 10.1.2.3 or host 172.16.0.1))) and ((tcp[udp[17:1]] >= (rarp[20:1] ^ "
		  "sctp[37]) and net 10.140.251.0/24) or (arp host 12.223.47.55 or less 4874))" },
};

#undef ALL
#undef STRICT
#undef PLAIN
#undef STRINGS
#undef SETS
#undef TWO_SETS
#undef DOUBLE
#undef DOUBLE_8
#undef DOUBLE_64

#endif
