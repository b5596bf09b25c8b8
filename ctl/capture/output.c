// SPDX-License-Identifier: GPL-2.0-only
/* Files, standard output and tcpdump as places for packets. */
#include "ctl/capture/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/capture/printer.h"
#include "ctl/capture/sink.h"

#define FILE_MODE 0666 /* less the umask */

struct ng_output {
	const struct ng_encoder *encoder;
	struct ng_sink *sink;
	struct ng_printer *printer; /* NULL: none */
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

int ng_output_check(const struct ng_output_spec *spec, struct ng_error *err)
{
	int rc;

	if (is_stdout(spec) && isatty(STDOUT_FILENO)) {
		rc = ng_err(err, NG_EXIT_USAGE, 0, "-w -", "packets are not written to a terminal");
		ng_err_try(err, "without -w to see them, or: -w - | tshark -r -");
		return rc;
	}
	if (!spec->path && spec->print_flags && *spec->print_flags && !ng_printer_installed()) {
		rc = ng_err(err, NG_EXIT_FAILED, 0, "capture",
			    "-%c needs tcpdump, which prints the packets", *spec->print_flags);
		ng_err_try(err, "apt install tcpdump");
		return rc;
	}
	return 0;
}

/* Opens the place; *format says what goes there. */
static int open_place(struct ng_output *o, const struct ng_output_spec *spec,
		      bool (*cancelled)(void), enum ng_format *format, struct ng_error *err)
{
	int fd = -1;

	if (!spec->path) {
		*format = NG_FORMAT_PCAP;
		o->unbuffered = true;
		if (!ng_printer_start(spec->print_flags, cancelled, &o->printer, &fd))
			return fd;
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
	fd = open_place(o, spec, cancelled, &format, err);
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

/* What is known of a failure: of the write, or of what tcpdump printed. */
static int error_of(const struct ng_output *o)
{
	int rc = o->printer ? ng_printer_error(o->printer) : 0;

	return rc ? rc : ng_sink_error(o->sink);
}

/* Tells the printer of a packet that is about to be written. */
static int announce(struct ng_output *o, const struct ng_packet *f)
{
	int rc = 0;

	if (ng_printer_full(o->printer)) {
		rc = ng_output_flush(o);
		if (!rc)
			rc = ng_printer_wait(o->printer);
	}
	if (!rc)
		ng_printer_announce(o->printer, ng_packet_words(f));
	return rc;
}

int ng_output_packet(struct ng_output *o, const struct ng_packet *f)
{
	int rc = o->printer ? announce(o, f) : 0;
	void *room;

	if (rc)
		return rc;
	room = ng_sink_room(o->sink, NG_ENCODE_PACKET(f->caplen));
	if (!room)
		return error_of(o) ? error_of(o) : -EMSGSIZE;
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
	ng_sink_flush(o->sink);
	return error_of(o);
}

bool ng_output_unbuffered(const struct ng_output *o)
{
	return o->unbuffered;
}

__u64 ng_output_packets(const struct ng_output *o)
{
	return ng_sink_packets(o->sink);
}

int ng_output_close(struct ng_output *o, __u64 *packets, struct ng_error *err)
{
	uint64_t n = 0;
	__u64 arrived;
	int rc, printer_rc;

	if (!o)
		return 0;
	rc = ng_sink_close(o->sink, &n);
	arrived = n;
	printer_rc = ng_printer_finish(o->printer, &arrived, err);
	if (packets)
		*packets = arrived;
	free(o);
	return printer_rc ? printer_rc : rc;
}
