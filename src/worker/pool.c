#include "worker/pool.h"

#include "base/map.h"
#include "config/snapshot.h"
#include "tls/client_context.h"
#include "worker/carrier.h"
#include "worker/h2_origin.h"
#include "worker/origin.h"
#include "worker/request.h"

#include <stdlib.h>

enum {
    ADDRESS_KEY_MAX = offsetof(struct sockaddr_in6, sin6_scope_id) - offsetof(struct sockaddr_in6, sin6_port),
    KEY_MAX = 512,
    SESSIONS_KEPT_S = 10 * 60
};

/* The bytes that identify an address: port and host, which are neighbours in both kinds. */
static struct slice address_key(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return slice_of((const char *)&a->v4.sin_port, sizeof(in_port_t) + sizeof(struct in_addr));
    return slice_of((const char *)&a->v6.sin6_port,
                    offsetof(struct sockaddr_in6, sin6_scope_id) -
                        offsetof(struct sockaddr_in6, sin6_port));
}

/* For HTTP/2 one byte more, which no address of the other kind has either. */
static struct slice http2_key(struct slice address, char text[KEY_MAX])
{
    memcpy(text, address.data, address.len);
    text[address.len] = '2';
    return slice_of(text, address.len + 1);
}

/* With TLS: the address, in as many bytes as the longest has, the context's number, the name (at most 253 bytes). So it is
 * longer than any plain one. A context is for one version of HTTP. */
static struct slice tls_key(struct slice address, const struct member_tls *tls, char text[KEY_MAX])
{
    uint64_t serial;
    size_t name_len;

    serial = tls_client_serial(tls->client);
    name_len = strlen(tls->name);
    CHECK(ADDRESS_KEY_MAX + sizeof(serial) + name_len <= KEY_MAX);
    memset(text, 0, ADDRESS_KEY_MAX);
    memcpy(text, address.data, address.len);
    memcpy(text + ADDRESS_KEY_MAX, &serial, sizeof(serial));
    memcpy(text + ADDRESS_KEY_MAX + sizeof(serial), tls->name, name_len);
    return slice_of(text, ADDRESS_KEY_MAX + sizeof(serial) + name_len);
}

static void pool_free(struct pool *pool)
{
    ev_timer_stop(pool->worker->loop, &pool->forget);
    (void)map_remove(pool->worker->pools, slice_of(pool->key, pool->key_len));
    tls_sessions_clear(&pool->sessions);
    free(pool);
}

static void on_forget(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct pool *pool = CONTAINER_OF(timer, struct pool, forget);

    (void)loop;
    (void)events;
    if (!pool->idle_count && !pool->busy_count && !pool->carrier_count)
        pool_free(pool);
}

static struct pool *pool_new(struct worker *w, const struct address *address, struct slice key)
{
    struct pool *pool = calloc(1, sizeof(*pool) + key.len);

    if (!pool)
        return NULL;
    pool->worker = w;
    pool->address = *address;
    pool->key_len = key.len;
    memcpy(pool->key, key.data, key.len);
    list_init(&pool->idle);
    list_init(&pool->carriers);
    list_init(&pool->full);
    list_init(&pool->waiting);
    ev_timer_init(&pool->forget, on_forget, 0., 0.);
    (void)map_set(w->pools, key, pool);
    return pool;
}

static struct pool *get(struct worker *w, const struct address *address, const struct member *m, struct slice key)
{
    struct pool *pool = map_get(w->pools, key);

    if (LIKELY(pool))
        return pool;
    pool = pool_new(w, address, key);
    if (!pool)
        return NULL;
    pool->tls = m->tls.client != NULL;
    pool->http2 = m->http2;
    return pool;
}

static SELDOM struct pool *get_by_text(struct worker *w, const struct address *address, const struct member *m)
{
    char text[KEY_MAX];
    struct slice key = address_key(address);

    return get(w, address, m, m->tls.client ? tls_key(key, &m->tls, text) : http2_key(key, text));
}

struct pool *pool_get(struct worker *w, const struct address *address, const struct member *m)
{
    if (m->tls.client || m->http2)
        return get_by_text(w, address, m);
    return get(w, address, m, address_key(address));
}

/* Something came that this turn of the loop has still to look at: the backend closed it, or spoke out of turn, and what it
 * said must not be taken for an answer. Else it may have been closed a moment ago: a request that cannot be repeated
 * looks first. */
static bool is_doubtful(struct origin *o, const struct request *rq)
{
    return conn_is_due(&o->conn) || !http_method_is_idempotent(rq->head.method);
}

static struct origin *reuse_live(struct pool *pool, struct request *rq)
{
    struct origin *o;

    if (rq->fresh)
        return NULL;
    while ((o = origin_reuse(pool, rq))) {
        if (!is_doubtful(o, rq) || !origin_is_stale(o))
            return o;
        pool->busy_count++;
        origin_close(&o, CLOSE_ORIGIN_CLOSED);
        pool->busy_count--;
    }
    return NULL;
}

struct origin *pool_take(struct pool *pool, struct request *rq, int *error)
{
    struct origin *o;

    if (pool->http2)
        return h2_origin_open(pool, rq, error);
    o = reuse_live(pool, rq);
    return o ? o : origin_connect(pool, rq, rq->member->connect_timeout_ms, error);
}

void pool_put(struct pool *pool)
{
    struct worker *w = pool->worker;

    if (pool->idle_count || pool->busy_count || pool->carrier_count)
        return;
    if (!pool->sessions.count || w->stopping) {
        pool_free(pool);
        return;
    }
    ev_timer_stop(w->loop, &pool->forget);
    ev_timer_set(&pool->forget, SESSIONS_KEPT_S, 0.);
    ev_timer_start(w->loop, &pool->forget);
}

/* Closing the last connection of a pool frees the pool, so the pool is pinned meanwhile. */
static void close_all(struct pool *pool)
{
    struct list *node, *next;

    pool->busy_count++;
    LIST_EACH (node, next, &pool->idle) {
        struct origin *o = CONTAINER_OF(node, struct origin, link);

        origin_close(&o, CLOSE_SHUTDOWN);
    }
    carrier_close_idle(pool);
    pool->busy_count--;
    pool_put(pool);
}

void pool_close_idle(struct worker *w)
{
    size_t cursor = 0;
    void *pool;

    while (map_next(w->pools, &cursor, NULL, &pool))
        close_all(pool);
}

/* Of the first pool that has any, the one that is idle for longest. */
bool pool_close_one(struct worker *w)
{
    size_t cursor = 0;
    void *entry;

    while (map_next(w->pools, &cursor, NULL, &entry)) {
        struct pool *pool = entry;

        if (pool->idle_count) {
            struct origin *o = CONTAINER_OF(pool->idle.prev, struct origin, link);

            origin_close(&o, CLOSE_MADE_ROOM);
            return true;
        }
        if (carrier_close_one(pool))
            return true;
    }
    return false;
}
