// SPDX-License-Identifier: GPL-2.0-only
/* nicgate capture, in tcpdump's habits. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/base/num.h"
#include "ctl/base/opts.h"
#include "ctl/capture/capture.h"
#include "ctl/capture/dump.h"
#include "ctl/cmd/cmd.h"
#include "ctl/cmd/expression.h"

#define PRINT_MAX 16

enum { OPT_SAMPLE = 256, OPT_HOOK, OPT_FORMAT, OPT_BUFFER };

static const struct ng_opt options[] = {
	{ 'i', "interface", NG_OPT_VALUE, "DEV", "the interface to capture from" },
	{ 'r', "read", NG_OPT_VALUE, "FILE", "or the savefile to read packets from" },
	{ 'w', "write", NG_OPT_VALUE, "FILE|-", "write packets instead of printing them" },
	{ 'Q', "direction", NG_OPT_VALUE, "in|out|inout", "which direction (default inout)" },
	{ 'c', "packets", NG_OPT_VALUE, "N", "end after N packets" },
	{ 's', "snapshot-length", NG_OPT_VALUE, "LEN", "keep LEN bytes of each packet" },
	{ OPT_SAMPLE, "sample", NG_OPT_VALUE, "1/N", "keep one matching packet in N (per CPU)" },
	{ OPT_HOOK, "hook", NG_OPT_VALUE, "auto|xdp|tc", "where to tap the way in" },
	{ OPT_FORMAT, "format", NG_OPT_VALUE, "auto|pcapng|pcap", "of what is written" },
	{ OPT_BUFFER, "buffer", NG_OPT_VALUE, "SIZE", "memory for packets on their way, in all" },
	NG_EXPRESSION_OPTIONS,
	{ 'p', "no-promiscuous-mode", NG_OPT_NONE, NULL, "leave the interface's mode alone" },
	{ 'U', "packet-buffered", NG_OPT_NONE, NULL, "write each batch of packets at once" },
	{ 'd', "dump-filter", NG_OPT_NONE, NULL,
	  "print the compiled filter (-dd, -ddd: as C, as numbers)" },
	{ 'l', "line-buffered", NG_OPT_NONE, NULL, "as printing always is" },
	{ 'n', "numeric", NG_OPT_NONE, NULL, "as printing always is" },
	{ 'q', "quick", NG_OPT_NONE, NULL, "print less (these and the next: as tcpdump does)" },
	{ 'v', "verbose", NG_OPT_NONE, NULL, "print more" },
	{ 'e', "ethernet", NG_OPT_NONE, NULL, "print the Ethernet header" },
	{ 't', "timestamp", NG_OPT_NONE, NULL, "print times another way (-tt, -ttt ..)" },
	{ 'x', "hex", NG_OPT_NONE, NULL, "print data in hex (-xx)" },
	{ 'X', "hex-ascii", NG_OPT_NONE, NULL, "print data in hex and ASCII (-XX)" },
	{ 'A', "ascii", NG_OPT_NONE, NULL, "print data in ASCII" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

struct request {
	struct ng_capture_spec spec;
	struct ng_expression expression;
	char print[PRINT_MAX + 1];
	size_t prints;
	enum ng_dump_style dump;
	bool direction_given;
};

struct choice {
	const char *word;
	int value;
};

static const struct choice directions[] = {
	{ "in", 1 }, { "out", 2 }, { "inout", 3 }, { NULL, 0 }
};
static const struct choice hooks[] = {
	{ "auto", NG_HOOK_WISH_AUTO },
	{ "xdp", NG_HOOK_WISH_XDP },
	{ "tc", NG_HOOK_WISH_TC },
	{ NULL, 0 },
};
static const struct choice formats[] = {
	{ "auto", NG_FORMAT_WISH_AUTO },
	{ "pcapng", NG_FORMAT_WISH_PCAPNG },
	{ "pcap", NG_FORMAT_WISH_PCAP },
	{ NULL, 0 },
};

static int choose(const struct choice *c, const char *option, const char *word,
		  struct ng_error *err)
{
	const char *valid[8] = { NULL };
	int rc;

	for (size_t i = 0; c[i].word; i++) {
		if (!strcmp(c[i].word, word))
			return c[i].value;
		valid[i] = c[i].word;
	}
	rc = ng_usage_word(err, "capture", word, valid);
	ng_err_why(err, "it is the value of %s", option);
	return rc;
}

static int parse_number(const char *option, const char *word, __u64 min, __u64 max, __u64 *out,
			struct ng_error *err)
{
	uint64_t v;
	int rc = ng_parse_u64(word, min, max, &v);

	if (rc)
		return ng_usage(err, &ng_verb_capture, "%s is a number from %llu to %llu, not '%s'",
				option, min, max, word);
	*out = v;
	return 0;
}

static int parse_snaplen(const char *word, struct ng_capture_spec *spec, struct ng_error *err)
{
	__u64 v = 0;
	int rc = parse_number("-s", word, 0, NG_SNAPLEN_MAX, &v, err);

	spec->output.snaplen = v ? (__u32)v : NG_SNAPLEN_MAX;
	return rc;
}

static int parse_sample(const char *word, struct ng_capture_spec *spec, struct ng_error *err)
{
	if (!strncmp(word, "1/", 2) && !ng_parse_u32(word + 2, 1, UINT32_MAX, &spec->sample_every))
		return 0;
	return ng_usage(err, &ng_verb_capture, "--sample is written 1/N, as in 1/100, not '%s'",
			word);
}

static int parse_buffer(const char *word, struct ng_capture_spec *spec, struct ng_error *err)
{
	uint64_t v;

	if (ng_parse_size(word, 1, 1ull << 40, &v))
		return ng_usage(err, &ng_verb_capture, "--buffer is a size, as in 64Mi, not '%s'",
				word);
	spec->buffer = v;
	return 0;
}

static int parse_direction(struct request *r, const char *word, struct ng_error *err)
{
	int mask = choose(directions, "-Q", word, err);

	if (mask < 0)
		return mask;
	r->direction_given = true;
	r->spec.dir[NG_IN] = mask & 1;
	r->spec.dir[NG_OUT] = mask & 2;
	return 0;
}

static int add_print_flag(struct request *r, int letter, struct ng_error *err)
{
	if (r->prints == PRINT_MAX)
		return ng_usage(err, &ng_verb_capture, "too many options for printing");
	r->print[r->prints++] = (char)letter;
	r->spec.output.print_flags = r->print;
	return 0;
}

static int set_device(struct request *r, const char *word, struct ng_error *err)
{
	if (r->spec.device)
		return ng_usage(err, &ng_verb_capture, "one interface at a time: '%s' or '%s'",
				r->spec.device, word);
	r->spec.device = word;
	return 0;
}

static int apply(struct request *r, int id, const char *value, struct ng_error *err)
{
	struct ng_capture_spec *spec = &r->spec;
	int v;

	if (ng_expression_option(&r->expression, id, value))
		return 0;
	switch (id) {
	case 'i':
		return set_device(r, value, err);
	case 'r':
		spec->savefile = value;
		return 0;
	case 'w':
		spec->output.path = value;
		return 0;
	case 'Q':
		return parse_direction(r, value, err);
	case 'c':
		return parse_number("-c", value, 1, UINT64_MAX, &spec->count, err);
	case 's':
		return parse_snaplen(value, spec, err);
	case 'p':
		spec->promiscuous = false;
		return 0;
	case 'U':
		spec->output.unbuffered = true;
		return 0;
	case 'd':
		r->dump += r->dump < NG_DUMP_NUMBERS;
		return 0;
	case 'l':
		return 0;
	case OPT_SAMPLE:
		return parse_sample(value, spec, err);
	case OPT_BUFFER:
		return parse_buffer(value, spec, err);
	case OPT_HOOK:
		v = choose(hooks, "--hook", value, err);
		spec->hook = v < 0 ? NG_HOOK_WISH_AUTO : (enum ng_hook_wish)v;
		return v < 0 ? v : 0;
	case OPT_FORMAT:
		v = choose(formats, "--format", value, err);
		spec->output.format = v < 0 ? NG_FORMAT_WISH_AUTO : (enum ng_format_wish)v;
		return v < 0 ? v : 0;
	default:
		return add_print_flag(r, id, err);
	}
}

/* Opening it for writing would empty what is to be read. */
static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return a && b && !stat(a, &sa) && !stat(b, &sb) && S_ISREG(sa.st_mode) &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* What the options say together. */
static int check(const struct ng_global *g, const struct request *r, struct ng_error *err)
{
	const struct ng_capture_spec *s = &r->spec;

	if (s->device && s->savefile)
		return ng_usage(err, &ng_verb_capture, "-i %s or -r %s, not both", s->device,
				s->savefile);
	if (r->dump)
		return 0;
	if (!s->device && !s->savefile)
		return ng_usage(err, &ng_verb_capture, "-i DEV or -r FILE is missing");
	if (s->savefile && r->direction_given)
		return ng_usage(err, &ng_verb_capture,
				"-Q goes with -i: a savefile does not tell directions");
	if (s->hook == NG_HOOK_WISH_XDP && !s->dir[NG_IN])
		return ng_usage(
			err, &ng_verb_capture,
			"--hook xdp is about the way in: XDP does not see what -Q out asks for");
	if (same_file(s->savefile, s->output.path))
		return ng_usage(err, &ng_verb_capture, "-w %s is the file that is read",
				s->output.path);
	if (g->json && (!s->output.path || !strcmp(s->output.path, "-")))
		return ng_usage(err, &ng_verb_capture,
				"-j prints the counts as JSON, it needs -w FILE for the packets");
	return ng_output_check(&s->output, err);
}

static int parse(struct request *r, int argc, char **argv, struct ng_error *err)
{
	struct ng_opts o = { .table = options, .argc = argc, .argv = argv, .next = 1 };
	const char *value;
	int id, rc = 0;

	while (!rc && (id = ng_opts_next(&o, &value, err)))
		rc = id < 0 ? id : apply(r, id, value, err);
	return rc ? rc
		  : ng_expression_read(&r->expression, &ng_verb_capture, argc - o.next,
				       argv + o.next, err);
}

static int compile(const struct request *r, struct ng_cbpf *filter, struct ng_error *err)
{
	int rc = ng_expression_compile(&r->expression, r->spec.output.snaplen, filter, err);

	if (rc || filter->n <= NG_TAP_INSNS_MAX)
		return rc;
	rc = ng_err(err, NG_EXIT_USAGE, 0, "expression", "it takes %zu instructions, more than %d",
		    filter->n, NG_TAP_INSNS_MAX);
	ng_cbpf_free(filter);
	return rc;
}

static void say_counts(const struct ng_capture_counts *c)
{
	fprintf(stderr, "%llu packet%s captured\n", c->captured, c->captured == 1 ? "" : "s");
	fprintf(stderr, "%llu packet%s received by filter\n", c->accepted,
		c->accepted == 1 ? "" : "s");
	fprintf(stderr, "%llu packet%s dropped by kernel\n", c->ring_full,
		c->ring_full == 1 ? "" : "s");
	if (c->ring_full)
		fprintf(stderr, "  %llu for want of room in the capture buffer (see --buffer)\n",
			c->ring_full);
	if (c->sampled_out)
		fprintf(stderr, "%llu left out by --sample\n", c->sampled_out);
	if (c->unwritten)
		fprintf(stderr, "%llu captured but not written\n", c->unwritten);
}

static int print_counts(const struct ng_global *g, const struct ng_capture_counts *c,
			struct ng_error *err)
{
	struct ng_out *out = ng_out_new(true, g->pretty);
	int rc;

	if (!out)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "cannot print");
	ng_out_begin(out);
	ng_out_u64(out, "captured", NULL, c->captured);
	ng_out_u64(out, "received_by_filter", NULL, c->accepted);
	ng_out_u64(out, "dropped_by_kernel", NULL, c->ring_full);
	ng_out_u64(out, "ring_full", NULL, c->ring_full);
	ng_out_u64(out, "sampled_out", NULL, c->sampled_out);
	ng_out_u64(out, "not_written", NULL, c->unwritten);
	rc = ng_out_end(out, err);
	ng_out_free(out);
	return rc;
}

static int run_capture(const struct ng_global *g, struct request *r, struct ng_error *err)
{
	struct ng_capture_counts counts;
	int rc;

	if (r->spec.savefile)
		rc = ng_capture_offline(&r->spec, &counts, err);
	else
		rc = ng_capture_live(&r->spec, &counts, err);
	if (counts.valid && !g->quiet && !r->spec.savefile)
		say_counts(&counts);
	if (!rc && g->json)
		rc = print_counts(g, &counts, err);
	return rc;
}

static int capture(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	struct request r = {
		.spec = {
			.dir = { true, true },
			.promiscuous = true,
			.bpffs = g->bpffs,
			.output.snaplen = NG_SNAPLEN_MAX,
		},
	};
	struct ng_cbpf filter = { 0 };
	char words[256];
	int rc = parse(&r, argc, argv, err);

	if (!rc)
		rc = check(g, &r, err);
	if (!rc)
		rc = compile(&r, &filter, err);
	if (!rc && r.dump) {
		rc = ng_dump_filter(stdout, &filter, r.spec.output.snaplen, r.dump, err);
	} else if (!rc) {
		r.spec.filter_flags = r.expression.flags;
		r.spec.expression = ng_expression_words(&r.expression, words, sizeof(words));
		r.spec.filter = &filter;
		rc = run_capture(g, &r, err);
	}
	ng_cbpf_free(&filter);
	ng_expression_free(&r.expression);
	if (!rc)
		err->exit = NG_EXIT_OK; /* whatever was tried on the way */
	return rc;
}

const struct ng_verb ng_verb_capture = {
	.name = "capture",
	.run = capture,
	.summary = "capture packets that match an expression (pcap-filter(7)), as tcpdump does",
	.usage =
		"capture -i DEV [-Q in|out|inout] [-w FILE|-] [-c N] [-s LEN] [OPTIONS] [EXPR]\n"
		"capture -r FILE [-w FILE|-] [OPTIONS] [EXPR]\n"
		"  --sample 1/N         keep one matching packet in N, counted per CPU\n"
		"  --hook auto|xdp|tc   where to tap the way in (auto: where nicgate is attached, else tc)\n"
		"  --format auto|pcapng|pcap   auto: by suffix; .pcap is pcap, all else pcapng\n"
		"  --buffer SIZE        memory for packets on their way, as in 64Mi\n" NG_EXPRESSION_USAGE
		"  -p                   not in promiscuous mode\n"
		"  -U                   write each batch of packets at once\n"
		"  -d, -dd, -ddd        print the compiled filter and end\n"
		"  -e -A -x -X -t -v -q -n -l   how to print, as for tcpdump, which does it\n",
};
