// SPDX-License-Identifier: GPL-2.0-only
/* nicgate attach: no default drop under the user's own SSH session, unless clauses pass it. */
#include "ctl/cmd/attach.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ctl/net/gateway.h"
#include "ctl/policy/prefix.h"

bool ng_attach_guard_begin(struct ng_attach_guard *g)
{
	char text[256];

	*g = (struct ng_attach_guard){ 0 };
	return ng_ssh_connection(text, sizeof(text)) && ng_guard_session(&g->who, text) &&
	       g->who.have_server;
}

/* Clauses that will end do not count: the session goes on. */
static bool ask_acl(void *arg, enum ng_side side, const struct ng_prefix *addr, __u16 port,
		    __u8 *verdict)
{
	struct ng_maps *m = arg;
	struct ng_acl_entry e;
	__u32 clause;

	if (ng_acl_test(&m->acl, addr, side, IPPROTO_TCP, port, ~0ull, &clause) ||
	    ng_acl_entry_get(&m->acl, clause, &e))
		return false;
	*verdict = e.verdict;
	return true;
}

static bool ask_nobody(void *arg, enum ng_side side, const struct ng_prefix *addr, __u16 port,
		       __u8 *verdict)
{
	(void)arg, (void)side, (void)addr, (void)port, (void)verdict;
	return false;
}

/* gate: what is pinned, NULL: nothing. One whose program was taken off keeps its settings. */
static bool becomes_drop(const struct ng_gate *gate, bool in_force, int verdict)
{
	bool keeps = gate && !gate->maps.control->temporary;
	__u32 now = keeps ? gate->maps.control->default_verdict : NG_PASS;

	return (verdict < 0 ? now : (__u32)verdict) == NG_DROP && !(in_force && now == NG_DROP);
}

static int look_at(struct ng_attach_guard *g, const struct ng_link *link, enum ng_hook hook,
		   const struct ng_gate *gate, int verdict, struct ng_error *err)
{
	const struct ng_prefix *server = &g->who.server;
	enum ng_dir dir = hook == NG_HOOK_TC_OUT ? NG_OUT : NG_IN;
	bool in_force = gate && gate->prog_id && !gate->maps.control->temporary;
	bool here = false;
	int rc;

	if (!becomes_drop(gate, in_force, verdict) ||
	    (g->link && g->link->ifindex != link->ifindex))
		return 0;
	rc = ng_link_has_address(link, server->family == NG_IPV6 ? AF_INET6 : AF_INET,
				 server->addr_be, &here, err);
	if (rc || !here)
		return rc;
	if (ng_guard_session_passes(&g->who, dir, gate ? ask_acl : ask_nobody,
				    gate ? (void *)&gate->maps : NULL))
		return 0;
	g->link = link;
	g->cut[dir] = true;
	g->missing |= !in_force;
	g->comes_back |= !in_force && gate && !gate->maps.control->temporary;
	return 0;
}

int ng_attach_guard_look(struct ng_attach_guard *g, const struct ng_pins *pins,
			 const struct ng_link *link, enum ng_hook hook, int verdict,
			 struct ng_error *err)
{
	struct ng_gate *gate = NULL;
	struct ng_error why;
	int rc = ng_gate_open_any(pins, link, hook, &gate, &why);

	if (rc && rc != -ENOENT) {
		*err = why;
		return rc;
	}
	rc = look_at(g, link, hook, gate, verdict, err);
	ng_gate_close(gate);
	return rc;
}

int ng_attach_guard_end(const struct ng_attach_guard *g, const char *words, struct ng_error *err)
{
	char client[NG_PREFIX_TEXT];
	const char *dev;

	if (!g->link)
		return 0;
	dev = g->link->name;
	ng_prefix_format(&g->who.client, client);
	client[strcspn(client, "/")] = '\0';
	ng_err(err, NG_EXIT_FAILED, 0, dev,
	       "default drop: refused, it would cut off your SSH session");
	ng_err_why(err,
		   "you are connected by SSH from %s over this interface, "
		   "and no clause passes it (%s)",
		   client,
		   !g->cut[NG_OUT] ? "in"
		   : g->cut[NG_IN] ? "in and out"
				   : "out");
	if (g->missing)
		ng_err_try(err, "nicgate attach %s%s%s", dev, words,
			   g->comes_back ? " --default pass" : "");
	if (g->cut[NG_IN])
		ng_err_try(err, "nicgate acl add %s pass in src %s proto tcp port %u", dev, client,
			   g->who.server_port);
	if (g->cut[NG_OUT])
		ng_err_try(err, "nicgate acl add %s pass out dst %s proto tcp", dev, client);
	ng_err_try(err, "nicgate attach %s%s --default drop    (at once: --force)", dev, words);
	return -EPERM;
}
