#include "http/path.h"

#include <string.h>

/* One path on its way into its form. */
struct form {
    char *out;
    size_t len;        /* of what is written, always at least the first slash */
    const char *error; /* NULL: nothing is wrong yet */
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_unreserved(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

bool path_is_simple(struct slice path)
{
    char before = 0;

    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];

        if (c == '%' || c == '\\' || (before == '/' && (c == '/' || c == '.')))
            return false;
        before = c;
    }
    return true;
}

/* The escape at the start of text. */
static void write_escape(struct form *f, struct slice text)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    int high = text.len > 2 ? hex_value(text.data[1]) : -1, low = text.len > 2 ? hex_value(text.data[2]) : -1;
    int byte = high * 16 + low;

    if (high < 0 || low < 0) {
        f->error = "path with a percent sign that begins no escape";
    } else if (byte < ' ' || byte == 0x7f) {
        f->error = "path with an escaped control byte";
    } else if (is_unreserved(byte)) {
        f->out[f->len++] = (char)byte;
    } else {
        f->out[f->len++] = '%';
        f->out[f->len++] = DIGITS[high];
        f->out[f->len++] = DIGITS[low];
    }
}

static void write_segment(struct form *f, struct slice segment)
{
    for (size_t i = 0; i < segment.len && !f->error; i++) {
        if (segment.data[i] == '%') {
            write_escape(f, slice_of(segment.data + i, segment.len - i));
            i += 2;
        } else if (segment.data[i] == '\\') {
            f->error = "path with a backslash";
        } else {
            f->out[f->len++] = segment.data[i];
        }
    }
}

static bool is_dots(struct slice text)
{
    return slice_eq(text, SLICE(".")) || slice_eq(text, SLICE(".."));
}

/* The bytes of an escaped separator at the start of text, or 0. */
static size_t separator_at(struct slice text)
{
    return slice_starts(text, SLICE("%2F")) || slice_starts(text, SLICE("%5C")) ? 3 : 0;
}

static struct slice without_parameters(struct slice piece)
{
    size_t n = 0;

    while (n < piece.len && piece.data[n] != ';' && !slice_starts(slice_skip(piece, n), SLICE("%3B")))
        n++;
    return slice_of(piece.data, n);
}

/* Would a server see a dot segment that cuts off parameters, or takes escaped separators for such? Not asked for plain dots. */
static bool hides_dots(struct slice segment)
{
    struct slice rest = segment, piece;
    size_t n;

    for (;;) {
        for (n = 0; n < rest.len && !separator_at(slice_skip(rest, n));)
            n++;
        piece = slice_of(rest.data, n);
        if (is_dots(without_parameters(piece)))
            return true;
        if (n == rest.len)
            return false;
        rest = slice_skip(rest, n + separator_at(slice_skip(rest, n)));
    }
}

static bool holds_separators(struct slice form)
{
    while (form.len && !separator_at(form))
        form = slice_skip(form, 1);
    return form.len != 0;
}

/* Takes the last segment away again: out ends with a slash before and after. */
static void leave_segment(struct form *f)
{
    if (f->len == 1) {
        f->error = "path that leads above its root";
        return;
    }
    f->len--;
    while (f->out[f->len - 1] != '/')
        f->len--;
}

static void add_segment(struct form *f, struct slice segment, bool last)
{
    size_t start = f->len;
    struct slice made;

    write_segment(f, segment);
    if (f->error)
        return;
    made = slice_of(f->out + start, f->len - start);
    if (is_dots(made)) {
        f->len = start;
        if (made.len == 2)
            leave_segment(f);
        return;
    }
    if (hides_dots(made))
        f->error = "path with a hidden dot segment";
    else if (made.len && !last)
        f->out[f->len++] = '/';
}

enum path_form path_normalise(struct slice path, char *out, struct path_result *result)
{
    struct form f = {out, 1, NULL};
    struct slice rest = slice_of(path.data + 1, path.len - 1);

    *result = (struct path_result){0};
    if (path_is_simple(path))
        return PATH_PLAIN;
    out[0] = '/';
    while (rest.data && !f.error) {
        const char *slash = memchr(rest.data, '/', rest.len);
        size_t len = slash ? (size_t)(slash - rest.data) : rest.len;

        add_segment(&f, slice_of(rest.data, len), !slash);
        rest = slash ? slice_of(slash + 1, rest.len - len - 1) : slice_of(NULL, 0);
    }
    *result = (struct path_result){f.len, holds_separators(slice_of(out, f.len)), f.error};
    if (f.error)
        return PATH_REFUSED;
    return slice_eq(path, slice_of(out, f.len)) ? PATH_PLAIN : PATH_MADE;
}
