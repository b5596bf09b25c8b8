// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tc program on real packets: frames cut at every length, which a test run does not take, and
 * frames whose headers are not in the linear part. Each gets what the oracle says.
 */
#include "tests/bpf/gate_oracle.h"
#include "tests/bpf/gate_wire.h"

static struct gates gates;
static struct wire wire;
static unsigned int sent, wrong;

static void try(const struct setting *s, const struct frame *f)
{
	struct outcome want = oracle(f->data, f->len, s), got;

	if (!wire_send(&wire, f)) {
		fail("send");
		wrong++;
		return;
	}
	got = gates_counted(&gates, f->len);
	sent++;
	if (got.exact && got.verdict == want.verdict && got.reason == want.reason)
		return;
	if (wrong++ == 0)
		printf("#   %s, %u bytes, type %02x%02x: got %s %s%s, want %s %s\n", s->name,
		       f->len, f->data[12], f->data[13], ng_verdict_name[got.verdict],
		       ng_reason_name[got.reason], got.exact ? "" : ", counted wrongly",
		       ng_verdict_name[want.verdict], ng_reason_name[want.reason]);
}

static void report(const char *what)
{
	ok(sent && !wrong, "tc on lo: %s: %u of %u wrong", what, wrong, sent);
	sent = wrong = 0;
}

static void cut_everywhere(const struct setting *s)
{
	struct frame f;

	for (size_t i = 0; i < SEEDS; i++) {
		frame_set(&f, seeds[i]);
		for (; f.len >= 14; f.len--)
			try(s, &f);
	}
}

static void padded(const struct setting *s)
{
	struct frame f;

	for (size_t i = 0; i < SEEDS; i++) {
		frame_set(&f, seeds[i]);
		frame_pad(&f, PAGED);
		try(s, &f);
	}
}

/* Two options headers of 2048 bytes before UDP: the frame is cut around every border. */
static void long_chain(const struct setting *s)
{
	struct frame f;

	frame_set(&f, ETH6 IP6("1008", "3c") "3cff");
	frame_pad(&f, 54 + 2048);
	f.data[f.len++] = 17;
	f.data[f.len++] = 0xff;
	frame_pad(&f, 54 + 4096 + 8);
	for (uint32_t cut = 0; cut < 16; cut++) {
		f.data[18] = (uint8_t)((f.len - 54) >> 8);
		f.data[19] = (uint8_t)(f.len - 54);
		try(s, &f);
		f.len--;
	}
}

int main(void)
{
	require_gates(&gates);
	if (!ok(wire_open(&wire, gates.prog_fd[TC_PLAIN]), "attached to lo in a new namespace"))
		return tap_done();
	for (int s = 0; s < SETTINGS; s++) {
		gates_set(&gates, &settings[s]);
		cut_everywhere(&settings[s]);
	}
	report("frames cut at every length");
	for (int s = 0; s < SETTINGS; s++) {
		gates_set(&gates, &settings[s]);
		padded(&settings[s]);
		long_chain(&settings[s]);
	}
	is_int(wire_linear(&wire), ETH_HLEN, "only the Ethernet header of these was linear");
	report("frames in pages");
	return tap_done();
}
