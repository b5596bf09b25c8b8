// SPDX-License-Identifier: GPL-2.0-only
/* Several filters in one subprogram, spliced into a program that calls it with a slot. */
#include "tests/bpf/filter_run.h"

#define SLOTS	 16
#define ETHERNET 1

static const char *const expressions[SLOTS] = {
	[0] = "udp port 53",
	[5] = "ip[ip[8] & 31:2] > 100 or vlan or len > 100",
	[15] = "tcp",
};

static int compile_all(struct ng_cbpf *filter, struct ng_ebpf *body, enum ng_filter_ctx ctx)
{
	struct ng_error err = { 0 };
	int ret = 0;

	for (size_t slot = 0; slot < SLOTS && !ret; slot++) {
		if (!expressions[slot])
			continue;
		ret = ng_filter_compile(expressions[slot], "expression", ETHERNET,
					1000 + (unsigned int)slot, 0, &filter[slot], &err);
		if (!ret)
			ret = ng_filter_translate(&filter[slot], ctx, 0, &body[slot], &err);
	}
	return ret;
}

/* A program that calls its second subprogram, a stub until filters are spliced, and its third. */
static int load_spliced(const struct ng_ebpf *combined, int slot, enum mode mode)
{
	const struct bpf_insn rest[] = {
		NG_MOV_I(BPF_REG_2, slot),
		NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 3), /* to the stub */
		NG_MOV(BPF_REG_1, BPF_REG_0),
		NG_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 3), /* across it */
		NG_RETURN,
		NG_MOV_I(BPF_REG_0, 99), /* the stub */
		NG_RETURN,
		NG_MOV(BPF_REG_0, BPF_REG_1), /* hands its argument back */
		NG_RETURN,
	};
	struct bpf_insn program[32];
	size_t begun = put_arguments(mode, program);
	struct ng_ebpf whole = { 0 };
	long shift;
	int fd;

	memcpy(program + begun, rest, sizeof(rest));
	if (ng_splice_body(program, begun + sizeof(rest) / sizeof(rest[0]), begun + 5, begun + 7,
			   combined, &whole, &shift))
		return -1;
	fd = load_program(whole.insns, whole.n, modes[mode].ctx, modes[mode].frags);
	if (fd < 0)
		show_refusal();
	ng_ebpf_free(&whole);
	return fd;
}

static void test_slot(const struct ng_ebpf *combined, int slot, const struct ng_cbpf *filter,
		      enum mode mode)
{
	static const struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct ng_cbpf none = { .insns = (struct sock_filter *)nothing, .n = 1 };
	bool used = filter[slot].n > 0;
	struct tally tally = { 0 };
	int fd = load_spliced(combined, slot, mode);

	if (!ok(fd >= 0, "%s, slot %d: loads", modes[mode].name, slot))
		return;
	run_packets(fd, used ? &filter[slot] : &none, mode, 1000, &tally);
	ok(tally.wrong == 0 && (tally.accepted > 0) == used,
	   "%s, slot %d: %s (%u runs, %u accepted)", modes[mode].name, slot,
	   used ? expressions[slot] : "none, answers 0", tally.runs, tally.accepted);
	close(fd);
}

static void test_mode(enum mode mode)
{
	static const int slots[] = { 0, 5, 15, 1, 14, 16 };
	struct ng_cbpf filter[SLOTS + 1] = { 0 };
	struct ng_ebpf body[SLOTS] = { 0 }, combined = { 0 };
	struct ng_error err = { 0 };

	is_int(compile_all(filter, body, modes[mode].ctx), 0, "%s: compiles", modes[mode].name);
	is_int(ng_filter_combine(body, SLOTS, &combined, &err), 0, "%s: combines",
	       modes[mode].name);
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		test_slot(&combined, slots[i], filter, mode);
	for (size_t slot = 0; slot < SLOTS; slot++) {
		ng_cbpf_free(&filter[slot]);
		ng_ebpf_free(&body[slot]);
	}
	ng_ebpf_free(&combined);
}

int main(void)
{
	require_bpf();
	printf("# seed %#llx\n", (unsigned long long)random_state);
	test_mode(XDP_LINEAR);
	test_mode(XDP_FRAGS);
	test_mode(TC_PLAIN);
	return tap_done();
}
