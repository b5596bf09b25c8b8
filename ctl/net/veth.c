// SPDX-License-Identifier: GPL-2.0-only
/* A veth pair with one end in a named network namespace of its own, by libnl. */
#include "ctl/net/veth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/neighbour.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "ctl/net/net.h"
#include "ctl/net/nl.h"

#define NETNS_DIR  "/run/netns"
#define SELF_NETNS "/proc/thread-self/ns/net"
#define QUIET_MS   1000
#define REPORTS	   2 /* MLD reports for one group: the kernel's default robustness */

/* ---- the namespace ---- */

static void netns_path(const struct ng_veth *veth, char *path, size_t size)
{
	snprintf(path, size, NETNS_DIR "/%s", veth->netns);
}

static bool netns_exists(const struct ng_veth *veth)
{
	struct statfs fs;
	char path[128];

	netns_path(veth, path, sizeof(path));
	return !statfs(path, &fs) && fs.f_type == NSFS_MAGIC;
}

static enum ng_exit exit_of(int errnum)
{
	return errnum == EPERM || errnum == EACCES ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED;
}

static int back_to(int fd, const char *object, struct ng_error *err)
{
	int rc = 0;

	if (setns(fd, CLONE_NEWNET))
		rc = ng_err(err, NG_EXIT_FAILED, errno, object,
			    "cannot return to the network namespace");
	close(fd);
	return rc;
}

static int open_self(const char *object, struct ng_error *err)
{
	int fd = open(SELF_NETNS, O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : ng_err(err, NG_EXIT_FAILED, errno, object, "cannot open " SELF_NETNS);
}

int ng_veth_inside(const struct ng_veth *veth, int (*fn)(void *arg, struct ng_error *err),
		   void *arg, struct ng_error *err)
{
	int self = open_self(veth->netns, err), rc;

	if (self < 0)
		return self;
	rc = ng_netns_enter(veth->netns, err);
	if (rc) {
		close(self);
		return rc;
	}
	rc = fn(arg, err);
	return rc ? (back_to(self, veth->netns, NULL), rc) : back_to(self, veth->netns, err);
}

static void netns_remove(const struct ng_veth *veth)
{
	char path[128];

	netns_path(veth, path, sizeof(path));
	umount2(path, MNT_DETACH);
	unlink(path);
	rmdir(NETNS_DIR); /* only if it is empty: `ip netns add` makes it again */
}

/* An empty file of that name, which a namespace made elsewhere leaves here, is made into one. */
static int netns_create(const struct ng_veth *veth, struct ng_error *err)
{
	char path[128];
	int fd, self, rc = 0;

	netns_path(veth, path, sizeof(path));
	if (mkdir(NETNS_DIR, 0755) && errno != EEXIST)
		return ng_err(err, exit_of(errno), errno, NETNS_DIR, "cannot make the directory");
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0)
		return ng_err(err, exit_of(errno), errno, path, "cannot make the file");
	close(fd);
	self = open_self(veth->netns, err);
	if (self < 0)
		return self;
	if (unshare(CLONE_NEWNET))
		rc = ng_err(err, exit_of(errno), errno, veth->netns,
			    "making a network namespace needs CAP_SYS_ADMIN");
	else if (mount(SELF_NETNS, path, NULL, MS_BIND, NULL))
		rc = ng_err(err, NG_EXIT_FAILED, errno, path,
			    "cannot keep the network namespace there");
	if (rc)
		back_to(self, veth->netns, NULL);
	else
		rc = back_to(self, veth->netns, err);
	if (rc)
		netns_remove(veth);
	return rc;
}

/* ---- one end ---- */

static int link_error(int nlerr, const char *object, const char *what, struct ng_error *err)
{
	int errnum = ng_nl_errno(nlerr);

	if (errnum == EPERM)
		return ng_err(err, NG_EXIT_PRIVILEGE, errnum, object, "%s needs CAP_NET_ADMIN",
			      what);
	if (errnum == EOPNOTSUPP)
		return ng_err(err, NG_EXIT_UNSUPPORTED, errnum, object,
			      "%s: the kernel has no veth", what);
	return ng_err(err, NG_EXIT_FAILED, errnum, object, "%s: %s", what, nl_geterror(nlerr));
}

/* What keeps an interface silent, and IPv6 on where it is off by default.
 * Missing ones: no IPv6, or read-only. */
static void set_quiet(const char *dev)
{
	static const struct {
		const char *name, *value;
	} knob[] = {
		{ "disable_ipv6", "0" },
		{ "addr_gen_mode", "1" }, /* no link-local address */
		{ "accept_ra", "0" },
		{ "router_solicitations", "0" },
		{ "mldv2_unsolicited_report_interval", "1" },
	};

	for (size_t i = 0; i < sizeof(knob) / sizeof(knob[0]); i++) {
		char path[160];
		int fd;

		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", dev, knob[i].name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, knob[i].value, 1) != 1)
			ng_debug("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

static int add_address(struct nl_sock *sk, int ifindex, const char *text, struct ng_error *err)
{
	struct rtnl_addr *addr = rtnl_addr_alloc();
	struct nl_addr *local = NULL;
	int rc = addr ? nl_addr_parse(text, AF_UNSPEC, &local) : -NLE_NOMEM;

	if (!rc) {
		rtnl_addr_set_ifindex(addr, ifindex);
		rtnl_addr_set_flags(addr, IFA_F_NODAD);
		rc = rtnl_addr_set_local(addr, local);
	}
	if (!rc)
		rc = rtnl_addr_add(sk, addr, 0);
	if (rc && local && nl_addr_get_family(local) == AF_INET6) {
		ng_warn("%s: not added, this kernel or container has no IPv6: %s", text,
			nl_geterror(rc));
		rc = 0;
	}
	nl_addr_put(local);
	rtnl_addr_put(addr);
	return rc ? link_error(rc, text, "adding the address", err) : 0;
}

/* A neighbour that needs no asking for.
 * Without IPv6 there is none to add, and add_address() has said so. */
static int add_neighbour(struct nl_sock *sk, int ifindex, const char *prefix, const uint8_t mac[6],
			 struct ng_error *err)
{
	struct nl_addr *dst = NULL, *lladdr = nl_addr_build(AF_LLC, mac, 6);
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	char text[64];
	int rc;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(prefix, "/"), prefix);
	rc = neigh && lladdr ? nl_addr_parse(text, AF_UNSPEC, &dst) : -NLE_NOMEM;
	if (!rc) {
		rtnl_neigh_set_ifindex(neigh, ifindex);
		rtnl_neigh_set_lladdr(neigh, lladdr);
		rtnl_neigh_set_state(neigh, NUD_PERMANENT);
		rc = rtnl_neigh_set_dst(neigh, dst);
	}
	if (!rc)
		rc = rtnl_neigh_add(sk, neigh, NLM_F_CREATE | NLM_F_REPLACE);
	if (rc && dst && nl_addr_get_family(dst) == AF_INET6)
		rc = 0;
	nl_addr_put(dst);
	nl_addr_put(lladdr);
	rtnl_neigh_put(neigh);
	return rc ? link_error(rc, text, "adding the neighbour", err) : 0;
}

static int set_up(struct nl_sock *sk, int ifindex, const char *name, const char *alias,
		  struct ng_error *err)
{
	struct rtnl_link *old = rtnl_link_alloc(), *new = rtnl_link_alloc();
	int rc = -NLE_NOMEM;

	if (old && new) {
		rtnl_link_set_ifindex(old, ifindex);
		rtnl_link_set_flags(new, IFF_UP);
		rtnl_link_set_ifalias(new, alias);
		rc = rtnl_link_change(sk, old, new, 0);
	}
	rtnl_link_put(old);
	rtnl_link_put(new);
	return rc ? link_error(rc, name, "setting the interface up", err) : 0;
}

/* One end and what it has to know; runs in that end's namespace. */
struct end {
	const struct ng_veth *veth;
	const struct ng_veth_end *own, *other;
};

static int configure_end(void *arg, struct ng_error *err)
{
	const struct end *e = arg;
	int ifindex = (int)if_nametoindex(e->own->name);
	struct nl_sock *sk;
	int rc = ng_nl_open(&sk, err);

	if (rc)
		return rc;
	set_quiet(e->own->name);
	rc = add_address(sk, ifindex, e->own->addr4, err);
	if (!rc)
		rc = add_address(sk, ifindex, e->own->addr6, err);
	if (!rc)
		rc = add_neighbour(sk, ifindex, e->other->addr4, e->other->mac, err);
	if (!rc)
		rc = add_neighbour(sk, ifindex, e->other->addr6, e->other->mac, err);
	if (!rc)
		rc = set_up(sk, ifindex, e->own->name, e->veth->alias, err);
	nl_socket_free(sk);
	return rc;
}

/* ---- the pair ---- */

static int set_end(struct rtnl_link *l, const struct ng_veth_end *end)
{
	struct nl_addr *mac = nl_addr_build(AF_LLC, end->mac, 6);

	if (!mac)
		return -NLE_NOMEM;
	rtnl_link_set_name(l, end->name);
	rtnl_link_set_addr(l, mac);
	nl_addr_put(mac);
	return 0;
}

static int add_pair(const struct ng_veth *veth, struct ng_error *err)
{
	struct rtnl_link *near = rtnl_link_veth_alloc(),
			 *far = near ? rtnl_link_veth_get_peer(near) : NULL;
	struct nl_sock *sk = NULL;
	char path[128];
	int fd, rc;

	netns_path(veth, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? ng_err(err, NG_EXIT_FAILED, errno, path, "cannot open the network namespace")
		    : ng_nl_open(&sk, err);
	if (!rc) {
		rc = far ? set_end(near, &veth->near) : -NLE_NOMEM;
		if (!rc)
			rc = set_end(far, &veth->far);
		if (!rc) {
			rtnl_link_set_ns_fd(far, fd);
			rc = rtnl_link_add(sk, near, NLM_F_CREATE | NLM_F_EXCL);
		}
		if (rc)
			rc = link_error(rc, veth->near.name, "making a veth pair", err);
	}
	rtnl_link_put(far);
	rtnl_link_put(near);
	nl_socket_free(sk);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int get_near(struct nl_sock *sk, const struct ng_veth *veth, struct rtnl_link **l)
{
	*l = NULL;
	return rtnl_link_get_kernel(sk, 0, veth->near.name, l);
}

static bool is_ours(const struct ng_veth *veth, struct rtnl_link *l)
{
	const char *alias = rtnl_link_get_ifalias(l);

	return alias && !strcmp(alias, veth->alias);
}

static int far_exists(void *arg, struct ng_error *err)
{
	const struct ng_veth *veth = arg;

	(void)err;
	return if_nametoindex(veth->far.name) ? 0 : -ENODEV;
}

int ng_veth_look(const struct ng_veth *veth, enum ng_veth_state *state, struct ng_error *err)
{
	struct rtnl_link *l;
	struct nl_sock *sk;
	int rc = ng_nl_open(&sk, err);

	if (rc)
		return rc;
	rc = get_near(sk, veth, &l);
	nl_socket_free(sk);
	if (rc && ng_nl_errno(rc) != ENODEV)
		return link_error(rc, veth->near.name, "looking up the interface", err);
	if (rc)
		*state = NG_VETH_NONE;
	else if (!is_ours(veth, l))
		*state = NG_VETH_FOREIGN;
	else if (!netns_exists(veth) || ng_veth_inside(veth, far_exists, (void *)veth, NULL))
		*state = NG_VETH_BROKEN;
	else
		*state = NG_VETH_WHOLE;
	rtnl_link_put(l);
	return 0;
}

/* Until both ends have sent their reports, which take a few milliseconds;
 * without IPv6 there are none to wait for. */
static void wait_quiet(const struct ng_veth *veth)
{
	struct nl_sock *sk;

	if (access("/proc/sys/net/ipv6", F_OK) || ng_nl_open(&sk, NULL))
		return;
	for (int ms = 0; ms < QUIET_MS; ms += 5) {
		const struct timespec tick = { .tv_nsec = 5000000 };
		struct rtnl_link *l;
		bool quiet;

		if (get_near(sk, veth, &l))
			break;
		quiet = rtnl_link_get_stat(l, RTNL_LINK_RX_PACKETS) >= REPORTS &&
			rtnl_link_get_stat(l, RTNL_LINK_TX_PACKETS) >= REPORTS;
		rtnl_link_put(l);
		if (quiet)
			break;
		nanosleep(&tick, NULL);
	}
	nl_socket_free(sk);
}

/* unmarked: also when it has not got its alias yet */
static int delete_near(const struct ng_veth *veth, bool unmarked, bool *removed,
		       struct ng_error *err)
{
	struct rtnl_link *l;
	struct nl_sock *sk;
	int rc = ng_nl_open(&sk, err);

	if (rc)
		return rc;
	rc = get_near(sk, veth, &l);
	if (rc) {
		rc = ng_nl_errno(rc) == ENODEV
			     ? 0
			     : link_error(rc, veth->near.name, "looking it up", err);
	} else if (unmarked || is_ours(veth, l)) {
		rc = rtnl_link_delete(sk, l);
		if (rc)
			rc = link_error(rc, veth->near.name, "deleting the pair", err);
		else
			*removed = true;
	}
	rtnl_link_put(l);
	nl_socket_free(sk);
	return rc;
}

int ng_veth_delete(const struct ng_veth *veth, bool *removed, struct ng_error *err)
{
	int rc;

	*removed = netns_exists(veth);
	rc = delete_near(veth, false, removed, err);
	if (!rc)
		netns_remove(veth);
	return rc;
}

int ng_veth_create(const struct ng_veth *veth, struct ng_error *err)
{
	struct end far = { veth, &veth->far, &veth->near },
		   near = { veth, &veth->near, &veth->far };
	bool had_netns = netns_exists(veth), removed;
	int rc = had_netns ? 0 : netns_create(veth, err);

	if (rc)
		return rc;
	rc = add_pair(veth, err);
	if (!rc) {
		rc = ng_veth_inside(veth, configure_end, &far, err);
		if (!rc)
			rc = configure_end(&near, err);
		if (rc)
			delete_near(veth, true, &removed, NULL);
		else
			wait_quiet(veth);
	}
	if (rc && !had_netns)
		netns_remove(veth);
	return rc;
}
