#include "worker/relay.h"

#include "http/parse.h"

/* Those of framing, routing and authentication are marked by the parser (RFC 9110 6.5.1). */
static bool passes(const struct relay *r, const struct http_field *f)
{
    return !f->hop_by_hop && (!r->passes || r->passes(r->request, f));
}

static SELDOM bool relay_trailers(struct relay *r, struct slice block)
{
    static const struct http_limits limits = {1 << 20, HTTP_FIELDS_MAX, 0};
    const char *error;
    unsigned kept = 0;

    if (http_parse_trailers(r->trailers, block, &limits, &error) != PARSE_DONE)
        return false;
    for (unsigned i = 0; i < r->trailers->field_count; i++)
        if (passes(r, &r->trailers->fields[i]))
            r->trailers->fields[kept++] = r->trailers->fields[i];
    r->trailers->field_count = kept;
    r->to->end(r->sink, kept ? r->trailers : NULL);
    r->ended = true;
    return true;
}

enum relay_state relay_pump(struct relay *r)
{
    struct slice payload;
    size_t taken;
    bool more;

    for (;;) {
        switch (r->from->peek(r->source, &payload, &more)) {
        case BODY_DATA:
            if (r->limit && r->moved + payload.len > r->limit)
                return RELAY_TOO_BIG;
            taken = (r->to->send)(r->sink, payload, more);
            r->from->consume(r->source, taken);
            r->moved += taken;
            if (taken < payload.len) {
                enum relay_state state = r->to->flush(r->sink);

                if (state != RELAY_DONE)
                    return state;
            }
            break;
        case BODY_TRAILERS:
            if (!r->ended && !relay_trailers(r, payload))
                return RELAY_BAD;
            r->from->consume(r->source, payload.len);
            break;
        case BODY_WANT: {
            enum relay_state state = r->to->flush(r->sink);

            return state == RELAY_DONE ? RELAY_WANT : state;
        }
        case BODY_END:
            if (!r->ended)
                r->to->end(r->sink, NULL);
            r->ended = true;
            return r->to->flush(r->sink);
        case BODY_BAD:
            return RELAY_BAD;
        }
    }
}
