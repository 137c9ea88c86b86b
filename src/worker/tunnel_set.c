#include "worker/tunnel_set.h"

#include "worker/client.h"
#include "worker/tunnel.h"

#include <stdlib.h>

#define LOOK_S .1 /* between two looks at what the members are at */

enum { HANDSHAKES_MS = 3000 }; /* of a stopping proxy's time, at most, for the last close handshakes; else a quarter */

/* Why and until when the tunnels of a set close. */
struct closing {
    enum tunnel_end why; /* NONE: they do not */
    uint64_t end_ms;
};

struct tunnel_set {
    struct list link; /* in worker.tunnels.all */
    struct worker *worker;
    struct list tunnels; /* oldest first */
    struct route_local *local;
    const struct member *member; /* as the tunnels' lease has it */
    uint64_t gone_ms;            /* member is in no newer snapshot, or somewhere else; 0: it is */
    uint64_t maintenance_ms;     /* since when it is in maintenance; 0: it is not */
    struct closing closing;      /* in force: places were given */
    uint32_t draws;              /* of those that came later */
};

/* ---- places */

static void consider(struct closing *best, enum tunnel_end why, uint64_t end_ms)
{
    if (best->why && best->end_ms <= end_ms)
        return;
    best->why = why;
    best->end_ms = end_ms;
}

static struct closing closing_of(const struct tunnel_set *s)
{
    const struct worker *w = s->worker;
    struct route_drain drain = route_state_drain(s->member->state);
    uint64_t limit_ms = worker_settings(w)->tunnel_close_ms;
    struct closing best = {TUNNEL_END_NONE, 0};

    if (drain.start_ms)
        consider(&best, TUNNEL_END_DRAIN, drain.start_ms + drain.length_ms);
    if (s->gone_ms)
        consider(&best, TUNNEL_END_REMOVED, s->gone_ms + limit_ms);
    if (s->maintenance_ms)
        consider(&best, TUNNEL_END_MAINTENANCE, s->maintenance_ms + limit_ms);
    if (w->tunnels.stop_ms)
        consider(&best, TUNNEL_END_SHUTDOWN, w->tunnels.stop_ms);
    return best;
}

/* Not one that closes already, nor an operator's for maintenance. */
static bool takes_place(const struct tunnel *t, enum tunnel_end why)
{
    return t->phase == TUNNEL_OPEN && !(t->bypass && why == TUNNEL_END_MAINTENANCE);
}

static void place(struct tunnel *t, const struct closing *closing, double part)
{
    uint64_t now_ms = t->request->worker->now_ms;
    uint64_t left_ms = closing->end_ms > now_ms ? closing->end_ms - now_ms : 0;

    t->place_end = closing->why;
    t->place_ms = now_ms + (uint64_t)((double)left_ms * part);
    if (t->request->tunnel)
        tunnel_set_deadline(t->request);
}

static void unplace(struct tunnel *t)
{
    t->place_ms = UINT64_MAX;
    if (t->request->tunnel)
        tunnel_set_deadline(t->request);
}

static unsigned count_places(const struct tunnel_set *s, enum tunnel_end why)
{
    struct list *node, *tmp;
    unsigned n = 0;

    LIST_EACH (node, tmp, &s->tunnels)
        n += takes_place(CONTAINER_OF(node, struct tunnel, link), why);
    return n;
}

/* By rank. Workers are out of step by the golden ratio, so that a few tunnels on each do not close together. */
static void give_places(struct tunnel_set *s)
{
    double ahead = (double)(s->worker->id * 0x9E3779B9u + 0x80000000u) / 4294967296.;
    unsigned n = count_places(s, s->closing.why), rank = 0;
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &s->tunnels) {
        struct tunnel *t = CONTAINER_OF(node, struct tunnel, link);

        if (s->closing.why && takes_place(t, s->closing.why))
            place(t, &s->closing, (rank++ + ahead) / n);
        else
            unplace(t);
    }
}

static void look(struct tunnel_set *s)
{
    struct closing closing = closing_of(s);

    if (closing.why == s->closing.why && closing.end_ms == s->closing.end_ms)
        return;
    s->closing = closing;
    give_places(s);
}

static void look_at_all(struct worker *w)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &w->tunnels.all)
        look(CONTAINER_OF(node, struct tunnel_set, link));
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    look_at_all(CONTAINER_OF(timer, struct worker, tunnels.timer));
}

void tunnel_sets_init(struct worker *w)
{
    list_init(&w->tunnels.all);
    ev_timer_init(&w->tunnels.timer, on_timer, LOOK_S, LOOK_S);
    ev_set_priority(&w->tunnels.timer, EV_MINPRI); /* after what has come */
}

/* A second order to stop brings the deadline forward. */
void tunnel_sets_stop(struct worker *w, uint64_t deadline_ms)
{
    uint64_t left_ms = deadline_ms > w->now_ms ? deadline_ms - w->now_ms : 0;
    uint64_t part_ms = left_ms / 4 < HANDSHAKES_MS ? left_ms / 4 : HANDSHAKES_MS;

    w->tunnels.stop_ms = w->now_ms + left_ms - part_ms;
    look_at_all(w);
}

/* ---- snapshots */

static void note_maintenance(struct tunnel_set *s)
{
    if (!s->member->maintenance)
        s->maintenance_ms = 0;
    else if (!s->maintenance_ms)
        s->maintenance_ms = s->worker->now_ms;
}

/* Its tunnels keep their lease; new ones make a set of their own. */
static void detach(struct tunnel_set *s)
{
    s->gone_ms = s->worker->now_ms;
    if (s->local->rest->tunnel_set == s)
        s->local->rest->tunnel_set = NULL;
}

static void move_to(struct tunnel *t, struct lease *lease, const struct member *m)
{
    struct request *rq = t->request;
    struct lease *before = rq->lease;

    if (before == lease)
        return;
    lease->users++;
    rq->lease = lease;
    rq->member = m;
    worker_lease_release(rq->worker, before);
}

/* The member as it is now; NULL: gone from where it was. */
static void renew(struct tunnel_set *s, const struct member *m)
{
    struct list *node, *tmp;

    if (!m || !slice_eq(m->host, s->member->host)) {
        detach(s);
        return;
    }
    s->member = m;
    note_maintenance(s);
    LIST_EACH (node, tmp, &s->tunnels) {
        struct tunnel *t = CONTAINER_OF(node, struct tunnel, link);

        move_to(t, s->worker->lease, m);
        tunnel_set_deadline(t->request); /* its options may be others */
    }
}

void tunnel_sets_adopt(struct worker *w)
{
    struct list *node, *tmp;

    if (list_empty(&w->tunnels.all))
        return;
    LIST_EACH (node, tmp, &w->tunnels.all) {
        struct tunnel_set *s = CONTAINER_OF(node, struct tunnel_set, link);

        if (!s->gone_ms)
            renew(s, snapshot_member(w->lease->snapshot, s->member->state));
    }
    look_at_all(w);
}

/* ---- tunnels */

static struct tunnel_set *set_new(struct worker *w, struct request *rq)
{
    struct tunnel_set *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->worker = w;
    s->local = rq->local;
    s->member = rq->member;
    list_init(&s->tunnels);
    if (list_empty(&w->tunnels.all))
        ev_timer_again(w->loop, &w->tunnels.timer);
    list_push_back(&w->tunnels.all, &s->link);
    return s;
}

static void set_delete(struct tunnel_set *s)
{
    struct worker *w = s->worker;

    if (s->local->rest->tunnel_set == s)
        s->local->rest->tunnel_set = NULL;
    list_remove(&s->link);
    free(s);
    if (list_empty(&w->tunnels.all))
        ev_timer_stop(w->loop, &w->tunnels.timer);
}

/* The request may have begun before the newest snapshot, and its member be another or gone meanwhile. */
static struct tunnel_set *set_for(struct tunnel *t)
{
    struct request *rq = t->request;
    struct worker *w = rq->worker;
    const struct member *m = rq->member;
    struct tunnel_set *s = rq->local->rest->tunnel_set;

    if (rq->lease->retired)
        m = snapshot_member(w->lease->snapshot, rq->member->state);
    if (!m || !slice_eq(m->host, rq->member->host)) {
        s = set_new(w, rq);
        if (s)
            detach(s);
        return s;
    }
    move_to(t, w->lease, m);
    if (s)
        return s;
    s = set_new(w, rq);
    if (s) {
        rq->local->rest->tunnel_set = s;
        note_maintenance(s);
    }
    return s;
}

bool tunnel_set_join(struct tunnel *t)
{
    struct tunnel_set *s = set_for(t);

    if (!s)
        return false;
    t->set = s;
    if (list_empty(&s->tunnels))
        s->closing = closing_of(s);
    list_push_back(&s->tunnels, &t->link);
    if (s->closing.why && takes_place(t, s->closing.why)) {
        s->draws += 0x9E3779B9u;
        place(t, &s->closing, s->draws / 4294967296.);
    }
    return true;
}

void tunnel_set_leave(struct tunnel *t)
{
    struct tunnel_set *s = t->set;

    list_remove(&t->link);
    if (list_empty(&s->tunnels))
        set_delete(s);
}
