// SPDX-License-Identifier: GPL-2.0-only
/* Builds and loads a gate's program. */
#include "ctl/dataplane/load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/dataplane/insert.h"
#include "ctl/dataplane/libbpf_log.h"
#include "tc_gate.skel.h"
#include "xdp_gate.skel.h"

#define LOG_SIZE      (16u << 20) /* never grows on our buffer; pages are touched on use only */
#define LOG_LINES_MAX 4		  /* of the verifier's log shown in why */

static const enum ng_filter_ctx filter_ctx[] = {
	[NG_HOOK_XDP] = NG_CTX_XDP,
	[NG_HOOK_TC_IN] = NG_CTX_TC,
	[NG_HOOK_TC_OUT] = NG_CTX_TC_OUT,
};
_Static_assert(sizeof(filter_ctx) / sizeof(filter_ctx[0]) == NG_HOOK_MAX, "one for every hook");

enum ng_filter_ctx ng_filter_ctx_of(enum ng_hook hook)
{
	return filter_ctx[hook];
}

/* A template: what the generated skeletons have in common. */
struct template
{
	struct xdp_gate *xdp;
	struct tc_gate *tc;
	struct bpf_object *obj;
	struct bpf_program *prog;
};

/*
 * What the load callback works with; libbpf's cookie is fixed when the handler is registered, and
 * that can be done only once (1.1.2 frees the handler table twice otherwise).
 */
static _Thread_local struct ng_insert *current_insert;

static int prepare_load(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	(void)cookie;
	return current_insert ? ng_insert(current_insert, prog, opts) : 0;
}

static int register_handlers(void)
{
	static const struct {
		const char *section;
		enum bpf_prog_type type;
		enum bpf_attach_type attach;
	} handler[] = {
		{ "xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP },
		{ "xdp", BPF_PROG_TYPE_XDP, BPF_XDP },
		{ "tc", BPF_PROG_TYPE_SCHED_CLS, 0 },
	};
	static bool done;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare_load);

	if (done)
		return 0;
	for (size_t i = 0; i < sizeof(handler) / sizeof(handler[0]); i++) {
		int rc = libbpf_register_prog_handler(handler[i].section, handler[i].type,
						      handler[i].attach, &opts);

		if (rc < 0)
			return rc;
	}
	done = true;
	return 0;
}

/* What the program takes as constants; the members are called so in both skeletons. */
#define SET_CONSTANTS(rodata, spec, gen, size)                                                     \
	do {                                                                                       \
		(rodata)->ng_hook = (spec)->hook;                                                  \
		(rodata)->ng_taps = (spec)->taps;                                                  \
		(rodata)->ng_cpus = (__u32)libbpf_num_possible_cpus();                             \
		(rodata)->ng_tap_only = (spec)->tap_only;                                          \
		(rodata)->ng_acl_gen = (gen);                                                      \
		(rodata)->ng_acl_engine = (size)->engine;                                          \
		(rodata)->ng_acl_clauses = (size)->clauses;                                        \
		(rodata)->ng_acl_stripes = (size)->stripes;                                        \
		(rodata)->ng_root_bits[NG_SRC] = (size)->root_bits[NG_SRC];                        \
		(rodata)->ng_root_bits[NG_DST] = (size)->root_bits[NG_DST];                        \
		(rodata)->ng_node_count = (size)->nodes;                                           \
		(rodata)->ng_skip_count = (size)->skips;                                           \
	} while (0)

static int open_template(const struct ng_load *spec, const struct ng_maps *maps, struct template *t)
{
	struct ng_acl_size size = { 0 };
	struct bpf_program *other;

	if (maps->acl.head)
		ng_acl_tables_size(&maps->acl, &size);
	if (spec->hook == NG_HOOK_XDP) {
		t->xdp = xdp_gate__open();
		if (!t->xdp)
			return -errno;
		t->obj = t->xdp->obj;
		t->prog = spec->taps ? t->xdp->progs.ng_xdp_taps : t->xdp->progs.ng_xdp;
		other = spec->taps ? t->xdp->progs.ng_xdp : t->xdp->progs.ng_xdp_taps;
		SET_CONSTANTS(t->xdp->rodata, spec, maps->acl_gen, &size);
	} else {
		t->tc = tc_gate__open();
		if (!t->tc)
			return -errno;
		t->obj = t->tc->obj;
		t->prog = spec->taps ? t->tc->progs.ng_tc_taps : t->tc->progs.ng_tc;
		other = spec->taps ? t->tc->progs.ng_tc : t->tc->progs.ng_tc_taps;
		SET_CONSTANTS(t->tc->rodata, spec, maps->acl_gen, &size);
	}
	return bpf_program__set_autoload(other, false);
}

static void close_template(struct template *t)
{
	xdp_gate__destroy(t->xdp);
	tc_gate__destroy(t->tc);
}

static int size_rings(struct bpf_object *obj)
{
	struct bpf_map *rings = bpf_object__find_map_by_name(obj, ng_map_name[NG_MAP_TAP_RINGS]);

	return rings ? bpf_map__set_max_entries(rings,
						NG_TAPS_MAX * (__u32)libbpf_num_possible_cpus())
		     : -ENOENT;
}

static int reuse_maps(const struct ng_maps *maps, struct bpf_object *obj)
{
	for (int i = 0; i < NG_MAP_ID_MAX; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, ng_map_name[i]);
		int rc = map ? bpf_map__reuse_fd(map, maps->fd[i]) : -ENOENT;

		if (rc)
			return rc;
	}
	return 0;
}

/* Named only in code that constants make dead where a generation does not have them. */
static bool can_be_missing(enum ng_acl_map map)
{
	return (map >= NG_ACL_ROOT4_SRC && map <= NG_ACL_ROOT6) ||
	       (map >= NG_ACL_LPM4_SRC && map <= NG_ACL_LPM6_DST);
}

/*
 * Other maps are named in functions that kernels before 6.8 verify by themselves, called or not: a
 * program without them gets the tiny ones that the template declares.
 */
static int bind_acl(const struct ng_acl_tables *t, struct bpf_object *obj)
{
	for (int i = 0; i < NG_ACL_MAP_MAX; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, ng_acl_map_name[i]);
		int rc = 0;

		if (!map)
			continue; /* user space only */
		if (t->fd[i] >= 0)
			rc = bpf_map__reuse_fd(map, t->fd[i]);
		else if (can_be_missing(i))
			rc = bpf_map__set_autocreate(map, false);
		if (rc)
			return rc;
	}
	return 0;
}

static int take_maps(struct bpf_object *obj, struct ng_maps *maps)
{
	for (int i = 0; i < NG_MAP_ID_MAX; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, ng_map_name[i]);

		maps->fd[i] = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
		if (maps->fd[i] < 0)
			return -errno;
	}
	return 0;
}

/* The last lines of the verifier's log, its statistics left out. */
static void explain_refusal(struct ng_error *err, const char *log)
{
	const char *line[LOG_LINES_MAX];
	size_t n = 0, len = strlen(log);

	while (len && n < LOG_LINES_MAX) {
		const char *start;

		while (len && log[len - 1] == '\n')
			len--;
		start = len ? memrchr(log, '\n', len) : NULL;
		start = start ? start + 1 : log;
		if (len && strncmp(start, "processed ", 10))
			line[n++] = start;
		len = (size_t)(start - log);
	}
	while (n--)
		ng_err_why(err, "%.*s", (int)strcspn(line[n], "\n"), line[n]);
}

static int load_error(const struct ng_load *spec, int rc, const char *log, struct ng_error *err)
{
	if (!*log) {
		rc = ng_err(err, rc == -EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, -rc,
			    spec->object, "%s: loading the program failed",
			    ng_hook_name[spec->hook]);
		if (rc == -EPERM)
			ng_err_why(err, "this kernel lets nobody load it: see the kernel's log "
					"for \"lockdown\" and the limit of locked memory");
		return rc;
	}
	rc = ng_err(err, NG_EXIT_UNSUPPORTED, -rc, spec->object,
		    "%s: the kernel's verifier refused the program", ng_hook_name[spec->hook]);
	explain_refusal(err, log);
	ng_err_try(err, "nicgate -vv .. shows the verifier's whole log");
	return rc;
}

static void trace_log(const char *log)
{
	for (const char *p = log; *p;) {
		size_t n = strcspn(p, "\n");

		ng_trace("verifier: %.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

/* Has the kernel verify the opened template, with the filters in it. */
static int verify(const struct ng_load *spec, struct template *t, struct ng_insert *insert,
		  struct ng_error *err)
{
	char *log = malloc(LOG_SIZE);
	int rc;

	if (!log)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, spec->object, "verifier log");
	log[0] = '\0';
	bpf_program__set_log_buf(t->prog, log, LOG_SIZE);
	bpf_program__set_log_level(t->prog, ng_log_level >= 2 ? 1 : 0);
	bpf_program__set_flags(t->prog, spec->frags ? BPF_F_XDP_HAS_FRAGS : 0);
	current_insert = insert;
	rc = bpf_object__load(t->obj);
	current_insert = NULL;
	trace_log(log);
	if (rc)
		rc = load_error(spec, rc, log, err);
	free(log);
	return rc;
}

/* *in_place: how many filters stand in the place of their calls. */
static int verify_with_filters(const struct ng_load *spec, struct template *t,
			       unsigned int *in_place, struct ng_error *err)
{
	struct ng_ebpf body = { 0 };
	struct ng_tables tables;
	struct ng_insert insert = {
		.load = spec,
		.btf = bpf_object__btf(t->obj),
		.tables = &tables,
		.body = spec->taps ? &body : NULL,
	};
	int rc = ng_tables_bind(spec, &tables, err);

	if (rc)
		return rc;
	if (spec->taps)
		rc = ng_filter_combine(tables.filter, NG_TAPS_MAX, &body, err);
	if (!rc)
		rc = verify(spec, t, &insert, err);
	*in_place = insert.in_place;
	ng_insert_free(&insert);
	ng_ebpf_free(&body);
	ng_tables_free(&tables);
	return rc;
}

static int load_template(const struct ng_load *spec, struct template *t, struct ng_maps *maps,
			 unsigned int *in_place, struct ng_error *err)
{
	bool reuse = maps->fd[NG_MAP_CONTROL] >= 0;
	int rc = reuse ? reuse_maps(maps, t->obj) : size_rings(t->obj);

	if (!rc)
		rc = bind_acl(&maps->acl, t->obj);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, spec->object, "preparing the maps failed");
	rc = verify_with_filters(spec, t, in_place, err);
	if (rc || reuse)
		return rc;
	rc = take_maps(t->obj, maps);
	return rc ? ng_err(err, NG_EXIT_FAILED, -rc, spec->object, "keeping the maps failed") : 0;
}

static int load_once(const struct ng_load *spec, struct ng_maps *maps, int *prog_fd,
		     unsigned int *in_place, struct ng_error *err)
{
	struct template t = { 0 };
	int rc, fd;

	rc = open_template(spec, maps, &t);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, spec->object,
			      "%s: opening the program template failed", ng_hook_name[spec->hook]);
	rc = load_template(spec, &t, maps, in_place, err);
	if (!rc) {
		fd = fcntl(bpf_program__fd(t.prog), F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			rc = ng_err(err, NG_EXIT_FAILED, errno, spec->object,
				    "keeping the program failed");
		else
			*prog_fd = fd;
	}
	close_template(&t);
	return rc;
}

int ng_load_make_acl(const char *object, const struct ng_acl_size *size, struct ng_acl_tables *t,
		     struct ng_error *err)
{
	struct ng_acl_size standard;
	int rc;

	ng_acl_size_default(&standard);
	if (!size)
		size = &standard;
	rc = ng_acl_tables_create(size, t);
	if (!rc)
		return 0;
	ng_err(err, rc == -EPERM ? NG_EXIT_PRIVILEGE : NG_EXIT_FAILED, -rc, object,
	       "making the ACL's tables failed");
	ng_err_why(err, "they take %zu MiB of kernel memory", ng_acl_size_bytes(size) >> 20);
	return rc;
}

/* What one kernel's verifier makes of a filter in its place no other's tells: it is tried. */
static int load_on(const struct ng_load *spec, struct ng_maps *maps, int *prog_fd,
		   struct ng_error *err)
{
	struct ng_load calls = *spec;
	unsigned int in_place = 0;
	struct ng_error first;
	int rc = load_once(spec, maps, prog_fd, &in_place, &first);

	if (rc && in_place) {
		ng_debug("%s: %s: refused with filters in the place of calls, so they are called: "
			 "%s",
			 spec->object, ng_hook_name[spec->hook], first.why);
		calls.call_only = true;
		return load_once(&calls, maps, prog_fd, &in_place, err);
	}
	if (rc && err)
		*err = first;
	return rc;
}

int ng_load(const struct ng_load *spec, struct ng_maps *maps, int *prog_fd, struct ng_error *err)
{
	bool fresh = maps->fd[NG_MAP_CONTROL] < 0;
	int rc;

	ng_libbpf_log_init();
	rc = register_handlers();
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, spec->object, "libbpf takes no handlers");
	if (fresh && !spec->tap_only) {
		rc = ng_load_make_acl(spec->object, spec->acl, &maps->acl, err);
		if (rc)
			return rc;
		maps->acl_gen = 1;
	}
	rc = load_on(spec, maps, prog_fd, err);
	if (rc && fresh)
		ng_maps_close(maps);
	return rc;
}
