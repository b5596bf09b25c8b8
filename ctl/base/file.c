// SPDX-License-Identifier: GPL-2.0-only
/* Reads whole files. */
#include "ctl/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE (1u << 16)

/* Up to max + 1 bytes, and room for a NUL. */
static int read_stream(FILE *f, size_t max, char **text, size_t *len)
{
	char *buf = NULL;
	size_t n = 0, room = 0, got = 1;

	while (got && n <= max) {
		if (room - n < 2) {
			char *bigger = realloc(buf, room + (room > PIECE ? room : PIECE));

			if (!bigger)
				goto no_memory;
			buf = bigger;
			room += room > PIECE ? room : PIECE;
		}
		got = fread(buf + n, 1, room - n - 1, f);
		n += got;
	}
	*text = buf;
	*len = n;
	if (ferror(f))
		return errno ? -errno : -EIO;
	return n > max ? -EFBIG : 0;
no_memory:
	free(buf);
	return -ENOMEM;
}

int ng_read_file(const char *name, size_t max, char **text, size_t *len, struct ng_error *err)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	char *buf = NULL;
	size_t n = 0;
	int rc = f ? read_stream(f, max, &buf, &n) : -errno;

	if (f && f != stdin)
		fclose(f);
	if (rc) {
		free(buf);
		return ng_err(err, NG_EXIT_USAGE, -rc,
			      !*name		  ? "''"
			      : strcmp(name, "-") ? name
						  : "stdin",
			      "cannot be read");
	}
	buf[n] = '\0';
	*text = buf;
	*len = n;
	return 0;
}
