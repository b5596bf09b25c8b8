// SPDX-License-Identifier: GPL-2.0-only
/* bpffs: where gates are pinned, the lock, opening and mapping what is there. */
#include "maps/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define BPFFS_DEFAULT	"/sys/fs/bpf"
#define ACL_DIR		"acl" /* and a number */
#define LOCK_POLL_MS	5
#define LOCK_REOPEN_MAX 100 /* times the directory may vanish under a waiter */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *const ng_map_name[NG_MAP_ID_MAX] = {
	[NG_MAP_CONTROL] = "ng_control",     [NG_MAP_COUNTERS] = "ng_counters",
	[NG_MAP_TAP_CONF] = "ng_tap_conf",   [NG_MAP_TAP_RINGS] = "ng_tap_rings",
	[NG_MAP_TAP_STATS] = "ng_tap_stats",
};
_Static_assert(ARRAY_SIZE(ng_map_name) == NG_MAP_ID_MAX, "a name for every map");

const char *const ng_hook_name[NG_HOOK_MAX] = {
	[NG_HOOK_XDP] = "xdp",
	[NG_HOOK_TC_IN] = "tc-in",
	[NG_HOOK_TC_OUT] = "tc-out",
};
_Static_assert(ARRAY_SIZE(ng_hook_name) == NG_HOOK_MAX, "a name for every hook");

/* Pins that hold a program on its hook, or say that a filter does:
 * the last to be pinned, the first to go. */
static const char *const keeper[] = { "link", "filter" };

/* An mmapable array takes a whole number of pages. */
static size_t control_size(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct ng_control) + page - 1) / page * page;
}

int ng_maps_mmap(struct ng_maps *m)
{
	void *p;

	if (m->control)
		return 0;
	p = mmap(NULL, control_size(), PROT_READ | PROT_WRITE, MAP_SHARED, m->fd[NG_MAP_CONTROL],
		 0);
	if (p == MAP_FAILED)
		return -errno;
	m->control = p;
	return 0;
}

void ng_maps_close(struct ng_maps *m)
{
	if (m->control)
		munmap(m->control, control_size());
	for (size_t i = 0; i < NG_MAP_ID_MAX; i++)
		if (m->fd[i] >= 0)
			close(m->fd[i]);
	for (size_t i = 0; i < NG_TAPS_MAX; i++)
		if (m->tap_code[i] >= 0)
			close(m->tap_code[i]);
	ng_acl_tables_close(&m->acl);
	*m = (struct ng_maps)NG_MAPS_INIT;
}

static int netns_cookie(__u64 *cookie)
{
	socklen_t size = sizeof(*cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &size))
		rc = -errno;
	close(fd);
	return rc;
}

int ng_pins_open(struct ng_pins *p, const char *bpffs)
{
	const char *dir = bpffs ? bpffs : BPFFS_DEFAULT;
	struct ng_pins pins = { .lock_fd = -1 };
	struct statfs fs;
	int n;

	if (statfs(dir, &fs))
		return -errno;
	if ((__u32)fs.f_type != BPF_FS_MAGIC)
		return -ENOENT;
	n = snprintf(pins.root, sizeof(pins.root), "%s/nicgate", dir);
	if (n < 0 || (size_t)n >= sizeof(pins.root))
		return -ENAMETOOLONG;
	n = netns_cookie(&pins.netns_cookie);
	if (n)
		return n;
	*p = pins;
	return 0;
}

int ng_pins_mount_bpffs(void)
{
	struct stat ours, init;

	if (stat("/proc/self/ns/mnt", &ours) || stat("/proc/1/ns/mnt", &init))
		return -EXDEV;
	if (ours.st_dev != init.st_dev || ours.st_ino != init.st_ino)
		return -EXDEV;
	if (mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME,
		  "mode=0700"))
		return -errno;
	return 0;
}

/* Who holds an flock on the file behind fd, by /proc/locks; 0: nobody that can be seen. */
static pid_t flock_holder(int fd)
{
	FILE *f = fopen("/proc/locks", "re");
	struct stat st;
	pid_t holder = 0;
	char line[256];

	if (!f)
		return 0;
	if (fstat(fd, &st))
		st.st_ino = 0;
	while (!holder && fgets(line, sizeof(line), f)) {
		unsigned int major_nr, minor_nr;
		unsigned long long inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_nr, &minor_nr,
			   &inode) != 4)
			continue;
		if (inode == st.st_ino && makedev(major_nr, minor_nr) == st.st_dev)
			holder = pid;
	}
	fclose(f);
	return holder;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int flock_until(int fd, long long deadline, pid_t *holder)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (now_ms() >= deadline) {
			*holder = flock_holder(fd);
			return -ETIMEDOUT;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* The last holder removes an empty directory: is fd still what the path names? */
static bool is_still_there(const char *path, int fd)
{
	struct stat by_path, by_fd;

	return !stat(path, &by_path) && !fstat(fd, &by_fd) && by_path.st_ino == by_fd.st_ino &&
	       by_path.st_dev == by_fd.st_dev;
}

/* Whoever can write there could take pins away, and with them gates. */
static bool is_private(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (!st.st_uid || st.st_uid == geteuid()) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

int ng_pins_lock(struct ng_pins *p, int timeout_ms, pid_t *holder)
{
	long long deadline = now_ms() + timeout_ms;

	for (int i = 0; i < LOCK_REOPEN_MAX; i++) {
		int fd, rc;

		if (mkdir(p->root, 0700) && errno != EEXIST)
			return -errno;
		fd = open(p->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		rc = is_private(fd) ? flock_until(fd, deadline, holder) : -EPERM;
		if (!rc && is_still_there(p->root, fd)) {
			p->lock_fd = fd;
			return 0;
		}
		close(fd);
		if (rc)
			return rc;
	}
	return -EAGAIN;
}

void ng_pins_unlock(struct ng_pins *p)
{
	if (p->lock_fd < 0)
		return;
	rmdir(p->root); /* fails unless the last gate is gone */
	close(p->lock_fd);
	p->lock_fd = -1;
}

void ng_pins_close(struct ng_pins *p)
{
	ng_pins_unlock(p);
	p->root[0] = '\0';
}

static int netns_dir(const struct ng_pins *p, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/n%llu", p->root, (unsigned long long)p->netns_cookie);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int link_dir(const struct ng_pins *p, __u32 ifindex, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/n%llu/i%u", p->root, (unsigned long long)p->netns_cookie,
			 ifindex);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int ng_pins_dir(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/n%llu/i%u/%s", p->root,
			 (unsigned long long)p->netns_cookie, ifindex, ng_hook_name[hook]);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int ng_pins_path(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, const char *name,
		 char *path, size_t size)
{
	char dir[PATH_MAX];
	int rc = ng_pins_dir(p, ifindex, hook, dir, sizeof(dir));
	int n;

	if (rc)
		return rc;
	n = snprintf(path, size, "%s/%s", dir, name);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

int ng_pins_make_dir(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook)
{
	char path[PATH_MAX];
	int rc = make_dir(p->root);

	if (!rc)
		rc = netns_dir(p, path, sizeof(path));
	if (!rc)
		rc = make_dir(path);
	if (!rc)
		rc = link_dir(p, ifindex, path, sizeof(path));
	if (!rc)
		rc = make_dir(path);
	if (!rc)
		rc = ng_pins_dir(p, ifindex, hook, path, sizeof(path));
	if (!rc)
		rc = make_dir(path);
	return rc;
}

static int empty_dir(const char *path);

/* A directory in a gate's holds the tables of one generation. */
static int remove_entry(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	int rc;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	if (!unlink(path) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	rc = empty_dir(path);
	return !rc && rmdir(path) && errno != ENOENT ? -errno : rc;
}

/* Whatever lies in the directory goes; it holds pins only. */
static int empty_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!rc && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = remove_entry(path, e->d_name);
	closedir(dir);
	return rc;
}

static int remove_keepers(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook)
{
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(keeper); i++) {
		rc = ng_pins_path(p, ifindex, hook, keeper[i], path, sizeof(path));
		if (!rc && unlink(path) && errno != ENOENT)
			rc = -errno;
	}
	return rc;
}

int ng_pins_remove(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook)
{
	char path[PATH_MAX];
	int rc = remove_keepers(p, ifindex, hook);

	if (!rc)
		rc = ng_pins_dir(p, ifindex, hook, path, sizeof(path));
	if (!rc)
		rc = empty_dir(path);
	if (!rc && rmdir(path) && errno != ENOENT)
		rc = -errno;
	if (rc)
		return rc;
	if (!link_dir(p, ifindex, path, sizeof(path)))
		rmdir(path);
	if (!netns_dir(p, path, sizeof(path)))
		rmdir(path);
	return 0;
}

static int open_map(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, enum ng_map_id id,
		    struct ng_maps *m)
{
	char path[PATH_MAX];
	int rc = ng_pins_path(p, ifindex, hook, ng_map_name[id], path, sizeof(path));

	if (rc)
		return rc;
	m->fd[id] = bpf_obj_get(path);
	return m->fd[id] < 0 ? -errno : 0;
}

/* The head of struct ng_control, magic and abi, is the same in every version. */
static int check_abi(struct ng_maps *m, __u32 *abi)
{
	int rc = ng_maps_mmap(m);

	if (rc)
		return rc;
	*abi = m->control->magic == NG_ABI_MAGIC ? m->control->abi : 0;
	return *abi == NG_ABI_VERSION ? 0 : -EPROTO;
}

bool ng_pins_has_keeper(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(keeper); i++)
		if (!ng_pins_path(p, ifindex, hook, keeper[i], path, sizeof(path)) &&
		    !access(path, F_OK))
			return true;
	return false;
}

int ng_pins_open_maps(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, struct ng_maps *m,
		      __u32 *abi)
{
	struct ng_maps maps = NG_MAPS_INIT;
	int rc = open_map(p, ifindex, hook, NG_MAP_CONTROL, &maps);

	if (!rc)
		rc = check_abi(&maps, abi);
	for (int i = 0; !rc && i < NG_MAP_ID_MAX; i++)
		if (i != NG_MAP_CONTROL)
			rc = open_map(p, ifindex, hook, i, &maps);
	if (rc == -ENOENT && ng_pins_has_keeper(p, ifindex, hook))
		rc = -EUCLEAN;
	if (!rc)
		rc = ng_pins_dir(p, ifindex, hook, maps.dir, sizeof(maps.dir));
	if (rc)
		ng_maps_close(&maps);
	else
		*m = maps;
	return rc;
}

int ng_pins_pin_maps(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, struct ng_maps *m)
{
	char path[PATH_MAX];
	int rc;

	for (int i = 0; i < NG_MAP_ID_MAX; i++) {
		rc = ng_pins_path(p, ifindex, hook, ng_map_name[i], path, sizeof(path));
		if (rc)
			return rc;
		if (bpf_obj_pin(m->fd[i], path))
			return -errno;
	}
	rc = ng_pins_dir(p, ifindex, hook, m->dir, sizeof(m->dir));
	return !rc && m->acl_gen ? ng_pins_pin_acl(m->dir, m->acl_gen, &m->acl) : rc;
}

static int compare_u64(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/* Is name <word><number>? */
static bool is_numbered(const char *name, const char *word, __u64 *number)
{
	size_t len = strlen(word);
	unsigned long long value;
	char rest;

	if (strncmp(name, word, len) || sscanf(name + len, "%llu%c", &value, &rest) != 1)
		return false;
	*number = value;
	return true;
}

/* The numbers of the entries of a directory that are called <word><number>, sorted.
 * *list is the caller's to free. */
static int list_numbers(const char *path, const char *word, __u64 **list, size_t *n)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t max = 0;

	*list = NULL;
	*n = 0;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(dir))) {
		__u64 number;

		if (!is_numbered(e->d_name, word, &number))
			continue;
		if (*n == max) {
			__u64 *more = realloc(*list, (max += 64) * sizeof(**list));

			if (!more) {
				closedir(dir);
				return -ENOMEM;
			}
			*list = more;
		}
		(*list)[(*n)++] = number;
	}
	closedir(dir);
	if (*n)
		qsort(*list, *n, sizeof(**list), compare_u64);
	return 0;
}

static int acl_dir(const char *dir, __u64 gen, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/" ACL_DIR "%llu", dir, (unsigned long long)gen);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int remove_acl(const char *dir, __u64 gen)
{
	char path[PATH_MAX];
	int rc = acl_dir(dir, gen, path, sizeof(path));

	if (!rc)
		rc = empty_dir(path);
	return !rc && rmdir(path) && errno != ENOENT ? -errno : rc;
}

int ng_pins_remove_acl(const char *dir, __u32 gen)
{
	return remove_acl(dir, gen);
}

int ng_pins_pin_acl(const char *dir, __u32 gen, const struct ng_acl_tables *t)
{
	char path[PATH_MAX];
	int rc = remove_acl(dir, gen);

	if (!rc)
		rc = acl_dir(dir, gen, path, sizeof(path));
	if (!rc)
		rc = make_dir(path);
	return rc ? rc : ng_acl_tables_pin(t, path);
}

int ng_pins_open_acl(const char *dir, __u32 gen, struct ng_acl_tables *t)
{
	char path[PATH_MAX];
	int rc = acl_dir(dir, gen, path, sizeof(path));

	return rc ? rc : ng_acl_tables_open(t, path);
}

int ng_pins_keep_acl(const char *dir, __u32 gen)
{
	__u64 *list = NULL;
	size_t n = 0;
	int rc = list_numbers(dir, ACL_DIR, &list, &n);

	for (size_t i = 0; !rc && i < n; i++)
		if (list[i] != gen)
			rc = remove_acl(dir, list[i]);
	free(list);
	return rc;
}

int ng_pins_each(const struct ng_pins *p, int (*fn)(__u32 ifindex, enum ng_hook hook, void *arg),
		 void *arg)
{
	char path[PATH_MAX];
	__u64 *list = NULL;
	size_t n = 0;
	int rc = netns_dir(p, path, sizeof(path));

	if (!rc)
		rc = list_numbers(path, "i", &list, &n);
	for (size_t i = 0; !rc && i < n; i++)
		for (int hook = 0; !rc && hook < NG_HOOK_MAX; hook++)
			if (!ng_pins_dir(p, (__u32)list[i], hook, path, sizeof(path)) &&
			    !access(path, F_OK))
				rc = fn((__u32)list[i], hook, arg);
	free(list);
	return rc;
}

int ng_pins_each_other(const struct ng_pins *p, int (*fn)(const struct ng_pins *other, void *arg),
		       void *arg)
{
	struct ng_pins other = *p;
	__u64 *list;
	size_t n;
	int rc = list_numbers(p->root, "n", &list, &n);

	other.lock_fd = -1;
	for (size_t i = 0; !rc && i < n; i++) {
		other.netns_cookie = list[i];
		if (list[i] != p->netns_cookie)
			rc = fn(&other, arg);
	}
	free(list);
	return rc;
}
