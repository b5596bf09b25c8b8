// SPDX-License-Identifier: GPL-2.0-only
/* Writes tables an item a line: prefixes, words, cells, JSON objects. */
#include "ctl/base/duration.h"
#include "ctl/policy/table_writer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const verdicts[] = {
	[NG_PASS] = "pass", [NG_DROP] = "drop", [NG_COUNT] = "count"
};
_Static_assert(COUNT(verdicts) == NG_CLAUSE_VERDICT_MAX, "a word for each verdict");

void ng_table_write_cidr(const struct ng_writer *w)
{
	char prefix[NG_PREFIX_TEXT];

	for (size_t i = 0; i < w->n; i++) {
		ng_prefix_format(&w->item[i].key.prefix, prefix);
		fprintf(w->to, "%s\n", prefix);
	}
}

static void write_line(const struct ng_writer *w, const struct ng_table_item *item)
{
	char prefix[NG_PREFIX_TEXT], match[NG_MATCH_TEXT], timeout[NG_DURATION_TEXT];

	ng_prefix_format(&item->key.prefix, prefix);
	fprintf(w->to, "%s%s%s %s %s", item->has_verdict ? verdicts[item->verdict] : "",
		item->has_verdict ? " " : "", ng_dir_name[item->dir], ng_side_name[item->key.side],
		prefix);
	if (!item->key.any_proto || w->say_any) {
		ng_proto_format(&item->key, match);
		fprintf(w->to, " proto %s", match);
	}
	if (!item->key.any_port) {
		ng_port_format(&item->key, match);
		fprintf(w->to, " port %s", match);
	}
	if (item->timeout_s) {
		ng_duration_format(item->timeout_s, timeout);
		fprintf(w->to, " timeout %s", timeout);
	}
	if (item->comment_len) {
		fputs(" comment ", w->to);
		ng_table_write_quoted(w->to, item, '\\', "\"\\");
	}
	putc('\n', w->to);
}

void ng_table_write_words(const struct ng_writer *w)
{
	for (size_t i = 0; i < w->n; i++)
		write_line(w, &w->item[i]);
}

static void write_object(const struct ng_writer *w, const struct ng_table_item *item)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&item->key.prefix, prefix);
	ng_proto_format(&item->key, proto);
	ng_port_format(&item->key, port);
	fprintf(w->to,
		"{\"direction\":\"%s\",\"side\":\"%s\",\"prefix\":\"%s\",\"proto\":\"%s\",\"port\":\"%s\"",
		ng_dir_name[item->dir], ng_side_name[item->key.side], prefix, proto, port);
	if (item->has_verdict)
		fprintf(w->to, ",\"verdict\":\"%s\"", verdicts[item->verdict]);
	if (item->timeout_s)
		fprintf(w->to, ",\"timeout\":%u", item->timeout_s);
	if (item->comment_len) {
		fputs(",\"comment\":", w->to);
		ng_table_write_quoted(w->to, item, '\\', "\"\\");
	}
	putc('}', w->to);
}

void ng_table_write_json(const struct ng_writer *w)
{
	fputs("{\"schema\":1,\"entries\":[", w->to);
	for (size_t i = 0; i < w->n; i++) {
		fputs(i ? ",\n" : "\n", w->to);
		write_object(w, &w->item[i]);
	}
	fputs("\n]}\n", w->to);
}

static void write_row(const struct ng_writer *w, const struct ng_table_item *item)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];
	char timeout[NG_DURATION_TEXT] = "";

	ng_prefix_format(&item->key.prefix, prefix);
	ng_proto_format(&item->key, proto);
	ng_port_format(&item->key, port);
	if (item->timeout_s)
		ng_duration_format(item->timeout_s, timeout);
	fprintf(w->to, "%s,%s,%s,%s,%s,%s,%s,", item->has_verdict ? verdicts[item->verdict] : "",
		ng_dir_name[item->dir], ng_side_name[item->key.side], prefix, proto, port, timeout);
	if (item->comment_len)
		ng_table_write_quoted(w->to, item, '"', "\"");
	fputs("\r\n", w->to);
}

void ng_table_write_csv(const struct ng_writer *w)
{
	fputs("verdict,dir,side,prefix,proto,port,timeout,comment\r\n", w->to);
	for (size_t i = 0; i < w->n; i++)
		write_row(w, &w->item[i]);
}
