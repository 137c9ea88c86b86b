#include "worker/tunnel_connect.h"

#include "base/digest.h"
#include "http/field_list.h"
#include "worker/request.h"

enum { ACCEPT_SIZE = (DIGEST_SHA1_SIZE + 2) / 3 * 4 + 1 };

static const struct slice key_name = SLICE_INIT("Sec-WebSocket-Key");
static const struct slice accept_name = SLICE_INIT("Sec-WebSocket-Accept");

static bool is_websocket(const struct request *rq)
{
    return slice_eq_nocase(rq->upgrade, SLICE("websocket"));
}

void tunnel_connect_ask(struct request *rq, struct field_list *fields)
{
    uint64_t nonce[2] = {random_next(&rq->worker->random), random_next(&rq->worker->random)};

    field_list_remove(fields, key_name);
    if (!is_websocket(rq))
        return;
    digest_base64(nonce, sizeof(nonce), rq->websocket_key);
    field_list_add(fields, key_name, slice_str(rq->websocket_key));
}

/* RFC 6455 4.2.2: what the key and this text give together. */
static void expected_accept(const struct request *rq, char out[ACCEPT_SIZE])
{
    char text[WEBSOCKET_KEY_SIZE + 40];
    uint8_t digest[DIGEST_SHA1_SIZE];
    int len = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", rq->websocket_key);

    digest_sha1(text, (size_t)len, digest);
    digest_base64(digest, sizeof(digest), out);
}

bool tunnel_connect_agrees(const struct request *rq, const struct http_head *response)
{
    char expected[ACCEPT_SIZE];

    if (!is_websocket(rq))
        return true;
    expected_accept(rq, expected);
    for (unsigned i = 0; i < response->field_count; i++)
        if (slice_eq_nocase(response->fields[i].name, accept_name))
            return slice_eq(response->fields[i].value, slice_str(expected));
    return false;
}

void tunnel_connect_answer(struct field_list *fields)
{
    field_list_remove(fields, accept_name);
}
