// SPDX-License-Identifier: GPL-2.0-only
/* Generations of ACL tables take each other's place: under traffic, under readers, by both engines. */
#include "tests/bpf/acl_swap.h"

#include <cap-ng.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "maps/counters.h"

#define PORT	 9
#define PATIENCE 20 /* seconds for what is on its way */
#define SENDERS	 2

static struct ng_pins pins;
static struct ng_link lo;
static enum ng_hook loaded_hook; /* where traffic is */
static int swaps = 20;

static struct ng_gate *attach(enum ng_hook hook, enum policy policy, enum ng_acl_engine engine)
{
	struct ng_gate_spec spec = { .hook = hook, .mode = NG_WISH_GENERIC, .pin = true };
	struct ng_acl_tables built;
	struct ng_gate *g = NULL;
	struct ng_error err;

	if (ng_gate_attach(&pins, &lo, &spec, &g, &err)) {
		show(&err);
		return NULL;
	}
	if (!build_policy(policy, engine, &built) && !ng_gate_acl_swap(g, &built, &err))
		return g;
	ng_gate_detach(&pins, g, NULL);
	return NULL;
}

static bool swap(struct ng_gate *g, enum policy policy, enum ng_acl_engine engine)
{
	struct ng_acl_tables built;
	struct ng_error err;

	if (build_policy(policy, engine, &built))
		return is_wrong("building");
	if (!ng_gate_acl_swap(g, &built, &err))
		return true;
	show(&err);
	return is_wrong("swapping");
}

/* What stands still: numbers, pins, programs, who had the gate open. */
static void test_steps(enum ng_hook hook)
{
	struct ng_gate *g = attach(hook, POLICY_A, NG_ENGINE_TRIE), *early = NULL, *late = NULL;
	const char *name = ng_hook_name[hook];
	struct ng_error err;
	__u32 prog;

	if (!ok(g, "%s: attaches and takes a first policy", name))
		return;
	is_int(g->maps.acl_gen, 2, "%s: which is generation 2", name);
	ok(is_of_one_generation(g) && is_one_policy(g), "%s: program, pins and control agree",
	   name);
	run_packet(g->prog_fd, hook, COUNTED);
	ok(!ng_gate_open(&pins, &lo, hook, &early, &err), "%s: another opens it", name);
	prog = g->prog_id;
	ok(swap(g, POLICY_B, NG_ENGINE_TRIE), "%s: takes the next", name);
	ok(g->prog_id != prog && g->maps.acl_gen == 3, "%s: by another program", name);
	ok(is_of_one_generation(g) && holds(&g->maps.acl, CLAUSES_B) && is_one_policy(g),
	   "%s: program, pins and control agree again", name);
	is_int(counted(&g->maps.acl), 1, "%s: a clause in both goes on counting", name);
	if (early) {
		ok(holds(&early->maps.acl, CLAUSES_A), "%s: the other has what it had", name);
		ok(!ng_gate_follow(early, &err) && holds(&early->maps.acl, CLAUSES_B),
		   "%s: until it follows", name);
		ok(swap(g, POLICY_A, NG_ENGINE_TRIE) && !ng_gate_reload(early, &err),
		   "%s: reloading an old view", name);
		ok(early->maps.acl_gen == 4 && is_of_one_generation(early) && is_one_policy(early),
		   "%s: follows, too", name);
	}
	ok(swap(g, POLICY_A, NG_ENGINE_LPM) && is_of_one_generation(g) && is_one_policy(g),
	   "%s: the other engine takes over", name);
	ok(!ng_gate_open(&pins, &lo, hook, &late, &err) && is_of_one_generation(late) &&
		   holds(&late->maps.acl, CLAUSES_A),
	   "%s: and opens by its pins", name);
	ng_gate_close(early);
	ng_gate_close(late);
	ok(!ng_gate_detach(&pins, g, &err), "%s: detaches", name);
	is_int(ng_gate_open(&pins, &lo, hook, &g, &err), -ENOENT, "%s: with all its pins", name);
}

/* A link that somebody detached takes no program. */
static void test_refused(void)
{
	struct ng_gate *g = attach(NG_HOOK_XDP, POLICY_A, NG_ENGINE_TRIE);
	struct ng_acl_tables built;
	struct ng_error err;
	__u32 gen = 0;

	if (!ok(g && !bpf_link_detach(g->link_fd), "somebody takes a program off"))
		return;
	ok(!build_policy(POLICY_B, NG_ENGINE_TRIE, &built) && ng_gate_acl_swap(g, &built, &err),
	   "a swap is refused");
	ok(!built.head && holds(&g->maps.acl, CLAUSES_A), "the tables are the old ones");
	ok(generations(g->maps.dir, &gen) == 1 && gen == 2, "and nothing else is left");
	ng_gate_detach(&pins, g, NULL);
}

/* With the capabilities that the README asks for. */
static void test_without_sys_admin(void)
{
	struct ng_gate *g = attach(NG_HOOK_TC_IN, POLICY_A, NG_ENGINE_TRIE), *mine = NULL;
	struct ng_error err;
	int status = -1;
	pid_t pid;

	if (!ok(g, "a gate"))
		return;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		capng_get_caps_process();
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
		if (capng_apply(CAPNG_SELECT_CAPS) ||
		    ng_gate_open(&pins, &lo, NG_HOOK_TC_IN, &mine, &err))
			_exit(1);
		_exit(swap(mine, POLICY_B, NG_ENGINE_TRIE) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "a process without CAP_SYS_ADMIN swaps its tables");
	ok(!ng_gate_follow(g, &err) && holds(&g->maps.acl, CLAUSES_B), "which is seen");
	ng_gate_detach(&pins, g, NULL);
}

static void send_one(const int fd[PACKETS], enum packet packet)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	inet_pton(AF_INET, destination[packet], &to.sin_addr);
	sendto(fd[packet], "ng", 2, 0, (struct sockaddr *)&to, sizeof(to));
}

static int sender_socket(enum packet packet)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, source[packet], &from.sin_addr);
	return fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ? -1 : fd;
}

static volatile sig_atomic_t is_over;

static void end_it(int sig)
{
	(void)sig;
	is_over = 1;
}

/* Sends as many of each until it is told to end; returns how many of each. */
static __u64 send_until_over(void)
{
	int fd[PACKETS];
	__u64 sent = 0;

	for (int i = 0; i < PACKETS; i++)
		fd[i] = sender_socket(i);
	for (; !is_over; sent++)
		for (int i = 0; i < PACKETS; i++)
			send_one(fd, i);
	return sent;
}

/* Without the lock: opens and lists, again and again; how often that failed. */
static __u64 read_until_over(void)
{
	struct ng_pins mine = pins;
	__u64 failures = 0, reads = 0;

	mine.lock_fd = -1;
	for (; !is_over; reads++) {
		struct ng_error err = { 0 };
		struct ng_gate *g = NULL;

		if (ng_gate_open(&mine, &lo, loaded_hook, &g, &err)) {
			printf("# %s %s\n", err.what, err.why);
			failures++;
		} else if (!holds_either(&g->maps.acl)) {
			printf("# a list of neither\n");
			failures++;
		}
		ng_gate_close(g);
	}
	printf("# %llu reads\n", (unsigned long long)reads);
	return reads ? failures : 1;
}

struct worker {
	pid_t pid;
	int result;
};

static struct worker start(__u64 (*work)(void))
{
	struct worker w = { .pid = -1, .result = -1 };
	int fd[2];

	fflush(stdout);
	if (pipe(fd))
		return w;
	w.result = fd[0];
	w.pid = fork();
	if (!w.pid) {
		__u64 result;

		signal(SIGTERM, end_it);
		result = work();
		fflush(stdout);
		_exit(write(fd[1], &result, sizeof(result)) != sizeof(result));
	}
	close(fd[1]);
	return w;
}

static __u64 stop(struct worker *w)
{
	__u64 result = ~0ull;

	kill(w->pid, SIGTERM);
	if (read(w->result, &result, sizeof(result)) != sizeof(result))
		result = ~0ull;
	close(w->result);
	waitpid(w->pid, NULL, 0);
	return result;
}

static __u64 judged(struct ng_gate *g, enum ng_verdict verdict)
{
	struct ng_counter sum[NG_COUNTERS];

	if (ng_counters_read(&g->maps, sum))
		return ~0ull;
	return sum[NG_COUNTER_INDEX(verdict, NG_R_ACL_SRC)].packets +
	       sum[NG_COUNTER_INDEX(verdict, NG_R_ACL_DST)].packets;
}

/* What was sent is counted when the CPUs have come round to it. */
static __u64 wait_judged(struct ng_gate *g, enum ng_verdict verdict, __u64 want)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	__u64 got = 0;

	for (int i = 0; i < PATIENCE * 100 && (got = judged(g, verdict)) < want; i++)
		nanosleep(&pause, NULL);
	return got;
}

/* A packet that no socket wants would be answered. */
static int receiver(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
}

static bool swap_often(struct ng_gate *g)
{
	for (int i = 0; i < swaps; i++)
		if (!swap(g, i & 1 ? POLICY_A : POLICY_B,
			  i % 4 == 3 ? NG_ENGINE_LPM : NG_ENGINE_TRIE))
			return false;
	return true;
}

static void test_under_load(enum ng_hook hook)
{
	struct ng_gate *g = attach(hook, POLICY_A, NG_ENGINE_TRIE);
	struct worker sender[SENDERS], reader;
	int sink = receiver();
	__u64 sent = 0;
	bool swapped;

	loaded_hook = hook;
	if (!ok(g && sink >= 0, "%s: a gate for traffic", ng_hook_name[hook]))
		return;
	for (int i = 0; i < SENDERS; i++)
		sender[i] = start(send_until_over);
	reader = start(read_until_over);
	swapped = swap_often(g);
	for (int i = 0; i < SENDERS; i++)
		sent += stop(&sender[i]);
	ok(swapped, "%d swaps under traffic%s%s", swaps, swapped ? "" : ": ", swapped ? "" : wrong);
	is_int(stop(&reader), 0, "readers without the lock never fail");
	printf("# %llu packets of each kind\n", (unsigned long long)sent);
	is_int(wait_judged(g, NG_DROP, sent), sent,
	       "what both policies drop was dropped, all of it");
	is_int(wait_judged(g, NG_PASS, sent), sent, "what both pass passed, all of it");
	is_int(counted(&g->maps.acl), sent, "and what both count was counted once");
	close(sink);
	ng_gate_detach(&pins, g, NULL);
}

/* Not attached: the program changes all the same. */
static void test_loaded(void)
{
	const struct ng_gate_spec spec = { .hook = NG_HOOK_TC_IN };
	struct ng_gate *g = NULL;
	struct ng_error err;

	if (!ok(!ng_gate_load(NG_HOOK_TC_IN, NULL, &spec, &g, &err), "a gate that is not attached"))
		return;
	is_int(run_packet(g->prog_fd, g->hook, DROPPED), NG_PASS, "it is empty");
	ok(swap(g, POLICY_A, NG_ENGINE_TRIE), "takes a policy");
	is_int(run_packet(g->prog_fd, g->hook, DROPPED), NG_DROP, "which is in force");
	ng_gate_close(g);
}

int main(void)
{
	if (getenv("NG_QUICK"))
		swaps = 6;
	if (geteuid() || !set_up(&pins, &lo))
		tap_skip_all("needs root, network namespaces and bpffs");
	test_loaded();
	for (int hook = 0; hook < NG_HOOK_MAX; hook++)
		test_steps(hook);
	test_refused();
	test_without_sys_admin();
	test_under_load(NG_HOOK_XDP);
	test_under_load(NG_HOOK_TC_IN);
	ng_pins_close(&pins);
	return tap_done();
}
