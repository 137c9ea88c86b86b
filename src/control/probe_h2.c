#include "control/probe_h2.h"

#include "base/need.h"
#include "config/url.h"
#include "http/h2_mem.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 64, GRPC_FRAME = 5, SERVING = 1, GRPC_UNIMPLEMENTED = 12, GRPC_UNAVAILABLE = 14 };

struct probe_h2 {
    nghttp2_session *ng;
    struct slice unsent;
    int status;
    int grpc_status; /* -1: none seen */
    bool grpc, final, ended;
    size_t asked; /* bytes of the question that were sent */
    unsigned char message[MESSAGE_MAX];
    size_t message_len;
    const char *error;
};

/* An empty HealthCheckRequest: the server as a whole is asked for. */
static const char question[GRPC_FRAME];

static int number_of(struct slice text)
{
    int n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || n > 999)
            return -1;
        n = n * 10 + text.data[i] - '0';
    }
    return text.len ? n : -1;
}

/* ---- what nghttp2 tells */

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
    struct probe_h2 *h = arg;
    struct slice n = slice_of((const char *)name, name_len), v = slice_of((const char *)value, value_len);

    (void)ng;
    (void)frame;
    (void)flags;
    if (slice_eq(n, SLICE(":status")))
        h->status = number_of(v);
    else if (slice_eq(n, SLICE("grpc-status")))
        h->grpc_status = number_of(v);
    return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct probe_h2 *h = arg;

    (void)ng;
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.last_stream_id == 0)
        h->error = "the backend takes no requests on this connection";
    if (frame->hd.type == NGHTTP2_HEADERS && h->status >= 200)
        h->final = true;
    if (frame->hd.stream_id && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        h->ended = true;
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *arg)
{
    struct probe_h2 *h = arg;
    size_t n = len < MESSAGE_MAX - h->message_len ? len : MESSAGE_MAX - h->message_len;

    (void)ng;
    (void)flags;
    (void)id;
    memcpy(h->message + h->message_len, data, n);
    h->message_len += n;
    return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
    struct probe_h2 *h = arg;

    (void)ng;
    (void)id;
    if (!h->ended)
        h->error = code == NGHTTP2_REFUSED_STREAM ? "the backend refused the request"
                                                  : "the backend reset the request";
    return 0;
}

/* nghttp2 says goodbye only to a peer that broke the protocol. */
static int before_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct probe_h2 *h = arg;

    (void)ng;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h->error = "no HTTP/2";
    return 0;
}

static ssize_t read_question(nghttp2_session *ng, int32_t id, uint8_t *to, size_t size, uint32_t *flags,
                             nghttp2_data_source *source, void *arg)
{
    struct probe_h2 *h = arg;
    size_t n = sizeof(question) - h->asked < size ? sizeof(question) - h->asked : size;

    (void)ng;
    (void)id;
    (void)source;
    memcpy(to, question + h->asked, n);
    h->asked += n;
    if (h->asked == sizeof(question))
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* ---- the request */

static nghttp2_nv field(struct slice name, struct slice value)
{
    return (nghttp2_nv){(uint8_t *)name.data, (uint8_t *)value.data, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

static bool submit(struct probe_h2 *h, const struct url *url)
{
    struct slice scheme = url->scheme == URL_H2C ? SLICE("http") : SLICE("https");
    nghttp2_data_provider body = {.read_callback = read_question};
    nghttp2_settings_entry no_push = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    nghttp2_nv fields[] = {
        field(SLICE(":method"), h->grpc ? SLICE("POST") : SLICE("GET")),
        field(SLICE(":scheme"), scheme),
        field(SLICE(":authority"), url->authority),
        field(SLICE(":path"), url->path.len ? url->path : SLICE("/")),
        field(SLICE("user-agent"), SLICE("tidelock")),
        field(h->grpc ? SLICE("content-type") : SLICE("accept"), h->grpc ? SLICE("application/grpc") : SLICE("*/*")),
        field(SLICE("te"), SLICE("trailers")),
    };
    size_t count = sizeof(fields) / sizeof(fields[0]);

    return nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, &no_push, 1) == 0 &&
           nghttp2_submit_request(h->ng, NULL, fields, count, h->grpc ? &body : NULL, NULL) > 0;
}

struct probe_h2 *probe_h2_new(const struct url *url)
{
    struct probe_h2 *h = need_zeroed(1, sizeof(*h));
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        free(h);
        return NULL;
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, before_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new3(&h->ng, callbacks, h, NULL, h2_mem()) != 0)
        h->ng = NULL;
    nghttp2_session_callbacks_del(callbacks);
    h->grpc_status = -1;
    h->grpc = slice_eq(url->path, SLICE(PROBE_GRPC_PATH));
    if (h->ng && submit(h, url))
        return h;
    probe_h2_free(h);
    return NULL;
}

void probe_h2_free(struct probe_h2 *h)
{
    if (h)
        nghttp2_session_del(h->ng);
    free(h);
}

/* ---- bytes */

struct slice probe_h2_unsent(struct probe_h2 *h)
{
    const uint8_t *data;
    ssize_t n;

    if (h->unsent.len)
        return h->unsent;
    n = nghttp2_session_mem_send(h->ng, &data);
    if (n < 0)
        return slice_of(NULL, 0);
    h->unsent = n ? slice_of((const char *)data, (size_t)n) : SLICE("");
    return h->unsent;
}

void probe_h2_sent(struct probe_h2 *h, size_t n)
{
    h->unsent = slice_skip(h->unsent, n);
}

/* HealthCheckResponse has one field: 1, a number. Absent is 0, UNKNOWN. */
static bool is_serving(const struct probe_h2 *h)
{
    const unsigned char *m = h->message;

    return h->message_len == GRPC_FRAME + 2 && m[0] == 0 && m[4] == 2 && m[5] == (1 << 3) && m[6] == SERVING;
}

static int grpc_answer(const struct probe_h2 *h)
{
    switch (h->grpc_status) {
    case 0:
        return is_serving(h) ? 200 : 503;
    case GRPC_UNIMPLEMENTED:
        return 501;
    case GRPC_UNAVAILABLE:
        return 503;
    default:
        return 500;
    }
}

enum probe_h2_end probe_h2_received(struct probe_h2 *h, struct slice bytes, int *status, const char **error)
{
    ssize_t n = nghttp2_session_mem_recv(h->ng, (const uint8_t *)bytes.data, bytes.len);

    if (h->final && (!h->grpc || h->status != 200 || h->ended)) {
        *status = h->grpc && h->status == 200 ? grpc_answer(h) : h->status;
        return PROBE_H2_ANSWERED;
    }
    (void)probe_h2_unsent(h);
    *error = n < 0 ? "no HTTP/2" : h->error;
    return *error ? PROBE_H2_BAD : PROBE_H2_MORE;
}
