// SPDX-License-Identifier: GPL-2.0-only
/* Signal handlers of a capture. */
#include "ctl/capture/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t stop, counts;
static int event_fd = -1;

static void on_signal(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	if (sig == SIGUSR1)
		counts = 1;
	else if (stop < 2)
		stop++;
	if (write(event_fd, &one, sizeof(one)) < 0)
		errno = 0; /* full: it is readable already */
	errno = saved;
}

static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
#define HANDLED (sizeof(handled) / sizeof(handled[0]))

int ng_signals_begin(void)
{
	struct sigaction action = { .sa_handler = on_signal }, old;

	event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (event_fd < 0)
		return -errno;
	stop = counts = 0;
	for (size_t i = 0; i < HANDLED; i++) {
		sigaction(handled[i], &action, &old);
		if (handled[i] == SIGHUP && old.sa_handler == SIG_IGN)
			sigaction(SIGHUP, &old, NULL);
	}
	signal(SIGPIPE, SIG_IGN); /* both are told by the write, which fails */
	signal(SIGXFSZ, SIG_IGN);
	return event_fd;
}

void ng_signals_end(void)
{
	for (size_t i = 0; i < HANDLED; i++)
		signal(handled[i], SIG_DFL);
	if (event_fd >= 0)
		close(event_fd);
	event_fd = -1;
}

void ng_signals_drain(void)
{
	uint64_t n;

	if (read(event_fd, &n, sizeof(n)) < 0)
		return; /* nothing there */
}

bool ng_signals_stop(void)
{
	return stop;
}

bool ng_signals_abandon(void)
{
	return stop > 1;
}

bool ng_signals_counts(void)
{
	bool asked = counts;

	counts = 0;
	return asked;
}
