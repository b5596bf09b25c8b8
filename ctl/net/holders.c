// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a network namespace still lives. What keeps one is looked for in all of /proc: processes
 * and threads in it, descriptors of it, mounts of it in any mount namespace. The number of its inode
 * is used again after its end, so whatever has that number is asked for its cookie.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/net/net.h"

#define INIT_PIDNS_INODE 0xeffffffcu /* PROC_PID_INIT_INO, fixed by the kernel */

/* The namespace looked for, as /proc spells it. */
struct wanted {
	uint64_t cookie;
	char text[32]; /* "net:[4026531840]" */
};

struct visit {
	int fd;
	uint64_t cookie;
	int rc;
};

static void *visit_thread(void *arg)
{
	struct visit *v = arg;
	socklen_t size = sizeof(v->cookie);
	int sock;

	v->rc = -1;
	if (setns(v->fd, CLONE_NEWNET))
		return NULL;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return NULL;
	v->rc = getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &v->cookie, &size);
	close(sock);
	return NULL;
}

/* In a thread of its own: only that enters the namespace. True also when it cannot be told. */
static bool has_cookie(const char *path, uint64_t cookie)
{
	struct visit v = { .fd = open(path, O_RDONLY | O_CLOEXEC), .rc = -1 };
	pthread_t thread;

	if (v.fd < 0)
		return true;
	if (!pthread_create(&thread, NULL, visit_thread, &v))
		pthread_join(thread, NULL);
	close(v.fd);
	return v.rc || v.cookie == cookie;
}

static bool has_ended(int error)
{
	return error == ENOENT || error == ESRCH;
}

static bool link_holds(const char *path, const struct wanted *w)
{
	char text[sizeof(w->text)];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	if (n < 0)
		return !has_ended(errno);
	text[n] = '\0';
	return !strcmp(text, w->text) && has_cookie(path, w->cookie);
}

/* "ID PARENT MAJOR:MINOR ROOT POINT ..": ROOT of a mounted namespace is its name. */
static bool mount_holds(const char *proc, const char *line, const struct wanted *w)
{
	char root[sizeof(w->text)], point[PATH_MAX], path[2 * PATH_MAX];

	if (sscanf(line, "%*d %*d %*s %31s %4095s", root, point) != 2 || strcmp(root, w->text))
		return false;
	snprintf(path, sizeof(path), "%s/root%s", proc, point);
	return has_cookie(path, w->cookie);
}

static bool mounts_hold(const char *proc, const struct wanted *w)
{
	char path[64], *line = NULL;
	bool holds = false;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/mountinfo", proc);
	f = fopen(path, "re");
	if (!f)
		return errno != EINVAL && !has_ended(errno); /* EINVAL: a process that is ending */
	while (!holds && getline(&line, &size, f) >= 0)
		holds = mount_holds(proc, line, w);
	free(line);
	fclose(f);
	return holds;
}

/* Calls fn for DIR/NUMBER until one says true. True also when DIR cannot be read. */
static bool any_number(const char *dir, bool (*fn)(const char *path, const struct wanted *w),
		       const struct wanted *w)
{
	char path[128];
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	if (!d)
		return !has_ended(errno);
	while (!found && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/%.20s", dir, e->d_name);
		found = fn(path, w);
	}
	closedir(d);
	return found;
}

static bool thread_holds(const char *task, const struct wanted *w)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/ns/net", task);
	if (link_holds(path, w))
		return true;
	snprintf(path, sizeof(path), "%s/fd", task);
	return any_number(path, link_holds, w);
}

static bool process_holds(const char *proc, const struct wanted *w)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/task", proc);
	return any_number(path, thread_holds, w) || mounts_hold(proc, w);
}

bool ng_netns_may_live(unsigned int inode, uint64_t cookie)
{
	struct wanted w = { .cookie = cookie };
	struct stat pidns;

	/* Elsewhere /proc does not show every process. */
	if (!inode || stat("/proc/self/ns/pid", &pidns) || pidns.st_ino != INIT_PIDNS_INODE)
		return true;
	snprintf(w.text, sizeof(w.text), "net:[%u]", inode);
	return any_number("/proc", process_holds, &w);
}

int ng_netns_inode(unsigned int *inode)
{
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st))
		return -errno;
	*inode = (unsigned int)st.st_ino;
	return 0;
}
