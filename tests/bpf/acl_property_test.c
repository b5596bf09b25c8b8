// SPDX-License-Identifier: GPL-2.0-only
/* Random changes of the ACL: after each, tables,
 * lookups and the programs agree with a linear search over a plain list. */
#include <linux/pkt_cls.h>

#include "ctl/dataplane/gate.h"
#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

#define FRAME_LEN 100

static bool quick;

/* A setting of the test: tables without a program (hook NG_HOOK_MAX), or a loaded one. */
struct setting {
	enum ng_hook hook;
	enum ng_acl_engine engine;
	int steps;
	__u32 default_verdict;
};

static struct ng_acl_tables *acl;
static bool may_grow;
static struct model model;

static size_t own_of(const struct ng_acl_key *key)
{
	size_t own = 0;

	for (size_t i = 0; i < model.n; i++)
		own += model.clause[i].key.side == key->side &&
		       !memcmp(&model.clause[i].key.prefix, &key->prefix, sizeof(key->prefix));
	return own;
}

/* One clause in; a table that is full is built anew. */
static const char *put(const struct ng_acl_key *key)
{
	size_t at = model_find(&model, key);
	struct ng_acl_item item = { .key = *key, .verdict = rnd(NG_CLAUSE_VERDICT_MAX) };
	struct ng_acl_change done = { 0 };
	int err = ng_acl_put(acl, &item, &done);

	if (err == -E2BIG)
		return at == model.n && own_of(key) == NG_ACL_CLAUSES_MAX
			       ? NULL
			       : "too many clauses, too early";
	if (err == -ENOSPC && may_grow) {
		if (!tables_are(acl, &model))
			return "refused, but changed";
		if (rebuild_tables(acl))
			return "built anew";
		err = ng_acl_put(acl, &item, &done);
	}
	if (err)
		return "put";
	if (done.added != (at == model.n) || done.added + done.changed + done.unchanged != 1)
		return "what was done";
	model_add(&model, key, item.verdict);
	return NULL;
}

static const char *delete (void)
{
	struct ng_acl_key key = rnd(4) ? model.clause[rnd(model.n)].key : random_key();
	int err = ng_acl_del(acl, &key);

	if (err == -ENOSPC && may_grow) {
		if (rebuild_tables(acl))
			return "built anew";
		err = ng_acl_del(acl, &key);
	}
	return (err == 0) == model_del(&model, &key) && (!err || err == -ENOENT) ? NULL : "del";
}

static const char *change(void)
{
	struct ng_acl_key key = random_key();

	return model.n && rnd(10) < 3 ? delete () : put(&key);
}

static const char *empty(void)
{
	while (model.n) {
		if (ng_acl_del(acl, &model.clause[0].key))
			return "del all";
		model_del(&model, &model.clause[0].key);
	}
	return NULL;
}

/* Frames */

struct flow {
	struct ng_prefix src, dst;
	int proto, port; /* -1: none */
};

static struct flow random_flow(void)
{
	struct flow f = { .src = random_address(), .proto = protos[rnd(4)] };

	do
		f.dst = random_address();
	while (f.dst.family != f.src.family);
	f.port = f.proto == 1 ? -1 : (int)(49 + rnd(8));
	return f;
}

static size_t put_ip(__u8 *p, const struct flow *f)
{
	static const __u8 v4[] = { 0x45, 0, 0, FRAME_LEN - 14, 0, 0, 0, 0, 64 };
	static const __u8 v6[] = { 0x60, 0, 0, 0, 0, FRAME_LEN - 54 };

	if (f->src.family == NG_IPV4) {
		memcpy(p, v4, sizeof(v4));
		p[9] = (__u8)f->proto;
		memcpy(p + 12, f->src.addr_be, 4);
		memcpy(p + 16, f->dst.addr_be, 4);
		return 20;
	}
	memcpy(p, v6, sizeof(v6));
	p[6] = (__u8)f->proto;
	p[7] = 64;
	memcpy(p + 8, f->src.addr_be, 16);
	memcpy(p + 24, f->dst.addr_be, 16);
	return 40;
}

static void make_frame(__u8 frame[FRAME_LEN], const struct flow *f)
{
	size_t at = 14;

	memset(frame, 0, FRAME_LEN);
	frame[0] = frame[6] = 2;
	frame[12] = f->src.family == NG_IPV4 ? 0x08 : 0x86;
	frame[13] = f->src.family == NG_IPV4 ? 0x00 : 0xdd;
	at += put_ip(frame + at, f);
	if (f->port < 0)
		return;
	frame[at + 3] = (__u8)f->port;
	if (f->proto == 17)
		frame[at + 5] = (__u8)(FRAME_LEN - at);
	if (f->proto == 6)
		frame[at + 12] = 5 << 4;
}

/* What the model says about a packet, whose hits it counts. */
static __u8 model_verdict(const struct flow *f, __u32 default_verdict)
{
	size_t i = model_decide(&model, &f->src, NG_SRC, f->proto, f->port, true);

	if (i == model.n)
		i = model_decide(&model, &f->dst, NG_DST, f->proto, f->port, true);
	return i == model.n ? (__u8)default_verdict : model.clause[i].verdict;
}

static const char *run_frames(const struct setting *s, int prog_fd, int n)
{
	static const int action[2][NG_VERDICT_MAX] = {
		{ [NG_PASS] = XDP_PASS, [NG_DROP] = XDP_DROP },
		{ [NG_PASS] = TC_ACT_UNSPEC, [NG_DROP] = TC_ACT_SHOT },
	};

	for (int i = 0; i < n; i++) {
		struct flow f = random_flow();
		__u8 frame[FRAME_LEN];
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME_LEN,
			    .repeat = 1);

		make_frame(frame, &f);
		if (bpf_prog_test_run_opts(prog_fd, &opts))
			return "BPF_PROG_TEST_RUN fails";
		if ((int)opts.retval !=
		    action[s->hook != NG_HOOK_XDP][model_verdict(&f, s->default_verdict)])
			return "the program decides otherwise";
	}
	return NULL;
}

/* Counters of every entry against the packets that the model counted. */
static const char *check_hits(void)
{
	struct ng_acl_entry *list;
	const char *wrong = NULL;
	size_t n;

	if (ng_acl_list(acl, &list, &n))
		return "list fails";
	for (size_t i = 0; i < n; i++) {
		size_t k = model_find(&model, &list[i].key);

		if (k == model.n || list[i].packets != model.clause[k].packets ||
		    list[i].bytes != model.clause[k].packets * FRAME_LEN)
			wrong = "a counter";
	}
	free(list);
	return wrong;
}

static const char *step(const struct setting *s, int prog_fd)
{
	const char *wrong = !rnd(150)		   ? empty()
			    : may_grow && !rnd(50) ? rebuild_tables(acl) ? "built anew" : NULL
						   : change();

	if (!wrong && (!tables_are(acl, &model) || !lookups_agree(acl, &model, 20)))
		wrong = state_problem;
	if (!wrong && prog_fd >= 0)
		wrong = run_frames(s, prog_fd, 10);
	return !wrong && prog_fd >= 0 ? check_hits() : wrong;
}

static void random_changes(const struct setting *s, int prog_fd)
{
	const char *wrong = NULL;
	int i, steps = quick ? s->steps / 10 : s->steps;

	model.n = 0;
	for (i = 0; i < steps && !wrong; i++)
		wrong = step(s, prog_fd);
	ok(!wrong, "%s, engine %s, default %s: %d random changes agree with a linear search",
	   s->hook < NG_HOOK_MAX ? ng_hook_name[s->hook] : "tables", engine_name[s->engine],
	   s->default_verdict == NG_DROP ? "drop" : "pass", steps);
	if (wrong)
		printf("#   step %d: %s\n", i, wrong);
}

static void run_setting(const struct setting *s)
{
	struct ng_acl_size size = small_tables;
	const struct ng_gate_spec spec = {
		.hook = s->hook,
		.default_verdict = s->default_verdict,
		.acl = &size,
	};
	struct ng_acl_tables tables;
	struct ng_error err;
	struct ng_gate *gate;

	may_grow = s->hook == NG_HOOK_MAX;
	if (may_grow) {
		if (!ok(make_tables(&tables, s->engine), "tables for engine %s",
			engine_name[s->engine]))
			return;
		acl = &tables;
		random_changes(s, -1);
		ng_acl_tables_close(&tables);
		return;
	}
	size.engine = s->engine;
	size.clauses = size.rows = 1024;
	size.nodes = size.skips = 4096;
	if (!ok(!ng_gate_load(s->hook, NULL, &spec, &gate, &err), "%s loads",
		ng_hook_name[s->hook])) {
		printf("#   %s %s\n", err.what, err.why);
		return;
	}
	acl = &gate->maps.acl;
	random_changes(s, gate->prog_fd);
	ng_gate_close(gate);
}

int main(void)
{
	static const struct setting settings[] = {
		{ NG_HOOK_MAX, NG_ENGINE_TRIE, 6000, NG_PASS },
		{ NG_HOOK_MAX, NG_ENGINE_LPM, 2000, NG_PASS },
		{ NG_HOOK_XDP, NG_ENGINE_TRIE, 1000, NG_PASS },
		{ NG_HOOK_XDP, NG_ENGINE_LPM, 300, NG_DROP },
		{ NG_HOOK_TC_IN, NG_ENGINE_TRIE, 500, NG_DROP },
		{ NG_HOOK_TC_OUT, NG_ENGINE_LPM, 300, NG_PASS },
	};
	struct ng_acl_tables t;

	quick = getenv("NG_QUICK");
	if (!make_tables(&t, NG_ENGINE_TRIE))
		tap_skip_all("no permission to create BPF maps");
	ng_acl_tables_close(&t);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		run_setting(&settings[i]);
	return tap_done();
}
