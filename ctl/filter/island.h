/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jumps that are longer than the 16 bits of an instruction go by islands: groups of jumps that are
 * put between other instructions, and that what falls through jumps over.
 */
#ifndef NG_CTL_FILTER_ISLAND_H
#define NG_CTL_FILTER_ISLAND_H

#include "ctl/filter/emit.h"

/*
 * Puts islands where they are needed and fills in all jumps. 0, -ENOMEM; -E2BIG: there was no place
 * for one: between the halves of a wide load or below a jump without a label nothing can be put.
 */
int ng_islands(struct ng_emit *e);

#endif
