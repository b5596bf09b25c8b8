// SPDX-License-Identifier: GPL-2.0-only
/* Buffered output with record boundaries. */
#include "ctl/capture/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct mark {
	size_t end; /* of a record in the buffer */
	bool packet;
};

struct ng_sink {
	int fd, err;
	bool (*cancelled)(void);
	unsigned char *buf;
	size_t used, room_max;
	struct mark *mark;
	size_t marks, marks_max;
	uint64_t packets; /* committed */
};

int ng_sink_new(int fd, size_t room_max, bool (*cancelled)(void), struct ng_sink **out)
{
	struct ng_sink *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->fd = fd;
	s->cancelled = cancelled;
	s->room_max = room_max;
	s->buf = malloc(NG_SINK_WRITE + room_max);
	s->marks_max = 1024;
	s->mark = malloc(s->marks_max * sizeof(*s->mark));
	if (!s->buf || !s->mark) {
		ng_sink_close(s, NULL);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

static bool is_cancelled(const struct ng_sink *s)
{
	return s->cancelled && s->cancelled();
}

/* How many bytes of the buffer reached fd; sets err when not all did. */
static size_t write_buffer(struct ng_sink *s)
{
	size_t done = 0;

	while (done < s->used && !s->err) {
		ssize_t n = write(s->fd, s->buf + done, s->used - done);

		if (n > 0)
			done += (size_t)n; /* not all of it: interrupted, or the disk is full */
		else if (n == 0 || errno != EINTR)
			s->err = n == 0 ? -EIO : -errno;
		if (done < s->used && !s->err && is_cancelled(s))
			s->err = -EINTR;
	}
	return done;
}

/* Of the records in the buffer, `done` bytes of which were written:
 * forget the others, and cut off half a record. */
static void keep_whole_records(struct ng_sink *s, size_t done)
{
	const off_t at = lseek(s->fd, 0, SEEK_CUR); /* -1: a pipe, nothing to cut */
	size_t whole = 0, packets = 0, all = 0;

	for (size_t i = 0; i < s->marks; i++) {
		all += s->mark[i].packet;
		if (s->mark[i].end <= done) {
			whole = s->mark[i].end;
			packets += s->mark[i].packet;
		}
	}
	s->packets -= all - packets;
	if (whole < done && at >= 0 && ftruncate(s->fd, at - (off_t)(done - whole)))
		return; /* the first error is what is reported */
}

int ng_sink_flush(struct ng_sink *s)
{
	size_t done;

	if (s->err || !s->used)
		return s->err;
	done = write_buffer(s);
	if (s->err)
		keep_whole_records(s, done);
	s->used = 0;
	s->marks = 0;
	return s->err;
}

void *ng_sink_room(struct ng_sink *s, size_t size)
{
	if (s->used >= NG_SINK_WRITE)
		ng_sink_flush(s);
	return s->err || size > s->room_max ? NULL : s->buf + s->used;
}

static int grow_marks(struct ng_sink *s)
{
	struct mark *mark = reallocarray(s->mark, s->marks_max * 2, sizeof(*mark));

	if (!mark)
		return -ENOMEM;
	s->mark = mark;
	s->marks_max *= 2;
	return 0;
}

void ng_sink_commit(struct ng_sink *s, size_t used, bool packet)
{
	s->used += used;
	s->packets += packet;
	s->mark[s->marks++] = (struct mark){ s->used, packet };
	if (s->marks == s->marks_max && grow_marks(s))
		ng_sink_flush(s); /* makes room as well */
}

int ng_sink_error(const struct ng_sink *s)
{
	return s->err;
}

uint64_t ng_sink_packets(const struct ng_sink *s)
{
	return s->packets;
}

int ng_sink_close(struct ng_sink *s, uint64_t *packets)
{
	int err;

	if (!s)
		return 0;
	err = ng_sink_flush(s);
	if (packets)
		*packets = s->packets;
	if (close(s->fd) && !err)
		err = -errno;
	free(s->buf);
	free(s->mark);
	free(s);
	return err;
}
