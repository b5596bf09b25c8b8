// SPDX-License-Identifier: GPL-2.0-only
/* Times of whole commands, from fork to the end of the process. */
#include "tests/bench/acl/commands.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/acl/place.h"
#include "tests/random.h"

#define LIMIT	  30 /* seconds for all measurements, and for a command */
#define FILE_NAME PLACE_FILES "/prefixes"
#define DEVICE	  "acl0"
#define TIMES_MAX 1000
#define PUTS_MAX  100000

static const char *text_of(const struct net *net, char text[32])
{
	const struct in_addr addr = { htonl(net->addr) };
	char dotted[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, dotted, sizeof(dotted));
	snprintf(text, 32, "%s/%u", dotted, net->len);
	return text;
}

static int write_file(const struct set *set)
{
	FILE *f = fopen(FILE_NAME, "we");
	char text[32];

	if (!f)
		return -errno;
	for (size_t i = 0; i < set->n; i++)
		fprintf(f, "%s\n", text_of(&set->net[i], text));
	return fclose(f) ? -errno : 0;
}

static int nicgate(const char *const words[], double *seconds, struct commands *out)
{
	const char *argv[16] = { command_nicgate() };
	char output[512];
	int ret;

	for (size_t i = 0; words[i] && i < 14; i++)
		argv[i + 1] = words[i];
	ret = command_run(argv, LIMIT, seconds, output, sizeof(output));
	if (ret)
		snprintf(out->note, sizeof(out->note), "nicgate %s %s: %.100s", words[0],
			 words[1] ? words[1] : "", output);
	return ret;
}

static int time_files(const struct commands_question *q, struct commands *out)
{
	const char *const add[] = { "acl", "add", DEVICE, "drop", "@" FILE_NAME, NULL };
	const char *const flush[] = { "acl", "flush", DEVICE, NULL };
	double each[TIMES_MAX];
	int ret = 0;

	for (unsigned int i = 0; !ret && i < q->files; i++) {
		if (i)
			ret = nicgate(flush, NULL, out);
		if (!ret)
			ret = nicgate(add, &each[i], out);
	}
	if (ret)
		return ret;
	out->file_s = median(each, q->files);
	out->file_known = true;
	return 0;
}

/* In turn, so that a busy machine is busy for all of them. */
static int time_adds(const struct commands_question *q, struct commands *out)
{
	static double each[4][TIMES_MAX];
	char addr[32];
	const char *const words[4][6] = { { "acl", "add", DEVICE, "drop", addr },
					  { "acl", "get", DEVICE, addr },
					  { "--version" } };
	const char *const nothing[] = { "/bin/true", NULL };
	int ret = 0;

	for (unsigned int i = 0; !ret && i < q->adds; i++) {
		const struct net spare = set_spare(i);

		text_of(&spare, addr);
		for (int k = 0; !ret && k < 3; k++)
			ret = nicgate(words[k], &each[k][i], out);
		if (!ret)
			ret = command_run(nothing, LIMIT, &each[3][i], NULL, 0);
	}
	if (ret)
		return ret;
	out->add_ms = median(each[0], q->adds) * 1e3;
	out->open_ms = median(each[1], q->adds) * 1e3;
	out->version_ms = median(each[2], q->adds) * 1e3;
	out->true_ms = median(each[3], q->adds) * 1e3;
	out->add_known = true;
	return 0;
}

/* Random hosts, most of them new, wherever they may lie. */
static int put_all(struct ng_gate *gate, const struct commands_question *q, struct commands *out)
{
	static double each[PUTS_MAX];
	struct ng_acl_change change = { 0 };
	int ret = 0;

	random_seed(1);
	for (unsigned int i = 0; !ret && i < q->puts; i++) {
		const struct net net = { rnd(), 32 };
		struct ng_acl_item item = set_item(&net, NG_DROP);
		double start = seconds_now();

		ret = ng_acl_put(&gate->maps.acl, &item, &change);
		each[i] = (seconds_now() - start) * 1e6;
	}
	if (ret) {
		snprintf(out->note, sizeof(out->note), "ng_acl_put(): %s", strerror(-ret));
		return ret;
	}
	out->put_p50_us = percentile(each, q->puts, 50);
	out->put_p99_us = percentile(each, q->puts, 99);
	out->put_known = true;
	return 0;
}

static int time_puts(struct place *place, const struct commands_question *q, struct commands *out)
{
	struct ng_gate *gate;
	struct ng_link link;
	pid_t holder;
	int ret = ng_pins_lock(&place->pins, 5000, &holder);

	if (!ret)
		ret = ng_link_get(DEVICE, &link, NULL);
	if (!ret)
		ret = ng_gate_open(&place->pins, &link, NG_HOOK_XDP, &gate, NULL);
	if (ret)
		return ret;
	ret = put_all(gate, q, out);
	ng_gate_close(gate);
	return ret;
}

static int measure(struct place *place, const void *arg, void *result)
{
	const char *const attach[] = { "attach", DEVICE, NULL };
	const struct commands_question *q = arg;
	struct commands *out = result;
	struct pair pair;
	struct set set;
	int ret = set_make(&set, q->n);

	if (!ret)
		ret = write_file(&set);
	if (!ret)
		ret = pair_make(DEVICE, false, &pair);
	if (ret)
		return ret;
	set_free(&set);
	ng_pins_unlock(&place->pins);
	if (!nicgate(attach, NULL, out) && !time_files(q, out) && !time_adds(q, out))
		time_puts(place, q, out);
	return 0;
}

int commands_measure(const struct commands_question *question, struct commands *out)
{
	*out = (struct commands){ 0 };
	return place_run(measure, question, out, sizeof(*out), LIMIT);
}
