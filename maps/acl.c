// SPDX-License-Identifier: GPL-2.0-only
/* The ACL tables of one gate on the kernel's LPM tries: rows, inheritance, publication, recovery.
 */
#include "maps/acl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "maps/counters.h"

/*
 * How it works. A prefix is present when its trie points at its row. The row lists the clauses to
 * try for an address whose longest prefix it is: its own, then what the row of the nearest covering
 * prefix lists, cut at NG_ACL_CLAUSES_MAX. So the data path needs one lookup, and a change of a
 * prefix means new rows for the prefixes it covers. They are rebuilt shortest first: the covering
 * row is then always up to date.
 *
 * Every step leaves something that recover can finish. The trie update of the changed prefix itself
 * comes first and is the moment the change is made; a writer that dies before it has changed
 * nothing, one that dies after it leaves only inherited clauses to be redone. A clause dies last,
 * when no row lists it any more. A flush switches the lookups off before it deletes (acl_live), and
 * is finished, not undone.
 *
 * States are stored last when something comes to life: whatever is not free has valid contents.
 */

enum dirty { CLEAN, CHANGING, FLUSHING }; /* control->acl_dirty */

#define SPARE_ROWS(entries)                                                                        \
	((entries) / 8 + 1) /* for rebuilding: bounds how many grace periods that takes */

/* One call that changes the tables. */
struct edit {
	struct ng_maps *m;
	__u32 *row; /* live rows: by family, side, address, length; a prefix comes right before
		       those it covers */
	size_t rows;
	__u32 next_row, next_clause; /* none below is free */
};

static void set_state(__u8 *state, enum ng_row_state value)
{
	__atomic_store_n(state, (__u8)value, __ATOMIC_RELEASE);
}

static void set_word(__u32 *word, __u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Prefixes and keys */

static struct ng_prefix row_prefix(const struct ng_acl_class *row)
{
	struct ng_prefix p = { .family = row->family, .len = row->prefixlen };

	memcpy(p.addr_be, row->addr_be, sizeof(p.addr_be));
	return p;
}

bool ng_prefix_covers(const struct ng_prefix *outer, const struct ng_prefix *inner)
{
	const __u8 *a = (const __u8 *)outer->addr_be, *b = (const __u8 *)inner->addr_be;
	size_t whole = outer->len / 8, rest = outer->len % 8;

	if (outer->family != inner->family || outer->len > inner->len || memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static int compare(long long a, long long b)
{
	return (a > b) - (a < b);
}

static int compare_place(const struct ng_prefix *a, enum ng_side a_side, const struct ng_prefix *b,
			 enum ng_side b_side)
{
	int d = compare(a->family, b->family);

	d = d ? d : compare(a_side, b_side);
	d = d ? d : memcmp(a->addr_be, b->addr_be, sizeof(a->addr_be));
	return d ? d : compare(a->len, b->len);
}

/* The order in which the clauses of one prefix are tried; 0: the same clause. */
static int compare_match(const struct ng_acl_key *a, const struct ng_acl_key *b)
{
	int d = compare(a->port_hi - a->port_lo, b->port_hi - b->port_lo);

	d = d ? d : compare(a->any_port, b->any_port);
	d = d ? d : compare(a->any_proto, b->any_proto);
	d = d ? d : compare(a->proto, b->proto);
	return d ? d : compare(a->port_lo, b->port_lo);
}

static int compare_key(const void *x, const void *y)
{
	const struct ng_acl_key *a = x, *b = y;
	int d = compare_place(&a->prefix, a->side, &b->prefix, b->side);

	return d ? d : compare_match(a, b);
}

/* With what is not looked at in one form, so that equal keys compare equal. */
static struct ng_acl_key normal(const struct ng_acl_key *key)
{
	struct ng_acl_key k = *key;

	if (k.any_proto)
		k.proto = 0;
	if (k.any_port) {
		k.port_lo = 0;
		k.port_hi = 0xffff;
	}
	return k;
}

static struct ng_acl_key clause_key(const struct ng_maps *m, __u32 clause)
{
	const struct ng_acl_clause *c = &m->acl_clause[clause];
	const struct ng_acl_class *row = &m->acl_class[c->class_row];

	return (struct ng_acl_key){
		.prefix = row_prefix(row),
		.side = row->side,
		.any_proto = c->any_proto,
		.any_port = c->any_port,
		.proto = c->proto,
		.port_lo = c->port_lo,
		.port_hi = c->port_hi,
	};
}

/* The tries */

static int trie_fd(const struct ng_maps *m, enum ng_family family, enum ng_side side)
{
	static const enum ng_map_id id[NG_FAMILY_MAX][NG_SIDE_MAX] = {
		[NG_IPV4] = { [NG_SRC] = NG_MAP_ACL4_SRC, [NG_DST] = NG_MAP_ACL4_DST },
		[NG_IPV6] = { [NG_SRC] = NG_MAP_ACL6_SRC, [NG_DST] = NG_MAP_ACL6_DST },
	};

	return m->fd[id[family][side]];
}

_Static_assert(offsetof(struct ng_lpm4_key, addr_be) == offsetof(struct ng_lpm6_key, addr_be),
	       "an IPv6 key with the address in the first word serves as an IPv4 key");

static struct ng_lpm6_key trie_key(const struct ng_prefix *p, __u8 len)
{
	struct ng_lpm6_key key = { .prefixlen = len };

	memcpy(key.addr_be, p->addr_be, sizeof(key.addr_be));
	return key;
}

/* The row of the longest prefix present that covers p and has at most len bits; 0: none. */
static int trie_lookup(const struct ng_maps *m, const struct ng_prefix *p, enum ng_side side,
		       __u8 len, __u32 *row)
{
	struct ng_lpm6_key key = trie_key(p, len);
	__u32 value = 0;
	int err = bpf_map_lookup_elem(trie_fd(m, p->family, side), &key, &value);

	if (err && err != -ENOENT)
		return err;
	if (value >= m->acl_entries)
		return -EUCLEAN;
	*row = value;
	return 0;
}

static int trie_set(const struct ng_maps *m, const struct ng_acl_class *c, __u32 row)
{
	struct ng_prefix p = row_prefix(c);
	struct ng_lpm6_key key = trie_key(&p, p.len);

	return bpf_map_update_elem(trie_fd(m, c->family, c->side), &key, &row, BPF_ANY);
}

static int trie_delete(const struct ng_maps *m, const struct ng_acl_class *c)
{
	struct ng_prefix p = row_prefix(c);
	struct ng_lpm6_key key = trie_key(&p, p.len);

	return bpf_map_delete_elem(trie_fd(m, c->family, c->side), &key);
}

/* Live rows in order */

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct ng_maps *m = arg;
	const struct ng_acl_class *a = &m->acl_class[*(const __u32 *)x];
	const struct ng_acl_class *b = &m->acl_class[*(const __u32 *)y];
	struct ng_prefix pa = row_prefix(a), pb = row_prefix(b);

	return compare_place(&pa, a->side, &pb, b->side);
}

static int live_rows(const struct ng_maps *m, __u32 **list, size_t *n)
{
	__u32 *row = malloc(m->acl_entries * sizeof(*row));
	size_t rows = 0;

	if (!row)
		return -ENOMEM;
	for (__u32 i = 1; i < m->acl_entries; i++)
		if (m->acl_class[i].state == NG_ROW_LIVE)
			row[rows++] = i;
	qsort_r(row, rows, sizeof(*row), compare_rows, (void *)m);
	*list = row;
	*n = rows;
	return 0;
}

/* The first place whose prefix is not before p. */
static size_t place_of(const struct edit *e, const struct ng_prefix *p, enum ng_side side)
{
	size_t lo = 0, hi = e->rows;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct ng_acl_class *c = &e->m->acl_class[e->row[mid]];
		struct ng_prefix q = row_prefix(c);

		if (compare_place(&q, c->side, p, side) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The row of exactly this prefix, 0 if it is not present. */
static __u32 row_at(const struct edit *e, size_t place, const struct ng_prefix *p,
		    enum ng_side side)
{
	const struct ng_acl_class *c;
	struct ng_prefix q;

	if (place == e->rows)
		return 0;
	c = &e->m->acl_class[e->row[place]];
	q = row_prefix(c);
	return compare_place(&q, c->side, p, side) ? 0 : e->row[place];
}

static void place_insert(struct edit *e, size_t place, __u32 row)
{
	memmove(&e->row[place + 1], &e->row[place], (e->rows - place) * sizeof(*e->row));
	e->row[place] = row;
	e->rows++;
}

static void place_remove(struct edit *e, size_t place)
{
	e->rows--;
	memmove(&e->row[place], &e->row[place + 1], (e->rows - place) * sizeof(*e->row));
}

/* Free, live, dead */

/*
 * Waits until no program runs that could have seen what is unpublished now. An update of a map of
 * maps returns only then (kernel/bpf/syscall.c: maybe_wait_bpf_programs()); unlike membarrier()
 * also with nohz_full CPUs.
 */
static int grace_period(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	__u32 zero = 0;
	int outer, err = 0;
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ng_grace", 4, 4, 1, NULL);

	if (inner < 0)
		return inner;
	opts.inner_map_fd = (__u32)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "ng_grace", 4, 4, 1, &opts);
	if (outer < 0)
		err = outer;
	else
		err = bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
	if (outer >= 0)
		close(outer);
	close(inner);
	return err;
}

static int reclaim(struct edit *e)
{
	struct ng_maps *m = e->m;
	int err = grace_period();

	if (err)
		return err;
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (m->acl_class[i].state == NG_ROW_DEAD)
			set_state(&m->acl_class[i].state, NG_ROW_FREE);
		if (m->acl_clause[i].state == NG_ROW_DEAD)
			set_state(&m->acl_clause[i].state, NG_ROW_FREE);
	}
	e->next_row = e->next_clause = 1;
	return 0;
}

static __u32 free_row(struct edit *e)
{
	for (; e->next_row < e->m->acl_entries; e->next_row++)
		if (e->m->acl_class[e->next_row].state == NG_ROW_FREE)
			return e->next_row;
	return 0;
}

static __u32 free_clause(struct edit *e)
{
	for (; e->next_clause < e->m->acl_entries; e->next_clause++)
		if (e->m->acl_clause[e->next_clause].state == NG_ROW_FREE)
			return e->next_clause;
	return 0;
}

static int find_free(struct edit *e, __u32 (*search)(struct edit *), __u32 *found)
{
	__u32 i = search(e);

	if (!i) {
		int err = reclaim(e);

		if (err)
			return err;
		i = search(e);
	}
	if (!i)
		return -ENOSPC;
	*found = i;
	return 0;
}

static int new_clause(struct edit *e, const struct ng_acl_key *key, __u8 verdict, __u32 *clause)
{
	struct ng_acl_clause *c;
	__u32 i;
	int err = find_free(e, free_clause, &i);

	if (!err)
		err = ng_counter_zero(e->m->fd[NG_MAP_ACL_HITS], i);
	if (err)
		return err;
	c = &e->m->acl_clause[i];
	*c = (struct ng_acl_clause){
		.state = NG_ROW_FREE,
		.verdict = verdict,
		.any_proto = key->any_proto,
		.proto = key->proto,
		.port_lo = key->port_lo,
		.port_hi = key->port_hi,
		.any_port = key->any_port,
	};
	set_state(&c->state, NG_ROW_LIVE);
	*clause = i;
	return 0;
}

/* Rows: drafts are on the stack, published ones never change */

static bool clause_matches(const struct ng_maps *m, __u32 clause, const struct ng_acl_key *key)
{
	struct ng_acl_key k = clause_key(m, clause);

	return !compare_match(&k, key);
}

/* The own clause of a row that has this key, 0 if none. */
static __u32 own_clause(const struct ng_maps *m, __u32 row, const struct ng_acl_key *key)
{
	const struct ng_acl_class *c = &m->acl_class[row];

	for (__u8 i = 0; i < c->own; i++)
		if (clause_matches(m, c->clause[i], key))
			return c->clause[i];
	return 0;
}

static struct ng_acl_class new_draft(const struct ng_acl_key *key)
{
	struct ng_acl_class draft = {
		.family = key->prefix.family,
		.side = key->side,
		.prefixlen = key->prefix.len,
	};

	memcpy(draft.addr_be, key->prefix.addr_be, sizeof(draft.addr_be));
	return draft;
}

static void draft_add(const struct ng_maps *m, struct ng_acl_class *draft,
		      const struct ng_acl_key *key, __u32 clause)
{
	__u8 at = draft->own;

	for (; at > 0; at--) {
		struct ng_acl_key before = clause_key(m, draft->clause[at - 1]);

		if (compare_match(&before, key) < 0)
			break;
		draft->clause[at] = draft->clause[at - 1];
	}
	draft->clause[at] = clause;
	draft->own++;
}

static void draft_remove(struct ng_acl_class *draft, __u32 clause)
{
	__u8 at = 0;

	while (draft->clause[at] != clause)
		at++;
	draft->own--;
	for (; at < draft->own; at++)
		draft->clause[at] = draft->clause[at + 1];
}

/* Lists behind the own clauses what the nearest covering prefix lists. */
static int draft_inherit(const struct ng_maps *m, struct ng_acl_class *draft)
{
	struct ng_prefix p = row_prefix(draft);
	__u32 up = 0;
	__u8 n = draft->own;

	if (p.len) {
		int err = trie_lookup(m, &p, draft->side, p.len - 1, &up);

		if (err)
			return err;
	}
	for (__u8 i = 0; up && i < m->acl_class[up].clauses && n < NG_ACL_CLAUSES_MAX; i++)
		draft->clause[n++] = m->acl_class[up].clause[i];
	draft->clauses = n;
	memset(&draft->clause[n], 0, (NG_ACL_CLAUSES_MAX - n) * sizeof(*draft->clause));
	return 0;
}

/* Gives the draft a row and lets the trie point at it instead of old (0: none). */
static int publish(struct edit *e, const struct ng_acl_class *draft, __u32 old, __u32 *row)
{
	struct ng_maps *m = e->m;
	__u32 i;
	int err = find_free(e, free_row, &i);

	if (err)
		return err;
	m->acl_class[i] = *draft;
	set_state(&m->acl_class[i].state, NG_ROW_LIVE);
	err = trie_set(m, draft, i);
	if (err)
		return err;
	for (__u8 k = 0; k < draft->own; k++)
		set_word(&m->acl_clause[draft->clause[k]].class_row, i);
	if (old)
		set_state(&m->acl_class[old].state, NG_ROW_DEAD);
	*row = i;
	return 0;
}

/* Rebuilds rows from this place on, as long as p covers them, where what they inherit has changed.
 */
static int refresh(struct edit *e, size_t place, const struct ng_prefix *p, enum ng_side side)
{
	for (; place < e->rows; place++) {
		const struct ng_acl_class *now = &e->m->acl_class[e->row[place]];
		struct ng_acl_class draft = *now;
		struct ng_prefix q = row_prefix(now);
		int err;

		if (now->side != side || !ng_prefix_covers(p, &q))
			break;
		err = draft_inherit(e->m, &draft);
		if (err)
			return err;
		if (!memcmp(&draft, now, sizeof(draft)))
			continue;
		draft.state = NG_ROW_FREE;
		err = publish(e, &draft, e->row[place], &e->row[place]);
		if (err)
			return err;
	}
	return 0;
}

/* Changes */

/* Takes stock of the live rows; nothing is changed yet. */
static int edit_begin(struct edit *e, struct ng_maps *m)
{
	*e = (struct edit){ .m = m, .next_row = 1, .next_clause = 1 };
	return live_rows(m, &e->row, &e->rows);
}

/* After a failure the tables stay marked, and the next writer recovers. */
static int edit_end(struct edit *e, int err)
{
	free(e->row);
	if (!err)
		set_word(&e->m->control->acl_dirty, CLEAN);
	return err;
}

size_t ng_acl_capacity(const struct ng_maps *m)
{
	__u32 unusable = SPARE_ROWS(m->acl_entries) + 1;

	return m->acl_entries > unusable ? m->acl_entries - unusable : 0;
}

static size_t clauses_left(const struct ng_maps *m)
{
	size_t n = 0;

	for (__u32 i = 1; i < m->acl_entries; i++)
		n += m->acl_clause[i].state != NG_ROW_LIVE;
	return n;
}

/* Whether all keys (sorted, no two equal) find room. */
static int check_room(const struct edit *e, const struct ng_acl_key *key, size_t n)
{
	size_t prefixes = 0, clauses = 0, own = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ng_prefix *p = &key[i].prefix;
		__u32 row = row_at(e, place_of(e, p, key[i].side), p, key[i].side);

		if (!i || compare_place(p, key[i].side, &key[i - 1].prefix, key[i - 1].side)) {
			own = row ? e->m->acl_class[row].own : 0;
			prefixes += !row;
		}
		if (row && own_clause(e->m, row, &key[i]))
			continue;
		clauses++;
		if (++own > NG_ACL_CLAUSES_MAX)
			return -E2BIG;
	}
	if (e->rows + prefixes > ng_acl_capacity(e->m) || clauses > clauses_left(e->m))
		return -ENOSPC;
	return 0;
}

static int add_clause(struct edit *e, const struct ng_acl_key *key, __u8 verdict, size_t place,
		      __u32 old)
{
	__u32 *live = &e->m->control->acl_live[key->prefix.family][key->side];
	struct ng_acl_class draft = old ? e->m->acl_class[old] : new_draft(key);
	__u32 clause, row;
	int err = new_clause(e, key, verdict, &clause);

	if (err)
		return err;
	draft.state = NG_ROW_FREE;
	draft_add(e->m, &draft, key, clause);
	err = draft_inherit(e->m, &draft);
	if (err)
		return err;
	if (!old)
		set_word(live, *live + 1);
	err = publish(e, &draft, old, &row);
	if (err)
		return err;
	if (old)
		e->row[place] = row;
	else
		place_insert(e, place, row);
	return refresh(e, place + 1, &key->prefix, key->side);
}

static int add_one(struct edit *e, const struct ng_acl_key *key, __u8 verdict,
		   struct ng_acl_change *change)
{
	size_t place = place_of(e, &key->prefix, key->side);
	__u32 row = row_at(e, place, &key->prefix, key->side);
	__u32 clause = row ? own_clause(e->m, row, key) : 0;

	if (!clause) {
		change->added++;
		return add_clause(e, key, verdict, place, row);
	}
	if (e->m->acl_clause[clause].verdict == verdict) {
		change->unchanged++;
		return 0;
	}
	change->changed++;
	__atomic_store_n(&e->m->acl_clause[clause].verdict, verdict, __ATOMIC_RELEASE);
	return 0;
}

/* Sorted, normal, each key once. Returns how many are left. */
static size_t prepare_keys(struct ng_acl_key *key, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		key[i] = normal(&key[i]);
	qsort(key, n, sizeof(*key), compare_key);
	for (size_t i = 0; i < n; i++)
		if (!kept || compare_key(&key[kept - 1], &key[i]))
			key[kept++] = key[i];
	return kept;
}

int ng_acl_add_all(struct ng_maps *m, const struct ng_acl_key *keys, size_t n, __u8 verdict,
		   struct ng_acl_change *change)
{
	struct ng_acl_change done = { 0 };
	struct ng_acl_key *key = malloc((n ? n : 1) * sizeof(*key));
	struct edit e = { 0 };
	int err = key ? 0 : -ENOMEM;

	if (!err)
		err = edit_begin(&e, m);
	if (err)
		goto out;
	memcpy(key, keys, n * sizeof(*key));
	n = prepare_keys(key, n);
	err = check_room(&e, key, n);
	if (err) {
		free(e.row);
		goto out;
	}
	set_word(&m->control->acl_dirty, CHANGING);
	for (size_t i = 0; i < n && !err; i++)
		err = add_one(&e, &key[i], verdict, &done);
	err = edit_end(&e, err);
	if (!err)
		*change = done;
out:
	free(key);
	return err;
}

int ng_acl_add(struct ng_maps *m, const struct ng_acl_key *key, __u8 verdict, bool *existed)
{
	struct ng_acl_change change;
	int err = ng_acl_add_all(m, key, 1, verdict, &change);

	if (!err)
		*existed = !change.added;
	return err;
}

static int remove_prefix(struct edit *e, size_t place)
{
	struct ng_acl_class *c = &e->m->acl_class[e->row[place]];
	__u32 *live = &e->m->control->acl_live[c->family][c->side];
	int err = trie_delete(e->m, c);

	if (err)
		return err;
	set_state(&c->state, NG_ROW_DEAD);
	set_word(live, *live - 1);
	place_remove(e, place);
	return 0;
}

static int remove_clause(struct edit *e, const struct ng_acl_key *key, size_t place, __u32 clause)
{
	struct ng_acl_class draft = e->m->acl_class[e->row[place]];
	int err;

	draft.state = NG_ROW_FREE;
	draft_remove(&draft, clause);
	if (draft.own) {
		err = draft_inherit(e->m, &draft);
		if (!err)
			err = publish(e, &draft, e->row[place], &e->row[place]);
	} else {
		err = remove_prefix(e, place);
	}
	if (!err)
		err = refresh(e, place, &key->prefix, key->side);
	if (!err)
		set_state(&e->m->acl_clause[clause].state, NG_ROW_DEAD);
	return err;
}

int ng_acl_del(struct ng_maps *m, const struct ng_acl_key *key)
{
	struct ng_acl_key k = normal(key);
	struct edit e;
	size_t place;
	__u32 row, clause;
	int err = edit_begin(&e, m);

	if (err)
		return err;
	place = place_of(&e, &k.prefix, k.side);
	row = row_at(&e, place, &k.prefix, k.side);
	clause = row ? own_clause(m, row, &k) : 0;
	if (!clause) {
		free(e.row);
		return -ENOENT;
	}
	set_word(&m->control->acl_dirty, CHANGING);
	return edit_end(&e, remove_clause(&e, &k, place, clause));
}

static void set_live(struct ng_maps *m, const __u32 live[NG_FAMILY_MAX][NG_SIDE_MAX])
{
	for (int f = 0; f < NG_FAMILY_MAX; f++)
		for (int s = 0; s < NG_SIDE_MAX; s++)
			set_word(&m->control->acl_live[f][s], live[f][s]);
}

int ng_acl_flush(struct ng_maps *m)
{
	static const __u32 none[NG_FAMILY_MAX][NG_SIDE_MAX];
	int err, clauses = 0;

	set_word(&m->control->acl_dirty, FLUSHING);
	set_live(m, none);
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (m->acl_class[i].state != NG_ROW_LIVE)
			continue;
		err = trie_delete(m, &m->acl_class[i]);
		if (err && err != -ENOENT)
			return err;
		set_state(&m->acl_class[i].state, NG_ROW_DEAD);
	}
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (m->acl_clause[i].state != NG_ROW_LIVE)
			continue;
		clauses++;
		set_state(&m->acl_clause[i].state, NG_ROW_DEAD);
	}
	set_word(&m->control->acl_dirty, CLEAN);
	return clauses;
}

/* Recovery */

/* Live is what a trie points at, everything else that is not free is dead. */
static int settle_rows(struct ng_maps *m)
{
	__u32 live[NG_FAMILY_MAX][NG_SIDE_MAX] = { 0 };

	for (__u32 i = 1; i < m->acl_entries; i++) {
		struct ng_acl_class *c = &m->acl_class[i];
		struct ng_prefix p = row_prefix(c);
		__u32 row = 0;
		int err;

		if (c->state != NG_ROW_LIVE)
			continue;
		err = trie_lookup(m, &p, c->side, p.len, &row);
		if (err)
			return err;
		if (row == i)
			live[c->family][c->side]++;
		else
			set_state(&c->state, NG_ROW_DEAD);
	}
	set_live(m, live);
	return 0;
}

static int refresh_all(struct edit *e)
{
	for (int f = 0; f < NG_FAMILY_MAX; f++) {
		struct ng_prefix all = { .family = f };

		for (int s = 0; s < NG_SIDE_MAX; s++) {
			int err = refresh(e, place_of(e, &all, s), &all, s);

			if (err)
				return err;
		}
	}
	return 0;
}

/* A live clause that no live row owns is dead; the others learn their owner again. */
static int settle_clauses(const struct edit *e)
{
	struct ng_maps *m = e->m;
	__u32 *owner = calloc(m->acl_entries, sizeof(*owner));

	if (!owner)
		return -ENOMEM;
	for (size_t i = 0; i < e->rows; i++) {
		const struct ng_acl_class *c = &m->acl_class[e->row[i]];

		for (__u8 k = 0; k < c->own; k++)
			owner[c->clause[k]] = e->row[i];
	}
	for (__u32 i = 1; i < m->acl_entries; i++) {
		if (owner[i])
			set_word(&m->acl_clause[i].class_row, owner[i]);
		else if (m->acl_clause[i].state == NG_ROW_LIVE)
			set_state(&m->acl_clause[i].state, NG_ROW_DEAD);
	}
	free(owner);
	return 0;
}

int ng_acl_recover(struct ng_maps *m)
{
	struct edit e;
	int err;

	if (m->control->acl_dirty == FLUSHING) {
		err = ng_acl_flush(m);
		return err < 0 ? err : 0;
	}
	set_word(&m->control->acl_dirty, CHANGING);
	err = settle_rows(m);
	if (!err)
		err = edit_begin(&e, m);
	if (err)
		return err;
	err = refresh_all(&e);
	if (!err)
		err = settle_clauses(&e);
	return edit_end(&e, err);
}

/* Questions */

int ng_acl_zero(const struct ng_maps *m)
{
	for (__u32 i = 1; i < m->acl_entries; i++) {
		int err;

		if (m->acl_clause[i].state != NG_ROW_LIVE)
			continue;
		err = ng_counter_zero(m->fd[NG_MAP_ACL_HITS], i);
		if (err)
			return err;
	}
	return 0;
}

int ng_acl_find(const struct ng_maps *m, const struct ng_acl_key *key, __u32 *clause)
{
	struct ng_acl_key k = normal(key);
	__u32 row = 0, found;
	int err = trie_lookup(m, &k.prefix, k.side, k.prefix.len, &row);

	if (err)
		return err;
	if (!row || m->acl_class[row].prefixlen != k.prefix.len)
		return -ENOENT;
	found = own_clause(m, row, &k);
	if (!found)
		return -ENOENT;
	*clause = found;
	return 0;
}

static bool decides(const struct ng_acl_clause *c, int proto, int port)
{
	if (c->verdict == NG_COUNT || (!c->any_proto && c->proto != proto))
		return false;
	return c->any_port || (port >= c->port_lo && port <= c->port_hi);
}

int ng_acl_test(const struct ng_maps *m, const struct ng_prefix *addr, enum ng_side side, int proto,
		int port, __u32 *clause)
{
	const struct ng_acl_class *row;
	__u32 i = 0;
	int err = trie_lookup(m, addr, side, addr->len, &i);

	if (err)
		return err;
	row = &m->acl_class[i];
	for (__u8 k = 0; i && k < row->clauses; k++) {
		if (!decides(&m->acl_clause[row->clause[k]], proto, port))
			continue;
		*clause = row->clause[k];
		return 0;
	}
	return -ENOENT;
}

int ng_acl_entry_get(const struct ng_maps *m, __u32 clause, struct ng_acl_entry *entry)
{
	struct ng_counter hits;
	int err;

	if (!clause || clause >= m->acl_entries || m->acl_clause[clause].state != NG_ROW_LIVE)
		return -ENOENT;
	err = ng_counter_sum(m->fd[NG_MAP_ACL_HITS], clause, &hits);
	if (err)
		return err;
	*entry = (struct ng_acl_entry){
		.key = clause_key(m, clause),
		.verdict = m->acl_clause[clause].verdict,
		.clause = clause,
		.packets = hits.packets,
		.bytes = hits.bytes,
	};
	return 0;
}

static int compare_entries(const void *x, const void *y)
{
	const struct ng_acl_key *a = &((const struct ng_acl_entry *)x)->key;
	const struct ng_acl_key *b = &((const struct ng_acl_entry *)y)->key;
	int d = compare_place(&a->prefix, a->side, &b->prefix, b->side);

	d = d ? d : compare(!a->any_proto, !b->any_proto);
	d = d ? d : compare(a->proto, b->proto);
	d = d ? d : compare(!a->any_port, !b->any_port);
	d = d ? d : compare(a->port_lo, b->port_lo);
	return d ? d : compare(a->port_hi, b->port_hi);
}

int ng_acl_list(const struct ng_maps *m, struct ng_acl_entry **list, size_t *n)
{
	struct ng_acl_entry *entry = malloc(m->acl_entries * sizeof(*entry));
	size_t got = 0;

	if (!entry)
		return -ENOMEM;
	for (__u32 i = 1; i < m->acl_entries; i++) {
		int err = ng_acl_entry_get(m, i, &entry[got]);

		if (!err)
			got++;
		else if (err != -ENOENT) {
			free(entry);
			return err;
		}
	}
	qsort(entry, got, sizeof(*entry), compare_entries);
	*list = entry;
	*n = got;
	return 0;
}
