// SPDX-License-Identifier: GPL-2.0-only
/* Changes of a gate's ACL, in place or by a new generation. */
#include "ctl/dataplane/acl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "maps/jiffies.h"

static int too_many_on(const struct ng_gate *gate, const struct ng_prefix *p, struct ng_error *err)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(p->family == NG_IPV4 ? AF_INET : AF_INET6, p->addr_be, text, sizeof(text));
	ng_err(err, NG_EXIT_FAILED, 0, gate->link.name, "%s/%u: too many clauses", text, p->len);
	ng_err_why(err, "a prefix can have %d clauses; nothing was changed", NG_ACL_CLAUSES_MAX);
	return -E2BIG;
}

static int too_many(const struct ng_gate *gate, struct ng_error *err)
{
	ng_err(err, NG_EXIT_FAILED, 0, gate->link.name, "too many entries; nothing was changed");
	if (gate->maps.acl.head->engine == NG_ENGINE_TRIE) {
		ng_err_why(err, "a program reads %zu nodes of a trie at most",
			   (size_t)NG_ACL_NODES_MAX);
		ng_err_try(err, "nicgate attach %s --engine lpm    (slower)", gate->link.name);
	}
	return -EFBIG;
}

static int failed(const struct ng_gate *gate, int rc, struct ng_error *err)
{
	if (rc == -EFBIG)
		return too_many(gate, err);
	ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name, "changing the ACL failed");
	if (gate->maps.acl.head->dirty)
		ng_err_why(err, "the next nicgate acl command puts the tables in order");
	else
		ng_err_why(err, "nothing was changed");
	return rc;
}

/* The clauses of a gate, sorted. */
struct clauses {
	struct ng_acl_item *item;
	char *notes;
	size_t n;
};

static void clauses_free(struct clauses *c)
{
	free(c->item);
	free(c->notes);
}

/* Without those whose time is over. */
static int clauses_read(struct ng_gate *gate, struct clauses *c)
{
	size_t kept = 0;
	__u64 now = 0;
	int rc = ng_acl_items(&gate->maps.acl, &c->item, &c->n, &c->notes);

	if (!rc && gate->maps.acl.head->deadline)
		rc = ng_jiffies_once(&now);
	for (size_t i = 0; !rc && i < c->n; i++)
		if (!c->item[i].deadline || c->item[i].deadline > now)
			c->item[kept++] = c->item[i];
	if (!rc) {
		long sorted = ng_acl_items_sort(c->item, kept);

		rc = sorted < 0 ? (int)sorted : 0;
		c->n = (size_t)sorted;
	}
	return rc;
}

static int build(struct ng_gate *gate, const struct ng_acl_item *item, size_t n,
		 const struct ng_acl_size *like, struct ng_acl_tables *built, struct ng_error *err)
{
	size_t bad = 0;
	int rc = ng_acl_build(item, n, like, built, &bad);

	if (rc == -E2BIG)
		return too_many_on(gate, &item[bad].key.prefix, err);
	return rc ? failed(gate, rc, err) : 0;
}

/* New tables of what is there and item; keep: else of item alone. */
static int merge(struct ng_gate *gate, const struct ng_acl_item *item, size_t n, bool keep,
		 struct ng_acl_tables *built, struct ng_acl_change *change, struct ng_error *err)
{
	struct clauses old = { 0 };
	struct ng_acl_change done = { 0 };
	struct ng_acl_item *all = NULL;
	struct ng_acl_size like;
	int rc = clauses_read(gate, &old);

	ng_acl_tables_size(&gate->maps.acl, &like);
	if (!rc) {
		all = malloc((old.n + n + 1) * sizeof(*all));
		rc = all ? 0 : -ENOMEM;
	}
	if (rc)
		failed(gate, rc, err);
	else if (!old.n)
		rc = build(gate, item, done.added = n, &like, built, err);
	else
		rc = build(gate, all, ng_acl_merge(old.item, old.n, item, n, keep, all, &done),
			   &like, built, err);
	if (!rc)
		ng_acl_change_add(change, &done);
	clauses_free(&old);
	free(all);
	return rc;
}

static int merge_in(struct ng_gate *gate, const struct ng_acl_item *item, size_t n, bool keep,
		    struct ng_acl_change *change, struct ng_error *err)
{
	struct ng_acl_tables built;
	int rc = merge(gate, item, n, keep, &built, change, err);

	return rc ? rc : ng_gate_acl_swap(gate, &built, err);
}

/* A new generation of what is there, but for one clause (NULL: all). */
static int make_again(struct ng_gate *gate, const struct ng_acl_size *like,
		      const struct ng_acl_key *without, struct ng_error *err)
{
	struct ng_acl_tables built;
	struct clauses c = { 0 };
	int rc = clauses_read(gate, &c);

	if (!rc && without)
		c.n = ng_acl_items_without(c.item, c.n, without);
	rc = rc ? failed(gate, rc, err) : build(gate, c.item, c.n, like, &built, err);
	clauses_free(&c);
	return rc ? rc : ng_gate_acl_swap(gate, &built, err);
}

static int rebuild(struct ng_gate *gate, const struct ng_acl_key *without, struct ng_error *err)
{
	struct ng_acl_size like;

	ng_acl_tables_size(&gate->maps.acl, &like);
	return make_again(gate, &like, without, err);
}

int ng_gate_acl_remake(struct ng_gate *gate, enum ng_acl_engine engine, bool counted,
		       struct ng_error *err)
{
	struct ng_acl_size like;

	ng_acl_tables_size(&gate->maps.acl, &like);
	like.engine = engine;
	like.stripes = counted; /* how many follows from how many clauses there are */
	return make_again(gate, &like, NULL, err);
}

int ng_gate_acl_mend(struct ng_gate *gate, struct ng_error *err)
{
	struct ng_acl_tables *acl = &gate->maps.acl;
	__u64 now;
	long swept;
	int rc;

	if (acl->head->dirty) {
		ng_note("%s: finishing the change of a command that died", gate->link.name);
		return rebuild(gate, NULL, err);
	}
	if (!acl->head->deadline)
		return 0;
	rc = ng_jiffies_once(&now);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, gate->link.name,
			      "reading the kernel's clock failed");
	swept = ng_acl_sweep(acl, now);
	return swept < 0 ? rebuild(gate, NULL, err) : 0;
}

/* One is a store; several are seen by no packet one by one. */
int ng_gate_acl_add(struct ng_gate *gate, struct ng_acl_item *item, size_t n,
		    struct ng_acl_change *change, struct ng_error *err)
{
	long sorted = ng_acl_items_sort(item, n);
	int rc;

	if (sorted <= 0)
		return sorted ? failed(gate, (int)sorted, err) : 0;
	n = (size_t)sorted;
	if (n != 1)
		return merge_in(gate, item, n, true, change, err);
	rc = ng_acl_put(&gate->maps.acl, item, change);
	if (rc == -ENOSPC)
		return merge_in(gate, item, n, true, change, err);
	if (rc == -E2BIG)
		return too_many_on(gate, &item->key.prefix, err);
	return rc ? failed(gate, rc, err) : 0;
}

int ng_gate_acl_make(struct ng_gate *gate, struct ng_acl_item *item, size_t n, bool keep,
		     struct ng_acl_tables *built, struct ng_acl_change *change,
		     struct ng_error *err)
{
	long sorted = ng_acl_items_sort(item, n);

	if (sorted < 0)
		return failed(gate, (int)sorted, err);
	return merge(gate, item, (size_t)sorted, keep, built, change, err);
}

int ng_gate_acl_del(struct ng_gate *gate, const struct ng_acl_key *key, struct ng_error *err)
{
	int rc = ng_acl_del(&gate->maps.acl, key);

	if (rc == -ENOSPC)
		return rebuild(gate, key, err);
	return rc && rc != -ENOENT ? failed(gate, rc, err) : rc;
}
