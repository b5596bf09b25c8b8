// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that dies between any two steps of a swap of ACL tables, of a temporary gate's adoption
 * or of its end, of attaching or detaching: program, pins and control page are of one generation after the next command, the
 * old or the new. And a reader between whose steps others swap. What pins, writes control words and
 * swaps is compiled in with each step counted.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/dataplane/hooks.h"
#include "maps/acl.h"

#define DIED 7 /* exit status */

static long steps_left = -1; /* until death; -1: none */

static void live_on(void)
{
	if (steps_left >= 0 && steps_left-- == 0)
		_exit(DIED);
}

static void (*before_opening)(void); /* tables: what others do at that moment */

static void be_overtaken(void)
{
	if (before_opening)
		before_opening();
}

#define STEP(call)			   (live_on(), (call))
#define __atomic_store_n(to, value, order) STEP(*(volatile __typeof__(*(to)) *)(to) = (value))
#define bpf_obj_pin(fd, path)		   STEP(bpf_obj_pin(fd, path))
#define bpf_link_update(l, p, o)	   STEP(bpf_link_update(l, p, o))
#define bpf_tc_attach(h, o)		   STEP(bpf_tc_attach(h, o))
#define mkdir(path, mode)		   STEP(mkdir(path, mode))
#define rmdir(path)			   STEP(rmdir(path))
#define unlink(path)			   STEP(unlink(path))
#define ng_grace_period()		   STEP(ng_grace_period())
#define ng_acl_carry(from, to)		   STEP(ng_acl_carry(from, to))
#include "maps/acl_tables.c"
#include "maps/pins.c"
#define ng_pins_open_acl(dir, gen, t) (be_overtaken(), ng_pins_open_acl(dir, gen, t))
#include "ctl/dataplane/generation.c"
#include "ctl/dataplane/links.c"
#undef ng_pins_open_acl
#undef bpf_obj_pin
#undef bpf_link_update
#undef mkdir
#undef rmdir
#undef unlink

#include "ctl/filter/pack.h"
#include "maps/tap.h"
#include "tests/bpf/acl_swap.h"

#define STEPS_MAX 1000

static struct ng_pins pins;
static struct ng_link lo;
static enum ng_hook hook;
static int every = 1; /* this many steps between two deaths */

static struct ng_gate *open_gate(void)
{
	struct ng_error err;
	struct ng_gate *g = NULL;

	if (ng_gate_open(&pins, &lo, hook, &g, &err)) {
		show(&err);
		is_wrong("opening");
		return NULL;
	}
	return g;
}

static int swap_to_policy(struct ng_gate *g, enum policy policy)
{
	struct ng_acl_tables built;
	struct ng_error err;

	return build_policy(policy, NG_ENGINE_TRIE, &built) || ng_gate_acl_swap(g, &built, &err);
}

/* What a process does; they open the gate themselves. */
static int do_swap(void)
{
	struct ng_gate *g = open_gate();

	return !g || swap_to_policy(g, POLICY_B);
}

static int do_open(void)
{
	return !open_gate();
}

static int do_attach(void)
{
	const struct ng_gate_spec spec = { .hook = hook, .pin = true, .default_verdict = NG_DROP };
	struct ng_gate *g;

	return ng_gate_attach(&pins, &lo, &spec, &g, NULL);
}

static int do_give_back(void)
{
	struct ng_gate *g = open_gate();

	return !g || ng_gate_give_back(g, NULL);
}

/* The work, done by a process that dies at step `at`. False: it was done before. */
static bool die_at(int (*work)(void), long at)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		before_opening = NULL;
		steps_left = at;
		_exit(work() ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("Bail out! no second process\n");
		exit(1);
	}
	if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != DIED))
		is_wrong("the work fails");
	return WEXITSTATUS(status) == DIED;
}

/* As status and stats do; a gate that was just adopted has no clauses. */
static bool readers_can_read(bool adopted)
{
	struct ng_pins unlocked = pins;
	struct ng_gate *g = NULL;
	struct ng_error err;
	bool good;

	unlocked.lock_fd = -1;
	if (ng_gate_open(&unlocked, &lo, hook, &g, &err)) {
		show(&err);
		return is_wrong("a reader cannot open it");
	}
	good = !g->maps.acl.head || (adopted ? holds(&g->maps.acl, 0) : holds_either(&g->maps.acl));
	ng_gate_close(g);
	return good || is_wrong("a reader finds neither");
}

/* After a death in a swap: the next command finds one policy, the hits of all packets in it. */
static bool check_swap(__u64 hits, bool *is_new)
{
	struct ng_gate *g;
	bool good = readers_can_read(false);

	g = good ? open_gate() : NULL;
	good = g && is_of_one_generation(g) && is_one_policy(g);
	if (good && counted(&g->maps.acl) != hits)
		good = is_wrong("hits were lost or made up");
	if (good)
		*is_new = holds(&g->maps.acl, CLAUSES_B);
	ng_gate_close(g);
	return good;
}

/* One more hit, and policy A again. */
static bool prepare_swap(__u64 *hits)
{
	struct ng_gate *g = open_gate();
	int fd = g ? bpf_prog_get_fd_by_id(g->prog_id) : -1;
	bool good = g && !swap_to_policy(g, POLICY_A);

	if (good)
		*hits += run_packet(g->prog_fd, hook, COUNTED) == NG_PASS;
	if (fd >= 0)
		close(fd);
	ng_gate_close(g);
	return good || is_wrong("preparing");
}

static void deaths_in_swap(void)
{
	struct ng_gate_spec spec = { .hook = hook, .mode = NG_WISH_GENERIC, .pin = true };
	bool is_new = false, died = true;
	struct ng_gate *g = NULL;
	struct ng_error err;
	long at = 0, news = 0, olds = 0;
	__u64 hits = 0;

	if (!ok(!ng_gate_attach(&pins, &lo, &spec, &g, &err), "%s: attaches", ng_hook_name[hook]))
		return show(&err);
	wrong = NULL;
	for (; died && at < STEPS_MAX; at += every) {
		if (!prepare_swap(&hits))
			break;
		died = die_at(do_swap, at);
		for (long i = 0; at % 3 == 2 && i < 3; i++) /* and who mends dies, too */
			die_at(do_open, (at + 7 * i) % 20);
		if (wrong || !check_swap(hits, &is_new))
			break;
		news += is_new;
		olds += !is_new;
	}
	ok(!died && !wrong && olds > 1 && news > 1,
	   "%s: a death at any of %ld steps of a swap leaves the old (%ld) or the new (%ld)",
	   ng_hook_name[hook], at, olds, news);
	if (wrong)
		printf("#   step %ld: %s\n", at, wrong);
	ok(!ng_gate_detach(&pins, g, &err), "%s: detaches", ng_hook_name[hook]);
}

static int overtakers;

static void overtake(void)
{
	if (overtakers && overtakers--)
		die_at(do_swap, -1);
}

static void detach_now(void)
{
	before_opening = NULL;
	ng_gate_remove(&pins, &lo, hook, NULL);
}

/* The directory that a reader is about to open is gone by then. */
static void overtaken_reader(void)
{
	struct ng_gate_spec spec = { .hook = hook, .mode = NG_WISH_GENERIC, .pin = true };
	struct ng_gate *g = NULL, *read = NULL;
	struct ng_pins unlocked = pins;
	struct ng_error err;

	wrong = NULL;
	unlocked.lock_fd = -1;
	if (!ok(!ng_gate_attach(&pins, &lo, &spec, &g, &err), "%s: attaches", ng_hook_name[hook]))
		return show(&err);
	overtakers = 3;
	before_opening = overtake;
	ok(!ng_gate_open(&unlocked, &lo, hook, &read, &err) && !overtakers && !wrong,
	   "%s: a reader that three swaps overtook opens the gate", ng_hook_name[hook]);
	before_opening = NULL;
	ok(read && read->maps.acl_gen == 4 && holds(&read->maps.acl, CLAUSES_B),
	   "%s: with the tables of the last", ng_hook_name[hook]);
	ng_gate_close(read);
	read = NULL;
	before_opening = detach_now;
	is_int(ng_gate_open(&unlocked, &lo, hook, &read, &err), -ENOENT,
	       "%s: one that a detach overtook finds nothing attached", ng_hook_name[hook]);
	ng_gate_close(g);
}

static int do_attach_new(void)
{
	const struct ng_gate_spec spec = { .hook = hook, .mode = NG_WISH_GENERIC, .pin = true };
	struct ng_gate *g;

	return ng_gate_attach(&pins, &lo, &spec, &g, NULL);
}

static int do_detach(void)
{
	return ng_gate_remove(&pins, &lo, hook, NULL);
}

/* What the next command finds: nothing, or a gate with all it needs, be its program on or off. */
static bool check_attached(bool *is_there)
{
	struct ng_gate *g = NULL;
	struct ng_error err;
	char dir[NG_PINS_DIR_MAX];
	int rc;

	if (ng_gate_collect(&pins, &err))
		return is_wrong("collecting");
	rc = ng_gate_open_any(&pins, &lo, hook, &g, &err);
	*is_there = !rc;
	if (rc == -ENOENT)
		return (!ng_pins_dir(&pins, lo.ifindex, hook, dir, sizeof(dir)) &&
			access(dir, F_OK)) ||
		       is_wrong("pins are left");
	if (rc) {
		show(&err);
		return is_wrong("it does not open");
	}
	if (!g->maps.acl.head || !holds(&g->maps.acl, 0))
		is_wrong("no tables");
	else if (g->prog_id)
		is_of_one_generation(g);
	ng_gate_close(g);
	return !wrong;
}

static void deaths_in_attach(const char *name, int (*work)(void), bool there_before)
{
	bool died = true, is_there;
	long at = 0;

	wrong = NULL;
	for (; died && !wrong && at < STEPS_MAX; at += every) {
		do_detach();
		if (there_before && die_at(do_attach_new, -1))
			break;
		died = die_at(work, at);
		if (!check_attached(&is_there))
			break;
	}
	ok(!died && !wrong && at > every && is_there != there_before,
	   "%s: a death at any of %ld steps of %s leaves all or nothing", ng_hook_name[hook], at,
	   name);
	if (wrong)
		printf("#   step %ld: %s\n", at, wrong);
	do_detach();
}

/* A gate that a capture made, this process's. */
static struct ng_gate *capture(void)
{
	const struct ng_gate_spec spec = { .hook = hook, .tap_only = true, .pin = true };
	const struct ng_tap_conf conf = { .linktype = 1 };
	struct ng_cbpf cbpf = { 0 };
	struct ng_gate *g = NULL;
	void *code = NULL;
	size_t size;
	__u64 now = 0;
	int fd = -1, slot = -1;

	if (ng_gate_attach(&pins, &lo, &spec, &g, NULL))
		return NULL;
	if (!ng_jiffies(&fd, &now) &&
	    !ng_filter_compile("udp", "expression", 1, 262144, 0, &cbpf, NULL) &&
	    !ng_filter_pack(&cbpf, &code, &size))
		slot = ng_tap_claim(&g->maps, &conf, code, size);
	if (!slot)
		g->maps.control->tap[0] =
			(struct ng_tap_control){ .lease_jiffies = (__u32)now + 1000000,
						 .snaplen = 262144 };
	close(fd);
	free(code);
	ng_cbpf_free(&cbpf);
	if (slot || ng_gate_reload(g, NULL))
		is_wrong("no tap");
	return g;
}

/* Temporary and passing, or whole and dropping by default; the tap is in it in either case. */
static bool check_adoption(bool *is_whole)
{
	struct ng_gate *g;
	int fd, verdict;
	bool good = readers_can_read(true);

	g = good ? open_gate() : NULL;
	if (!g)
		return false;
	fd = bpf_prog_get_fd_by_id(g->prog_id);
	verdict = run_packet(fd, hook, DROPPED);
	*is_whole = !g->maps.control->temporary;
	good = is_of_one_generation(g);
	if (good && verdict != (*is_whole ? NG_DROP : NG_PASS))
		good = is_wrong("program and control disagree");
	if (good && g->maps.control->taps != 1)
		good = is_wrong("the tap is gone");
	close(fd);
	ng_gate_close(g);
	return good;
}

/* work: between temporary and whole; back undoes it. */
static void deaths_in_adoption(const char *name, int (*work)(void), int (*back)(void), bool to)
{
	bool is_whole = !to, died = true;
	struct ng_gate *g = capture();
	long at = 0, done = 0, undone = 0;

	if (!ok(g && !wrong, "%s: a capture's gate", ng_hook_name[hook]))
		return;
	for (; died && !wrong && at < STEPS_MAX; at += every) {
		if (is_whole != !to || (to == false && !at)) {
			if (die_at(back, -1) || wrong)
				break;
		}
		died = die_at(work, at);
		if (at % 3 == 2)
			die_at(do_open, at % 10);
		if (wrong || !check_adoption(&is_whole))
			break;
		*(is_whole == to ? &done : &undone) += 1;
	}
	ok(!died && !wrong && done && undone,
	   "%s: a death at any of %ld steps of %s does it (%ld) or not (%ld)", ng_hook_name[hook],
	   at, name, done, undone);
	if (wrong)
		printf("#   step %ld: %s\n", at, wrong);
	ng_gate_detach(&pins, g, NULL);
}

/* Swaps without end. */
static int swap_on(void)
{
	struct ng_gate *g = open_gate();

	for (int i = 0; g && !swap_to_policy(g, i & 1 ? POLICY_A : POLICY_B); i++)
		;
	return 1;
}

/* Killed in the middle of what no step of ours marks. */
static void kills(int times)
{
	struct ng_gate_spec spec = { .hook = hook, .mode = NG_WISH_GENERIC, .pin = true };
	struct ng_gate *g = NULL;
	bool is_new;
	int i;

	if (ng_gate_attach(&pins, &lo, &spec, &g, NULL) || swap_to_policy(g, POLICY_A))
		is_wrong("preparing");
	for (i = 0; !wrong && i < times; i++) {
		const struct timespec pause = { .tv_nsec = 20000000 + i * 7000000 % 200000000 };
		pid_t pid = fork();

		if (!pid)
			_exit(swap_on());
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		check_swap(0, &is_new);
	}
	ok(!wrong, "%s: %d times SIGKILL in the middle of swaps", ng_hook_name[hook], times);
	if (wrong)
		printf("#   at %d: %s\n", i, wrong);
	ng_gate_detach(&pins, g, NULL);
}

int main(void)
{
	const bool quick = getenv("NG_QUICK");

	if (quick)
		every = 5;
	if (geteuid() || !set_up(&pins, &lo))
		tap_skip_all("needs root, network namespaces and bpffs");
	for (hook = 0; hook < NG_HOOK_MAX; hook++) {
		wrong = NULL;
		if (quick && hook == NG_HOOK_TC_OUT)
			break;
		deaths_in_swap();
		if (hook != NG_HOOK_XDP) {
			deaths_in_adoption("attach", do_attach, do_give_back, true);
			deaths_in_adoption("giving back", do_give_back, do_attach, false);
		}
		kills(quick ? 5 : 20);
		overtaken_reader();
		deaths_in_attach("attach", do_attach_new, false);
		deaths_in_attach("detach", do_detach, true);
	}
	ng_pins_close(&pins);
	return tap_done();
}
