// SPDX-License-Identifier: GPL-2.0-only
/* Entering a network namespace, and only that:
 * bpffs and everything else of the mount namespace stay visible. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/base/words.h"
#include "ctl/net/net.h"

#define NETNS_DIR "/run/netns"
#define NAMES_MAX 64

/* A path as it is; a name in NETNS_DIR; else a process. -1 and errno when there is none. */
static int open_netns(const char *which)
{
	bool number = *which && !which[strspn(which, "0123456789")];
	char path[PATH_MAX];
	int fd;

	if (strchr(which, '/'))
		return open(which, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), NETNS_DIR "/%s", which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || !number)
		return fd;
	snprintf(path, sizeof(path), "/proc/%s/ns/net", which);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void explain_missing(const char *which, struct ng_error *err)
{
	char *name[NAMES_MAX + 1] = { NULL };
	const char *close;
	char list[400];
	size_t n = 0;
	DIR *dir = opendir(NETNS_DIR);

	while (dir && n < NAMES_MAX) {
		struct dirent *e = readdir(dir);

		if (!e)
			break;
		if (e->d_name[0] != '.')
			n += !!(name[n] = strdup(e->d_name));
	}
	if (dir)
		closedir(dir);
	close = ng_words_closest(which, (const char *const *)name);
	if (close)
		ng_err_why(err, "did you mean '%s'?", close);
	if (n)
		ng_err_why(err, "named network namespaces: %s",
			   ng_words_join((const char *const *)name, list, sizeof(list)));
	else
		ng_err_why(err, "there are no named network namespaces (in " NETNS_DIR ")");
	while (n)
		free(name[--n]);
}

static int explain_setns(int errnum, const char *which, struct ng_error *err)
{
	if (errnum == EPERM)
		return ng_err(err, NG_EXIT_PRIVILEGE, errnum, which,
			      "entering a network namespace needs CAP_SYS_ADMIN");
	ng_err(err, NG_EXIT_NOT_FOUND, errnum, which, "not a network namespace");
	ng_err_why(
		err,
		"a name made by `ip netns add` in another mount namespace is only an empty file here");
	return -errnum;
}

int ng_netns_enter(const char *which, struct ng_error *err)
{
	int fd = open_netns(which), rc = 0;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ESRCH)) {
		rc = ng_err(err, NG_EXIT_NOT_FOUND, ENOENT, which, "no such network namespace");
		explain_missing(which, err);
		return rc;
	}
	if (fd < 0)
		return ng_err(
			err, errno == EACCES || errno == EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED,
			errno, which, "cannot open the network namespace");
	if (setns(fd, CLONE_NEWNET))
		rc = explain_setns(errno, which, err);
	ng_trace("setns %s: %s", which, rc ? strerror(-rc) : "ok");
	close(fd);
	return rc;
}
