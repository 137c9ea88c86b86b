#include "http/head_end.h"

#include <endian.h>

static bool is_control(unsigned char byte)
{
    return byte < ' ' || byte == 0x7f;
}

/* The first control byte in data[from, to), or where there is none left. Mostly it ends a line, and lines are short: to call memchr for CR
 * and for LF would cost more than what it finds. */
static size_t find_control(const char *data, size_t from, size_t to)
{
    typedef unsigned char bytes __attribute__((vector_size(16)));
    typedef uint64_t words __attribute__((vector_size(16)));

    for (; from + sizeof(bytes) <= to; from += sizeof(bytes)) {
        bytes some;
        words hits; /* of each byte all bits or none */

        memcpy(&some, data + from, sizeof(some));
        hits = (words)((some < ' ') | (some == 0x7f));
        if (hits[0])
            return from + (size_t)__builtin_ctzll(le64toh(hits[0])) / 8;
        if (hits[1])
            return from + sizeof(hits[0]) + (size_t)__builtin_ctzll(le64toh(hits[1])) / 8;
    }
    while (from < to && !is_control((unsigned char)data[from]))
        from++;
    return from;
}

/* The first CR or LF in data[from, to), or where there is none left. */
static size_t find_line_end(const char *data, struct http_scan *scan, size_t from, size_t to)
{
    for (;; from++) {
        from = find_control(data, from, to);
        if (LIKELY(from >= to || data[from] == '\r' || data[from] == '\n'))
            return from;
        scan->controls = true;
    }
}

/* Does the target in line, complete or not, already have more than max bytes? */
static bool target_exceeds(struct slice line, uint32_t max)
{
    struct slice method, target;

    return line.len > max && slice_split(&line, ' ', &method) && slice_split(&line, ' ', &target) &&
           target.len > max;
}

static enum parse fail(enum parse result, const char *text, const char **error)
{
    *error = text;
    return result;
}

/* What is wrong with the line that has its first CR or LF at stop, and no line end there; PARSE_MORE: nothing yet. */
static SELDOM enum parse judge_open_line(const char *data, size_t window, size_t start, const struct http_scan *scan,
                                         uint32_t target_length, const char **error)
{
    const char *line = data + scan->line, *end = data + window;
    const char *lf = scan->seen < window ? memchr(data + scan->seen, '\n', window - scan->seen) : NULL;

    CHECK(scan->line <= scan->seen && scan->seen <= window);
    if (scan->line == start && target_exceeds(slice_of(line, (size_t)((lf ? lf : end) - line)), target_length))
        return fail(PARSE_TARGET_TOO_BIG, "request target too long", error);
    if (!lf)
        return PARSE_MORE;
    return fail(PARSE_BAD, lf == line || lf[-1] != '\r' ? "line ends with a bare LF" : "bare CR", error);
}

enum parse head_end_find(const char *data, size_t len, size_t start, struct http_scan *scan,
                         const struct http_limits *limits, uint32_t target_length, size_t *end,
                         const char **error)
{
    size_t window = len < limits->head_size ? len : limits->head_size, line = scan->line, stop = scan->seen;
    enum parse open;

    if (scan->seen > window) /* empty lines before it are beyond head_size, or that has become less */
        return fail(PARSE_HEAD_TOO_BIG, "head too big", error);
    for (;;) {
        stop = find_line_end(data, scan, stop, window);
        if (stop + 1 >= window || data[stop] != '\r' || data[stop + 1] != '\n')
            break;
        if (line == start) {
            if (target_exceeds(slice_of(data + line, stop + 1 - line), target_length))
                return fail(PARSE_TARGET_TOO_BIG, "request target too long", error);
            scan->fields = (uint32_t)stop + 2;
        }
        if (stop == line) {
            *end = stop + 2;
            return PARSE_DONE;
        }
        if (data[line] == ' ' || data[line] == '\t')
            return fail(PARSE_BAD, "line starts with white space", error);
        line = stop = stop + 2;
    }
    scan->line = (uint32_t)line;
    scan->seen = (uint32_t)stop;
    open = judge_open_line(data, window, start, scan, target_length, error);
    if (open != PARSE_MORE || len < limits->head_size)
        return open;
    return fail(PARSE_HEAD_TOO_BIG, "head too big", error);
}
