// SPDX-License-Identifier: GPL-2.0-only
/* How long until a filter is in force: at an attached gate, and for a large list. */
#include "tests/bench/filter/machine.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/dataplane/gate.h"
#include "ctl/filter/pack.h"
#include "maps/tap.h"

#define DLT_EN10MB 1
#define DEVICE	   "bench0"

/* What a process of its own measured. */
struct report {
	int ret;
	double ms[CHANGES];
};

struct question {
	int (*ask)(const struct question *q, double *ms);
	enum ng_hook hook;
	const char *expr;
	size_t hosts;
	unsigned int limit; /* seconds; 0: none */
};

static double ms_since(uint64_t start)
{
	return (double)(now_ns() - start) / 1e6;
}

/* In a child: namespaces go with it, and a time limit ends it. */
static void child(const struct question *q, int to)
{
	struct report report = { 0 };

	alarm(q->limit);
	if (!freopen("/dev/null", "w", stderr)) /* attaching warns about veth */
		_exit(1);
	report.ret = q->ask(q, report.ms);
	_exit(write(to, &report, sizeof(report)) != sizeof(report));
}

static int ask_child(const struct question *q, struct report *report)
{
	int fd[2], status;
	ssize_t got;
	pid_t pid;

	if (pipe(fd))
		return -errno;
	pid = fork();
	if (pid == 0)
		child(q, fd[1]);
	close(fd[1]);
	got = pid > 0 ? read(fd[0], report, sizeof(*report)) : -1;
	close(fd[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (got == sizeof(*report))
		return report->ret;
	return pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? -ETIMEDOUT : -EIO;
}

/* A gate in a namespace of its own */

static int open_place(struct ng_pins *pins, struct ng_link *link)
{
	pid_t holder;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return -errno;
	if (system("ip link add " DEVICE " type veth peer name bench1 && "
		   "ip link set " DEVICE " up && ip link set bench1 up"))
		return -ENODEV;
	if (ng_pins_open(pins, NULL) || ng_pins_lock(pins, 1000, &holder))
		return -EIO;
	return ng_link_get(DEVICE, link, NULL);
}

/* From the words to the slot of a tap. */
static int claim(struct ng_gate *gate, const char *expr)
{
	const struct ng_tap_conf conf = { .linktype = DLT_EN10MB };
	struct ng_cbpf cbpf = { 0 };
	void *code = NULL;
	size_t size;
	int ret = ng_filter_compile(expr, "expression", DLT_EN10MB, 262144, 0, &cbpf, NULL);

	if (!ret)
		ret = ng_filter_pack(&cbpf, &code, &size);
	if (!ret)
		ret = ng_tap_claim(&gate->maps, &conf, code, size);
	free(code);
	ng_cbpf_free(&cbpf);
	return ret;
}

static int change(struct ng_gate *gate, const char *expr, double *ms)
{
	uint64_t start = now_ns();
	int slot = claim(gate, expr), ret = slot < 0 ? slot : ng_gate_reload(gate, NULL);

	*ms = ms_since(start);
	if (slot >= 0)
		ng_tap_release(&gate->maps, (__u32)slot);
	return ret ? ret : ng_gate_reload(gate, NULL);
}

static int ask_changes(const struct question *q, double *ms)
{
	const struct ng_gate_spec spec = { .hook = q->hook, .pin = true };
	struct ng_gate *gate;
	struct ng_pins pins;
	struct ng_link link;
	int ret = open_place(&pins, &link);

	if (!ret)
		ret = ng_gate_attach(&pins, &link, &spec, &gate, NULL);
	if (ret)
		return ret;
	for (int i = 0; !ret && i < CHANGES; i++)
		ret = change(gate, q->expr, &ms[i]);
	ng_gate_detach(&pins, gate, NULL);
	ng_pins_close(&pins);
	return ret;
}

int live_changes(enum ng_hook hook, const char *expr, double *ms)
{
	const struct question q = { .ask = ask_changes, .hook = hook, .expr = expr };
	struct report report;
	int ret = ask_child(&q, &report);

	for (int i = 0; !ret && i < CHANGES; i++)
		ms[i] = report.ms[i];
	return ret;
}

static int ask_hosts(const struct question *q, double *ms)
{
	const struct ng_gate_spec spec = { .hook = q->hook };
	uint32_t *address = set_addresses(q->hosts);
	char *text = address ? set_expression(address, q->hosts) : NULL;
	uint64_t start = now_ns();
	struct ng_gate *gate;
	struct ng_cbpf cbpf;
	int ret = text ? ng_filter_compile(text, "expression", DLT_EN10MB, 262144, 0, &cbpf, NULL)
		       : -ENOMEM;

	ms[0] = ms_since(start);
	start = now_ns();
	if (!ret)
		ret = ng_gate_load(q->hook, &cbpf, &spec, &gate, NULL);
	ms[1] = ms_since(start);
	return ret;
}

int live_hosts(size_t n, unsigned int limit, double *compile_ms, double *load_ms)
{
	const struct question q = {
		.ask = ask_hosts, .hook = NG_HOOK_XDP, .hosts = n, .limit = limit
	};
	struct report report;
	int ret = ask_child(&q, &report);

	if (!ret) {
		*compile_ms = report.ms[0];
		*load_ms = report.ms[1];
	}
	return ret;
}
