// SPDX-License-Identifier: GPL-2.0-only
/* pcapng: section header, interface description, enhanced packet, interface statistics. */
#include "ctl/capture/pcapng.h"

#include <stdbool.h>
#include <string.h>

#define LINKTYPE_ETHERNET 1
#define BYTE_ORDER_MAGIC  0x1a2b3c4d
#define NANOSECONDS	  9 /* if_tsresol: 10^-9 */

enum block_type { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_IFACE = 1, BLOCK_STATS = 5, BLOCK_PACKET = 6 };

enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_SPEED = 8,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_PACKETID = 5,
	EPB_QUEUE = 6,
	EPB_VERDICT = 7,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP = 7,
	ISB_USRDELIV = 8,
};

/* A block being written: type and length, body, options, length again. */
struct block {
	unsigned char *start, *p;
	bool options;
};

static void put(struct block *b, const void *data, size_t n)
{
	if (n)
		memcpy(b->p, data, n);
	b->p += n;
}

static void put_u32(struct block *b, __u32 v)
{
	put(b, &v, sizeof(v));
}

/* Zero bytes up to a multiple of four from the start of the block. */
static void pad(struct block *b)
{
	while ((b->p - b->start) % 4)
		*b->p++ = 0;
}

static void put_option_head(struct block *b, enum option code, size_t len)
{
	__u16 head[2] = { (__u16)code, (__u16)len };

	put(b, head, sizeof(head));
	b->options = true;
}

static void put_option(struct block *b, enum option code, const void *data, size_t len)
{
	put_option_head(b, code, len);
	put(b, data, len);
	pad(b);
}

static void put_string(struct block *b, enum option code, const char *text, size_t max)
{
	if (text && *text)
		put_option(b, code, text, strnlen(text, max));
}

/* An option that is one byte saying what follows, and that. */
static void put_tagged(struct block *b, enum option code, __u8 tag, const void *data, size_t len)
{
	put_option_head(b, code, len + 1);
	put(b, &tag, 1);
	put(b, data, len);
	pad(b);
}

/* Timestamps are two words, the high one first, in either byte order. */
static void put_time(struct block *b, __u64 ns)
{
	put_u32(b, (__u32)(ns >> 32));
	put_u32(b, (__u32)ns);
}

static void put_time_option(struct block *b, enum option code, __u64 ns)
{
	put_option_head(b, code, sizeof(ns));
	put_time(b, ns);
}

static struct block begin(void *buf, enum block_type type)
{
	struct block b = { .start = buf, .p = buf };

	put_u32(&b, (__u32)type);
	put_u32(&b, 0);
	return b;
}

static size_t end(struct block *b)
{
	__u32 len;

	if (b->options)
		put_option(b, OPT_END, NULL, 0);
	len = (__u32)(b->p - b->start) + (__u32)sizeof(len);
	put_u32(b, len);
	memcpy(b->start + 4, &len, sizeof(len));
	return len;
}

size_t ng_pcapng_header(void *buf, __u32 snaplen)
{
	struct block b = begin(buf, BLOCK_SECTION);
	const __u16 version[2] = { 1, 0 };
	const __u64 length = ~0ull; /* not known in advance */

	(void)snaplen;
	put_u32(&b, BYTE_ORDER_MAGIC);
	put(&b, version, sizeof(version));
	put(&b, &length, sizeof(length));
	put_string(&b, SHB_USERAPPL, "nicgate", NG_ENCODE_STRING);
	return end(&b);
}

size_t ng_pcapng_iface(void *buf, const struct ng_file_iface *iface, __u32 snaplen)
{
	struct block b = begin(buf, BLOCK_IFACE);
	const __u16 linktype[2] = { LINKTYPE_ETHERNET, 0 };
	const __u8 tsresol = NANOSECONDS;

	put(&b, linktype, sizeof(linktype));
	put_u32(&b, snaplen);
	put_string(&b, IF_NAME, iface->name, NG_ENCODE_STRING);
	put_string(&b, IF_DESCRIPTION, iface->description, NG_ENCODE_STRING);
	if (iface->speed)
		put_option(&b, IF_SPEED, &iface->speed, sizeof(iface->speed));
	put_option(&b, IF_TSRESOL, &tsresol, sizeof(tsresol));
	if (iface->filter && *iface->filter) /* tag 0: text */
		put_tagged(&b, IF_FILTER, 0, iface->filter,
			   strnlen(iface->filter, NG_ENCODE_STRING));
	return end(&b);
}

size_t ng_pcapng_packet(void *buf, const struct ng_packet *f, __u64 id)
{
	struct block b = begin(buf, BLOCK_PACKET);
	const __u32 flags = (__u32)f->dir;

	put_u32(&b, f->iface);
	put_time(&b, f->wall_ns);
	put_u32(&b, f->caplen);
	put_u32(&b, f->wirelen);
	put(&b, f->data, f->caplen);
	pad(&b);
	put_string(&b, OPT_COMMENT, f->comment, NG_COMMENT_MAX);
	if (f->dir != NG_PACKET_DIR_UNKNOWN)
		put_option(&b, EPB_FLAGS, &flags, sizeof(flags));
	if (f->lost)
		put_option(&b, EPB_DROPCOUNT, &f->lost, sizeof(f->lost));
	put_option(&b, EPB_PACKETID, &id, sizeof(id));
	if (f->has_queue)
		put_option(&b, EPB_QUEUE, &f->queue, sizeof(f->queue));
	if (f->verdict_kind != NG_VERDICT_NONE)
		put_tagged(&b, EPB_VERDICT, (__u8)f->verdict_kind, &f->action, sizeof(f->action));
	return end(&b);
}

size_t ng_pcapng_stats(void *buf, __u32 iface, const struct ng_file_stats *s)
{
	struct block b = begin(buf, BLOCK_STATS);
	const struct {
		enum option code;
		__u64 value;
	} counter[] = {
		{ ISB_IFRECV, s->received },
		{ ISB_FILTERACCEPT, s->accepted },
		{ ISB_OSDROP, s->dropped },
		{ ISB_USRDELIV, s->delivered },
	};

	put_u32(&b, iface);
	put_time(&b, s->wall_ns);
	put_time_option(&b, ISB_STARTTIME, s->start_ns);
	put_time_option(&b, ISB_ENDTIME, s->wall_ns);
	for (size_t i = 0; i < sizeof(counter) / sizeof(counter[0]); i++)
		put_option(&b, counter[i].code, &counter[i].value, sizeof(counter[i].value));
	return end(&b);
}
