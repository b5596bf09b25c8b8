// SPDX-License-Identifier: GPL-2.0-only
/* Pins: paths, the lock between processes,
 * walking and removing directories; on a plain directory. */
#include "maps/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"

static char base[] = "/tmp/nicgate-pins-XXXXXX";

static struct ng_pins pins_at(unsigned long long cookie)
{
	struct ng_pins p = { .netns_cookie = cookie, .lock_fd = -1 };

	snprintf(p.root, sizeof(p.root), "%s/nicgate", base);
	return p;
}

static void test_paths(void)
{
	static const struct {
		enum ng_hook hook;
		const char *name, *want;
	} row[] = {
		{ NG_HOOK_XDP, NULL, "n18446744073709551615/i7/xdp" },
		{ NG_HOOK_TC_IN, NULL, "n18446744073709551615/i7/tc-in" },
		{ NG_HOOK_TC_OUT, "link", "n18446744073709551615/i7/tc-out/link" },
	};
	struct ng_pins p = pins_at(~0ull);
	char got[300], want[300], small[20];

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int rc = row[i].name
				 ? ng_pins_path(&p, 7, row[i].hook, row[i].name, got, sizeof(got))
				 : ng_pins_dir(&p, 7, row[i].hook, got, sizeof(got));

		snprintf(want, sizeof(want), "%s/%s", p.root, row[i].want);
		ok(!rc && !strcmp(got, want), "path %s", row[i].want);
	}
	is_int(ng_pins_dir(&p, 7, NG_HOOK_XDP, small, sizeof(small)), -ENAMETOOLONG,
	       "a path that does not fit is refused");
	for (int i = 0; i < NG_MAP_ID_MAX; i++)
		ok(strlen(ng_map_name[i]) <= 15 && !strncmp(ng_map_name[i], "ng_", 3),
		   "%s fits a BPF name", ng_map_name[i]);
}

/* A process that holds the lock until it is killed. */
static pid_t start_holder(void)
{
	struct ng_pins p = pins_at(1);
	int ready[2];
	pid_t pid, other;
	char c;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		if (ng_pins_lock(&p, 1000, &other) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void test_lock(void)
{
	struct ng_pins p = pins_at(1), q = pins_at(2);
	struct stat st;
	pid_t holder = -1, child;

	ok(!ng_pins_lock(&p, 0, &holder), "the lock is taken");
	ok(!stat(p.root, &st) && (st.st_mode & 0777) == 0700, "its directory is private");
	is_int(ng_pins_lock(&q, 20, &holder), -ETIMEDOUT, "and held, whatever the namespace");
	is_int(holder, getpid(), "by us");
	ng_pins_unlock(&p);
	is_int(stat(p.root, &st), -1, "an empty directory goes with the lock");
	child = start_holder();
	ok(child > 0, "another process takes it");
	is_int(ng_pins_lock(&p, 20, &holder), -ETIMEDOUT, "it is waited for, not forever");
	is_int(holder, child, "its holder is known");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ok(!ng_pins_lock(&p, 1000, &holder), "the lock of a process that died is free");
	ng_pins_unlock(&p);
	ng_pins_unlock(&p);
	ok(p.lock_fd == -1, "unlocking twice is harmless");
}

/* Bpffs may be mounted so that everybody can make directories in it. */
static void test_foreign_directory(void)
{
	struct ng_pins p = pins_at(1);
	char other[300];
	pid_t holder;

	snprintf(other, sizeof(other), "%s/other", base);
	mkdir(p.root, 0700);
	chmod(p.root, 0777);
	is_int(ng_pins_lock(&p, 0, &holder), -EPERM, "a directory that others may write to");
	chmod(p.root, 0750);
	ok(!ng_pins_lock(&p, 0, &holder), "one that others may read is used");
	ng_pins_unlock(&p);
	mkdir(other, 0700);
	if (symlink(other, p.root))
		printf("# no symbolic link\n");
	is_int(ng_pins_lock(&p, 0, &holder), -ENOTDIR, "a symbolic link is not followed");
	unlink(p.root);
	rmdir(other);
}

/* Many processes lock, see that they are alone, unlock;
 * each unlock removes the directory under the others' feet. */
static void contend(int rounds)
{
	struct ng_pins p = pins_at(1);
	char alone[300];
	pid_t holder;

	snprintf(alone, sizeof(alone), "%s/alone", base);
	for (int i = 0; i < rounds; i++) {
		int fd;

		if (ng_pins_lock(&p, 10000, &holder))
			_exit(1);
		fd = open(alone, O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			_exit(2);
		close(fd);
		unlink(alone);
		ng_pins_unlock(&p);
	}
	_exit(0);
}

static void test_contention(void)
{
	enum { PROCESSES = 4, ROUNDS = 25 };
	pid_t pid[PROCESSES];
	int bad = 0, status;

	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		if (!pid[i])
			contend(ROUNDS);
	}
	for (int i = 0; i < PROCESSES; i++) {
		waitpid(pid[i], &status, 0);
		bad += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	is_int(bad, 0,
	       "the lock is one process's at a time, also while its directory comes and goes");
}

static char seen[200];

static int note(__u32 ifindex, enum ng_hook hook, void *arg)
{
	size_t n = strlen(seen);

	snprintf(seen + n, sizeof(seen) - n, "%u:%s ", ifindex, ng_hook_name[hook]);
	return arg && ifindex == *(__u32 *)arg ? 42 : 0;
}

static int note_other(const struct ng_pins *other, void *arg)
{
	size_t n = strlen(seen);

	(void)arg;
	snprintf(seen + n, sizeof(seen) - n, "n%llu ", (unsigned long long)other->netns_cookie);
	return 0;
}

static void touch(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, const char *name)
{
	char path[300];
	int fd;

	if (ng_pins_path(p, ifindex, hook, name, path, sizeof(path)))
		return;
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd >= 0)
		close(fd);
}

static bool has(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, const char *name)
{
	char path[300];

	return !ng_pins_path(p, ifindex, hook, name, path, sizeof(path)) && !access(path, F_OK);
}

static void make_generation(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook,
			    const char *name)
{
	char path[300], file[64];

	snprintf(file, sizeof(file), "%s/ng_acl_head", name);
	if (!ng_pins_path(p, ifindex, hook, name, path, sizeof(path)))
		mkdir(path, 0700);
	touch(p, ifindex, hook, file);
}

static void test_walk(void)
{
	struct ng_pins p = pins_at(1), q = pins_at(2);
	__u32 stop = 3;
	char path[300];

	ok(!ng_pins_each(&p, note, NULL) && !seen[0], "nothing pinned, nothing walked");
	ng_pins_make_dir(&p, 10, NG_HOOK_TC_OUT);
	ng_pins_make_dir(&p, 3, NG_HOOK_TC_OUT);
	ng_pins_make_dir(&p, 3, NG_HOOK_XDP);
	ok(!ng_pins_make_dir(&p, 3, NG_HOOK_XDP), "making a directory again is no error");
	ng_pins_make_dir(&q, 4, NG_HOOK_XDP);
	ok(!ng_pins_each(&p, note, NULL) && !strcmp(seen, "3:xdp 3:tc-out 10:tc-out "),
	   "gates are walked in order: %s", seen);
	seen[0] = '\0';
	is_int(ng_pins_each(&p, note, &stop), 42, "the walk stops with what was returned");
	ok(!strcmp(seen, "3:xdp "), "at once");
	seen[0] = '\0';
	ok(!ng_pins_each_other(&p, note_other, NULL) && !strcmp(seen, "n2 "),
	   "other namespaces are walked: %s", seen);
	touch(&p, 3, NG_HOOK_XDP, "link");
	touch(&p, 3, NG_HOOK_XDP, "ng_control");
	make_generation(&p, 3, NG_HOOK_XDP, "acl1");
	make_generation(&p, 3, NG_HOOK_XDP, "acl20");
	ok(!ng_pins_dir(&p, 3, NG_HOOK_XDP, path, sizeof(path)) && !ng_pins_remove_acl(path, 7),
	   "removing ACL tables that are not there is no error");
	ok(!ng_pins_keep_acl(path, 20), "all ACL tables but those of one generation are removed");
	ok(!has(&p, 3, NG_HOOK_XDP, "acl1") && has(&p, 3, NG_HOOK_XDP, "acl20/ng_acl_head") &&
		   has(&p, 3, NG_HOOK_XDP, "link"),
	   "and nothing else");
	ok(ng_pins_has_keeper(&p, 3, NG_HOOK_XDP) && !ng_pins_has_keeper(&p, 3, NG_HOOK_TC_OUT),
	   "what holds a program is seen");
	ok(!ng_pins_remove(&p, 3, NG_HOOK_XDP), "a gate's pins are removed");
	seen[0] = '\0';
	ok(!ng_pins_each(&p, note, NULL) && !strcmp(seen, "3:tc-out 10:tc-out "), "only its: %s",
	   seen);
	ok(!ng_pins_remove(&p, 3, NG_HOOK_XDP), "removing them again is no error");
	ng_pins_remove(&p, 3, NG_HOOK_TC_OUT);
	ng_pins_remove(&p, 10, NG_HOOK_TC_OUT);
	ng_pins_remove(&q, 4, NG_HOOK_XDP);
	snprintf(path, sizeof(path), "%s/n1", p.root);
	is_int(access(path, F_OK), -1, "empty directories go too");
	is_int(rmdir(p.root), 0, "to the last");
}

static void test_open(void)
{
	struct ng_pins p = { .lock_fd = 5 };

	is_int(ng_pins_open(&p, base), -ENOENT,
	       "a directory that is no BPF file system is refused");
	is_int(p.lock_fd, 5, "and nothing is written");
	is_int(ng_pins_open(&p, "/nowhere/at/all"), -ENOENT, "so is one that is not there");
}

int main(void)
{
	if (!mkdtemp(base))
		return 1;
	test_paths();
	test_lock();
	test_foreign_directory();
	test_contention();
	test_walk();
	test_open();
	rmdir(base);
	return tap_done();
}
