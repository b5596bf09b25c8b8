// SPDX-License-Identifier: GPL-2.0-only
/* Namespaces, devices and gates of the bench of the ACL. */
#include "tests/bench/acl/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/acl/frame.h"

#define LOCK_MS 5000

/* No packets but ours: nothing looks for neighbours and routers. */
static void be_quiet(void)
{
	FILE *f = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "we");

	if (f) {
		fputs("1", f);
		fclose(f);
	}
}

static int open_place(struct place *place)
{
	pid_t holder;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) ||
	    mount("tmpfs", PLACE_FILES, "tmpfs", 0, NULL))
		return -errno;
	if (ng_pins_open(&place->pins, NULL) || ng_pins_lock(&place->pins, LOCK_MS, &holder))
		return -EIO;
	be_quiet();
	return 0;
}

/* The last CPU, before everybody else: the generator's and the receiver's work is this process's. */
static void come_first(void)
{
	cpu_set_t all;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	while (cpu > 0 && !CPU_ISSET(cpu, &all))
		cpu--;
	CPU_ZERO(&all);
	CPU_SET(cpu, &all);
	sched_setaffinity(0, sizeof(all), &all);
	setpriority(PRIO_PROCESS, 0, -20);
}

static void child(int (*fn)(struct place *place, const void *arg, void *result), const void *arg,
		  void *result, size_t size, int to)
{
	struct place place;
	int ret;

	if (!getenv("BENCH_VERBOSE") && !freopen("/dev/null", "w", stderr))
		_exit(1); /* attaching warns about veth */
	ret = open_place(&place);
	come_first();
	if (!ret)
		ret = fn(&place, arg, result);
	if (write(to, &ret, sizeof(ret)) != sizeof(ret))
		_exit(1);
	for (size_t at = 0; at < size;) {
		ssize_t n = write(to, (char *)result + at, size - at);

		if (n <= 0)
			_exit(1);
		at += (size_t)n;
	}
	_exit(0);
}

static bool read_all(int fd, void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, (char *)to + at, size - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* The child leads a group of its own, so that the commands it runs end with it. */
int place_run(int (*fn)(struct place *place, const void *arg, void *result), const void *arg,
	      void *result, size_t size, unsigned int limit)
{
	int fd[2], status = 0, ret = -EIO;
	bool whole;
	pid_t pid;

	fflush(NULL);
	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(limit);
		child(fn, arg, result, size, fd[1]);
	}
	close(fd[1]);
	whole = pid > 0 && read_all(fd[0], &ret, sizeof(ret)) && read_all(fd[0], result, size);
	close(fd[0]);
	if (pid > 0) {
		waitpid(pid, &status, 0);
		kill(-pid, SIGKILL); /* what it may have left */
	}
	if (!whole)
		ret = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? -ETIMEDOUT : -EIO;
	return ret;
}

/* A device takes frames from elsewhere when it has an XDP program, or GRO. */
static int set_gro(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (char *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	ret = fd < 0 || ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return ret;
}

int pair_make(const char *name, bool without_xdp, struct pair *pair)
{
	char line[512], from[IF_NAMESIZE];

	snprintf(from, sizeof(from), "%.12s-tx", name);
	snprintf(pair->name, sizeof(pair->name), "%s", name);
	snprintf(line, sizeof(line),
		 "ip link add %1$s type veth peer name %2$s address " FRAME_MAC
		 " && ip link set %1$s up && ip link set %2$s up",
		 from, name);
	if (system(line))
		return -ENODEV;
	pair->from = if_nametoindex(from);
	pair->to = if_nametoindex(name);
	return without_xdp ? set_gro(name) : 0;
}

uint64_t pair_received(const struct pair *pair)
{
	FILE *f = fopen("/proc/self/net/dev", "re");
	unsigned long long packets = 0, n;
	char line[512], name[32];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %31[^:]: %*u %llu", name, &n) == 2 && !strcmp(name, pair->name))
			packets = n;
	if (f)
		fclose(f);
	return packets;
}

int gate_make(struct place *place, const struct pair *pair, enum ng_acl_engine engine, bool counted,
	      const struct net *net, size_t n, struct ng_gate **out)
{
	struct ng_acl_item *item = set_items(net, n, NG_DROP);
	struct ng_acl_change change = { 0 };
	struct ng_acl_size size;
	const struct ng_gate_spec spec = { .hook = NG_HOOK_XDP,
					   .mode = NG_WISH_NATIVE,
					   .acl = &size };
	struct ng_gate *gate = NULL;
	struct ng_link link;
	int ret = item ? ng_link_get(pair->name, &link, NULL) : -ENOMEM;

	ng_acl_size_default(&size);
	size.engine = engine;
	if (!counted)
		size.stripes = 0;
	if (!ret)
		ret = ng_gate_attach(&place->pins, &link, &spec, &gate, NULL);
	if (!ret)
		ret = ng_gate_acl_add(gate, item, n, &change, NULL);
	free(item);
	if (!ret && (change.added != n || gate->mode != NG_MODE_NATIVE))
		ret = -EDOM;
	if (ret)
		ng_gate_close(gate);
	else
		*out = gate;
	return ret;
}
