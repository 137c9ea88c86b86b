#include "control/registry_count.h"

#include "base/clock.h"
#include "control/control.h"
#include "control/registry.h"
#include "control/session_limits.h"

#include <string.h>

static const struct end_info {
    const char *name, *text;
} ends[CONNECTION_END_COUNT] = {
#define END_ROW(id, name, text) [CONNECTION_END_##id] = {name, text},
    CONNECTION_ENDS(END_ROW)
#undef END_ROW
};

static const struct limit_info {
    const char *path, *text;
} limits[REGISTRY_LIMIT_COUNT] = {
#define LIMIT_ROW(id, field, path, text) [REGISTRY_LIMIT_##id] = {path, text},
    REGISTRY_LIMITS(LIMIT_ROW)
#undef LIMIT_ROW
};

const char *connection_end_name(enum connection_end end)
{
    return ends[end].name;
}

const char *connection_end_text(enum connection_end end)
{
    return ends[end].text;
}

const char *registry_limit_name(enum registry_limit limit)
{
    return strchr(limits[limit].path, '.') + 1;
}

static uint64_t value_set(const struct control *c, enum registry_limit limit)
{
    switch (limit) {
#define LIMIT_VALUE(id, field, path, text) \
    case REGISTRY_LIMIT_##id: \
        return c->settings->field;
        REGISTRY_LIMITS(LIMIT_VALUE)
#undef LIMIT_VALUE
    case REGISTRY_LIMIT_COUNT:
        break;
    }
    CHECK(false);
    return 0;
}

uint64_t registry_limit_value(const struct control *c, enum registry_limit limit)
{
    uint64_t value = value_set(c, limit);

    return limit == REGISTRY_LIMIT_CONNECTIONS && value > c->registry_most ? c->registry_most : value;
}

static void most_output(struct connection *conn, void *arg)
{
    uint64_t *most = arg;

    if (conn->out_len > *most)
        *most = conn->out_len;
}

static void most_early_lines(struct connection *conn, void *arg)
{
    uint64_t *most = arg;

    if (!conn->authorized && conn->early_lines > *most)
        *most = conn->early_lines;
}

/* In the rate's unit: how much of a second the client is ahead of it. */
static void most_lines(struct connection *conn, void *arg)
{
    uint64_t *most = arg, now_us = clock_us();
    uint64_t ahead_us = conn->pace.empty_us > now_us ? conn->pace.empty_us - now_us : 0;
    uint64_t lines = ahead_us * conn->control->settings->registry_lines / (1000 * 1000);

    if (lines > *most)
        *most = lines;
}

uint64_t registry_limit_used(const struct control *c, enum registry_limit limit)
{
    uint64_t most = 0;

    ASSERT_CONTROL();
    switch (limit) {
    case REGISTRY_LIMIT_CONNECTIONS:
        return registry_count(c);
    case REGISTRY_LIMIT_OUTPUT:
        registry_each(c, most_output, &most);
        break;
    case REGISTRY_LIMIT_ADDRESS:
        return registry_count_most(c);
    case REGISTRY_LIMIT_AUTH_LINES:
        registry_each(c, most_early_lines, &most);
        break;
    case REGISTRY_LIMIT_LINES:
        registry_each(c, most_lines, &most);
        break;
    case REGISTRY_LIMIT_SESSIONS:
        return sessions_used(c);
    case REGISTRY_LIMIT_ROUTES:
        return sessions_most_routes(c);
    case REGISTRY_LIMIT_STAGED:
        return sessions_most_staged(c);
    case REGISTRY_LIMIT_OPERATIONS:
        return sessions_most_operations(c);
    case REGISTRY_LIMIT_WAITING:
        return c->pending_count;
    case REGISTRY_LIMIT_TAKEOVERS:
    case REGISTRY_LIMIT_METADATA: /* of one command each: nothing is used between */
    case REGISTRY_LIMIT_DOMAINS:
    case REGISTRY_LIMIT_HEADERS:
    case REGISTRY_LIMIT_COUNT:
        break;
    }
    return most;
}

bool registry_within(struct control *c, enum registry_limit limit, uint64_t wanted, struct error *err)
{
    uint64_t most = registry_limit_value(c, limit);

    ASSERT_CONTROL();
    if (wanted <= most)
        return true;
    c->counts.refused[limit]++;
    return error_set(err, "%s: %s = %llu", limits[limit].text, limits[limit].path, (unsigned long long)most);
}
