#include "worker/pool.h"

#include "base/map.h"
#include "worker/carrier.h"
#include "worker/origin.h"

#include <stdlib.h>

enum { KEY_MAX = 64 };

/* The bytes that identify an address: port and host, which are neighbours in both kinds. */
static struct slice address_key(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return slice_of((const char *)&a->v4.sin_port, sizeof(in_port_t) + sizeof(struct in_addr));
    return slice_of((const char *)&a->v6.sin6_port,
                    offsetof(struct sockaddr_in6, sin6_scope_id) -
                        offsetof(struct sockaddr_in6, sin6_port));
}

/* For HTTP/2 one byte more. */
static struct slice pool_key(const struct address *a, bool http2, char text[KEY_MAX])
{
    struct slice address = address_key(a);

    if (LIKELY(!http2))
        return address;
    memcpy(text, address.data, address.len);
    text[address.len] = '2';
    return slice_of(text, address.len + 1);
}

struct pool *pool_get(struct worker *w, const struct address *address, bool http2)
{
    char text[KEY_MAX];
    struct slice key = pool_key(address, http2, text);
    struct pool *pool = map_get(w->pools, key);

    if (pool)
        return pool;
    pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->worker = w;
    pool->address = *address;
    pool->http2 = http2;
    list_init(&pool->idle);
    list_init(&pool->carriers);
    list_init(&pool->full);
    list_init(&pool->waiting);
    (void)map_set(w->pools, key, pool);
    return pool;
}

void pool_put(struct pool *pool)
{
    char text[KEY_MAX];

    if (pool->idle_count || pool->busy_count || pool->carrier_count)
        return;
    (void)map_remove(pool->worker->pools, pool_key(&pool->address, pool->http2, text));
    free(pool);
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
