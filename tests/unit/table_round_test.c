// SPDX-License-Identifier: GPL-2.0-only
/* ACL tables written and read back: the same items, or words for what a format cannot say. */
#include <errno.h>

#include "tests/fuzz/tables.h"
#include "tests/random.h"
#include "tests/tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ITEMS	 40

static void rounds(void)
{
	struct ng_table_item item[ITEMS];

	for (enum ng_table_format f = NG_TABLE_CIDR; f < NG_TABLE_FORMATS; f++) {
		size_t wrong = 0, unsaid = 0;

		for (int i = 0; i < 200; i++) {
			size_t n = tables_items(item, below(ITEMS), f);
			int round = tables_round(item, n, f);

			wrong += round < 0;
			unsaid += round > 0;
		}
		ok(!wrong, "%s: 200 tables are read back as they were written",
		   ng_table_format_name[f]);
		ok(!unsaid, "  and all of them could be said");
	}
}

static const struct {
	const char *words; /* a table */
	enum ng_table_format format;
	size_t which;
	const char *what;
} unsaid[] = {
	{ "drop 10.0.0.0/8\ndrop ::/0 proto tcp port 22\n", NG_TABLE_CIDR, 1, "protocols" },
	{ "drop 10.0.0.0/8 proto tcp\ndrop ::/0 proto tcp port 22\n", NG_TABLE_CIDR, 1, "ports" },
	{ "drop 10.0.0.0/8\npass ::/0\n", NG_TABLE_CIDR, 1, "more than one verdict" },
	{ "drop 10.0.0.0/8\ndrop out ::/0\n", NG_TABLE_NFT, 1, "more than one direction" },
	{ "drop 10.0.0.0/8\ndrop dst ::/0\n", NG_TABLE_IPSET, 1, "src and dst" },
	{ "drop 10.0.0.0/8 timeout 1h\n", NG_TABLE_CIDR, 0, "timeouts" },
	{ "drop 10.0.0.0/8 comment x\n", NG_TABLE_CIDR, 0, "comments" },
	{ "drop 10.0.0.0/8 timeout 25d\n", NG_TABLE_IPSET, 0, "at most 2147483 seconds" },
	{ "drop 0.0.0.0/0\n", NG_TABLE_IPSET, 0, "length 0" },
	{ "drop ::1 comment 'a\"b'\n", NG_TABLE_IPSET, 0, "quotes" },
	{ "drop ::1 comment 'a\"b'\n", NG_TABLE_NFT, 0, "quotes" },
};

static void refusing(void)
{
	for (size_t i = 0; i < COUNT(unsaid); i++) {
		struct ng_table_options options = { .format = NG_TABLE_WORDS };
		struct ng_table_write_options as = { .format = unsaid[i].format };
		struct ng_bad_word bad = { 0 };
		struct ng_table t;
		char *text = NULL;
		size_t len, which = 99;
		int rc;

		ng_table_read(unsaid[i].words, strlen(unsaid[i].words), &options, &t);
		rc = ng_table_write(t.item, t.n, &as, &text, &len, &which, &bad);
		if (!ok(rc == -EINVAL && which == unsaid[i].which &&
				strstr(bad.what, unsaid[i].what) && !text,
			"%s cannot say: %s", ng_table_format_name[unsaid[i].format],
			unsaid[i].what))
			printf("#   %d, item %zu: %s\n", rc, which, bad.what);
		ng_table_free(&t);
	}
}

static void lossy(void)
{
	static const char words[] = "drop 10.0.0.0/8 timeout 1h comment x\ndrop ::1\n";
	struct ng_table_options options = { .format = NG_TABLE_WORDS };
	struct ng_table_write_options as = { .format = NG_TABLE_CIDR, .lossy = true };
	struct ng_bad_word bad;
	struct ng_table t;
	char *text = NULL;
	size_t len, which;

	ng_table_read(words, sizeof(words) - 1, &options, &t);
	ok(!ng_table_write(t.item, t.n, &as, &text, &len, &which, &bad) &&
		   !strcmp(text, "10.0.0.0/8\n::1/128\n"),
	   "what cannot be said may be left out");
	is_int(len, 19, "  and the length is that of the text");
	free(text);
	ng_table_free(&t);
}

/* Makes few addresses and lengths, so that they cover each other, and many twice. */
static size_t crowd(char *text, size_t size)
{
	bool v6 = below(2);
	size_t used = 0;

	for (uint32_t n = 1 + below(ITEMS); n; n--) {
		char address[32];

		snprintf(address, sizeof(address), v6 ? "fa%02x::" : "10.%u.0.0", below(4) * 64);
		used += (size_t)snprintf(text + used, size - used, "%s %s %s/%u%s%s\n",
					 below(3) ? "drop" : "pass", below(8) ? "src" : "dst",
					 address, 8 + below(4), below(4) ? "" : " proto tcp",
					 below(4) ? "" : " timeout 5m");
	}
	return used;
}

/* The clause that decides for an address: the longest prefix, then by protocol. */
static int decide(const struct ng_table *t, enum ng_side side, __u8 second, bool tcp)
{
	int best = -1, verdict = -1;

	for (size_t i = 0; i < t->n; i++) {
		const struct ng_acl_key *k = &t->item[i].key;
		const __u8 *byte = (const __u8 *)k->prefix.addr_be;
		int rank = k->prefix.len * 2 + !k->any_proto;

		if (k->side != side || (!k->any_proto && !tcp) ||
		    (byte[1] ^ second) >> (16 - k->prefix.len) || rank < best)
			continue;
		best = rank;
		verdict = t->item[i].verdict;
	}
	return verdict;
}

/* Without the covered items, every packet gets the same verdict. */
static void covering(void)
{
	size_t wrong = 0, folded = 0, read = 0;

	for (int i = 0; i < 20000; i++) {
		struct ng_table_options all = { .format = NG_TABLE_WORDS, .skip_bad = true };
		struct ng_table_options few = all;
		char text[ITEMS * 64];
		size_t len = crowd(text, sizeof(text));
		struct ng_table a, b;

		few.fold_covered = true;
		if (ng_table_read(text, len, &all, &a) || ng_table_read(text, len, &few, &b)) {
			wrong++;
			continue;
		}
		read += a.n;
		folded += a.n - b.n;
		wrong += a.n - b.n != a.count.covered || a.count.covered != b.count.covered;
		for (unsigned int second = 0; second < 256; second += 16)
			for (int how = 0; how < 4; how++)
				wrong += decide(&a, how & 1, (__u8)second, how & 2) !=
					 decide(&b, how & 1, (__u8)second, how & 2);
		ng_table_free(&a);
		ng_table_free(&b);
	}
	is_int(wrong, 0, "20000 tables decide the same without what is covered");
	ok(folded > 1000, "%zu of %zu items were", folded, read);
}

static void last_one_wins(void)
{
	static const char text[] = "drop ::1 timeout 1h comment a\ndrop ::2\ndrop ::1 comment b\n";
	struct ng_table_options options = { .format = NG_TABLE_WORDS };
	struct ng_table t;

	ok(!ng_table_read(text, sizeof(text) - 1, &options, &t) && t.n == 2, "the same key twice");
	ok(t.n && t.item[0].line == 1 && !t.item[0].timeout_s && *t.item[0].comment == 'b',
	   "  keeps the first place, and the last timeout and comment");
	ng_table_free(&t);
}

static void changed_texts(void)
{
	struct tables_tally tally = { 0 };

	for (uint64_t seed = 1; seed <= 20000; seed++)
		tables_case(seed, &tally);
	is_int(tally.failed, 0, "20000 texts almost right are read or refused, and read again");
	ok(tally.accepted > 5000 && tally.cases - tally.accepted > 5000,
	   "%llu were accepted, and %llu written again", (unsigned long long)tally.accepted,
	   (unsigned long long)tally.written);
}

int main(void)
{
	random_seed(4);
	rounds();
	refusing();
	lossy();
	covering();
	last_one_wins();
	changed_texts();
	return tap_done();
}
