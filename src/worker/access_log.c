#include "worker/access_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "script/hook.h"
#include "tls/tls_facts.h"
#include "worker/client.h"
#include "worker/request.h"
#include "worker/tunnel.h"

#include <stdarg.h>
#include <stdio.h>

/* A line under construction in the worker's scratch. */
struct line {
    char *text;
    size_t len, size;
    bool json;
};

static void put(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put(struct line *l, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(l->text + l->len, l->size - l->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->len = l->len + (size_t)n < l->size ? l->len + (size_t)n : l->size - 1;
}

/* Bytes at text that stay as they are: printable ASCII, and UTF-8 that neither ends a line (U+2028, U+2029) nor controls a
 * terminal (U+0080 to U+009F). 0: the first byte has to be escaped. */
static size_t plain_bytes(const char *text, size_t len)
{
    unsigned char ch = (unsigned char)text[0];
    size_t n;

    if (LIKELY(ch < 0x80))
        return ch >= 0x20 && ch != 0x7f && ch != '"' && ch != '\\';
    n = utf8_sequence(text, len);
    if ((n == 2 && ch == 0xc2 && (unsigned char)text[1] < 0xa0) ||
        (n == 3 && (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0)))
        return 0;
    return n;
}

/* Escapes what would end the value or the line, or is no text: whatever clients send, a line stays one line, and its
 * values their own. */
static void put_escaped(struct line *l, struct slice value)
{
    size_t n;

    for (size_t i = 0; i < value.len && l->len + 8 < l->size; i += n ? n : 1) {
        unsigned char ch = (unsigned char)value.data[i];

        n = plain_bytes(value.data + i, value.len - i);
        if (n) {
            memcpy(l->text + l->len, value.data + i, n);
            l->len += n;
        } else if (ch == '"' || ch == '\\') {
            put(l, "\\%c", ch);
        } else {
            put(l, "\\u%04x", ch);
        }
    }
}

static void put_name(struct line *l, const char *name)
{
    if (l->json)
        put(l, "%s\"%s\":", l->len > 1 ? "," : "", name);
    else
        put(l, "%s%s=", l->len ? " " : "", name);
}

/* An empty value is written as "-" or null. At most 1 KiB of it is written. */
static void put_text(struct line *l, const char *name, struct slice value)
{
    put_name(l, name);
    if (!value.len) {
        put(l, l->json ? "null" : "-");
        return;
    }
    if (value.len > 1024)
        value.len = 1024;
    put(l, "\"");
    put_escaped(l, value);
    put(l, "\"");
}

/* What follows a name and a password: authorities and whole URLs of requests that were refused for them are logged, too. */
static struct slice without_userinfo(struct slice text)
{
    static const char scheme[] = "://";
    const char *start;
    size_t at;

    if (!text.len || text.data[0] == '/')
        return text;
    start = memmem(text.data, text.len, scheme, sizeof(scheme) - 1);
    at = start ? (size_t)(start - text.data) + sizeof(scheme) - 1 : 0;
    for (size_t i = at; i < text.len && !strchr("/?#", text.data[i]); i++)
        if (text.data[i] == '@')
            at = i + 1;
    return at && text.data[at - 1] == '@' ? slice_skip(text, at) : text;
}

static void put_number(struct line *l, const char *name, uint64_t value)
{
    put_name(l, name);
    put(l, "%llu", (unsigned long long)value);
}

static void put_ms(struct line *l, const char *name, uint64_t from_us, uint64_t to_us)
{
    put_name(l, name);
    if (!from_us || to_us < from_us)
        put(l, l->json ? "null" : "-");
    else
        put(l, "%llu.%03u", (unsigned long long)((to_us - from_us) / 1000),
            (unsigned)((to_us - from_us) % 1000));
}

static void put_target(struct line *l, const struct request *rq)
{
    const struct member *m = rq->whose ? rq->whose : rq->member;
    char address[ADDRESS_TEXT_SIZE];
    size_t len = 0;

    put_text(l, "route", m ? slice_str(m->state->route_id) : SLICE(""));
    put_text(l, "service", m ? slice_str(m->state->service) : SLICE(""));
    put_text(l, "instance", m ? slice_str(m->state->instance) : SLICE(""));
    if (m && m->address_count)
        len = address_format(&m->addresses[rq->address % m->address_count], address);
    put_text(l, "member", slice_of(address, len));
}

static void put_tls(struct line *l, const struct tls_facts *tls)
{
    put_text(l, "tls", slice_str(tls->version));
    put_text(l, "cipher", slice_str(tls->suite));
    put_name(l, "resumed");
    put(l, tls->resumed ? "true" : "false");
    put_text(l, "sni", tls->name);
}

static void put_tags(struct line *l, const struct hook_exchange *ex)
{
    for (unsigned i = 0; i < ex->tag_count; i++) {
        char name[64];

        snprintf(name, sizeof(name), "tag_%.*s", SLICE_ARGS(ex->tag[i].name));
        put_text(l, name, ex->tag[i].value);
    }
}

static void put_tunnel(struct line *l, const struct request *rq)
{
    put_text(l, "tunnel", tunnel_name(rq->tunnel));
    put_text(l, "end", tunnel_end_text(rq->tunnel));
}

static struct slice protocol(const struct request *rq)
{
    if (slice_starts(rq->head.via, SLICE("1.0")))
        return SLICE("HTTP/1.0");
    return slice_str(rq->codec->name);
}

static void put_all(struct line *l, const struct request *rq)
{
    char text[ADDRESS_TEXT_SIZE]; /* larger than CLOCK_TEXT_SIZE */
    uint64_t now_us = rq->worker->now_us;

    put_text(l, "time", slice_of(text, clock_format_ms(text, clock_wall_ms())));
    put_text(l, "client", slice_of(text, address_format(&rq->client->peer, text)));
    put_text(l, "method", rq->head.method_text);
    put_text(l, "host", without_userinfo(rq->head.host));
    put_text(l, "path", without_userinfo(rq->head.path));
    if (UNLIKELY(rq->own_path && rq->head.path.data != rq->head.target.data && rq->head.target.data))
        put_text(l, "target", without_userinfo(rq->head.target));
    put_text(l, "protocol", protocol(rq));
    put_target(l, rq);
    put_number(l, "status", (uint64_t)rq->status);
    put_number(l, "sent", rq->download.moved + tunnel_sent(rq->tunnel));
    put_number(l, "received", rq->upload.moved + tunnel_received(rq->tunnel));
    put_ms(l, "wait", rq->picked_us ? rq->start_us : 0, rq->picked_us);
    put_ms(l, "connect", rq->connected_us ? rq->picked_us : 0, rq->connected_us);
    put_ms(l, "first_byte", rq->first_byte_us ? rq->connected_us : 0, rq->first_byte_us);
    put_ms(l, "total", rq->start_us, now_us);
    put_number(l, "retries", rq->tries);
    put_text(l, "verdict", verdict_table[rq->verdict].name);
    if (rq->client->tls)
        put_tls(l, rq->client->tls);
    if (UNLIKELY(rq->tunnel))
        put_tunnel(l, rq);
    if (UNLIKELY(rq->exchange))
        put_tags(l, rq->exchange);
}

static SELDOM void write_line(struct request *rq, bool json)
{
    struct line l = {rq->worker->line, 0, sizeof(rq->worker->line), json};

    if (l.json)
        put(&l, "{");
    put_all(&l, rq);
    if (l.json)
        put(&l, "}");
    log_access(slice_of(l.text, l.len));
}

void access_log_write(struct request *rq)
{
    enum access_format format = worker_settings(rq->worker)->access_format;

    if (format != ACCESS_OFF)
        write_line(rq, format == ACCESS_JSON);
}
