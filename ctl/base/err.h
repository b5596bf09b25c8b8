/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors: every function that can fail takes a struct ng_error last, returns 0 or -errno, and the
 * layer that knows the subject fills it once, by ng_err(). main.c shows it (text or JSON) and makes
 * it the exit status.
 */
#ifndef NG_CTL_BASE_ERR_H
#define NG_CTL_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* Exit status of the command, see nicgate(8). */
enum ng_exit {
	NG_EXIT_OK = 0,
	NG_EXIT_FAILED = 1, /* failed, refused by a guard or a foreign program, the test says no */
	NG_EXIT_USAGE = 2,  /* usage, syntax, bad filter: nothing was touched */
	NG_EXIT_NOT_FOUND = 3,	 /* not attached, no such device or entry */
	NG_EXIT_PRIVILEGE = 4,	 /* missing privilege, named */
	NG_EXIT_UNSUPPORTED = 5, /* by kernel, driver or link type */
};

struct ng_error {
	enum ng_exit exit;
	int errnum;	     /* positive; 0 when the kernel said nothing */
	char object[128];    /* what it is about: device, prefix, file .. */
	char what[512];	     /* what failed */
	char why[1024];	     /* lines, each ended by \n; may be empty */
	char try_this[1024]; /* lines, commands to paste; may be empty */
	char file[256];	     /* position in a text the user wrote; line 0: none */
	unsigned int line, column;
	char source[512];	/* that line, without its end; of a long one, a part */
	unsigned int source_at; /* what the line has in front of that, in bytes */
};

/*
 * Fills *err (which may be NULL) and returns -errnum, or -EINVAL if errnum is 0. With errnum, the
 * message ends in the system's words for it. Replaces what was there.
 */
int ng_err(struct ng_error *err, enum ng_exit exit, int errnum, const char *object, const char *fmt,
	   ...) __attribute__((format(printf, 5, 6)));
/* Each call adds one line; errors that are NULL or empty are left alone. */
void ng_err_why(struct ng_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ng_err_try(struct ng_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Position: line and column from 1; source need not be terminated. */
void ng_err_at(struct ng_error *err, const char *file, unsigned int line, unsigned int column,
	       const char *source, size_t len);
/* Shows *err: as text on stderr ("nicgate: error: OBJECT: WHAT: WORDS [ERRNO]"),
 * or as {"error":{..}} on stdout. */
void ng_err_show(const struct ng_error *err, bool json, bool pretty);

/* One line on stderr: "nicgate: warning: ..", "nicgate: ..". Suppressed by -q (notes only). */
void ng_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ng_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* -v, -vv: ng_debug() prints from level 1, ng_trace() (every bpf and netlink operation) from 2. */
extern int ng_log_level;  /* -1 quiet, 0, 1, 2; written by main.c only */
extern bool ng_log_color; /* the words "error" and "warning" in colour; written by main.c only */
void ng_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ng_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
