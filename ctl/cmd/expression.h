/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters as the user gives them to a verb: an expression in words or in a file (-F), or classic
 * BPF (--bytecode), and how it is to be read.
 */
#ifndef NG_CTL_CMD_EXPRESSION_H
#define NG_CTL_CMD_EXPRESSION_H

#include "ctl/base/opts.h"
#include "ctl/cmd/cmd.h"
#include "ctl/filter/filter.h"

struct ng_expression {
	const char *file, *bytecode; /* as given; "-": stdin */
	unsigned int flags;	     /* enum ng_filter_flags */
	char *text;		     /* malloc'ed; NULL: every packet */
	size_t len;
};

/* The options, as rows of a verb's table; their ids lie above those that verbs use. */
enum { NG_OPT_BYTECODE = 512, NG_OPT_STRICT_PCAP, NG_OPT_NO_OPTIMIZE };
#define NG_EXPRESSION_OPTIONS                                                                      \
	{ 'F', "filter-file", NG_OPT_VALUE, "FILE|-", "read the expression from FILE" },           \
		{ NG_OPT_BYTECODE, "bytecode", NG_OPT_VALUE, "FILE|-",                             \
		  "a compiled filter in its place, as from tcpdump -ddd" },                        \
		{ NG_OPT_STRICT_PCAP, "strict-pcap", NG_OPT_NONE, NULL,                            \
		  "libpcap's reading where ours differs" },                                        \
	{                                                                                          \
		NG_OPT_NO_OPTIMIZE, "no-optimize", NG_OPT_NONE, NULL, "the plain translation"      \
	}
/* Their lines in a verb's usage. */
#define NG_EXPRESSION_USAGE                                                                        \
	"  -F FILE              read the expression from FILE (-: standard input); # comments\n"   \
	"  --bytecode FILE      in its place, what tcpdump -ddd prints\n"                          \
	"  --strict-pcap        libpcap's reading where ours differs\n"                            \
	"  --no-optimize        the plain translation, to compare with\n"

/* Takes one of these options. False: id is another one. */
bool ng_expression_option(struct ng_expression *e, int id, const char *value);
/* Reads what the options name, or joins the words behind them. Usage errors are the verb's. */
int ng_expression_read(struct ng_expression *e, const struct ng_verb *verb, int words, char **word,
		       struct ng_error *err);
/* Ethernet; errors have a position. The caller frees *out. */
int ng_expression_compile(const struct ng_expression *e, unsigned int snaplen, struct ng_cbpf *out,
			  struct ng_error *err);
/* What to show others of it: the text, or "bytecode FILE" in buf. NULL: every packet. */
const char *ng_expression_words(const struct ng_expression *e, char *buf, size_t size);
void ng_expression_free(struct ng_expression *e);

#endif
