#include "worker/limit.h"

#include "base/hash.h"
#include "http/field_list.h"
#include "worker/policy.h"
#include "worker/request.h"
#include "worker/source.h"

#include <stdio.h>

/* A key of any length, as the network of an IPv6 address, in a group of its own. */
static uint64_t text_key(uint64_t identity, struct slice text)
{
    uint64_t ip[2] = {hash_bytes(text.data, text.len, hash_seed()), UINT64_MAX};

    return ratelimit_key(~identity, (const uint8_t *)ip, sizeof(ip));
}

static uint64_t source_key(const struct request *rq, const struct group_limit *limit)
{
    struct slice own = policy_rate_key(rq);
    struct address source;
    uint8_t ip[16];

    if (own.data)
        return text_key(limit->identity, own);
    source_of(rq, &source);
    return ratelimit_key(limit->identity, ip, address_ip_bytes(&source, ip));
}

static SELDOM bool ask(struct request *rq)
{
    const struct group_limit *limit = &rq->group->limit;
    struct route_local *local;

    rq->limited = true;
    ratelimit_take(rq->worker->shared->ratelimit, source_key(rq, limit), &limit->rules,
                   rq->worker->now_us, &rq->limit);
    if (rq->limit.allowed)
        return true;
    local = route_state_local(limit->member->state, rq->worker->id);
    if (limit->shadow) {
        if (local)
            COUNTER_ADD(local->rest->shadowed_by_ratelimit, 1);
        return true;
    }
    if (local)
        COUNTER_ADD(local->turned_by_ratelimit, 1);
    return false;
}

bool limit_admit(struct request *rq)
{
    return !rq->group->has_limit || rq->limited || ask(rq);
}

static uint64_t seconds_up(uint64_t ms)
{
    return (ms + 999) / 1000;
}

static void add_text(struct field_list *out, struct slice name, const char *text, int len)
{
    uint32_t start = out->text_len;

    field_list_text(out, slice_of(text, (size_t)len));
    field_list_add(out, name, slice_of(out->text + start, out->text_len - start));
}

void limit_fields(const struct request *rq, struct field_list *out)
{
    const struct group_limit *limit;
    char text[80];
    int len;

    if (!rq->limited || !rq->group)
        return;
    limit = &rq->group->limit;
    if (!rq->group->has_limit || limit->shadow) /* a newer configuration may have none */
        return;
    len = snprintf(text, sizeof(text), "\"tidelock\";q=%llu;w=%llu",
                   (unsigned long long)limit->rules.requests,
                   (unsigned long long)seconds_up(limit->rules.window_ms));
    add_text(out, SLICE("RateLimit-Policy"), text, len);
    len = snprintf(text, sizeof(text), "\"tidelock\";r=%llu;t=%llu",
                   (unsigned long long)rq->limit.remaining,
                   (unsigned long long)seconds_up(rq->limit.reset_ms));
    add_text(out, SLICE("RateLimit"), text, len);
}
