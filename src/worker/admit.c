#include "worker/admit.h"

#include "worker/request.h"

enum verdict admit_request(const struct request *rq)
{
    if (rq->head.method == METHOD_CONNECT)
        return VERDICT_NO_CONNECT;
    return VERDICT_PASS;
}

enum verdict admit_member(const struct request *rq)
{
    const struct member *m = rq->member;

    if (m->max_body_size && rq->head.body == BODY_LENGTH &&
        rq->head.content_length > m->max_body_size)
        return VERDICT_BODY_TOO_BIG;
    if (!m->address_count)
        return VERDICT_NO_ADDRESS;
    return VERDICT_PASS;
}
