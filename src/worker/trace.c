#include "worker/trace.h"

static const char *const method_names[] = {
    [METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",   [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",         [METHOD_DELETE] = "DELETE", [METHOD_OPTIONS] = "OPTIONS",
    [METHOD_TRACE] = "TRACE",     [METHOD_PATCH] = "PATCH", [METHOD_CONNECT] = "CONNECT",
    [METHOD_OTHER] = "other",
};

static void note(struct request *rq, const char *what, uint64_t number)
{
    crash_note(&rq->worker->trail, rq->worker->now_ms, what, number);
}

void trace_begin(struct request *rq)
{
    note(rq, "a request began; generation", rq->lease->snapshot->generation);
}

void trace_refused(struct request *rq)
{
    const struct verdict_info *info = &verdict_table[rq->verdict];

    note(rq, info->name.data, (uint64_t)info->status);
}

void trace_end(struct request *rq)
{
    note(rq, "a request ended; status", (uint64_t)rq->status);
}

static const char *verdict_name(const struct request *rq)
{
    if (rq->verdict >= VERDICT_COUNT)
        return "?";
    return rq->verdict == VERDICT_PASS ? "none" : verdict_table[rq->verdict].name.data;
}

void trace_describe(const void *request)
{
    const struct request *rq = request;

    crash_put_text("step", rq->step->name);
    crash_put_text("method", rq->head.method <= METHOD_OTHER ? method_names[rq->head.method] : "?");
    crash_put_text("verdict", verdict_name(rq));
    crash_put_number("tries", rq->tries);
    crash_put_number("status", (uint64_t)rq->status);
    if (rq->member)
        crash_put_text("route", rq->member->state->route_id);
}
