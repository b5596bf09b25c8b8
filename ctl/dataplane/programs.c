// SPDX-License-Identifier: GPL-2.0-only
/* Asks the kernel what is attached: XDP by netlink, TCX by bpf(2), clsact by a filter dump. */
#include "ctl/dataplane/programs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl/dataplane/filters.h"
#include "ctl/dataplane/libbpf_log.h"

#define TCX_INGRESS 46 /* linux/bpf.h of Linux >= 6.6 */
#define TCX_EGRESS  47
#define TCX_MAX	    64 /* BPF_MPROG_MAX: programs on one hook */

struct list {
	struct ng_program *program;
	size_t n, max;
	unsigned int ifindex;
	enum ng_hook hook; /* being listed */
	int rc;
};

/* A new element, or NULL with l->rc set. */
static struct ng_program *add(struct list *l, const char *mode)
{
	if (l->n == l->max) {
		size_t max = l->max ? l->max * 2 : 16;
		struct ng_program *more = realloc(l->program, max * sizeof(*more));

		if (!more) {
			l->rc = -ENOMEM;
			return NULL;
		}
		l->program = more;
		l->max = max;
	}
	l->program[l->n] = (struct ng_program){ .hook = l->hook };
	snprintf(l->program[l->n].mode, sizeof(l->program[l->n].mode), "%s", mode);
	return &l->program[l->n++];
}

static void add_component(const struct ng_prog *prog, void *arg)
{
	struct ng_program *p = add(arg, "component");

	if (p)
		p->prog = *prog;
}

static void list_xdp(struct list *l)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	l->hook = NG_HOOK_XDP;
	if (bpf_xdp_query((int)l->ifindex, 0, &q))
		return;
	const struct {
		__u32 id;
		const char *mode;
	} found[] = {
		{ q.hw_prog_id, "offload" },
		{ q.drv_prog_id, "native" },
		{ q.skb_prog_id, "generic" },
	};
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		struct ng_program *p = found[i].id ? add(l, found[i].mode) : NULL;

		if (p)
			ng_prog_describe(found[i].id, 0, l->ifindex, &p->prog);
	}
	if (q.prog_id || q.drv_prog_id || q.skb_prog_id)
		ng_dispatcher_each(l->ifindex, add_component, l);
}

/* BPF_PROG_QUERY as from Linux 6.6 on; the 6.1 headers lack the links. */
struct query {
	__u32 ifindex, attach_type, query_flags, attach_flags;
	__u64 prog_ids;
	__u32 count, pad;
	__u64 prog_attach_flags, link_ids, link_attach_flags, revision;
};

static void list_tcx(struct list *l)
{
	__u32 prog_id[TCX_MAX] = { 0 }, link_id[TCX_MAX] = { 0 };
	struct query q = {
		.ifindex = l->ifindex,
		.attach_type = l->hook == NG_HOOK_TC_OUT ? TCX_EGRESS : TCX_INGRESS,
		.prog_ids = (__u64)(unsigned long)prog_id,
		.link_ids = (__u64)(unsigned long)link_id,
		.count = TCX_MAX,
	};

	if (syscall(__NR_bpf, BPF_PROG_QUERY, &q, sizeof(q)))
		return; /* no TCX in this kernel */
	for (__u32 i = 0; i < q.count && i < TCX_MAX; i++) {
		struct ng_program *p = add(l, "tcx");

		if (p)
			ng_prog_describe(prog_id[i], link_id[i], l->ifindex, &p->prog);
	}
}

static int take_filter(const struct ng_tc_filter *f, void *arg)
{
	struct list *l = arg;
	struct ng_program *p = add(l, "clsact");

	if (!p)
		return l->rc;
	p->prio = f->prio;
	if (f->prog_id)
		ng_prog_describe(f->prog_id, 0, l->ifindex, &p->prog);
	else
		snprintf(p->kind, sizeof(p->kind), "%s", f->kind);
	return 0;
}

/* The kernel runs TCX before clsact. */
static void list_tc(struct list *l, enum ng_hook hook)
{
	int rc;

	l->hook = hook;
	list_tcx(l);
	rc = ng_tc_filters_each(l->ifindex, hook, take_filter, l);
	if (rc && !l->rc)
		l->rc = rc;
}

int ng_programs_list(const struct ng_link *link, struct ng_program **list, size_t *n,
		     struct ng_error *err)
{
	struct list l = { .ifindex = link->ifindex };

	ng_libbpf_log_init();
	list_xdp(&l);
	list_tc(&l, NG_HOOK_TC_IN);
	list_tc(&l, NG_HOOK_TC_OUT);
	if (l.rc) {
		free(l.program);
		return ng_err(err, NG_EXIT_FAILED, -l.rc, link->name,
			      "listing its programs failed");
	}
	*list = l.program;
	*n = l.n;
	return 0;
}
