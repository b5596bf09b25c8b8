// SPDX-License-Identifier: GPL-2.0-only
/* Message callback of libbpf and libxdp. */
#include "ctl/dataplane/libbpf_log.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "ctl/base/err.h"

#define KERNEL_PREFIX "Kernel error message: "

static _Thread_local char words[256];

static void trim(char *text)
{
	size_t n = strlen(text);

	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
}

__attribute__((format(printf, 1, 0))) static void take(const char *fmt, va_list ap)
{
	char line[1024];
	const char *kernel;

	vsnprintf(line, sizeof(line), fmt, ap);
	trim(line);
	kernel = strstr(line, KERNEL_PREFIX);
	if (kernel)
		snprintf(words, sizeof(words), "%.200s", kernel + strlen(KERNEL_PREFIX));
	ng_trace("%s", line);
}

__attribute__((format(printf, 2, 0))) static int from_libbpf(enum libbpf_print_level level,
							     const char *fmt, va_list ap)
{
	(void)level;
	take(fmt, ap);
	return 0;
}

__attribute__((format(printf, 2, 0))) static int from_libxdp(enum libxdp_print_level level,
							     const char *fmt, va_list ap)
{
	(void)level;
	take(fmt, ap);
	return 0;
}

void ng_libbpf_log_init(void)
{
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}

void ng_libbpf_words_clear(void)
{
	words[0] = '\0';
}

const char *ng_libbpf_words(void)
{
	return words;
}
