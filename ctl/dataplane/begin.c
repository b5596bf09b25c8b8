// SPDX-License-Identifier: GPL-2.0-only
/* What every command does first: capabilities, bpffs,
 * the lock, and putting in order what dead captures left. */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/dataplane/gate.h"

#define LOCK_TIMEOUT_MS 5000

/* CAP_SYS_ADMIN stands for the two that were split off it in Linux 5.8, and lets load, too. */
static const struct {
	unsigned int cap;
	const char *name;
	bool part_of_sys_admin;
} needed[] = {
	{ CAP_BPF, "CAP_BPF", true },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", false },
	{ CAP_PERFMON, "CAP_PERFMON", true },
};

static void explain_privileges(struct ng_error *err)
{
	ng_err_why(err, "BPF programs and their attachment to interfaces ask for CAP_BPF, "
			"CAP_NET_ADMIN and CAP_PERFMON");
	ng_err_try(err, "run it as root (sudo nicgate ..)");
}

/* Another than the first, that is: capabilities in it count for nothing where BPF is concerned. */
static bool in_user_namespace(void)
{
	unsigned int inside = 0, outside = 0, n = UINT_MAX;
	FILE *f = fopen("/proc/self/uid_map", "re");

	if (!f)
		return false;
	if (fscanf(f, "%u %u %u", &inside, &outside, &n) != 3)
		n = 0;
	fclose(f);
	return inside || outside || n != UINT_MAX;
}

static int check_capabilities(bool to_load, struct ng_error *err)
{
	char missing[64] = "";
	bool sys_admin;

	capng_get_caps_process();
	sys_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		size_t n = strlen(missing);

		if (capng_have_capability(CAPNG_EFFECTIVE, needed[i].cap) ||
		    (sys_admin && (to_load || needed[i].part_of_sys_admin)))
			continue;
		snprintf(missing + n, sizeof(missing) - n, "%s%s", n ? ", " : "", needed[i].name);
	}
	if (missing[0])
		ng_err(err, NG_EXIT_PRIVILEGE, 0, "privileges", "missing: %s", missing);
	else if (in_user_namespace())
		ng_err(err, NG_EXIT_PRIVILEGE, 0, "privileges",
		       "those of a user namespace (a rootless container) are not enough");
	else
		return 0;
	explain_privileges(err);
	return -EPERM;
}

int ng_gate_may_load(struct ng_error *err)
{
	return check_capabilities(true, err);
}

int ng_gate_may_attach(struct ng_error *err)
{
	return check_capabilities(false, err);
}

static int no_bpffs(int error, const char *bpffs, struct ng_error *err)
{
	const char *dir = bpffs ? bpffs : "/sys/fs/bpf";

	if (error != ENOENT && error != EXDEV)
		return ng_err(err, error == EACCES ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, error, dir,
			      "cannot be used");
	ng_err(err, NG_EXIT_UNSUPPORTED, 0, dir, "no BPF file system is mounted there");
	if (error == EXDEV) {
		ng_err_why(err, "this is not the mount namespace of the system (`ip netns exec` "
				"makes one): a BPF file system mounted here would end with the "
				"command and take the gates along");
		ng_err_try(err, "nicgate -n NETNS ..    (from outside: enters the network "
				"namespace only)");
	}
	ng_err_try(err, "mount -t bpf bpf /sys/fs/bpf");
	ng_err_try(err, "nicgate --bpffs DIR ..    (where one is mounted)");
	return -error;
}

static int open_pins(struct ng_pins *pins, const char *bpffs, struct ng_error *err)
{
	int rc = ng_pins_open(pins, bpffs);

	if (rc == -ENOENT && !bpffs) {
		rc = ng_pins_mount_bpffs();
		if (!rc) {
			ng_debug("mounted a BPF file system on /sys/fs/bpf");
			rc = ng_pins_open(pins, NULL);
		}
	}
	return rc ? no_bpffs(-rc, bpffs, err) : 0;
}

static int not_ours(const char *root, struct ng_error *err)
{
	ng_err(err, NG_EXIT_PRIVILEGE, EACCES, root, "cannot be used");
	ng_err_why(err, "the BPF file system, or what is pinned there, belongs to another user");
	ng_err_try(err, "run it as root (sudo nicgate ..)");
	ng_err_try(err, "nicgate --bpffs DIR ..    (where one of your own is mounted)");
	return -EACCES;
}

/* What pins there are has to be seen; there may be none. */
static int check_readable(const struct ng_pins *pins, struct ng_error *err)
{
	int fd = open(pins->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES ? not_ours(pins->root, err) : 0;
	close(fd);
	return 0;
}

static int take_lock(struct ng_pins *pins, struct ng_error *err)
{
	pid_t holder = 0;
	int rc = ng_pins_lock(pins, LOCK_TIMEOUT_MS, &holder);
	char comm[32] = "?", path[64];
	FILE *f;

	if (rc == -EPERM) {
		ng_err(err, NG_EXIT_FAILED, 0, pins->root, "not used: it is not private");
		ng_err_why(err, "it belongs to another user, or others may write to it, who could "
				"take gates away");
		return rc;
	}
	if (rc == -EACCES)
		return not_ours(pins->root, err);
	if (rc != -ETIMEDOUT)
		return rc ? ng_err(err, NG_EXIT_FAILED, -rc, pins->root, "taking the lock failed")
			  : 0;
	ng_err(err, NG_EXIT_FAILED, 0, pins->root,
	       "another command has held the lock for %d seconds", LOCK_TIMEOUT_MS / 1000);
	if (!holder) {
		ng_err_why(err, "its process is not visible from here");
		return rc;
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder);
	f = fopen(path, "re");
	if (f) {
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(f);
	}
	ng_err_why(err, "the lock is held by %s (pid %d)", comm, (int)holder);
	return rc;
}

int ng_gate_begin(struct ng_pins *pins, const char *bpffs, bool write, struct ng_error *err)
{
	struct ng_pins p;
	int rc = ng_gate_may_attach(err);

	if (!rc)
		rc = open_pins(&p, bpffs, err);
	if (rc)
		return rc;
	rc = write ? 0 : check_readable(&p, err);
	if (rc) {
		ng_pins_close(&p);
		return rc;
	}
	if (write) {
		rc = take_lock(&p, err);
		if (!rc)
			rc = ng_gate_collect(&p, err);
		if (rc) {
			ng_pins_close(&p);
			return rc;
		}
	}
	*pins = p;
	return 0;
}
