/* Heads of HTTP/1: in one piece or in two they are the same, whatever the limits; and what was read, written again, reads the
 * same. */
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/heads.h"

#include <stdlib.h>

enum { RESPONSE = METHOD_OTHER + 1 };

/* What came of reading a head. */
struct outcome {
    enum parse result;
    const char *error;
    size_t used;
    struct http_head head;
};

/* method: of the request that a response answers; as: RESPONSE, or anything else for a request. */
static void read_piece(struct outcome *o, int as, enum method method, struct slice data, struct http_scan *scan,
                       const struct http_limits *limits)
{
    o->result = as == RESPONSE ? http_parse_response(&o->head, method, data.data, data.len, scan, limits,
                                                     &o->used, &o->error)
                               : http_parse_request(&o->head, data.data, data.len, scan, limits, &o->used, &o->error);
}

static void check_done(const struct outcome *o, struct slice data, const struct http_limits *limits)
{
    const struct http_head *head = &o->head;

    CHECK(o->used >= 4 && o->used <= data.len && o->used <= limits->head_size);
    CHECK(memcmp(data.data + o->used - 4, "\r\n\r\n", 4) == 0);
    CHECK(head->field_count <= limits->field_count);
    CHECK(head->body != BODY_CHUNKED || (head->content_length == 0 && head->minor == 1));
    CHECK(!head->keep_alive || head->body != BODY_UNTIL_CLOSE);
    heads_check_fields(head);
    if (head->status)
        return;
    CHECK(head->target.len <= limits->target_length && http_is_target(head->target));
    CHECK(fuzz_within(head->target, data));
    CHECK(head->path.len && (head->path.data[0] == '/' || slice_eq(head->path, SLICE("*"))));
    CHECK(head->host.data || head->minor == 0);
}

/* Written by us, from parsed parts, it is read as the same. */
static void check_written(const struct outcome *first, int as, enum method method)
{
    static char block[8 * 1024];
    struct buf buf = {.data = block, .cap = sizeof(block)};
    struct writer w = writer_on(&buf);
    struct http_scan scan = {0};
    struct outcome again;

    if (as == RESPONSE) {
        /* One status line has another minor version: what we write is 1.1. */
        if (first->head.minor == 0)
            return;
        write_status_line(&w, first->head.status, first->head.reason);
    } else {
        write_slice(&w, first->head.method_text);
        write_literal(&w, " ");
        write_slice(&w, first->head.target);
        write_slice(&w, first->head.minor ? SLICE(" HTTP/1.1\r\n") : SLICE(" HTTP/1.0\r\n"));
    }
    heads_write_fields(&w, &first->head, FIELD_OTHER);
    read_piece(&again, as, method, slice_of(block, buf.end), &scan, &heads_wide);
    CHECK(again.result == PARSE_DONE);
    CHECK(again.used == buf.end);
    heads_check_same(&first->head, &again.head);
}

static void check_head(struct slice input, int as)
{
    static const uint32_t SIZES[] = {64, 200, 4096, 64 * 1024}, COUNTS[] = {3, HTTP_FIELDS_MAX},
                          TARGETS[] = {8, 4096};
    static struct outcome whole, pieces;
    uint8_t choice = fuzz_take(&input), cut_choice = fuzz_take(&input);
    enum method method = (enum method)(choice >> 4) % (METHOD_OTHER + 1);
    struct http_limits limits = {SIZES[choice & 3], COUNTS[choice >> 2 & 1], TARGETS[choice >> 3 & 1]};
    size_t cut = input.len ? cut_choice * (input.len + 255) / 256 % (input.len + 1) : 0;
    struct slice first = fuzz_copy(slice_of(input.data, cut));
    struct http_scan scan = {0}, scan_pieces = {0};

    read_piece(&whole, as, method, input, &scan, &limits);
    read_piece(&pieces, as, method, first, &scan_pieces, &limits);
    if (pieces.result == PARSE_MORE)
        read_piece(&pieces, as, method, input, &scan_pieces, &limits);
    CHECK(whole.result == pieces.result);
    if (whole.result == PARSE_DONE) {
        CHECK(whole.used == pieces.used);
        heads_check_same(&whole.head, &pieces.head);
        check_done(&whole, input, &limits);
        check_written(&whole, as, method);
    } else if (whole.result != PARSE_MORE) {
        CHECK(strcmp(whole.error, pieces.error) == 0);
    } else {
        CHECK(input.len < limits.head_size);
    }
    free((void *)first.data);
}

void fuzz_request_head(struct slice input)
{
    check_head(input, METHOD_GET);
}

void fuzz_response_head(struct slice input)
{
    check_head(input, RESPONSE);
}
