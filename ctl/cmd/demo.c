// SPDX-License-Identifier: GPL-2.0-only
/* nicgate demo: a network to try everything on,
 * with traffic whose amounts are known, and no NIC at risk. */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl/base/num.h"
#include "ctl/base/opts.h"
#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/gate.h"
#include "ctl/net/frames.h"
#include "ctl/net/veth.h"

#define ROUNDS_MAX 100000
#define RATE_MAX   1000000

static const struct ng_veth demo = {
	.alias = "nicgate demo",
	.netns = "nicgate-demo",
	.near = { .name = "ng0",
		  .mac = { 0x02, 0x00, 0x5e, 0x10, 0x00, 0x01 },
		  .addr4 = "198.51.100.1/24",
		  .addr6 = "2001:db8:6e67::1/64" },
	.far = { .name = "ng1",
		 .mac = { 0x02, 0x00, 0x5e, 0x10, 0x00, 0x02 },
		 .addr4 = "198.51.100.2/24",
		 .addr6 = "2001:db8:6e67::2/64" },
};

static int no_memory(struct ng_error *err)
{
	return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "cannot print the result");
}

/* ---- up ---- */

static void show_end(struct ng_out *out, const struct ng_veth_end *end, const char *netns)
{
	ng_table_str(out, end->name);
	ng_table_str(out, netns);
	ng_table_str(out, end->addr4);
	ng_table_str(out, end->addr6);
}

static int show_up(const struct ng_global *g, const char *result, struct ng_error *err)
{
	static const struct ng_column columns[] = {
		{ "device", "DEVICE", NG_LEFT },
		{ "netns", "NETNS", NG_LEFT },
		{ "ipv4", "IPV4", NG_LEFT },
		{ "ipv6", "IPV6", NG_LEFT },
	};
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	int rc;

	if (!out)
		return no_memory(err);
	ng_out_begin(out);
	ng_out_str(out, "result", "demo", result);
	ng_table_begin(out, "ends", columns, sizeof(columns) / sizeof(columns[0]));
	show_end(out, &demo.near, NULL);
	show_end(out, &demo.far, demo.netns);
	ng_table_end(out);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

static int refuse(enum ng_veth_state state, struct ng_error *err)
{
	if (state == NG_VETH_BROKEN) {
		ng_err(err, NG_EXIT_FAILED, 0, demo.near.name, "only this half of a demo is left");
		ng_err_try(err, "nicgate demo down");
		return -EEXIST;
	}
	ng_err(err, NG_EXIT_FAILED, EEXIST, demo.near.name,
	       "an interface of this name is not the demo's");
	ng_err_why(err, "the demo's has the alias '%s', and this one is left alone", demo.alias);
	ng_err_try(err, "ip -details link show dev %s", demo.near.name);
	return -EEXIST;
}

static int up(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	enum ng_veth_state state;
	int rc;

	if (argc > 1)
		return ng_usage(err, &ng_verb_demo, "demo up takes no more words: '%s'", argv[1]);
	rc = ng_veth_look(&demo, &state, err);
	if (rc)
		return rc;
	if (state == NG_VETH_WHOLE)
		return show_up(g, "unchanged", err);
	if (state != NG_VETH_NONE)
		return refuse(state, err);
	rc = ng_veth_create(&demo, err);
	if (rc == -EEXIST)
		ng_err_try(err, "nicgate demo down    (removes a demo of another namespace, too)");
	if (rc && err->exit == NG_EXIT_PRIVILEGE) {
		ng_err_why(err, "interfaces and network namespaces ask for CAP_NET_ADMIN and "
				"CAP_SYS_ADMIN, and for root's /run/netns");
		ng_err_try(err, "sudo nicgate demo up");
	}
	return rc ? rc : show_up(g, "created", err);
}

/* ---- send ---- */

static const struct ng_opt send_options[] = {
	{ 'r', "rate", NG_OPT_VALUE, "PPS", "frames a second; default: as fast as it goes" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

struct sending {
	uint64_t rounds, rate;
	int fd;
	uint64_t frames, bytes; /* sent */
	struct timespec next;
};

static int parse_send(struct sending *s, int argc, char **argv, struct ng_error *err)
{
	struct ng_opts o = { .table = send_options, .argc = argc, .argv = argv, .next = 1 };
	const char *value;
	int id;

	while ((id = ng_opts_next(&o, &value, err)) != 0) {
		if (id < 0)
			return id;
		if (ng_parse_u64(value, 1, RATE_MAX, &s->rate))
			return ng_usage(err, &ng_verb_demo,
					"--rate '%s': not a number from 1 to %d", value, RATE_MAX);
	}
	if (o.next < argc && ng_parse_u64(argv[o.next], 1, ROUNDS_MAX, &s->rounds))
		return ng_usage(err, &ng_verb_demo, "rounds '%s': not a number from 1 to %d",
				argv[o.next], ROUNDS_MAX);
	if (o.next + 1 < argc)
		return ng_usage(err, &ng_verb_demo, "unexpected word '%s'", argv[o.next + 1]);
	return 0;
}

/* Runs in the far namespace; the socket stays there. */
static int open_far(void *arg, struct ng_error *err)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET };
	int *fd = arg;

	sll.sll_ifindex = (int)if_nametoindex(demo.far.name);
	if (!sll.sll_ifindex)
		return ng_err(err, NG_EXIT_NOT_FOUND, ENODEV, demo.far.name, "not in namespace %s",
			      demo.netns);
	*fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return ng_err(err, errno == EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, errno,
			      demo.far.name, "sending frames needs CAP_NET_RAW");
	if (bind(*fd, (struct sockaddr *)&sll, sizeof(sll)))
		return ng_err(err, NG_EXIT_FAILED, errno, demo.far.name, "cannot send there");
	return 0;
}

static void pace(struct sending *s)
{
	if (!s->rate)
		return;
	if (!s->frames)
		clock_gettime(CLOCK_MONOTONIC, &s->next);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &s->next, NULL) == EINTR)
		;
	s->next.tv_nsec += (long)(1000000000 / s->rate);
	s->next.tv_sec += s->next.tv_nsec / 1000000000;
	s->next.tv_nsec %= 1000000000;
}

static int send_frame(struct sending *s, size_t kind, unsigned int n, struct ng_error *err)
{
	uint8_t buf[NG_FRAME_MAX];
	ssize_t len = ng_mix_frame(kind, n, demo.far.mac, buf, sizeof(buf));

	if (len < 0)
		return ng_err(err, NG_EXIT_FAILED, (int)-len, ng_mix[kind].name,
			      "cannot build frame %u", n);
	pace(s);
	if (send(s->fd, buf, (size_t)len, 0) < 0)
		return ng_err(err, NG_EXIT_FAILED, errno, demo.far.name,
			      "sending failed after %llu frames", (unsigned long long)s->frames);
	s->frames++;
	s->bytes += (uint64_t)len;
	return 0;
}

static int send_rounds(struct sending *s, struct ng_error *err)
{
	int rc = 0;

	for (uint64_t round = 0; round < s->rounds; round++)
		for (size_t kind = 0; kind < ng_mix_kinds; kind++)
			for (unsigned int n = 0; n < ng_mix[kind].frames && !rc; n++)
				rc = send_frame(s, kind, n, err);
	return rc;
}

static int show_sent(const struct ng_global *g, const struct sending *s, struct ng_error *err)
{
	static const struct ng_column columns[] = {
		{ "kind", "KIND", NG_LEFT },
		{ "frames", "FRAMES", NG_RIGHT },
		{ "source", "FROM", NG_LEFT },
		{ "filter", "FILTER", NG_LEFT },
	};
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	int rc;

	if (!out)
		return no_memory(err);
	ng_out_begin(out);
	ng_table_begin(out, "kinds", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t kind = 0; kind < ng_mix_kinds; kind++) {
		ng_table_str(out, ng_mix[kind].name);
		ng_table_u64(out, ng_mix[kind].frames * s->rounds);
		ng_table_str(out, ng_mix[kind].source);
		ng_table_str(out, ng_mix[kind].filter);
	}
	ng_table_end(out);
	ng_out_u64(out, "frames", "frames sent", s->frames);
	ng_out_u64(out, "bytes", "bytes sent", s->bytes);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

static int send_mix(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	struct sending s = { .rounds = 1, .fd = -1 };
	int rc = parse_send(&s, argc, argv, err);

	if (rc)
		return rc;
	rc = ng_veth_inside(&demo, open_far, &s.fd, err);
	if (rc == -ENOENT || rc == -ENODEV)
		ng_err_try(err, "nicgate demo up");
	if (!rc)
		rc = send_rounds(&s, err);
	if (s.fd >= 0)
		close(s.fd);
	return rc ? rc : show_sent(g, &s, err);
}

/* ---- down ---- */

struct leftovers {
	const char *bpffs, *device;
	unsigned int ifindex;
	bool hook[NG_HOOK_MAX];
	unsigned int gates; /* removed so far */
};

static int note_gate(__u32 ifindex, enum ng_hook hook, void *arg)
{
	struct leftovers *l = arg;

	l->hook[hook] |= ifindex == l->ifindex;
	return 0;
}

/* Detaches what is ours on a device of the current network namespace;
 * without bpffs there is nothing. */
static int detach_device(void *arg, struct ng_error *err)
{
	struct leftovers *l = arg;
	struct ng_link link;
	struct ng_pins pins;
	int rc;

	l->ifindex = if_nametoindex(l->device);
	if (!l->ifindex || ng_pins_open(&pins, l->bpffs))
		return 0;
	rc = ng_pins_each(&pins, note_gate, l);
	ng_pins_close(&pins);
	if (rc || !memchr(l->hook, true, sizeof(l->hook)))
		return 0;
	rc = ng_link_get(l->device, &link, err);
	if (!rc)
		rc = ng_gate_begin(&pins, l->bpffs, true, err);
	if (rc)
		return rc;
	for (int hook = 0; hook < NG_HOOK_MAX && !rc; hook++) {
		if (!l->hook[hook])
			continue;
		rc = ng_gate_remove(&pins, &link, hook, err);
		l->gates += !rc;
	}
	ng_pins_close(&pins);
	return rc;
}

static int detach_both(const struct ng_global *g, enum ng_veth_state state, unsigned int *gates,
		       struct ng_error *err)
{
	struct leftovers near = { .bpffs = g->bpffs, .device = demo.near.name };
	struct leftovers far = { .bpffs = g->bpffs, .device = demo.far.name };
	int rc = 0;

	if (state == NG_VETH_WHOLE || state == NG_VETH_BROKEN)
		rc = detach_device(&near, err);
	if (!rc && state == NG_VETH_WHOLE)
		rc = ng_veth_inside(&demo, detach_device, &far, err);
	*gates = near.gates + far.gates;
	return rc;
}

static int show_down(const struct ng_global *g, bool removed, unsigned int gates,
		     struct ng_error *err)
{
	struct ng_out *out = ng_out_new(g->json, g->pretty);
	int rc;

	if (!out)
		return no_memory(err);
	ng_out_begin(out);
	ng_out_str(out, "result", NULL, removed ? "removed" : "unchanged");
	ng_out_str(out, NULL, "demo", removed ? "removed" : "unchanged, there was none");
	ng_out_u64(out, "detached", gates ? "gates detached" : NULL, gates);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

static int down(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	enum ng_veth_state state;
	unsigned int gates = 0;
	bool removed;
	int rc;

	if (argc > 1)
		return ng_usage(err, &ng_verb_demo, "demo down takes no more words: '%s'", argv[1]);
	rc = ng_veth_look(&demo, &state, err);
	if (!rc)
		rc = detach_both(g, state, &gates, err);
	if (!rc)
		rc = ng_veth_delete(&demo, &removed, err);
	return rc ? rc : show_down(g, removed, gates, err);
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	static const struct {
		const char *name;
		ng_verb_fn run;
	} action[] = { { "up", up }, { "send", send_mix }, { "down", down } };
	static const char *const names[] = { "up", "send", "down", NULL };

	if (argc < 2)
		return ng_usage(err, &ng_verb_demo, "up, send or down is missing");
	for (size_t i = 0; i < sizeof(action) / sizeof(action[0]); i++)
		if (!strcmp(action[i].name, argv[1]))
			return action[i].run(g, argc - 1, argv + 1, err);
	return ng_usage_word(err, "demo", argv[1], names);
}

const struct ng_verb ng_verb_demo = {
	.name = "demo",
	.run = run,
	.summary = "a network to try everything on",
	.usage =
		"demo up\n"
		"  makes ng0 here (198.51.100.1, 2001:db8:6e67::1) and its peer ng1 (.2, ::2) in namespace nicgate-demo\n"
		"demo send [--rate PPS] [ROUNDS]\n"
		"  sends a known mix of 100 frames a round from ng1 to ng0 and says how many of each\n"
		"demo down\n"
		"  detaches what is ours from both, removes them and the namespace",
};
