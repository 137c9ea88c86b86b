/* Frames of HTTP/2 to a session, as a client and as a backend: what it hands on does not depend on where the bytes were cut; what
 * it sends is frames in order, with the bodies that it was given; every stream ends once; what it keeps has bounds, and
 * nothing is left in the end.
 *
 * An input: a byte of choices, one that says where the bytes are cut, one with the length of the script, the script (h2_streams.h,
 * and what happens behind each piece), then frames: type and flags with what is done to them, flags, stream, length, payload. */
#include "base/random.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/h2_streams.h"

#include <stdlib.h>

/* The first byte. */
enum { CLIENT = 1, NO_PREFACE = 2, SMALL_PIECES = 4, SLOW_PEER = 8 };
/* A frame's first byte, but for its type. */
enum { TYPE = 15, WRONG_LENGTH = 16, AGAIN = 32, LARGE = 64, CANNED = 128 };
enum { FRAME_HEAD = 9, HEADERS = 1, AGAIN_COUNT = 16, LARGE_COUNT = 64, WIRE_MAX = 512 * 1024, REQUESTS = 8, RECORDS = 2 * REQUESTS + H2_WORLD_STREAMS };

/* Heads that are right, for a payload to begin with. */
#define HEAD(bytes) {bytes, sizeof(bytes) - 1}
static const struct slice CANNED_HEADS[] = {
    HEAD("\x82\x86\x84\x41\x01" "a"),                              /* GET / */
    HEAD("\x83\x86\x84\x41\x01" "a"),                              /* POST / */
    HEAD("\x83\x86\x84\x41\x01" "a\x0f\x0d\x01" "3"),             /* with content-length: 3 */
    HEAD("\x83\x86\x84\x41\x01" "a\x0f\x0d\x05" "70000"),
    HEAD("\x02\x04HEAD\x86\x84\x41\x01" "a"),
    HEAD("\x02\x07" "CONNECT\x00\x09:protocol\x09websocket\x86\x84\x41\x01" "a"),
    HEAD("\x88"),                                                  /* 200 */
    HEAD("\x88\x0f\x0d\x01" "3"),
    HEAD("\x48\x03" "103"),
    HEAD("\x00\x01t\x01" "1"),                                     /* trailers */
    HEAD("\x00\x06" "cookie\x01" "a\x00\x06" "cookie\x01" "b"),
};

/* ---- from an input to what the peer sends */

struct wire {
    char *bytes;
    size_t len;
};

static void put(struct wire *wire, const void *bytes, size_t len)
{
    if (len)
        memcpy(wire->bytes + wire->len, bytes, len);
    wire->len += len;
}

static void put_frame(struct wire *wire, uint8_t first, uint8_t flags, uint32_t id, struct slice payload)
{
    struct slice canned = SLICE("");
    size_t times = first & LARGE ? LARGE_COUNT : 1, len;
    char head[FRAME_HEAD];

    if (first & CANNED && payload.len) {
        canned = CANNED_HEADS[(uint8_t)payload.data[0] % (sizeof(CANNED_HEADS) / sizeof(CANNED_HEADS[0]))];
        payload = slice_skip(payload, 1);
    }
    len = canned.len + payload.len * times;
    if (wire->len + FRAME_HEAD + len > WIRE_MAX)
        return;
    head[0] = 0;
    head[1] = (char)((len + !!(first & WRONG_LENGTH)) >> 8);
    head[2] = (char)(len + !!(first & WRONG_LENGTH));
    head[3] = (char)(first & TYPE);
    head[4] = (char)flags;
    head[5] = head[6] = 0;
    head[7] = (char)(id >> 8);
    head[8] = (char)id;
    put(wire, head, sizeof(head));
    put(wire, canned.data, canned.len);
    while (times--)
        put(wire, payload.data, payload.len);
}

/* again: frames that say so come several times, heads for one stream after the other. */
static struct wire read_frames(struct slice input, bool preface, bool again)
{
    static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct wire wire = {malloc(WIRE_MAX + sizeof(PREFACE)), 0};

    CHECK(wire.bytes);
    if (preface)
        put(&wire, PREFACE, sizeof(PREFACE) - 1);
    while (input.len >= 4) {
        uint8_t first = fuzz_take(&input), flags = fuzz_take(&input), id = fuzz_take(&input), len = fuzz_take(&input);
        struct slice payload = slice_of(input.data, len < input.len ? len : input.len);
        uint32_t times = again && (first & AGAIN) ? AGAIN_COUNT : 1;

        for (uint32_t i = 0; i < times; i++)
            put_frame(&wire, first, flags, id + ((first & TYPE) == HEADERS ? 2 * i : 0), payload);
        input = slice_skip(input, payload.len);
    }
    return wire;
}

/* ---- what a session hands on */

struct outcome {
    enum close_reason over;
    unsigned resets; /* sent */
    unsigned count;
    struct h2_record records[RECORDS];
};

/* Feeds what is there, whole (seed 0) or in pieces. */
static void feed(struct h2_world *w, const struct wire *wire, unsigned seed, size_t most, void (*behind)(struct h2_world *))
{
    struct slice rest = slice_of(wire->bytes, wire->len);
    struct random random;

    random_init(&random, seed);
    while (rest.len) {
        size_t n = seed ? 1 + random_next(&random) % (most < rest.len ? most : rest.len) : rest.len;

        if (!h2_world_hear(w, slice_of(rest.data, n)))
            return;
        rest = slice_skip(rest, n);
        if (behind)
            behind(w);
    }
}

static void watch(struct outcome *out, enum h2_role role, const struct wire *wire, unsigned seed, size_t most)
{
    static struct h2_world w;
    struct list *node, *next;

    h2_world_open(&w, role, true, SLICE(""));
    for (int i = 0; role == H2_CLIENT && i < REQUESTS; i++)
        h2_streams_request(&w);
    h2_world_turn(&w);
    feed(&w, wire, seed, most, NULL);
    h2_world_turn(&w);
    out->over = w.h2.over;
    out->resets = w.h2.reset_at;
    out->count = 0;
    LIST_EACH (node, next, &w.streams) {
        CHECK(out->count < RECORDS);
        h2_streams_record(CONTAINER_OF(node, struct h2_fuzz_stream, link), &out->records[out->count++]);
    }
    h2_streams_drop(&w);
    h2_world_close(&w);
}

/* Is the end one at which a session may be that another one goes past? */
static bool ends_by_turn(const struct outcome *o)
{
    if (o->over == CLOSE_CLIENT_DONE || o->resets)
        return true;
    for (unsigned i = 0; i < o->count; i++)
        if (o->records[i].failed)
            return true;
    return false;
}

static void check_same(const struct h2_record *a, const struct h2_record *b, bool over)
{
    CHECK(a->id == b->id && a->heads == b->heads && a->fields == b->fields && a->head == b->head);
    CHECK(a->bodyless == b->bodyless);
    CHECK(a->failed == b->failed || over); /* a session that is over resets nothing more */
    if (a->failed || b->failed || (over && a->body_len != b->body_len))
        return; /* the cuts say how much of a body came before it was too long */
    CHECK(a->body_len == b->body_len && a->body == b->body && a->trailers == b->trailers && a->ended == b->ended);
}

/* What comes for a stream that is to be reset may be an error of the connection, or, once it was, be passed over (RFC 9113
 * 5.1); a peer that has said GOAWAY and has no stream is not listened to any more; and nghttp2 counts a CONTINUATION once for each
 * piece that its frame's head comes in, so that a few in small pieces are too many. Only then may one session end where another goes
 * on. */
static void check_cuts(enum h2_role role, const struct wire *wire, unsigned seed, size_t most)
{
    static struct outcome whole, cut;
    bool same_end;

    watch(&whole, role, wire, 0, 0);
    watch(&cut, role, wire, seed, most);
    same_end = whole.over == cut.over && whole.count == cut.count;
    CHECK(same_end || ends_by_turn(&whole) || ends_by_turn(&cut) || cut.over == CLOSE_CLIENT_FLOODS);
    for (unsigned i = 0; same_end && i < whole.count; i++)
        check_same(&whole.records[i], &cut.records[i], whole.over);
}

/* ---- a session at work */

static void peer_takes(struct h2_world *w, size_t n)
{
    w->takes = n;
    h2_world_turn(w);
}

static void let_leave_timer_pass(struct h2_world *w)
{
    if (ev_is_active(&w->h2.leave_timer))
        ev_feed_event(w->worker.loop, &w->h2.leave_timer, EV_TIMER);
}

/* Something that the script says happens. */
static void happen(struct h2_world *w)
{
    switch (h2_world_script(w) % 16) {
    case 1:
        peer_takes(w, 0);
        break;
    case 2:
        peer_takes(w, 100);
        break;
    case 3:
    case 4:
        peer_takes(w, SIZE_MAX);
        break;
    case 5:
        h2_session_leave(&w->h2);
        break;
    case 6:
        h2_session_ask(&w->h2);
        break;
    case 7:
        w->worker.now_us += 1000000;
        w->worker.now_ms += 1000;
        break;
    case 8:
        let_leave_timer_pass(w);
        break;
    case 9:
        w->hold = !w->hold;
        break;
    case 10:
    case 11:
        h2_streams_wake(w);
        break;
    case 12:
    case 13:
    case 14:
        if (w->h2.role == H2_CLIENT)
            h2_streams_request(w);
        break;
    default:
        break;
    }
    h2_world_turn(w);
}

/* The peer takes all, and streams take all: everything that can end does. */
static void come_to_rest(struct h2_world *w)
{
    w->hold = false;
    w->takes = SIZE_MAX;
    h2_world_turn(w);
    h2_streams_wake(w);
    h2_world_turn(w);
    if (w->open && !w->lost)
        CHECK(!conn_has_unsent(&w->conn) && !w->conn.blocked && h2_wire_is_between(&w->wire));
}

static void work(enum h2_role role, const struct wire *wire, unsigned seed, size_t most, struct slice script, bool slow)
{
    static struct h2_world w;

    h2_world_open(&w, role, false, script);
    w.takes = slow ? 0 : SIZE_MAX;
    feed(&w, wire, seed, most, happen);
    come_to_rest(&w);
    h2_world_close(&w);
}

void fuzz_h2_frames(struct slice input)
{
    uint8_t choice = fuzz_take(&input), seed = fuzz_take(&input), len = fuzz_take(&input);
    struct slice script = slice_of(input.data, len < input.len ? len : input.len);
    enum h2_role role = choice & CLIENT ? H2_CLIENT : H2_SERVER;
    bool preface = role == H2_SERVER && !(choice & NO_PREFACE);
    size_t most = choice & SMALL_PIECES ? 16 : 4096;
    struct wire wire;

    input = slice_skip(input, script.len);
    wire = read_frames(input, preface, false);
    check_cuts(role, &wire, seed + 1u, most);
    free(wire.bytes);
    wire = read_frames(input, preface, true);
    work(role, &wire, seed + 1u, most, script, choice & SLOW_PEER);
    free(wire.bytes);
}
