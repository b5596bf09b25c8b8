// SPDX-License-Identifier: GPL-2.0-only
/*
 * A writer of the ACL that dies between any two of its stores and system calls: what it leaves gives
 * each address its old or its new answer, and the live clauses are the old ones or the new ones.
 *
 * All that outlives a writer lies in the tables' mapped memory. That is write-protected here, so
 * that the writer stops before each of its stores, is looked at through a second mapping, and goes
 * on by one instruction. What lies there at a stop is what a death between that store and the one
 * before leaves, and also what a reader on another CPU meets. Nothing is sampled.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "tests/tap.h"

#include "tests/bpf/acl_maps.h"

#include "maps/acl_key.h"
#include "maps/acl_leaf.h"

#define NOW	   1000 /* jiffies; deadlines of the test are at 500 and 2000 */
#define CLAUSES	   14
#define RANGES_MAX 24

/* Watching stores */

static struct range {
	char *from;
	size_t bytes;
} range[RANGES_MAX];
static size_t ranges;
static void (*before_store)(void);
static struct range *open_range; /* that is writable, for one instruction */

/* Has the interrupted program stop again after one instruction, or not any more. */
#ifdef __x86_64__
#define CAN_STEP  true
#define TRAP_FLAG 0x100

static void step(ucontext_t *context, bool on)
{
	greg_t *flags = &context->uc_mcontext.gregs[REG_EFL];

	*flags = on ? *flags | TRAP_FLAG : *flags & ~TRAP_FLAG;
}
#else
#define CAN_STEP false

static void step(ucontext_t *context, bool on)
{
	(void)context;
	(void)on;
}
#endif

static void protect(const struct range *r, int how)
{
	if (mprotect(r->from, r->bytes, how))
		_exit(99);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	char *at = info->si_addr;
	size_t i = 0;

	while (i < ranges && (at < range[i].from || at >= range[i].from + range[i].bytes))
		i++;
	if (i == ranges || open_range) { /* a real one: it comes again, and is deadly */
		signal(sig, SIG_DFL);
		return;
	}
	before_store();
	open_range = &range[i];
	protect(open_range, PROT_READ | PROT_WRITE);
	step(context, true);
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	protect(open_range, PROT_READ);
	open_range = NULL;
	step(context, false);
}

static void watch(struct ng_pages *p, size_t from, size_t bytes)
{
	range[ranges++] = (struct range){ p->base + from, bytes };
}

/* Of the roots, the pages that answer for addresses of the small world; of all else, everything but
 * the counters. */
static void watch_tables(struct ng_acl_tables *t)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t word4 = 0x0a00 * sizeof(__u32) / page * page;
	size_t word6 = 0x2001 * sizeof(__u32) / page * page;

	ranges = 0;
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		struct ng_pages *p = &t->pages[i];

		if (!p->base || i == NG_ACL_HITS)
			continue;
		ng_pages_map_all(p);
		if (i == NG_ACL_ROOT4_SRC || i == NG_ACL_ROOT4_DST) {
			watch(p, word4, page);
		} else if (i == NG_ACL_ROOT6) {
			watch(p, word6, page);
			watch(p, (sizeof(__u32) << NG_ROOT6_BITS) + word6, page);
		} else {
			watch(p, 0, p->size);
		}
	}
}

static void start_watch(void)
{
	for (size_t i = 0; i < ranges; i++)
		protect(&range[i], PROT_READ);
}

static void stop_watch(void)
{
	for (size_t i = 0; i < ranges; i++)
		protect(&range[i], PROT_READ | PROT_WRITE);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(sig, &action, NULL);
}

/* The tables, and a second mapping of them. */

static struct ng_acl_tables t, view;

static void close_view(void)
{
	for (int i = 0; i < NG_ACL_MAP_MAX; i++)
		ng_pages_close(&view.pages[i]);
}

static bool open_view(void)
{
	view = (struct ng_acl_tables)NG_ACL_TABLES_INIT;
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		view.fd[i] = t.fd[i];
		if (!t.pages[i].base)
			continue;
		if (ng_pages_open(&view.pages[i], t.fd[i], t.pages[i].size) ||
		    ng_pages_map_all(&view.pages[i]))
			return false;
	}
	view.head = ng_pages_at(&view.pages[NG_ACL_HEAD], 0);
	watch_tables(&t);
	return true;
}

static bool grow(void)
{
	close_view();
	return !rebuild_tables(&t) && open_view();
}

/* Questions to the tables, and their answers */

struct question {
	struct ng_prefix addr;
	enum ng_side side;
	int proto, port;
};

struct answer {
	bool decided;
	__u8 verdict;
	struct ng_acl_key key;
};

#define ADDRESSES 36
#define FLOWS	  16
#define QUESTIONS (ADDRESSES * NG_SIDE_MAX * FLOWS)

static struct question question[QUESTIONS];
static struct answer old_answer[QUESTIONS], new_answer[QUESTIONS];

static struct ng_prefix address_of(int n)
{
	struct ng_prefix p = { .family = n < 12 ? NG_IPV4 : NG_IPV6, .len = n < 12 ? 32 : 128 };
	__u8 *b = (__u8 *)p.addr_be;

	if (n < 12) {
		b[0] = 10, b[1] = n & 1, b[2] = (__u8)((n & 2) << 6), b[3] = (__u8)(n / 4);
		return p;
	}
	n -= 12;
	b[0] = 0x20, b[1] = 1, b[5] = n & 1, b[7] = n >> 1 & 1, b[8] = (__u8)((n & 4) << 5);
	b[15] = (__u8)(n / 8);
	return p;
}

static void make_questions(void)
{
	static const int ports[] = { 49, 52, 53, 54, 443 };

	for (int i = 0; i < QUESTIONS; i++) {
		int flow = i % FLOWS;
		static const int with_ports[] = { 6, 17, 132 };

		question[i] = (struct question){
			.addr = address_of(i / FLOWS / NG_SIDE_MAX),
			.side = (enum ng_side)(i / FLOWS % NG_SIDE_MAX),
			.proto = flow ? with_ports[(flow - 1) / 5] : 1,
			.port = flow ? ports[(flow - 1) % 5] : -1,
		};
	}
}

/* What the program would do: the verdict of one clause is in the leaf, not in the clause. */
static bool ask(const struct question *q, struct answer *a)
{
	__u32 leaf, id = 0;
	int err = ng_acl_test(&view, &q->addr, q->side, q->proto, q->port, NOW, &id);
	const struct ng_acl_clause *c;

	*a = (struct answer){ .decided = !err };
	if (err)
		return err == -ENOENT;
	if (!id || id >= view.head->clause.size || ng_engine_find(&view, &q->addr, q->side, &leaf))
		return false;
	c = ng_clause_at(&view, id);
	a->key = ng_clause_key(c);
	a->verdict = leaf & NG_LEAF_ROW ? c->verdict : leaf & NG_LEAF_DROP ? NG_DROP : NG_PASS;
	return true;
}

static void answers_of(struct model *o, struct answer answer[QUESTIONS])
{
	for (int i = 0; i < QUESTIONS; i++) {
		const struct question *q = &question[i];
		size_t n = model_decide(o, &q->addr, q->side, q->proto, q->port, false);

		answer[i] = (struct answer){ .decided = n < o->n };
		if (n == o->n)
			continue;
		answer[i].verdict = o->clause[n].verdict;
		answer[i].key = o->clause[n].key;
	}
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
	return a->decided == b->decided &&
	       (!a->decided || (a->verdict == b->verdict && same_key(&a->key, &b->key)));
}

/* The clauses as a list: what new tables are built from */

struct list {
	struct ng_acl_item *item;
	char *notes;
	size_t n;
};

static void list_free(struct list *l)
{
	free(l->item);
	free(l->notes);
}

/* As the commands read it: sorted, without what is over. */
static bool list_read(struct list *l)
{
	size_t kept = 0;

	if (ng_acl_items(&view, &l->item, &l->n, &l->notes))
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (!l->item[i].deadline || l->item[i].deadline > NOW)
			l->item[kept++] = l->item[i];
	l->n = kept;
	return ng_acl_items_sort(l->item, kept) == (long)kept;
}

static bool same_item(const struct ng_acl_item *a, const struct ng_acl_item *b)
{
	return same_key(&a->key, &b->key) && a->verdict == b->verdict && a->timeout == b->timeout &&
	       a->deadline == b->deadline && a->added == b->added &&
	       !strcmp(a->note ? a->note : "", b->note ? b->note : "");
}

static bool same_list(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_item(&a->item[i], &b->item[i]))
			return false;
	return true;
}

/* Looking at the tables of a writer that stopped */

enum task_kind { PUT, DEL, SWEEP };

static struct task {
	enum task_kind kind;
	struct ng_acl_item item;
} task;
static struct model before, after;
static struct list old_list, new_list;
static long stops, die_at = -1;
static bool reaped; /* at one of the stops */
static const char *wrong;

static bool answers_hold(void)
{
	struct answer a;

	/* a step that comes to other flows at other addresses; the kernel's maps take system calls */
	int step = view.head->engine == NG_ENGINE_LPM ? 7 : 1;

	for (int i = (int)(stops % step); i < QUESTIONS; i += step)
		if (!ask(&question[i], &a) ||
		    !(same_answer(&a, &old_answer[i]) || same_answer(&a, &new_answer[i])))
			return problem("an answer that is neither the old nor the new");
	return true;
}

/* Between two changes: a writer that comes next finds nothing to put in order. */
static bool is_settled(void)
{
	const struct ng_acl_head *h = view.head;

	for (__u32 id = 1; id < h->clause.fresh; id++) {
		const struct ng_acl_clause *c = ng_clause_at(&view, id);

		if (c->state == NG_CLAUSE_LIVE && c->deadline &&
		    (!h->deadline || h->deadline > c->deadline))
			return problem("a clause ends before the first deadline");
	}
	if (task.kind == SWEEP)
		return pools_fit(&view);
	return tables_are(&view, &after) || tables_are(&view, &before);
}

static const char *look(void)
{
	struct list now = { 0 };
	bool good;

	if (!answers_hold())
		return state_problem;
	if (!list_read(&now))
		return "the clauses cannot be read";
	good = same_list(&now, &old_list) || same_list(&now, &new_list);
	list_free(&now);
	if (!good)
		return "the clauses are neither the old nor the new ones";
	return view.head->dirty || is_settled() ? NULL : state_problem;
}

static void look_at_stop(void)
{
	static __u32 dying;

	reaped |= view.head->row.dying < dying;
	dying = view.head->row.dying;
	if (stops++ == die_at)
		raise(SIGKILL);
	if (die_at < 0 && !wrong)
		wrong = look();
}

/* What a writer does */

static int carry_out(void)
{
	struct ng_acl_change done = { 0 };

	switch (task.kind) {
	case PUT:
		return ng_acl_put(&t, &task.item, &done);
	case DEL:
		return ng_acl_del(&t, &task.item.key);
	default:
		return (int)ng_acl_sweep(&t, NOW);
	}
}

static const char *random_note(void)
{
	static const char *const notes[] = {
		NULL,
		NULL,
		"",
		"short",
		"sixty-one bytes of a note, so that it takes two of its pieces",
		"sixty bytes of a note, which are what one of its pieces hold",
	};

	return notes[rnd(sizeof(notes) / sizeof(notes[0]))];
}

static struct ng_acl_item random_item(void)
{
	static const __u64 deadlines[] = { 0, 0, 0, 2000, 2500 };
	struct ng_acl_item item = {
		.key = random_key(),
		.verdict = (__u8)rnd(NG_CLAUSE_VERDICT_MAX),
		.deadline = deadlines[rnd(5)],
		.added = 1 + rnd(1000),
		.note = random_note(),
	};

	if (rnd(2)) {
		item.key.any_proto = item.key.any_port = true;
		item.key.proto = 0;
		item.key.port_lo = 0;
		item.key.port_hi = 65535;
	}
	item.timeout = item.deadline ? 1 + rnd(100) : 0;
	return item;
}

static void random_task(void)
{
	task = (struct task){ .kind = PUT, .item = random_item() };
	if (before.n && rnd(2))
		task.item.key = before.clause[rnd((__u32)before.n)].key;
	if (before.n > CLAUSES ? rnd(2) : !rnd(4)) {
		task.kind = DEL;
		if (before.n)
			task.item.key = before.clause[rnd((__u32)before.n)].key;
	}
}

/* What there is to be afterwards, by the model and as a list. */
static void plan_put(void)
{
	struct ng_acl_item *item = new_list.item, *at = NULL;
	const char *note;

	model_add(&after, &task.item.key, task.item.verdict);
	after.clause[model_find(&after, &task.item.key)].deadline = task.item.deadline;
	for (size_t i = 0; i < new_list.n; i++)
		if (same_key(&item[i].key, &task.item.key))
			at = &item[i];
	if (!at) {
		item[new_list.n++] = task.item;
		ng_acl_items_sort(item, new_list.n);
		return;
	}
	if (at->verdict == task.item.verdict && !at->deadline && !task.item.deadline &&
	    (!task.item.note || !strcmp(task.item.note, at->note ? at->note : "")))
		return; /* `added` stays, and so does all else */
	note = task.item.note ? task.item.note : at->note;
	task.item.added = at->added;
	*at = task.item;
	at->note = note;
}

static void plan_del(void)
{
	size_t n = 0;

	model_del(&after, &task.item.key);
	for (size_t i = 0; i < new_list.n; i++)
		if (!same_key(&new_list.item[i].key, &task.item.key))
			new_list.item[n++] = new_list.item[i];
	new_list.n = n;
}

static void plan_sweep(void)
{
	for (size_t i = 0; i < after.n;)
		if (after.clause[i].deadline && after.clause[i].deadline <= NOW)
			model_del(&after, &after.clause[i].key);
		else
			i++;
}

static bool plan(void)
{
	list_free(&old_list);
	list_free(&new_list);
	if (!list_read(&old_list) || !list_read(&new_list))
		return false;
	new_list.item = realloc(new_list.item, (new_list.n + 1) * sizeof(*new_list.item));
	after = before;
	if (task.kind == PUT)
		plan_put();
	else if (task.kind == DEL)
		plan_del();
	else
		plan_sweep();
	answers_of(&before, old_answer);
	answers_of(&after, new_answer);
	return true;
}

/* The whole task under watch. -ENOSPC has changed nothing, and is done again in larger tables. */
static const char *watched(void)
{
	int err;

	if (!plan())
		return "plan";
	start_watch();
	err = carry_out();
	stop_watch();
	if (err == -ENOSPC || err == -E2BIG) {
		if (!wrong && !tables_are(&view, &before))
			wrong = "refused, but changed";
		return wrong || err == -E2BIG ? wrong : grow() ? watched() : "growing";
	}
	if (!wrong && err < 0 && !(task.kind == DEL && err == -ENOENT))
		wrong = "the change fails";
	if (!wrong && (view.head->dirty || !tables_are(&view, &after)))
		wrong = "not what was asked for";
	if (!wrong)
		wrong = look();
	before = after;
	return wrong;
}

/* The task in a process that is killed at a stop; false: it was done before. */
static bool killed_at(long at)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		die_at = at;
		stops = 0;
		start_watch();
		_exit(carry_out() < 0 ? 1 : 0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL;
}

/* Whoever comes next puts the tables in order, as ng_gate_acl_mend() does. */
static const char *killed(void)
{
	bool dead;

	if (!plan())
		return "plan";
	dead = killed_at(rnd(120));
	wrong = look();
	if (wrong)
		return wrong;
	if (view.head->dirty && !grow())
		return "building anew";
	if (task.kind == SWEEP && ng_acl_sweep(&t, NOW) < 0)
		return "the sweep goes on";
	if (dead && tables_are(&view, &before))
		return NULL;
	before = tables_are(&view, &after) ? after : before;
	return tables_are(&view, &before) && lookups_agree(&view, &before, 200) ? NULL
										: state_problem;
}

/* One clause is over already, and the sweep is to find it. */
static void add_dying(void)
{
	struct ng_acl_change done = { 0 };

	for (int i = 0; i < 3; i++) {
		struct ng_acl_item item = random_item();

		item.deadline = 500 + rnd(3);
		item.timeout = 1;
		if (model_find(&before, &item.key) < before.n || ng_acl_put(&t, &item, &done))
			continue;
		model_add(&before, &item.key, item.verdict);
		before.clause[model_find(&before, &item.key)].deadline = item.deadline;
	}
	task.kind = SWEEP;
}

static void deaths(enum ng_acl_engine engine, int rounds)
{
	const char *failed = NULL;
	int i;

	stops = 0;
	reaped = false;
	wrong = NULL;
	before.n = 0;
	if (!ok(make_tables(&t, engine) && open_view(), "tables for engine %s",
		engine_name[engine]))
		return;
	for (i = 0; i < rounds && !failed; i++) {
		random_task();
		if (i % 10 == 9)
			add_dying();
		/* what a killed one left is built anew, with so much room that nothing is reaped */
		failed = i > rounds / 4 * 3 && i % 2 ? killed() : watched();
	}
	ok(!failed, "engine %s: a death at any store of %d changes leaves the old or the new",
	   engine_name[engine], rounds);
	ok(reaped, "engine %s: what was dead became free meanwhile", engine_name[engine]);
	if (failed)
		printf("#   change %d (kind %d), stop %ld: %s\n", i, task.kind, stops, failed);
	else
		printf("# %ld stops\n", stops);
	close_view();
	ng_acl_tables_close(&t);
}

int main(void)
{
	bool quick = getenv("NG_QUICK");

	if (!CAN_STEP)
		tap_skip_all("needs x86-64: it steps by the trap flag");
	if (!make_tables(&t, NG_ENGINE_TRIE))
		tap_skip_all("no permission to create BPF maps");
	ng_acl_tables_close(&t);
	handle(SIGSEGV, on_fault);
	handle(SIGTRAP, on_step);
	before_store = look_at_stop;
	model_now = NOW;
	make_questions();
	deaths(NG_ENGINE_TRIE, quick ? 60 : 500);
	deaths(NG_ENGINE_LPM, quick ? 30 : 150);
	list_free(&old_list);
	list_free(&new_list);
	return tap_done();
}
