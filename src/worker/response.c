#include "worker/response.h"

#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/compress.h"
#include "worker/compress_source.h"
#include "worker/forward.h"
#include "worker/origin.h"
#include "worker/origin_failure.h"
#include "worker/outcome.h"
#include "worker/page_server.h"
#include "worker/pick.h"
#include "worker/policy.h"
#include "worker/request_steps.h"
#include "worker/tunnel.h"
#include "worker/tunnel_connect.h"

/* Moves request body; a backend that takes no more may still have answered. */
static enum verdict pump_upload(struct request *rq)
{
    struct conn *client = &rq->client->conn;
    enum relay_state state;

    if (rq->upload_done)
        return VERDICT_PASS;
    state = relay_pump(&rq->upload);
    rq->upload_wants = state == RELAY_WANT;
    switch (state) {
    case RELAY_DONE:
        rq->upload_done = true;
        break;
    case RELAY_BROKEN:
    case RELAY_BLOCKED:
        break;
    case RELAY_WANT:
        conn_resume(client);
        break;
    case RELAY_BAD:
        rq->error = "malformed chunked body";
        return VERDICT_BAD_REQUEST;
    case RELAY_TOO_BIG:
        return VERDICT_BODY_TOO_BIG;
    }
    return VERDICT_PASS;
}

static enum step refuse_upload(struct request *rq, enum verdict verdict)
{
    rq->keep_alive = false;
    return request_refuse(rq, verdict);
}

enum step response_send_body(struct request *rq)
{
    enum verdict verdict;

    if (rq->head.body == BODY_NONE) {
        conn_flush(&rq->origin->conn);
    } else {
        rq->upload_done = false;
        verdict = pump_upload(rq);
        if (verdict != VERDICT_PASS)
            return refuse_upload(rq, verdict);
    }
    return request_goto(rq, &request_step_read_response);
}

/* Nothing usable came back. A connection that broke before it took a byte was never reached. */
static enum step no_response(struct request *rq)
{
    struct origin *o = rq->origin;

    if (o->timed_out)
        return attempt_failed(rq, VERDICT_BACKEND_LATE, true);
    /* A server of TLS 1.3 looks at our certificate, and refuses it, after our handshake has ended. */
    if (o->conn.broken && origin_failure_is_alert(o))
        return attempt_failed(rq, origin_failure_tls(o, &rq->error), true);
    if (o->conn.eof || o->conn.broken)
        return attempt_failed(rq, VERDICT_BACKEND_BROKE, !o->unreached);
    return STEP_WAIT;
}

/* Nothing of it has gone to the client. A member that can't be understood has failed like one that broke off. */
static enum step bad_response(struct request *rq, enum parse result)
{
    return attempt_failed(
        rq, result == PARSE_HEAD_TOO_BIG ? VERDICT_RESPONSE_TOO_BIG : VERDICT_BAD_RESPONSE, true);
}

/* A probe that was answered with an error: no client needs to see that where another member can answer. */
static bool hides_failure(struct request *rq, int status)
{
    return rq->ticket.probe && status >= 500 && attempt_may_repeat(rq) && pick_has_other(rq);
}

static void send_interim(struct request *rq, const struct http_head *response)
{
    struct field_list *fields = &rq->worker->fields;

    forward_response(rq, response, fields);
    if (!fields->overflow)
        rq->codec->send_interim(rq, response->status, response->reason, fields);
}

/* Keeping the client's connection makes sense only if nothing of its request is still to come. */
static bool may_keep_alive(const struct request *rq)
{
    return rq->keep_alive && request_upload_done(rq) && !rq->worker->stopping;
}

/* Puts the fields together and shows the head to the policy. False: it failed, and nothing passes without it. */
static bool compose_head(struct request *rq, const struct http_head *response, struct response_head *head)
{
    struct field_list *fields = &rq->worker->fields;

    forward_response(rq, response, fields);
    if (rq->paging)
        page_server_response(response, head, fields);
    if (LIKELY(!rq->exchange))
        return true;
    switch (policy_response(rq, head, fields)) {
    case POLICY_DONE:
        return true;
    case POLICY_LEFT:
        return compose_head(rq, response, head); /* as if there were none */
    case POLICY_REFUSES:
        break;
    }
    return false;
}

static enum step start_response(struct request *rq, const struct http_head *response)
{
    struct field_list *fields = &rq->worker->fields;
    bool drains = pick_group_drains(rq);
    bool says_length = response->status != 204 && http_head_may_have(response, FIELD_CONTENT_LENGTH);
    struct response_head head = {
        .status = response->status,
        .reason = response->reason,
        .fields = fields,
        .body = response->body,
        .content_length = response->content_length,
        .may_trail = response->may_trail,
        .tell_length = response->body == BODY_NONE && says_length,
        .keep_alive = !drains && may_keep_alive(rq),
        .moves_on = drains,
    };

    if (rq->paging && page_server_is_empty(rq, response))
        return request_refuse(rq, VERDICT_MAINTENANCE);
    attempt_give_place(rq);
    outcome_head(rq, response->status);
    if (!compose_head(rq, response, &head))
        return request_refuse(rq, VERDICT_POLICY_FAILED);
    if (UNLIKELY(rq->member->compression))
        compress_head(rq, &head);
    rq->download.trailers = &rq->worker->response;
    rq->origin_codec->open_download(rq, response, &rq->download);
    if (UNLIKELY(rq->compress))
        compress_source_open(rq->compress, &rq->download);
    if (fields->overflow || !rq->codec->send_head(rq, &head, &rq->download))
        return request_refuse(rq, VERDICT_RESPONSE_TOO_BIG);
    rq->keep_alive = head.keep_alive;
    rq->status = head.status;
    rq->response_started = true;
    rq->response_keep_alive = response->keep_alive;
    rq->first_byte_us = rq->worker->now_us;
    return request_goto(rq, &request_step_relay_body);
}

/* The backend switches protocols, as it was asked to. */
static enum step start_tunnel(struct request *rq, const struct http_head *response)
{
    struct response_head head = {
        .status = response->status,
        .reason = response->reason,
        .fields = &rq->worker->fields,
        .keep_alive = true,
        .tunnel = rq->upgrade,
    };

    outcome_success(rq);
    if (!compose_head(rq, response, &head))
        return request_refuse(rq, VERDICT_POLICY_FAILED);
    head.status = response->status; /* the client waits for no other */
    attempt_give_seat(rq); /* websocket_max counts it from here on */
    if (rq->head.connect)
        tunnel_connect_answer(&rq->worker->fields);
    return tunnel_start(rq, &head);
}

/* A client of HTTP/2 would take success for a tunnel. */
static enum step no_tunnel(struct request *rq, const struct http_head *response)
{
    if (response->status >= 300)
        return start_response(rq, response);
    outcome_success(rq);
    return request_refuse(rq, VERDICT_NO_CONNECT);
}

enum step response_read(struct request *rq)
{
    struct http_head *response = &rq->worker->response;
    enum verdict verdict = pump_upload(rq);
    enum parse result;

    if (verdict != VERDICT_PASS)
        return refuse_upload(rq, verdict);
    for (;;) {
        const char *error;

        result = rq->origin_codec->read_head(rq, response, &error);
        if (result == PARSE_MORE)
            return no_response(rq);
        if (result != PARSE_DONE || (response->status == 101 && !tunnel_agrees(rq, response)))
            return bad_response(rq, result);
        if (hides_failure(rq, response->status))
            return attempt_failed(rq, VERDICT_CIRCUIT_PROBING, true);
        if (response->status >= 200)
            return UNLIKELY(rq->head.connect) ? no_tunnel(rq, response) : start_response(rq, response);
        if (response->status == 101)
            return start_tunnel(rq, response);
        send_interim(rq, response);
    }
}

/* The response is with the client; the connections go on if they can. */
static enum step response_complete(struct request *rq)
{
    bool reusable = rq->response_keep_alive && rq->upload_done;

    if (!request_upload_done(rq))
        rq->keep_alive = false;
    outcome_success(rq);
    origin_release(&rq->origin, reusable);
    attempt_give_seat(rq);
    return request_goto(rq, &request_step_finish);
}

/* The backend has to send more, or has ended. */
static enum step want_response(struct request *rq)
{
    struct origin *o = rq->origin;

    if (UNLIKELY(rq->compress) && compress_source_goes_on(rq->compress))
        return STEP_WAIT;
    if (o->conn.eof && rq->origin_codec->eof(rq))
        return STEP_MORE;
    if (o->conn.eof || o->conn.broken || o->timed_out) {
        if (!o->timed_out || rq->upload_done) /* else it may as well have waited for the client */
            outcome_failure(rq);
        return request_refuse(rq, VERDICT_RESPONSE_CUT);
    }
    conn_resume(&o->conn);
    return STEP_WAIT;
}

enum step response_relay(struct request *rq)
{
    enum verdict verdict = pump_upload(rq);

    if (verdict != VERDICT_PASS)
        return request_refuse(rq, verdict);
    switch (relay_pump(&rq->download)) {
    case RELAY_DONE:
        return response_complete(rq);
    case RELAY_WANT:
        return want_response(rq);
    case RELAY_BLOCKED:
        return STEP_WAIT;
    case RELAY_BROKEN:
        rq->close_reason = CLOSE_CLIENT_GONE;
        rq->verdict = VERDICT_CLIENT_GONE;
        origin_close(&rq->origin, CLOSE_ORIGIN_ABANDONED);
        return request_goto(rq, &request_step_finish);
    default:
        outcome_failure(rq);
        return request_refuse(rq, VERDICT_RESPONSE_CUT);
    }
}
