// SPDX-License-Identifier: GPL-2.0-only
/* The targets of the filter compiler. */
#include "tests/bench/filter/targets.h"

#include <errno.h>
#include <string.h>

#include "maps/pins.h"
#include "tests/bench/filter/machine.h"

#define HOSTS	     10000
#define HOSTS_LIMIT  20 /* seconds */
#define SMALL_FILTER "tcp port 80"

static void against(const char *what, double limit, const struct choice *c, enum contestant slow,
		    enum contestant fast, bool tsv)
{
	double measured = report_ratio(c, slow, fast);
	const struct target t = { .what = what,
				  .unit = "times",
				  .limit = limit,
				  .measured = measured,
				  .at_least = true,
				  .known = measured > 0 };

	report_target(&t, tsv);
}

static void at_most(const char *what, const char *unit, double limit, double measured, bool tsv)
{
	const struct target t = { .what = what,
				  .unit = unit,
				  .limit = limit,
				  .measured = measured,
				  .known = measured >= 0 };

	report_target(&t, tsv);
}

/* On kinds of traffic where each filter's own packets are or are not alone. */
static void ratios(const struct row *rows, size_t n, bool tsv)
{
	struct choice absolute = { .rows = rows, .n = n, .mask = INDIRECT | SET, .class = 0 };
	struct choice indirect = { .rows = rows, .n = n, .mask = INDIRECT, .class = INDIRECT };
	struct choice all = { .rows = rows, .n = n, .mask = SET, .class = 0 };

	against("kernel's code at tc / ours, absolute loads, mix", 1.2, &absolute, KERNEL_TC,
		OURS_TC, tsv);
	against("kernel's code at tc / ours, indirect loads, mix", 10, &indirect, KERNEL_TC,
		OURS_TC, tsv);
	absolute.traffic = indirect.traffic = MATCHING;
	against("kernel's code at tc / ours, absolute loads, matching packets", 1.2, &absolute,
		KERNEL_TC, OURS_TC, tsv);
	against("kernel's code at tc / ours, indirect loads, matching packets", 10, &indirect,
		KERNEL_TC, OURS_TC, tsv);
	against("kernel's socket filter / ours at tc, indirect loads, matching", 10, &indirect,
		SOCKET, OURS_TC, tsv);
	against("libpcap / ours at XDP, mix", 5, &all, LIBPCAP, OURS_XDP, tsv);
	against("plain translation / ours at XDP, mix", 1, &all, PLAIN_XDP, OURS_XDP, tsv);
}

static void nanoseconds(const struct row *rows, size_t n, double call, bool tsv)
{
	struct choice typical = { .rows = rows, .n = n, .mask = TYPICAL, .class = TYPICAL };
	struct choice sets = { .rows = rows, .n = n, .mask = SET, .class = SET };

	if (tsv)
		printf("call\t%.3f\n", call);
	else
		printf("A BPF call costs %.1f ns here. The limits were set for a machine where it costs "
		       "7 ns, and so do\nthe helper calls of the kernel's indirect loads.\n\n",
		       call);
	at_most("slowest typical filter at XDP, mix", "ns", 2.5, report_worst(&typical, OURS_XDP),
		tsv);
	at_most("slowest typical filter at tc, mix", "ns", 3.5, report_worst(&typical, OURS_TC),
		tsv);
	typical.traffic = MATCHING;
	at_most("slowest typical filter at XDP, matching packets", "ns", 2.5,
		report_worst(&typical, OURS_XDP), tsv);
	at_most("slowest typical filter at tc, matching packets", "ns", 3.5,
		report_worst(&typical, OURS_TC), tsv);
	at_most("100, 1,000, 10,000 hosts, few keys, slowest at XDP", "ns", 5,
		report_worst(&sets, OURS_XDP), tsv);
}

static void changes(bool tsv)
{
	static const struct {
		enum ng_hook hook;
		const char *what;
	} hooks[] = {
		{ NG_HOOK_XDP, "a change of a small filter is live, XDP on veth" },
		{ NG_HOOK_TC_IN, "a change of a small filter is live, tc" },
	};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		double ms[CHANGES];
		int ret = live_changes(hooks[i].hook, SMALL_FILTER, ms);

		if (ret)
			printf("changes of a filter: %s\n", strerror(-ret));
		at_most(hooks[i].what, "ms", 20, ret ? -1 : median(ms, CHANGES), tsv);
	}
}

static void hosts(bool tsv)
{
	double compile = 0, load = 0;
	int ret = live_hosts(HOSTS, HOSTS_LIMIT, &compile, &load);

	if (ret == -ETIMEDOUT)
		compile = HOSTS_LIMIT * 1000.0;
	else if (ret)
		printf("10,000 hosts: %s\n", strerror(-ret));
	if (!ret && !tsv)
		printf("10,000 hosts: compiled in %.0f ms, translated and loaded in %.0f ms\n",
		       compile, load);
	at_most("10,000 hosts compile and load", "ms", 1000,
		ret && ret != -ETIMEDOUT ? -1 : compile + load, tsv);
}

static void gate(enum ng_hook hook, const char *what, bool tsv)
{
	struct gate_size without, with;
	int ret = machine_gate(hook, NULL, &without);

	if (!ret)
		ret = machine_gate(hook, SMALL_FILTER, &with);
	if (ret)
		printf("the %s gate: %s\n", ng_hook_name[hook], strerror(-ret));
	else if (!tsv)
		printf("%s gate: %u instructions, %u of taps, %u verified; with a tap %u, %u, %u\n",
		       ng_hook_name[hook], without.insns, without.tap_insns, without.verified,
		       with.insns, with.tap_insns, with.verified);
	at_most(what, "insns", 0, ret ? -1 : (int)without.tap_insns, tsv);
}

void targets(const struct row *rows, size_t n, const struct deal *deal, unsigned int rounds,
	     bool tsv)
{
	nanoseconds(rows, n, machine_call(deal, rounds), tsv);
	ratios(rows, n, tsv);
	changes(tsv);
	hosts(tsv);
	gate(NG_HOOK_XDP, "cost of a tap that is not there, XDP", tsv);
	gate(NG_HOOK_TC_IN, "cost of a tap that is not there, tc", tsv);
}
