/* Preference lists and media types: what does not change the meaning does not change the choice. */
#include "http/accept.h"
#include "http/accept_encoding.h"
#include "http/media_type.h"
#include "spec/fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>

enum { SIZE = 1024, TYPES = 4, OFFERS = 3 };

static const struct slice types[TYPES] = {SLICE_INIT("text/html"), SLICE_INIT("application/json"),
                                          SLICE_INIT("text/plain"), SLICE_INIT("image/png")};
static const struct slice offers[OFFERS] = {SLICE_INIT("zstd"), SLICE_INIT("br"), SLICE_INIT("gzip")};

/* The same with letters of the other case, in out. */
static struct slice swap_case(struct slice s, char *out)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        out[i] = (char)(c >= 128 ? c : isupper(c) ? tolower(c) : toupper(c));
    }
    return slice_of(out, s.len);
}

/* With an element in front that is on no offer. */
static struct slice behind_stranger(struct slice s, char *out)
{
    int n = snprintf(out, SIZE, "x-none/x-none;q=1,x-none;q=1 , ");

    memcpy(out + n, s.data, s.len);
    return slice_of(out, (size_t)n + s.len);
}

static unsigned choose_type(const struct slice *values, unsigned count, unsigned fallback)
{
    unsigned chosen = accept_choose(values, count, types, TYPES, fallback);

    CHECK(chosen < TYPES);
    return chosen;
}

static unsigned choose_offer(const struct slice *values, unsigned count)
{
    unsigned chosen = accept_encoding_choose(values, count, offers, OFFERS);

    CHECK(chosen <= OFFERS);
    return chosen;
}

/* Does the name stand in s, whatever its case? */
static bool names(struct slice s, struct slice name)
{
    for (size_t i = 0; i + name.len <= s.len; i++) {
        if (slice_eq_nocase(slice_of(s.data + i, name.len), name))
            return true;
    }
    return false;
}

void fuzz_accept(struct slice input)
{
    char swapped[SIZE], longer[SIZE];
    unsigned fallback = fuzz_take(&input) % TYPES, type, offer;
    struct slice twice[] = {input, input}, other;

    if (input.len > SIZE / 2)
        return;
    type = choose_type(twice, 1, fallback);
    offer = choose_offer(twice, 1);
    CHECK(choose_type(twice, 2, fallback) == type && choose_offer(twice, 2) == offer);
    other = swap_case(input, swapped);
    CHECK(choose_type(&other, 1, fallback) == type && choose_offer(&other, 1) == offer);
    other = behind_stranger(input, longer);
    CHECK(choose_type(&other, 1, fallback) == type && choose_offer(&other, 1) == offer);
    /* A type that is not the fallback is one that the client has named, so any other fallback gives way to it, or ties. */
    if (type != fallback)
        CHECK(choose_type(twice, 1, type) == type);
    /* Without a star, nobody gets what was not named. */
    if (offer < OFFERS && !memchr(input.data, '*', input.len))
        CHECK(names(input, offers[offer]));
}

/* A type that the pattern has to take. */
static struct slice example_of(struct slice pattern, char *out)
{
    int n = pattern.data[0] == '+' ? snprintf(out, SIZE, "x/y") : 0;

    memcpy(out + n, pattern.data, pattern.len);
    return slice_of(out, (size_t)n + pattern.len);
}

void fuzz_media_type(struct slice input)
{
    char made[SIZE], swapped[SIZE];
    struct slice example, family;

    if (input.len > SIZE / 2 || !media_type_is_pattern(input))
        return;
    example = example_of(input, made);
    CHECK(media_type_in(example, &input, 1));
    CHECK(media_type_in(swap_case(example, swapped), &input, 1));
    memcpy(made + example.len, " ;a=b", 5);
    CHECK(media_type_in(slice_of(made, example.len + 5), &input, 1));
    /* It takes no type that only begins like it, but for a whole family. */
    family = slice_of(input.data + (input.len > 1 ? input.len - 2 : 0), input.len > 1 ? 2 : 0);
    memcpy(made + example.len, "x;a=b", 5);
    CHECK(media_type_in(slice_of(made, example.len + 5), &input, 1) ==
          (input.data[0] != '+' && slice_eq(family, SLICE("/*"))));
}
