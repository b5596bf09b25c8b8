/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a savefile's bytes go: a descriptor behind a buffer, in large writes, that always knows how
 * many whole records reached it. When a write fails, a regular file is cut back to its last whole
 * record.
 */
#ifndef NG_CTL_CAPTURE_SINK_H
#define NG_CTL_CAPTURE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NG_SINK_WRITE (256 * 1024) /* bytes gathered before they are written */

struct ng_sink;

/*
 * Takes over fd, also on failure. room_max: the largest record there will be. cancelled (may be
 * NULL): asked when a signal interrupts a write; true gives it up with -EINTR.
 */
int ng_sink_new(int fd, size_t room_max, bool (*cancelled)(void), struct ng_sink **out);
/* Room for a record of up to `size` <= room_max bytes. NULL after a failure (ng_sink_error()). */
void *ng_sink_room(struct ng_sink *s, size_t size);
/* The record in the room is `used` bytes long; packet: it is one that ng_sink_packets() counts. */
void ng_sink_commit(struct ng_sink *s, size_t used, bool packet);
/* Writes what is buffered. 0, or the first -errno there was. */
int ng_sink_flush(struct ng_sink *s);
int ng_sink_error(const struct ng_sink *s);
/* Packets committed; after a failure, those that reached the descriptor whole. */
uint64_t ng_sink_packets(const struct ng_sink *s);
/* Flushes and closes. 0, or the first -errno there was.
 * *packets (may be NULL) as above. NULL is allowed. */
int ng_sink_close(struct ng_sink *s, uint64_t *packets);

#endif
