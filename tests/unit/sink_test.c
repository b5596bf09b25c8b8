// SPDX-License-Identifier: GPL-2.0-only
/* Savefile output: whole records on a full disk and exact counts of what arrived. */
#include "ctl/capture/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

#define HEADER 24
#define RECORD 1000

static int add(struct ng_sink *s, size_t size, int fill, bool packet)
{
	void *room = ng_sink_room(s, size);

	if (!room)
		return ng_sink_error(s);
	memset(room, fill, size);
	ng_sink_commit(s, size, packet);
	return 0;
}

static int temporary_file(void)
{
	char path[] = "/tmp/ng-sink-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static long long size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (long long)st.st_size;
}

static void test_plain(void)
{
	int fd = temporary_file(), copy = dup(fd);
	struct ng_sink *s;
	uint64_t packets = 0;
	unsigned char c = 0;

	is_int(ng_sink_new(fd, RECORD, NULL, &s), 0, "made");
	add(s, HEADER, 0, false);
	for (int i = 0; i < 1000; i++)
		add(s, RECORD, i & 0xff, true);
	ok(size_of(copy) >= NG_SINK_WRITE, "large amounts are written as they come");
	is_int(ng_sink_flush(s), 0, "flush");
	is_int(size_of(copy), HEADER + 1000 * RECORD, "flush writes all there is");
	ok(!ng_sink_room(s, RECORD + 1), "a record larger than announced gets no room");
	is_int(ng_sink_close(s, &packets), 0, "close");
	is_int((long long)packets, 1000, "packets are counted, other records are not");
	ok(pread(copy, &c, 1, HEADER + 700 * RECORD + 5) == 1 && c == (700 & 0xff),
	   "bytes are where they belong");
	close(copy);
}

/*
 * A file size limit inside a record stands for a full disk. before: bytes that the file holds
 * already, as with `>>`.
 */
static void test_full(int before)
{
	const struct rlimit limit = { (rlim_t)before + HEADER + 300 * RECORD + 500, RLIM_INFINITY };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int fd = temporary_file(), copy = dup(fd), rc = 0;
	struct ng_sink *s;
	uint64_t packets = 0;

	signal(SIGXFSZ, SIG_IGN);
	if (ftruncate(fd, before) || lseek(fd, before, SEEK_SET) != before)
		rc = -errno;
	ng_sink_new(fd, RECORD, NULL, &s);
	setrlimit(RLIMIT_FSIZE, &limit);
	add(s, HEADER, 0, false);
	for (int i = 0; i < 1000 && !rc; i++)
		rc = add(s, RECORD, 1, true);
	setrlimit(RLIMIT_FSIZE, &unlimited);
	is_int(rc, -EFBIG, "the write that failed is reported");
	is_int((long long)ng_sink_packets(s), 300, "packets that arrived whole");
	is_int(size_of(copy), before + HEADER + 300 * RECORD,
	       "the file ends with the last whole record");
	is_int(add(s, RECORD, 1, true), -EFBIG, "nothing more is taken");
	is_int(ng_sink_close(s, &packets), -EFBIG, "close says it again");
	is_int((long long)packets, 300, "with the same count");
	close(copy);
}

static void test_reader_gone(void)
{
	struct ng_sink *s;
	uint64_t packets = 9;
	int pipe_fd[2];

	signal(SIGPIPE, SIG_IGN);
	ok(!pipe(pipe_fd), "pipe");
	ng_sink_new(pipe_fd[1], RECORD, NULL, &s);
	close(pipe_fd[0]);
	add(s, RECORD, 1, true);
	is_int(ng_sink_flush(s), -EPIPE, "a reader that went away");
	ng_sink_close(s, &packets);
	is_int((long long)packets, 0, "got nothing");
}

static bool yes(void)
{
	return true;
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_cancel(void)
{
	const struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	struct ng_sink *s;
	int pipe_fd[2];

	ok(!pipe(pipe_fd), "pipe that nobody reads");
	sigaction(SIGALRM, &action, NULL);
	ng_sink_new(pipe_fd[1], 1 << 20, yes, &s);
	add(s, 1 << 20, 1, true);
	ualarm(50000, 50000);
	is_int(ng_sink_flush(s), -EINTR, "a cancelled write gives up");
	ualarm(0, 0);
	is_int((long long)ng_sink_packets(s), 0, "a record that is not whole does not count");
	ng_sink_close(s, NULL);
	close(pipe_fd[0]);
}

int main(void)
{
	test_plain();
	test_full(0);
	test_full(70000);
	test_reader_gone();
	test_cancel();
	return tap_done();
}
