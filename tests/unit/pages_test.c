// SPDX-License-Identifier: GPL-2.0-only
/* Mapping piece by piece, and the accounts of a table's elements. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/mman.h>

#include "maps/pool.h"
#include "tests/tap.h"

#define BYTES (3 * NG_PAGES_PIECE + 100) /* the last piece is not whole */

static int memory(size_t bytes)
{
	int fd = memfd_create("pages", 0);

	return fd >= 0 && !ftruncate(fd, (off_t)bytes) ? fd : -1;
}

static bool is_mapped(const struct ng_pages *p, size_t piece)
{
	return p->mapped[piece / 8] & 1u << piece % 8;
}

static void test_pieces(void)
{
	struct ng_pages p = NG_PAGES_INIT;
	int fd = memory(4 * NG_PAGES_PIECE);
	uint32_t word = 0;

	is_int(ng_pages_open(&p, fd, BYTES), 0, "opened");
	ok(p.size % (size_t)sysconf(_SC_PAGESIZE) == 0 && p.size >= BYTES, "in whole pages");
	*(uint32_t *)ng_pages_at(&p, BYTES - 4) = 42;
	*(uint32_t *)ng_pages_at(&p, NG_PAGES_PIECE) = 43;
	ok(!is_mapped(&p, 0) && is_mapped(&p, 1) && !is_mapped(&p, 2) && is_mapped(&p, 3),
	   "what was touched is mapped, no more");
	ok(pread(fd, &word, 4, BYTES - 4) == 4 && word == 42, "a write is in the last piece");
	ok(pread(fd, &word, 4, NG_PAGES_PIECE) == 4 && word == 43, "and in the second");
	is_int(ng_pages_map_all(&p), 0, "all of it");
	ok(is_mapped(&p, 0) && is_mapped(&p, 2), "is mapped then");
	word = 44;
	ok(pwrite(fd, &word, 4, 0) == 4 && *(uint32_t *)ng_pages_at(&p, 0) == 44 &&
		   *(uint32_t *)ng_pages_at(&p, BYTES - 4) == 42,
	   "and holds what it held");
	ng_pages_close(&p);
	ng_pages_close(&p);
	ok(!p.base && p.fd == -1 && fcntl(fd, F_GETFD) >= 0,
	   "closed, twice, but not the descriptor");
	close(fd);
}

static void test_failure(void)
{
	struct ng_pages p = NG_PAGES_INIT;
	int fd = memory(4 * NG_PAGES_PIECE);
	uint32_t *at;

	ng_pages_open(&p, fd, BYTES);
	*(uint32_t *)ng_pages_at(&p, 0) = 1;
	close(fd);
	at = ng_pages_at(&p, NG_PAGES_PIECE);
	is_int(p.error, -EBADF, "a piece that cannot be mapped is an error");
	ok(*at == 0, "and zeroes");
	*at = 7;
	ok(*(uint32_t *)ng_pages_at(&p, 0) == 1, "others stay");
	ng_pages_close(&p);
}

/* As many mappings as the process may have: neighbours that differ, so that none are merged. */
static size_t use_up_mappings(char *area, size_t pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;

	while (n < pages && !mprotect(area + n * page, page, PROT_READ))
		n += 2;
	return n;
}

static void test_too_many_mappings(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 1u << 20;
	char *area = mmap(NULL, pages * page, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct ng_pages p = NG_PAGES_INIT;
	int fd = memory(4 * NG_PAGES_PIECE);
	uint32_t *at;

	ng_pages_open(&p, fd, BYTES);
	if (area == MAP_FAILED || use_up_mappings(area, pages) >= pages) {
		tap_skip("mappings have no limit here");
	} else {
		at = ng_pages_at(&p, NG_PAGES_PIECE);
		is_int(p.error, -ENOMEM, "one mapping too many is an error");
		ok(*at == 0, "and zeroes");
		*at = 7;
	}
	munmap(area, pages * page);
	ng_pages_close(&p);
	close(fd);
}

struct element {
	uint32_t pad, link;
};

static void test_pool(void)
{
	struct ng_pages p = NG_PAGES_INIT;
	struct ng_pool pool = { .size = 6, .fresh = 1 };
	struct ng_pool_ref r = { &pool, &p, offsetof(struct element, link),
				 sizeof(struct element) };
	int fd = memory(4 * NG_PAGES_PIECE);
	uint32_t id[5], sum = 0;

	ng_pages_open(&p, fd, BYTES);
	is_int(ng_pool_ready(&pool), 5, "a new pool has all but number 0");
	for (int i = 0; i < 5; i++)
		sum += id[i] = ng_pool_take(&r);
	is_int(sum, 1 + 2 + 3 + 4 + 5, "each was given once");
	is_int(ng_pool_take(&r), 0, "then none");
	ng_pool_give(&r, id[3]);
	is_int(ng_pool_ready(&pool), 1, "what nobody saw is free at once");
	is_int(ng_pool_take(&r), id[3], "and given again");
	ng_pool_kill(&r, id[1]);
	ng_pool_kill(&r, id[2]);
	ok(ng_pool_ready(&pool) == 0 && ng_pool_left(&pool) == 2 && !ng_pool_take(&r),
	   "dead ones are not");
	ng_pool_reap(&r);
	ok(ng_pool_ready(&pool) == 2 && ng_pool_left(&pool) == 2, "before a grace period is over");
	sum = ng_pool_take(&r) + ng_pool_take(&r);
	is_int(sum, id[1] + id[2], "then they are given again");
	ng_pool_reap(&r);
	ok(!ng_pool_take(&r) && pool.used == 5, "no dead ones: nothing to give");
	ng_pages_close(&p);
	close(fd);
}

int main(void)
{
	test_pieces();
	test_failure();
	test_too_many_mappings();
	test_pool();
	return tap_done();
}
