// SPDX-License-Identifier: GPL-2.0-only
/* The maps of one generation of ACL tables: made, pinned, opened again, refused. */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps/acl_tables.h"
#include "tests/tap.h"

#define DIR "/sys/fs/bpf/tables"

static const struct ng_acl_size small_trie = {
	.engine = NG_ENGINE_TRIE,
	.root_bits = { 16, 20 },
	.clauses = 100,
	.rows = 10,
	.nodes = 70000, /* more than 4 MiB in one element */
	.skips = 30,
	.notes = 5,
	.stripes = 2,
};
static const struct ng_acl_size small_lpm = {
	.engine = NG_ENGINE_LPM,
	.clauses = 33,
	.rows = 1,
	.notes = 1,
};

static struct bpf_map_info info_of(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	bpf_obj_get_info_by_fd(fd, &info, &size);
	return info;
}

static bool is_size(const struct ng_acl_tables *t, const struct ng_acl_size *want)
{
	struct ng_acl_size got;

	ng_acl_tables_size(t, &got);
	return !memcmp(&got, want, sizeof(got));
}

/* The last words of a table and what the kernel says there. */
static bool is_mapped_as_the_kernel_sees_it(struct ng_acl_tables *t, enum ng_acl_map map)
{
	const struct bpf_map_info info = info_of(t->fd[map]);
	__u32 last = info.max_entries - 1, word = 0x6e670000 + (__u32)map;
	size_t stride = (info.value_size + 7) / 8 * 8, at = stride * last;
	char *value = calloc(1, info.value_size);
	bool good;

	*(__u32 *)ng_pages_at(&t->pages[map], at / 64 * 64) = word;
	good = value && !bpf_map_lookup_elem(t->fd[map], &last, value) && !t->pages[map].error;
	good = good && (at % 64 || !memcmp(value, &word, sizeof(word)));
	free(value);
	return good;
}

static void test_trie(void)
{
	struct ng_acl_tables t = NG_ACL_TABLES_INIT, again = NG_ACL_TABLES_INIT;

	if (!ok(!ng_acl_tables_create(&small_trie, &t), "tables of tries are made"))
		return;
	ok(is_size(&t, &small_trie), "of the size that was asked for");
	is_int(t.head->buckets, 128, "buckets are a power of two");
	is_int(t.head->clause.fresh, 1, "element 0 is nobody's");
	is_int(info_of(t.fd[NG_ACL_ROOT4_DST]).value_size, 4 << 20, "a root is one element");
	is_int(info_of(t.fd[NG_ACL_NODES]).value_size, 70000 * 64, "so are the nodes");
	is_int(info_of(t.fd[NG_ACL_CLAUSE]).max_entries, 100, "a clause is an element each");
	is_int(t.fd[NG_ACL_LPM4_SRC], -1, "there are no LPM maps");
	for (int i = 0; i < NG_ACL_MAP_MAX; i++)
		if (t.fd[i] >= 0 && i != NG_ACL_HEAD)
			ok(is_mapped_as_the_kernel_sees_it(&t, i), "%s is mapped",
			   ng_acl_map_name[i]);
	is_int(ng_acl_tables_open(&again, DIR), -ENOENT, "nothing is pinned");
	ok(!again.head, "so nothing is open");
	ok(!ng_acl_tables_pin(&t, DIR) && !ng_acl_tables_open(&again, DIR), "pinned, they open");
	if (again.head) {
		t.head->live[NG_IPV6][NG_DST] = 42;
		ok(again.head->live[NG_IPV6][NG_DST] == 42 && is_size(&again, &small_trie),
		   "as the same tables");
	}
	ng_acl_tables_close(&again);
	unlink(DIR "/ng_acl_links");
	is_int(ng_acl_tables_open(&again, DIR), -ENOENT, "without one of them they do not");
	ok(!bpf_obj_pin(t.fd[NG_ACL_LINKS], DIR "/ng_acl_links") &&
		   !bpf_obj_pin(t.fd[NG_ACL_HITS], DIR "/ng_acl4_src"),
	   "a map of the other engine");
	is_int(ng_acl_tables_open(&again, DIR), -EUCLEAN, "does not belong there");
	ng_acl_tables_close(&t);
	is_int(t.fd[NG_ACL_HEAD], -1, "closed ones are as never opened");
}

static void test_lpm(void)
{
	struct ng_acl_tables t = NG_ACL_TABLES_INIT;

	if (!ok(!ng_acl_tables_create(&small_lpm, &t), "tables of LPM maps are made"))
		return;
	ok(is_size(&t, &small_lpm), "of the size that was asked for");
	is_int(info_of(t.fd[NG_ACL_LPM6_DST]).key_size, 20, "by IPv6 address");
	is_int(info_of(t.fd[NG_ACL_LPM4_SRC]).max_entries, 33, "with room for every clause");
	is_int(t.fd[NG_ACL_NODES] + t.fd[NG_ACL_LINKS], -2, "there are no tries");
	is_int(info_of(t.fd[NG_ACL_HITS]).max_entries, 1, "and nothing to count in");
	ng_acl_tables_close(&t);
}

static void refuse(const char *what, struct ng_acl_size size, int error)
{
	struct ng_acl_tables t = NG_ACL_TABLES_INIT;

	is_int(ng_acl_tables_create(&size, &t), error, "%s: refused", what);
	ok(!t.head && t.fd[NG_ACL_HEAD] < 0, "%s: nothing is left", what);
}

static void test_refused(void)
{
	struct ng_acl_size size = small_trie;

	size.root_bits[NG_SRC] = 17;
	refuse("a root of 17 bits", size, -EINVAL);
	size = small_trie;
	size.clauses = 0;
	refuse("no clause", size, -EINVAL);
	size = small_trie;
	size.stripes = 3;
	refuse("three stripes", size, -EINVAL);
	size = small_trie;
	size.nodes = NG_ACL_NODES_MAX + 1;
	refuse("more nodes than a program can read", size, -E2BIG);
	size = small_trie;
	size.skips = NG_ACL_SKIPS_MAX + 1;
	refuse("more skips than a program can read", size, -E2BIG);
	size = small_trie;
	size.engine = NG_ENGINE_MAX;
	refuse("an engine that is none", size, -EINVAL);
}

static void test_default(void)
{
	struct ng_acl_size size;

	ng_acl_size_default(&size);
	ok(size.stripes && !(size.stripes & (size.stripes - 1)), "stripes: %u", size.stripes);
	ok(ng_acl_size_bytes(&size) < (8u << 20) + size.stripes * size.clauses * 24ull,
	   "a gate's first tables take %zu KiB", ng_acl_size_bytes(&size) >> 10);
}

int main(void)
{
	if (geteuid() || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) || mkdir(DIR, 0700))
		tap_skip_all("needs root and bpffs");
	test_default();
	test_trie();
	test_lpm();
	test_refused();
	return tap_done();
}
