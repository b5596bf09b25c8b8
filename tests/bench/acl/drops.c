// SPDX-License-Identifier: GPL-2.0-only
/* Who drops how fast: all of them loaded at the same time, each at a pair of its own, in turn. */
#include "tests/bench/acl/drops.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/counters.h"
#include "tests/bench/acl/frame.h"
#include "tests/bench/acl/rivals.h"

#define IPSET_LIMIT 30 /* seconds */
#define ADD_LIMIT   10

const char *const contestant_name[CONTESTANTS] = { "empty", "trie", "trie, counted",
						   "lpm",   "nft",  "ipset" };

/* One of them while it takes part. */
struct lane {
	struct pair pair;
	struct ng_gate *gate;	   /* ours; else NULL */
	const struct rival *rival; /* a rival's; else NULL */
	uint64_t sent[TRAFFICS];   /* that came in */
	struct contestant_figures *figures;
};

struct contest {
	struct lane lane[CONTESTANTS];
	struct blast blast[TRAFFICS];
};

static const char *const pair_name[CONTESTANTS] = { "empty", "trie", "counted",
						    "lpm",   "nft",  "ipset" };
static const struct {
	enum ng_acl_engine engine;
	bool counted;
} gate_of[CONTESTANTS] = { [TRIE] = { NG_ENGINE_TRIE, false },
			   [TRIE_COUNTED] = { NG_ENGINE_TRIE, true },
			   [LPM] = { NG_ENGINE_LPM, false } };
static const struct rival *const rival_of[CONTESTANTS] = {
	[NFT] = &rival_nft, [IPSET] = &rival_ipset
};

/* Frames of one lap: what the slow ones do in the time of a fast one's. */
static uint32_t frames_of(enum contestant who, bool quick)
{
	static const unsigned int shift[CONTESTANTS] = { 20, 20, 20, 18, 17, 18 };

	return 1u << (shift[who] - (quick ? 1 : 0));
}

static int open_rival(struct lane *lane, const struct drops_question *q, const struct set *set)
{
	struct contestant_figures *f = lane->figures;
	unsigned int limit = lane->rival == &rival_nft ? q->nft_limit : IPSET_LIMIT;
	const struct net spare = set_spare(0);

	if (!limit || q->ours_only) {
		snprintf(f->note, sizeof(f->note), "left out");
		return -ECANCELED;
	}
	if (lane->rival->load(&lane->pair, set, limit, &f->load_s, f->note))
		return -ECANCELED;
	if (q->add && lane->rival->add(spare.addr, ADD_LIMIT, &f->add_s))
		f->add_s = 0;
	return 0;
}

static int open_lane(struct place *place, struct contest *c, enum contestant who,
		     const struct drops_question *q, const struct set *set)
{
	struct lane *lane = &c->lane[who];
	int ret;

	lane->rival = rival_of[who];
	ret = pair_make(pair_name[who], lane->rival, &lane->pair);
	if (ret)
		return ret;
	if (lane->rival)
		return open_rival(lane, q, set);
	if (who == EMPTY)
		return bpf_xdp_attach((int)lane->pair.to, blast_drop_prog(&c->blast[0]),
				      XDP_FLAGS_DRV_MODE, NULL);
	return gate_make(place, &lane->pair, gate_of[who].engine, gate_of[who].counted, set->net,
			 set->n, &lane->gate);
}

/* Who cannot take part is said; the others go on. */
static void open_lanes(struct place *place, struct contest *c, const struct drops_question *q,
		       const struct set *set, struct drops *out)
{
	for (int who = 0; who < CONTESTANTS; who++) {
		struct contestant_figures *f = c->lane[who].figures = &out->of[who];
		int ret = open_lane(place, c, (enum contestant)who, q, set);

		f->known = !ret;
		if (ret && !f->note[0])
			snprintf(f->note, sizeof(f->note), "%s", strerror(-ret));
	}
}

static int open_traffic(struct contest *c, const struct set *set)
{
	struct source *source = calloc(SOURCES, sizeof(*source));
	int ret = source ? 0 : -ENOMEM;

	for (int traffic = 0; !ret && traffic < TRAFFICS; traffic++) {
		ret = blast_open(&c->blast[traffic], false);
		if (ret)
			break;
		set_traffic(set, (enum traffic)traffic, source);
		blast_fill(&c->blast[traffic], source);
	}
	free(source);
	return ret;
}

/* What misses is dropped, too, so that a packet's way ends where it was looked up. */
static void set_default(const struct lane *lane, enum traffic traffic)
{
	if (lane->gate)
		lane->gate->maps.control->default_verdict = traffic == MISSES ? NG_DROP : NG_PASS;
}

static int lap(struct contest *c, enum contestant who, enum traffic traffic, bool quick,
	       double *mpps)
{
	struct lane *lane = &c->lane[who];
	uint32_t frames = frames_of(who, quick);
	uint64_t before = pair_received(&lane->pair), received;
	double seconds = 0;
	int ret;

	set_default(lane, traffic);
	ret = blast_run(&c->blast[traffic], lane->pair.from, frames, &seconds);
	received = pair_received(&lane->pair) - before;
	lane->sent[traffic] += received;
	lane->figures->lost += frames - received;
	if (ret || !received)
		return ret ? ret : -EIO;
	*mpps = (double)received / seconds / 1e6;
	return 0;
}

static void run_round(struct contest *c, const struct drops_question *q, struct drops *out)
{
	for (unsigned int i = 0; i < TRAFFICS * CONTESTANTS; i++) {
		unsigned int who = i % CONTESTANTS, traffic = i / CONTESTANTS;
		struct contestant_figures *f = &out->of[who];
		int ret;

		if (!f->known)
			continue;
		ret = lap(c, (enum contestant)who, (enum traffic)traffic, q->quick,
			  &f->mpps[traffic][out->rounds]);
		if (ret) {
			f->known = false;
			snprintf(f->note, sizeof(f->note), "sending: %s", strerror(-ret));
		}
	}
	out->rounds++;
}

/* On a machine that is busy there may be time for fewer of them. */
static void run_rounds(struct contest *c, const struct drops_question *q, struct drops *out)
{
	double end = seconds_now() + q->patience;

	do
		run_round(c, q, out);
	while (out->rounds < q->rounds && seconds_now() < end);
}

static int read_gate(const struct lane *lane, uint64_t *hits, uint64_t *others)
{
	struct ng_counter sum[NG_COUNTERS];
	int ret = ng_counters_read(&lane->gate->maps, sum);

	if (ret)
		return ret;
	*hits = sum[NG_COUNTER_INDEX(NG_DROP, NG_R_ACL_SRC)].packets;
	*others = sum[NG_COUNTER_INDEX(NG_DROP, NG_R_DEFAULT)].packets;
	return 0;
}

/* Has it dropped what came in, each packet for the right reason? */
static bool check(const struct lane *lane)
{
	uint64_t hits = 0, others = 0, want = lane->sent[HITS] + lane->sent[HOT];
	int ret = 0;

	if (lane->rival)
		ret = lane->rival->dropped(&lane->pair, &hits, &others);
	else if (lane->gate)
		ret = read_gate(lane, &hits, &others);
	else
		return true;
	if (!ret && hits == want && others == lane->sent[MISSES])
		return true;
	snprintf(lane->figures->note, sizeof(lane->figures->note),
		 "WRONG: of %llu in the set and %llu others, %llu and %llu were dropped",
		 (unsigned long long)want, (unsigned long long)lane->sent[MISSES],
		 (unsigned long long)hits, (unsigned long long)others);
	return false;
}

static int contest(struct place *place, const void *arg, void *result)
{
	static struct contest c;
	const struct drops_question *q = arg;
	struct drops *out = result;
	struct set set;
	int ret = set_make(&set, q->n);

	*out = (struct drops){ .n = q->n, .n_outer = set.n_outer };
	if (!ret)
		ret = open_traffic(&c, &set);
	if (ret)
		return ret;
	open_lanes(place, &c, q, &set, out);
	run_rounds(&c, q, out);
	for (int who = 0; who < CONTESTANTS; who++)
		out->wrong |= out->of[who].known && !check(&c.lane[who]);
	return 0;
}

int drops_measure(const struct drops_question *question, struct drops *out)
{
	return place_run(contest, question, out, sizeof(*out), question->limit);
}

double drops_mpps(const struct drops *d, enum contestant who, enum traffic traffic)
{
	double each[ROUNDS_MAX];

	if (!d->of[who].known)
		return 0;
	memcpy(each, d->of[who].mpps[traffic], sizeof(each));
	return median(each, d->rounds);
}

double drops_ratio(const struct drops *d, enum traffic traffic, enum contestant fast,
		   enum contestant slow)
{
	double each[ROUNDS_MAX];

	if (!d->of[fast].known || !d->of[slow].known)
		return 0;
	for (unsigned int i = 0; i < d->rounds; i++)
		each[i] = d->of[fast].mpps[traffic][i] / d->of[slow].mpps[traffic][i];
	return median(each, d->rounds);
}

double drops_busy(const struct drops *d)
{
	double each[TRAFFICS * ROUNDS_MAX], best = 0;
	size_t n = 0;

	for (int traffic = 0; traffic < TRAFFICS; traffic++)
		for (unsigned int i = 0; i < d->rounds; i++)
			each[n++] = d->of[EMPTY].mpps[traffic][i];
	for (size_t i = 0; i < n; i++)
		best = each[i] > best ? each[i] : best;
	return best / median(each, n);
}
