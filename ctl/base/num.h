/* SPDX-License-Identifier: GPL-2.0-only */
/* Strict parsing of numbers: the whole word, decimal digits only,
 * in range, with a unit where one is allowed. */
#ifndef NG_CTL_BASE_NUM_H
#define NG_CTL_BASE_NUM_H

#include <stdint.h>

/* 0, -EINVAL (not a number) or -ERANGE (outside min..max); *out untouched on failure. */
int ng_parse_u64(const char *word, uint64_t min, uint64_t max, uint64_t *out);
int ng_parse_u32(const char *word, uint32_t min, uint32_t max, uint32_t *out);
/* Bytes: K M G T = powers of 1000, Ki Mi Gi Ti = powers of 1024, bare = bytes. */
int ng_parse_size(const char *word, uint64_t min, uint64_t max, uint64_t *out);

#endif
