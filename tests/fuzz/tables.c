// SPDX-License-Identifier: GPL-2.0-only
/* Random ACL tables, texts of them, and texts that are almost ones. */
#include "tests/fuzz/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random.h"

#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define ITEMS_MAX    24
#define TEXT_MAX     16384
#define COMPARED_MAX 1500 /* items; ranges may make more */

static struct ng_prefix random_prefix(void)
{
	struct ng_prefix p = { .family = below(2) ? NG_IPV6 : NG_IPV4 };
	__u8 *byte = (__u8 *)p.addr_be, bits = p.family == NG_IPV4 ? 32 : 128;

	p.len = below(4) ? (__u8)(1 + below(bits)) : bits;
	for (int i = 0; i < bits / 8; i++)
		byte[i] = (__u8)(below(3) ? rnd() : ONE_OF(0, 0, 255, 10, 1));
	if (p.family == NG_IPV6)
		byte[0] = 0x20;
	for (int i = p.len; i < bits; i++)
		byte[i / 8] &= (__u8) ~(0x80 >> i % 8);
	return p;
}

static void random_match(struct ng_acl_key *key)
{
	if (below(2))
		return;
	key->any_proto = false;
	key->proto = (__u8)ONE_OF(6, 17, 132, 47, 255, 1);
	if (key->proto == 1 && key->prefix.family == NG_IPV6 && below(2))
		key->proto = 58;
	if ((key->proto == 6 || key->proto == 17 || key->proto == 132) && below(2)) {
		key->any_port = false;
		key->port_lo = (__u16)ONE_OF(0, 22, 53, 1024, 65535);
		key->port_hi = below(2) ? key->port_lo : 65535;
	}
}

static void random_comment(struct ng_table_item *item, bool quotes)
{
	static const char *const text[] = {
		"x", "a host", "\xc3\xa4 # ; , { } =", "it's", "back\\", "-", " blank ", "'a' \\n"
	};
	static const char *const quoted[] = { "\"", "say \"no\"", "\\\"" };

	if (below(3))
		return;
	item->comment =
		quotes && !below(3) ? quoted[below(COUNT(quoted))] : text[below(COUNT(text))];
	item->comment_len = (__u8)strlen(item->comment);
}

static struct ng_table_item random_item(enum ng_table_format format, bool lines,
					const struct ng_table_item *first)
{
	struct ng_table_item item = { .has_verdict = lines && below(8), .verdict = NG_DROP };

	item.key.prefix = random_prefix();
	item.key.any_proto = item.key.any_port = true;
	item.key.port_hi = 65535;
	if (lines) {
		item.dir = below(2) ? NG_IN : NG_OUT;
		item.key.side = below(2) ? NG_SRC : NG_DST;
		if (item.has_verdict)
			item.verdict = (__u8)below(NG_CLAUSE_VERDICT_MAX);
		random_match(&item.key);
	} else if (first) {
		item.dir = first->dir;
		item.key.side = first->key.side;
	}
	if (format == NG_TABLE_CIDR)
		return item;
	if (below(2))
		item.timeout_s = ONE_OF(1, 60, 90, 86400, 93784, 2147483);
	random_comment(&item, lines || format == NG_TABLE_NFT_JSON);
	return item;
}

static bool same_key(const struct ng_table_item *a, const struct ng_table_item *b)
{
	const struct ng_acl_key *k = &a->key, *l = &b->key;

	return a->dir == b->dir && k->side == l->side && k->prefix.family == l->prefix.family &&
	       k->prefix.len == l->prefix.len &&
	       !memcmp(k->prefix.addr_be, l->prefix.addr_be, 16) && k->any_proto == l->any_proto &&
	       k->proto == l->proto && k->any_port == l->any_port && k->port_lo == l->port_lo &&
	       k->port_hi == l->port_hi;
}

size_t tables_items(struct ng_table_item *item, size_t n, enum ng_table_format format)
{
	bool lines = format == NG_TABLE_AUTO || format == NG_TABLE_WORDS ||
		     format == NG_TABLE_JSON || format == NG_TABLE_CSV;
	size_t made = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		item[made] = random_item(format, lines, made ? item : NULL);
		while (k < made && !same_key(&item[k], &item[made]))
			k++;
		made += k == made;
	}
	return made;
}

static bool same_item(const struct ng_table_item *a, const struct ng_table_item *b)
{
	return same_key(a, b) && a->verdict == b->verdict && a->timeout_s == b->timeout_s &&
	       a->comment_len == b->comment_len &&
	       !memcmp(a->comment_len ? a->comment : "", b->comment_len ? b->comment : "",
		       a->comment_len);
}

bool tables_same(const struct ng_table_item *a, size_t na, const struct ng_table_item *b, size_t nb)
{
	for (size_t i = 0; i < na; i++) {
		size_t k = 0;

		if (i < nb && same_item(&a[i], &b[i]))
			continue;
		while (k < nb && !same_item(&a[i], &b[k]))
			k++;
		if (k == nb)
			return false;
	}
	return na == nb;
}

struct ng_acl_words tables_words(const struct ng_table_item *item)
{
	struct ng_acl_words words = ng_acl_words_none();

	words.dir = item->dir;
	words.key.side = item->key.side;
	words.verdict = NG_DROP;
	if (item->verdict < NG_CLAUSE_VERDICT_MAX) {
		words.verdict = item->verdict;
		words.has |= 1u << NG_ACL_VERDICT;
	}
	return words;
}

int tables_round(const struct ng_table_item *item, size_t n, enum ng_table_format format)
{
	struct ng_acl_words words = ng_acl_words_none();
	struct ng_table_write_options as = { .format = format, .words = &words };
	struct ng_table_options options = { .format = format, .words = &words };
	struct ng_bad_word bad = { 0 };
	struct ng_table t;
	char *text = NULL;
	size_t len, which;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (!item[i].has_verdict || !i)
			words = tables_words(&item[i]);
	rc = ng_table_write(item, n, &as, &text, &len, &which, &bad);
	if (rc)
		return rc == -EINVAL && which < n && bad.what[0] ? 1 : -1;
	rc = ng_table_read(text, len, &options, &t);
	if (rc || !tables_same(item, n, t.item, t.n)) {
		printf("# %s: %d, %zu items of %zu, %u:%zu %s:\n%.3000s\n",
		       ng_table_format_name[format], rc, t.n, n, t.bad[0].line, t.bad[0].bad.at,
		       t.bad[0].bad.what, text);
		rc = -1;
	}
	ng_table_free(&t);
	free(text);
	return rc;
}

/* What matters to one reader or another. */
static const char *const dictionary[] = {
	"drop",
	"pass ",
	"in",
	" src ",
	"proto",
	"tcp",
	"port 22",
	" timeout ",
	"comment ",
	"\"",
	"\\",
	"'",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"=",
	";",
	"#",
	"\n",
	"\r\n",
	"\t",
	"-",
	"/",
	"/0",
	"/128",
	"::",
	"10.0.0.0/8",
	"10.0.0.9-10.0.2.1",
	"2001:db8::/32",
	"2001:db8::1-2001:db8::ff",
	"::ffff:1.2.3.4",
	"elements",
	"set",
	"table",
	"type ipv4_addr",
	"ipv6_addr",
	"add ",
	"create ",
	"hash:net",
	"hash:ip",
	"netmask 24",
	"nomatch",
	"family inet6",
	"\"prefix\":",
	"\"elem\":",
	"\"nftables\":",
	"\"set\":",
	"null",
	"\"range\":",
	"\\u0000",
	"\\ud800",
	"\xff",
	"\xc3",
	"\xef\xbb\xbf",
	"4294967295",
	"65536",
	"-1",
	"010",
	"1.5",
	"99999999999999999999",
	"any",
	"expires ",
	"1h59m58s992ms",
	"verdict,dir,prefix",
	"counter packets 1 bytes 2",
};

static void splice(char *text, size_t *len, size_t at, size_t cut, const char *put, size_t n)
{
	if (cut > *len - at)
		cut = *len - at;
	if (*len - cut + n > TEXT_MAX)
		return;
	memmove(text + at + n, text + at + cut, *len - at - cut);
	memcpy(text + at, put, n);
	*len = *len - cut + n;
}

static void mutate(char *text, size_t *len)
{
	size_t at = below((uint32_t)*len + 1);
	const char *word = dictionary[below(COUNT(dictionary))];
	char copy[64], byte = (char)rnd();
	size_t n = below(sizeof(copy)), from;

	switch (below(8)) {
	case 0:
		splice(text, len, at, 1, &byte, 1);
		break;
	case 1:
		splice(text, len, at, 1 + below(4), "", 0);
		break;
	case 2:
		splice(text, len, at, below(3), word, strlen(word));
		break;
	case 3: /* a piece from elsewhere */
		from = below((uint32_t)*len + 1);
		n = n > *len - from ? *len - from : n;
		memcpy(copy, text + from, n);
		splice(text, len, at, below(2) * n, copy, n);
		break;
	case 4: /* the end is missing */
		if (!below(4))
			*len = at;
		break;
	case 5:
		splice(text, len, at, below(64), "", 0);
		break;
	case 6:
		if (at < *len)
			text[at] ^= (char)(1 << below(8));
		break;
	default:
		splice(text, len, at, 0, word, strlen(word));
	}
}

static bool valid_key(const struct ng_acl_key *k)
{
	const struct ng_prefix *p = &k->prefix;
	const __u8 *byte = (const __u8 *)p->addr_be;
	int bits = p->family == NG_IPV4 ? 32 : 128;

	if (p->family >= NG_FAMILY_MAX || p->len > bits || k->side >= NG_SIDE_MAX)
		return false;
	for (int i = p->len; i < 128; i++)
		if (byte[i / 8] >> (7 - i % 8) & 1)
			return false;
	if (k->any_port ? k->port_lo || k->port_hi != 65535 : k->port_lo > k->port_hi)
		return false;
	if (!k->any_port && (k->any_proto || (k->proto != 6 && k->proto != 17 && k->proto != 132)))
		return false;
	if (k->any_proto && k->proto)
		return false;
	return p->family == NG_IPV6 || k->any_proto || k->proto != 58;
}

static bool valid_item(const struct ng_table_item *item)
{
	struct ng_bad_word bad;

	return valid_key(&item->key) && item->dir < NG_DIR_MAX && item->line && item->column &&
	       item->verdict <= NG_CLAUSE_VERDICT_MAX &&
	       (!item->has_verdict || item->verdict < NG_CLAUSE_VERDICT_MAX) &&
	       !ng_comment_check(item->comment ? item->comment : "", item->comment_len, &bad);
}

/* Bad lines lie in the text. */
static bool valid_report(const struct ng_table *t, const char *text, size_t len)
{
	size_t n = t->bad_lines < NG_BAD_LINES_MAX ? t->bad_lines : NG_BAD_LINES_MAX;

	for (size_t i = 0; i < n; i++) {
		const struct ng_bad_line *b = &t->bad[i];

		if (!b->line || !b->bad.what[0] || b->text < text ||
		    b->text + b->len > text + len || b->bad.at > b->len + 1 ||
		    memchr(b->text, '\n', b->len))
			return false;
	}
	return true;
}

static const char *check_table(const struct ng_table *t, int rc, const char *text, size_t len,
			       struct tables_tally *tally)
{
	if (rc && rc != -EINVAL)
		return "neither read nor refused";
	if (rc && (t->n || !t->bad_lines))
		return "refused without a word, or with items";
	if (!valid_report(t, text, len))
		return "a report that is not in the text";
	for (size_t i = 0; i < t->n; i++)
		if (!valid_item(&t->item[i]))
			return "an item that is not valid";
	tally->accepted += !rc;
	tally->skipped_bad += !rc && t->bad_lines;
	if (rc || t->n > COMPARED_MAX)
		return NULL;
	for (enum ng_table_format f = NG_TABLE_CIDR; f < NG_TABLE_FORMATS; f++) {
		int round = tables_round(t->item, t->n, f);

		if (round < 0)
			return "written and read again, it is not the same";
		tally->written += !round;
	}
	return NULL;
}

/* What may stand beside the file: acl add DEV VERDICT [in|out] [src|dst] @FILE [proto P] [port N] */
static struct ng_acl_words random_words(void)
{
	struct ng_acl_words words = ng_acl_words_none();

	if (below(2)) {
		words.verdict = (__u8)below(NG_CLAUSE_VERDICT_MAX);
		words.has |= 1u << NG_ACL_VERDICT;
	}
	words.dir = below(2) ? NG_IN : NG_OUT;
	words.key.side = below(2) ? NG_SRC : NG_DST;
	if (below(2))
		return words;
	words.key.any_proto = false;
	words.key.proto = (__u8)ONE_OF(1, 6, 17, 58);
	words.icmp = words.key.proto == 1;
	if (words.key.proto == 6 && below(2)) {
		words.key.any_port = false;
		words.key.port_lo = words.key.port_hi = 22;
	}
	return words;
}

/* A good text in a random format. */
static enum ng_table_format random_text(char *text, size_t *len)
{
	enum ng_table_format format = NG_TABLE_CIDR + below(NG_TABLE_FORMATS - NG_TABLE_CIDR);
	struct ng_table_item item[ITEMS_MAX];
	size_t n = tables_items(item, below(ITEMS_MAX), format), which;
	struct ng_table_write_options as = { .format = format };
	struct ng_bad_word bad;
	char *out = NULL;

	*len = 0;
	if (!ng_table_write(item, n, &as, &out, len, &which, &bad)) {
		*len = *len < TEXT_MAX ? *len : TEXT_MAX;
		memcpy(text, out, *len);
	}
	free(out);
	return format;
}

bool tables_case(uint64_t seed, struct tables_tally *tally)
{
	static char room[TEXT_MAX];
	struct ng_table_options options = { 0 };
	struct ng_acl_words words;
	struct ng_table t;
	const char *wrong;
	char *text;
	size_t len;
	int rc;

	random_seed(seed);
	options.format = random_text(room, &len);
	for (uint32_t i = below(4) ? below(6) : 0; i; i--)
		mutate(room, &len);
	if (!below(3))
		options.format = below(NG_TABLE_FORMATS);
	words = random_words();
	options.words = below(2) ? &words : NULL;
	options.skip_bad = !below(3);
	options.fold_covered = !below(3);
	text = malloc(len + !len); /* of its own, so that a step too far is seen */
	if (!text)
		return false;
	memcpy(text, room, len);
	rc = ng_table_read(text, len, &options, &t);
	wrong = check_table(&t, rc, text, len, tally);
	if (wrong)
		printf("# seed %llu, %s: %s\n", (unsigned long long)seed,
		       ng_table_format_name[t.format], wrong);
	tally->cases++;
	tally->failed += wrong != NULL;
	ng_table_free(&t);
	free(text);
	return !wrong;
}
