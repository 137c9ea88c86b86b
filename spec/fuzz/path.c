/* Paths: the one form is what a stack of segments makes of it, and it is its own form. */
#include "http/path.h"
#include "spec/fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1024, PATH_MAX_LEN = 250 };

/* What the model makes of a path. */
struct form {
    char text[SIZE];
    size_t len;
    size_t starts[SIZE]; /* of the segments in text, each behind its slash */
    size_t depth;
};

/* One segment with its escapes in their form, NUL-terminated; false: refused. */
static bool decode(struct slice raw, char *out)
{
    for (size_t i = 0; i < raw.len; i++) {
        unsigned byte;
        char digits[3] = {0};

        if (raw.data[i] == '\\' || raw.data[i] == 0)
            return false;
        if (raw.data[i] != '%') {
            *out++ = raw.data[i];
            continue;
        }
        if (raw.len - i < 3 || !isxdigit((uint8_t)raw.data[i + 1]) || !isxdigit((uint8_t)raw.data[i + 2]))
            return false;
        memcpy(digits, raw.data + i + 1, 2);
        byte = (unsigned)strtoul(digits, NULL, 16);
        i += 2;
        if (byte < 32 || byte == 127)
            return false;
        if (byte < 127 && (isalnum((int)byte) || strchr("-._~", (int)byte)))
            *out++ = (char)byte;
        else
            out += sprintf(out, "%%%02X", byte);
    }
    *out = 0;
    return true;
}

static bool is_dots(const char *s)
{
    return strcmp(s, ".") == 0 || strcmp(s, "..") == 0;
}

/* Does a piece between escaped separators, without its parameters, name a dot segment? */
static bool hides_dots(const char *segment)
{
    char piece[SIZE];
    size_t n = 0;
    bool parameters = false;

    for (;; segment++) {
        bool separator = strncmp(segment, "%2F", 3) == 0 || strncmp(segment, "%5C", 3) == 0;

        if (separator || !*segment) {
            piece[n] = 0;
            if (is_dots(piece))
                return true;
            if (!*segment)
                return false;
            n = 0;
            parameters = false;
            segment += 2;
        } else if (*segment == ';' || strncmp(segment, "%3B", 3) == 0) {
            parameters = true;
        } else if (!parameters) {
            piece[n++] = *segment;
        }
    }
}

static bool add(struct form *f, struct slice raw, bool last)
{
    char made[SIZE];

    if (!decode(raw, made))
        return false;
    if (strcmp(made, "..") == 0) {
        if (f->depth == 0)
            return false;
        f->len = f->starts[--f->depth];
    } else if (*made && strcmp(made, ".") != 0) {
        if (hides_dots(made))
            return false;
        f->starts[f->depth++] = f->len;
        f->text[f->len++] = '/';
        memcpy(f->text + f->len, made, strlen(made));
        f->len += strlen(made);
        return true;
    }
    if (last)
        f->text[f->len++] = '/';
    return true;
}

static bool model(struct slice path, struct form *f)
{
    struct slice rest = slice_skip(path, 1), segment;

    f->len = f->depth = 0;
    while (slice_split(&rest, '/', &segment)) {
        if (!add(f, segment, !rest.data))
            return false;
    }
    return true;
}

static bool holds(struct slice s, const char *text)
{
    return memmem(s.data, s.len, text, strlen(text)) != NULL;
}

static void check(struct slice path)
{
    static struct form want;
    struct slice out = fuzz_copy(path), form = path;
    struct path_result result, again;
    enum path_form how = path_normalise(path, (char *)out.data, &result);
    bool fits = model(path, &want);

    CHECK((how == PATH_REFUSED) == !fits);
    CHECK((how == PATH_REFUSED) == (result.error != NULL));
    if (how == PATH_MADE)
        form = slice_of(out.data, result.len);
    if (how != PATH_REFUSED) {
        struct slice twice = fuzz_copy(form);

        CHECK(slice_eq(form, slice_of(want.text, want.len)));
        CHECK(form.len <= path.len && form.data[0] == '/');
        CHECK(result.separators == (holds(form, "%2F") || holds(form, "%5C")));
        CHECK(path_normalise(form, (char *)twice.data, &again) == PATH_PLAIN);
        CHECK(again.separators == result.separators);
        free((void *)twice.data);
    }
    if (path_is_simple(path))
        CHECK(how == PATH_PLAIN && !result.separators);
    free((void *)out.data);
}

void fuzz_path(struct slice input)
{
    char text[PATH_MAX_LEN + 1] = "/";
    struct slice path;

    if (input.len > PATH_MAX_LEN || memchr(input.data, 0, input.len))
        return;
    memcpy(text + 1, input.data, input.len);
    path = fuzz_copy(slice_of(text, input.len + 1));
    check(path);
    free((void *)path.data);
}
