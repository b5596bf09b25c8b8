// SPDX-License-Identifier: GPL-2.0-only
/* Writes tables as sets of other firewalls: one for IPv4, one for IPv6, so that those load them. */
#include "ctl/base/duration.h"
#include "ctl/policy/table_writer.h"

static const char *const set_name[] = { [NG_IPV4] = "nicgate4", [NG_IPV6] = "nicgate6" };
_Static_assert(sizeof(set_name) / sizeof(*set_name) == NG_FAMILY_MAX, "a set for each family");

static size_t count_family(const struct ng_writer *w, enum ng_family family)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->item[i].key.prefix.family == family;
	return n;
}

/* An empty table is an empty set for IPv4. */
static bool wants_set(const struct ng_writer *w, enum ng_family family)
{
	return count_family(w, family) || (!w->n && family == NG_IPV4);
}

#define IPSET_MEMBERS 65536 /* ipset's own limit, where there are fewer */

static void create_ipset(const struct ng_writer *w, enum ng_family family)
{
	size_t n = count_family(w, family);

	fprintf(w->to, "create %s hash:net family %s hashsize 1024 maxelem %zu%s%s\n",
		set_name[family], family == NG_IPV4 ? "inet" : "inet6",
		n > IPSET_MEMBERS ? n : IPSET_MEMBERS, w->timeouts ? " timeout 0" : "",
		w->comments ? " comment" : "");
}

static void add_member(const struct ng_writer *w, const struct ng_table_item *item)
{
	char prefix[NG_PREFIX_TEXT];

	ng_prefix_format(&item->key.prefix, prefix);
	fprintf(w->to, "add %s %s", set_name[item->key.prefix.family], prefix);
	if (item->timeout_s)
		fprintf(w->to, " timeout %u", item->timeout_s);
	if (item->comment_len) {
		fputs(" comment ", w->to);
		ng_table_write_quoted(w->to, item, '\0', "");
	}
	putc('\n', w->to);
}

void ng_table_write_ipset(const struct ng_writer *w)
{
	for (int family = 0; family < NG_FAMILY_MAX; family++)
		if (wants_set(w, family))
			create_ipset(w, family);
	for (size_t i = 0; i < w->n; i++)
		add_member(w, &w->item[i]);
}

static void write_element(const struct ng_writer *w, const struct ng_table_item *item)
{
	char prefix[NG_PREFIX_TEXT], timeout[NG_DURATION_TEXT];

	ng_prefix_format(&item->key.prefix, prefix);
	fputs(prefix, w->to);
	if (item->timeout_s) {
		ng_duration_format(item->timeout_s, timeout);
		fprintf(w->to, " timeout %s", timeout);
	}
	if (item->comment_len) {
		fputs(" comment ", w->to);
		ng_table_write_quoted(w->to, item, '\0', "");
	}
}

static void write_set(const struct ng_writer *w, enum ng_family family)
{
	bool first = true;

	fprintf(w->to, "\tset %s {\n\t\ttype %s\n\t\tflags interval%s\n\t\tauto-merge\n",
		set_name[family], family == NG_IPV4 ? "ipv4_addr" : "ipv6_addr",
		w->timeouts ? ",timeout" : "");
	for (size_t i = 0; i < w->n; i++) {
		if (w->item[i].key.prefix.family != family)
			continue;
		fputs(first ? "\t\telements = { " : ",\n\t\t\t     ", w->to);
		write_element(w, &w->item[i]);
		first = false;
	}
	fputs(first ? "\t}\n" : " }\n\t}\n", w->to);
}

void ng_table_write_nft(const struct ng_writer *w)
{
	fputs("table inet nicgate {\n", w->to);
	for (int family = 0; family < NG_FAMILY_MAX; family++)
		if (wants_set(w, family))
			write_set(w, family);
	fputs("}\n", w->to);
}

static void write_json_element(const struct ng_writer *w, const struct ng_table_item *item)
{
	bool more = item->timeout_s || item->comment_len;
	char prefix[NG_PREFIX_TEXT];
	size_t slash = 0;

	ng_prefix_format(&item->key.prefix, prefix);
	while (prefix[slash] != '/')
		slash++;
	fprintf(w->to, "%s{\"prefix\": {\"addr\": \"%.*s\", \"len\": %u}}",
		more ? "{\"elem\": {\"val\": " : "", (int)slash, prefix, item->key.prefix.len);
	if (item->timeout_s)
		fprintf(w->to, ", \"timeout\": %u", item->timeout_s);
	if (item->comment_len) {
		fputs(", \"comment\": ", w->to);
		ng_table_write_quoted(w->to, item, '\\', "\"\\");
	}
	if (more)
		fputs("}}", w->to);
}

static void write_json_set(const struct ng_writer *w, enum ng_family family)
{
	bool first = true;

	fprintf(w->to,
		",\n{\"set\": {\"family\": \"inet\", \"name\": \"%s\", \"table\": \"nicgate\", \"type\": \"%s\", \"flags\": [\"interval\"%s], \"auto-merge\": true",
		set_name[family], family == NG_IPV4 ? "ipv4_addr" : "ipv6_addr",
		w->timeouts ? ", \"timeout\"" : "");
	for (size_t i = 0; i < w->n; i++) {
		if (w->item[i].key.prefix.family != family)
			continue;
		fputs(first ? ", \"elem\": [\n" : ",\n", w->to);
		write_json_element(w, &w->item[i]);
		first = false;
	}
	fputs(first ? "}}" : "]}}", w->to);
}

void ng_table_write_nft_json(const struct ng_writer *w)
{
	fputs("{\"nftables\": [{\"metainfo\": {\"json_schema_version\": 1}},\n"
	      "{\"table\": {\"family\": \"inet\", \"name\": \"nicgate\"}}",
	      w->to);
	for (int family = 0; family < NG_FAMILY_MAX; family++)
		if (wants_set(w, family))
			write_json_set(w, family);
	fputs("]}\n", w->to);
}
