#include "control/resolve.h"

#include "base/late.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/need.h"
#include "control/ares_loop.h"
#include "control/compose.h"
#include "control/control.h"
#include "control/publish.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TTL_MIN_S = 1,
    TTL_MAX_S = 300,
    HOSTS_FILE_S = 30,
    BACKOFF_MAX_S = 60,
    TRY_SHARE =
        4, /* of the timeout that a first try may take: with the second one 3/4 for one server */
    TRY_MIN_MS = 50
};

/* One question to c-ares. Outlives its name when that is dropped or the timeout passed. */
struct query {
    struct resolved *name; /* NULL: nobody wants the answer any more */
    bool asking;           /* still inside ares_loop_query */
};

struct resolved {
    struct control *control;
    char *host;
    unsigned refs;
    bool known; /* there was an answer, good or bad */
    const char *status;
    struct address *addresses;
    unsigned address_count;
    struct query *query; /* being asked, or NULL */
    unsigned failures;   /* in a row */
    ev_timer timer;      /* asking: gives up; else: asks again */
    struct list waits;   /* struct resolve_wait */
};

struct resolve_wait {
    struct list link;
    struct ev_loop *loop;
    void (*done)(void *arg);
    void *arg;
    ev_timer timer; /* resolve_timeout, or at once when woken */
};

struct resolver {
    struct ares_loop *ares;
    struct map *names; /* host to struct resolved */
    struct list woken; /* struct resolve_wait: called in the next loop turn */
};

static void ask(struct resolved *name);

static void set_timer(struct resolved *name, double seconds)
{
    ev_timer_stop(name->control->loop, &name->timer);
    ev_timer_set(&name->timer, seconds, 0);
    ev_timer_start(name->control->loop, &name->timer);
}

/* The loop calls done, so that whatever it does meets no half-changed state. */
static void wake_wait(struct control *c, struct resolve_wait *w)
{
    list_remove(&w->link);
    list_push_back(&c->resolver->woken, &w->link);
    ev_timer_stop(w->loop, &w->timer);
    ev_timer_set(&w->timer, 0, 0);
    ev_timer_start(w->loop, &w->timer);
}

static void wake_waits(struct resolved *name)
{
    struct list *at, *tmp;

    LIST_EACH (at, tmp, &name->waits)
        wake_wait(name->control, CONTAINER_OF(at, struct resolve_wait, link));
}

static bool same_addresses(const struct resolved *name, const struct address *to, unsigned count)
{
    if (name->address_count != count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!address_equal(&name->addresses[i], &to[i]))
            return false;
    }
    return true;
}

static void set_addresses(struct resolved *name, const struct address *to, unsigned count)
{
    if (same_addresses(name, to, count))
        return;
    free(name->addresses);
    name->addresses = need(count * sizeof(*to));
    memcpy(name->addresses, to, count * sizeof(*to));
    name->address_count = count;
    log_write(LOG_INFO, "backend name resolved", "name=%s addresses=%u", name->host, count);
    compose_touch_name(name->control, name);
    publish(name->control, NULL, NULL);
}

static void set_status(struct resolved *name, const char *status)
{
    if (name->status != status && strcmp(status, "ok") != 0)
        log_write(LOG_WARN, "backend name not resolved", "name=%s reason=\"%s\" kept=%u",
                  name->host, status, name->address_count);
    name->status = status;
    name->known = true;
}

static void succeed(struct resolved *name, const struct ares_addrinfo *answer, bool from_file)
{
    struct address addresses[ARES_LOOP_ADDRESSES];
    int ttl = TTL_MIN_S;
    unsigned count = ares_loop_addresses(answer, addresses, &ttl);

    name->failures = 0;
    set_status(name, "ok");
    set_addresses(name, addresses, count);
    ttl = ttl < TTL_MIN_S ? TTL_MIN_S : ttl > TTL_MAX_S ? TTL_MAX_S : ttl;
    set_timer(name, from_file ? HOSTS_FILE_S : ttl);
}

static void fail(struct resolved *name, const char *status)
{
    unsigned wait = name->failures < 6 ? 1u << name->failures : BACKOFF_MAX_S;

    name->failures++;
    set_status(name, status);
    set_timer(name, wait < BACKOFF_MAX_S ? wait : BACKOFF_MAX_S);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *answer)
{
    struct query *q = arg;
    struct resolved *name = q->name;

    (void)timeouts;
    if (name) {
        name->query = NULL;
        /* c-ares keeps no cache: what comes without waiting was read from a file. */
        if (status == ARES_SUCCESS && answer && answer->nodes)
            succeed(name, answer, q->asking);
        else
            fail(name, status == ARES_SUCCESS ? "name has no address" : ares_loop_status(status));
        wake_waits(name);
    }
    if (answer)
        ares_freeaddrinfo(answer);
    if (q->asking)
        q->asking = false; /* ask frees it */
    else
        free(q);
}

/* Nobody waits for the answer of the running query any more. */
static void forget_query(struct resolved *name)
{
    if (name->query)
        name->query->name = NULL;
    name->query = NULL;
}

static void ask(struct resolved *name)
{
    struct query *q = need_zeroed(1, sizeof(*q));

    CHECK(!name->query);
    *q = (struct query){name, true};
    name->query = q;
    set_timer(name, (double)name->control->settings->resolve_timeout_ms / 1e3);
    ares_loop_query(name->control->resolver->ares, name->host, on_answer, q);
    if (q->asking)
        q->asking = false;
    else
        free(q);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct resolved *name = w->data;

    (void)revents;
    if (!name->query) {
        ask(name);
        return;
    }
    if (late_put_off(loop, w))
        return;
    forget_query(name);
    fail(name, "timed out");
    wake_waits(name);
}

/* ---- names */

struct resolved *resolve_hold(struct control *c, struct slice host)
{
    struct resolved *name = map_get(c->resolver->names, host);

    ASSERT_CONTROL();
    if (name) {
        name->refs++;
        return name;
    }
    name = need_zeroed(1, sizeof(*name));
    name->control = c;
    name->host = need_copy(host);
    name->refs = 1;
    name->status = "not resolved yet";
    list_init(&name->waits);
    ev_init(&name->timer, on_timer);
    late_init(&name->timer);
    name->timer.data = name;
    (void)map_set(c->resolver->names, host, name);
    ask(name);
    return name;
}

static void name_free(struct resolved *name)
{
    forget_query(name);
    ev_timer_stop(name->control->loop, &name->timer);
    free(name->addresses);
    free(name->host);
    free(name);
}

void resolve_drop(struct control *c, struct resolved *name)
{
    ASSERT_CONTROL();
    CHECK(name->refs > 0);
    if (--name->refs > 0)
        return;
    wake_waits(name);
    CHECK(map_remove(c->resolver->names, slice_str(name->host)) == name);
    name_free(name);
}

bool resolve_known(const struct resolved *name)
{
    return name->known;
}

const struct address *resolve_addresses(const struct resolved *name, unsigned *count)
{
    *count = name->address_count;
    return name->addresses;
}

const char *resolve_status(const struct resolved *name)
{
    return name->status;
}

/* ---- waiting */

void resolve_cancel(struct resolve_wait *w)
{
    list_remove(&w->link);
    ev_timer_stop(w->loop, &w->timer);
    free(w);
}

static void on_wait_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct resolve_wait *w = timer->data;
    void (*done)(void *) = w->done;
    void *arg = w->arg;

    (void)revents;
    if (late_put_off(loop, timer))
        return;
    resolve_cancel(w);
    done(arg);
}

struct resolve_wait *resolve_wait(struct control *c, struct resolved *name, void (*done)(void *arg),
                                  void *arg)
{
    struct resolve_wait *w = need_zeroed(1, sizeof(*w));

    ASSERT_CONTROL();
    w->loop = c->loop;
    w->done = done;
    w->arg = arg;
    ev_timer_init(&w->timer, on_wait_timer, (double)c->settings->resolve_timeout_ms / 1e3, 0);
    late_init(&w->timer);
    w->timer.data = w;
    list_push_back(&name->waits, &w->link);
    if (name->known)
        wake_wait(c, w);
    else
        ev_timer_start(c->loop, &w->timer);
    return w;
}

/* ---- start and end */

static struct ares_loop *open_ares(struct control *c, int *status)
{
    uint64_t try_ms = c->settings->resolve_timeout_ms / TRY_SHARE;

    return ares_loop_new(c->loop, c->settings->resolver_servers,
                         try_ms < TRY_MIN_MS ? TRY_MIN_MS : try_ms, status);
}

int resolve_init(struct control *c)
{
    struct resolver *r = need_zeroed(1, sizeof(*r));
    int status;

    ASSERT_CONTROL();
    CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
    r->ares = open_ares(c, &status);
    if (!r->ares) {
        free(r);
        ares_library_cleanup();
        return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
    }
    r->names = map_new();
    list_init(&r->woken);
    c->resolver = r;
    return 0;
}

int resolve_reload(struct control *c)
{
    struct resolver *r = c->resolver;
    struct ares_loop *old = r->ares;
    struct resolved *name;
    size_t cursor = 0;
    int status;

    ASSERT_CONTROL();
    r->ares = open_ares(c, &status);
    if (!r->ares) {
        r->ares = old;
        return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
    }
    while (map_next(r->names, &cursor, NULL, (void **)&name)) {
        forget_query(name);
        name->failures = 0;
        set_timer(name, 0);
    }
    ares_loop_free(old);
    return 0;
}

static void cancel_waits(struct list *waits)
{
    struct list *at, *tmp;

    LIST_EACH (at, tmp, waits)
        resolve_cancel(CONTAINER_OF(at, struct resolve_wait, link));
}

void resolve_fini(struct control *c)
{
    struct resolver *r = c->resolver;
    struct resolved *name;
    size_t cursor = 0;

    ASSERT_CONTROL();
    if (!r)
        return;
    while (map_next(r->names, &cursor, NULL, (void **)&name)) {
        cancel_waits(&name->waits);
        name_free(name);
    }
    cancel_waits(&r->woken);
    map_free(r->names);
    ares_loop_free(r->ares);
    ares_library_cleanup();
    free(r);
    c->resolver = NULL;
}
