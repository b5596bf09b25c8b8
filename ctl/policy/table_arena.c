// SPDX-License-Identifier: GPL-2.0-only
/* Memory for the texts a table owns: many small pieces, freed at once. */
#include <stdlib.h>
#include <string.h>

#include "ctl/policy/table_reader.h"

#define PIECE (64u << 10)

struct ng_arena {
	struct ng_arena *before;
	size_t used, size;
	char at[];
};

char *ng_arena_copy(struct ng_arena **arena, const char *text, size_t len)
{
	struct ng_arena *a = *arena;
	char *copy;

	if (!a || a->size - a->used < len) {
		size_t size = len > PIECE ? len : PIECE;

		a = malloc(sizeof(*a) + size);
		if (!a)
			return NULL;
		*a = (struct ng_arena){ .before = *arena, .size = size };
		*arena = a;
	}
	copy = a->at + a->used;
	memcpy(copy, text, len);
	a->used += len;
	return copy;
}

void ng_arena_free(struct ng_arena *arena)
{
	while (arena) {
		struct ng_arena *before = arena->before;

		free(arena);
		arena = before;
	}
}
