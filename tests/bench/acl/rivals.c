// SPDX-License-Identifier: GPL-2.0-only
/* nft's interval set at the netdev ingress hook; ipset's hash:net at iptables' raw PREROUTING. */
#include "tests/bench/acl/rivals.h"

#include <arpa/inet.h>
#include <errno.h>
#include <endian.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME PLACE_FILES "/rival"
#define EACH	  5000 /* elements in one nft statement */
#define SHORT	  10   /* seconds for what takes none */

static const char *text_of(const struct net *net, char text[32])
{
	const struct in_addr addr = { htonl(net->addr) };
	char dotted[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, dotted, sizeof(dotted));
	snprintf(text, 32, net->len == 32 ? "%s" : "%s/%u", dotted, net->len);
	return text;
}

static int run(const char *const argv[], unsigned int limit, double *seconds, char why[128])
{
	char output[4096];
	int ret = command_run(argv, limit, seconds, output, sizeof(output));

	output[strcspn(output, "\n")] = '\0';
	if (ret == -ETIMEDOUT)
		snprintf(why, 128, "%s took more than %u seconds", argv[0], limit);
	else if (ret)
		snprintf(why, 128, "%s: %.100s", argv[0],
			 output[0] ? output : "not installed, or it cannot run");
	return ret;
}

/* nft takes no prefixes that another covers. */
static int nft_write(const char *dev, const struct set *set)
{
	FILE *f = fopen(FILE_NAME, "we");
	char text[32];

	if (!f)
		return -errno;
	fprintf(f,
		"add table netdev b\n"
		"add set netdev b s { type ipv4_addr; flags interval; }\n"
		"add counter netdev b hits\n"
		"add counter netdev b others\n"
		"add chain netdev b c { type filter hook ingress device \"%s\" priority 0; }\n"
		"add rule netdev b c ip saddr @s counter name hits drop\n"
		"add rule netdev b c counter name others drop\n",
		dev);
	for (size_t i = 0; i < set->n_outer; i++)
		fprintf(f, "%s%s%s", i % EACH ? "," : "add element netdev b s {",
			text_of(&set->outer[i], text),
			i % EACH == EACH - 1 || i == set->n_outer - 1 ? "}\n" : "");
	return fclose(f) ? -errno : 0;
}

static int nft_load(const struct pair *pair, const struct set *set, unsigned int limit,
		    double *seconds, char why[128])
{
	const char *const load[] = { "nft", "-f", FILE_NAME, NULL };
	int ret = nft_write(pair->name, set);

	return ret ? ret : run(load, limit, seconds, why);
}

/*
 * A named counter, asked of the kernel: the nft command would read all elements of the set first.
 */
static int take_counter(struct nl_msg *msg, void *arg)
{
	struct nlattr *obj, *packets = NULL;

	obj = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct nfgenmsg), NFTA_OBJ_DATA);
	if (obj)
		packets = nla_find(nla_data(obj), nla_len(obj), NFTA_COUNTER_PACKETS);
	if (packets)
		*(uint64_t *)arg = be64toh(nla_get_u64(packets));
	return NL_OK;
}

static struct nl_msg *counter_question(const char *name)
{
	struct nfgenmsg head = { .nfgen_family = NFPROTO_NETDEV };
	struct nl_msg *msg =
		nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ, NLM_F_REQUEST);

	if (!msg)
		return NULL;
	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_string(msg, NFTA_OBJ_TABLE, "b");
	nla_put_string(msg, NFTA_OBJ_NAME, name);
	nla_put_u32(msg, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return msg;
}

static int nft_counter(const char *name, uint64_t *packets)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_msg *msg = counter_question(name);
	int ret = sock && msg ? nl_connect(sock, NETLINK_NETFILTER) : -NLE_NOMEM;

	*packets = UINT64_MAX;
	if (!ret) {
		nl_socket_disable_auto_ack(sock);
		nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, take_counter, packets);
		ret = nl_send_auto(sock, msg);
	}
	if (ret >= 0)
		ret = nl_recvmsgs_default(sock);
	nlmsg_free(msg);
	nl_socket_free(sock);
	return ret < 0 || *packets == UINT64_MAX ? -EIO : 0;
}

static int nft_dropped(const struct pair *pair, uint64_t *hits, uint64_t *others)
{
	int ret = nft_counter("hits", hits);

	(void)pair;
	return ret ? ret : nft_counter("others", others);
}

static int nft_add(uint32_t addr, unsigned int limit, double *seconds)
{
	char text[40] = "{ ", name[32];
	const struct net net = { addr, 32 };
	const char *const add[] = { "nft", "add", "element", "netdev", "b", "s", text, NULL };

	snprintf(text, sizeof(text), "{ %s }", text_of(&net, name));
	return command_run(add, limit, seconds, NULL, 0);
}

static int ipset_write(const struct set *set)
{
	FILE *f = fopen(FILE_NAME, "we");
	size_t buckets = 1024;
	char text[32];

	if (!f)
		return -errno;
	while (buckets < set->n)
		buckets *= 2;
	fprintf(f, "create s hash:net hashsize %zu maxelem %zu\n", buckets, buckets * 2);
	for (size_t i = 0; i < set->n; i++)
		fprintf(f, "add s %s\n", text_of(&set->net[i], text));
	return fclose(f) ? -errno : 0;
}

static int ipset_load(const struct pair *pair, const struct set *set, unsigned int limit,
		      double *seconds, char why[128])
{
	const char *dev = pair->name;
	const char *const load[] = { "ipset", "restore", "-f", FILE_NAME, NULL };
	const char *const match[] = { "iptables", "-t",	 "raw", "-A",	"PREROUTING",
				      "-i",	  dev,	 "-m",	"set",	"--match-set",
				      "s",	  "src", "-j",	"DROP", NULL };
	const char *const others[] = { "iptables", "-t", "raw", "-A",	"PREROUTING",
				       "-i",	   dev,	 "-j",	"DROP", NULL };
	int ret = ipset_write(set);

	if (!ret)
		ret = run(load, limit, seconds, why);
	if (!ret)
		ret = run(match, SHORT, NULL, why);
	return ret ? ret : run(others, SHORT, NULL, why);
}

/* Of the lines of rules, in order. */
static int ipset_dropped(const struct pair *pair, uint64_t *hits, uint64_t *others)
{
	const char *const list[] = { "iptables", "-t", "raw", "-vnxL", "PREROUTING", NULL };
	char output[2048], *line;
	int ret = command_run(list, SHORT, NULL, output, sizeof(output));

	(void)pair;
	if (ret)
		return ret;
	line = strstr(output, "destination");
	line = line ? strchr(line, '\n') : NULL;
	if (!line || sscanf(line, " %" SCNu64, hits) != 1)
		return -EBADMSG;
	line = strchr(line + 1, '\n');
	return line && sscanf(line, " %" SCNu64, others) == 1 ? 0 : -EBADMSG;
}

static int ipset_add(uint32_t addr, unsigned int limit, double *seconds)
{
	const struct net net = { addr, 32 };
	char name[32];
	const char *const add[] = { "ipset", "add", "s", text_of(&net, name), NULL };

	return command_run(add, limit, seconds, NULL, 0);
}

const struct rival rival_nft = {
	.name = "nft", .load = nft_load, .dropped = nft_dropped, .add = nft_add
};
const struct rival rival_ipset = {
	.name = "ipset", .load = ipset_load, .dropped = ipset_dropped, .add = ipset_add
};
