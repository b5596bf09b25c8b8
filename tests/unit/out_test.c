// SPDX-License-Identifier: GPL-2.0-only
/* Results: the same calls as text, as JSON and as indented JSON; escaping; write errors. */
#include <errno.h>
#include <fcntl.h>

#include "ctl/base/out.h"
#include "tests/unit/printed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void empty(struct ng_out *out)
{
	(void)out;
}

static void scalars(struct ng_out *out)
{
	ng_out_str(out, "name", "name", "ng0");
	ng_out_str(out, "owner", "owner", NULL);
	ng_out_u64(out, "packets", "packets", UINT64_MAX);
	ng_out_bool(out, "up", "up", true);
	ng_out_bool(out, "temporary", "temporary", false);
	ng_out_str(out, "only_json", NULL, "j");
	ng_out_str(out, NULL, "only text", "t");
	ng_out_text(out, "free %d\n", 7);
}

static void nesting(struct ng_out *out)
{
	ng_out_object(out, "a", "a thing");
	ng_out_array(out, "b");
	ng_out_str(out, NULL, NULL, "x");
	ng_out_u64(out, NULL, NULL, 2);
	ng_out_object(out, NULL, NULL);
	ng_out_object_end(out);
	ng_out_object(out, NULL, NULL);
	ng_out_bool(out, "c", NULL, true);
	ng_out_object_end(out);
	ng_out_array_end(out);
	ng_out_array(out, "none");
	ng_out_array_end(out);
	ng_out_object_end(out);
	ng_out_u64(out, "last", NULL, 1);
}

static const struct ng_column columns[] = {
	{ "name", "NAME", NG_LEFT },
	{ "packets", "PACKETS", NG_RIGHT },
	{ "id", NULL, NG_LEFT },
	{ NULL, "NOTE", NG_LEFT },
};

static void table(struct ng_out *out)
{
	ng_table_begin(out, "rows", columns, COUNT(columns));
	ng_table_str(out, "ng0");
	ng_table_u64(out, 12345678);
	ng_table_u64(out, 1);
	ng_table_str(out, "first");
	ng_table_str(out, "a-long-name");
	ng_table_u64(out, 0);
	ng_table_u64(out, 2);
	ng_table_str(out, NULL);
	ng_table_end(out);
}

static void two_tables(struct ng_out *out)
{
	ng_table_begin(out, "none", columns, COUNT(columns));
	ng_table_end(out);
	ng_table_begin(out, "one", columns, 1);
	ng_table_str(out, "x");
	ng_table_end(out);
}

static void right_edge(struct ng_out *out)
{
	static const struct ng_column right[] = { { "a", "A", NG_LEFT }, { "b", "B", NG_RIGHT } };

	ng_table_begin(out, "rows", right, COUNT(right));
	ng_table_str(out, NULL);
	ng_table_u64(out, 100);
	ng_table_end(out);
}

static void escapes(struct ng_out *out)
{
	ng_out_str(out, "a", NULL, "\"quoted\" \\ /");
	ng_out_str(out, "b", NULL, "line\nbreak\ttab\x01\x1f\x7f");
	ng_out_str(out, "c", NULL, "g\xc3\xbcltig \xe2\x82\xac \xf0\x9f\x98\x80");
	ng_out_str(out, "d", NULL,
		   "\xff|\xc3|\xc0\x80|\xe0\x80\x80|\xed\xa0\x80|\xf4\x90\x80\x80|\x80");
	ng_out_str(out, "e\"", NULL, "");
}

/* Names that would command a terminal. */
static void commands(struct ng_out *out)
{
	ng_out_str(out, "a", "a",
		   "\033[2J\xc2\x9b"
		   "2J");
	ng_out_text(out, "b\x07: %s\n", "c\rd");
	ng_table_begin(out, "rows", columns, 1);
	ng_table_str(out, "\033]0;x\007\n\x9bm");
	ng_table_end(out);
}

static const struct {
	const char *name;
	void (*fn)(struct ng_out *out);
	const char *text, *json, *pretty;
} documents[] = {
	{ "an empty document", empty, "", "{\"schema\":1}\n", "{\n  \"schema\": 1\n}\n" },
	{ "scalars", scalars,
	  "name: ng0\nowner: -\npackets: 18446744073709551615\nup: yes\ntemporary: no\nonly text: t\nfree 7\n",
	  "{\"schema\":1,\"name\":\"ng0\",\"owner\":null,\"packets\":18446744073709551615,\"up\":true,"
	  "\"temporary\":false,\"only_json\":\"j\"}\n",
	  NULL },
	{ "nesting", nesting, "a thing\n",
	  "{\"schema\":1,\"a\":{\"b\":[\"x\",2,{},{\"c\":true}],\"none\":[]},\"last\":1}\n",
	  "{\n  \"schema\": 1,\n  \"a\": {\n    \"b\": [\n      \"x\",\n      2,\n      {},\n      {\n"
	  "        \"c\": true\n      }\n    ],\n    \"none\": []\n  },\n  \"last\": 1\n}\n" },
	{ "a table", table,
	  "NAME          PACKETS  NOTE\nng0          12345678  first\na-long-name         0  -\n",
	  "{\"schema\":1,\"rows\":[{\"name\":\"ng0\",\"packets\":12345678,\"id\":1},"
	  "{\"name\":\"a-long-name\",\"packets\":0,\"id\":2}]}\n",
	  NULL },
	{ "an empty table and a second one", two_tables, "NAME\nx\n",
	  "{\"schema\":1,\"none\":[],\"one\":[{\"name\":\"x\"}]}\n", NULL },
	{ "a last column to the right", right_edge, "A    B\n-  100\n",
	  "{\"schema\":1,\"rows\":[{\"a\":null,\"b\":100}]}\n", NULL },
	{ "names that would command a terminal", commands,
	  "a: ?[2J??2J\nb?: c?d\nNAME\n?]0;x???m\n",
	  "{\"schema\":1,\"a\":\"\\u001b[2J\\u009b2J\",\"rows\":[{\"name\":\"\\u001b]0;x\\u0007\\n"
	  "\\ufffdm\"}]}\n",
	  NULL },
	{ "escapes", escapes, "",
	  "{\"schema\":1,\"a\":\"\\\"quoted\\\" \\\\ /\",\"b\":\"line\\nbreak\\ttab\\u0001\\u001f\\u007f\","
	  "\"c\":\"g\xc3\xbcltig \xe2\x82\xac \xf0\x9f\x98\x80\","
	  "\"d\":\"\\ufffd|\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|"
	  "\\ufffd\\ufffd\\ufffd\\ufffd|\\ufffd\",\"e\\\"\":\"\"}\n",
	  NULL },
};

struct shape {
	size_t document;
	bool json, pretty;
};

static void print_document(const void *arg)
{
	const struct shape *s = arg;
	struct ng_out *out = ng_out_new(s->json, s->pretty);

	ng_out_begin(out);
	documents[s->document].fn(out);
	if (ng_out_end(out, NULL))
		abort();
	ng_out_free(out);
}

/* A failed write must be told, once, with the system's words. */
static void test_full_stdout(void)
{
	int keep, full = open("/dev/full", O_WRONLY | O_CLOEXEC), rc;
	struct ng_out *out = ng_out_new(true, false);
	struct ng_error err;

	fflush(stdout);
	keep = dup(STDOUT_FILENO);
	dup2(full, STDOUT_FILENO);
	ng_out_begin(out);
	rc = ng_out_end(out, &err);
	dup2(keep, STDOUT_FILENO);
	clearerr(stdout);
	close(keep);
	close(full);
	ng_out_free(out);
	is_int(rc, -ENOSPC, "a full stdout is an error");
	is_int(err.exit, NG_EXIT_FAILED, "a full stdout: exit status");
	is_int(err.errnum, ENOSPC, "a full stdout: the reason");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(documents); i++) {
		is_text(printed(stdout, print_document, &(struct shape){ i, false, false }),
			documents[i].text, "%s as text", documents[i].name);
		is_text(printed(stdout, print_document, &(struct shape){ i, true, false }),
			documents[i].json, "%s as JSON", documents[i].name);
		if (documents[i].pretty)
			is_text(printed(stdout, print_document, &(struct shape){ i, true, true }),
				documents[i].pretty, "%s as indented JSON", documents[i].name);
	}
	test_full_stdout();
	ng_out_free(NULL);
	return tap_done();
}
