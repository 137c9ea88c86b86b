#include "http/head_end.h"

/* Does the target in line, complete or not, already have more than max bytes? */
static bool target_exceeds(struct slice line, uint32_t max)
{
    struct slice method, target;

    return line.len > max && slice_split(&line, ' ', &method) && slice_split(&line, ' ', &target) &&
           target.len > max;
}

enum parse head_end_find(const char *data, size_t len, size_t start, struct http_scan *scan,
                         const struct http_limits *limits, uint32_t target_length, size_t *end,
                         const char **error)
{
    size_t window = len < limits->head_size ? len : limits->head_size;

    while (scan->seen < window) {
        const char *lf = memchr(data + scan->seen, '\n', window - scan->seen);
        size_t at = lf ? (size_t)(lf - data) : window;

        if (scan->line == start &&
            target_exceeds(slice_of(data + start, at - start), target_length)) {
            *error = "request target too long";
            return PARSE_TARGET_TOO_BIG;
        }
        scan->seen = (uint32_t)at;
        if (!lf)
            break;
        if (at == scan->line || lf[-1] != '\r') {
            *error = "line ends with a bare LF";
            return PARSE_BAD;
        }
        if (at - 1 == scan->line) {
            *end = at + 1;
            return PARSE_DONE;
        }
        if (memchr(data + scan->line, '\r', at - 1 - scan->line)) {
            *error = "bare CR";
            return PARSE_BAD;
        }
        if (data[scan->line] == ' ' || data[scan->line] == '\t') {
            *error = "line starts with white space";
            return PARSE_BAD;
        }
        scan->line = scan->seen = (uint32_t)at + 1;
    }
    if (len < limits->head_size)
        return PARSE_MORE;
    *error = "head too big";
    return PARSE_HEAD_TOO_BIG;
}
