/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only code that knows bpffs paths, the lock and the ABI check.
 *
 * Layout:  <bpffs>/nicgate/n<NETNS COOKIE>/i<IFINDEX>/<hook>/{<map names>,ng_tap_code<SLOT>,link,filter}
 *	    ..<hook>/acl<GEN>/{<ACL map names>}
 *
 * <hook> is xdp, tc-in or tc-out; <bpffs> is /sys/fs/bpf or what --bpffs names. "link" is absent
 * for cls_bpf (no links there), where "filter", ng_control once more, says that a filter may be at
 * work. Directories 0700. All changes below <bpffs>/nicgate happen under an flock on that directory.
 */
#ifndef NG_MAPS_PINS_H
#define NG_MAPS_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "maps/abi.h"
#include "maps/acl_tables.h"

enum ng_map_id {
	NG_MAP_CONTROL,
	NG_MAP_COUNTERS,
	NG_MAP_TAP_CONF,
	NG_MAP_TAP_RINGS,
	NG_MAP_TAP_STATS,
	NG_MAP_ID_MAX
};

/* "ng_control" .. : map name, pin name and skeleton member in one. */
extern const char *const ng_map_name[NG_MAP_ID_MAX];
extern const char *const ng_hook_name[NG_HOOK_MAX]; /* "xdp", "tc-in", "tc-out" */

#define NG_PINS_ROOT_MAX 256 /* of <bpffs>/nicgate, with its end */
#define NG_PINS_DIR_MAX	 (NG_PINS_ROOT_MAX + 64)

/* The maps of one gate. fds are owned (-1: none), mmapable ones are mapped shared, read-write. */
struct ng_maps {
	int fd[NG_MAP_ID_MAX];
	struct ng_control *control;
	struct ng_acl_tables acl; /* of the generation acl_gen; 0: there are none */
	__u32 acl_gen;
	int tap_code[NG_TAPS_MAX]; /* ng_tap_code<SLOT> where nothing is pinned; owned, -1: none */
	char dir[NG_PINS_DIR_MAX]; /* where they are pinned; empty: nowhere */
};

#define NG_MAPS_INIT                                                                               \
	{                                                                                          \
		.fd = { [0 ... NG_MAP_ID_MAX - 1] = -1 }, .acl = NG_ACL_TABLES_INIT,               \
		.tap_code = { [0 ... NG_TAPS_MAX - 1] = -1 },                                      \
	}

/* Maps ng_control; all fds must be set. 0 or -errno. */
int ng_maps_mmap(struct ng_maps *m);
void ng_maps_close(struct ng_maps *m); /* unmaps and closes; accepts a half-built one */

/* Where the gates of one network namespace are pinned. */
struct ng_pins {
	char root[NG_PINS_ROOT_MAX]; /* <bpffs>/nicgate */
	__u64 netns_cookie;
	int lock_fd; /* -1: not held */
};

/*
 * Finds bpffs (NULL: /sys/fs/bpf) and the namespace of the caller (SO_NETNS_COOKIE). Creates
 * nothing. -ENOENT: no bpffs mounted there (see ng_pins_mount_bpffs()), -errno otherwise.
 */
int ng_pins_open(struct ng_pins *p, const char *bpffs);
/* Mounts bpffs on /sys/fs/bpf, only in the mount namespace of pid 1;
 * -EXDEV elsewhere (it would die with the command). */
int ng_pins_mount_bpffs(void);
/*
 * Takes the lock, waiting up to timeout_ms; creates <bpffs>/nicgate if missing. -ETIMEDOUT sets
 * *holder to the pid holding it (0: not visible). -EPERM: the directory is another user's, or others
 * may write to it. Released by ng_pins_unlock() or the end of the process.
 */
int ng_pins_lock(struct ng_pins *p, int timeout_ms, pid_t *holder);
void ng_pins_unlock(struct ng_pins *p);
void ng_pins_close(struct ng_pins *p);

/* Directory of a gate; path of one thing in it: "link", "filter", a map name. -ENAMETOOLONG or 0. */
int ng_pins_dir(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, char *path, size_t size);
int ng_pins_path(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, const char *name,
		 char *path, size_t size);
int ng_pins_make_dir(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook);
/* Removes a gate's pins, what holds its program first, and its directories when empty.
 * Missing ones are not an error. */
int ng_pins_remove(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook);
/*
 * Opens and maps the pinned maps, without ACL tables. -ENOENT: no such gate, at most one that was never finished;
 * -EUCLEAN: what holds its program is pinned, but a map is not, which takes another hand than ours;
 * -EPROTO: another ABI version (control->abi is in *abi).
 */
int ng_pins_open_maps(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, struct ng_maps *m,
		      __u32 *abi);
/* Its maps, ACL tables included; sets m->dir. */
int ng_pins_pin_maps(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook, struct ng_maps *m);

/*
 * Generations of ACL tables, in the directory of a gate (struct ng_maps): acl<GEN>. A pin replaces
 * what a dead process may have left there. Opening: -ENOENT where one of the maps is not there.
 * _remove(): a missing one is not an error. _keep() removes all others.
 */
int ng_pins_pin_acl(const char *dir, __u32 gen, const struct ng_acl_tables *t);
int ng_pins_open_acl(const char *dir, __u32 gen, struct ng_acl_tables *t);
int ng_pins_remove_acl(const char *dir, __u32 gen);
int ng_pins_keep_acl(const char *dir, __u32 gen);

/* Is what holds a gate's program pinned? It is the last to come and the first to go. */
bool ng_pins_has_keeper(const struct ng_pins *p, __u32 ifindex, enum ng_hook hook);
/* Calls fn for every gate directory of this namespace;
 * stops at the first non-zero return and returns it. */
int ng_pins_each(const struct ng_pins *p, int (*fn)(__u32 ifindex, enum ng_hook hook, void *arg),
		 void *arg);
/*
 * Calls fn once for every other network namespace that has gates here, with pins that speak of it
 * (not locked themselves). Stops like ng_pins_each().
 */
int ng_pins_each_other(const struct ng_pins *p, int (*fn)(const struct ng_pins *other, void *arg),
		       void *arg);

#endif
