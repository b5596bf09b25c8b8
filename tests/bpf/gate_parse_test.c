// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames cut at every length and frames with changed bytes: at every hook and under every setting
 * each is counted once and gets what the oracle says.
 */
#include "tests/bpf/gate_oracle.h"

static struct gates gates;

struct tally {
	unsigned int runs, wrong;
};

static void show(const struct frame *f, const char *what, const struct outcome *o)
{
	printf("#   %s: %s %s%s\n", what, ng_verdict_name[o->verdict], ng_reason_name[o->reason],
	       o->exact ? "" : ", counted wrongly");
	for (uint32_t i = 0; i < f->len && i < 128; i++)
		printf("%s%02x", i % 32 ? "" : "\n#     ", f->data[i]);
	printf("\n");
}

static void try(enum way way, const struct setting *s, const struct frame *f, struct tally *tally)
{
	static uint8_t wire[FRAME_MAX + 4];
	struct outcome got, want;

	if (gates_judge(&gates, way, f, &got))
		return;
	want = oracle(wire, wire_image(f, ways[way].tagged, wire), s);
	tally->runs++;
	if (got.exact && got.verdict == want.verdict && got.reason == want.reason)
		return;
	if (tally->wrong++ == 0) {
		printf("#   %s, %s\n", s->name, ways[way].name);
		show(f, "got", &got);
		show(f, "want", &want);
	}
}

static void cut_everywhere(const struct setting *s, struct tally tally[WAYS])
{
	struct frame f;

	for (size_t i = 0; i < SEEDS; i++) {
		frame_set(&f, seeds[i]);
		for (; f.len >= 14; f.len--)
			for (int way = 0; way < WAYS; way++)
				try(way, s, &f, &tally[way]);
	}
}

static uint64_t random_state = 0x6e676174;

static uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

/* One to three bytes behind the MAC addresses; now and then cut or padded too. */
static void change(struct frame *f)
{
	static const uint8_t likely[] = { 0,  1,  2,  4,    6,	  8,	17,   32,   43,	  44,
					  51, 53, 58, 60,   0x35, 0x44, 0x45, 0x4f, 0x60, 0x81,
					  88, 89, 59, 0x86, 132,  135,	139,  140,  0xff };

	for (uint32_t n = 1 + below(3); n; n--)
		f->data[12 + below(f->len - 12)] =
			below(4) ? likely[below(sizeof(likely))] : (uint8_t)below(256);
	if (below(6) == 0)
		f->len = 14 + below(f->len - 13);
	else if (below(6) == 0)
		frame_pad(f, f->len + below(80));
}

static void change_randomly(const struct setting *s, unsigned int n, struct tally tally[WAYS])
{
	struct frame f;

	while (n--) {
		frame_set(&f, seeds[below(SEEDS)]);
		change(&f);
		for (int way = 0; way < WAYS; way++)
			try(way, s, &f, &tally[way]);
	}
}

static void report(const struct tally tally[WAYS], const char *what)
{
	for (int way = 0; way < WAYS; way++)
		ok(tally[way].runs > 100 && !tally[way].wrong, "%s: %s: %u of %u wrong",
		   ways[way].name, what, tally[way].wrong, tally[way].runs);
}

int main(void)
{
	const unsigned int changes = getenv("NG_QUICK") ? 100 : 1000;
	struct tally cut[WAYS] = { 0 }, changed[WAYS] = { 0 };
	struct ng_counter sum[NG_COUNTERS];
	__u64 counted = 0, sent = 0;

	require_gates(&gates);
	ng_counters_zero(&gates.maps);
	for (int s = 0; s < SETTINGS; s++) {
		gates_set(&gates, &settings[s]);
		cut_everywhere(&settings[s], cut);
		change_randomly(&settings[s], changes, changed);
	}
	report(cut, "frames cut at every length");
	report(changed, "frames with changed bytes");
	ng_counters_read(&gates.maps, sum);
	for (int i = 0; i < NG_COUNTERS; i++)
		counted += sum[i].packets;
	for (int way = 0; way < WAYS; way++)
		sent += cut[way].runs + changed[way].runs;
	is_int(counted, sent, "as many packets counted as sent");
	printf("# %u frames were not taken by the test run\n", gates.skipped);
	return tap_done();
}
