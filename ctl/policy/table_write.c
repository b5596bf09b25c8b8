// SPDX-License-Identifier: GPL-2.0-only
/* Writing ACL tables: what each format can say, and on to its writer. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/policy/table_writer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ipset(8): timeouts are milliseconds in 32 bits, signed. nft: NFTNL_UDATA_COMMENT_MAXLEN. */
#define IPSET_TIMEOUT_MAX 2147483
#define NFT_COMMENT_MAX	  128

static const struct {
	void (*write)(const struct ng_writer *w);
	bool clauses; /* verdict, direction, side, protocol, port */
	__u32 timeout_max;
	unsigned int comment_max;
	bool quotes;   /* within comments */
	bool no_whole; /* a prefix of length 0 is refused */
} formats[] = {
	[NG_TABLE_CIDR] = { .write = ng_table_write_cidr },
	[NG_TABLE_WORDS] = { ng_table_write_words, true, UINT32_MAX, NG_COMMENT_MAX, true },
	[NG_TABLE_IPSET] = { ng_table_write_ipset, false, IPSET_TIMEOUT_MAX, NG_COMMENT_MAX, false,
			     true },
	[NG_TABLE_NFT] = { ng_table_write_nft, false, UINT32_MAX - 1, NFT_COMMENT_MAX },
	[NG_TABLE_NFT_JSON] = { ng_table_write_nft_json, false, UINT32_MAX - 1, NFT_COMMENT_MAX,
				true },
	[NG_TABLE_JSON] = { ng_table_write_json, true, UINT32_MAX, NG_COMMENT_MAX, true },
	[NG_TABLE_CSV] = { ng_table_write_csv, true, UINT32_MAX, NG_COMMENT_MAX, true },
};
_Static_assert(COUNT(formats) == NG_TABLE_FORMATS, "what each format can say");

/* What items of formats without clauses must have in common. */
struct common {
	enum ng_dir dir;
	bool any_verdict;
	__u8 verdict;
	struct ng_acl_words words;
};

static struct common common_of(const struct ng_table_item *item, size_t n,
			       const struct ng_acl_words *words)
{
	struct common c = { .any_verdict = true, .words = ng_acl_words_none() };

	if (words) {
		c.words = *words;
		c.dir = words->dir;
		c.verdict = words->verdict;
		c.any_verdict = !ng_acl_has(words, NG_ACL_VERDICT);
	} else if (n) {
		c.words.key = item->key;
		c.dir = item->dir;
	}
	if (c.any_verdict && n) {
		c.verdict = item->verdict;
		c.any_verdict = false;
	}
	return c;
}

static int cannot(struct ng_bad_word *bad, enum ng_table_format format, const char *what)
{
	ng_bad_word(bad, 0, "%s cannot say %s", ng_table_format_name[format], what);
	return ng_bad_hint(bad, "formats that can: words, json, csv");
}

static int check_clause(const struct ng_table_item *item, enum ng_table_format format,
			const struct common *c, struct ng_bad_word *bad)
{
	struct ng_acl_key key = ng_acl_words_key(&c->words, &item->key.prefix);

	if (item->verdict != c->verdict && !c->any_verdict)
		return cannot(bad, format, "more than one verdict");
	if (item->dir != c->dir)
		return cannot(bad, format, "more than one direction");
	if (item->key.side != key.side)
		return cannot(bad, format, "src and dst side by side");
	if (item->key.any_proto != key.any_proto || item->key.proto != key.proto)
		return cannot(bad, format, "protocols");
	if (item->key.any_port != key.any_port || item->key.port_lo != key.port_lo ||
	    item->key.port_hi != key.port_hi)
		return cannot(bad, format, "ports");
	return 0;
}

static int check_item(const struct ng_table_item *item, enum ng_table_format format, bool lossy,
		      const struct common *c, struct ng_bad_word *bad)
{
	if (!formats[format].clauses && check_clause(item, format, c, bad))
		return -EINVAL;
	if (formats[format].no_whole && !item->key.prefix.len)
		return cannot(bad, format, "a prefix of length 0");
	if (lossy)
		return 0;
	if (item->timeout_s && !formats[format].timeout_max)
		return cannot(bad, format, "timeouts");
	if (item->timeout_s > formats[format].timeout_max) {
		ng_bad_word(bad, 0, "%s: a timeout is at most %u seconds",
			    ng_table_format_name[format], formats[format].timeout_max);
		return -EINVAL;
	}
	if (item->comment_len && !formats[format].comment_max)
		return cannot(bad, format, "comments");
	if (item->comment_len > formats[format].comment_max)
		return ng_bad_word(bad, 0, "%s: a comment has at most %u bytes",
				   ng_table_format_name[format], formats[format].comment_max);
	if (item->comment_len && !formats[format].quotes &&
	    memchr(item->comment, '"', item->comment_len))
		return cannot(bad, format, "quotes in a comment");
	return 0;
}

/* What lossy leaves out, in a copy of the items. */
static struct ng_table_item *cut_items(const struct ng_table_item *item, size_t n,
				       enum ng_table_format format)
{
	struct ng_table_item *copy = malloc((n + 1) * sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = item[i];
		if (copy[i].timeout_s > formats[format].timeout_max)
			copy[i].timeout_s = formats[format].timeout_max;
		if (copy[i].comment_len > formats[format].comment_max ||
		    (!formats[format].quotes && copy[i].comment_len &&
		     memchr(copy[i].comment, '"', copy[i].comment_len)))
			copy[i].comment_len = 0;
	}
	return copy;
}

static int write_all(struct ng_writer *w, enum ng_table_format format, char **text, size_t *len)
{
	char *out = NULL;
	size_t size = 0;
	bool failed;

	w->to = open_memstream(&out, &size);
	if (!w->to)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++) {
		w->timeouts |= w->item[i].timeout_s;
		w->comments |= w->item[i].comment_len;
	}
	formats[format].write(w);
	failed = ferror(w->to);
	if (fclose(w->to) || failed) {
		free(out);
		return -ENOMEM;
	}
	*text = out;
	*len = size;
	return 0;
}

int ng_table_write(const struct ng_table_item *item, size_t n,
		   const struct ng_table_write_options *options, char **text, size_t *len,
		   size_t *which, struct ng_bad_word *bad)
{
	enum ng_table_format format = options->format;
	const struct ng_acl_words *words = options->words;
	struct common c = common_of(item, n, words);
	struct ng_writer w = { .item = item, .n = n };
	struct ng_table_item *copy = NULL;
	int err;

	for (size_t i = 0; i < n; i++)
		if (check_item(&item[i], format, options->lossy, &c, bad)) {
			*which = i;
			return -EINVAL;
		}
	w.say_any = words && !(words->key.any_proto && words->key.any_port);
	if (options->lossy) {
		copy = cut_items(item, n, format);
		if (!copy)
			return -ENOMEM;
		w.item = copy;
	}
	err = write_all(&w, format, text, len);
	free(copy);
	return err;
}

void ng_table_write_quoted(FILE *to, const struct ng_table_item *item, char escape,
			   const char *special)
{
	putc('"', to);
	for (size_t i = 0; i < item->comment_len; i++) {
		if (strchr(special, item->comment[i]))
			putc(escape, to);
		putc(item->comment[i], to);
	}
	putc('"', to);
}
