/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words put into tcpdump's lines. tcpdump runs with its --number; the first line of each packet is
 * known by the number and the time that must follow, loses the number and gets the packet's words
 * behind the time. All other lines (-v, -x, -X, -A) pass as they are. Pure; not for two threads at
 * once.
 *
 * A line is taken for a packet's first when its number is that of a packet announced and not yet
 * seen. Output that does not begin with number 1 is passed unchanged to its end.
 */
#ifndef NG_CTL_CAPTURE_ANNOTATE_H
#define NG_CTL_CAPTURE_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>
#include "maps/abi.h"

#define NG_ANNOTATE_QUEUE   65536 /* packets announced and not yet seen */
/* Enough for what comes out when n bytes go in, or at the end. */
#define NG_ANNOTATE_ROOM(n) (2 * (size_t)(n) + 128)

struct ng_annotate;

/* time_words: words of the time in front of a line, as tcpdump prints it (0: none). NULL: ENOMEM. */
struct ng_annotate *ng_annotate_new(unsigned int time_words);
void ng_annotate_free(struct ng_annotate *a); /* NULL is allowed */

/* Words of the next packet, each with a blank behind it; kept by reference. Not when it is full. */
void ng_annotate_announce(struct ng_annotate *a, const char *words);
bool ng_annotate_full(const struct ng_annotate *a);

/* The next n bytes of output. Returns how many bytes are in `out`, NG_ANNOTATE_ROOM(n) large. */
size_t ng_annotate_feed(struct ng_annotate *a, const char *in, size_t n, char *out);
/* There are no more: what was held back. */
size_t ng_annotate_finish(struct ng_annotate *a, char *out);
/* Packets whose first line has come. */
__u64 ng_annotate_packets(const struct ng_annotate *a);

#endif
