// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes savefiles of all kinds for the tests, and tells what is in one.
 *
 *	ngsavefiles DIR		a file per family of protocols, in turn pcap of microseconds and
 *				nanoseconds, of both byte orders, and pcapng; and mixed.pcap, cut.pcap
 *				(records shorter than their packets), jumbo.pcap, short.pcap (frames of
 *				0 to 60 bytes), claims.pcap (packets said to be up to 4 GiB long).
 *				Prints their names. They are the same in every run.
 *	ngsavefiles -s FILE	the number of its packets and a sum over times, lengths and bytes
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/filter_packets.h"
#include "tests/random.h"

#define PACKETS	    40 /* of a family */
#define MIXED	    700
#define CUT	    48
#define SNAPLEN	    262144
#define MAGIC_MICRO 0xa1b2c3d4
#define MAGIC_NANO  0xa1b23c4d
#define SECONDS	    1700000000
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

enum format { MICRO, NANO, MICRO_SWAPPED, NANO_SWAPPED, PCAPNG, PCAPNG_SWAPPED, FORMATS };

struct savefile {
	FILE *f;
	const char *name;
	enum format format;
	uint32_t n;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static bool is_swapped(const struct savefile *s)
{
	return s->format == MICRO_SWAPPED || s->format == NANO_SWAPPED ||
	       s->format == PCAPNG_SWAPPED;
}

static void put(struct savefile *s, const void *data, size_t n)
{
	if (fwrite(data, 1, n, s->f) != n)
		die(s->name);
}

static void put32(struct savefile *s, uint32_t value)
{
	if (is_swapped(s))
		value = __builtin_bswap32(value);
	put(s, &value, sizeof(value));
}

/* Two of 16 bits. */
static void put16(struct savefile *s, uint16_t a, uint16_t b)
{
	uint16_t value[2] = { a, b };

	if (is_swapped(s))
		for (int i = 0; i < 2; i++)
			value[i] = __builtin_bswap16(value[i]);
	put(s, value, sizeof(value));
}

static void begin_pcapng(struct savefile *s)
{
	put32(s, 0x0a0d0d0a); /* section header */
	put32(s, 28);
	put32(s, 0x1a2b3c4d);
	put16(s, 1, 0);
	put32(s, 0xffffffff);
	put32(s, 0xffffffff);
	put32(s, 28);
	put32(s, 1); /* interface description */
	put32(s, 20);
	put16(s, 1, 0); /* Ethernet */
	put32(s, SNAPLEN);
	put32(s, 20);
}

static void begin_pcap(struct savefile *s)
{
	put32(s, s->format == NANO || s->format == NANO_SWAPPED ? MAGIC_NANO : MAGIC_MICRO);
	put16(s, 2, 4);
	put32(s, 0);
	put32(s, 0);
	put32(s, SNAPLEN);
	put32(s, 1); /* Ethernet */
}

static struct savefile begin(const char *dir, const char *name, enum format format)
{
	struct savefile s = { .name = name, .format = format };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, format >= PCAPNG ? "pcapng" : "pcap");
	s.f = fopen(path, "w");
	if (!s.f)
		die(path);
	printf("%s\n", strrchr(path, '/') + 1);
	if (format >= PCAPNG)
		begin_pcapng(&s);
	else
		begin_pcap(&s);
	return s;
}

/* wirelen: what the packet is said to be long. */
static void put_packet(struct savefile *s, const struct packet *p, uint32_t wirelen)
{
	uint32_t padded = (p->len + 3) & ~3u, fraction = 1000 * s->n++;
	uint64_t time = SECONDS * 1000000ULL + fraction;

	if (s->format >= PCAPNG) {
		put32(s, 6);
		put32(s, 32 + padded);
		put32(s, 0);
		put32(s, (uint32_t)(time >> 32));
		put32(s, (uint32_t)time);
	} else {
		put32(s, SECONDS);
		put32(s, fraction);
	}
	put32(s, p->len);
	put32(s, wirelen);
	put(s, p->data, p->len);
	if (s->format >= PCAPNG) {
		put(s, "\0\0\0", padded - p->len);
		put32(s, 32 + padded);
	}
}

static void end(struct savefile *s)
{
	if (fclose(s->f))
		die(s->name);
}

static void write_families(const char *dir)
{
	static struct packet p;

	for (enum family family = 0; family < FAMILIES; family++) {
		struct savefile s =
			begin(dir, family_names[family], (enum format)(family % FORMATS));

		for (int i = 0; i < PACKETS; i++) {
			make_frame(&p, family);
			put_packet(&s, &p, p.len);
		}
		end(&s);
	}
}

static void write_mixed(const char *dir)
{
	struct savefile s = begin(dir, "mixed", NANO);
	static struct packet p;

	for (int i = 0; i < MIXED; i++) {
		make_packet(&p);
		put_packet(&s, &p, p.len);
	}
	end(&s);
}

static void write_cut(const char *dir)
{
	struct savefile s = begin(dir, "cut", PCAPNG);
	static struct packet p;

	for (int i = 0; i < MIXED / 2; i++) {
		uint32_t len;

		make_packet(&p);
		len = p.len;
		p.len = len > CUT ? CUT : len;
		put_packet(&s, &p, len);
	}
	end(&s);
}

static void write_jumbo(const char *dir)
{
	struct savefile s = begin(dir, "jumbo", MICRO);
	static struct packet p;

	for (uint32_t i = 0; i < PACKETS; i++) {
		make_frame(&p, (enum family)below(FAMILIES));
		pad_packet(&p, i < 20 ? 3510 + i : 4000 + below(5014));
		put_packet(&s, &p, p.len);
	}
	end(&s);
}

static void write_short(const char *dir)
{
	struct savefile s = begin(dir, "short", MICRO_SWAPPED);
	static struct packet p;

	for (uint32_t len = 0; len <= 60; len++) {
		make_frame(&p, below(2) ? FAMILY_IP4 : (enum family)below(FAMILIES));
		pad_packet(&p, len);
		p.len = len;
		put_packet(&s, &p, len);
	}
	end(&s);
}

static void write_claims(const char *dir)
{
	static const uint32_t lengths[] = { 65535, 65536, 70000, 262144, 0x7fffffff, 0xffffffff };
	struct savefile s = begin(dir, "claims", MICRO);
	static struct packet p;

	for (size_t i = 0; i < 4 * N_OF(lengths); i++) {
		make_frame(&p, FAMILY_IP4);
		put_packet(&s, &p, lengths[i % N_OF(lengths)]);
	}
	end(&s);
}

/* FNV-1a */
static void sum(uint64_t *h, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*h = (*h ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
}

static int print_sum(const char *file)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
	struct pcap_pkthdr *header;
	const u_char *data;
	uint64_t h = 0xcbf29ce484222325;
	unsigned int n = 0;
	int ret;

	if (!p)
		return fprintf(stderr, "ngsavefiles: %s\n", why), 1;
	while ((ret = pcap_next_ex(p, &header, &data)) == 1) {
		sum(&h, &header->ts, sizeof(header->ts));
		sum(&h, &header->caplen, sizeof(header->caplen));
		sum(&h, &header->len, sizeof(header->len));
		sum(&h, data, header->caplen);
		n++;
	}
	if (ret != PCAP_ERROR_BREAK)
		return fprintf(stderr, "ngsavefiles: %s\n", pcap_geterr(p)), 1;
	printf("%u %016" PRIx64 "\n", n, h);
	pcap_close(p);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-s") == 0)
		return print_sum(argv[2]);
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: ngsavefiles DIR | -s FILE\n");
		return 2;
	}
	random_seed(1);
	write_families(argv[1]);
	write_mixed(argv[1]);
	write_cut(argv[1]);
	write_jumbo(argv[1]);
	write_short(argv[1]);
	write_claims(argv[1]);
	return 0;
}
