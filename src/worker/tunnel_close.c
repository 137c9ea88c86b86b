#include "worker/tunnel_close.h"

#include "worker/client.h"
#include "worker/origin.h"
#include "worker/tunnel.h"

enum { HANDSHAKE_MS = 2000 }; /* for the answer to a close frame */

static uint64_t now_of(const struct tunnel *t)
{
    return t->request->worker->now_ms;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void set_phase(struct tunnel *t, enum tunnel_phase phase, uint64_t limit_ms)
{
    t->phase = phase;
    t->limit_ms = now_of(t) + limit_ms;
}

/* ---- when */

static bool is_blocked(const struct tunnel *t)
{
    return t->down.to->blocked || t->up.to->blocked;
}

static bool is_half_closed(const struct tunnel *t)
{
    return t->up.ended || t->down.ended;
}

/* How long an open tunnel may go on without a byte that passes. */
static uint64_t idle_ms(const struct tunnel *t)
{
    const struct settings *settings = worker_settings(t->request->worker);
    uint64_t idle = t->request->member->tunnel_idle_ms;

    if (is_blocked(t))
        idle = least(idle, settings->send_timeout_ms);
    if (is_half_closed(t))
        idle = least(idle, settings->tunnel_close_ms);
    return idle;
}

/* Tunnels that opened together do not close together. */
static uint64_t age_due_ms(const struct tunnel *t)
{
    uint64_t age = t->request->member->tunnel_age_ms;
    uint64_t tenth = age / 10;

    if (!age)
        return UINT64_MAX;
    return t->opened_ms + age - tenth + (uint64_t)((double)tenth * t->draw / 4294967296.);
}

uint64_t tunnel_close_due(const struct tunnel *t)
{
    if (t->phase != TUNNEL_OPEN)
        return t->limit_ms;
    return least(least(t->moved_ms + idle_ms(t), age_due_ms(t)), t->place_ms);
}

/* ---- how */

/* Nobody can tell where its messages end. */
static bool is_opaque(const struct tunnel *t)
{
    return !t->websocket || !t->up.open || t->up.frames.lost || t->down.frames.lost;
}

/* One of the ends has said that it closes. */
static bool is_ending(const struct tunnel *t)
{
    return t->up.frames.closed || t->down.frames.closed || t->up.done || t->down.done || t->up.from->eof ||
           t->down.from->eof;
}

static void begin(struct tunnel *t, enum tunnel_end end)
{
    t->end = end;
    if (is_opaque(t))
        t->phase = TUNNEL_OVER;
    else if (is_ending(t))
        set_phase(t, TUNNEL_LEAVING, HANDSHAKE_MS);
    else
        set_phase(t, TUNNEL_FINISHING, worker_settings(t->request->worker)->tunnel_message_ms);
}

/* Nothing has passed for too long. */
static void begin_idle(struct tunnel *t)
{
    if (is_blocked(t)) {
        t->end = TUNNEL_END_SLOW;
        t->phase = TUNNEL_OVER;
        t->up.cut = t->up.to->blocked;
        t->down.cut = t->down.to->blocked;
    } else if (is_half_closed(t)) {
        t->end = TUNNEL_END_DONE;
        t->phase = TUNNEL_OVER;
    } else {
        begin(t, TUNNEL_END_IDLE);
    }
}

static void begin_flow(struct tunnel *t, struct tunnel_flow *f)
{
    uint32_t number = (uint32_t)random_next(&t->request->worker->random);
    uint8_t mask[4];

    memcpy(mask, &number, sizeof(mask));
    f->cut = !ws_stream_between_frames(&f->frames);
    if (!f->cut)
        f->close_len = (uint8_t)ws_close_frame(f->close, WS_GOING_AWAY, tunnel_end_reasons[t->end],
                                               f == &t->up ? mask : NULL);
}

static void begin_closing(struct tunnel *t)
{
    set_phase(t, TUNNEL_CLOSING, HANDSHAKE_MS);
    begin_flow(t, &t->up);
    begin_flow(t, &t->down);
}

void tunnel_close_look(struct tunnel *t)
{
    uint64_t now_ms = now_of(t);

    if (now_ms < tunnel_close_due(t))
        return;
    switch (t->phase) {
    case TUNNEL_OPEN:
        if (now_ms >= t->place_ms)
            begin(t, t->place_end);
        else if (now_ms >= age_due_ms(t))
            begin(t, TUNNEL_END_AGE);
        else
            begin_idle(t);
        return;
    case TUNNEL_FINISHING:
        begin_closing(t);
        return;
    default:
        t->phase = TUNNEL_OVER;
    }
}

size_t tunnel_close_allows(const struct tunnel *t, const struct tunnel_flow *f, struct slice bytes)
{
    if (t->phase != TUNNEL_FINISHING)
        return bytes.len;
    return ws_stream_rest(&f->frames, bytes.data, bytes.len);
}

/* Sends what is left of the close frame. */
static void send_close(struct tunnel_flow *f)
{
    const struct relay *r = &f->relay;
    size_t taken = 1;

    while (f->close_sent < f->close_len && taken) {
        taken = (r->to->send)(r->sink, slice_of(f->close + f->close_sent, f->close_len - f->close_sent), false);
        f->close_sent += (uint8_t)taken;
    }
    f->flushed = r->to->flush(r->sink) == RELAY_DONE;
}

/* What comes now is for nobody, but for an answer to the close frame. */
static void drop(struct tunnel_flow *f)
{
    const struct relay *r = &f->relay;
    enum body_state state;
    struct slice bytes;
    bool more;

    while ((state = r->from->peek(r->source, &bytes, &more)) == BODY_DATA) {
        ws_stream_pass(&f->frames, bytes.data, bytes.len);
        r->from->consume(r->source, bytes.len);
    }
    f->done = state != BODY_WANT || f->from->eof;
}

static bool is_told(const struct tunnel_flow *f)
{
    return f->cut || (f->close_sent == f->close_len && f->flushed) || f->to->unwritable;
}

static bool has_answered(const struct tunnel_flow *f, const struct tunnel_flow *to_it)
{
    return to_it->cut || f->frames.closed || f->frames.lost || f->done || f->from->broken;
}

void tunnel_close_go_on(struct tunnel *t)
{
    if (t->phase == TUNNEL_FINISHING) {
        if (is_opaque(t))
            t->phase = TUNNEL_OVER;
        else if (is_ending(t))
            set_phase(t, TUNNEL_LEAVING, HANDSHAKE_MS);
        else if (ws_stream_between_messages(&t->up.frames) && ws_stream_between_messages(&t->down.frames))
            begin_closing(t);
    }
    if (t->phase != TUNNEL_CLOSING)
        return;
    send_close(&t->up);
    send_close(&t->down);
    drop(&t->up);
    drop(&t->down);
    if (is_told(&t->up) && is_told(&t->down) && has_answered(&t->up, &t->down) &&
        has_answered(&t->down, &t->up))
        t->phase = TUNNEL_OVER;
}
