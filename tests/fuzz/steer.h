/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes packets so that programs go ways that random packets would not take them. */
#ifndef NG_TESTS_FUZZ_STEER_H
#define NG_TESTS_FUZZ_STEER_H

#include "ctl/filter/filter.h"
#include "tests/filter_packets.h"

/*
 * Follows the program over the packet. At a comparison of bytes just loaded, picks a way, most
 * often one that does not reject, and writes into the packet what leads there. The packet may grow.
 */
void steer_packet(const struct ng_cbpf *program, struct packet *p);
/* Whether the program, run over the packet, loads from behind its end, and so answers 0. */
bool leaves_packet(const struct ng_cbpf *program, const struct packet *p);

#endif
