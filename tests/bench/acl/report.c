// SPDX-License-Identifier: GPL-2.0-only
/* The tables of the bench of the ACL, and the figures it is to reach. */
#include "tests/bench/acl/report.h"

#include <stdio.h>

#include "tests/bench/acl/place.h"

static void report_who(const struct drops *d, enum contestant who)
{
	const struct contestant_figures *f = &d->of[who];

	if (!f->known) {
		printf("no figure: %s: %s\n", contestant_name[who], f->note);
		return;
	}
	printf("%-16s", contestant_name[who]);
	for (int traffic = 0; traffic < TRAFFICS; traffic++) {
		double mpps = drops_mpps(d, who, (enum traffic)traffic);

		printf(" | %6.2f %6.0f %5.1f%%", mpps, 1e3 / mpps,
		       100 * drops_ratio(d, (enum traffic)traffic, who, EMPTY));
	}
	printf("%s%s\n", f->note[0] ? "  " : "", f->note);
	if (f->lost)
		printf("%-16s   the device did not take %llu frames, which are not counted\n", "",
		       (unsigned long long)f->lost);
}

void report_drops(const struct drops *d)
{
	printf("%zu prefixes (%zu that no other covers: nft has only those), %u rounds\n\n", d->n,
	       d->n_outer, d->rounds);
	printf("%-16s", "");
	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		printf(" | %-20s", traffic_name[traffic]);
	printf("\n%-16s", "");
	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		printf(" | %6s %6s %6s", "Mpps", "ns", "empty");
	printf("\n");
	for (int who = 0; who < CONTESTANTS; who++)
		report_who(d, (enum contestant)who);
	printf("The empty program took %.2f times its fastest round.\n\n", drops_busy(d));
	fflush(stdout);
}

static void time_or_not(const char *what, double value, const char *unit)
{
	if (value > 0)
		printf("%-58s %10.2f %s\n", what, value, unit);
	else
		printf("%-58s %10s\n", what, "-");
}

void report_commands(const struct commands *c, const struct drops *large, const struct drops *small)
{
	char what[96];

	printf("Whole commands, at %zu prefixes\n\n", large->n);
	time_or_not("nicgate acl add DEV drop @FILE", c->file_s, "s");
	time_or_not("ipset restore", large->of[IPSET].load_s, "s, once");
	time_or_not("nft -f", large->of[NFT].load_s, "s, once");
	time_or_not("nicgate acl add DEV drop ADDRESS", c->add_ms, "ms");
	time_or_not("nicgate acl get DEV ADDRESS (the same without a change)", c->open_ms, "ms");
	time_or_not("nicgate --version", c->version_ms, "ms");
	time_or_not("/bin/true", c->true_ms, "ms");
	time_or_not("ipset add", large->of[IPSET].add_s * 1e3, "ms, once");
	time_or_not("nft add element", large->of[NFT].add_s * 1e3, "ms, once");
	snprintf(what, sizeof(what), "nft add element, at %zu prefixes", small->n);
	time_or_not(what, small->of[NFT].add_s * 1e3, "ms, once");
	time_or_not("ng_acl_put() in a process, p50", c->put_p50_us, "us");
	time_or_not("ng_acl_put() in a process, p99", c->put_p99_us, "us");
	if (c->note[0])
		printf("no figure: %s\n", c->note);
	printf("\n");
	fflush(stdout);
}

void report_swap(const struct swap *s, const struct swap_question *q, bool known)
{
	printf("Replaces of %zu clauses by %zu others, at %.2f Mpps\n\n", q->n, q->n, s->mpps);
	if (!known || s->note[0])
		printf("no figure: %s\n", s->note[0] ? s->note : "it did not run");
	printf("s each:");
	for (unsigned int i = 0; i < q->swaps; i++)
		printf(" %.2f", s->seconds[i]);
	printf("\n%llu packets saw %u changes of policy in %u replaces; %llu were lost\n\n",
	       (unsigned long long)s->packets, s->changes, q->swaps, (unsigned long long)s->lost);
	fflush(stdout);
}

void report_memory_head(void)
{
	printf("Kernel memory of the tables: by ng_acl_size_bytes(), as charged to the maps, and what\n"
	       "the machine has less (with noise); bytes per prefix are those charged\n\n");
	printf("%9s %-6s %-9s %10s %10s %10s %12s\n", "prefixes", "engine", "counters", "said, MB",
	       "charged", "machine", "bytes/prefix");
}

void report_memory(const struct memory_question *q, const struct memory *m, int ret)
{
	printf("%9zu %-6s %-9s", q->n, q->engine == NG_ENGINE_TRIE ? "trie" : "lpm",
	       q->counted ? "yes" : "no");
	if (ret)
		printf(" no figure: error %d\n", -ret);
	else
		printf(" %10.2f %10.2f %10.2f %12.1f\n", m->said / 1e6, m->charged / 1e6,
		       m->available / 1e6, m->charged / (double)q->n);
	fflush(stdout);
}

static void target(const char *what, bool at_least, double limit, const char *unit, double measured,
		   bool known)
{
	bool met = at_least ? measured >= limit : measured <= limit;

	printf("%-62s %s %6.4g %-5s %9.3f  %s\n", what, at_least ? ">=" : "<=", limit, unit,
	       measured,
	       !known ? "not measured"
	       : met  ? "met"
		      : "not met");
}

static void target_rate(const struct drops *d, const char *what, enum traffic traffic,
			enum contestant slow, double limit, const char *unit)
{
	double scale = slow == EMPTY ? 100 : 1;
	double measured = scale * drops_ratio(d, traffic, TRIE, slow);

	target(what, true, limit, unit, measured, measured > 0);
}

static double swap_worst(const struct swap *s, const struct swap_question *q)
{
	double worst = 0;

	for (unsigned int i = 0; i < q->swaps; i++)
		worst = s->seconds[i] > worst ? s->seconds[i] : worst;
	return worst;
}

void report_targets(const struct drops *of, const struct commands *c, const struct swap *s,
		    const struct swap_question *q, bool swap_known)
{
	printf("\nOf the trie without counters, at %zu prefixes:\n\n", of->n);
	target_rate(of, "drops of uniform hits, of the empty program's", HITS, EMPTY, 48, "%");
	target_rate(of, "drops of 4,000 hot sources, of the empty program's", HOT, EMPTY, 95, "%");
	target_rate(of, "uniform hits, of the kernel's trie", HITS, LPM, 5, "times");
	target_rate(of, "uniform hits, of nft's interval set", HITS, NFT, 8, "times");
	target_rate(of, "uniform hits, of ipset's hash:net", HITS, IPSET, 3, "times");
	target("a file parsed, checked and live, whole command", false, 0.6, "s", c->file_s,
	       c->file_known);
	target("one acl add, whole process", false, 3, "ms", c->add_ms, c->add_known);
	target("ng_acl_put(), p50", false, 1, "us", c->put_p50_us, c->put_known);
	target("wrong verdicts in replaces under traffic", false, 0, "", (double)s->wrong,
	       swap_known);
	printf("the longest replace took %.2f s\n", swap_worst(s, q));
}
