/* SPDX-License-Identifier: GPL-2.0-only */
/* Random classic BPF programs, most of which no expression makes. */
#ifndef NG_TESTS_FUZZ_PROGRAM_H
#define NG_TESTS_FUZZ_PROGRAM_H

#include "ctl/filter/filter.h"

/* A program of at most `most` instructions that libpcap's bpf_validate() accepts and that reads no
 * metadata. */
void make_program(struct ng_cbpf *out, size_t most);
/* The same with a few set tests (NG_BPF_IN). */
void make_set_program(struct ng_cbpf *out, size_t most);
/*
 * A valid program changed in a few places, without regard to what it means, if it means anything:
 * true when make_program() could have made it, so that it can be run.
 */
bool mutate_program(const struct ng_cbpf *in, struct ng_cbpf *out);
/* Whether libpcap's interpreter can run it: valid, no loops, no metadata. */
bool is_runnable(const struct ng_cbpf *p);

/*
 * The smaller programs next to *in, numbered from 0: without an instruction, a choice, or a key of a
 * set, or with a smaller constant. false: there is no such number. They need not be valid, and some
 * are as *in.
 */
bool shrink_program(const struct ng_cbpf *in, size_t number, struct ng_cbpf *out);

/*
 * The program behind instructions that clear all memory cells: libpcap 1.10 leaves them as they
 * are, which even programs of pcap_compile() read, and answers differ from call to call.
 */
void clear_cells(const struct ng_cbpf *in, struct ng_cbpf *out);

void copy_program(const struct ng_cbpf *in, struct ng_cbpf *out);

#endif
