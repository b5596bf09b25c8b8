// SPDX-License-Identifier: GPL-2.0-only
/* Files, standard output and tcpdump as places for packets. */
#include "ctl/capture/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/capture/sink.h"

#define PRINT_FLAGS_MAX 16
#define FILE_MODE	0666 /* less the umask */

extern char **environ;

struct ng_output {
	const struct ng_encoder *encoder;
	struct ng_sink *sink;
	pid_t child; /* tcpdump, 0: none */
	bool unbuffered;
};

static bool has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n >= m && !strcmp(path + n - m, suffix);
}

static bool is_stdout(const struct ng_output_spec *spec)
{
	return spec->path && !strcmp(spec->path, "-");
}

static enum ng_format choose_format(const struct ng_output_spec *spec)
{
	if (spec->format == NG_FORMAT_WISH_PCAP)
		return NG_FORMAT_PCAP;
	if (spec->format == NG_FORMAT_WISH_AUTO && has_suffix(spec->path, ".pcap"))
		return NG_FORMAT_PCAP;
	return NG_FORMAT_PCAPNG;
}

static bool tcpdump_installed(void)
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

int ng_output_check(const struct ng_output_spec *spec, struct ng_error *err)
{
	int rc;

	if (is_stdout(spec) && isatty(STDOUT_FILENO)) {
		rc = ng_err(err, NG_EXIT_USAGE, 0, "-w -", "packets are not written to a terminal");
		ng_err_try(err, "without -w to see them, or: -w - | tshark -r -");
		return rc;
	}
	if (!spec->path && spec->print_flags && *spec->print_flags && !tcpdump_installed()) {
		rc = ng_err(err, NG_EXIT_FAILED, 0, "capture",
			    "-%c needs tcpdump, which prints the packets", *spec->print_flags);
		ng_err_try(err, "apt install tcpdump");
		return rc;
	}
	return 0;
}

/* Its standard input is a pcap stream; in a process group of its own,
 * so that ^C reaches only us and nothing is cut. */
static int start_tcpdump(const char *flags, int *fd, pid_t *child)
{
	const char *argv[PRINT_FLAGS_MAX + 5] = { "tcpdump", "-l", "-n", "-r-" };
	char letter[PRINT_FLAGS_MAX][3];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int pipe_fd[2], rc;

	for (size_t i = 0; flags && flags[i] && i < PRINT_FLAGS_MAX; i++) {
		snprintf(letter[i], sizeof(letter[i]), "-%c", flags[i]);
		argv[4 + i] = letter[i];
	}
	if (pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, pipe_fd[0], STDIN_FILENO);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	rc = -posix_spawnp(child, "tcpdump", &files, &attr, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	close(pipe_fd[0]);
	if (rc)
		close(pipe_fd[1]);
	else
		*fd = pipe_fd[1];
	return rc;
}

/* Opens the place; *format says what goes there. */
static int open_place(struct ng_output *o, const struct ng_output_spec *spec,
		      enum ng_format *format, struct ng_error *err)
{
	int fd = -1;

	if (!spec->path) {
		*format = NG_FORMAT_PCAP;
		o->unbuffered = true;
		if (!start_tcpdump(spec->print_flags, &fd, &o->child))
			return fd;
		o->child = 0;
		*format = NG_FORMAT_LINES;
	} else {
		*format = choose_format(spec);
	}
	if (!spec->path || is_stdout(spec))
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(spec->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return ng_err(err, NG_EXIT_FAILED, errno, spec->path ? spec->path : "stdout",
			      "cannot open for writing");
	return fd;
}

/* One record that is not a packet, when the format has it. */
static void put_header(struct ng_output *o, __u32 snaplen)
{
	void *room;

	if (!o->encoder->header)
		return;
	room = ng_sink_room(o->sink, NG_ENCODE_FIXED);
	if (room)
		ng_sink_commit(o->sink, o->encoder->header(room, snaplen), false);
}

static void put_iface(struct ng_output *o, const struct ng_file_iface *iface, __u32 snaplen)
{
	void *room;

	if (!o->encoder->iface)
		return;
	room = ng_sink_room(o->sink, NG_ENCODE_FIXED);
	if (room)
		ng_sink_commit(o->sink, o->encoder->iface(room, iface, snaplen), false);
}

int ng_output_open(const struct ng_output_spec *spec, const struct ng_file_iface *iface,
		   size_t ifaces, bool (*cancelled)(void), struct ng_output **out,
		   struct ng_error *err)
{
	struct ng_output *o = calloc(1, sizeof(*o));
	const char *name = spec->path ? spec->path : "stdout";
	enum ng_format format;
	int fd, rc;

	if (!o)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot open for writing");
	o->unbuffered = spec->unbuffered;
	fd = open_place(o, spec, &format, err);
	if (fd < 0) {
		free(o);
		return fd;
	}
	o->encoder = &ng_encoder[format];
	rc = ng_sink_new(fd, NG_ENCODE_PACKET(NG_SNAPLEN_MAX), cancelled, &o->sink);
	if (!rc) {
		put_header(o, spec->snaplen);
		for (size_t i = 0; i < ifaces; i++)
			put_iface(o, &iface[i], spec->snaplen);
		rc = ng_sink_flush(o->sink);
	}
	if (rc && rc != -EPIPE) {
		ng_output_close(o, NULL, NULL);
		return ng_err(err, NG_EXIT_FAILED, -rc, name, "cannot write");
	}
	if (spec->path && format == NG_FORMAT_PCAP && spec->format == NG_FORMAT_WISH_AUTO)
		ng_note("%s: classic pcap does not keep verdicts, a .pcapng file does", spec->path);
	*out = o;
	return 0;
}

int ng_output_packet(struct ng_output *o, const struct ng_packet *f)
{
	void *room = ng_sink_room(o->sink, NG_ENCODE_PACKET(f->caplen));

	if (!room)
		return ng_sink_error(o->sink) ? ng_sink_error(o->sink) : -EMSGSIZE;
	ng_sink_commit(o->sink, o->encoder->packet(room, f, ng_sink_packets(o->sink)), true);
	return 0;
}

int ng_output_stats(struct ng_output *o, __u32 iface, const struct ng_file_stats *s)
{
	void *room;

	if (!o->encoder->stats)
		return 0;
	room = ng_sink_room(o->sink, NG_ENCODE_FIXED);
	if (!room)
		return ng_sink_error(o->sink);
	ng_sink_commit(o->sink, o->encoder->stats(room, iface, s), false);
	return 0;
}

int ng_output_flush(struct ng_output *o)
{
	return ng_sink_flush(o->sink);
}

bool ng_output_unbuffered(const struct ng_output *o)
{
	return o->unbuffered;
}

__u64 ng_output_packets(const struct ng_output *o)
{
	return ng_sink_packets(o->sink);
}

/* Its end is a failure unless the reader of what it prints went away. Its own messages are not shown. */
static int wait_for_tcpdump(pid_t child, struct ng_error *err)
{
	struct pollfd out = { .fd = STDOUT_FILENO };
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!status || (poll(&out, 1, 0) > 0 && out.revents & POLLERR))
		return 0;
	if (WIFSIGNALED(status))
		ng_err(err, NG_EXIT_FAILED, 0, "tcpdump", "it prints the packets, and ended by %s",
		       strsignal(WTERMSIG(status)));
	else
		ng_err(err, NG_EXIT_FAILED, 0, "tcpdump",
		       "it prints the packets, and ended with status %d", WEXITSTATUS(status));
	return -ECHILD;
}

int ng_output_close(struct ng_output *o, __u64 *packets, struct ng_error *err)
{
	uint64_t n = 0;
	int rc, ended;

	if (!o)
		return 0;
	rc = ng_sink_close(o->sink, &n);
	if (packets)
		*packets = n;
	ended = o->child ? wait_for_tcpdump(o->child, err) : 0;
	free(o);
	return ended && rc != -EINTR ? ended : rc;
}
