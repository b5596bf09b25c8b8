/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts the records of several rings into the order of their timestamps, within a bounded window.
 *
 * Every drain pass adds what the rings hold, ring after ring, then takes out what is older than
 * anything that can still arrive: stamped before the pass began, less a slack for the time between
 * a stamp and its record being visible. What remains waits for the next pass. Each ring's records
 * are nearly sorted by themselves, so a natural merge sort takes one comparison per record and a
 * merge per ring. Pure; records are copied in.
 */
#ifndef NG_CTL_CAPTURE_ORDER_H
#define NG_CTL_CAPTURE_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct ng_order;

int ng_order_new(struct ng_order **out);
void ng_order_free(struct ng_order *o); /* NULL allowed */

/* A copy of `size` bytes stamped `time`, kept aligned to 8. -ENOMEM: not added. */
int ng_order_add(struct ng_order *o, uint64_t time, const void *data, size_t size);
/* Bytes held. */
size_t ng_order_held(const struct ng_order *o);
/*
 * Calls fn for every held record with time <= horizon, oldest first, equal times in the order of
 * their coming, and forgets it. A non-zero return of fn stops there, drops nothing that was not
 * handed over, and is returned. -ENOMEM possible.
 */
int ng_order_take(struct ng_order *o, uint64_t horizon,
		  int (*fn)(const void *data, size_t size, void *arg), void *arg);

#endif
