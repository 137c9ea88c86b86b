#include "worker/stats.h"

#include "worker/compress.h"
#include "worker/request.h"

void stats_expect(const struct worker *w, const struct route_local *local)
{
    __builtin_prefetch(&local->rest->latency.buckets[w->latency_bucket], 1);
}

void stats_count(struct request *rq)
{
    struct route_local *local = rq->local ? rq->local : rq->failed;
    uint64_t latency_us = rq->worker->now_us - rq->start_us;

    if (rq->counted)
        return;
    rq->counted = true;
    if (rq->whose)
        local = route_state_local(rq->whose->state, rq->worker->id);
    COUNTER_ADD(rq->worker->requests, 1);
    if (!local)
        return;
    COUNTER_ADD(local->requests, 1);
    if (rq->status >= 500 || rq->verdict == VERDICT_RESPONSE_CUT || verdict_table[rq->verdict].status >= 500)
        COUNTER_ADD(local->errors, 1);
    COUNTER_ADD(local->bytes_sent, rq->download.moved);
    if (rq->compress)
        compress_count(rq, local);
    if (rq->upload.moved)
        COUNTER_ADD(local->bytes_received, rq->upload.moved);
    if (rq->status == 200)
        COUNTER_ADD(local->oks, 1);
    else if (rq->status >= STATUS_MIN && rq->status <= STATUS_MAX)
        COUNTER_ADD(local->rest->statuses[rq->status - STATUS_MIN], 1);
    COUNTER_ADD(local->latency_us, latency_us);
    rq->worker->latency_bucket = histogram_add(&local->rest->latency, latency_us);
}

void stats_verdict(const struct request *rq)
{
    if (UNLIKELY(rq->verdict != VERDICT_PASS))
        COUNTER_ADD(rq->worker->verdicts[rq->verdict], 1);
}
