// SPDX-License-Identifier: GPL-2.0-only
/* Programs follow their taps: filters spliced at load and reload,
 * taps of the dead collected, gates re-adopted. */
#include <bpf/bpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/dataplane/gate.h"
#include "ctl/filter/pack.h"
#include "maps/tap.h"
#include "tests/tap.h"

#define DLT_EN10MB 1
#define FRAME_LEN  64

static const char *const mode_of[] = { "none", "native", "generic", "tcx", "clsact" };

/* An Ethernet + IPv4 frame of a protocol, for destination port `port`. */
static void make_frame(unsigned char *f, unsigned char proto, unsigned char port)
{
	static const unsigned char head[] = {
		2, 0,  0, 0,  0, 1, 2, 0,   0, 0, 0, 2,	  8,  0,   0x45, 0, 0, 50, 0,
		0, 64, 0, 64, 0, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1,	 0, 9, 0,
	};

	memset(f, 0, FRAME_LEN);
	memcpy(f, head, sizeof(head));
	f[19] = 0;
	f[20] = 0x40;
	f[21] = 0;
	f[22] = 64;
	f[23] = proto;
	f[37] = port;
}

static int run_frame(int prog_fd, unsigned char proto, unsigned char port)
{
	unsigned char frame[FRAME_LEN];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	make_frame(frame, proto, port);
	return bpf_prog_test_run_opts(prog_fd, &opts) ? -errno : (int)opts.retval;
}

static __u32 lease(void)
{
	int fd = -1;
	__u64 now = 0;

	if (ng_jiffies(&fd, &now))
		printf("# jiffies cannot be read\n");
	if (fd >= 0)
		close(fd);
	return now + 1000000;
}

static void set_tap(struct ng_gate *g, __u32 slot)
{
	g->maps.control->tap[slot] =
		(struct ng_tap_control){ .lease_jiffies = lease(), .snaplen = 262144 };
}

static unsigned long long matched(struct ng_gate *g, __u32 slot)
{
	struct ng_tap_stats s = { 0 };

	return ng_tap_stats_read(&g->maps, slot, &s) ? ~0ull : s.matched;
}

static unsigned long long seen(struct ng_gate *g, __u32 slot)
{
	struct ng_tap_stats s = { 0 };

	return ng_tap_stats_read(&g->maps, slot, &s) ? ~0ull : s.seen;
}

static bool compile(const char *expression, struct ng_cbpf *out)
{
	struct ng_error err;
	bool good = !ng_filter_compile(expression, "expression", DLT_EN10MB, 262144, 0, out, &err);

	return ok(good, "'%s' compiles", expression);
}

static void show(const struct ng_error *err)
{
	printf("#   %s: %s\n#   %s\n", err->object, err->what, err->why);
}

/* Not attached: one filter in slot 0. */
static void test_load(enum ng_hook hook, const char *expression, int tcp, int udp)
{
	struct ng_gate_spec spec = { .hook = hook };
	struct ng_gate *g = NULL;
	struct ng_cbpf cbpf = { 0 };
	struct ng_error err;

	if (!compile(expression, &cbpf))
		return;
	if (!ok(!ng_gate_load(hook, &cbpf, &spec, &g, &err), "%s: loads with '%s' in it",
		ng_hook_name[hook], expression)) {
		show(&err);
		return;
	}
	set_tap(g, 0);
	run_frame(g->prog_fd, IPPROTO_TCP, 80);
	is_int(matched(g, 0), tcp, "%s: '%s' on tcp", ng_hook_name[hook], expression);
	run_frame(g->prog_fd, IPPROTO_UDP, 53);
	is_int(matched(g, 0), tcp + udp, "%s: '%s' on udp", ng_hook_name[hook], expression);
	is_int(seen(g, 0), 2, "%s: the tap saw both", ng_hook_name[hook]);
	ng_gate_close(g);
	ng_cbpf_free(&cbpf);
}

static void test_load_without_filter(enum ng_hook hook)
{
	struct ng_gate_spec spec = { .hook = hook };
	struct ng_gate *g = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_load(hook, NULL, &spec, &g, &err), "%s: loads without taps",
		ng_hook_name[hook])) {
		show(&err);
		return;
	}
	set_tap(g, 0);
	run_frame(g->prog_fd, IPPROTO_TCP, 80);
	is_int(seen(g, 0), 0, "%s: no tap code in it", ng_hook_name[hook]);
	ng_gate_close(g);
}

static int claim(struct ng_gate *g, const char *expression)
{
	const struct ng_tap_conf conf = { .linktype = DLT_EN10MB };
	struct ng_cbpf cbpf = { 0 };
	void *code = NULL;
	size_t size;
	int slot;

	if (ng_filter_compile(expression, "expression", DLT_EN10MB, 262144, 0, &cbpf, NULL))
		return -EINVAL;
	slot = ng_filter_pack(&cbpf, &code, &size);
	if (!slot)
		slot = ng_tap_claim(&g->maps, &conf, code, size);
	if (slot >= 0)
		set_tap(g, (__u32)slot);
	free(code);
	ng_cbpf_free(&cbpf);
	return slot;
}

/* A process claims a slot and dies. */
static int claim_and_die(struct ng_gate *g, const char *expression)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(claim(g, expression) & 0x7f);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void reload(struct ng_gate *g, const char *name)
{
	struct ng_error err;

	if (!ok(!ng_gate_reload(g, &err), "%s", name))
		show(&err);
}

static void test_reload(struct ng_gate *g)
{
	const char *hook = ng_hook_name[g->hook];
	__u32 before = g->prog_id;
	int a = claim(g, "tcp"), b = claim(g, "udp port 53");

	ok(a == 0 && b == 1, "%s: two slots are claimed", hook);
	reload(g, "reloads with two taps");
	is_int(g->maps.control->taps, 3, "%s: control names both", hook);
	ok(g->prog_id && g->prog_id != before, "%s: another program is in force", hook);
	run_frame(g->prog_fd, IPPROTO_TCP, 80);
	run_frame(g->prog_fd, IPPROTO_UDP, 53);
	run_frame(g->prog_fd, IPPROTO_UDP, 54);
	is_int(matched(g, 0), 1, "%s: slot 0 got its packet", hook);
	is_int(matched(g, 1), 1, "%s: slot 1 got its packet", hook);
	is_int(seen(g, 1), 3, "%s: slot 1 saw them all", hook);
	is_int(claim_and_die(g, "icmp"), 2, "%s: a third owner dies", hook);
	ng_tap_release(&g->maps, 0);
	reload(g, "reloads after the first tap left");
	is_int(g->maps.control->taps, 2, "%s: the tap that left and the dead one are gone", hook);
	run_frame(g->prog_fd, IPPROTO_TCP, 80);
	run_frame(g->prog_fd, IPPROTO_UDP, 53);
	is_int(matched(g, 1), 2, "%s: slot 1 goes on with its counters", hook);
}

/* Halves of a claim and of a release, as a kill leaves them. */
static void test_half_way(struct ng_gate *g)
{
	const char *hook = ng_hook_name[g->hook];
	char path[NG_PINS_DIR_MAX + 16];
	static const __u64 words[2] = { 1, 2 };
	void *code = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/ng_tap_code0", g->maps.dir);
	is_int(ng_tap_write_code(&g->maps, 0, words, sizeof(words)), 0,
	       "%s: a claim ends behind its code", hook);
	is_int(access(path, F_OK), 0, "%s: which is pinned", hook);
	reload(g, "reloads past it");
	is_int(claim(g, "tcp"), 0, "%s: the slot can be claimed", hook);
	ok(!ng_tap_read_code(&g->maps, 0, &code, &size) && size > sizeof(words),
	   "%s: with code of its own", hook);
	free(code);
	reload(g, "reloads with it");
	is_int(g->maps.control->taps, 1, "%s: it is in the program", hook);
	is_int(ng_tap_forget_code(&g->maps, 0), 0, "%s: code that somebody removed", hook);
	reload(g, "reloads without it");
	is_int(g->maps.control->taps, 0, "%s: the tap is gone", hook);
	is_int(claim(g, "tcp"), 0, "%s: its slot is free again", hook);
	is_int(ng_tap_write_code(&g->maps, 0, words, sizeof(words)), 0, "%s: damaged code", hook);
	reload(g, "reloads past that");
	is_int(g->maps.control->taps, 0, "%s: that tap is gone, too", hook);
	is_int(access(path, F_OK), -1, "%s: and its code", hook);
}

/* The filter of another's tap can be read with the capabilities that the README asks for. */
static void test_without_sys_admin(struct ng_gate *g)
{
	const char *hook = ng_hook_name[g->hook];
	struct ng_error err = { 0 };
	int status = -1;
	pid_t pid;

	is_int(claim(g, "tcp"), 0, "%s: a living tap", hook);
	pid = fork();
	if (!pid) {
		capng_get_caps_process();
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
		if (capng_apply(CAPNG_SELECT_CAPS) || ng_gate_reload(g, &err))
			show(&err);
		_exit(g->maps.control->taps == 1 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "%s: a process without CAP_SYS_ADMIN rebuilds it", hook);
	ng_tap_release(&g->maps, 0);
}

static void test_full(struct ng_gate *g)
{
	int slot = 0;

	while (slot >= 0)
		slot = claim(g, "ip6 or (ip and not tcp) or arp");
	is_int(slot, -ENOSPC, "%s: slots run out", ng_hook_name[g->hook]);
	reload(g, "reloads with every slot taken");
	is_int(g->maps.control->taps, (1 << NG_TAPS_MAX) - 1, "all of them are in the program");
	for (__u32 i = 0; i < NG_TAPS_MAX; i++)
		ng_tap_release(&g->maps, i);
	reload(g, "reloads with none");
	is_int(g->maps.control->taps, 0, "none is left");
}

static void test_attached(const struct ng_pins *pins, const struct ng_link *lo, enum ng_hook hook)
{
	struct ng_gate_spec spec = { .hook = hook, .mode = NG_WISH_GENERIC, .pin = true };
	struct ng_gate *g = NULL, *again = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_attach(pins, lo, &spec, &g, &err), "%s: attaches", ng_hook_name[hook])) {
		show(&err);
		return;
	}
	printf("# mode %s\n", mode_of[g->mode]);
	test_reload(g);
	ng_tap_release(&g->maps, 1);
	test_half_way(g);
	test_without_sys_admin(g);
	if (hook == NG_HOOK_TC_IN)
		test_full(g);
	is_int(claim_and_die(g, "icmp"), 0, "%s: an owner dies before its reload",
	       ng_hook_name[hook]);
	ok(!ng_gate_collect(pins, &err), "collects");
	is_int(claim(g, "icmp"), 0, "%s: its slot is free again", ng_hook_name[hook]);
	ok(!ng_gate_open(pins, lo, hook, &again, &err), "%s: opens by its pins",
	   ng_hook_name[hook]);
	if (again)
		ok(again->prog_id != 0, "%s: and finds the program in force", ng_hook_name[hook]);
	ng_gate_close(again);
	ok(!ng_gate_detach(pins, g, &err), "%s: detaches", ng_hook_name[hook]);
	is_int(ng_gate_open(pins, lo, hook, &again, &err), -ENOENT, "%s: and is gone",
	       ng_hook_name[hook]);
	is_int(err.exit, NG_EXIT_NOT_FOUND, "%s: which is said as exit 3", ng_hook_name[hook]);
}

/* A capture's gate: gone with its process, or collected when the kernel has no TCX. */
static void test_temporary(const struct ng_pins *pins, const struct ng_link *lo)
{
	struct ng_gate_spec spec = { .hook = NG_HOOK_TC_IN, .tap_only = true };
	struct ng_gate *g = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_attach(pins, lo, &spec, &g, &err), "a temporary gate attaches")) {
		show(&err);
		return;
	}
	is_int(g->maps.control->temporary, 1, "it says that it is temporary");
	is_int(claim_and_die(g, "tcp"), 0, "its only owner dies");
	if (g->mode == NG_MODE_TCX)
		ok(!g->pinned, "by TCX: nothing is pinned, it goes with its process");
	else
		ok(g->pinned, "by clsact: it is pinned, to be found when it is left over");
	ng_gate_close(g);
	ok(!ng_gate_collect(pins, &err), "collects");
	is_int(ng_gate_open(pins, lo, NG_HOOK_TC_IN, &g, &err), -ENOENT, "nothing is left");
}

static void test_promote(const struct ng_pins *pins, const struct ng_link *lo)
{
	struct ng_gate_spec tap = { .hook = NG_HOOK_TC_OUT, .tap_only = true, .pin = true };
	struct ng_gate_spec whole = { .hook = NG_HOOK_TC_OUT,
				      .pin = true,
				      .default_verdict = NG_DROP };
	struct ng_gate *g = NULL, *h = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_attach(pins, lo, &tap, &g, &err), "a pinned temporary gate attaches"))
		return;
	is_int(claim(g, "udp"), 0, "with a living tap");
	reload(g, "that is in its program");
	ok(!ng_gate_attach(pins, lo, &whole, &h, &err), "attach makes it a whole gate");
	if (h) {
		is_int(h->maps.control->temporary, 0, "no longer temporary");
		is_int(h->maps.acl_gen, 1, "with ACL tables");
		is_int(run_frame(h->prog_fd, IPPROTO_UDP, 53), 2, "it drops by default now");
		is_int(matched(g, 0), 1, "and its tap goes on");
		is_int(ng_gate_attach(pins, lo, &whole, &g, &err), -EEXIST,
		       "a second attach is refused");
		ok(!ng_gate_detach(pins, h, &err), "detaches");
	}
	ng_gate_close(g);
}

/* What somebody took off: left to `attach`, which puts it back as it was. */
static void test_taken_off(const struct ng_pins *pins, const struct ng_link *lo)
{
	struct ng_gate_spec tap = { .hook = NG_HOOK_XDP, .tap_only = true, .pin = true };
	struct ng_gate_spec whole = { .hook = NG_HOOK_XDP,
				      .mode = NG_WISH_GENERIC,
				      .pin = true,
				      .default_verdict = NG_DROP,
				      .malformed = NG_MALFORMED_DROP };
	struct ng_gate *g = NULL, *h = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_attach(pins, lo, &whole, &g, &err), "a gate attaches"))
		return;
	ok(!bpf_link_detach(g->link_fd), "somebody takes its program off");
	ng_gate_close(g);
	is_int(ng_gate_attach(pins, lo, &tap, &h, &err), -ENOENT, "a capture does not put it back");
	is_int(err.exit, NG_EXIT_NOT_FOUND, "which is said as exit 3");
	whole.default_verdict = NG_PASS;
	whole.malformed = NG_MALFORMED_AUTO;
	if (!ok(!ng_gate_attach(pins, lo, &whole, &h, &err), "attach does"))
		return;
	is_int(h->maps.control->default_verdict, NG_DROP, "with the default that it had");
	is_int(h->maps.control->malformed, NG_MALFORMED_DROP, "and for the undecidable, too");
	ok(!ng_gate_detach(pins, h, &err), "detaches");
}

static void test_other_version(const struct ng_pins *pins, const struct ng_link *lo)
{
	struct ng_gate_spec spec = { .hook = NG_HOOK_TC_OUT, .pin = true };
	struct ng_gate *g = NULL, *again = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_attach(pins, lo, &spec, &g, &err), "a gate attaches"))
		return;
	g->maps.control->abi = NG_ABI_VERSION + 1;
	is_int(ng_gate_open(pins, lo, NG_HOOK_TC_OUT, &again, &err), -EPROTO,
	       "of another version: refused");
	ok(strstr(err.what, "another version") && strstr(err.try_this, "nicgate detach lo"),
	   "with the way out");
	is_int(ng_gate_attach(pins, lo, &spec, &again, &err), -EPROTO, "attach refuses too");
	ok(!ng_gate_collect(pins, &err), "collecting goes past it");
	ok(!ng_gate_remove(pins, lo, NG_HOOK_TC_OUT, &err), "it can be removed");
	is_int(ng_gate_open(pins, lo, NG_HOOK_TC_OUT, &again, &err), -ENOENT, "and is gone");
	ng_gate_close(g);
}

static bool set_up(struct ng_pins *pins, struct ng_link *lo)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	pid_t holder;
	int fd;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up))
		return false;
	close(fd);
	return !ng_pins_open(pins, NULL) && !ng_pins_lock(pins, 1000, &holder) &&
	       !ng_link_get("lo", lo, NULL);
}

int main(void)
{
	struct ng_pins pins;
	struct ng_link lo;

	if (geteuid())
		tap_skip_all("needs CAP_BPF and CAP_SYS_ADMIN");
	/* tc-out differs from tc-in in constants only, and loading is slow under emulation. */
	for (int hook = NG_HOOK_XDP; hook <= NG_HOOK_TC_IN; hook++) {
		test_load_without_filter(hook);
		test_load(hook, "udp port 53 or vlan 7", 0, 1);
	}
	test_load(NG_HOOK_XDP, "", 1, 1);
	if (!set_up(&pins, &lo))
		tap_skip("needs CAP_SYS_ADMIN for network and mount namespaces");
	else {
		for (int hook = NG_HOOK_XDP; hook <= NG_HOOK_TC_IN; hook++)
			test_attached(&pins, &lo, hook);
		test_temporary(&pins, &lo);
		test_promote(&pins, &lo);
		test_taken_off(&pins, &lo);
		test_other_version(&pins, &lo);
		ng_pins_close(&pins);
		is_int(access(pins.root, F_OK), -1, "the directory is gone with the last gate");
	}
	return tap_done();
}
