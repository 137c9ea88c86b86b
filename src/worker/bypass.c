#include "worker/bypass.h"

#include "worker/client.h"
#include "worker/request.h"

static bool has_secret(const struct http_head *head, const struct settings *s)
{
    for (unsigned i = 0; i < head->field_count; i++)
        if (slice_eq_nocase(head->fields[i].name, slice_str(s->bypass_header)) &&
            slice_eq_secret(head->fields[i].value, slice_str(s->bypass_secret)))
            return true;
    return false;
}

bool bypass_allows(const struct request *rq)
{
    const struct settings *s = rq->lease->snapshot->settings;

    for (unsigned i = 0; i < s->bypass_range_count; i++)
        if (cidr_contains(&s->bypass_ranges[i], &rq->client->peer))
            return true;
    return s->bypass_header && s->bypass_secret && has_secret(&rq->head, s);
}
