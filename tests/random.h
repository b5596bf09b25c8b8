/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers of the tests: the same ones in every run that begins with the same state. */
#ifndef NG_TESTS_RANDOM_H
#define NG_TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

extern uint64_t random_state;

uint32_t rnd(void);
/* 0 to n - 1; n > 0. */
uint32_t below(uint32_t n);
uint32_t one_of(const uint32_t *values, size_t n);
#define ONE_OF(...)                                                                                \
	one_of((const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)
/* Begins anew; neighbouring seeds give unlike numbers. */
void random_seed(uint64_t seed);

#endif
