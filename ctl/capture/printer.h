/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcpdump as the printer of packets: it reads a pcap stream, and a thread moves what it prints to
 * standard output, with words in the first line of each packet (annotate.h). In a process group of
 * its own: ^C reaches only us, and nothing is cut.
 */
#ifndef NG_CTL_CAPTURE_PRINTER_H
#define NG_CTL_CAPTURE_PRINTER_H

#include <stdbool.h>
#include "ctl/base/err.h"
#include "maps/abi.h"

#define NG_PRINT_FLAGS_MAX 16

struct ng_printer;

bool ng_printer_installed(void);
/*
 * flags: letters of tcpdump's, at most NG_PRINT_FLAGS_MAX; NULL: none. *fd: takes the stream, the
 * caller closes it. cancelled (NULL: never): asked while something is waited for; true gives it up.
 * 0 or -errno.
 */
int ng_printer_start(const char *flags, bool (*cancelled)(void), struct ng_printer **out, int *fd);

/*
 * ng_printer_announce() takes the words of the next packet (ng_annotate_announce()) and comes before
 * its bytes. When ng_printer_full(), it must wait: flush the stream, then ng_printer_wait() for room
 * (0, or -EINTR, or ng_printer_error()).
 */
bool ng_printer_full(struct ng_printer *p);
int ng_printer_wait(struct ng_printer *p);
void ng_printer_announce(struct ng_printer *p, const char *words);
/* 0; the -errno of a write to standard output that failed; -EPIPE: its reader or tcpdump is gone. */
int ng_printer_error(struct ng_printer *p);

/*
 * The stream is closed: waits until all is printed, and frees. 0, the -errno of a write that failed,
 * -EINTR when it was given up; -ECHILD: tcpdump failed, *err filled. *packets, how many the stream
 * had, becomes less after a failed write: what was surely printed whole. NULL is allowed for p.
 */
int ng_printer_finish(struct ng_printer *p, __u64 *packets, struct ng_error *err);

#endif
