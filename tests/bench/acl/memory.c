// SPDX-License-Identifier: GPL-2.0-only
/* Kernel memory of ACL tables, in three ways. */
#include "tests/bench/acl/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/acl/place.h"

#define LIMIT	30 /* seconds */
#define QUIET	1e6
#define WAITS	40
#define WAIT_US 50000

/* The number behind a name in a file of "NAME: NUMBER". 0: none. */
static double read_number(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[256];
	long long n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			n = strtoll(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return (double)n;
}

static double available(void)
{
	return read_number("/proc/meminfo", "MemAvailable:") * 1024;
}

/* Until what ended before has given back its memory. */
static double available_calm(void)
{
	double before = available(), now = before;

	for (int i = 0; i < WAITS; i++) {
		usleep(WAIT_US);
		now = available();
		if (fabs(now - before) < QUIET)
			break;
		before = now;
	}
	return now;
}

static double charged(const struct ng_acl_tables *t)
{
	char path[64];
	double sum = 0;

	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t->fd[i]);
		sum += t->fd[i] < 0 ? 0 : read_number(path, "memlock:");
	}
	return sum;
}

static int measure(struct place *place, const void *arg, void *result)
{
	const struct memory_question *q = arg;
	struct ng_acl_size size = { .engine = q->engine, .stripes = q->counted };
	struct ng_acl_tables tables;
	struct ng_acl_item *item;
	struct memory *out = result;
	struct set set;
	double before;
	size_t bad;
	int ret = set_make(&set, q->n);

	(void)place;
	item = ret ? NULL : set_items(set.net, set.n, NG_DROP);
	if (!item)
		return -ENOMEM;
	ng_acl_items_sort(item, set.n);
	before = available_calm();
	ret = ng_acl_build(item, set.n, &size, &tables, &bad);
	if (ret)
		return ret;
	ng_acl_tables_size(&tables, &size);
	*out = (struct memory){ .said = (double)ng_acl_size_bytes(&size),
				.charged = charged(&tables),
				.available = before - available_calm() };
	return 0;
}

int memory_measure(const struct memory_question *question, struct memory *out)
{
	*out = (struct memory){ 0 };
	return place_run(measure, question, out, sizeof(*out), LIMIT);
}
