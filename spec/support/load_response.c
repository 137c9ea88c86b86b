#include "load_response.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_SIZE = 256 };

void response_next(struct response *r)
{
    r->place = RESPONSE_HEAD;
    r->status = 0;
    r->last = r->body_differs = false;
    r->origin[0] = '\0';
    r->left = r->body_size = 0;
}

static void drop(struct response *r, size_t count)
{
    r->fill -= count;
    memmove(r->in, r->in + count, r->fill);
}

/* The value of a field in a head that ends with a NUL, or NULL. */
static const char *field(const char *head, const char *name)
{
    size_t len = strlen(name);
    const char *line;

    for (line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

static bool value_is(const char *value, const char *token)
{
    return value && strncasecmp(value, token, strlen(token)) == 0;
}

static void read_framing(struct response *r)
{
    const char *length = field(r->in, "Content-Length"), *origin = field(r->in, "X-Origin");

    r->last = value_is(field(r->in, "Connection"), "close");
    if (origin)
        snprintf(r->origin, sizeof(r->origin), "%.*s", (int)strcspn(origin, "\r\n"), origin);
    if (r->status == 204 || r->status == 304) {
        r->place = RESPONSE_LENGTH;
    } else if (value_is(field(r->in, "Transfer-Encoding"), "chunked")) {
        r->place = RESPONSE_CHUNK_SIZE;
    } else if (length) {
        r->place = RESPONSE_LENGTH;
        r->left = strtoull(length, NULL, 10);
    } else {
        r->place = RESPONSE_TO_CLOSE;
        r->last = true;
    }
}

static enum response_result read_head(struct response *r)
{
    char *end = memmem(r->in, r->fill, "\r\n\r\n", 4);

    if (!end)
        return r->fill == sizeof(r->in) ? RESPONSE_BAD : RESPONSE_MORE;
    end[2] = '\0';
    if (strncmp(r->in, "HTTP/1.", 7) != 0 || (r->status = atoi(r->in + 9)) < 100)
        return RESPONSE_BAD;
    if (r->status < 200)
        r->status = 0; /* an early one: the final one follows */
    else
        read_framing(r);
    drop(r, (size_t)(end + 4 - r->in));
    return RESPONSE_DONE;
}

static void take_body(struct response *r, size_t count, const char *expect)
{
    if (expect && r->status == 200 &&
        (r->body_size + count > strlen(expect) || memcmp(expect + r->body_size, r->in, count) != 0))
        r->body_differs = true;
    r->body_size += count;
    drop(r, count);
}

/* True when all of the counted bytes are there. */
static bool read_counted(struct response *r, const char *expect)
{
    size_t take = r->left < r->fill ? (size_t)r->left : r->fill;

    r->left -= take;
    take_body(r, take, expect);
    return r->left == 0;
}

static bool read_line(struct response *r, char *line)
{
    char *end = memchr(r->in, '\n', r->fill);
    size_t size;

    if (!end)
        return false;
    size = (size_t)(end + 1 - r->in);
    snprintf(line, LINE_MAX_SIZE, "%.*s", (int)size, r->in);
    drop(r, size);
    return true;
}

static enum response_result ended(struct response *r, const char *expect)
{
    if (expect && r->status == 200 && r->body_size != strlen(expect))
        r->body_differs = true;
    return RESPONSE_DONE;
}

/* One chunk's data and the CRLF behind it; true when both are read. */
static bool read_chunk(struct response *r, const char *expect)
{
    if (r->left && !read_counted(r, expect))
        return false;
    if (r->fill < 2)
        return false;
    drop(r, 2);
    r->place = RESPONSE_CHUNK_SIZE;
    return true;
}

enum response_result response_read(struct response *r, const char *expect)
{
    enum response_result result;
    char line[LINE_MAX_SIZE];

    for (;;) {
        switch (r->place) {
        case RESPONSE_HEAD:
            if ((result = read_head(r)) != RESPONSE_DONE)
                return result;
            break;
        case RESPONSE_LENGTH:
            return read_counted(r, expect) ? ended(r, expect) : RESPONSE_MORE;
        case RESPONSE_TO_CLOSE:
            take_body(r, r->fill, expect);
            return RESPONSE_MORE;
        case RESPONSE_CHUNK_SIZE:
            if (!read_line(r, line))
                return RESPONSE_MORE;
            r->left = strtoull(line, NULL, 16);
            r->place = r->left ? RESPONSE_CHUNK_DATA : RESPONSE_TRAILER;
            break;
        case RESPONSE_CHUNK_DATA:
            if (!read_chunk(r, expect))
                return RESPONSE_MORE;
            break;
        case RESPONSE_TRAILER:
            if (!read_line(r, line))
                return RESPONSE_MORE;
            if (line[0] == '\r')
                return ended(r, expect);
            break;
        }
    }
}

bool response_ends_well(struct response *r, const char *expect)
{
    return r->place == RESPONSE_TO_CLOSE && ended(r, expect) == RESPONSE_DONE;
}
