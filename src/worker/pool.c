#include "worker/pool.h"

#include "base/map.h"
#include "worker/origin.h"

#include <stdlib.h>

/* The bytes that identify an address: port and host, which are neighbours in both kinds. */
static struct slice pool_key(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return slice_of((const char *)&a->v4.sin_port, sizeof(in_port_t) + sizeof(struct in_addr));
    return slice_of((const char *)&a->v6.sin6_port,
                    offsetof(struct sockaddr_in6, sin6_scope_id) -
                        offsetof(struct sockaddr_in6, sin6_port));
}

struct pool *pool_get(struct worker *w, const struct address *address)
{
    struct pool *pool = map_get(w->pools, pool_key(address));

    if (pool)
        return pool;
    pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->worker = w;
    pool->address = *address;
    list_init(&pool->idle);
    (void)map_set(w->pools, pool_key(address), pool);
    return pool;
}

void pool_put(struct pool *pool)
{
    if (pool->idle_count || pool->busy_count)
        return;
    (void)map_remove(pool->worker->pools, pool_key(&pool->address));
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
