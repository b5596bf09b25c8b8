/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * eBPF instructions as text, in the syntax of the kernel's verifier and of bpftool (kernel/bpf/disasm.c,
 * Documentation/bpf/standardization/instruction-set.rst). Pure.
 */
#ifndef NG_CTL_FILTER_DISASM_H
#define NG_CTL_FILTER_DISASM_H

#include <linux/bpf.h>
#include <stddef.h>

/* The longest text, with its NUL. */
#define NG_DISASM_MAX 128

/*
 * What a helper call calls; NULL: not known. For programs read back from the kernel, which has put
 * addresses in the place of numbers.
 */
typedef const char *(*ng_disasm_call_fn)(const struct bpf_insn *insn, void *arg);

/*
 * Writes one instruction, "if w1 == 0x35 goto pc+3", to buf. n > 0: how many there are at insn.
 * Returns how many it is: 2 where a constant of 64 bits takes the next as well, else 1. call NULL:
 * calls have numbers (enum bpf_func_id). What is no instruction becomes "unknown opcode 0xNN".
 */
size_t ng_disasm(const struct bpf_insn *insn, size_t n, ng_disasm_call_fn call, void *arg,
		 char buf[NG_DISASM_MAX]);

#endif
