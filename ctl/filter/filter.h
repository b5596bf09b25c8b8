/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filter expressions to BPF. Pure: no maps, sockets or descriptors.
 *
 *	ng_filter_compile()	pcap-filter(7) -> classic BPF, by libpcap; long lists as sets
 *	ng_filter_interpret()	what a classic program answers, in user space
 *	ng_filter_translate()	classic BPF -> eBPF
 *	ng_filter_combine()	several translated filters -> one subprogram body
 *	ng_splice_body()	that body into a program
 */
#ifndef NG_CTL_FILTER_FILTER_H
#define NG_CTL_FILTER_FILTER_H

#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include "ctl/base/err.h"

#define NG_FILTER_SNAPLEN_ALL 262144 /* what the empty filter answers */

/*
 * A set of numbers that an instruction tests A against: what would be a chain of comparisons in
 * classic BPF.
 */
struct ng_set {
	__u32 *key; /* malloc'ed; ascending, each once, as A holds them */
	size_t n;   /* > 0 */
};

/*
 * Our only instruction beyond classic BPF: BPF_JMP | NG_BPF_IN | BPF_K, jumps to jt when A is in
 * sets[k], else to jf. libpcap's interpreter and the kernel must never be given it.
 */
#define NG_BPF_IN 0x50

struct ng_cbpf {
	struct sock_filter *insns; /* malloc'ed */
	size_t n;		   /* 0: every packet matches, with NG_FILTER_SNAPLEN_ALL */
	struct ng_set *sets;	   /* malloc'ed; NULL without NG_BPF_IN */
	size_t n_sets;
};
void ng_cbpf_free(struct ng_cbpf *p);
/*
 * What a program asks that only a packet on its way can answer, not one in a file: its direction,
 * interface, mark or queue, as words behind "the filter asks for". NULL: nothing.
 */
const char *ng_cbpf_uses_metadata(const struct ng_cbpf *p);

enum ng_filter_flags {
	NG_FILTER_PLAIN = 1,  /* --no-optimize: neither libpcap's optimizer nor ours */
	NG_FILTER_STRICT = 2, /* --strict-pcap: libpcap's own reading and program, bit for bit */
	NG_FILTER_MAY_GOTO =
		4, /* the kernel knows may_goto: loops go round as often as they must */
};

/*
 * expr: NUL-terminated; NULL or blank = every packet. file: what to name in a position
 * ("expression", or the path given to -F). linktype: DLT_*. flags: enum ng_filter_flags. The filter
 * is compiled against the wire image (no live-capture VLAN extensions). -EINVAL with *err filled:
 * libpcap's own words, exit 2, file/line/column and caret at the word it stumbled over.
 */
int ng_filter_compile(const char *expr, const char *file, int linktype, unsigned int snaplen,
		      unsigned int flags, struct ng_cbpf *out, struct ng_error *err);

/*
 * Where the sets of "src in @NAME" come from. find: makes *text (malloc'ed, taken over) of
 * addresses, prefixes and ranges A-B, or of port numbers and ranges N-M, between blanks, commas or
 * lines; # and ; begin comments. 0, or -errno with *err filled.
 */
struct ng_filter_names {
	int (*find)(void *to, const char *name, char **text, struct ng_error *err);
	void *to;
};
/* names: NULL: there are none. */
int ng_filter_compile_named(const char *expr, const char *file, int linktype, unsigned int snaplen,
			    unsigned int flags, const struct ng_filter_names *names,
			    struct ng_cbpf *out, struct ng_error *err);

/* How nicgate and libpcap read `vlan` in an expression (docs/filter.md). */
struct ng_scope_note {
	bool differs;  /* else the texts are NULL */
	char *ours;    /* malloc'ed: a line for each alternative, its tags in front */
	char *libpcap; /* malloc'ed: a line for each part that libpcap looks for elsewhere: where */
};
/* expr: not blank. -EINVAL: no expression; -E2BIG: too many alternatives; -ENOMEM. */
int ng_filter_explain_scope(const char *expr, struct ng_scope_note *note);
void ng_scope_note_free(struct ng_scope_note *note);

/* What a filter can ask about a packet beyond its bytes, in the kernel's numbers. */
struct ng_packet_meta {
	__u32 pkt_type; /* PACKET_HOST, PACKET_OUTGOING .. */
	__u32 ifindex, mark, queue;
};

/*
 * The answer libpcap's interpreter gives (its bpf_filter()) for a packet: 0 or the snapshot length;
 * 0 where libpcap would never end. For -r frames that BPF_PROG_TEST_RUN cannot take, and for tests.
 * p: a program that ng_cfg_build() accepts. meta: NULL: all zero.
 */
unsigned int ng_filter_interpret_with(const struct ng_cbpf *p, const struct ng_packet_meta *meta,
				      const void *pkt, unsigned int wirelen, unsigned int caplen);
/* The same without metadata. */
unsigned int ng_filter_interpret(const struct ng_cbpf *p, const void *pkt, unsigned int wirelen,
				 unsigned int caplen);

enum ng_filter_ctx {
	NG_CTX_XDP, /* struct xdp_md; linear and multi-buffer */
	NG_CTX_TC,  /* struct __sk_buff; linear or not; a tag in metadata counts as on the wire */
	NG_CTX_TC_OUT, /* the same on the way out: `outbound` holds */
};

/*
 * table: constant data. Every BPF_PSEUDO_MAP_VALUE load in insns refers to it, by its offset in the
 * second half; whoever loads the program makes an array map of one element of it (frozen,
 * BPF_F_RDONLY_PROG) and writes its descriptor into the first half.
 */
struct ng_ebpf {
	struct bpf_insn *insns; /* malloc'ed */
	size_t n;
	void *table; /* malloc'ed; NULL: none */
	size_t table_size;
};
void ng_ebpf_free(struct ng_ebpf *p);
/* Writes the descriptor of the map that holds the table wherever the instructions refer to it. */
void ng_ebpf_bind_table(struct ng_ebpf *p, int fd);

/*
 * Translates to a BPF subprogram body: on entry r1 = context, r2 = anything, r3 = the packet's
 * length on the wire, a VLAN tag in metadata included; r0 = exactly what libpcap's interpreter
 * returns for the packet as on the wire (semantics: docs/filter.md), ends in exit; uses r0-r9 and
 * its own stack frame. flags: NG_FILTER_PLAIN. -EOPNOTSUPP with *err: what this classic program
 * uses that cannot be done here (shift by >= 32 ..).
 */
int ng_filter_translate(const struct ng_cbpf *in, enum ng_filter_ctx ctx, unsigned int flags,
			struct ng_ebpf *out, struct ng_error *err);

/*
 * The same as code that stands in the place of the call of that body at one site of a program:
 * enters with r1 = context, leaves with r0 = answer behind its last instruction, keeps r6-r9, and
 * uses the frame below site->stack_free. What it cannot answer (data that are not linear) it asks
 * the body: a BPF_PSEUDO_CALL whose imm is NG_CALL_STUB, for whoever puts it in place to fill in.
 * Its table is the body's. -EOPNOTSUPP, -E2BIG: not possible for this filter, or not here.
 */
#define NG_CALL_STUB (-1)
struct ng_site;
int ng_filter_inline(const struct ng_cbpf *in, enum ng_filter_ctx ctx, const struct ng_site *site,
		     struct ng_ebpf *out);

/*
 * Replaces the body of one subprogram in a whole relocated program (as libbpf has it before the
 * load). insns: the program; [start, end): the subprogram. Result: a new array with `body` there,
 * every jump, call and BPF_PSEUDO_FUNC reference across the gap re-based; *shift = how far
 * instructions behind `end` moved.
 */
int ng_splice_body(const struct bpf_insn *insns, size_t n, size_t start, size_t end,
		   const struct ng_ebpf *body, struct ng_ebpf *out, long *shift);

/*
 * One subprogram body that holds several filters: r1 = context, r2 = slot, r3 = length on the wire;
 * returns the filter's value, 0 for a slot without one. filter[i].n == 0 or filter[i].insns ==
 * NULL: slot i has none. Each filter keeps the table that ng_ebpf_bind_table() has bound it to;
 * *out has none of its own.
 */
int ng_filter_combine(const struct ng_ebpf *filter, size_t slots, struct ng_ebpf *out,
		      struct ng_error *err);

#endif
