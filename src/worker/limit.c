#include "worker/limit.h"

#include "base/hash.h"
#include "worker/client.h"
#include "http/field_list.h"
#include "worker/forward.h"
#include "worker/policy.h"
#include "worker/request.h"

#include <stdio.h>

/* Takes the last entry off a list of addresses. */
static struct slice take_last(struct slice *list)
{
    size_t at = list->len;
    struct slice entry;

    while (at > 0 && list->data[at - 1] != ',')
        at--;
    entry = slice_trim(slice_of(list->data + at, list->len - at));
    list->len = at > 0 ? at - 1 : 0;
    return entry;
}

/* The last address in the fields that is no trusted proxy's; false when there is none. */
static bool forwarded_source(const struct request *rq, struct address *out)
{
    const struct settings *settings = rq->lease->snapshot->settings;

    for (unsigned i = rq->head.field_count; i-- > 0;) {
        struct slice list = rq->head.fields[i].value;

        if (rq->head.fields[i].id != FIELD_X_FORWARDED_FOR)
            continue;
        while (list.len) {
            if (address_parse_ip(take_last(&list), 0, out) != 0)
                return false;
            if (!forward_is_trusted(settings, out))
                return true;
        }
    }
    return false;
}

void limit_source(const struct request *rq, struct address *out)
{
    const struct address *peer = &rq->client->peer;

    if (!forward_is_trusted(rq->lease->snapshot->settings, peer) || !forwarded_source(rq, out))
        *out = *peer;
}

/* A key of any length, as the network of an IPv6 address, in a group of its own. */
static uint64_t text_key(uint64_t identity, struct slice text)
{
    uint64_t ip[2] = {hash_bytes(text.data, text.len, hash_seed()), UINT64_MAX};

    return ratelimit_key(~identity, (const uint8_t *)ip, sizeof(ip));
}

static uint64_t source_key(const struct request *rq, const struct group_limit *limit)
{
    struct address source;
    struct slice own = policy_rate_key(rq);
    uint8_t ip[16];

    if (own.data)
        return text_key(limit->identity, own);
    limit_source(rq, &source);
    return ratelimit_key(limit->identity, ip, address_ip_bytes(&source, ip));
}

bool limit_admit(struct request *rq)
{
    const struct group_limit *limit = &rq->group->limit;
    struct route_local *local;

    if (!limit->rules.requests || rq->limited)
        return true;
    rq->limited = true;
    ratelimit_take(rq->worker->shared->ratelimit, source_key(rq, limit), &limit->rules,
                   rq->worker->now_us, &rq->limit);
    if (rq->limit.allowed)
        return true;
    local = route_state_local(limit->member->state, rq->worker->id);
    if (limit->shadow) {
        if (local)
            COUNTER_ADD(local->shadowed_by_ratelimit, 1);
        return true;
    }
    if (local)
        COUNTER_ADD(local->turned_by_ratelimit, 1);
    return false;
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

    if (!rq->limited || !rq->group || rq->group->limit.shadow)
        return;
    limit = &rq->group->limit;
    len = snprintf(text, sizeof(text), "\"tidelock\";q=%llu;w=%llu",
                   (unsigned long long)limit->rules.requests,
                   (unsigned long long)seconds_up(limit->rules.window_ms));
    add_text(out, SLICE("RateLimit-Policy"), text, len);
    len = snprintf(text, sizeof(text), "\"tidelock\";r=%llu;t=%llu",
                   (unsigned long long)rq->limit.remaining,
                   (unsigned long long)seconds_up(rq->limit.reset_ms));
    add_text(out, SLICE("RateLimit"), text, len);
}
