#include "worker/source.h"

#include "worker/client.h"
#include "worker/forward.h"
#include "worker/request.h"

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

/* Some proxies write ports, too: "192.0.2.1:5555", "[2001:db8::1]:5555". */
static bool read_entry(struct slice entry, struct address *out)
{
    return address_parse_ip(entry, 0, out) == 0 || address_parse(entry, out) == 0;
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
            if (!read_entry(take_last(&list), out))
                return false;
            if (!forward_is_trusted(settings, out))
                return true;
        }
    }
    return false;
}

void source_of(const struct request *rq, struct address *out)
{
    const struct address *peer = &rq->client->peer;

    if (!forward_is_trusted(rq->lease->snapshot->settings, peer) || !forwarded_source(rq, out))
        *out = *peer;
}
