// SPDX-License-Identifier: GPL-2.0-only
/* Other programs, and how long they take; medians. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/acl/place.h"

double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *value, size_t n)
{
	return percentile(value, n, 50);
}

double percentile(double *value, size_t n, double percent)
{
	if (!n)
		return 0;
	qsort(value, n, sizeof(*value), compare);
	return value[(size_t)((double)(n - 1) * percent / 100)];
}

const char *command_nicgate(void)
{
	static char path[PATH_MAX];
	char self[PATH_MAX] = "";

	if (!path[0] && readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		snprintf(path, sizeof(path), "%.*s/../../nicgate", PATH_MAX - 20, dirname(self));
	return path;
}

static void become(const char *const argv[], int out)
{
	int null = open("/dev/null", O_RDWR);
	cpu_set_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	dup2(null, STDIN_FILENO);
	dup2(out >= 0 ? out : null, STDOUT_FILENO);
	dup2(out >= 0 ? out : null, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Ends it when its time is over. */
static int wait_for(pid_t pid, unsigned int limit)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status, late = poll(&p, 1, (int)limit * 1000) == 0;

	if (late)
		kill(pid, SIGKILL);
	close(p.fd);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (late)
		return -ETIMEDOUT;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EREMOTEIO;
}

int command_run(const char *const argv[], unsigned int limit, double *seconds, char *output,
		size_t size)
{
	int out = output ? (int)syscall(SYS_memfd_create, "output", 0) : -1, ret;
	double start = seconds_now();
	pid_t pid = vfork();

	if (pid == 0)
		become(argv, out);
	ret = pid > 0 ? wait_for(pid, limit) : -errno;
	if (seconds)
		*seconds = seconds_now() - start;
	if (output) {
		ssize_t n = pread(out, output, size - 1, 0);

		output[n > 0 ? n : 0] = '\0';
		close(out);
	}
	return ret;
}
