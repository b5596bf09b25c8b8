// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers: xorshift64, seeded through splitmix64. */
#include "tests/random.h"

uint64_t random_state = 0x9e3779b97f4a7c15;

uint32_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

uint32_t below(uint32_t n)
{
	return rnd() % n;
}

uint32_t one_of(const uint32_t *values, size_t n)
{
	return values[below((uint32_t)n)];
}

void random_seed(uint64_t seed)
{
	seed += 0x9e3779b97f4a7c15;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
	seed ^= seed >> 31;
	random_state = seed ? seed : 1;
}
