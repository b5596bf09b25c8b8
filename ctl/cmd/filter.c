// SPDX-License-Identifier: GPL-2.0-only
/* nicgate filter: what an expression becomes, in every form between the words and the machine. */
#include "ctl/cmd/filter.h"

#include <errno.h>
#include <string.h>

#include "ctl/base/words.h"
#include "ctl/capture/packet.h"
#include "ctl/cmd/choice.h"
#include "ctl/filter/program.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { OPT_AS = 256, OPT_HOOK, OPT_MATCH, OPT_FORM };

#define HOOK_OPTION                                                                                \
	{                                                                                          \
		OPT_HOOK, "hook", NG_OPT_VALUE, "xdp|tc-in|tc-out", "the hook it is for"           \
	}
#define FORM_OPTION(n, name, help)                                                                 \
	{                                                                                          \
		OPT_FORM + (n), name, NG_OPT_NONE, NULL, help                                      \
	}
#define END_OF_OPTIONS                                                                             \
	{                                                                                          \
		0, NULL, NG_OPT_NONE, NULL, NULL                                                   \
	}

const char *const ng_filter_dump_forms[] = { "cbpf", "ir", "ebpf", "xlated", "jited", "dot", NULL };

static const struct ng_opt dump_options[] = {
	FORM_OPTION(0, "cbpf", "classic BPF, as tcpdump -d"),
	FORM_OPTION(1, "ir", "what the optimizer makes of it"),
	FORM_OPTION(2, "ebpf", "our translation (the default)"),
	FORM_OPTION(3, "xlated", "the gate's program as the kernel has it"),
	FORM_OPTION(4, "jited", "the same as machine code"),
	FORM_OPTION(5, "dot", "its basic blocks, for graphviz"),
	HOOK_OPTION,
	NG_EXPRESSION_OPTIONS,
	END_OF_OPTIONS,
};
static const struct ng_opt explain_options[] = { NG_EXPRESSION_OPTIONS, END_OF_OPTIONS };
static const struct ng_opt compile_options[] = {
	{ OPT_AS, "as", NG_OPT_VALUE, "cbpf|ddd|dd|ebpf|c|elf", "the form" },
	{ 'o', "output", NG_OPT_VALUE, "FILE", "where to; else to stdout" },
	{ OPT_MATCH, "match", NG_OPT_VALUE, "drop|pass", "what becomes of packets that match" },
	HOOK_OPTION,
	NG_EXPRESSION_OPTIONS,
	END_OF_OPTIONS,
};
static const struct ng_opt run_options[] = {
	{ 'r', "read", NG_OPT_VALUE, "FILE", "the savefile to read packets from" },
	HOOK_OPTION,
	NG_EXPRESSION_OPTIONS,
	END_OF_OPTIONS,
};

static const struct {
	const char *name;
	int (*run)(struct ng_filter_call *c, struct ng_error *err);
	const struct ng_opt *options;
} subs[] = {
	{ "dump", ng_filter_run_dump, dump_options },
	{ "explain", ng_filter_run_explain, explain_options },
	{ "compile", ng_filter_run_compile, compile_options },
	{ "run", ng_filter_run_run, run_options },
};

int ng_filter_body(const struct ng_filter_call *c, enum ng_hook hook, struct ng_ebpf *out,
		   struct ng_error *err)
{
	return ng_filter_translate(&c->cbpf, ng_filter_ctx_of(hook), c->expression.flags, out, err);
}

int ng_filter_put(const char *data, size_t size, struct ng_error *err)
{
	if (fwrite(data, 1, size, stdout) == size)
		return 0;
	return ng_err(err, NG_EXIT_FAILED, errno, "stdout", "cannot write the result");
}

/* *before: NULL, or what was said already, maybe the same. option: what both stand behind. */
static int say_once(const char **before, const char *what, const char *option, const char *value,
		    struct ng_error *err)
{
	if (*before && strcmp(*before, value))
		return ng_usage(err, &ng_verb_filter, "one %s at a time: %s%s or %s%s", what,
				option, *before, option, value);
	*before = value;
	return 0;
}

static int apply(struct ng_filter_call *c, int id, const char *value, struct ng_error *err)
{
	static const char *const matches[NG_MATCH_MAX + 1] = {
		[NG_MATCH_DROP] = "drop",
		[NG_MATCH_PASS] = "pass",
	};
	const char *dump_form;
	unsigned int form;
	int rc;

	if (ng_expression_option(&c->expression, id, value))
		return 0;
	switch (id) {
	case 'o':
		return say_once(&c->output, "file", "-o ", value, err);
	case 'r':
		return say_once(&c->savefile, "file", "-r ", value, err);
	case OPT_HOOK:
		rc = ng_choice("--hook", value, ng_hook_words, &c->hook, err);
		return rc ? rc : say_once(&c->hook_word, "hook", "--hook ", value, err);
	case OPT_MATCH:
		rc = ng_choice("--match", value, matches, &c->match, err);
		return rc ? rc : say_once(&c->match_word, "verdict", "--match ", value, err);
	case OPT_AS:
		rc = ng_choice("--as", value, ng_filter_compile_forms, &form, err);
		return rc ? rc : say_once(&c->form, "form", "--as ", value, err);
	default:
		dump_form = ng_filter_dump_forms[id - OPT_FORM];
		return say_once(&c->form, "form", "--", dump_form, err);
	}
}

static int parse(struct ng_filter_call *c, const struct ng_opt *table, int argc, char **argv,
		 struct ng_error *err)
{
	struct ng_opts o = { .table = table, .argc = argc, .argv = argv, .next = 2 };
	const char *value;
	int id, rc = 0;

	while (!rc && (id = ng_opts_next(&o, &value, err)))
		rc = id < 0 ? id : apply(c, id, value, err);
	return rc ? rc
		  : ng_expression_read(&c->expression, &ng_verb_filter, argc - o.next,
				       argv + o.next, err);
}

static int run_sub(struct ng_filter_call *c, size_t i, int argc, char **argv, struct ng_error *err)
{
	int rc = parse(c, subs[i].options, argc, argv, err);

	if (!rc)
		rc = ng_expression_compile(&c->expression, NG_SNAPLEN_MAX, &c->cbpf, err);
	if (!rc)
		rc = subs[i].run(c, err);
	ng_cbpf_free(&c->cbpf);
	ng_expression_free(&c->expression);
	return rc;
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	static const char *const names[] = { "dump", "explain", "compile", "run", NULL };
	struct ng_filter_call c = { .global = g, .hook = NG_HOOK_XDP };

	_Static_assert(COUNT(names) == COUNT(subs) + 1, "the same words");
	if (argc < 2)
		return ng_usage(err, &ng_verb_filter, "what to do is missing");
	c.sub = argv[1];
	for (size_t i = 0; i < COUNT(subs); i++)
		if (!strcmp(c.sub, subs[i].name))
			return run_sub(&c, i, argc, argv, err);
	return ng_usage_word(err, "filter", c.sub, names);
}

const struct ng_verb ng_verb_filter = {
	.name = "filter",
	.run = run,
	.summary = "show what an expression becomes, compile it for others, try it on a file",
	.usage =
		"filter dump [--cbpf|--ir|--ebpf|--xlated|--jited|--dot] [--hook xdp|tc-in|tc-out] [EXPR]\n"
		"filter explain [EXPR]\n"
		"filter compile --as cbpf|ddd|dd|ebpf|c|elf [-o FILE] [--hook HOOK] [--match drop|pass] [EXPR]\n"
		"filter run -r FILE [--hook HOOK] [EXPR]\n"
		"\n"
		"  dump: --cbpf is classic BPF as tcpdump -d prints it, --ir what the optimizer makes of that,\n"
		"  --ebpf (the default) the translation, --xlated and --jited the gate's program as the kernel\n"
		"  has it, --dot --ir as a graph for graphviz (with --no-optimize, --cbpf).\n"
		"  explain: sizes, what it reads, what it needs. -j: as JSON.\n"
		"  compile: cbpf, ddd, dd: classic BPF (mnemonics, numbers, C); ebpf, c, elf: a whole program\n"
		"  for the hook (hex, or bytes with -o; a C array; an object that ip link and tc filter load).\n"
		"  --match drop|pass    what that program does with packets that match (default drop); all\n"
		"                       others get the opposite\n"
		"  run: the packets of a savefile, by number, each with what the filter answers.\n"
		"\n" NG_EXPRESSION_USAGE,
};
