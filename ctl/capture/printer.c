// SPDX-License-Identifier: GPL-2.0-only
/* The process and the thread behind lines of packets. */
#include "ctl/capture/printer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/capture/annotate.h"

#define PIECE	   4096	    /* a pipe that can be written to takes so much (PIPE_BUF) */
#define LOOK_NS	   50000000 /* between two looks whether to give up waiting */
#define FIXED_ARGS 6

extern char **environ;

struct ng_printer {
	pid_t child;
	int from_child, abandon_fd;
	bool (*cancelled)(void);
	pthread_t mover;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t moved;
	struct ng_annotate *annotate; /* NULL: lines pass unchanged */
	__u64 printed;		      /* packets that are whole on standard output, at least */
	int error;
	bool ended;
};

bool ng_printer_installed(void)
{
	const char *path = getenv("PATH");
	char *copy, *save = NULL, file[4096];
	bool found = false;

	copy = strdup(path ? path : "/usr/bin:/bin:/usr/sbin:/sbin");
	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/tcpdump", dir);
		found = !access(file, X_OK);
	}
	free(copy);
	return found;
}

/* from -1: /dev/null */
static void give(posix_spawn_file_actions_t *files, int fd, int from)
{
	if (from >= 0)
		posix_spawn_file_actions_adddup2(files, from, fd);
	else
		posix_spawn_file_actions_addopen(files, fd, "/dev/null", O_RDWR, 0);
}

/* in, out: descriptors, or -1. Messages are not shown. */
static int spawn(const char *const *argv, int in, int out, pid_t *child)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults;
	pid_t started;
	int rc;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	give(&files, STDIN_FILENO, in);
	give(&files, STDOUT_FILENO, out);
	give(&files, STDERR_FILENO, -1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	rc = -posix_spawnp(&started, argv[0], &files, &attr, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (!rc)
		*child = started;
	return rc;
}

static int wait_for(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* tcpdump learnt --number in version 4.7. */
static bool can_number(void)
{
	const char *const argv[] = { "tcpdump", "-#", "--version", NULL };
	pid_t child;

	return !spawn(argv, -1, -1, &child) && !wait_for(child);
}

static unsigned int time_words(const char *flags)
{
	static const unsigned int words[] = { 1, 0, 1, 1, 2, 1 };
	size_t t = 0;

	for (; flags && *flags; flags++)
		t += *flags == 't';
	return t < sizeof(words) / sizeof(words[0]) ? words[t] : 0;
}

static int start_tcpdump(const char *flags, bool number, int pipe_in[2], int pipe_out[2],
			 pid_t *child)
{
	const char *argv[FIXED_ARGS + NG_PRINT_FLAGS_MAX] = { "tcpdump", "-l", "-n", "-r-" };
	char letter[NG_PRINT_FLAGS_MAX][3];
	size_t n = 4;

	if (number)
		argv[n++] = "-#";
	for (size_t i = 0; flags && flags[i] && i < NG_PRINT_FLAGS_MAX; i++) {
		snprintf(letter[i], sizeof(letter[i]), "-%c", flags[i]);
		argv[n++] = letter[i];
	}
	return spawn(argv, pipe_in[0], pipe_out[1], child);
}

static void end(struct ng_printer *p, int error)
{
	pthread_mutex_lock(&p->mutex);
	p->error = error;
	p->ended = true;
	pthread_cond_broadcast(&p->moved);
	pthread_mutex_unlock(&p->mutex);
}

/* Waits for `events` of fd. A reader of standard output that is gone needs no write to be seen. */
static int wait_ready(const struct ng_printer *p, int fd, short events)
{
	struct pollfd f[] = {
		{ .fd = fd, .events = events },
		{ .fd = p->abandon_fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};

	for (;;) {
		if (poll(f, 3, -1) < 0)
			return -errno;
		if (f[1].revents)
			return -EINTR;
		if (f[2].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (f[0].revents || f[2].revents)
			return 0;
	}
}

static int write_out(const struct ng_printer *p, const char *data, size_t n)
{
	while (n) {
		int rc = wait_ready(p, STDOUT_FILENO, POLLOUT);
		ssize_t did = rc ? rc : write(STDOUT_FILENO, data, n < PIECE ? n : PIECE);

		if (rc)
			return rc;
		if (did < 0 && errno != EAGAIN)
			return -errno;
		if (did > 0) {
			data += did;
			n -= (size_t)did;
		}
	}
	return 0;
}

/* n: bytes that came, 0: the end. How many there are to write now. */
static size_t annotate(struct ng_printer *p, const char *in, size_t n, char *out, __u64 *before)
{
	size_t used;

	if (!p->annotate) {
		memcpy(out, in, n);
		return n;
	}
	pthread_mutex_lock(&p->mutex);
	*before = ng_annotate_packets(p->annotate);
	used = n ? ng_annotate_feed(p->annotate, in, n, out) : ng_annotate_finish(p->annotate, out);
	pthread_cond_broadcast(&p->moved);
	pthread_mutex_unlock(&p->mutex);
	return used;
}

static void *move(void *arg)
{
	char in[PIECE], out[NG_ANNOTATE_ROOM(PIECE)];
	struct ng_printer *p = arg;
	ssize_t n = 1;
	int rc = 0;

	while (!rc && n > 0) {
		__u64 before = 0;

		rc = wait_ready(p, p->from_child, POLLIN);
		n = rc ? 0 : read(p->from_child, in, sizeof(in));
		if (rc || n < 0)
			break;
		rc = write_out(p, out, annotate(p, in, (size_t)n, out, &before));
		/* the lines of the last one may go on in what was not written */
		if (rc)
			p->printed = before ? before - 1 : 0;
	}
	end(p, !rc && n < 0 ? -EIO : rc);
	close(p->from_child); /* ends tcpdump; the reason is known by then */
	return NULL;
}

static int start_mover(struct ng_printer *p)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&p->mover, NULL, move, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static struct ng_printer *new_printer(bool (*cancelled)(void), struct ng_annotate *annotate)
{
	struct ng_printer *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return NULL;
	p->cancelled = cancelled;
	p->annotate = annotate;
	p->abandon_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&p->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->moved, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

static void free_printer(struct ng_printer *p)
{
	if (p->abandon_fd >= 0)
		close(p->abandon_fd);
	pthread_cond_destroy(&p->moved);
	pthread_mutex_destroy(&p->mutex);
	ng_annotate_free(p->annotate);
	free(p);
}

static void close_pipe(const int fd[2])
{
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

int ng_printer_start(const char *flags, bool (*cancelled)(void), struct ng_printer **out, int *fd)
{
	int pipe_in[2] = { -1, -1 }, pipe_out[2] = { -1, -1 }, rc = 0;
	bool number = can_number();
	struct ng_printer *p =
		new_printer(cancelled, number ? ng_annotate_new(time_words(flags)) : NULL);

	if (!p)
		return -ENOMEM;
	if (pipe2(pipe_in, O_CLOEXEC) || pipe2(pipe_out, O_CLOEXEC) || p->abandon_fd < 0)
		rc = -errno;
	if (!rc)
		rc = start_tcpdump(flags, p->annotate, pipe_in, pipe_out, &p->child);
	if (!rc) {
		p->from_child = pipe_out[0];
		rc = start_mover(p);
		if (rc)
			kill(p->child, SIGKILL);
	}
	if (rc) {
		close_pipe(pipe_in);
		close_pipe(pipe_out);
		if (p->child)
			wait_for(p->child);
		free_printer(p);
		return rc;
	}
	close(pipe_in[0]);
	close(pipe_out[1]);
	*fd = pipe_in[1];
	*out = p;
	return 0;
}

/* Until there is room (or only the end, when to_end), or it is given up: false. Locked. */
static bool wait_moved(struct ng_printer *p, bool to_end)
{
	struct timespec next;

	while (!p->ended && (to_end || ng_annotate_full(p->annotate))) {
		if (p->cancelled && p->cancelled())
			return false;
		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_nsec += LOOK_NS;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&p->moved, &p->mutex, &next);
	}
	return true;
}

bool ng_printer_full(struct ng_printer *p)
{
	bool full;

	if (!p->annotate)
		return false;
	pthread_mutex_lock(&p->mutex);
	full = ng_annotate_full(p->annotate);
	pthread_mutex_unlock(&p->mutex);
	return full;
}

int ng_printer_wait(struct ng_printer *p)
{
	bool room;

	pthread_mutex_lock(&p->mutex);
	room = wait_moved(p, false);
	pthread_mutex_unlock(&p->mutex);
	return room ? ng_printer_error(p) : -EINTR;
}

void ng_printer_announce(struct ng_printer *p, const char *words)
{
	if (!p->annotate)
		return;
	pthread_mutex_lock(&p->mutex);
	ng_annotate_announce(p->annotate, words);
	pthread_mutex_unlock(&p->mutex);
}

int ng_printer_error(struct ng_printer *p)
{
	int error;

	pthread_mutex_lock(&p->mutex);
	error = p->ended && !p->error ? -EPIPE : p->error;
	pthread_mutex_unlock(&p->mutex);
	return error;
}

static void abandon(struct ng_printer *p)
{
	const uint64_t one = 1;

	if (write(p->abandon_fd, &one, sizeof(one)) < 0)
		ng_debug("abandoning tcpdump: %m");
	kill(p->child, SIGKILL);
}

/* tcpdump's end, when nothing else explains it. Its own messages are not shown. */
static int check_status(int status, struct ng_error *err)
{
	if (!status)
		return 0;
	if (WIFSIGNALED(status))
		ng_err(err, NG_EXIT_FAILED, 0, "tcpdump", "it prints the packets, and ended by %s",
		       strsignal(WTERMSIG(status)));
	else
		ng_err(err, NG_EXIT_FAILED, 0, "tcpdump",
		       "it prints the packets, and ended with status %d", WEXITSTATUS(status));
	return -ECHILD;
}

int ng_printer_finish(struct ng_printer *p, __u64 *packets, struct ng_error *err)
{
	bool all;
	int rc, status;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->mutex);
	all = wait_moved(p, true);
	pthread_mutex_unlock(&p->mutex);
	if (!all)
		abandon(p);
	pthread_join(p->mover, NULL);
	status = wait_for(p->child);
	rc = all ? p->error : -EINTR;
	if (rc && rc != -EPIPE && rc != -EINTR && *packets > p->printed)
		*packets = p->printed;
	free_printer(p);
	return rc ? rc : check_status(status, err);
}
