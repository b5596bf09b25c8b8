// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl: clauses of the attached gates of an interface, changed while traffic flows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/base/opts.h"
#include "ctl/cmd/cmd.h"
#include "ctl/dataplane/gate.h"
#include "ctl/net/gateway.h"
#include "ctl/policy/acl_words.h"
#include "ctl/policy/guard.h"
#include "ctl/policy/prefix_list.h"
#include "maps/acl.h"
#include "maps/counters.h"

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define LIST_SIZE_MAX (64u << 20)
#define SIMILAR_MAX   4 /* clauses of the same prefix that an error names */

/* One `nicgate acl SUBCOMMAND DEV ..`. */
struct call {
	const struct ng_global *global;
	const char *sub;
	char **argv; /* all words, from "acl" on; options are taken out */
	int argc;
	bool force, statistics;
	const char *match;
	struct ng_pins pins;
	bool begun;
	struct ng_link link;
	struct ng_gate *gate[NG_DIR_MAX]; /* those opened */
};

/* Words and files */

/* The error of a word, with the whole command as the line it stands in. */
static int bad_word(const struct call *c, int first, const struct ng_bad_word *bad,
		    struct ng_error *err)
{
	char line[sizeof(err->source)] = "";
	size_t used = 0, column = 0;

	for (int i = 0; i < c->argc && used < sizeof(line); i++) {
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", i ? " " : "",
					 c->argv[i]);
		if (i < first + bad->word)
			column = used + 1;
	}
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", bad->what);
	ng_err_at(err, "command line", 1, (unsigned int)(column + bad->at + 1), line, strlen(line));
	if (bad->hint[0])
		ng_err_try(err, "%s", bad->hint);
	return -EINVAL;
}

static int read_all(const char *name, char **text, size_t *len, struct ng_error *err)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	char *buf = NULL;
	size_t n = 0, room = 0, got = 1;
	int rc = f ? 0 : -errno;

	while (!rc && got) {
		if (room - n < 4096) {
			char *bigger =
				room < LIST_SIZE_MAX ? realloc(buf, room + (1u << 16)) : NULL;

			if (!bigger) {
				rc = room < LIST_SIZE_MAX ? -ENOMEM : -EFBIG;
				break;
			}
			buf = bigger;
			room += 1u << 16;
		}
		got = fread(buf + n, 1, room - n, f);
		n += got;
		if (ferror(f))
			rc = errno ? -errno : -EIO;
	}
	if (f && f != stdin)
		fclose(f);
	if (rc) {
		free(buf);
		return ng_err(err, NG_EXIT_USAGE, -rc, name, "cannot be read");
	}
	*text = buf;
	*len = n;
	return 0;
}

static void fill_line_error(const char *name, const struct ng_bad_line *bad, struct ng_error *err)
{
	ng_err(err, NG_EXIT_USAGE, 0, NULL, "%s", bad->bad.what);
	ng_err_at(err, name, bad->line, (unsigned int)bad->bad.at + 1, bad->text, bad->len);
	if (bad->bad.hint[0])
		ng_err_try(err, "%s", bad->bad.hint);
}

/* All bad lines but the last are shown at once, or are in the reasons (JSON has one error). */
static int bad_list(const struct call *c, const char *name, const struct ng_prefix_list *list,
		    struct ng_error *err)
{
	size_t shown = list->bad_lines < NG_BAD_LINES_MAX ? list->bad_lines : NG_BAD_LINES_MAX;

	for (size_t i = 0; i + 1 < shown && !c->global->json; i++) {
		struct ng_error e;

		fill_line_error(name, &list->bad[i], &e);
		ng_err_show(&e, false, false);
	}
	fill_line_error(name, &list->bad[c->global->json ? 0 : shown - 1], err);
	for (size_t i = 1; i < shown && c->global->json; i++)
		ng_err_why(err, "%s:%u:%zu: %s", name, list->bad[i].line, list->bad[i].bad.at + 1,
			   list->bad[i].bad.what);
	ng_err_why(err, "%zu bad line%s in %s; nothing was changed", list->bad_lines,
		   list->bad_lines == 1 ? "" : "s", name);
	return -EINVAL;
}

/* The keys that the words mean: one, or one for each prefix of a file. */
struct keys {
	struct ng_acl_key *key;
	size_t n;
};

static int keys_of_list(const struct call *c, const struct ng_acl_words *words, struct keys *keys,
			struct ng_error *err)
{
	const char *name = strcmp(words->list, "-") ? words->list : "stdin";
	struct ng_prefix_list list;
	char *text = NULL;
	size_t len = 0;
	int rc = read_all(words->list, &text, &len, err);

	if (rc)
		return rc;
	rc = ng_prefix_list_parse(text, len, &list);
	if (rc == -EINVAL)
		bad_list(c, name, &list, err);
	if (!rc) {
		keys->key = calloc(list.n + 1, sizeof(*keys->key));
		rc = keys->key ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !rc && i < list.n; i++)
		keys->key[keys->n++] = ng_acl_words_key(words, &list.entry[i].prefix);
	if (rc == -ENOMEM)
		ng_err(err, NG_EXIT_FAILED, ENOMEM, name, "cannot be read");
	if (!rc && list.masked)
		ng_warn("%s: %zu of %zu prefixes had host bits set; they are masked", name,
			list.masked, list.n);
	ng_prefix_list_free(&list);
	free(text);
	return rc;
}

static void warn_masked(const struct ng_acl_words *words)
{
	char text[NG_PREFIX_TEXT];

	if (!words->masked)
		return;
	ng_prefix_format(&words->key.prefix, text);
	ng_warn("the prefix has host bits set; it is read as %s", text);
}

/* Gates */

/* Whether there is a gate that is more than a capture's. */
static bool gate_is_there(const struct call *c, enum ng_hook hook)
{
	struct ng_maps m;
	__u32 abi;
	bool there = true;
	int rc = ng_pins_open_maps(&c->pins, c->link.ifindex, hook, &m, &abi);

	if (!rc) {
		there = !m.control->temporary;
		ng_maps_close(&m);
	}
	return there && rc != -ENOENT;
}

static int not_attached(const struct call *c, enum ng_dir dir, struct ng_error *err)
{
	ng_err(err, NG_EXIT_NOT_FOUND, 0, c->link.name, "not attached for %s packets",
	       dir == NG_IN ? "incoming" : "outgoing");
	ng_err_try(err, "nicgate attach %s%s", c->link.name, dir == NG_IN ? "" : " --hook tc-out");
	return -ENOENT;
}

/* The gate that decides in this direction, in order. */
static int open_gate(struct call *c, enum ng_dir dir, struct ng_error *err)
{
	static const enum ng_hook hooks[NG_DIR_MAX][2] = {
		[NG_IN] = { NG_HOOK_XDP, NG_HOOK_TC_IN },
		[NG_OUT] = { NG_HOOK_TC_OUT, NG_HOOK_TC_OUT },
	};
	struct ng_gate *gate;
	int rc, at = 0;

	if (!gate_is_there(c, hooks[dir][0]))
		at = 1;
	if (at && !gate_is_there(c, hooks[dir][1]))
		return not_attached(c, dir, err);
	rc = ng_gate_open(&c->pins, &c->link, hooks[dir][at], &gate, err);
	if (rc)
		return rc;
	c->gate[dir] = gate;
	if (!gate->maps.control->acl_dirty)
		return 0;
	ng_note("%s: finishing the change of a command that died", c->link.name);
	rc = ng_acl_recover(&gate->maps);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
			   "putting the ACL in order failed")
		  : 0;
}

/* Both directions where only one is attached: that one. */
static int open_gates(struct call *c, bool in, bool out, struct ng_error *err)
{
	int rc = in ? open_gate(c, NG_IN, err) : 0;

	if (rc && !(rc == -ENOENT && out))
		return rc;
	if (out)
		rc = open_gate(c, NG_OUT, err);
	if (rc == -ENOENT && c->gate[NG_IN])
		rc = 0;
	else if (rc == -ENOENT && in)
		rc = not_attached(c, NG_IN, err);
	return rc;
}

static int begin(struct call *c, struct ng_error *err)
{
	int rc = ng_link_get(c->argv[2], &c->link, err);

	if (!rc)
		rc = ng_gate_begin(&c->pins, c->global->bpffs, true, err);
	c->begun = !rc;
	return rc;
}

static void end(struct call *c)
{
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		ng_gate_close(c->gate[dir]);
	if (c->begun)
		ng_pins_close(&c->pins);
}

/* Output */

static const struct ng_column columns[] = {
	{ "direction", "DIR", NG_LEFT }, { "side", "SIDE", NG_LEFT },
	{ "prefix", "PREFIX", NG_LEFT }, { "proto", "PROTO", NG_LEFT },
	{ "port", "PORT", NG_LEFT },	 { "verdict", "VERDICT", NG_LEFT },
	{ "packets", NULL, NG_RIGHT },	 { "bytes", NULL, NG_RIGHT },
};
static const struct ng_column counted_columns[] = {
	{ "direction", "DIR", NG_LEFT },    { "side", "SIDE", NG_LEFT },
	{ "prefix", "PREFIX", NG_LEFT },    { "proto", "PROTO", NG_LEFT },
	{ "port", "PORT", NG_LEFT },	    { "verdict", "VERDICT", NG_LEFT },
	{ "packets", "PACKETS", NG_RIGHT }, { "bytes", "BYTES", NG_RIGHT },
};
_Static_assert(COUNT(columns) == COUNT(counted_columns), "they differ in what text shows");

static void entries_begin(struct ng_out *out, bool counted)
{
	ng_table_begin(out, "entries", counted ? counted_columns : columns, COUNT(columns));
}

static void entries_row(struct ng_out *out, enum ng_dir dir, const struct ng_acl_entry *e)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&e->key.prefix, prefix);
	ng_proto_format(&e->key, proto);
	ng_port_format(&e->key, port);
	ng_table_str(out, ng_dir_name[dir]);
	ng_table_str(out, ng_side_name[e->key.side]);
	ng_table_str(out, prefix);
	ng_table_str(out, proto);
	ng_table_str(out, port);
	ng_table_str(out, ng_verdict_name[e->verdict]);
	ng_table_u64(out, e->packets);
	ng_table_u64(out, e->bytes);
}

/* "in src 192.0.2.0/24 proto tcp port 443" */
static void describe(enum ng_dir dir, const struct ng_acl_key *key, char *text, size_t size)
{
	char prefix[NG_PREFIX_TEXT], proto[NG_MATCH_TEXT], port[NG_MATCH_TEXT];

	ng_prefix_format(&key->prefix, prefix);
	ng_proto_format(key, proto);
	ng_port_format(key, port);
	snprintf(text, size, "%s %s %s%s%s%s%s", ng_dir_name[dir], ng_side_name[key->side], prefix,
		 key->any_proto ? "" : " proto ", key->any_proto ? "" : proto,
		 key->any_port ? "" : " port ", key->any_port ? "" : port);
}

/* All has been read and changed: a reader of stdout that is slow keeps nobody else waiting. */
static struct ng_out *out_begin(struct call *c, struct ng_error *err)
{
	struct ng_out *out = ng_out_new(c->global->json, c->global->pretty);

	if (!out) {
		ng_err(err, NG_EXIT_FAILED, ENOMEM, "stdout", "no result");
		return NULL;
	}
	ng_pins_unlock(&c->pins);
	ng_out_begin(out);
	ng_out_str(out, "device", NULL, c->link.name);
	return out;
}

static int out_end(struct ng_out *out, struct ng_error *err)
{
	int rc = ng_out_end(out, err);

	ng_out_free(out);
	return rc;
}

/* add */

static void guard_fill(struct ng_guard *guard, const struct call *c)
{
	struct ng_gateway gw[NG_GATEWAYS_MAX];
	char text[256];
	int n = ng_gateways(c->link.ifindex, gw, COUNT(gw));

	*guard = (struct ng_guard){ 0 };
	if (ng_ssh_connection(text, sizeof(text)))
		ng_guard_session(guard, text);
	for (int i = 0; i < n; i++) {
		bool v6 = gw[i].family == AF_INET6;
		struct ng_prefix p = { .family = v6 ? NG_IPV6 : NG_IPV4, .len = v6 ? 128 : 32 };

		memcpy(p.addr_be, gw[i].addr, sizeof(p.addr_be));
		guard->gateway[guard->gateways++] = p;
	}
}

static int guard_refuse(const struct call *c, enum ng_dir dir, const struct ng_acl_key *key,
			enum ng_guarded what, const struct ng_prefix *whom, struct ng_error *err)
{
	static const char *const why[] = {
		[NG_GUARDED_NOT] = "",
		[NG_GUARDED_ALL] = "that is every packet of the family",
		[NG_GUARDED_SESSION] = "you are connected by SSH over this address",
		[NG_GUARDED_GATEWAY] = "this is the address of the default gateway",
	};
	char text[128], address[NG_PREFIX_TEXT];

	describe(dir, key, text, sizeof(text));
	ng_prefix_format(whom, address);
	ng_err(err, NG_EXIT_FAILED, 0, c->link.name, "drop %s: refused, it would cut off %s", text,
	       address);
	ng_err_why(err, "%s", why[what]);
	ng_err_try(err, "the same with --force, if that is what you want");
	return -EPERM;
}

static int check_guards(const struct call *c, const struct ng_acl_words *words,
			const struct keys *keys, struct ng_error *err)
{
	struct ng_guard guard;

	if (c->force || words->verdict != NG_DROP)
		return 0;
	guard_fill(&guard, c);
	for (size_t i = 0; i < keys->n; i++) {
		struct ng_prefix whom;
		enum ng_guarded what =
			ng_guard_check(&guard, &keys->key[i], words->dir, words->verdict, &whom);

		if (what != NG_GUARDED_NOT)
			return guard_refuse(c, words->dir, &keys->key[i], what, &whom, err);
	}
	return 0;
}

static int add_failed(const struct call *c, const struct ng_gate *gate, int rc,
		      struct ng_error *err)
{
	if (rc == -ENOSPC) {
		ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
		       "the ACL is full; nothing was changed");
		ng_err_why(err, "there is room for %zu prefixes and %u clauses",
			   ng_acl_capacity(&gate->maps), gate->maps.acl_entries - 1);
	} else if (rc == -E2BIG) {
		ng_err(err, NG_EXIT_FAILED, 0, c->link.name,
		       "too many clauses; nothing was changed");
		ng_err_why(err, "a prefix can have %d clauses", NG_ACL_CLAUSES_MAX);
	} else {
		ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "changing the ACL failed");
		ng_err_why(err, "the next nicgate acl command puts the tables in order");
	}
	return rc;
}

static int show_change(struct call *c, const struct ng_acl_words *words, const struct keys *keys,
		       const struct ng_acl_change *done, struct ng_error *err)
{
	struct ng_out *out = out_begin(c, err);
	const char *what = done->added ? "added" : done->changed ? "changed" : "unchanged";
	char text[128];

	if (!out)
		return -ENOMEM;
	ng_out_str(out, "hook", NULL, ng_hook_name[c->gate[words->dir]->hook]);
	ng_out_u64(out, "added", NULL, done->added);
	ng_out_u64(out, "changed", NULL, done->changed);
	ng_out_u64(out, "unchanged", NULL, done->unchanged);
	if (words->list) {
		ng_out_text(out, "%s: %zu added, %zu changed, %zu unchanged\n", c->link.name,
			    done->added, done->changed, done->unchanged);
	} else {
		describe(words->dir, &keys->key[0], text, sizeof(text));
		ng_out_text(out, "%s: %s %s: %s\n", c->link.name, ng_verdict_name[words->verdict],
			    text, what);
	}
	return out_end(out, err);
}

static int add_keys(struct call *c, const struct ng_acl_words *words, const struct keys *keys,
		    struct ng_error *err)
{
	struct ng_acl_change done;
	int rc = begin(c, err);

	if (!rc)
		rc = open_gate(c, words->dir, err);
	if (!rc)
		rc = check_guards(c, words, keys, err);
	if (rc)
		return rc;
	rc = ng_acl_add_all(&c->gate[words->dir]->maps, keys->key, keys->n, words->verdict, &done);
	if (rc)
		return add_failed(c, c->gate[words->dir], rc, err);
	return show_change(c, words, keys, &done, err);
}

static int run_add(struct call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_bad_word bad;
	struct keys keys = { 0 };
	int rc = ng_acl_words_parse(NG_ACL_FORM_ADD, c->argc - 3, c->argv + 3, &words, &bad);

	if (rc)
		return bad_word(c, 3, &bad, err);
	if (words.list) {
		rc = keys_of_list(c, &words, &keys, err);
		if (!rc)
			rc = add_keys(c, &words, &keys, err);
		free(keys.key);
		return rc;
	}
	warn_masked(&words);
	keys = (struct keys){ &words.key, 1 };
	return add_keys(c, &words, &keys, err);
}

/* del, get */

/* Parses the words of a key and opens its gate. */
static int open_for_key(struct call *c, enum ng_acl_form form, struct ng_acl_words *words,
			struct ng_error *err)
{
	struct ng_bad_word bad;
	int rc = ng_acl_words_parse(form, c->argc - 3, c->argv + 3, words, &bad);

	if (rc)
		return bad_word(c, 3, &bad, err);
	warn_masked(words);
	rc = begin(c, err);
	return rc ? rc : open_gate(c, words->dir, err);
}

/* Names the clauses that the same prefix has, for whoever forgot a word. */
static void similar(const struct call *c, const struct ng_acl_words *words, struct ng_error *err)
{
	struct ng_acl_entry *list;
	size_t n, shown = 0;

	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		if (!c->gate[dir] || ng_acl_list(&c->gate[dir]->maps, &list, &n))
			continue;
		for (size_t i = 0; i < n && shown < SIMILAR_MAX; i++) {
			const struct ng_prefix *p = &list[i].key.prefix;
			char text[128];

			if (p->len != words->key.prefix.len ||
			    !ng_prefix_covers(p, &words->key.prefix))
				continue;
			describe(dir, &list[i].key, text, sizeof(text));
			ng_err_why(err, "there is: %s %s", ng_verdict_name[list[i].verdict], text);
			shown++;
		}
		free(list);
	}
}

static int no_entry(struct call *c, const struct ng_acl_words *words, struct ng_error *err)
{
	enum ng_dir other = words->dir == NG_IN ? NG_OUT : NG_IN;
	char text[128];

	open_gate(c, other, NULL);
	describe(words->dir, &words->key, text, sizeof(text));
	ng_err(err, NG_EXIT_NOT_FOUND, 0, c->link.name, "%s: no such entry", text);
	similar(c, words, err);
	ng_err_try(err, "nicgate acl list %s", c->link.name);
	return -ENOENT;
}

static int run_del(struct call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_out *out;
	char text[128];
	int rc = open_for_key(c, NG_ACL_FORM_KEY, &words, err);

	if (rc)
		return rc;
	rc = ng_acl_del(&c->gate[words.dir]->maps, &words.key);
	if (rc == -ENOENT)
		return no_entry(c, &words, err);
	if (rc)
		return add_failed(c, c->gate[words.dir], rc, err);
	out = out_begin(c, err);
	if (!out)
		return -ENOMEM;
	describe(words.dir, &words.key, text, sizeof(text));
	ng_out_u64(out, "deleted", NULL, 1);
	ng_out_text(out, "%s: %s: deleted\n", c->link.name, text);
	return out_end(out, err);
}

static int run_get(struct call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_acl_entry entry;
	struct ng_out *out;
	__u32 clause;
	int rc = open_for_key(c, NG_ACL_FORM_KEY, &words, err);

	if (rc)
		return rc;
	rc = ng_acl_find(&c->gate[words.dir]->maps, &words.key, &clause);
	if (rc == -ENOENT)
		return no_entry(c, &words, err);
	if (!rc)
		rc = ng_acl_entry_get(&c->gate[words.dir]->maps, clause, &entry);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "reading the ACL failed");
	out = out_begin(c, err);
	if (!out)
		return -ENOMEM;
	entries_begin(out, true);
	entries_row(out, words.dir, &entry);
	ng_table_end(out);
	return out_end(out, err);
}

/* test */

static int show_test(struct call *c, const struct ng_gate *gate, const struct ng_acl_words *words,
		     const struct ng_acl_entry *entry, struct ng_error *err)
{
	__u32 standard = gate->maps.control->default_verdict;
	struct ng_out *out = out_begin(c, err);

	if (!out)
		return -ENOMEM;
	ng_out_bool(out, "decided", NULL, entry);
	ng_out_str(out, "verdict", NULL, entry ? ng_verdict_name[entry->verdict] : NULL);
	ng_out_str(out, "default", NULL,
		   standard < NG_VERDICT_MAX ? ng_verdict_name[standard] : NULL);
	if (entry) {
		entries_begin(out, false);
		entries_row(out, words->dir, entry);
		ng_table_end(out);
	} else {
		ng_out_text(out, "no clause decides\n");
	}
	return out_end(out, err);
}

static int run_test(struct call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_acl_entry entry;
	const struct ng_gate *gate;
	const struct ng_acl_key *k = &words.key;
	__u32 clause;
	int rc = open_for_key(c, NG_ACL_FORM_TEST, &words, err);

	if (rc)
		return rc;
	gate = c->gate[words.dir];
	rc = ng_acl_test(&gate->maps, &k->prefix, k->side, k->any_proto ? -1 : k->proto,
			 k->any_port ? -1 : k->port_lo, &clause);
	if (!rc)
		rc = ng_acl_entry_get(&gate->maps, clause, &entry);
	if (rc && rc != -ENOENT)
		return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name, "reading the ACL failed");
	if (rc)
		err->exit = NG_EXIT_FAILED;
	return show_test(c, gate, &words, rc ? NULL : &entry, err);
}

/* list, flush, zero */

/* Opens the gates of [in|out], or of both. */
static int open_for_all(struct call *c, struct ng_error *err)
{
	struct ng_bad_word bad = { 0 };
	bool in = c->argc == 3 || !strcmp(c->argv[3], ng_dir_name[NG_IN]);
	bool out = c->argc == 3 || !strcmp(c->argv[3], ng_dir_name[NG_OUT]);
	int rc;

	if (!in && !out) {
		snprintf(bad.what, sizeof(bad.what), "unknown word '%s'", c->argv[3]);
		snprintf(bad.hint, sizeof(bad.hint), "valid here: in, out");
		return bad_word(c, 3, &bad, err);
	}
	if (c->argc > 4) {
		snprintf(bad.what, sizeof(bad.what), "nothing more is expected here");
		return bad_word(c, 4, &bad, err);
	}
	rc = begin(c, err);
	return rc ? rc : open_gates(c, in, out, err);
}

struct listing {
	struct ng_acl_entry *entry[NG_DIR_MAX];
	size_t n[NG_DIR_MAX];
};

static int read_listing(const struct call *c, struct listing *l, struct ng_error *err)
{
	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		int rc = c->gate[dir] ? ng_acl_list(&c->gate[dir]->maps, &l->entry[dir], &l->n[dir])
				      : 0;

		if (rc)
			return ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
				      "reading the ACL failed");
	}
	return 0;
}

static int show_listing(struct call *c, const struct listing *l, const struct ng_prefix *match,
			struct ng_error *err)
{
	struct ng_out *out = out_begin(c, err);

	if (!out)
		return -ENOMEM;
	entries_begin(out, c->statistics);
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		for (size_t i = 0; i < l->n[dir]; i++) {
			const struct ng_prefix *p = &l->entry[dir][i].key.prefix;

			if (!match || ng_prefix_covers(p, match) || ng_prefix_covers(match, p))
				entries_row(out, dir, &l->entry[dir][i]);
		}
	ng_table_end(out);
	return out_end(out, err);
}

static int run_list(struct call *c, struct ng_error *err)
{
	struct listing l = { 0 };
	struct ng_bad_word bad;
	struct ng_prefix match;
	bool masked;
	int rc;

	if (c->match && ng_prefix_parse(c->match, strlen(c->match), &match, &masked, &bad)) {
		ng_err(err, NG_EXIT_USAGE, 0, c->match, "%s", bad.what);
		if (bad.hint[0])
			ng_err_try(err, "%s", bad.hint);
		return -EINVAL;
	}
	rc = open_for_all(c, err);
	if (!rc)
		rc = read_listing(c, &l, err);
	if (!rc)
		rc = show_listing(c, &l, c->match ? &match : NULL, err);
	for (int dir = 0; dir < NG_DIR_MAX; dir++)
		free(l.entry[dir]);
	return rc;
}

static int run_flush(struct call *c, struct ng_error *err)
{
	struct ng_out *out;
	size_t deleted = 0;
	int rc = open_for_all(c, err);

	if (rc)
		return rc;
	for (int dir = 0; dir < NG_DIR_MAX; dir++) {
		if (!c->gate[dir])
			continue;
		rc = ng_acl_flush(&c->gate[dir]->maps);
		if (rc < 0)
			return add_failed(c, c->gate[dir], rc, err);
		deleted += (size_t)rc;
	}
	out = out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_out_u64(out, "deleted", NULL, deleted);
	ng_out_text(out, "%s: %zu deleted\n", c->link.name, deleted);
	return out_end(out, err);
}

static int run_zero(struct call *c, struct ng_error *err)
{
	struct ng_out *out;
	int rc = open_for_all(c, err);

	for (int dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		if (!c->gate[dir])
			continue;
		rc = ng_acl_zero(&c->gate[dir]->maps);
		if (rc)
			ng_err(err, NG_EXIT_FAILED, -rc, c->link.name,
			       "zeroing the counters failed");
	}
	if (rc)
		return rc;
	out = out_begin(c, err);
	if (!out)
		return -ENOMEM;
	ng_out_text(out, "%s: counters of the ACL are zero\n", c->link.name);
	return out_end(out, err);
}

/* The verb */

enum { OPT_FORCE = 256, OPT_MATCH };

static const struct ng_opt no_options[] = { { 0, NULL, NG_OPT_NONE, NULL, NULL } };
static const struct ng_opt add_options[] = {
	{ OPT_FORCE, "force", NG_OPT_NONE, NULL, "also where it may cut you off" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};
static const struct ng_opt list_options[] = {
	{ 's', "statistics", NG_OPT_NONE, NULL, "with packets and bytes" },
	{ OPT_MATCH, "match", NG_OPT_VALUE, "PREFIX", "entries that cover it or lie in it" },
	{ 0, NULL, NG_OPT_NONE, NULL, NULL },
};

static const struct {
	const char *name;
	int (*run)(struct call *c, struct ng_error *err);
	const struct ng_opt *options;
} subs[] = {
	{ "add", run_add, add_options },    { "del", run_del, no_options },
	{ "get", run_get, no_options },	    { "test", run_test, no_options },
	{ "list", run_list, list_options }, { "flush", run_flush, no_options },
	{ "zero", run_zero, no_options },
};

/* Takes the options, which may stand between the words, out of c->argv. */
static int take_options(struct call *c, const struct ng_opt *table, struct ng_error *err)
{
	struct ng_opts o = { .table = table, .argc = c->argc, .argv = c->argv, .next = 2 };
	const char *value;
	int kept = 2;

	for (;;) {
		int id = ng_opts_next(&o, &value, err);

		if (id < 0)
			return id;
		if (id == OPT_FORCE)
			c->force = true;
		else if (id == OPT_MATCH)
			c->match = value;
		else if (id == 's')
			c->statistics = true;
		else if (o.next < o.argc)
			c->argv[kept++] = c->argv[o.next++];
		else
			break;
	}
	c->argc = kept;
	return 0;
}

static int run_sub(struct call *c, size_t i, struct ng_error *err)
{
	int rc = take_options(c, subs[i].options, err);

	if (rc)
		return rc;
	if (c->argc < 3)
		return ng_usage(err, &ng_verb_acl, "%s: the name of an interface is missing",
				c->sub);
	rc = subs[i].run(c, err);
	end(c);
	return rc;
}

static int run(const struct ng_global *g, int argc, char **argv, struct ng_error *err)
{
	static const char *const names[] = { "add",  "del",   "get",  "test",
					     "list", "flush", "zero", NULL };
	struct call c = { .global = g, .argv = argv, .argc = argc };

	_Static_assert(COUNT(names) == COUNT(subs) + 1, "the same words");
	if (argc < 2)
		return ng_usage(err, &ng_verb_acl, "what to do is missing");
	c.sub = argv[1];
	for (size_t i = 0; i < COUNT(subs); i++)
		if (!strcmp(c.sub, subs[i].name))
			return run_sub(&c, i, err);
	return ng_usage_word(err, "acl", c.sub, names);
}

const struct ng_verb ng_verb_acl = {
	.name = "acl",
	.run = run,
	.summary = "pass, drop or count by source or destination prefix",
	.usage =
		"acl add DEV pass|drop|count [in|out] [src|dst] PREFIX|@FILE|- [proto P] [port N|N-M] [--force]\n"
		"acl del|get DEV [in|out] [src|dst] PREFIX [proto P] [port N|N-M]\n"
		"acl test DEV [in|out] [src|dst] ADDRESS [proto P] [port N]\n"
		"acl list DEV [in|out] [-s] [--match PREFIX]\n"
		"acl flush|zero DEV [in|out]\n"
		"\n"
		"    Without in|out: in; without src|dst: src. port: the destination port.\n"
		"    An address is decided by the clauses of its longest matching prefix, then by those of the\n"
		"    covering prefixes; of one prefix, the narrower port range first, then those with a\n"
		"    protocol, then the one for everything. count counts and goes on.\n"
		"    @FILE, - (standard input): one prefix a line, # and ; start comments; all or nothing.\n"
		"    test: exit status 0 and the clause that decides, or 1.\n"
		"    --force: also for what would cut off your own SSH session, the default gateway, or\n"
		"    everything (drop 0.0.0.0/0, ::/0).\n",
};
