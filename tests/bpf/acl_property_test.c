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
	__u32 entries;
	int steps;
	__u32 default_verdict;
};

static struct ng_maps *maps;
static struct model model;

/* One random change, to tables and model. -ENOSPC and -E2BIG must leave both as they were. */
static const char *change(void)
{
	struct ng_acl_key key = random_key();
	size_t at = model_find(&model, &key), own = 0;
	__u8 verdict = rnd(NG_CLAUSE_VERDICT_MAX);
	bool existed;
	int err;

	if (model.n && rnd(10) < 3) {
		if (rnd(4))
			key = model.clause[rnd(model.n)].key;
		err = ng_acl_del(maps, &key);
		return (err == 0) == model_del(&model, &key) && (!err || err == -ENOENT) ? NULL
											 : "del";
	}
	for (size_t i = 0; i < model.n; i++)
		own += model.clause[i].key.side == key.side &&
		       !memcmp(&model.clause[i].key.prefix, &key.prefix, sizeof(key.prefix));
	err = ng_acl_add(maps, &key, verdict, &existed);
	if (err == -E2BIG)
		return at == model.n && own == NG_ACL_CLAUSES_MAX ? NULL
								  : "too many clauses, too early";
	if (err == -ENOSPC)
		return at == model.n && model.n >= ng_acl_capacity(maps) / 2 ? NULL
									     : "full too early";
	if (err)
		return "add";
	if (existed != (at < model.n))
		return "existed";
	model_add(&model, &key, verdict);
	return NULL;
}

static const char *flush(void)
{
	int n = (int)model.n;

	model.n = 0;
	return ng_acl_flush(maps) == n ? NULL : "flush";
}

/* Many keys in one call; some twice, some there already. */
static const char *change_many(void)
{
	struct ng_acl_key keys[20];
	struct ng_acl_change done;
	__u8 verdict = rnd(NG_CLAUSE_VERDICT_MAX);
	size_t n = 1 + rnd(20), before = model.n;
	int err;

	for (size_t i = 0; i < n; i++)
		keys[i] = i && !rnd(4) ? keys[rnd(i)] : random_key();
	err = ng_acl_add_all(maps, keys, n, verdict, &done);
	if (err)
		return err == -ENOSPC || err == -E2BIG ? NULL : "add_all";
	for (size_t i = 0; i < n; i++)
		model_add(&model, &keys[i], verdict);
	return done.added == model.n - before ? NULL : "number added";
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

	if (ng_acl_list(maps, &list, &n))
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
	const char *wrong = !rnd(150) ? flush() : !rnd(30) ? change_many() : change();

	if (!wrong && (!tables_are(maps, &model) || !lookups_agree(maps, &model, 20)))
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
	ok(!wrong, "%s, %u entries, default %s: %d random changes agree with a linear search",
	   s->hook < NG_HOOK_MAX ? ng_hook_name[s->hook] : "tables", s->entries,
	   s->default_verdict == NG_DROP ? "drop" : "pass", steps);
	if (wrong)
		printf("#   step %d: %s\n", i, wrong);
}

static void run_setting(const struct setting *s)
{
	const struct ng_gate_spec spec = {
		.hook = s->hook,
		.default_verdict = s->default_verdict,
		.acl_entries = s->entries,
	};
	struct ng_maps tables;
	struct ng_error err;
	struct ng_gate *gate;

	if (s->hook == NG_HOOK_MAX) {
		if (!ok(make_tables(&tables, s->entries), "tables of %u entries", s->entries))
			return;
		maps = &tables;
		random_changes(s, -1);
		drop_tables(&tables);
		return;
	}
	if (!ok(!ng_gate_load(s->hook, NULL, &spec, &gate, &err), "%s loads",
		ng_hook_name[s->hook])) {
		printf("#   %s %s\n", err.what, err.why);
		return;
	}
	maps = &gate->maps;
	random_changes(s, gate->prog_fd);
	ng_gate_close(gate);
}

int main(void)
{
	static const struct setting settings[] = {
		{ NG_HOOK_MAX, 4096, 3000, NG_PASS },  { NG_HOOK_MAX, 48, 600, NG_PASS },
		{ NG_HOOK_XDP, 1024, 1000, NG_PASS },  { NG_HOOK_XDP, 48, 300, NG_DROP },
		{ NG_HOOK_TC_IN, 1024, 500, NG_DROP }, { NG_HOOK_TC_OUT, 1024, 500, NG_PASS },
	};
	struct ng_maps m;

	quick = getenv("NG_QUICK");
	if (!make_tables(&m, 8))
		tap_skip_all("no permission to create BPF maps");
	drop_tables(&m);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		run_setting(&settings[i]);
	return tap_done();
}
