// SPDX-License-Identifier: GPL-2.0-only
/* What ipset and nft print, in tests/golden/tables: read as the words beside it. */
#include "ctl/policy/table.h"

#include "tests/tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DIR	 "tests/golden/tables/"

/* ipset 7.17, nftables 1.0.6 */
static const struct {
	const char *name, *words;
	enum ng_table_format format;
	size_t sets, sets_left;
} golden[] = {
	{ "ipset_save.txt", "ipset_save.words", NG_TABLE_IPSET, 4, 3 },
	{ "nft_ruleset.txt", "nft_ruleset.words", NG_TABLE_NFT, 5, 2 },
	{ "nft_set.txt", "nft_set.words", NG_TABLE_NFT, 1, 0 },
	{ "nft_stateless.txt", "nft_stateless.words", NG_TABLE_NFT, 1, 0 },
	{ "nft_ruleset.json", "nft_ruleset_json.words", NG_TABLE_NFT_JSON, 5, 2 },
	{ "nft_set.json", "nft_set_json.words", NG_TABLE_NFT_JSON, 1, 0 },
};

static char *slurp(const char *name, size_t *len)
{
	static char text[2][1 << 16];
	static int which;
	char path[256], *to = text[which ^= 1];
	FILE *f;

	snprintf(path, sizeof(path), DIR "%s", name);
	f = fopen(path, "r");
	*len = f ? fread(to, 1, sizeof(text[0]) - 1, f) : 0;
	to[*len] = '\0';
	if (f)
		fclose(f);
	return to;
}

static void reading(size_t i)
{
	struct ng_table_options options = { .format = NG_TABLE_AUTO };
	struct ng_table_write_options as = { .format = NG_TABLE_WORDS };
	struct ng_bad_word bad;
	struct ng_table t;
	char *text = NULL;
	size_t len, which;
	const char *name = golden[i].name, *in = slurp(name, &len);

	if (!ok(len && !ng_table_read(in, len, &options, &t), "%s is read", name)) {
		if (len)
			printf("#   %u:%zu %s\n", t.bad[0].line, t.bad[0].bad.at,
			       t.bad[0].bad.what);
		return;
	}
	is_int(t.format, golden[i].format, "  as %s", ng_table_format_name[golden[i].format]);
	ok(t.count.sets == golden[i].sets && t.count.sets_left == golden[i].sets_left,
	   "  %zu sets of addresses, %zu others", t.count.sets, t.count.sets_left);
	ok(!ng_table_write(t.item, t.n, &as, &text, &len, &which, &bad) &&
		   !strcmp(text, slurp(golden[i].words, &len)),
	   "  as %s says", golden[i].words);
	free(text);
	ng_table_free(&t);
}

/* All that is shorter is refused, or (cut between two sets) is a file of its own. */
static void cutting(size_t i)
{
	struct ng_table_options options = { .format = golden[i].format, .skip_bad = true };
	size_t len, whole, wrong = 0, taken = 0;
	const char *text = slurp(golden[i].name, &whole);
	struct ng_table t;

	while (whole && strchr(" \n", text[whole - 1]))
		whole--;
	for (len = 1; len < whole; len++) {
		if (!ng_table_read(text, len, &options, &t)) {
			taken++;
			wrong += text[len - 1] != '\n' || golden[i].format != NG_TABLE_IPSET;
		}
		ng_table_free(&t);
	}
	ok(!wrong, "%s: half a file is refused (%zu of %zu end a line)", golden[i].name, taken,
	   whole);
}

static void nomatch(void)
{
	struct ng_table_options options = { .format = NG_TABLE_AUTO };
	struct ng_table t;
	size_t len;
	const char *text = slurp("ipset_nomatch.txt", &len);

	ok(ng_table_read(text, len, &options, &t) && t.bad[0].line == 2 &&
		   strstr(t.bad[0].bad.what, "nomatch") && t.bad[0].bad.why[0] &&
		   strstr(t.bad[0].bad.hint, "pass 203.0.113.0/25"),
	   "nomatch is refused, with what to write instead");
	ng_table_free(&t);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(golden); i++) {
		reading(i);
		cutting(i);
	}
	nomatch();
	return tap_done();
}
