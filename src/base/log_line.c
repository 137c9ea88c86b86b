#include "base/log_line.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

bool log_level_parse(struct slice text, enum log_level *level)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (slice_eq(text, slice_str(level_names[i]))) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

struct text {
    char *out;
    size_t len, size;
    bool cut;
};

static void put_byte(struct text *t, char byte)
{
    if (t->len < t->size)
        t->out[t->len++] = byte;
    else
        t->cut = true;
}

static void put_text(struct text *t, const char *s)
{
    while (*s)
        put_byte(t, *s++);
}

/* Control bytes would end the line or move the terminal; a quote would end the message. */
static void put_escaped(struct text *t, const char *s, bool quoted)
{
    static const char hex[] = "0123456789abcdef";

    for (; *s; s++) {
        unsigned char ch = (unsigned char)*s;

        if (ch < 0x20 || ch == 0x7f) {
            put_text(t, "\\x");
            put_byte(t, hex[ch >> 4]);
            put_byte(t, hex[ch & 15]);
            continue;
        }
        if (quoted && (ch == '"' || ch == '\\'))
            put_byte(t, '\\');
        put_byte(t, (char)ch);
    }
}

size_t log_line_format(char *out, size_t size, enum log_level level, uint64_t wall_ms,
                       const char *msg, const char *fmt, va_list ap)
{
    struct text t = {out, 0, size, false};
    char time[CLOCK_TEXT_SIZE], pairs[8192];
    int len;

    (void)clock_format_ms(time, wall_ms);
    put_text(&t, "time=");
    put_text(&t, time);
    put_text(&t, " level=");
    put_text(&t, level_names[level]);
    put_text(&t, " msg=\"");
    put_escaped(&t, msg, true);
    put_byte(&t, '"');
    len = vsnprintf(pairs, sizeof(pairs), fmt, ap);
    if (len > 0) {
        put_byte(&t, ' ');
        put_escaped(&t, pairs, false);
        t.cut |= (size_t)len >= sizeof(pairs);
    }
    if (t.cut && size >= 3) {
        t.len = t.len < size - 3 ? t.len : size - 3;
        memcpy(out + t.len, "...", 3);
        t.len += 3;
    }
    return t.len;
}
