// SPDX-License-Identifier: GPL-2.0-only
/* Classic pcap, byte for byte, and a tap's record as a frame: clock, VLAN tag, snapshot length. */
#include "ctl/capture/pcap.h"

#include "tests/tap.h"

static void is_bytes(const void *got, size_t n, const void *want, size_t want_n, const char *name)
{
	if (ok(n == want_n && !memcmp(got, want, n), "%s", name))
		return;
	for (size_t i = 0; i < n || i < want_n; i++)
		printf("#   %3zu: got %02x want %02x\n", i,
		       i < n ? ((const unsigned char *)got)[i] : 0,
		       i < want_n ? ((const unsigned char *)want)[i] : 0);
}

static void test_file(void)
{
	static const unsigned char header[] = {
		0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
	};
	static const unsigned char packet[] = {
		0x15, 0xcd, 0x5b, 0x07, 0xff, 0xc9, 0x9a, 0x3b, 3,   0,
		0,    0,    0xdc, 5,	0,    0,    'a',  'b',	'c',
	};
	const struct ng_packet f = {
		.wall_ns = 123456789999999999ull,
		.data = (const unsigned char *)"abc",
		.caplen = 3,
		.wirelen = 1500,
	};
	unsigned char buf[NG_ENCODE_PACKET(3)];

	is_bytes(buf, ng_pcap_header(buf, 262144), header, sizeof(header), "file header");
	is_bytes(buf, ng_pcap_packet(buf, &f, 0), packet, sizeof(packet), "packet record");
}

struct record {
	struct ng_tap_record head;
	unsigned char data[32];
};

static const struct {
	const char *name;
	__u32 caplen, wirelen, snaplen;
	__u16 tpid, tci;
	__u32 want_caplen, want_wirelen;
	const char *want;
} record_row[] = {
	{ "no tag", 16, 60, 64, 0, 0, 16, 60, "ABCDEFabcdef\x08\x00IP" },
	{ "no tag, cut by the snapshot length", 16, 60, 13, 0, 0, 13, 60, "ABCDEFabcdef\x08" },
	{ "tag", 16, 60, 64, 0x8100, 0xa005, 20, 64, "ABCDEFabcdef\x81\x00\xa0\x05\x08\x00IP" },
	{ "outer tag of QinQ", 16, 60, 64, 0x88a8, 7, 20, 64,
	  "ABCDEFabcdef\x88\xa8\x00\x07\x08\x00IP" },
	{ "tag, cut behind it", 16, 60, 16, 0x8100, 5, 16, 64, "ABCDEFabcdef\x81\x00\x00\x05" },
	{ "tag, cut inside it", 16, 60, 14, 0x8100, 5, 14, 64, "ABCDEFabcdef\x81\x00" },
	{ "tag, cut before it", 12, 60, 12, 0x8100, 5, 12, 64, "ABCDEFabcdef" },
	{ "tag, cut inside the addresses", 11, 60, 11, 0x8100, 5, 11, 64, "ABCDEFabcde" },
	{ "nothing kept", 0, 60, 0, 0x8100, 5, 0, 64, "" },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(record_row) / sizeof(record_row[0]); i++) {
		struct record r = {
		    .head =
			{
			    .tai_ns = 1000000037000000001ull,
			    .caplen = record_row[i].caplen,
			    .wirelen = record_row[i].wirelen,
			    .snaplen = record_row[i].snaplen,
			    .vlan_tpid = record_row[i].tpid,
			    .vlan_tci = record_row[i].tci,
			},
		    .data = "ABCDEFabcdef\x08\x00IPwhat follows",
		};
		unsigned char scratch[32 + NG_VLAN_TAG];
		struct ng_packet f;

		ng_packet_from_record(&r.head, 37, scratch, &f);
		is_bytes(f.data, f.caplen, record_row[i].want, record_row[i].want_caplen,
			 record_row[i].name);
		is_int(f.wirelen, record_row[i].want_wirelen, "%s: length on the wire",
		       record_row[i].name);
		ok(f.wall_ns == 1000000000000000001ull, "%s: TAI less its offset",
		   record_row[i].name);
	}
}

static const struct {
	const char *name;
	__u8 hook, action;
	enum ng_packet_dir dir;
	enum ng_verdict_kind kind;
	__u64 want;
} verdict_row[] = {
	{ "XDP_DROP", NG_HOOK_XDP, 1, NG_PACKET_IN, NG_VERDICT_EBPF_XDP, 1 },
	{ "TC_ACT_SHOT in", NG_HOOK_TC_IN, 2, NG_PACKET_IN, NG_VERDICT_EBPF_TC, 2 },
	{ "TC_ACT_UNSPEC out", NG_HOOK_TC_OUT, 0xff, NG_PACKET_OUT, NG_VERDICT_EBPF_TC, ~0ull },
};

static void test_verdicts(void)
{
	for (size_t i = 0; i < sizeof(verdict_row) / sizeof(verdict_row[0]); i++) {
		struct record r = { .head = { .hook = verdict_row[i].hook,
					      .action = verdict_row[i].action } };
		struct ng_packet f;

		ng_packet_from_record(&r.head, 0, NULL, &f);
		ok(f.dir == verdict_row[i].dir && f.verdict_kind == verdict_row[i].kind &&
			   f.action == verdict_row[i].want,
		   "%s: direction, kind and action", verdict_row[i].name);
	}
}

int main(void)
{
	test_file();
	test_records();
	test_verdicts();
	return tap_done();
}
