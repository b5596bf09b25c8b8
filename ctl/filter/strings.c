// SPDX-License-Identifier: GPL-2.0-only
/* Chains of comparisons of the packet's words become tests against sets. */
#include "ctl/filter/strings.h"

#include <errno.h>
#include <stdlib.h>

#define GONE	  0xffff /* the code of what was folded; none of classic BPF's */
#define JUMP	  (BPF_JMP | BPF_JA)
#define FAR_JUMPS 2 /* that libpcap puts behind a comparison whose ways are long */

struct chain {
	size_t first, last; /* from the load of the first word to the last comparison */
	size_t no;	    /* where any word that is not equal leads */
};

static size_t behind_jumps(const struct sock_filter *insns, size_t n, size_t i)
{
	while (i < n && insns[i].code == JUMP && (int)insns[i].k >= 0)
		i += insns[i].k + (size_t)1;
	return i;
}

/* The comparison of the word that is loaded at `load`; n: it is not that. */
static size_t comparison(const struct sock_filter *insns, size_t n, size_t load, __u32 from,
			 __u32 mask)
{
	size_t i = load + 1;

	if (i + 1 >= n || insns[load].code != (BPF_LD | BPF_W | BPF_ABS) || insns[load].k != from)
		return n;
	if (mask != ~0u && insns[i].code == (BPF_ALU | BPF_AND | BPF_K) && insns[i].k == mask)
		i++;
	else if (mask != ~0u)
		return n;
	return insns[i].code == (BPF_JMP | BPF_JEQ | BPF_K) ? i : n;
}

/* The load of the next word, which stands behind comparison i but for far jumps; n: it does not. */
static size_t next_load(const struct sock_filter *insns, size_t n, size_t i)
{
	size_t next = behind_jumps(insns, n, i + 1 + insns[i].jt);

	if (next > i + 1 + FAR_JUMPS)
		return n;
	for (size_t j = i + 1; j < next; j++)
		if (insns[j].code != JUMP)
			return n;
	return next;
}

static bool find_chain(const struct sock_filter *insns, size_t n, size_t at,
		       const struct ng_set *set, struct chain *c)
{
	size_t load = at - 1;

	c->first = load;
	for (unsigned int word = 0; word < set->words; word++) {
		__u32 mask = word + 1 == set->words ? set->mask : ~0u;
		size_t i = comparison(insns, n, load, insns[at - 1].k + 4 * word, mask), no;

		if (i == n || (word && insns[i].k != NG_STRINGS_REST))
			return false;
		no = behind_jumps(insns, n, i + 1 + insns[i].jf);
		if (word && no != c->no)
			return false;
		c->no = no;
		c->last = i;
		load = next_load(insns, n, i);
		if (load == n && word + 1 < set->words)
			return false;
	}
	return true;
}

static bool is_inside(const struct chain *c, size_t i)
{
	return i > c->first && i <= c->last;
}

static bool is_choice(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_JMP && f->code != JUMP;
}

/* Does anything but the chain itself lead into it? */
static bool is_entered(const struct sock_filter *insns, size_t n, const struct chain *c)
{
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *f = &insns[i];

		if ((i >= c->first && i <= c->last) || f->code == GONE)
			continue;
		if (f->code == JUMP && is_inside(c, (size_t)((long)i + 1 + (int)f->k)))
			return true;
		if (is_choice(f) && (is_inside(c, i + 1 + f->jt) || is_inside(c, i + 1 + f->jf)))
			return true;
	}
	return false;
}

/* Reads A as it is left by what stands before. */
static bool reads_a(const struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_ALU:
	case BPF_ST:
		return true;
	case BPF_JMP:
		return f->code != JUMP && BPF_OP(f->code) != NG_BPF_IN6;
	case BPF_RET:
		return BPF_RVAL(f->code) == BPF_A;
	case BPF_MISC:
		return BPF_MISCOP(f->code) == BPF_TAX;
	default:
		return false;
	}
}

static bool writes_a(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_LD ||
	       (BPF_CLASS(f->code) == BPF_MISC && BPF_MISCOP(f->code) == BPF_TXA);
}

/* live: by instruction, whether what A is before it counts. A jump back: it may. */
static void find_live(const struct sock_filter *insns, size_t n, bool *live)
{
	for (size_t i = n; i-- > 0;) {
		const struct sock_filter *f = &insns[i];

		if (f->code == GONE)
			live[i] = i + 1 < n && live[i + 1];
		else if (f->code == JUMP)
			live[i] = (int)f->k < 0 || live[i + 1 + f->k];
		else if (is_choice(f))
			live[i] = reads_a(f) || live[i + 1 + f->jt] || live[i + 1 + f->jf];
		else if (BPF_CLASS(f->code) == BPF_RET)
			live[i] = reads_a(f);
		else
			live[i] = reads_a(f) || (!writes_a(f) && i + 1 < n && live[i + 1]);
	}
}

/* 0, -EINVAL: the word that was loaded last is used behind the chain; -ENOMEM. */
static int check_left(const struct sock_filter *insns, size_t n, const struct chain *c)
{
	const struct sock_filter *f = &insns[c->last];
	bool *live = calloc(n, sizeof(*live));
	int ret = live ? 0 : -ENOMEM;

	if (live)
		find_live(insns, n, live);
	if (live && (live[c->last + 1 + f->jt] || live[c->no]))
		ret = -EINVAL;
	free(live);
	return ret;
}

int ng_strings_fold(struct sock_filter *insns, size_t n, size_t at, const struct ng_set *set,
		    size_t number)
{
	struct chain c = { 0 };
	__u32 from;
	int ret;

	if (!at || number > 0xffff || insns[at - 1].k > 0xffff ||
	    !find_chain(insns, n, at, set, &c) || is_entered(insns, n, &c))
		return -EINVAL;
	ret = check_left(insns, n, &c);
	if (ret)
		return ret;
	from = insns[c.first].k;
	for (size_t i = c.first; i < c.last; i++)
		insns[i].code = GONE;
	insns[c.last].code = BPF_JMP | NG_BPF_IN6 | BPF_K;
	insns[c.last].k = NG_IN6_K(number, from);
	return 0;
}

/* now: by old place, the new one, of what is gone that of the next that stays. */
static void move_insn(struct sock_filter *insns, size_t i, const size_t *now)
{
	struct sock_filter f = insns[i];

	if (f.code == JUMP) {
		f.k = (__u32)(now[(size_t)((long)i + 1 + (int)f.k)] - now[i] - 1);
	} else if (is_choice(&f)) {
		f.jt = (__u8)(now[i + 1 + f.jt] - now[i] - 1);
		f.jf = (__u8)(now[i + 1 + f.jf] - now[i] - 1);
	}
	insns[now[i]] = f;
}

int ng_strings_compact(struct sock_filter *insns, size_t *n)
{
	size_t *now = calloc(*n + 1, sizeof(*now)), kept = 0;

	if (!now)
		return -ENOMEM;
	for (size_t i = 0; i < *n; i++) {
		now[i] = kept;
		kept += insns[i].code != GONE;
	}
	for (size_t i = 0; i < *n; i++)
		if (insns[i].code != GONE)
			move_insn(insns, i, now);
	*n = kept;
	free(now);
	return 0;
}
