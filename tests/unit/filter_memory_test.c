// SPDX-License-Identifier: GPL-2.0-only
/* Translating filters when memory ends: every allocation fails once, alone and with all behind it. */
#include "ctl/filter/filter.h"
#include "ctl/filter/site.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdlib.h>

#ifndef __SANITIZE_ADDRESS__

/* glibc's own, behind the ones that all of this program is given */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static struct {
	bool armed, for_good;
	long fail_at, n; /* allocations since it was armed */
	long held;
} memory;

static bool is_out(void)
{
	long i = memory.n++;

	if (!memory.armed || i < memory.fail_at || (i > memory.fail_at && !memory.for_good))
		return false;
	errno = ENOMEM;
	return true;
}

static void *held(void *p)
{
	memory.held += p != NULL;
	return p;
}

void *malloc(size_t size)
{
	return is_out() ? NULL : held(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return is_out() ? NULL : held(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
	if (is_out())
		return NULL;
	return p ? __libc_realloc(p, size) : held(__libc_realloc(p, size));
}

void *reallocarray(void *p, size_t n, size_t size)
{
	return realloc(p, n * size);
}

void free(void *p)
{
	memory.held -= p != NULL;
	__libc_free(p);
}

static const char *const expressions[] = {
	"tcp port 80",
	"ip6 protochain 6",
	"(ip[2:2] + tcp[4:2]) * len > 9 and vlan and ether[ip[8]:4] = 1",
	"tcp port 1 or 3 or 5 or 7 or 9 or 11 or 13 or 15 or 17 or 19",
	"dst port in {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33} or vlan",
};

enum { BODY, PLAIN_BODY, IN_PLACE, HOWS };

static int translate(const struct ng_cbpf *filter, int how, struct ng_ebpf *out)
{
	static const struct ng_site site = { .ctx = { .kind = NG_PLACE_REG, .reg = BPF_REG_6 },
					     .len = { .kind = NG_PLACE_STACK, .off = -8 },
					     .stack_free = -8 };
	struct ng_error err = { 0 };

	if (how == IN_PLACE)
		return ng_filter_inline(filter, NG_CTX_TC, &site, out);
	return ng_filter_translate(filter, NG_CTX_TC, how == PLAIN_BODY ? NG_FILTER_PLAIN : 0, out,
				   &err);
}

/* Whether the allocation was asked for at all is in *more. */
static bool fails_well(const struct ng_cbpf *filter, int how, long at, bool for_good, bool *more)
{
	struct ng_ebpf out = { 0 };
	long before = memory.held, n;
	int ret, want = how == IN_PLACE ? translate(filter, how, &out) : 0;

	ng_ebpf_free(&out);
	memory.n = 0;
	memory.fail_at = at;
	memory.for_good = for_good;
	memory.armed = true;
	ret = translate(filter, how, &out);
	memory.armed = false;
	n = memory.n;
	*more = n > at;
	if (ret == (*more ? -ENOMEM : want) || (want && ret == want)) {
		ng_ebpf_free(&out);
		return memory.held == before;
	}
	printf("#   allocation %ld: %d\n", at, ret);
	return false;
}

static void test_expression(const char *expr)
{
	struct ng_cbpf filter = { 0 };
	bool good = !ng_filter_compile(expr, "e", 1, 262144, 0, &filter, NULL);
	long most = 0;

	for (int how = 0; how < HOWS && good; how++)
		for (int for_good = 0; for_good < 2; for_good++) {
			bool more = true;

			for (long at = 0; more && good; at++) {
				good = fails_well(&filter, how, at, for_good, &more);
				most = at > most ? at : most;
			}
		}
	ok(good && most > 3, "%s: -ENOMEM by each of %ld allocations, and nothing is left behind",
	   expr, most);
	ng_cbpf_free(&filter);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
		test_expression(expressions[i]);
	return tap_done();
}

#else

int main(void)
{
	tap_skip_all("AddressSanitizer has allocations of its own");
}

#endif
