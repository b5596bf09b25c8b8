// SPDX-License-Identifier: GPL-2.0-only
/* Words in tcpdump's lines: behind the time of each packet's first line, nowhere else, however the
 * bytes come. */
#include "ctl/capture/annotate.h"

#include "tests/tap.h"

#define PACKETS 4

static const char *const words[PACKETS] = { "In  drop ", "Out ", "In  pass ", "" };

static const struct {
	const char *name;
	unsigned int time_words;
	const char *in, *want;
} row[] = {
	{ "a line for each packet", 1,
	  "    1  10:04:18.091748 IP 192.0.2.1.40000 > 198.51.100.1.53: 28263+ A? nicgate.test. (30)\n"
	  "    2  10:04:18.091749 ARP, Request who-has 192.0.2.1\n"
	  "    3  10:04:18.091750 IP6 a\n"
	  "    4  10:04:18.091751 IP6 b\n",
	  "10:04:18.091748 In  drop IP 192.0.2.1.40000 > 198.51.100.1.53: 28263+ A? nicgate.test. (30)\n"
	  "10:04:18.091749 Out ARP, Request who-has 192.0.2.1\n"
	  "10:04:18.091750 In  pass IP6 a\n"
	  "10:04:18.091751 IP6 b\n" },
	{ "-t", 0, "    1  IP a\n    2   [|ether]\n", "In  drop IP a\nOut  [|ether]\n" },
	{ "-tt", 1, "    1  0.000000 IP a\n    2  1795257858.091748 IP b\n",
	  "0.000000 In  drop IP a\n1795257858.091748 Out IP b\n" },
	{ "-ttt", 1, "    1   00:00:00.000000 IP a\n    2  -00:00:01.000000 IP b\n",
	  " 00:00:00.000000 In  drop IP a\n-00:00:01.000000 Out IP b\n" },
	{ "-tttt", 2,
	  "    1  2026-11-21 10:04:18.091748 IP a\n    2  2026-11-21 10:04:18.091749 IP b\n",
	  "2026-11-21 10:04:18.091748 In  drop IP a\n2026-11-21 10:04:18.091749 Out IP b\n" },
	{ "-v and -x: lines between", 1,
	  "    1  10:04:18.091748 IP (tos 0x0, ttl 64)\n    192.0.2.1.40000 > 198.51.100.1.53\n"
	  "\t0x0000:  4500 001c 0000 0000\n"
	  "    2  10:04:18.091749 IP b\n",
	  "10:04:18.091748 In  drop IP (tos 0x0, ttl 64)\n    192.0.2.1.40000 > 198.51.100.1.53\n"
	  "\t0x0000:  4500 001c 0000 0000\n"
	  "10:04:18.091749 Out IP b\n" },
	{ "-A: lines that look like numbers", 1,
	  "    1  10:04:18.091748 IP a\n"
	  "    2  bottles\n2\n    2\n   2  10:04:18.091748 x\n     2  10:04:18.091748 x\n"
	  "    2  8 9\n    2  :::::::::\n00002  10:04:18.091748 x\n    5  10:04:18.091748 x\n"
	  "    1  10:04:18.091748 x\n4294967298  10:04:18.091748 x\n\n"
	  "    2  10:04:18.091749 IP b\n",
	  "10:04:18.091748 In  drop IP a\n"
	  "    2  bottles\n2\n    2\n   2  10:04:18.091748 x\n     2  10:04:18.091748 x\n"
	  "    2  8 9\n    2  :::::::::\n00002  10:04:18.091748 x\n    5  10:04:18.091748 x\n"
	  "    1  10:04:18.091748 x\n4294967298  10:04:18.091748 x\n\n"
	  "10:04:18.091749 Out IP b\n" },
	{ "a first line that is missing", 1,
	  "    1  10:04:18.091748 IP a\n    3  10:04:18.091750 IP c\n",
	  "10:04:18.091748 In  drop IP a\n10:04:18.091750 In  pass IP c\n" },
	{ "no time", 2, "    1  [Invalid header: caplen==0]\n    2  [Invalid header: len==0]\n",
	  "In  drop [Invalid header: caplen==0]\nOut [Invalid header: len==0]\n" },
	{ "no numbers", 1, "10:04:18.091748 IP a\n    1  10:04:18.091748 IP b\n",
	  "10:04:18.091748 IP a\n    1  10:04:18.091748 IP b\n" },
	{ "an end in a line", 1, "    1  10:04:18.091748 IP", "10:04:18.091748 In  drop IP" },
	{ "an end in a number", 1, "    1  10:04:18.091748 IP\n    2  10",
	  "10:04:18.091748 In  drop IP\n    2  10" },
	{ "nothing", 1, "", "" },
};

/* The input in two pieces, the first `split` bytes long. */
static bool comes_out(size_t r, size_t split)
{
	struct ng_annotate *a = ng_annotate_new(row[r].time_words);
	size_t n = strlen(row[r].in), used;
	char out[4096];

	for (int i = 0; i < PACKETS; i++)
		ng_annotate_announce(a, words[i]);
	used = ng_annotate_feed(a, row[r].in, split, out);
	used += ng_annotate_feed(a, row[r].in + split, n - split, out + used);
	used += ng_annotate_finish(a, out + used);
	out[used] = '\0';
	ng_annotate_free(a);
	if (!strcmp(out, row[r].want))
		return true;
	printf("# split at %zu:\n%s# want:\n%s", split, out, row[r].want);
	return false;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		bool same = true;

		for (size_t split = 0; same && split <= strlen(row[i].in); split++)
			same = comes_out(i, split);
		ok(same, "%s, split anywhere", row[i].name);
	}
}

/* Byte by byte, many times around the queue, always as full as it can be. */
static void test_many(void)
{
	const __u32 all = 3 * NG_ANNOTATE_QUEUE + 7;
	struct ng_annotate *a = ng_annotate_new(0);
	__u32 announced = 0, wrong = 0, unfull = 0;
	char in[64], out[NG_ANNOTATE_ROOM(sizeof(in))], want[64];

	for (__u32 n = 1; n <= all; n++) {
		size_t used = 0;

		while (announced < all && !ng_annotate_full(a))
			ng_annotate_announce(a, words[++announced % PACKETS]);
		unfull += announced < all && announced - (n - 1) != NG_ANNOTATE_QUEUE;
		snprintf(in, sizeof(in), "%5u  IP\n", n);
		snprintf(want, sizeof(want), "%sIP\n", words[n % PACKETS]);
		for (const char *p = in; *p; p++)
			used += ng_annotate_feed(a, p, 1, out + used);
		wrong += used != strlen(want) || memcmp(out, want, used);
	}
	is_int(wrong, 0, "each of many packets has its words");
	is_int(unfull, 0, "the queue takes what it says, and no more");
	is_int((long long)ng_annotate_packets(a), all, "and all are counted");
	ng_annotate_free(a);
}

static void test_not_announced(void)
{
	struct ng_annotate *a = ng_annotate_new(0);
	char out[NG_ANNOTATE_ROOM(64)];

	is_int((long long)ng_annotate_feed(a, "    1  IP\n", 10, out), 10,
	       "a packet that was not announced passes as it is");
	ng_annotate_announce(a, words[0]);
	is_int((long long)ng_annotate_feed(a, "    1  IP\n", 10, out), 3 + 9,
	       "one that is announced does not");
	ng_annotate_free(a);

	a = ng_annotate_new(0);
	ng_annotate_feed(a, "IP\n", 3, out);
	for (int i = 0; i < 3 * NG_ANNOTATE_QUEUE && !ng_annotate_full(a); i++)
		ng_annotate_announce(a, words[0]);
	ok(!ng_annotate_full(a), "without numbers nothing is waited for");
	ng_annotate_free(a);
}

/* Every line as short as a line can be: out is as large as it must be. */
static void test_room(void)
{
	static char in[4096], out[NG_ANNOTATE_ROOM(sizeof(in))];
	struct ng_annotate *a = ng_annotate_new(0);
	size_t n = 0, used;
	__u32 number = 0;

	while (n + 16 < sizeof(in)) {
		ng_annotate_announce(a, words[0]);
		n += (size_t)snprintf(in + n, sizeof(in) - n, "%5u  \n", ++number);
	}
	used = ng_annotate_feed(a, in, n, out);
	is_int((long long)used, number * 10, "shortest lines with longest words");
	ok(used <= NG_ANNOTATE_ROOM(n), "fit");
	ng_annotate_free(a);
}

int main(void)
{
	test_rows();
	test_many();
	test_not_announced();
	test_room();
	return tap_done();
}
