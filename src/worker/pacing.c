#include "worker/pacing.h"

#include "worker/client.h"
#include "worker/compress_source.h"
#include "worker/grpc.h"
#include "worker/origin.h"
#include "worker/request.h"
#include "worker/tunnel.h"

/* What was received of the body is with the backend, and the client has to send more. */
static bool body_is_due(const struct request *rq)
{
    return rq->upload_wants && !rq->upload_done && !rq->response_started && rq->origin &&
           !(rq->head.expect_continue && !rq->upload.moved);
}

static inline void turn(struct pace *p, bool peers, uint64_t now_ms)
{
    if (UNLIKELY(peers != (p->turn_ms != 0)))
        pace_turn(p, peers, now_ms);
}

static const struct settings *settings_of(const struct request *rq)
{
    return rq->lease->snapshot->settings;
}

static struct pace_rules rules_of(uint64_t rate, const struct settings *settings)
{
    return (struct pace_rules){rate, settings->rate_window_ms};
}

static uint64_t sooner(uint64_t delay_ms, const struct pace *p, uint64_t rate, const struct request *rq)
{
    struct pace_rules rules = rules_of(rate, settings_of(rq));
    uint64_t left = rate && p->turn_ms ? pace_left(p, &rules, rq->worker->now_ms) : delay_ms;

    return left < delay_ms ? left : delay_ms;
}

/* For the time-out, or for the end of a window before that. */
static void arm(struct request *rq)
{
    const struct settings *settings = settings_of(rq);
    uint64_t now_ms = rq->worker->now_ms, delay_ms = rq->late_ms > now_ms ? rq->late_ms - now_ms : 0;

    delay_ms = sooner(delay_ms, &rq->client->taking, settings->send_rate, rq);
    delay_ms = sooner(delay_ms, &rq->giving, settings->body_rate, rq);
    conn_deadline(&rq->client->conn, delay_ms ? delay_ms : 1);
}

static void set_client_deadline(struct request *rq, bool late)
{
    const struct settings *settings = settings_of(rq);
    struct conn *client = &rq->client->conn;
    uint64_t now_ms = rq->worker->now_ms;

    turn(&rq->client->taking, client->blocked, now_ms);
    turn(&rq->giving, body_is_due(rq), now_ms);
    if (LIKELY(!late)) {
        conn_deadline(client, 0);
        return;
    }
    rq->late_ms = now_ms + (client->blocked ? settings->send_timeout_ms : settings->body_timeout_ms);
    arm(rq);
}

/* From the request's last byte to the final head there is one deadline, which neither interim responses nor a head that
 * trickles in move, nor a client that takes no interim responses. */
static void await_head(struct request *rq)
{
    struct conn *origin = &rq->origin->conn;
    uint64_t now_ms = rq->worker->now_ms;

    if (!rq->head_by_ms)
        rq->head_by_ms = now_ms + rq->member->response_timeout_ms;
    if (origin->deadline.at_ms != rq->head_by_ms)
        conn_deadline(origin, rq->head_by_ms > now_ms ? rq->head_by_ms - now_ms : 1);
}

/* Where the answer has begun and the request goes on, the two talk: how long they may be silent is what the route says of answers. */
void pacing_set_deadlines(struct request *rq)
{
    struct conn *client = &rq->client->conn;
    struct origin *o = rq->origin;
    bool client_late, our_turn; /* our_turn: it is for us to go on */

    if (!rq->lease)
        return;
    if (UNLIKELY(rq->tunnel)) {
        tunnel_set_deadline(rq);
        return;
    }
    client_late = client->blocked || (o && !rq->upload_done && !o->conn.blocked && !rq->response_started);
    set_client_deadline(rq, client_late);
    our_turn = rq->compress && rq->compress->tired;
    if (!o || o->phase != ORIGIN_BUSY)
        return;
    if (rq->upload_done && !rq->response_started)
        await_head(rq);
    else
        conn_deadline(&o->conn, client_late || our_turn ? 0 : rq->member->response_timeout_ms);
}

/* A window in which the kernel got rid of something counts against the time-out, too: large buffers move seldom. */
static bool takes_slowly(struct request *rq, enum close_reason *reason)
{
    const struct settings *settings = settings_of(rq);
    struct pace_rules rules = rules_of(settings->send_rate, settings);
    struct pace *p = &rq->client->taking;
    uint64_t now_ms = rq->worker->now_ms, before = p->bytes;
    bool moved = !p->based;

    if (rules.rate && !pace_left(p, &rules, now_ms)) {
        if (pace_look(p, conn_delivered(&rq->client->conn), &rules, now_ms) == PACE_SLOW) {
            *reason = CLOSE_CLIENT_READS_SLOWLY;
            return true;
        }
        if (moved || p->bytes > before)
            rq->late_ms = now_ms + settings->send_timeout_ms;
    }
    return now_ms >= rq->late_ms;
}

static bool gives_slowly(struct request *rq, enum verdict *verdict)
{
    const struct settings *settings = settings_of(rq);
    struct pace_rules rules = rules_of(settings->body_rate, settings);
    uint64_t now_ms = rq->worker->now_ms;

    if (rules.rate && pace_look(&rq->giving, rq->upload.moved, &rules, now_ms) == PACE_SLOW &&
        !grpc_is_call(&rq->head)) {
        *verdict = VERDICT_BODY_SLOW;
        return true;
    }
    return now_ms >= rq->late_ms;
}

bool pacing_is_slow(struct request *rq, enum close_reason *reason, enum verdict *verdict)
{
    *reason = CLOSE_CLIENT_SLOW;
    *verdict = VERDICT_HEAD_TIMEOUT;
    if (!rq->lease || rq->tunnel)
        return true;
    if (rq->client->conn.blocked ? takes_slowly(rq, reason) : gives_slowly(rq, verdict))
        return true;
    arm(rq);
    return false;
}

void pacing_excuse(struct request *rq)
{
    rq->late_ms = rq->worker->now_ms + settings_of(rq)->send_timeout_ms;
    pace_restart(&rq->client->taking, rq->worker->now_ms);
    arm(rq);
}
