#include "worker/bypass.h"

#include "base/secret.h"
#include "worker/request.h"
#include "worker/source.h"

static bool has_secret(const struct http_head *head, const struct settings *s)
{
    for (unsigned i = 0; i < head->field_count; i++)
        if (slice_eq_nocase(head->fields[i].name, slice_str(s->bypass_header)) &&
            secret_equal(head->fields[i].value, slice_str(s->bypass_secret)))
            return true;
    return false;
}

static SELDOM bool is_from_range(const struct request *rq, const struct settings *s)
{
    struct address source;

    source_of(rq, &source);
    for (unsigned i = 0; i < s->bypass_range_count; i++)
        if (cidr_contains(&s->bypass_ranges[i], &source))
            return true;
    return false;
}

bool bypass_allows(const struct request *rq)
{
    const struct settings *s = rq->lease->snapshot->settings;

    if (s->bypass_range_count && is_from_range(rq, s))
        return true;
    return s->bypass_header && s->bypass_secret && has_secret(&rq->head, s);
}
