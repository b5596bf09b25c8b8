// SPDX-License-Identifier: GPL-2.0-only
/* Tap points of a capture: choosing, claiming, keeping alive, giving back. */
#include "ctl/capture/taps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ctl/filter/pack.h"

#define LEASE_RENEW_MS 500

struct ng_taps {
	char *bpffs;
	struct ng_pins pins;
	struct ng_tap_point point[NG_DIR_MAX];
	size_t n;
	int jiffies_fd;
	pthread_t keeper;
	bool keeping;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stop; /* under mutex */
};

/* Where to look for an attached gate, in this order, and what to make when there is none. */
static const struct {
	enum ng_hook attached[2];
	size_t n;
	enum ng_hook temporary;
} choice[NG_DIR_MAX][NG_HOOK_WISH_TC + 1] = {
	[NG_IN] = {
		[NG_HOOK_WISH_AUTO] = { { NG_HOOK_XDP, NG_HOOK_TC_IN }, 2, NG_HOOK_TC_IN },
		[NG_HOOK_WISH_XDP] = { { NG_HOOK_XDP }, 1, NG_HOOK_XDP },
		[NG_HOOK_WISH_TC] = { { NG_HOOK_TC_IN }, 1, NG_HOOK_TC_IN },
	},
	[NG_OUT] = {
		[NG_HOOK_WISH_AUTO] = { { NG_HOOK_TC_OUT }, 1, NG_HOOK_TC_OUT },
		[NG_HOOK_WISH_XDP] = { { NG_HOOK_TC_OUT }, 1, NG_HOOK_TC_OUT },
		[NG_HOOK_WISH_TC] = { { NG_HOOK_TC_OUT }, 1, NG_HOOK_TC_OUT },
	},
};

static int open_gate(const struct ng_taps *t, const struct ng_link *link, enum ng_hook_wish wish,
		     struct ng_tap_point *p, struct ng_error *err)
{
	struct ng_gate_spec spec = {
		.hook = choice[p->dir][wish].temporary,
		.tap_only = true,
	};
	struct ng_error miss;
	int rc;

	for (size_t i = 0; i < choice[p->dir][wish].n; i++) {
		rc = ng_gate_open(&t->pins, link, choice[p->dir][wish].attached[i], &p->gate,
				  &miss);
		if (!rc) {
			p->temporary = p->gate->maps.control->temporary;
			return 0;
		}
		if (rc != -ENOENT) {
			*err = miss;
			return rc;
		}
	}
	p->temporary = true;
	return ng_gate_attach(&t->pins, link, &spec, &p->gate, err);
}

/* A lease that ended while it was ours to renew: we were stopped, or starved. */
static int renew_leases(struct ng_taps *t)
{
	bool ended = false;
	__u64 now;
	int rc = ng_jiffies(&t->jiffies_fd, &now);

	if (rc)
		return rc;
	for (size_t i = 0; i < t->n; i++) {
		const struct ng_tap_point *p = &t->point[i];
		__u32 *lease = &p->gate->maps.control->tap[p->slot].lease_jiffies;

		if (!p->claimed)
			continue;
		ended |= *lease && ng_lease_ended(*lease, now);
		*lease = (now + NG_TAP_LEASE_TICKS) | 1; /* 0 would mean: no lease */
	}
	if (ended)
		ng_warn("the capture was stopped for longer than its lease: packets in between "
			"were not seen");
	return 0;
}

/* What a tap is claimed with, the same for all of a capture's. */
struct claim {
	struct ng_tap_conf conf;
	void *code;
	size_t size;
};

static int make_claim(const struct ng_capture_spec *spec, const char *dev, struct claim *c,
		      struct ng_error *err)
{
	int rc = ng_filter_pack(spec->filter, &c->code, &c->size);

	if (rc == -E2BIG) {
		ng_err(err, NG_EXIT_USAGE, 0, "filter",
		       "too large: a tap holds %d instructions and %u MiB of them and their sets",
		       NG_TAP_INSNS_MAX, NG_TAP_CODE_MAX >> 20);
		ng_err_why(err, "this one has %zu instructions and %zu sets", spec->filter->n,
			   spec->filter->n_sets);
		return rc;
	}
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, dev, "cannot set up a tap");
	c->conf = (struct ng_tap_conf){
		.linktype = 1, /* DLT_EN10MB */
		.flags = spec->filter_flags,
	};
	snprintf(c->conf.expression, sizeof(c->conf.expression), "%s",
		 spec->expression ? spec->expression : "");
	return 0;
}

static int claim_slot(struct ng_tap_point *p, const struct claim *c, struct ng_error *err)
{
	const char *dev = p->gate->link.name;
	int slot = ng_tap_claim(&p->gate->maps, &c->conf, c->code, c->size);

	if (slot == -ENOSPC) {
		ng_err(err, NG_EXIT_FAILED, 0, dev, "%d captures are running there already",
		       NG_TAPS_MAX);
		ng_err_try(err, "end one of them first");
		return slot;
	}
	if (slot < 0)
		return ng_err(err, NG_EXIT_FAILED, -slot, dev, "cannot claim a tap");
	p->slot = (__u32)slot;
	p->claimed = true;
	return 0;
}

/* Sets one claimed slot to work; the lease comes before the program that looks at it. */
static int start_slot(struct ng_taps *t, struct ng_tap_point *p, const struct ng_capture_spec *spec,
		      const struct ng_rings *rings, struct ng_error *err)
{
	struct ng_tap_control *control = &p->gate->maps.control->tap[p->slot];
	int cpus, rc;
	const int *ring_fd = ng_rings_fds(rings, &cpus);

	rc = ng_tap_stats_zero(&p->gate->maps, p->slot);
	if (!rc)
		rc = ng_tap_set_rings(&p->gate->maps, p->slot, ring_fd, cpus);
	control->sample_every = spec->sample_every;
	control->snaplen = spec->output.snaplen;
	control->wakeup_bytes = ng_rings_wakeup(rings);
	if (!rc)
		rc = renew_leases(t);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, -rc, p->gate->link.name, "cannot set up a tap");
	return ng_gate_reload(p->gate, err);
}

static int start_points(struct ng_taps *t, const struct ng_link *link,
			const struct ng_capture_spec *spec, const struct ng_rings *rings,
			struct ng_error *err)
{
	struct claim c = { 0 };
	int rc = make_claim(spec, link->name, &c, err);

	for (enum ng_dir dir = 0; dir < NG_DIR_MAX && !rc; dir++) {
		struct ng_tap_point *p = &t->point[t->n];

		if (!spec->dir[dir])
			continue;
		p->dir = dir;
		rc = open_gate(t, link, spec->hook, p, err);
		if (rc)
			break;
		t->n++;
		rc = claim_slot(p, &c, err);
		if (!rc)
			rc = start_slot(t, p, spec, rings, err);
	}
	free(c.code);
	return rc;
}

static void *keep_leases(void *arg)
{
	struct ng_taps *t = arg;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&t->mutex);
	while (!t->stop) {
		renew_leases(t);
		next.tv_nsec += LEASE_RENEW_MS * 1000000L;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&t->wake, &t->mutex, &next);
	}
	pthread_mutex_unlock(&t->mutex);
	return NULL;
}

/* A thread, because a reader of our output that stalls must not let the leases end.
 * It takes no signals. */
static int start_keeper(struct ng_taps *t, struct ng_error *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&t->keeper, NULL, keep_leases, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return ng_err(err, NG_EXIT_FAILED, rc, "capture", "cannot start a thread");
	t->keeping = true;
	return 0;
}

static void stop_keeper(struct ng_taps *t)
{
	if (!t->keeping)
		return;
	pthread_mutex_lock(&t->mutex);
	t->stop = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->mutex);
	pthread_join(t->keeper, NULL);
	t->keeping = false;
}

static bool is_ours(const struct ng_tap_point *p)
{
	struct ng_tap_conf conf;

	return !ng_tap_read(&p->gate->maps, p->slot, &conf) && ng_tap_is_ours(&conf);
}

static bool any_slot_used(const struct ng_gate *gate)
{
	struct ng_tap_conf conf;
	bool used = false;

	for (__u32 slot = 0; slot < NG_TAPS_MAX && !used; slot++)
		used = ng_tap_read(&gate->maps, slot, &conf) != -ENOENT;
	return used;
}

static __u32 map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* Is what is pinned for this gate still what we have open? */
static bool still_pinned(const struct ng_taps *t, const struct ng_gate *gate)
{
	char path[512];
	__u32 id;
	int fd;

	if (ng_pins_path(&t->pins, gate->link.ifindex, gate->hook, ng_map_name[NG_MAP_TAP_CONF],
			 path, sizeof(path)))
		return true;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno != ENOENT;
	id = map_id(fd);
	close(fd);
	return id == map_id(gate->maps.fd[NG_MAP_TAP_CONF]);
}

/*
 * Under the lock. A gate without a pin goes when it is closed; one that is not pinned any more is gone,
 * and what is on its hook now is another's. `attach` may have made a temporary gate a whole one.
 */
static void give_back(struct ng_taps *t, struct ng_tap_point *p)
{
	const char *dev = p->gate->link.name;
	struct ng_error err;
	int rc = 0;

	if (!p->gate->pinned || !still_pinned(t, p->gate)) {
		ng_gate_close(p->gate);
		return;
	}
	if (p->claimed && is_ours(p))
		ng_tap_release(&p->gate->maps, p->slot);
	if (p->gate->maps.control->temporary && !any_slot_used(p->gate)) {
		rc = ng_gate_detach(&t->pins, p->gate, &err);
		if (rc)
			ng_warn("%s: cannot remove a temporary tap: %s", dev, err.what);
		return;
	}
	if (p->claimed && ng_gate_is_in_force(p->gate))
		rc = ng_gate_reload(p->gate, &err);
	if (rc)
		ng_warn("%s: cannot take a tap out of the program: %s", dev, err.what);
	ng_gate_close(p->gate);
}

static void give_all_back(struct ng_taps *t)
{
	while (t->n) {
		give_back(t, &t->point[t->n - 1]);
		t->n--;
	}
}

static void free_taps(struct ng_taps *t)
{
	if (t->jiffies_fd >= 0)
		close(t->jiffies_fd);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->mutex);
	free(t->bpffs);
	free(t);
}

static struct ng_taps *new_taps(const char *bpffs)
{
	struct ng_taps *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	t->jiffies_fd = -1;
	t->bpffs = bpffs ? strdup(bpffs) : NULL;
	pthread_mutex_init(&t->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	return t;
}

int ng_taps_open(const struct ng_capture_spec *spec, const struct ng_link *link,
		 const struct ng_rings *rings, struct ng_taps **out, struct ng_error *err)
{
	struct ng_taps *t = new_taps(spec->bpffs);
	int rc;

	if (!t)
		return ng_err(err, NG_EXIT_FAILED, ENOMEM, link->name, "cannot set up a tap");
	rc = ng_gate_begin(&t->pins, t->bpffs, true, err);
	if (rc) {
		free_taps(t);
		return rc;
	}
	rc = start_points(t, link, spec, rings, err);
	if (!rc)
		rc = start_keeper(t, err);
	if (rc)
		give_all_back(t);
	ng_pins_unlock(&t->pins);
	if (rc) {
		ng_pins_close(&t->pins);
		free_taps(t);
		return rc;
	}
	*out = t;
	return 0;
}

struct ng_tap_point *ng_taps_points(struct ng_taps *t, size_t *n)
{
	*n = t->n;
	return t->point;
}

int ng_taps_read_stats(struct ng_taps *t)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++)
		rc = ng_tap_stats_read(&t->point[i].gate->maps, t->point[i].slot,
				       &t->point[i].stats);
	return rc;
}

bool ng_taps_detached(const struct ng_taps *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct ng_gate *gate = t->point[i].gate;

		if ((gate->pinned && !still_pinned(t, gate)) || !ng_gate_is_in_force(gate))
			return true;
	}
	return false;
}

void ng_taps_stop(struct ng_taps *t)
{
	stop_keeper(t);
	for (size_t i = 0; i < t->n; i++)
		t->point[i].gate->maps.control->tap[t->point[i].slot].lease_jiffies = 0;
	/* waits for an RCU grace period: programs that still saw the lease have ended */
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(10000);
}

/* Nothing can be given back without the lock; what is pinned stays behind, stopped. */
static void abandon(struct ng_taps *t, const struct ng_error *why)
{
	ng_warn("the next nicgate command will remove the tap: %s", why->what);
	for (size_t i = 0; i < t->n; i++)
		ng_gate_close(t->point[i].gate);
	t->n = 0;
}

void ng_taps_close(struct ng_taps *t)
{
	struct ng_error err;
	bool pinned = false;

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		pinned |= t->point[i].gate->pinned;
	stop_keeper(t);
	if (pinned) {
		ng_pins_close(&t->pins);
		if (ng_gate_begin(&t->pins, t->bpffs, true, &err)) {
			abandon(t, &err);
			free_taps(t);
			return;
		}
	}
	give_all_back(t);
	ng_pins_close(&t->pins);
	free_taps(t);
}
