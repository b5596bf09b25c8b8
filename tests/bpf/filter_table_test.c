// SPDX-License-Identifier: GPL-2.0-only
/* The instructions that ask a table, in the kernel, over a frozen array. */
#include "ctl/filter/table.h"
#include "tests/bpf/filter_run.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS_MAX    1000000
#define LOOK_UPS    400
#define OFFSET	    192

enum label { IN, SHORT, LABELS };

/* Registers for the key and the two that change. */
static const unsigned int plans[][3] = { { 0, 1, 2 }, { 9, 5, 0 }, { 3, 8, 4 } };

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Answers 1 to a packet whose bytes 4 to 7 are in the set, 2 else, 3 if the key was changed. */
static int write_program(const struct ng_table *t, const unsigned int plan[3], struct ng_ebpf *out)
{
	const unsigned int key = plan[0], data = 6, end = 7;
	struct ng_emit e;

	if (ng_emit_init(&e, LABELS))
		return -ENOMEM;
	ng_emit(&e, NG_LOAD(BPF_W, data, BPF_REG_1, offsetof(struct xdp_md, data)));
	ng_emit(&e, NG_LOAD(BPF_W, end, BPF_REG_1, offsetof(struct xdp_md, data_end)));
	ng_emit(&e, NG_MOV(BPF_REG_2, data));
	ng_emit(&e, NG_ALU_I(BPF_ADD, BPF_REG_2, 8));
	ng_emit_jump(&e, NG_JUMP(BPF_JGT, BPF_REG_2, end, 0), SHORT);
	ng_emit(&e, NG_LOAD(BPF_DW, key, data, 0)); /* the upper half is the number */
	ng_emit(&e, NG_MOV(BPF_REG_7, key));
	ng_emit(&e, NG_ALU_I(BPF_RSH, key, 32));
	ng_emit(&e, NG_ALU_I(BPF_LSH, BPF_REG_7, 32));
	ng_emit(&e, NG_ALU(BPF_OR, key, BPF_REG_7)); /* and now the lower */
	ng_emit(&e, NG_MOV(BPF_REG_7, key));
	ng_table_test(&e, t, key, plan[1], plan[2], IN);
	ng_emit_jump(&e, NG_JUMP(BPF_JNE, BPF_REG_7, key, 0), SHORT);
	ng_emit(&e, NG_MOV_I(BPF_REG_0, 2));
	ng_emit(&e, NG_RETURN);
	ng_emit_label(&e, IN);
	ng_emit_jump(&e, NG_JUMP(BPF_JNE, BPF_REG_7, key, 0), SHORT);
	ng_emit(&e, NG_MOV_I(BPF_REG_0, 1));
	ng_emit(&e, NG_RETURN);
	ng_emit_label(&e, SHORT);
	ng_emit(&e, NG_MOV_I(BPF_REG_0, 3));
	ng_emit(&e, NG_RETURN);
	return ng_emit_finish(&e, out);
}

static int load(const struct ng_table *t, const unsigned int plan[3])
{
	struct ng_ebpf program = { 0 };
	int map = -1, fd = -1;

	if (write_program(t, plan, &program))
		return -1;
	if (t->kind != NG_TABLE_LINEAR) {
		program.table_size = t->offset + t->size;
		program.table = calloc(1, program.table_size);
		ng_table_fill(t, (char *)program.table + t->offset);
		map = bind_table(&program, program.insns, program.n);
	}
	if (t->kind == NG_TABLE_LINEAR || map >= 0)
		fd = load_program(program.insns, program.n, NG_CTX_XDP, false);
	if (fd < 0)
		show_refusal();
	if (map >= 0)
		close(map);
	ng_ebpf_free(&program);
	return fd;
}

static unsigned int ask(int fd, uint32_t key)
{
	struct packet p = { .len = 64 };
	uint32_t answer = 0;

	memcpy(p.data + 4, &key, sizeof(key));
	return run_packet(fd, &p, XDP_LINEAR, &answer) ? 0 : answer;
}

static void test_set(const char *what, const struct ng_set *set, const unsigned int plan[3])
{
	unsigned int right = 0, members = 0;
	struct ng_table t;
	int fd = -1;

	if (!ok(ng_table_plan(set, OFFSET, &t) == 0 && (fd = load(&t, plan)) >= 0,
		"%s: loads, keys in r%u", what, plan[0]))
		return;
	for (unsigned int i = 0; i < LOOK_UPS; i++) {
		uint32_t known = set->key[below((uint32_t)set->n)];
		uint32_t key = ((const uint32_t[]){ known, known ^ 1u << below(32), rnd(),
						    below(2) << 31 })[i % 4];
		bool in = bsearch(&key, set->key, set->n, sizeof(key), compare) != NULL;

		members += in;
		right += ask(fd, key) == (in ? 1 : 2);
	}
	ok(right == LOOK_UPS && members > 0, "%s: %zu keys, %u look-ups, %u of members", what,
	   set->n, right, members);
	close(fd);
}

/* n numbers that have none of the bits in `without`, ascending. */
static void make_set(struct ng_set *set, size_t n, uint32_t without)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		set->key[i] = rnd() & ~without;
	qsort(set->key, n, sizeof(*set->key), compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || set->key[kept - 1] != set->key[i])
			set->key[kept++] = set->key[i];
	set->n = kept;
}

int main(void)
{
	static const struct {
		const char *what;
		size_t n;
		uint32_t without;
	} sets[] = {
		{ "comparisons", 1, 0 },	  { "comparisons", 15, 0 },
		{ "buckets of four", 16, 0 },	  { "buckets of four", 1000, 0 },
		{ "buckets of four", 300, 0xff }, { "buckets of eight", KEYS_MAX, 0 },
		{ "a bit map", 30, 0xffff0000 },  { "a bit map", 5000, 0xffff0000 },
	};
	struct ng_set set = { .key = calloc(KEYS_MAX, sizeof(*set.key)) };

	require_bpf();
	if (!set.key)
		return 1;
	printf("# seed %#llx\n", (unsigned long long)random_state);
	for (size_t i = 0; i < N_OF(sets); i++)
		for (size_t p = 0; p < N_OF(plans); p++) {
			make_set(&set, sets[i].n, sets[i].without);
			test_set(sets[i].what, &set, plans[p]);
		}
	free(set.key);
	return tap_done();
}
