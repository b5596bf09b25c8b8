// SPDX-License-Identifier: GPL-2.0-only
/* Random filter expressions: all that libpcap 1.10 accepts for Ethernet. */
#include "tests/fuzz/expr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/random.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(array) ((array)[below(N_OF(array))])

/* Text that is cut off when it gets too long: libpcap refuses it then. */
struct text {
	char *at;
	size_t room;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->room)
		n = t->room ? (int)t->room - 1 : 0;
	t->at += n;
	t->room -= (size_t)n;
}

static const char *const directions[] = { "", "", "src ", "dst ", "src or dst ", "src and dst " };

static const char *address(void)
{
	static char any[32];

	static const char *const known[] = { "10.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1",
					     "224.0.0.1" };

	if (below(4))
		return PICK(known);
	snprintf(any, sizeof(any), "%u.%u.%u.%u", below(256), below(256), below(256), below(256));
	return any;
}

static const char *address6(void)
{
	static const char *const known[] = { "2001:db8::1", "2001:db8::2", "ff02::1", "::1" };

	return PICK(known);
}

static const char *mac(void)
{
	static const char *const known[] = { "02:00:00:00:00:01", "02:00:00:00:00:00",
					     "02:00:00:00:00:03", "ff:ff:ff:ff:ff:ff",
					     "01:80:c2:00:00:00" };

	return PICK(known);
}

static unsigned int a_port(void)
{
	return below(4) ? ONE_OF(53, 80, 443, 8080, 22, 1500, 6081, 4789) : below(65536);
}

static void say_host(struct text *t)
{
	static const char *const families[] = { "", "", "ip ", "arp ", "rarp " };
	const char *direction = PICK(directions);

	switch (below(5)) {
	case 0:
		say(t, "%s%shost %s", below(2) ? "ip6 " : "", direction, address6());
		break;
	case 1:
		say(t, "ether %s%s", below(2) ? direction : "host ", mac());
		break;
	default:
		say(t, "%s%shost %s", PICK(families), direction, address());
	}
}

static void say_net(struct text *t)
{
	static const char *const nets[] = { "10.0.0.0/8",
					    "10.1.2.0/24",
					    "192.168.0.0/16",
					    "172.16.0.0/12",
					    "10",
					    "192.168",
					    "10.1.2",
					    "224.0.0.0/4",
					    "0.0.0.0/0",
					    "10.0.0.1/32",
					    "10.1.0.0 mask 255.255.0.0" };
	static const char *const nets6[] = { "2001:db8::/32", "2001:db8::/64",	 "ff00::/8",
					     "::/0",	      "2001:db8::1/128", "2001:db8::/47" };
	static const char *const families[] = { "", "", "ip ", "arp " };

	if (below(4) == 0)
		say(t, "%s%snet %s", below(2) ? "ip6 " : "", PICK(directions), PICK(nets6));
	else
		say(t, "%s%snet %s", PICK(families), PICK(directions), PICK(nets));
}

static void say_port(struct text *t)
{
	static const char *const protos[] = { "", "", "tcp ", "udp ", "sctp ", "ip6 and tcp " };
	const char *proto = PICK(protos);

	if (below(4) == 0) {
		unsigned int from = a_port(), to = from + below(2000);

		say(t, "%s%sportrange %u-%u", proto, PICK(directions), from,
		    to > 65535 ? 65535 : to);
	} else {
		say(t, "%s%sport %u", proto, PICK(directions), a_port());
	}
}

/* Where sets are made of. */
static void say_list(struct text *t)
{
	uint32_t n = below(6) ? 2 + below(8) : 10 + below(25), kind = below(5);
	static const char *const port_kinds[] = { "port", "dst port", "tcp src port", "udp port" };
	static const char *const host_kinds[] = { "host", "src host", "dst host" };
	const char *word = kind == 0   ? PICK(port_kinds)
			   : kind == 1 ? "ether proto"
			   : kind == 2 ? "net"
				       : PICK(host_kinds);

	for (uint32_t i = 0; i < n; i++) {
		say(t, "%s%s ", i ? " or " : "", word);
		if (kind == 0)
			say(t, "%u", a_port());
		else if (kind == 1)
			say(t, "%u", 1500 + below(64036));
		else if (kind == 2)
			say(t, "%u.%u.%u.0/24", below(2) ? 10 : below(224), below(256), below(256));
		else
			say(t, "%s", below(3) ? address() : "10.0.0.1");
	}
}

static const char *const proto_words[] = { "ip",
					   "ip6",
					   "arp",
					   "rarp",
					   "tcp",
					   "udp",
					   "sctp",
					   "icmp",
					   "icmp6",
					   "igmp",
					   "igrp",
					   "pim",
					   "vrrp",
					   "carp",
					   "ah",
					   "esp",
					   "atalk",
					   "aarp",
					   "decnet",
					   "lat",
					   "moprc",
					   "mopdl",
					   "sca",
					   "iso",
					   "clnp",
					   "esis",
					   "isis",
					   "l1",
					   "l2",
					   "iih",
					   "lsp",
					   "snp",
					   "csnp",
					   "psnp",
					   "stp",
					   "ipx",
					   "netbeui",
					   "ip multicast",
					   "ip6 multicast",
					   "ether multicast",
					   "ether broadcast",
					   "multicast",
					   "broadcast",
					   "ip proto \\tcp",
					   "ip6 proto \\udp",
					   "proto \\icmp",
					   "ether proto \\ip",
					   "ether proto \\arp",
					   "iso proto \\clnp",
					   "isis proto 18",
					   "ip proto ospf",
					   "decnet host 1.5",
					   "decnet src 4.1" };

static void say_proto(struct text *t)
{
	static const char *const families[] = { "ip ", "ip6 ", "", "iso " };

	switch (below(8)) {
	case 0:
		say(t, "%sproto %u", PICK(families),
		    ONE_OF(0, 1, 4, 6, 17, 41, 47, 50, 51, 58, 132, 255));
		break;
	case 1:
		say(t, "ether proto %#x",
		    below(2) ? ONE_OF(0x88cc, 0x86dd, 0x8100, 0x42, 0xaa, 0xfe, 0xe0, 0x600)
			     : below(65536));
		break;
	case 2:
		say(t, "%s protochain %u", below(3) ? "ip6" : "ip",
		    ONE_OF(6, 17, 44, 50, 51, 58, 60));
		break;
	default:
		say(t, "%s", PICK(proto_words));
	}
}

static void say_link(struct text *t)
{
	static const char *const llcs[] = { "",	      " i",    " s",   " u",   " rr",
					    " rnr",   " rej",  " ui",  " ua",  " disc",
					    " sabme", " test", " xid", " frmr" };

	switch (below(6)) {
	case 0:
		say(t, "mpls");
		if (below(2))
			say(t, " %u", ONE_OF(1024, 16, 100000, 3));
		break;
	case 1:
		say(t, below(4) ? "pppoes" : "pppoed");
		if (below(3) == 0)
			say(t, " %u", ONE_OF(7, 9, 65535));
		break;
	case 2:
		say(t, "geneve");
		if (below(2))
			say(t, " %u", ONE_OF(16, 17, 0xffffff));
		break;
	case 3:
		say(t, "llc%s", PICK(llcs));
		break;
	default:
		say(t, "vlan");
		if (below(2))
			say(t, " %u", ONE_OF(5, 7, 10, 0x123, 0, 4095));
	}
}

static void say_sum(struct text *t, int depth);

static void say_constant(struct text *t)
{
	switch (below(5)) {
	case 0:
		say(t, "%#x", rnd());
		break;
	case 1:
		say(t, "%u", ONE_OF(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 255, 256, 65535));
		break;
	default:
		say(t, "%u", below(100));
	}
}

static void say_load(struct text *t, int depth)
{
	static const char *const protos[] = { "ether", "ether", "ip",	"ip",	 "tcp",
					      "udp",   "ip6",	"arp",	"icmp",	 "icmp6",
					      "sctp",  "link",	"igmp", "vrrp",	 "pim",
					      "rarp",  "ah",	"esp",	"decnet" };
	static const char *const named[] = { "tcp[tcpflags]", "icmp[icmptype]", "icmp[icmpcode]",
					     "icmp6[icmp6type]", "icmp6[icmp6code]" };
	static const unsigned int sizes[] = { 1, 2, 4 };

	if (below(8) == 0) {
		say(t, "%s", PICK(named));
		return;
	}
	say(t, "%s[", PICK(protos));
	if (depth > 0 && below(4) == 0)
		say_sum(t, depth - 1);
	else
		say(t, "%u", below(12) ? below(40) : ONE_OF(1500, 5000, 40000, 0x7fffffff));
	say(t, below(2) ? "]" : ":%u]", PICK(sizes));
}

/* Operands of an operator; depth: of what may still be nested. */
static void say_sum(struct text *t, int depth)
{
	static const char *const ops[] = { "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>" };
	uint32_t kind = below(10);

	if (depth > 0 && kind < 5) {
		const char *op = PICK(ops);

		say(t, "(");
		say_sum(t, depth - 1);
		say(t, " %s ", op);
		if ((op[0] == '<' || op[0] == '>') && below(2))
			say(t, "%u", below(32));
		else
			say_sum(t, depth - 1);
		say(t, ")");
	} else if (depth > 0 && kind == 5) {
		say(t, "(-");
		say_sum(t, depth - 1);
		say(t, ")");
	} else if (kind == 6) {
		say(t, "len");
	} else if (kind == 7) {
		say_constant(t);
	} else {
		say_load(t, depth);
	}
}

static void say_relation(struct text *t)
{
	static const char *const relations[] = { "=", "!=", "<", ">", "<=", ">=", "==" };
	int depth = (int)below(4);

	switch (below(8)) {
	case 0:
		say(t, "%s %u", below(2) ? "less" : "greater", below(2) ? below(120) : below(5000));
		break;
	case 1:
		say(t, "tcp[tcpflags] & (tcp-syn|tcp-%s) %s %s", below(2) ? "ack" : "fin",
		    PICK(relations), below(2) ? "0" : "tcp-syn");
		break;
	case 2:
		say(t, "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420");
		break;
	default:
		say_load(t, depth);
		if (below(2))
			say(t, " & %#x", below(2) ? rnd() : below(256));
		say(t, " %s ", PICK(relations));
		if (below(2))
			say_constant(t);
		else
			say_sum(t, depth);
	}
}

static void say_term(struct text *t)
{
	static void (*const say_one[])(struct text *) = { say_host,	say_net,     say_port,
							  say_port,	say_proto,   say_proto,
							  say_link,	say_list,    say_relation,
							  say_relation, say_relation };

	PICK(say_one)(t);
}

static int make_node(struct expr *e, int depth)
{
	struct expr_node *node;
	int at = e->n++;

	node = &e->node[at];
	if (depth == 0 || e->n > EXPR_NODES - 4 || below(3) == 0) {
		struct text t = { node->text, sizeof(node->text) };

		node->kind = EXPR_TERM;
		node->text[0] = '\0';
		say_term(&t);
		return at;
	}
	node->kind = below(6) == 0 ? EXPR_NOT : below(2) ? EXPR_AND : EXPR_OR;
	node->kid[0] = make_node(e, depth - 1);
	node->kid[1] = node->kind == EXPR_NOT ? node->kid[0] : make_node(e, depth - 1);
	return at;
}

void make_expr(struct expr *e)
{
	e->n = 0;
	e->root = make_node(e, (int)below(5));
}

static void print_node(const struct expr *e, int at, struct text *t)
{
	const struct expr_node *node = &e->node[at];

	if (node->kind == EXPR_TERM) {
		say(t, "%s", node->text);
		return;
	}
	say(t, node->kind == EXPR_NOT ? "not (" : "(");
	print_node(e, node->kid[0], t);
	if (node->kind != EXPR_NOT) {
		say(t, node->kind == EXPR_AND ? ") and (" : ") or (");
		print_node(e, node->kid[1], t);
	}
	say(t, ")");
}

void print_expr(const struct expr *e, char text[EXPR_TEXT])
{
	struct text t = { text, EXPR_TEXT };

	text[0] = '\0';
	print_node(e, e->root, &t);
}

bool shrink_expr(const struct expr *e, size_t number, struct expr *out)
{
	int at = (int)(number / 2), kid;

	if (at >= e->n)
		return false;
	*out = *e;
	if (e->node[at].kind == EXPR_TERM)
		return true;
	kid = e->node[at].kid[number % 2];
	out->node[at] = e->node[kid];
	return true;
}

bool has_scope(const char *text)
{
	static const char *const words[] = { "vlan", "mpls", "pppoe", "geneve", "vxlan" };

	for (size_t i = 0; i < N_OF(words); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}
