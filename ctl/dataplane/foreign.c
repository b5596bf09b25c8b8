// SPDX-License-Identifier: GPL-2.0-only
/* Names and owners of programs: by /proc/PID/fdinfo, by pins in bpffs, by libxdp. */
#include "ctl/dataplane/foreign.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "ctl/dataplane/libbpf_log.h"

#define BPFFS	 "/sys/fs/bpf"
#define NFTW_FDS 16

/* What is looked for: a descriptor of the program or of its link. */
struct wanted {
	__u32 prog_id, link_id;
};

/* Does the fdinfo text in f say that the descriptor is what we look for? */
static bool fdinfo_fits(const char *path, const struct wanted *w)
{
	FILE *f = fopen(path, "re");
	char line[128];
	bool fits = false;
	__u32 id;

	if (!f)
		return false;
	while (!fits && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "link_id:\t%u", &id) == 1)
			fits = w->link_id && id == w->link_id;
		else if (sscanf(line, "prog_id:\t%u", &id) == 1)
			fits = id == w->prog_id;
	}
	fclose(f);
	return fits;
}

/* Only BPF descriptors are worth the reading of their fdinfo. */
static bool is_bpf_fd(const char *pid, const char *fd)
{
	char path[320], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.32s/fd/%.32s", pid, fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strncmp(target, "anon_inode:bpf", 14);
}

static bool process_holds(const char *pid, const struct wanted *w)
{
	char path[320];
	struct dirent *e;
	bool holds = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.32s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!holds && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || !is_bpf_fd(pid, e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.32s/fdinfo/%.32s", pid, e->d_name);
		holds = fdinfo_fits(path, w);
	}
	closedir(dir);
	return holds;
}

static void command_of(const char *pid, char *comm, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.32s/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(comm, (int)size, f))
		snprintf(comm, size, "?");
	comm[strcspn(comm, "\n")] = '\0';
	if (f)
		fclose(f);
}

static bool find_process(const struct wanted *w, char *owner, size_t size)
{
	DIR *dir = opendir("/proc");
	bool found = false;
	struct dirent *e;
	char self[16], comm[32];

	if (!dir)
		return false;
	snprintf(self, sizeof(self), "%d", getpid());
	while (!found && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !strcmp(e->d_name, self) ||
		    !process_holds(e->d_name, w))
			continue;
		command_of(e->d_name, comm, sizeof(comm));
		snprintf(owner, size, "%s (pid %.32s)", comm, e->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

/* nftw() has no argument for its callback. */
static _Thread_local struct {
	struct wanted wanted;
	char *owner;
	size_t size;
} pin_search;

static int look_at_pin(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char fdinfo[64];
	bool fits;
	int fd;

	(void)st, (void)ftw;
	if (type != FTW_F)
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	snprintf(fdinfo, sizeof(fdinfo), "/proc/self/fdinfo/%d", fd);
	fits = fdinfo_fits(fdinfo, &pin_search.wanted);
	close(fd);
	if (fits)
		snprintf(pin_search.owner, pin_search.size, "pinned at %.200s", path);
	return fits;
}

static bool find_pin(const struct wanted *w, char *owner, size_t size)
{
	pin_search.wanted = *w;
	pin_search.owner = owner;
	pin_search.size = size;
	return nftw(BPFFS, look_at_pin, NFTW_FDS, FTW_PHYS | FTW_MOUNT) == 1;
}

/* The link that holds a program on an interface; 0: none, or we may not look. */
static __u32 find_link(__u32 prog_id, unsigned int ifindex)
{
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		__u32 size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		bool fits;

		if (fd < 0)
			continue;
		fits = !bpf_obj_get_info_by_fd(fd, &info, &size) && info.prog_id == prog_id &&
		       info.xdp.ifindex == ifindex;
		close(fd);
		if (fits)
			return id;
	}
	return 0;
}

/* The function's whole name, which the kernel cuts at 15 characters. */
static void btf_name(int prog_fd, __u32 btf_id, char *name, size_t size)
{
	struct bpf_func_info func[1] = { 0 };
	struct bpf_prog_info info = { .nr_func_info = 1,
				      .func_info_rec_size = sizeof(func[0]),
				      .func_info = (__u64)(unsigned long)func };
	__u32 info_size = sizeof(info);
	struct btf *btf = btf__load_from_kernel_by_id(btf_id);
	const struct btf_type *t;

	if (btf && !bpf_obj_get_info_by_fd(prog_fd, &info, &info_size) && info.nr_func_info) {
		t = btf__type_by_id(btf, func[0].type_id);
		if (t)
			snprintf(name, size, "%s", btf__name_by_offset(btf, t->name_off));
	}
	btf__free(btf);
}

static void name_of(__u32 prog_id, char *name, size_t size)
{
	struct bpf_prog_info info = { 0 };
	__u32 info_size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	snprintf(name, size, "?");
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &info_size)) {
		snprintf(name, size, "%s", info.name[0] ? info.name : "(no name)");
		if (strlen(info.name) == BPF_OBJ_NAME_LEN - 1 && info.btf_id)
			btf_name(fd, info.btf_id, name, size);
	}
	close(fd);
}

void ng_prog_describe(__u32 prog_id, __u32 link_id, unsigned int ifindex, struct ng_prog *out)
{
	struct wanted w = { .prog_id = prog_id };

	ng_libbpf_log_init();
	*out = (struct ng_prog){ .id = prog_id, .link_id = link_id };
	if (!out->link_id)
		out->link_id = find_link(prog_id, ifindex);
	w.link_id = out->link_id;
	name_of(prog_id, out->name, sizeof(out->name));
	if (find_process(&w, out->owner, sizeof(out->owner)) ||
	    find_pin(&w, out->owner, sizeof(out->owner)))
		return;
	snprintf(out->owner, sizeof(out->owner), "%s",
		 out->link_id ? "a link held by an unseen process or pin"
			      : "no process (attached by ip, tc or the like)");
}

int ng_dispatcher_each(unsigned int ifindex, void (*fn)(const struct ng_prog *prog, void *arg),
		       void *arg)
{
	struct xdp_multiprog *mp;
	struct xdp_program *p = NULL;
	int n = 0;

	ng_libbpf_log_init();
	mp = xdp_multiprog__get_from_ifindex((int)ifindex);
	if (libxdp_get_error(mp))
		return 0;
	while (!xdp_multiprog__is_legacy(mp) && (p = xdp_multiprog__next_prog(p, mp))) {
		struct ng_prog prog = { .id = xdp_program__id(p) };

		snprintf(prog.name, sizeof(prog.name), "%s", xdp_program__name(p));
		snprintf(prog.owner, sizeof(prog.owner), "libxdp dispatcher, priority %u",
			 xdp_program__run_prio(p));
		fn(&prog, arg);
		n++;
	}
	xdp_multiprog__close(mp);
	return n;
}

static void add_component(const struct ng_prog *prog, void *arg)
{
	ng_err_why(arg, "  component id %u, \"%s\" (%s)", prog->id, prog->name, prog->owner);
}

static const struct {
	__u8 attached;
	const char *mode;
	const char *ip_word;
} attached_mode[] = {
	{ XDP_ATTACHED_DRV, "native", "xdp" },
	{ XDP_ATTACHED_SKB, "generic", "xdpgeneric" },
	{ XDP_ATTACHED_HW, "offload", "xdpoffload" },
};

bool ng_prog_has_our_name(const struct ng_prog *prog)
{
	static const char *const names[] = { "ng_xdp", "ng_xdp_taps", "ng_tc", "ng_tc_taps" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(prog->name, names[i]))
			return prog->link_id;
	return false;
}

/* By name, link and no pins: what `capture --hook xdp` holds itself. */
static bool is_captures(const struct ng_prog *prog)
{
	return ng_prog_has_our_name(prog) && strncmp(prog->owner, "pinned", strlen("pinned"));
}

int ng_foreign_xdp_check(const struct ng_link *link, struct ng_error *err)
{
	const char *mode = "several modes", *ip_word = "xdp";
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	struct ng_prog prog;
	__u32 id;

	ng_libbpf_log_init();
	if (bpf_xdp_query((int)link->ifindex, 0, &q))
		return 0;
	id = q.drv_prog_id ? q.drv_prog_id : q.skb_prog_id ? q.skb_prog_id : q.hw_prog_id;
	if (!id)
		id = q.prog_id;
	if (!id)
		return 0;
	for (size_t i = 0; i < sizeof(attached_mode) / sizeof(attached_mode[0]); i++)
		if (attached_mode[i].attached == q.attach_mode) {
			mode = attached_mode[i].mode;
			ip_word = attached_mode[i].ip_word;
		}
	ng_prog_describe(id, 0, link->ifindex, &prog);
	ng_err(err, NG_EXIT_FAILED, 0, link->name,
	       is_captures(&prog) ? "the XDP program of a capture is there"
				  : "an XDP program of somebody else is there");
	ng_err_why(err, "program id %u, \"%s\", %s mode; owner: %s", prog.id, prog.name, mode,
		   prog.owner);
	if (ng_dispatcher_each(link->ifindex, add_component, err))
		ng_err_try(err, "xdp-loader unload %s --all    (takes the dispatcher off)",
			   link->name);
	else if (is_captures(&prog))
		ng_err_try(
			err,
			"end it first; on an attached interface captures and ACL share a program");
	else if (prog.link_id)
		ng_err_try(err, "end its owner, or: bpftool link detach id %u", prog.link_id);
	else
		ng_err_try(err, "ip link set dev %s %s off    (takes it off)", link->name, ip_word);
	ng_err_try(err, "nicgate attach %s --hook tc-in    (leaves it alone)", link->name);
	return -EBUSY;
}
