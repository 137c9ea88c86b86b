#include "worker/request.h"

#include "base/fault.h"
#include "config/router.h"
#include "http/parse.h"
#include "worker/access_log.h"
#include "worker/admit.h"
#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/compress_source.h"
#include "worker/forward.h"
#include "worker/origin.h"
#include "worker/origin_failure.h"
#include "worker/page_server.h"
#include "worker/memory.h"
#include "worker/pacing.h"
#include "worker/pick.h"
#include "worker/policy.h"
#include "worker/reply.h"
#include "worker/request_steps.h"
#include "worker/response.h"
#include "worker/scheme.h"
#include "worker/stats.h"
#include "worker/target.h"
#include "worker/trace.h"
#include "worker/tunnel.h"
#include "worker/tunnel_connect.h"

#include <stdlib.h>

#define REQUEST_STEP_DEFINE(step_name) \
    static enum step step_##step_name(struct request *rq); \
    const struct request_step request_step_##step_name = {#step_name, step_##step_name};
REQUEST_STEPS(REQUEST_STEP_DEFINE)
#undef REQUEST_STEP_DEFINE

enum step request_goto(struct request *rq, const struct request_step *step)
{
    rq->step = step;
    return STEP_MORE;
}

/* A step that was made to fail (base/fault.h) ends its request, as want of memory does. */
static enum step fail_step(struct request *rq)
{
    if (!rq->lease || rq->step == &request_step_finish)
        return rq->step->run(rq); /* these cannot */
    if (rq->step != &request_step_reply)
        return request_refuse(rq, VERDICT_NO_MEMORY);
    rq->close_reason = CLOSE_NO_MEMORY;
    return request_goto(rq, &request_step_finish);
}

enum step request_run(struct request *rq)
{
    struct crash_trail *trail = &rq->worker->trail;
    const void *outer = trail->running;
    enum step next;

    ASSERT_WORKER(rq->worker);
    trail->running = rq;
    do
        next = FAULT_STEP(rq->step->name) ? fail_step(rq) : rq->step->run(rq);
    while (next == STEP_MORE);
    trail->running = outer;
    if (next == STEP_WAIT)
        pacing_set_deadlines(rq);
    return next;
}

void request_go_on(struct request *rq)
{
    client_drive(rq->client);
}

enum step request_refuse(struct request *rq, enum verdict verdict)
{
    if (rq->paging) {
        verdict = VERDICT_MAINTENANCE; /* its server failed: the built-in page */
        rq->error = NULL;
    }
    rq->verdict = verdict;
    trace_refused(rq);
    if (rq->origin)
        origin_close(&rq->origin, CLOSE_ORIGIN_ABANDONED);
    attempt_give_seat(rq); /* the client may take its time with the answer */
    if (rq->response_started) {
        rq->verdict = VERDICT_RESPONSE_CUT;
        rq->close_reason = CLOSE_RESPONSE_CUT;
        return request_goto(rq, &request_step_finish);
    }
    if (!verdict_table[verdict].status) {
        rq->close_reason = CLOSE_CLIENT_REFUSED;
        return request_goto(rq, &request_step_finish);
    }
    return request_goto(rq, &request_step_reply);
}

static enum verdict parse_verdict(enum parse result)
{
    switch (result) {
    case PARSE_HEAD_TOO_BIG:
        return VERDICT_HEAD_TOO_BIG;
    case PARSE_TARGET_TOO_BIG:
        return VERDICT_TARGET_TOO_LONG;
    case PARSE_VERSION:
        return VERDICT_BAD_VERSION;
    default:
        return VERDICT_BAD_REQUEST;
    }
}

static void start(struct request *rq)
{
    struct worker *w = rq->worker;

    client_head_done(rq->client);
    rq->start_us = w->now_us;
    rq->lease = worker_lease_take(w);
    retry_budget_request(&w->retry_budget, w->now_ms);
    trace_begin(rq);
}

static enum step step_read_head(struct request *rq)
{
    enum parse result = rq->codec->read_head(rq, &rq->error);

    if (result == PARSE_MORE)
        return STEP_WAIT;
    start(rq);
    if (result != PARSE_DONE) {
        rq->keep_alive = false;
        rq->upload_done = true;
        return request_refuse(rq, parse_verdict(result));
    }
    rq->keep_alive = rq->head.keep_alive && !rq->worker->stopping && !rq->client->ends;
    rq->codec->open_upload(rq, &rq->upload);
    rq->upload.trailers = &rq->worker->response;
    rq->upload.passes = forward_trailer;
    rq->upload.request = rq;
    rq->upload_done = rq->head.body == BODY_NONE;
    if (UNLIKELY(rq->head.upgrade))
        rq->upgrade = tunnel_protocol(&rq->head);
    if (memory_is_full(rq->worker)) {
        rq->keep_alive = false;
        return request_refuse(rq, VERDICT_BUFFERS_FULL);
    }
    return request_goto(rq, &request_step_match_route);
}

/* No further try: ends with why the last one failed. */
static SELDOM enum step refuse_as_before(struct request *rq)
{
    rq->error = rq->failure_error;
    return request_refuse(rq, rq->failure);
}

static enum verdict unknown_host(const struct request *rq)
{
    switch (rq->lease->snapshot->settings->unknown_host) {
    case UNKNOWN_HOST_503:
        return VERDICT_NO_ROUTE_503;
    case UNKNOWN_HOST_CLOSE:
        return VERDICT_NO_ROUTE_CLOSE;
    default:
        return VERDICT_NO_ROUTE;
    }
}

static enum step step_match_route(struct request *rq)
{
    enum verdict verdict;

    if (rq->head.method == METHOD_CONNECT)
        return request_goto(rq, &request_step_admit);
    verdict = target_read(rq);
    if (LIKELY(verdict == VERDICT_PASS))
        verdict = scheme_check(rq);
    if (UNLIKELY(verdict != VERDICT_PASS))
        return request_refuse(rq, verdict);
    rq->group = router_match(&rq->lease->snapshot->router, rq->host, rq->path, rq->worker->id);
    if (!rq->group)
        return rq->tries ? refuse_as_before(rq) : request_refuse(rq, unknown_host(rq));
    return request_goto(rq, &request_step_admit);
}

static enum step step_admit(struct request *rq)
{
    enum verdict verdict = admit_request(rq);

    if (verdict == VERDICT_PASS && (rq->group->has_policy || UNLIKELY(rq->exchange)))
        verdict = policy_request(rq);
    if (verdict != VERDICT_PASS)
        return request_refuse(rq, verdict);
    return request_goto(rq, &request_step_pick_target);
}

/* Nobody can take it. A retry ends with why the last try failed. */
static SELDOM enum step nobody(struct request *rq, enum verdict why, const struct member *whose)
{
    if (rq->tries && why != VERDICT_MAINTENANCE)
        return refuse_as_before(rq);
    CHECK(whose);
    admit_refused(rq, why, whose);
    if (why == VERDICT_MAINTENANCE)
        return page_start(rq, whose);
    if (!rq->member)
        attempt_target(rq, whose); /* whose headers the answer carries, and where it is counted */
    return request_refuse(rq, why);
}

static enum step step_pick_target(struct request *rq)
{
    const struct member *m, *whose;
    enum verdict verdict;
    bool again;

    do {
        m = pick_member(rq, &verdict, &whose);
        if (!m)
            return nobody(rq, verdict, whose);
        attempt_target(rq, m);
        if (!rq->local)
            return request_refuse(rq, VERDICT_NO_MEMORY);
        if (!rq->picked_us)
            rq->retries_left = m->retries;
        verdict = admit_member(rq, &again);
    } while (again);
    if (verdict != VERDICT_PASS)
        return request_refuse(rq, verdict);
    rq->upload.limit = m->max_body_size;
    if (!rq->picked_us)
        rq->picked_us = rq->worker->now_us;
    return request_goto(rq, &request_step_connect);
}

static enum step connecting(struct request *rq)
{
    struct origin *o = rq->origin;

    if (!o->error && !o->timed_out)
        return o->phase == ORIGIN_BUSY ? STEP_MORE : STEP_WAIT;
    COUNTER_ADD(rq->local->connect_errors, 1);
    return attempt_failed(rq, origin_failure(o, &rq->error), false);
}

static enum step step_connect(struct request *rq)
{
    enum step next = rq->origin ? connecting(rq) : attempt_connect(rq);

    if (next != STEP_MORE || !rq->origin)
        return next;
    if (rq->origin->phase != ORIGIN_BUSY)
        return connecting(rq);
    if (!rq->origin->reused && !rq->origin->shares)
        COUNTER_ADD(rq->local->connects, 1);
    rq->connected_us = rq->worker->now_us;
    conn_deadline(&rq->origin->conn, 0);
    return request_goto(rq, &request_step_send_head);
}

static enum step step_send_head(struct request *rq)
{
    struct field_list *fields = &rq->worker->fields;

    rq->origin_codec = rq->origin->codec;
    rq->upgrading = UNLIKELY(rq->upgrade.data) && rq->member->websocket && rq->origin_codec->tunnel_source;
    forward_request(rq, fields);
    if (UNLIKELY(rq->head.connect))
        tunnel_connect_ask(rq, fields);
    rq->upload.moved = 0;
    rq->upload.ended = false;
    rq->head_by_ms = 0;
    if (fields->overflow || !rq->origin_codec->send_head(rq, fields, &rq->upload))
        return request_refuse(rq, VERDICT_HEAD_TOO_BIG);
    return request_goto(rq, &request_step_send_body);
}

static enum step step_send_body(struct request *rq)
{
    return response_send_body(rq);
}

static enum step step_read_response(struct request *rq)
{
    return response_read(rq);
}

static enum step step_relay_body(struct request *rq)
{
    return response_relay(rq);
}

static enum step step_tunnel(struct request *rq)
{
    return tunnel_run(rq);
}

/* Ends when the answer has left; a request body that was not read ends the connection. */
static enum step step_reply(struct request *rq)
{
    if (!rq->response_started) {
        if (!request_upload_done(rq))
            rq->keep_alive = false;
        if (!reply_start(rq)) {
            rq->close_reason = CLOSE_NO_MEMORY;
            return request_goto(rq, &request_step_finish);
        }
    }
    switch (relay_pump(&rq->download)) {
    case RELAY_BLOCKED:
        return STEP_WAIT;
    case RELAY_BROKEN:
        rq->close_reason = CLOSE_CLIENT_GONE;
        break;
    default:
        break;
    }
    return request_goto(rq, &request_step_finish);
}

static enum step step_finish(struct request *rq)
{
    stats_count(rq);
    stats_verdict(rq);
    access_log_write(rq);
    trace_end(rq);
    rq->codec->finish(rq);
    return STEP_DONE;
}

bool request_upload_done(const struct request *rq)
{
    return !rq->tunnel && (rq->upload_done || rq->codec->upload_done(rq));
}

bool request_make_room(struct request *rq)
{
    return rq->codec->make_room(rq);
}

bool request_client_late(struct request *rq, enum verdict verdict)
{
    if (rq->tunnel)
        return true; /* it has deadlines of its own */
    if (rq->response_started)
        return false;
    if (rq->step == &request_step_read_head) {
        start(rq);
        rq->upload_done = true;
        rq->verdict = verdict;
    }
    rq->keep_alive = false;
    (void)request_refuse(rq, verdict);
    return true;
}

struct request *request_new(struct worker *w, struct client *c, const struct client_codec *codec)
{
    struct request *rq = spares_take(&w->spare_requests);

    if (!rq)
        rq = malloc(sizeof(*rq));
    if (!rq)
        return NULL;
    memset(rq, 0, offsetof(struct request, head) + offsetof(struct http_head, fields));
    rq->worker = w;
    rq->client = c;
    rq->codec = codec;
    rq->step = &request_step_read_head;
    return rq;
}

void request_free(struct request **rqp)
{
    struct request *rq = *rqp;
    struct worker *w = rq->worker;

    *rqp = NULL;
    CHECK(!rq->origin);
    tunnel_free(rq);
    attempt_target(rq, NULL);
    policy_release(rq);
    free(rq->file);
    free(rq->own_path);
    compress_source_free(&rq->compress);
    block_pool_release(&w->blocks, &rq->head_block);
    if (rq->lease)
        worker_lease_release(w, rq->lease);
    if (rq->before)
        worker_lease_release(w, rq->before);
    spares_give(&w->spare_requests, rq);
}

void request_abandon(struct request **rqp)
{
    struct request *rq = *rqp;

    if (rq->origin)
        origin_close(&rq->origin, CLOSE_ORIGIN_ABANDONED);
    if (rq->lease) {
        if (rq->verdict == VERDICT_PASS)
            rq->verdict = VERDICT_CLIENT_GONE;
        if (!rq->response_started)
            rq->status = 499;
        stats_count(rq);
        stats_verdict(rq);
        access_log_write(rq);
    }
    request_free(rqp);
}
