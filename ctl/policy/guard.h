/* SPDX-License-Identifier: GPL-2.0-only */
/* Which ACL entries, and which default, may lock their author out. Pure: who is to be protected is told. */
#ifndef NG_CTL_POLICY_GUARD_H
#define NG_CTL_POLICY_GUARD_H

#include "maps/acl.h"

#define NG_GATEWAYS_MAX 8

struct ng_guard {
	bool session; /* the user is connected by TCP from client to server, which is us */
	bool have_server;
	struct ng_prefix client, server;
	__u16 client_port, server_port;
	struct ng_prefix gateway[NG_GATEWAYS_MAX];
	size_t gateways;
};

enum ng_guarded {
	NG_GUARDED_NOT,
	NG_GUARDED_ALL,	    /* every packet of a family */
	NG_GUARDED_SESSION, /* packets of the user's session */
	NG_GUARDED_GATEWAY, /* packets from or to the default gateway */
};

/* Takes SSH_CONNECTION's "client port server port",
 * or SSH_CLIENT's "client port port". False: not understood. */
bool ng_guard_session(struct ng_guard *guard, const char *text);
/* What a clause with this key and verdict would cut off;
 * *whom (if so) is the address, or the prefix itself. */
enum ng_guarded ng_guard_check(const struct ng_guard *guard, const struct ng_acl_key *key,
			       enum ng_dir dir, __u8 verdict, struct ng_prefix *whom);

/* What the clauses of one side say of a TCP packet:
 * true and *verdict (NG_PASS, NG_DROP), or false when none decides. */
typedef bool (*ng_guard_ask_fn)(void *arg, enum ng_side side, const struct ng_prefix *addr,
				__u16 port, __u8 *verdict);
/*
 * Whether clauses pass the session's packets of a direction, so that a default does not matter.
 * Asks as the data path does, source before destination. The session's server must be known.
 */
bool ng_guard_session_passes(const struct ng_guard *guard, enum ng_dir dir, ng_guard_ask_fn ask,
			     void *arg);

#endif
