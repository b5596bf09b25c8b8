/* SPDX-License-Identifier: GPL-2.0-only */
/* What a function prints, as a string. */
#ifndef NG_TESTS_UNIT_PRINTED_H
#define NG_TESTS_UNIT_PRINTED_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/tap.h"

/* Runs fn(arg) with the stream going to memory; the result is valid until the next call. */
__attribute__((unused)) static const char *printed(FILE *stream, void (*fn)(const void *),
						   const void *arg)
{
	static char text[16384];
	int fd = fileno(stream), keep, mem = memfd_create("printed", MFD_CLOEXEC);
	ssize_t n;

	fflush(stream);
	keep = dup(fd);
	if (keep < 0 || mem < 0 || dup2(mem, fd) < 0)
		abort();
	fn(arg);
	fflush(stream);
	dup2(keep, fd);
	close(keep);
	n = pread(mem, text, sizeof(text) - 1, 0);
	close(mem);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

#define is_text(got, want, ...)                                                                    \
	do {                                                                                       \
		const char *g_ = (got), *w_ = (want);                                              \
		if (!ok(!strcmp(g_, w_), __VA_ARGS__))                                             \
			printf("# got:\n%s# want:\n%s", g_, w_);                                   \
	} while (0)

#endif
