// SPDX-License-Identifier: GPL-2.0-only
/* pcapng blocks, byte for byte (on a little-endian host). */
#include "ctl/capture/pcapng.h"

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

static unsigned char buf[NG_ENCODE_PACKET(2048)];

static void test_section(void)
{
	static const unsigned char want[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 44,   0,    0,	  0,	0x4d, 0x3c, 0x2b, 0x1a, 1, 0,	0,
		0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 4,    0,	  7,	0, 'n', 'i',
		'c',  'g',  'a',  't',	'e',  0,    0,	  0,	0,    0,    44,	  0,	0, 0,
	};

	is_bytes(buf, ng_pcapng_header(buf, 96), want, sizeof(want), "section header");
}

static void test_iface(void)
{
	static const unsigned char full[] = {
		1, 0,  0, 0,	68,   0,    0,	 0,   1,   0, 0, 0,   96,  0,	0,   0, 2,
		0, 3,  0, 'n',	'g',  '0',  0,	 3,   0,   4, 0, 'X', 'D', 'P', '!', 8, 0,
		8, 0,  0, 0xca, 0x9a, 0x3b, 0,	 0,   0,   0, 9, 0,   1,   0,	9,   0, 0,
		0, 11, 0, 4,	0,    0,    'u', 'd', 'p', 0, 0, 0,   0,   68,	0,   0, 0,
	};
	static const unsigned char bare[] = {
		1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0,	 0, 4, 0,
		9, 0, 1, 0, 9,	0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0,
	};
	const struct ng_file_iface iface = { "ng0", "XDP!", "udp", 1000000000 },
				   none = { .name = "" };

	is_bytes(buf, ng_pcapng_iface(buf, &iface, 96), full, sizeof(full),
		 "interface with all options");
	is_bytes(buf, ng_pcapng_iface(buf, &none, 262144), bare, sizeof(bare),
		 "interface without any");
}

static void test_packet(void)
{
	static const unsigned char full[] = {
		6,    0,    0,	  0,	108, 0, 0, 0, 1,   0,	0,   0, 0x4d, 0x9b, 0xb6, 0x01,
		0xff, 0xff, 0x5e, 0xac, 5,   0, 0, 0, 64,  0,	0,   0, 'h',  'e',  'l',  'l',
		'o',  0,    0,	  0,	1,   0, 3, 0, 'w', 'h', 'y', 0, 2,    0,    4,	  0,
		1,    0,    0,	  0,	4,   0, 8, 0, 2,   0,	0,   0, 0,    0,    0,	  0,
		5,    0,    8,	  0,	9,   0, 0, 0, 0,   0,	0,   0, 6,    0,    4,	  0,
		3,    0,    0,	  0,	7,   0, 9, 0, 2,   1,	0,   0, 0,    0,    0,	  0,
		0,    0,    0,	  0,	0,   0, 0, 0, 108, 0,	0,   0,
	};
	static const unsigned char bare[] = {
		6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,	 0, 0, 0,
		0, 0, 0, 0, 5,	0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
	};
	const struct ng_packet f = {
		.wall_ns = 0x01b69b4dac5effffull,
		.data = (const unsigned char *)"hello",
		.caplen = 5,
		.wirelen = 64,
		.iface = 1,
		.dir = NG_PACKET_IN,
		.has_queue = true,
		.queue = 3,
		.verdict_kind = NG_VERDICT_EBPF_XDP,
		.action = 1,
		.lost = 2,
		.comment = "why",
	};
	const struct ng_packet none = { .wall_ns = 1, .verdict_kind = NG_VERDICT_NONE };

	is_bytes(buf, ng_pcapng_packet(buf, &f, 9), full, sizeof(full), "packet with all options");
	is_bytes(buf, ng_pcapng_packet(buf, &none, 0), bare, sizeof(bare),
		 "empty packet with its number only");
}

static void test_stats(void)
{
	static const unsigned char want[] = {
		5, 0, 0, 0, 100, 0, 0, 0, 1, 0,	 0,  0, 2, 0, 0, 0, 5, 0, 0, 0, 2, 0,	8,  0,	1,
		0, 0, 0, 4, 0,	 0, 0, 3, 0, 8,	 0,  2, 0, 0, 0, 5, 0, 0, 0, 4, 0, 8,	0,  40, 0,
		0, 0, 0, 0, 0,	 0, 6, 0, 8, 0,	 30, 0, 0, 0, 0, 0, 0, 0, 7, 0, 8, 0,	10, 0,	0,
		0, 0, 0, 0, 0,	 8, 0, 8, 0, 20, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0,  0,	0,
	};
	const struct ng_file_stats s = { (2ull << 32) | 5, (1ull << 32) | 4, 40, 30, 10, 20 };

	is_bytes(buf, ng_pcapng_stats(buf, 1, &s), want, sizeof(want), "statistics");
}

/* Blocks are whole words, say their length at both ends and stay within the room that is promised,
 * whatever they hold. */
static void test_sizes(void)
{
	static char comment[2 * NG_COMMENT_MAX], text[2 * NG_ENCODE_STRING];
	static const unsigned char data[1024];
	int bad = 0;

	memset(comment, 'c', sizeof(comment) - 1);
	memset(text, 't', sizeof(text) - 1);
	for (__u32 caplen = 0; caplen <= sizeof(data); caplen++) {
		struct ng_packet f = {
			.data = data,
			.caplen = caplen,
			.wirelen = caplen,
			.dir = NG_PACKET_OUT,
			.has_queue = true,
			.lost = 1,
			.comment = comment,
		};
		size_t n = ng_pcapng_packet(buf, &f, caplen);
		__u32 first, last;

		memcpy(&first, buf + 4, 4);
		memcpy(&last, buf + n - 4, 4);
		bad += n % 4 || first != n || last != n || n > NG_ENCODE_PACKET(caplen);
	}
	is_int(bad, 0, "packet blocks of every length are whole");
	ok(ng_pcapng_iface(buf, &(struct ng_file_iface){ text, text, text, 1 }, 1) <=
		   NG_ENCODE_FIXED,
	   "long strings are cut to the room");
}

int main(void)
{
	test_section();
	test_iface();
	test_packet();
	test_stats();
	test_sizes();
	return tap_done();
}
