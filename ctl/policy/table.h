/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole ACL tables as text: read from the files people have, and written so that others read them.
 * Pure: text in, items out, and back. A table of 64 MiB is held in memory by its caller.
 *
 *	cidr      a prefix or range A-B a line, # and ; comments; words behind it do not count
 *	words     the words of `acl add` without DEV a line: drop in src 192.0.2.0/24 proto tcp port 22
 *	          timeout 10m comment "..."; a line without verdict gets the one given beside the file
 *	ipset     what `ipset save` prints: sets of hash:net and hash:ip
 *	nft       what `nft list set|ruleset` prints: sets of ipv4_addr and ipv6_addr
 *	nft-json  the same from `nft -j`
 *	json      what `nicgate -j acl list` prints; an array of its entries, or of prefixes
 *	csv       a line of column names, then RFC 4180 without line breaks in cells
 */
#ifndef NG_CTL_POLICY_TABLE_H
#define NG_CTL_POLICY_TABLE_H

#include "ctl/policy/acl_fields.h"

#define NG_BAD_LINES_MAX  20   /* described; all are counted */
#define NG_TABLE_LINE_MAX 4096 /* bytes of a line, but in nft and JSON */

enum ng_table_format {
	NG_TABLE_AUTO,
	NG_TABLE_CIDR,
	NG_TABLE_WORDS,
	NG_TABLE_IPSET,
	NG_TABLE_NFT,
	NG_TABLE_NFT_JSON,
	NG_TABLE_JSON,
	NG_TABLE_CSV,
	NG_TABLE_FORMATS
};

extern const char *const ng_table_format_name[NG_TABLE_FORMATS + 1]; /* ends in NULL */

struct ng_table_item {
	struct ng_acl_key key;
	enum ng_dir dir;
	__u8 verdict;	  /* as said by the line, else by the options, else NG_CLAUSE_VERDICT_MAX */
	bool has_verdict; /* the line said it */
	__u8 comment_len; /* bytes */
	__u32 timeout_s;  /* 0: none */
	unsigned int line, column; /* where it stands, from 1; bytes */
	const char *comment; /* not terminated; in the text that was read, or the table's own */
};

struct ng_bad_line {
	unsigned int line;
	const char *text; /* in the caller's buffer, len bytes */
	size_t len;
	struct ng_bad_word bad; /* at: offset in the line */
};

struct ng_table_counts {
	size_t masked;	 /* prefixes that had host bits set */
	size_t trailing; /* lines with words behind the prefix that were not read (cidr) */
	size_t ranges;	 /* turned into range_prefixes prefixes */
	size_t range_prefixes;
	size_t duplicates; /* items with the same key as another one: folded */
	size_t covered;	   /* that change nothing beside a covering prefix; folded if asked */
	size_t skipped;	   /* bad lines, with skip_bad */
	size_t sets;	   /* sets that were read (ipset, nft) */
	size_t sets_left;  /* that were not: not of addresses, not asked for */
};

struct ng_table_options {
	enum ng_table_format format;
	/* What holds where a line does not say it: verdict (if has), direction, side; protocol and
	 * port where it says neither; timeout and comment. NULL: in, src, and no verdict. */
	const struct ng_acl_words *words;
	const char *set;   /* ipset, nft: this set only; NULL: all sets of addresses */
	bool skip_bad;	   /* bad lines are described and counted, the rest is read */
	bool fold_covered; /* leaves out covered items */
};

struct ng_table {
	struct ng_table_item *item; /* in the order of the text */
	size_t n;
	enum ng_table_format format; /* found or asked for; never NG_TABLE_AUTO */
	struct ng_table_counts count;
	size_t bad_lines; /* the first NG_BAD_LINES_MAX are described */
	bool broken;	  /* what is bad cannot be skipped */
	struct ng_bad_line bad[NG_BAD_LINES_MAX];
	struct ng_arena *arena; /* comments that had to be unquoted */
};

/* What the text looks like; cidr where nothing else fits. Never NG_TABLE_AUTO. */
enum ng_table_format ng_table_detect(const char *text, size_t len);
/*
 * Reads all of text, which must stay as long as the table (comments and bad lines point into it).
 * 0, -EINVAL when any line is bad (the table then describes them and has no items), -ENOMEM. The
 * caller frees the table in every case.
 *
 * Of items with the same key the first keeps its place and the last decides timeout and comment;
 * with two verdicts the later one is a bad line. An item is covered when it is without protocol and
 * port, and so is the only clause of the next shorter prefix with any, of the same verdict (not
 * count) and living at least as long.
 */
int ng_table_read(const char *text, size_t len, const struct ng_table_options *options,
		  struct ng_table *table);
void ng_table_free(struct ng_table *table);

struct ng_table_write_options {
	enum ng_table_format format; /* not NG_TABLE_AUTO */
	/* As for reading: formats that cannot say verdict, direction, side, protocol or port write
	 * items only that have these. NULL: those of the first item. */
	const struct ng_acl_words *words;
	bool lossy; /* leaves out timeouts and comments that the format cannot say */
};

/*
 * Writes the items so that ng_table_read() with the same words gives them back. 0 with *text (which
 * the caller frees, and which ends in a NUL that *len does not count), -ENOMEM, or -EINVAL when the
 * format cannot say what an item is: *which is its index and *bad->what the words.
 */
int ng_table_write(const struct ng_table_item *item, size_t n,
		   const struct ng_table_write_options *options, char **text, size_t *len,
		   size_t *which, struct ng_bad_word *bad);

enum ng_feed { NG_FEED_GOOD, NG_FEED_EMPTY, NG_FEED_SHRUNK };

/* Whether a feed that had `had` entries may be believed with `now`. Shrunk: to less than half. */
enum ng_feed ng_feed_check(size_t had, size_t now);
/* The first item shorter than /8 (IPv4) or /16 (IPv6), or NULL; *n: how many there are. */
const struct ng_table_item *ng_table_wide(const struct ng_table_item *item, size_t count,
					  size_t *n);

#endif
